//! Provinces whose senders work as the field does and the interface's book does not: they lend the codes of the
//! hand-over to the claim, report box by box, date returns by the day, refund in part, write fillers and numbers of
//! their own. Whatever they do, a claim ends as the truth has it: no honest one refused, none paid that must not be.
//!
//! `SEEDS=20 cargo test --test stages senders -- --nocapture` runs twenty of each kind and prints what became of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tracewarden::evaluate::{Language, Report};
use tracewarden::sim::{Act, Dirt, Effect, Fraud, Parameters, Senders, UploadForm};

use super::judged::{assert_exact, filthy, judged};
use super::stages::{Played, play};

/// Seeds of each kind of province, unless `SEEDS` says otherwise.
const SEEDS: u64 = 1;

/// Every second sender and more, so that a small province has each habit beside each other one.
fn every_habit() -> Senders {
    Senders {
        lending_ppm: 600_000,
        boxes_ppm: 500_000,
        day_returns_ppm: 500_000,
        partial_refunds_ppm: 600_000,
        fillers_ppm: 500_000,
        own_numbers_ppm: 500_000,
    }
}

/// Half of all senders lend, and nobody does anything else that is not in the book.
fn half_lending() -> Senders {
    Senders { lending_ppm: 500_000, ..Senders::default() }
}

/// A province of two weeks with all acts, small enough for many seeds.
fn province(seed: u64, form: UploadForm, senders: Senders, dirt: Dirt) -> Parameters {
    let mut parameters = Parameters { form, senders, dirt, ..Parameters::demo(seed) };
    parameters.institutions = 40;
    parameters.codes_per_day = 200;
    parameters.days = 14;
    parameters.fraud.acts_per_day = 10;
    let habits = &mut parameters.habits;
    habits.returns_ppm = 60_000;
    habits.cancelled_ppm = 30_000;
    habits.sent_back_ppm = 50_000;
    habits.transfers_ppm = 50_000;
    habits.exemptions_ppm = 30_000;
    habits.no_code_stock_ppm = 30_000;
    parameters
}

/// What became of the lines of all claims.
#[derive(Debug, Default)]
struct Lines {
    paid: u64,
    held: u64,
    refused: u64,
    lent: u64,
}

/// Every line's verdict against the truth: the worst that is true of it, and `pay` of what is honest.
fn wrong_verdicts(played: &Played, lines: &mut Lines) -> String {
    let mut worst: BTreeMap<(&str, &str, &str), Effect> = BTreeMap::new();
    for truth in played.truth.iter().filter(|truth| truth.subject.group == "settlement") {
        let line = &truth.subject;
        let key = (line.institution_id.as_str(), line.document_id.as_str(), line.line_id.as_str());
        let known = worst.entry(key).or_insert(Effect::Alert);
        *known = (*known).max(truth.effect);
    }
    let mut text = String::new();
    for decision in &played.answer.decisions {
        let names = ["institution_id", "document_id"].map(|name| decision[name].as_str().unwrap_or_default());
        for line in decision["lines"].as_array().into_iter().flatten() {
            let line_id = line["line_id"].as_str().unwrap_or_default();
            let expected = match worst.get(&(names[0], names[1], line_id)) {
                Some(Effect::Refuse) => "refuse",
                Some(Effect::Hold) => "hold",
                Some(Effect::Alert) | None => "pay",
            };
            match line["verdict"].as_str() {
                Some("refuse") => lines.refused += 1,
                Some("hold") => lines.held += 1,
                _ => lines.paid += 1,
            }
            if line["verdict"] != expected {
                let _ = writeln!(text, "{names:?}, line {line}: {expected} by the truth");
            }
        }
    }
    text
}

/// Plays provinces and compares; says of what each kind of act there was one.
fn compared(title: &str, parameters: impl Fn(u64) -> Parameters) -> BTreeMap<Act, u64> {
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |text| text.parse().expect("SEEDS is a number"));
    let (mut faults, mut lines, mut acts) = (String::new(), Lines::default(), BTreeMap::new());
    for seed in 1..=seeds {
        let played = play(&parameters(seed));
        lines.lent += played.lent;
        let wrong = wrong_verdicts(&played, &mut lines) + &inexact(&played.report);
        if !wrong.is_empty() {
            let _ = writeln!(faults, "seed {seed}:\n{wrong}");
        }
        for (act, score) in &played.report.acts {
            *acts.entry(*act).or_default() += score.planted;
        }
    }
    report(title, seeds, &lines, &acts);
    assert!(faults.is_empty(), "{title}\n{faults}");
    acts
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: what became of the claims")]
fn report(title: &str, seeds: u64, lines: &Lines, acts: &BTreeMap<Act, u64>) {
    println!("{title}, {seeds} seeds: {lines:?}\n{acts:?}");
}

