//! The province against the independent judge: honest trade is honest, and what is planted is found.
//!
//! The judge is slow and obviously right; so provinces are small here. What it says is fed to the evaluation in
//! the form in which a monitor publishes it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tracewarden::domain::time::Timestamp as Moment;
use tracewarden::evaluate::{Evaluation, Language, Report};
use tracewarden::sim::{self, Act, Dirt, Fraud, Parameters, Senders, TimedUpload, Truth, UploadForm};

use oracle::{Answer, Timestamp};

fn small(seed: u64) -> Parameters {
    let mut parameters = Parameters::clean(seed);
    parameters.institutions = 12;
    parameters.codes_per_day = 60;
    parameters.days = 14;
    parameters.products = 20;
    parameters.habits.shelves_per_institution = 20;
    parameters.habits.returns_ppm = 100_000;
    parameters.habits.transfers_ppm = 100_000;
    parameters.habits.write_offs_ppm = 50_000;
    parameters.habits.sent_back_ppm = 100_000;
    parameters.habits.cancelled_ppm = 50_000;
    parameters.habits.exemptions_ppm = 50_000;
    parameters.habits.no_code_stock_ppm = 50_000;
    parameters
}

fn fraudulent(seed: u64) -> Parameters {
    Parameters { fraud: Fraud { acts_per_day: 9, packs_per_act_max: 3 }, ..small(seed) }
}

