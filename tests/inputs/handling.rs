//! Rulings and payments: both forms, what is refused of them, and the topic of their own.

use prost::Message;
use serde_json::{Value, json};
use tracewarden::domain::claim::Verdict;
use tracewarden::domain::document::{Group, Upload};
use tracewarden::domain::handling::{Act, Handling};
use tracewarden::wire::inbound::canonical::json as canonical_json;
use tracewarden::wire::inbound::intake::Decoded;
use tracewarden::wire::inbound::reject::RejectReason;
use tracewarden::wire::inbound::route::Inlet;

use crate::canonical::*;

fn ruling() -> Value {
    json!({"kind":"ruling","institution_id":"P37020304446","document_id":"20260105-000123","line_id":"1",
        "verdict":"pay","rules":["duplicate_settlement","growth","growth"],"issued_at":"2026-01-20T15:02:11+08:00",
        "ruled_by":"青岛市医保局","basis":"稽核 2026-17"})
}

fn payment() -> Value {
    json!({"kind":"payment","institution_id":"P37020304446","document_id":"20260105-000123",
        "payment_id":"B202601-17","amount":"24.92","paid_on":"2026-02-20","issued_at":"2026-02-20T18:00:00+08:00"})
}

fn handling_of(upload: Upload) -> Handling {
    let Upload::Handling(handling) = upload else { panic!("a ruling or payment expected, found {upload:?}") };
    *handling
}

#[test]
fn rulings_and_payments_say_the_same_in_both_forms() {
    for json in [
        ruling(),
        payment(),
        with(payment(), "/recovered", json!(true)),
        with(ruling(), "/line_id", json!(null)),
    ] {
        let read = handling_of(only_upload(decode_json(&json)));
        let message = canonical_json::message(&json.to_string()).expect("a message");
        let protobuf = only_upload(decode_as(Some(Inlet::Handling), None, &message.encode_to_vec()));
        assert_eq!(handling_of(protobuf), read);
        assert_eq!(Value::Object(crate::canonical_json::to_object(&message))["kind"], json["kind"]);
        assert_eq!(read.claim.group, Group::Settlement);
    }
    let Act::Ruling { line_id, ruling } = handling_of(only_upload(decode_json(&ruling()))).act else {
        panic!("a ruling")
    };
    assert_eq!((line_id.as_deref(), ruling.verdict, ruling.rules.len()), (Some("1"), Some(Verdict::Pay), 2));
    let Act::Payment { payment, .. } = handling_of(only_upload(decode_json(&payment()))).act else {
        panic!("a payment")
    };
    assert_eq!((payment.amount.fen(), payment.recovered, payment.withdrawn), (2492, false, false));
}

#[test]
fn a_ruling_that_says_nothing_certain_is_refused() {
    let malformed = |field: &str| (RejectReason::MalformedField, Some(field.to_owned()));
    let missing = |field: &str| (RejectReason::MissingField, Some(field.to_owned()));
    for (json, expected) in [
        (with(ruling(), "/verdict", json!("paid")), malformed("verdict")),
        (with(ruling(), "/verdict", json!("")), missing("verdict")),
        (with(ruling(), "/rules", json!([])), malformed("rules")),
        (with(ruling(), "/rules", json!(["over_limit"])), malformed("rules")),
        (with(ruling(), "/rules", json!([""])), malformed("rules")),
        (with(ruling(), "/rules", json!("no_code")), malformed("rules")),
        (with(ruling(), "/line_id", json!("")), malformed("line_id")),
        (with(ruling(), "/ruled_by", json!(null)), missing("ruled_by")),
        (with(ruling(), "/basis", json!("")), missing("basis")),
        (with(ruling(), "/document_id", json!("")), missing("document_id")),
        (with(payment(), "/payment_id", json!(null)), missing("payment_id")),
        (with(payment(), "/amount", json!("")), missing("amount")),
        (with(payment(), "/amount", json!("-1")), malformed("amount")),
        (with(payment(), "/paid_on", json!("2026-02-30")), malformed("paid_on")),
        (with(payment(), "/recovered", json!("yes")), malformed("recovered")),
    ] {
        assert_eq!(refusal(decode_json(&json)), expected, "{json}");
    }
    let withdrawn = with(with(ruling(), "/verdict", json!("none")), "/rules", json!(["made_up"]));
    let Act::Ruling { ruling, .. } = handling_of(only_upload(decode_json(&withdrawn))).act else {
        panic!("a ruling")
    };
    assert!(ruling.verdict.is_none() && ruling.rules.is_empty(), "the rules of `none` are not read");
}

#[test]
fn rulings_and_payments_belong_to_a_topic_of_their_own_which_takes_no_document() {
    for json in [ruling(), payment()] {
        let text = json.to_string();
        assert!(matches!(decode_as(Some(Inlet::Handling), None, text.as_bytes()), Decoded::Uploads { .. }));
        for group in Group::ALL {
            let refused = refusal(decode_as(Some(Inlet::Documents(group)), None, text.as_bytes()));
            assert_eq!(refused, (RejectReason::WrongTopic, Some("kind".to_owned())));
        }
    }
    let settlement = settlement().to_string();
    let refused = refusal(decode_as(Some(Inlet::Handling), None, settlement.as_bytes()));
    assert_eq!(refused.0, RejectReason::WrongTopic);
}
