//! What the wall clock does: a backlog holds it back, a claim's deadline runs by it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tracewarden::domain::time::Timestamp;

use crate::support::installation::Installation;
use crate::support::watcher::Watcher;

const HOUR: i64 = 3_600_000;
const PHARMACY: &str = "P37020300001";
const PRODUCT: &str = "XR05CBA198A001010100863";

fn now_millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn moment(millis: i64) -> String {
    Timestamp::from_unix_millis(millis).to_string()
}

/// A pharmacy that uploads what it dispenses, and one product.
fn reference() -> [Value; 2] {
    [
        json!({"type": "institution", "institution_id": PHARMACY, "name": "甲药店", "region": "370203",
               "dispensing_uploaded_since": "2020-01-01"}),
        json!({"type": "product", "prefix": "8177322", "product_code": PRODUCT, "packs_per_code": 1}),
    ]
}

fn code(number: usize) -> String {
    format!("8177322{number:013}")
}

/// One pack, dispensed or settled; issued when it occurred.
fn document(kind: &str, number: usize, millis: i64) -> String {
    json!({
        "document_id": format!("{kind}-{number}"), "kind": kind, "institution_id": PHARMACY,
        "issued_at": moment(millis), "occurred_at": moment(millis), "settlement_id": format!("S{number}"),
        "person_id": format!("person-{number}"),
        "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "1", "amount": "10.00",
                   "fund_amount": "7.00", "trace_codes": [code(number)]}],
    })
    .to_string()
}

/// Days of uploads wait when the service starts. Read one after the other, every settlement is older than the grace
/// long before its dispensing comes; only what never comes may be said to be missing.
#[test]
fn a_backlog_fires_no_grace_early() {
    needs_kafka!();
    let installation = Installation::new("backlog")
        .with("STAGE_BATCH_RECORDS_MAX", "10")
        .with("STAGE_TICK_CLAIMS_MS", "10")
        .with("STAGE_TICK_OBSERVATIONS_MS", "10");
    installation.load_reference(&reference());
    let now = now_millis();
    let publisher = installation.publisher();
    let send = |upload: &str, partition: usize, millis: i64| {
        publisher.publish_stamped(&installation.upload(upload, partition), Some(millis)).unwrap();
    };
    let missing = 0;
    let late = [1, 2];
    for number in [missing].iter().chain(&late) {
        let settled = now - 100 * HOUR;
        send(&document("settlement", *number, settled), number % 2, settled);
    }
    // The dispensings came 47 hours later, behind all that others sent meanwhile.
    for number in 1_000..2_000 {
        let sold = now - 100 * HOUR + i64::try_from(number - 1_000).unwrap() * HOUR / 25;
        send(&document("dispense", number, sold), number % 2, sold);
    }
    for number in late {
        let sold = now - 100 * HOUR;
        send(&document("dispense", number, sold), number % 2, now - 53 * HOUR);
    }
    publisher.flush().unwrap();

    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &[]);
    let not_dispensed = |watcher: &Watcher| -> Vec<Value> {
        watcher.alerts.iter().filter(|alert| alert["rule"] == "settled_not_dispensed").cloned().collect()
    };
    watcher.read_until("what never came is missed", |watcher| !not_dispensed(watcher).is_empty());
    service.stop();
    watcher.read_everything();
    let said = not_dispensed(&watcher);
    assert!(said.iter().all(|alert| alert["code"] == *code(missing)), "said too early: {said:#?}");
    watcher.assert_gapless();
}

/// While the monitor does not run, a claim's provisional decision comes at its deadline; the final one follows when
/// the monitor is there again.
#[test]
fn a_claim_without_verdicts_is_decided_provisionally_and_then_for_good() {
    needs_kafka!();
    let installation = Installation::new("deadline");
    installation.load_reference(&reference());
    let mut watcher = Watcher::new(&installation);
    let without_monitor = ["--stage", "intake", "--stage", "register", "--stage", "adjudicate"];
    let rest = installation.run(0, &without_monitor);
    // What the deadline is measured with must run first.
    watcher.read_until("time passes", |watcher| watcher.has_time());
    let publisher = installation.publisher();
    publisher.publish(&installation.upload(&document("settlement", 1, now_millis()), 0)).unwrap();
    publisher.flush().unwrap();
    watcher.read_until("a decision at the deadline", |watcher| !watcher.decisions.is_empty());
    let provisional = &watcher.decisions[0];
    assert_eq!(
        [
            &provisional["provisional"],
            &provisional["verdict"],
            &provisional["payable"],
            &provisional["revision"]
        ],
        [&json!(true), &json!("hold"), &json!("0.00"), &json!(1)],
        "{provisional}"
    );
    let seconds = |name: &str| {
        let text = provisional[name].as_str().unwrap_or_else(|| panic!("no {name} in {provisional}"));
        tracewarden::wire::inbound::moment::rfc3339(text).unwrap().unix_millis()
    };
    let waited =
        Duration::from_millis(u64::try_from(seconds("decided_at") - seconds("received_at")).unwrap());
    assert!(waited >= Duration::from_millis(1_500), "decided after {waited:?}, before the deadline");

    let monitor = installation.run(1, &["--stage", "monitor"]);
    watcher.read_until("the final decision", |watcher| watcher.decisions.len() >= 2);
    let last = &watcher.decisions[1];
    assert_eq!(
        [&last["provisional"], &last["verdict"], &last["payable"], &last["revision"]],
        [&json!(false), &json!("pay"), &json!("7.00"), &json!(2)],
        "{last}"
    );
    rest.stop();
    monitor.stop();
    watcher.read_everything();
    assert_eq!(watcher.decisions.len(), 2, "{:#?}", watcher.decisions);
}

/// With everything running, claims are decided at once and once.
#[test]
fn claims_are_decided_for_good_at_once() {
    needs_kafka!();
    let installation = Installation::new("decided");
    installation.load_reference(&reference());
    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &[]);
    watcher.read_until("time passes", |watcher| watcher.has_time());
    let publisher = installation.publisher();
    let now = now_millis();
    for (number, kind) in [(1, "dispense"), (1, "settlement"), (2, "settlement")] {
        publisher.publish(&installation.upload(&document(kind, number, now), number)).unwrap();
    }
    // The pack of the first claim once more, somewhere else in the files: refused.
    let again =
        document("settlement", 1, now + 1).replace("settlement-1", "settlement-3").replace("S1", "S3");
    publisher.publish(&installation.upload(&again, 0)).unwrap();
    publisher.publish(&installation.upload("no upload", 0)).unwrap();
    publisher.flush().unwrap();
    watcher.read_until("all is decided", |watcher| {
        watcher.decisions.iter().filter(|decision| decision["provisional"] == false).count() >= 3
            && watcher.alerts.iter().any(|alert| alert["rule"] == "duplicate_settlement")
            && !watcher.dead_letters.is_empty()
    });
    service.stop();
    watcher.read_everything();
    watcher.assert_gapless();
    let decided = |id: &str| {
        let of_claim = |decision: &&Value| decision["claim"]["document_id"] == id;
        watcher.decisions.iter().rfind(of_claim).map(|decision| decision["verdict"].clone())
    };
    assert_eq!(decided("settlement-1"), Some(json!("pay")));
    assert_eq!(decided("settlement-2"), Some(json!("pay")));
    assert_eq!(decided("settlement-3"), Some(json!("refuse")));
    assert_eq!(watcher.dead_letters.len(), 1);
    assert_eq!(watcher.dead_letters[0]["reason"], "unparseable");
}