/// Accidents far more frequent than in life, so that a small province has all of them.
pub(crate) fn filthy() -> Dirt {
    Dirt {
        issued_late_ppm: 80_000,
        held_up_ppm: 100_000,
        late_hours_max: 48,
        repeated_ppm: 50_000,
        new_batch_ppm: 50_000,
        corrected_ppm: 50_000,
        deleted_ppm: 50_000,
        mangled_ppm: 20_000,
        decorated_ppm: 50_000,
        unmapped_products_ppm: 1_000_000,
        wrong_masters_ppm: 100_000,
        silent_days_ppm: 50_000,
        clock_skew_seconds_max: 300,
        careless_senders_ppm: 500_000,
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A run: its reference data, its uploads and its truth.
struct Run {
    reference: Vec<Value>,
    uploads: Vec<TimedUpload>,
    truth: Vec<Truth>,
}

fn run(parameters: &Parameters) -> Run {
    let reference = sim::reference(parameters).map(|record| parsed(&record)).collect();
    let mut province = sim::uploads(parameters);
    let (mut uploads, mut truth) = (Vec::new(), Vec::new());
    while let Some(upload) = province.next() {
        uploads.push(upload);
        truth.append(&mut province.take_truth());
    }
    Run { reference, uploads, truth }
}

impl Run {
    /// What the judge says at `now` of the uploads that are accepted.
    fn answer(&self, now: i64, accept: impl Fn(&TimedUpload) -> bool) -> Answer {
        let accepted = self.uploads.iter().filter(|upload| accept(upload));
        let uploads: Vec<Value> = accepted.map(|upload| parsed(&upload.json)).collect();
        let now = Moment::from_unix_millis(now).to_string();
        oracle::judge(&self.reference, &uploads, Timestamp::parse(&now).unwrap())
    }
}

/// What the judge says of a whole run, and the run's truth, compared.
pub(crate) fn judged(parameters: &Parameters) -> Report {
    let run = run(parameters);
    let answer = run.answer(parameters.until(), |_| true);
    let mut evaluation = Evaluation::default();
    evaluation.expect(run.truth);
    for (number, mut alert) in answer.alerts.into_iter().enumerate() {
        alert["alert_id"] = json!(number.to_string());
        alert["revision"] = json!(1);
        alert["status"] = json!("raised");
        evaluation.alert(&alert.to_string()).unwrap();
    }
    for decision in answer.decisions {
        let claim = json!({
            "institution_id": decision["institution_id"],
            "document_id": decision["document_id"],
        });
        let published = json!({"claim": claim, "revision": 1, "lines": decision["lines"]});
        evaluation.decision(&published.to_string()).unwrap();
    }
    evaluation.report()
}

#[test]
fn every_upload_is_well_formed() {
    let run = run(&Parameters { dirt: filthy(), ..fraudulent(4) });
    assert!(run.uploads.len() > 500);
    for upload in run.uploads {
        let read = oracle::upload::read(&parsed(&upload.json));
        assert!(read.is_ok(), "{:?}: {}", read.err(), upload.json);
    }
}

/// Nothing is missed, nothing is unexplained, every counterpart is the right one.
pub(crate) fn assert_exact(report: &Report, seed: u64) {
    let table = report.table(Language::English);
    assert!(report.missed.is_empty(), "seed {seed}\n{table}\nmissed {:#?}", report.missed.first());
    assert!(
        report.unexplained.is_empty(),
        "seed {seed}\n{table}\nunexplained {:#?}",
        report.unexplained.iter().take(3).collect::<Vec<_>>()
    );
    assert!(report.inexact.is_empty(), "seed {seed}\n{table}\ninexact {:#?}", report.inexact.first());
    assert_eq!(report.lines.expected, report.lines.found, "seed {seed}\n{table}");
}

#[test]
fn an_honest_province_has_no_alert_and_every_claim_is_paid() {
    for seed in 1..=3 {
        let report = judged(&small(seed));
        assert_exact(&report, seed);
        assert!(report.rules.is_empty(), "seed {seed}\n{}", report.table(Language::English));
        assert!(report.lines.decided > 300, "seed {seed}: only {} lines", report.lines.decided);
    }
}

#[test]
fn every_planted_act_is_found_and_nothing_else() {
    for seed in 1..=3 {
        let report = judged(&fraudulent(seed));
        assert_exact(&report, seed);
        let planted: BTreeSet<Act> = report.acts.keys().copied().collect();
        assert_eq!(planted, BTreeSet::from(Act::PLANTED), "seed {seed}");
    }
}

#[test]
fn honest_dirt_leaves_only_what_cannot_be_mended() {
    let mut acts = BTreeSet::new();
    for seed in 1..=3 {
        let report = judged(&Parameters { dirt: filthy(), ..small(seed) });
        assert_exact(&report, seed);
        acts.extend(report.acts.into_keys());
    }
    assert_eq!(acts, BTreeSet::from([Act::MangledCode, Act::MangledDelivery, Act::WrongMaster]));
}

#[test]
fn acts_are_found_through_the_dirt() {
    for seed in 1..=3 {
        assert_exact(&judged(&Parameters { dirt: filthy(), ..fraudulent(seed) }), seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_the_order_of_sending() {
    let parameters = Parameters { dirt: filthy(), ..fraudulent(5) };
    let first: Vec<_> = sim::uploads(&parameters).collect();
    let second: Vec<_> = sim::uploads(&parameters).collect();
    assert_eq!(first, second);
    assert!(first.is_sorted_by_key(|upload| upload.sent_at));
    let other: Vec<_> = sim::uploads(&Parameters { seed: 6, ..parameters }).collect();
    assert_ne!(first, other);
}

#[test]
fn planted_acts_leave_the_honest_traffic_as_it_was() {
    let events = |parameters: &Parameters| -> BTreeSet<String> {
        let event = |value: &Value| {
            ["kind", "institution_id", "occurred_at", "person_cert"]
                .map(|name| value[name].to_string())
                .join(" ")
        };
        sim::uploads(parameters).map(|upload| event(&parsed(&upload.json))).collect()
    };
    let (honest, with_fraud) = (events(&small(1)), events(&fraudulent(1)));
    assert!(honest.is_subset(&with_fraud));
    assert!(honest.len() < with_fraud.len());
}

/// Whether an answer makes the statement.
fn states(answer: &Answer, truth: &Truth) -> bool {
    let same = |value: &Value, wanted: &Option<String>| value.as_str() == wanted.as_deref();
    let subject = |value: &Value| {
        let line = &truth.subject;
        value["institution_id"] == line.institution_id
            && value["document_id"] == line.document_id
            && value["line_id"] == line.line_id
    };
    let alerted = answer.alerts.iter().any(|alert| {
        alert["rule"] == truth.rule
            && same(&alert["basis"], &truth.basis)
            && same(&alert["code"], &truth.code)
            && subject(&alert["subject"])
    });
    let refused = answer.decisions.iter().any(|decision| {
        let lines = decision["lines"].as_array().into_iter().flatten();
        decision["document_id"] == truth.subject.document_id
            && lines.flat_map(|line| line["reasons"].as_array()).flatten().any(|reason| *reason == truth.rule)
    });
    alerted || (!truth.alerted && refused)
}

#[test]
fn a_statement_can_be_made_with_its_deciding_upload_and_not_before() {
    let mut parameters = fraudulent(8);
    parameters.codes_per_day = 0;
    let run = run(&parameters);
    let mut seen = BTreeSet::new();
    for truth in run.truth.iter().filter(|truth| seen.insert((truth.act, &truth.rule))) {
        let known_from = truth.known_from;
        let then = run.answer(known_from, |upload| upload.sent_at <= known_from);
        assert!(states(&then, truth), "not known when it should be: {truth:#?}");
        let before = run.answer(known_from - 1, |upload| upload.sent_at < known_from);
        assert!(!states(&before, truth), "known before: {truth:#?}");
    }
    assert!(seen.len() >= 25, "only {} kinds of statements", seen.len());
}

#[test]
fn uploads_held_up_on_the_way_put_off_what_can_be_known() {
    // What a claim borrows is known with the hand-over.
    let lending = Senders { lending_ppm: 1_000_000, day_returns_ppm: 1_000_000, ..Senders::default() };
    for senders in [Senders::default(), lending] {
        let mut parameters = fraudulent(9);
        parameters.codes_per_day = 0;
        parameters.dirt = Dirt { held_up_ppm: 500_000, late_hours_max: 48, ..Dirt::none() };
        parameters.senders = senders;
        let run = run(&parameters);
        let mut seen = BTreeSet::new();
        for truth in run.truth.iter().filter(|truth| seen.insert((truth.act, &truth.rule))) {
            let then = run.answer(truth.known_from, |upload| upload.sent_at <= truth.known_from);
            assert!(states(&then, truth), "not known when it should be: {truth:#?}");
        }
    }
}

#[test]
fn honest_trade_has_everything_that_makes_it_hard() {
    let values: Vec<Value> = run(&small(2)).uploads.iter().map(|upload| parsed(&upload.json)).collect();
    let kinds: BTreeSet<&str> = values.iter().filter_map(|value| value["kind"].as_str()).collect();
    let expected = [
        "destroyed",
        "dispense",
        "dispense_return",
        "purchase_in",
        "purchase_return",
        "reversal",
        "settlement",
        "stocktake",
        "transfer_in",
        "transfer_out",
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
    assert!(values.iter().any(|value| value["partial"] == true), "no partial upload");
    let of_claims = values.iter().filter(|value| value["kind"] == "settlement");
    let lines: Vec<&Value> = of_claims.filter_map(|value| value["lines"].as_array()).flatten().collect();
    let codes: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["trace_codes"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert!(lines.iter().any(|line| line["split"] == true), "no split pack");
    assert!(lines.iter().any(|line| line["trace_codes"].is_null()), "no line without codes");
    assert!(codes.iter().collect::<BTreeSet<_>>().len() < codes.len(), "no code sold in parts");
    for form in ["(21)", "(10)", "MA.", "QL", "81", "\u{1d}21"] {
        assert!(codes.iter().any(|code| code.contains(form)), "no code with {form}");
    }
}

#[test]
fn odd_parameters_make_an_odd_province_but_no_failure() {
    let mut nothing = Parameters { institutions: 0, persons: 0, products: 0, ..fraudulent(1) };
    nothing.fraud.packs_per_act_max = 0;
    let habits = &mut nothing.habits;
    habits.hospital_weight = 0;
    habits.shelves_per_institution = 0;
    habits.stock_days = 0;
    habits.lines_per_visit_max = 0;
    habits.packs_per_line_max = 0;
    habits.return_days_max = 0;
    habits.stocktake_days = 0;
    habits.stock_uploaders_ppm = 0;
    let mut everything = Parameters { dirt: filthy(), ..fraudulent(1) };
    let habits = &mut everything.habits;
    for share in [&mut habits.returns_ppm, &mut habits.cancelled_ppm, &mut habits.transfers_ppm] {
        *share = u32::MAX;
    }
    let dirt = &mut everything.dirt;
    for share in [&mut dirt.issued_late_ppm, &mut dirt.repeated_ppm, &mut dirt.mangled_ppm] {
        *share = u32::MAX;
    }
    dirt.clock_skew_seconds_max = u32::MAX;
    let ended = Parameters { days: 0, ..small(1) };
    assert_eq!(sim::uploads(&ended).count(), 0);
    let messages = Parameters { form: UploadForm::National, ..everything.clone() };
    for parameters in [nothing, everything, messages] {
        assert!(sim::uploads(&parameters).all(|upload| parsed(&upload.json).is_object()));
    }
}
