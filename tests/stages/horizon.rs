//! With `store.horizon_days`, what nothing new was heard of is forgotten as a whole, and uploads about moments before
//! the horizon are refused: so nothing is judged by half of its past.

use serde_json::{Value, json};
use tracewarden::domain::outcome::UploadOutcome;
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::Local;

use crate::support::local::{fed, options};
use oracle::World;

const CODE: &str = "81773220000000016835";
const OTHER: &str = "81773220000000016842";
const HORIZON: &str = "[store]\nhorizon_days = 90";

fn settled(document_id: &str, issued_on: &str, occurred_on: &str, code: &str) -> Value {
    json!({
        "document_id": document_id,
        "kind": "settlement",
        "institution_id": "P37020300001",
        "issued_at": format!("{issued_on}T09:00:00+08:00"),
        "occurred_at": format!("{occurred_on}T09:00:00+08:00"),
        "lines": [{"line_id": "1", "quantity": "1", "amount": "20.00", "trace_codes": [code]}],
    })
}

/// A settlement in January, and one of another code in each month until June.
fn story(more: &[Value]) -> World {
    let mut uploads = vec![settled("S1", "2026-01-02", "2026-01-02", CODE)];
    uploads.extend((2..7).map(|month| {
        let day = format!("2026-{month:02}-01");
        settled(&format!("O{month}"), &day, &day, OTHER)
    }));
    uploads.extend_from_slice(more);
    World { reference: Vec::new(), uploads, until: "2026-06-20T09:00:00+08:00".into() }
}

/// What was published to a topic, as JSON.
fn published(local: &Local, topic: Topic) -> Vec<Value> {
    let records = local.records(topic).unwrap();
    records.iter().map(|record| serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap()).collect()
}

/// The same uploads in the order in which they were issued.
fn in_time(mut uploads: Vec<Value>, until: &str) -> World {
    uploads.sort_by_key(|upload| upload["issued_at"].as_str().unwrap().to_owned());
    World { reference: Vec::new(), uploads, until: format!("{until}T09:00:00+08:00") }
}

fn open_rules(story: &World, config: &str) -> Vec<String> {
    let alerts = published(&fed(story, &options(config)), Topic::Alerts);
    let about = alerts.iter().map(|alert| {
        format!("{} {}", alert["rule"].as_str().unwrap(), alert["subject"]["document_id"].as_str().unwrap())
    });
    about.filter(|rule| rule.starts_with("duplicate_settlement")).collect()
}

fn known(story: &World, config: &str, code: &str) -> usize {
    fed(story, &options(config)).code_state(code).unwrap().observations.len()
}

#[test]
fn a_code_is_forgotten_when_its_newest_fact_is_older_than_the_horizon() {
    assert_eq!(known(&story(&[]), "", CODE), 1);
    assert_eq!(known(&story(&[]), HORIZON, CODE), 0);
    assert_eq!(known(&story(&[]), HORIZON, OTHER), 5, "one that is heard of is kept with all its past");
}

#[test]
fn a_code_that_was_forgotten_begins_anew() {
    let again = story(&[settled("S2", "2026-06-10", "2026-06-10", CODE)]);
    let monthly = ["O3", "O4", "O5", "O6"].map(|document| format!("duplicate_settlement {document}"));
    assert_eq!(open_rules(&again, HORIZON), monthly);
    assert_eq!(open_rules(&again, ""), [&monthly[..], &["duplicate_settlement S2".into()]].concat());
}

#[test]
fn an_upload_about_a_moment_before_the_horizon_is_refused_and_said() {
    let late = story(&[settled("S0", "2026-06-10", "2026-01-05", CODE)]);
    let local = fed(&late, &options(HORIZON));
    let letters = published(&local, Topic::Deadletter);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["reason"], "time_out_of_range");
    assert!(letters[0]["sentence"].as_str().unwrap().contains("store.horizon_days"), "{letters:?}");
    assert_eq!(known(&late, "", CODE), 2, "without a horizon it is taken");
}

