//! With `store.horizon_days`, what nothing new was heard of is forgotten as a whole, and uploads about moments before
//! the horizon are refused: so nothing is judged by half of its past.

use serde_json::{Value, json};
use tracewarden::stage::topology::Topic;

use crate::oracle::World;
use crate::{fed, options};

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

fn open_rules(story: &World, config: &str) -> Vec<String> {
    let local = fed(story, &options(config));
    let alerts = local.records(Topic::Alerts).unwrap();
    let about = alerts.iter().map(|record| {
        let alert: Value = serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap();
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
    let letters: Vec<Value> = local
        .records(Topic::Deadletter)
        .unwrap()
        .iter()
        .map(|record| serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap())
        .collect();
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
        let mut local = fed(&again, &options);
        assert_eq!(local.code_state(CODE).unwrap().observations.len(), 1, "{batch_records_max}");
    }
}
