//! What a sender is told of a refusal: why and what to do, in both languages, and whose it is wherever that can be read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tracewarden::domain::document::Group;
use tracewarden::wire::inbound::intake::Decoded;
use tracewarden::wire::inbound::reject::{Reject, RejectReason};
use tracewarden::wire::inbound::route::Inlet;

use crate::canonical::{decode_as, settlement, with};

const INSTITUTION: &str = "P37020304446";

fn refused(payload: &str) -> Reject {
    refused_on(None, payload)
}

fn refused_on(inlet: Option<Inlet>, payload: &str) -> Reject {
    match decode_as(inlet, None, payload.as_bytes()) {
        Decoded::Rejected(mut rejects) if rejects.len() == 1 => rejects.remove(0),
        other => panic!("one refusal expected of {payload}, found {other:?}"),
    }
}

/// A message of the interface.
fn message(infno: &str, input: &Value) -> String {
    json!({"infno": infno, "msgid": "M1", "fixmedins_code": INSTITUTION, "inf_time": "2026-01-05 09:31:02",
        "input": input})
    .to_string()
}

/// The settlement with one node replaced.
fn damaged(pointer: &str, value: Value) -> String {
    with(settlement(), pointer, value).to_string()
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

#[test]
fn every_reason_is_told_in_both_languages_with_what_to_do() {
    let partial = json!({"document_id": "D", "kind": "settlement", "institution_id": INSTITUTION, "partial": true,
        "issued_at": "2026-01-05T09:31:02+08:00", "lines": [{"line_id": "1"}]});
    let cancelled = json!({"data": {"omsgid": "M0", "oinfno": "2208"}});
    let letters = [
        refused(""),
        refused("[]"),
        refused("{"),
        refused(r#"{"specversion":"1.0","data":"x"}"#),
        refused(&damaged("/issued_at", json!(null))),
        refused(&damaged("/lines", json!([]))),
        refused(&partial.to_string()),
        refused(&message("3505", &json!(null))),
        refused(&damaged("/lines/0/quantity", json!("two"))),
        refused(&damaged("/institution_id", json!("P1"))),
        refused(&damaged("/lines/0/trace_codes", json!("x"))),
        refused_on(Some(Inlet::Documents(Group::Procurement)), &settlement().to_string()),
        refused(&damaged("/visit_id", json!("x".repeat(65)))),
        refused(&"x".repeat((1 << 20) + 1)),
        refused(&damaged("/occurred_at", json!("2014-12-31T23:59:59+08:00"))),
        refused(&damaged("/issued_at", json!("2026-01-04T09:30:59+08:00"))),
        refused(&message("8888", &json!({}))),
        refused(r#"{"schema":{},"payload":{"infno":"3505"}}"#),
        refused(&message("2601", &cancelled)),
    ];
    let mut reasons = BTreeSet::new();
    for Reject { reason, text, .. } in &letters {
        let (zh, en) = (&*text.zh, &*text.en);
        assert!(zh.ends_with('。') && zh.chars().any(is_chinese), "{reason:?} in Chinese: {zh}");
        assert!(en.ends_with('.') && !en.chars().any(is_chinese), "{reason:?} in English: {en}");
        let says_what_to_do = |text: &str, marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        assert!(says_what_to_do(zh, &["请", "应为"]), "{reason:?} says not what to do: {zh}");
        assert!(says_what_to_do(en, &[";", ":", "must be"]), "{reason:?} says not what to do: {en}");
        reasons.insert(*reason);
    }
    assert_eq!(reasons, RejectReason::ALL.iter().copied().collect(), "a reason without a letter");
}

#[test]
fn the_institution_is_named_wherever_it_can_be_read() {
    let inside = message("3505", &json!({"selinfo": {}}));
    let as_json: Value = serde_json::from_str(&inside).expect("a message");
    for payload in [
        message("8888", &json!({})),
        message("", &json!({})),
        message("3505", &json!(null)),
        message("3505", &json!({"selinfo": {"fixmedins_bchno": "1", "drugtracinfo": true}})),
        damaged("/document_id", json!(5)),
        damaged("/kind", json!(null)),
        // Wrappers, of which nothing else is read.
        json!([settlement(), settlement()]).to_string(),
        json!(inside).to_string(),
        json!({"before": null, "after": as_json, "op": "c"}).to_string(),
        json!({"schema": {}, "payload": {"before": null, "after": as_json, "op": "c"}}).to_string(),
        json!({"FixmedinsCode": INSTITUTION, "encType": "SM4", "encData": "AB"}).to_string(),
        json!({"body": as_json}).to_string(),
        json!({"message": settlement().to_string()}).to_string(),
        json!({"specversion": "1.0", "data": {"specversion": "1.0", "data": settlement()}}).to_string(),
        json!({"specversion": "1.0", "data": inside}).to_string(),
    ] {
        let reject = refused(&payload);
        assert_eq!(reject.institution_id.as_deref(), Some(INSTITUTION), "{reject} of {payload}");
    }
}

#[test]
fn of_several_institutions_inside_a_wrapper_the_outermost_is_named_or_none() {
    let of = |institution: &str| with(settlement(), "/institution_id", json!(institution));
    let frame = |outside: &str| json!({"fixmedins_code": outside, "body": of("H37020300021")}).to_string();
    let named = |payload: &str| refused(payload).institution_id.map(|id| id.to_string());
    assert_eq!(named(&frame(INSTITUTION)).as_deref(), Some(INSTITUTION));
    assert_eq!(named(&frame("-")).as_deref(), Some("H37020300021"), "what is none hides nothing");
    assert_eq!(named(&json!([of(INSTITUTION), of("H37020300021")]).to_string()), None);
    assert_eq!(named(&json!([of("370202198001011234")]).to_string()), None, "nobody's number is repeated");
}