#[test]
fn how_batches_are_cut_does_not_matter_for_what_is_remembered() {
    let again = story(&[settled("S2", "2026-06-10", "2026-06-10", CODE)]);
    for batch_records_max in [1, 7, 1000] {
        let mut options = options(HORIZON);
        options.batch_records_max = batch_records_max;
        let local = fed(&again, &options);
        assert_eq!(local.code_state(CODE).unwrap().observations.len(), 1, "{batch_records_max}");
    }
}

/// A correction of the line of S1, without header, to three packs.
fn corrected(issued_on: &str) -> Value {
    json!({
        "document_id": "S1",
        "kind": "settlement",
        "institution_id": "P37020300001",
        "issued_at": format!("{issued_on}T09:00:00+08:00"),
        "partial": true,
        "lines": [{"line_id": "1", "quantity": "3"}],
    })
}

fn reversed(document_id: &str, issued_on: &str) -> Value {
    json!({
        "document_id": format!("R-{document_id}"),
        "kind": "reversal",
        "institution_id": "P37020300001",
        "issued_at": format!("{issued_on}T09:00:00+08:00"),
        "reverses": {"group": "settlement", "document_id": document_id},
    })
}

#[test]
fn a_document_whose_day_is_behind_the_horizon_is_neither_corrected_nor_reversed() {
    // What was corrected in March is remembered until June. In April its day is behind the horizon.
    let uploads = |more: &[Value]| {
        let known = [settled("S1", "2026-01-02", "2026-01-02", CODE), corrected("2026-03-20")];
        in_time([&known, more].concat(), "2026-04-30")
    };
    let left = |more: &[Value]| {
        let local = fed(&uploads(more), &options(HORIZON));
        (published(&local, Topic::Deadletter), local.tally(), published(&local, Topic::Decisions).len())
    };
    let (letters, tally, decisions) = left(&[]);
    assert_eq!((letters.len(), tally.merged_as(UploadOutcome::Accepted), decisions), (0, 2, 1));
    // Another day does not open it again.
    let another_day = settled("S1", "2026-04-10", "2026-04-09", CODE);
    for late in [corrected("2026-04-10"), reversed("S1", "2026-04-10"), another_day] {
        let (letters, tally, decisions) = left(&[late]);
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(
            (&letters[0]["reason"], &letters[0]["document_id"]),
            (&json!("time_out_of_range"), &json!("S1"))
        );
        assert!(letters[0]["sentence"].as_str().unwrap().contains("store.horizon_days"), "{letters:?}");
        assert_eq!((tally.merged_as(UploadOutcome::TooLate), tally.in_flight(), decisions), (1, 0, 1));
    }
}

#[test]
fn a_code_is_remembered_as_long_after_what_was_received_late_as_after_any() {
    let late = in_time(vec![settled("S1", "2026-03-30", "2026-01-02", CODE)], "2026-04-20");
    assert_eq!(known(&late, HORIZON, CODE), 1);
}

#[test]
fn a_document_that_begins_anew_goes_on_where_its_claim_is_remembered() {
    let anew = |day: &str| {
        let mut again = settled("S1", day, day, CODE);
        again["lines"][0]["trace_codes"] = json!([]);
        let first = settled("S1", "2026-01-02", "2026-01-02", CODE);
        let uploads = vec![first, settled("O1", day, day, OTHER), again];
        let decisions = published(&fed(&in_time(uploads, day), &options(HORIZON)), Topic::Decisions);
        let of_s1 = decisions.iter().filter(|decision| decision["claim"]["document_id"] == "S1");
        of_s1
            .map(|decision| format!("{} {}", decision["revision"], decision["verdict"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    // By the clock of the uploads no time comes to claims, so they are always remembered.
    assert_eq!(anew("2026-03-20"), ["1 pay", "2 hold"]);
    assert_eq!(anew("2026-04-20"), ["1 pay", "2 hold"], "the document was forgotten");
}