/// What was missed, or said beyond the truth, or with other particulars.
fn inexact(report: &Report) -> String {
    let exact = report.missed.is_empty() && report.unexplained.is_empty() && report.inexact.is_empty();
    if exact && report.lines.expected == report.lines.found {
        return String::new();
    }
    report.table(Language::English) + &report.details(Language::English, 5)
}

#[test]
fn with_half_its_senders_lending_no_honest_claim_is_refused_and_none_paid_that_must_not_be() {
    for form in [UploadForm::Canonical, UploadForm::National] {
        for (dirt, name) in [(Dirt::none(), "clean"), (filthy(), "filthy")] {
            let title = format!("half of the senders lend, {form:?}, {name}");
            let acts = compared(&title, |seed| province(seed, form, half_lending(), dirt.clone()));
            let planted = acts.keys().filter(|act| Act::PLANTED.contains(act)).count();
            let carried =
                if form == UploadForm::National { Act::PLANTED.len() - 2 } else { Act::PLANTED.len() };
            assert_eq!(planted, carried, "{title}: {acts:?}");
        }
    }
}

#[test]
fn honest_senders_who_lend_are_paid_all_but_what_cannot_be_mended() {
    for form in [UploadForm::Canonical, UploadForm::National] {
        let acts = compared(&format!("honest, all lend, {form:?}"), |seed| {
            let senders = Senders { lending_ppm: 1_000_000, ..Senders::default() };
            let honest = Fraud { acts_per_day: 0, ..Fraud::default() };
            Parameters { fraud: honest, ..province(seed, form, senders, Dirt::none()) }
        });
        assert!(acts.is_empty(), "{acts:?}");
    }
}

#[test]
fn with_every_habit_of_the_field_claims_end_as_the_truth_has_them() {
    let mut seen = BTreeMap::new();
    for form in [UploadForm::Canonical, UploadForm::National] {
        for (dirt, name) in [(Dirt::none(), "clean"), (filthy(), "filthy")] {
            let title = format!("every habit, {form:?}, {name}");
            seen.extend(compared(&title, |seed| {
                let mut parameters = province(seed, form, every_habit(), dirt.clone());
                parameters.habits.returns_ppm = 200_000;
                parameters
            }));
        }
    }
    for habit in [Act::PlaceholderCode, Act::PartialRefund] {
        assert!(seen.contains_key(&habit), "{habit:?} never came about: {seen:?}");
    }
}

#[test]
fn the_independent_judge_says_the_same_of_the_habits() {
    for seed in 1..=2 {
        let mut parameters = province(seed, UploadForm::Canonical, every_habit(), filthy());
        parameters.institutions = 16;
        parameters.codes_per_day = 60;
        assert_exact(&judged(&parameters), seed);
    }
}

#[test]
fn what_nobody_does_leaves_the_province_as_it_was() {
    let messages = |senders: Senders| -> Vec<String> {
        let parameters = province(3, UploadForm::National, senders, filthy());
        tracewarden::sim::uploads(&parameters).map(|upload| upload.json).collect()
    };
    let (by_the_book, as_the_field) = (messages(Senders::default()), messages(every_habit()));
    assert_eq!(messages(every_habit()), as_the_field, "the same seed gives the same bytes");
    let has = |text: &str, messages: &[String]| messages.iter().any(|message| message.contains(text));
    let habits = ["\"cnt\":\"-", "\"mdtrt_sn\":\"ZY", "\"setl_id\":\"-\"", "\"00000000000000000000\""];
    for habit in habits {
        assert!(has(habit, &as_the_field), "{habit} is never written");
        assert!(!has(habit, &by_the_book), "{habit} is written by the book");
    }
    let by_day = |message: &String| {
        let time = message.split_once("\"sel_retn_time\":\"").and_then(|(_, time)| time.split('"').next());
        time.is_some_and(|time| time.len() == "2026-01-13".len())
    };
    assert!(as_the_field.iter().any(by_day) && !by_the_book.iter().any(by_day));
    let bare = |message: &String| {
        let message: Value = serde_json::from_str(message).expect("JSON");
        let input = &message["input"];
        message["infno"] == "2102" && input["druginfo"].is_object() && input["drug_trac_info"].is_null()
    };
    assert!(as_the_field.iter().any(bare) && !by_the_book.iter().any(bare));
}
