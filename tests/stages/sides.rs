//! What stands on the sides of an alert beside the facts that the rules go by: who and what stood around the line, and
//! when the alert was raised.

use serde_json::{Value, json};

use crate::support::local::{finish, options, start};
use oracle::World;

const CODE: &str = "81773220000000016835";

fn settled(document_id: &str, hour: u32) -> Value {
    json!({
        "document_id": document_id,
        "kind": "settlement",
        "institution_id": "P37020300001",
        "issued_at": format!("2026-01-05T{hour:02}:00:00+08:00"),
        "occurred_at": format!("2026-01-05T{hour:02}:00:00+08:00"),
        "device_id": format!("D{hour}"),
        "operator_kind": "2",
        "insured_region": "370203",
        "medical_type": "pharmacy",
        "lines": [{
            "line_id": "1", "quantity": "1", "amount": "20.00", "trace_codes": [CODE],
            "rx_id": "R1", "department_id": "A02", "prescriber_id": "D370200000001", "pharmacist_id": "370202198001011234",
        }],
    })
}

fn institution() -> Value {
    json!({
        "type": "institution", "institution_id": "P37020300001", "contract_from": "2025-07-01",
        "successor_of": "P37020300009",
    })
}

/// The open alert of the rule after these uploads, whole.
fn alert(uploads: &[Value], rule: &str) -> Value {
    let mut local = start(&[institution()], &options(""));
    crate::support::local::feed(&mut local, &uploads.iter().map(World::text).collect::<Vec<_>>());
    let ended = finish(local, None);
    assert_eq!(ended.faults(), "");
    ended.open_alerts.into_iter().find(|alert| alert["rule"] == rule).expect("the alert is raised")
}

#[test]
fn a_side_says_who_and_what_stood_around_its_line() {
    let alert = alert(&[settled("S1", 9), settled("S2", 10)], "duplicate_settlement");
    for (side, device) in [(&alert["subject"], "D10"), (&alert["counterpart"], "D9")] {
        assert_eq!(side["device_id"], device);
        assert_eq!(side["operator_kind"], "2");
        assert_eq!(side["insured_region"], "370203");
        assert_eq!(side["medical_type"], "pharmacy");
        assert_eq!(side["department_id"], "A02");
        assert_eq!(side["rx_id"], "R1");
        assert_eq!(side["contract_from"], "2025-07-01");
        assert_eq!(side["successor_of"], "P37020300009");
        assert_eq!(side["prescriber_id"], "D370200000001");
        let pharmacist = side["pharmacist_id"].as_str().expect("it is said");
        assert!(
            !pharmacist.contains("370202198001011234"),
            "an identity card, only as a pseudonym: {pharmacist}"
        );
        assert!(pharmacist.contains(':'), "{pharmacist}");
    }
}

#[test]
fn what_the_sender_does_not_say_is_null() {
    let mut bare = settled("S2", 10);
    for field in ["device_id", "operator_kind", "insured_region", "medical_type"] {
        bare.as_object_mut().expect("an object").remove(field);
    }
    let alert = alert(&[settled("S1", 9), bare], "duplicate_settlement");
    assert_eq!(alert["subject"]["device_id"], Value::Null);
    assert_eq!(alert["subject"]["rx_id"], "R1");
    assert_eq!(alert["party"], Value::Null);
}

#[test]
fn an_amended_alert_still_says_when_it_was_raised() {
    let mut corrected = settled("S2", 10);
    corrected["issued_at"] = json!("2026-01-05T12:00:00+08:00");
    corrected["device_id"] = json!("D99");
    let alert = alert(&[settled("S1", 9), settled("S2", 10), corrected], "duplicate_settlement");
    assert_eq!(alert["subject"]["device_id"], "D99");
    assert_eq!((&alert["status"], &alert["revision"]), (&json!("amended"), &json!(2)));
    assert!(alert["raised_at"].as_str() < alert["detected_at"].as_str(), "{alert}");
}
