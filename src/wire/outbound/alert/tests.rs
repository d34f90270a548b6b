//! The form of alerts is a contract.
#![allow(clippy::unwrap_used)]

use prost::Message as _;

use super::*;
use crate::domain::alert::Status;
use crate::domain::samples;

const GOLDEN: &str = include_str!("golden.json");

#[test]
fn the_json_form_is_the_one_agreed() {
    let found = encode(&samples::resold(), Format::Json);
    let found: AlertMessage = parse(&found.payload).unwrap();
    let pretty = serde_json::to_string_pretty(&found).unwrap();
    assert_eq!(pretty, GOLDEN.trim_end());
}

#[test]
fn both_formats_say_the_same() {
    let change = samples::resold();
    let json = parse(&encode(&change, Format::Json).payload).unwrap();
    let protobuf = AlertMessage::decode(encode(&change, Format::Protobuf).payload.as_slice()).unwrap();
    assert_eq!(json, protobuf);
    assert_eq!(json, message(&change));
}

#[test]
fn any_format_has_a_json_form() {
    let change = samples::resold();
    let [json, protobuf] = Format::ALL.map(|format| {
        let payload = encode(&change, format).payload;
        to_json(&payload, Some(format.content_type().as_bytes())).unwrap()
    });
    assert_eq!(json, protobuf);
    assert_eq!(to_json(&json, None).unwrap(), json);
    let problem = to_json(b"{}", Some(b"application/protobuf")).unwrap_err().to_string();
    assert!(problem.contains("alert"), "{problem}");
}

#[test]
fn the_envelope_says_what_it_is() {
    let change = samples::resold();
    let id = alert_id(&change.finding, change.code.as_deref());
    let record = encode(&change, Format::Json);
    assert_eq!(record.key, id.as_bytes());
    let headers: Vec<(String, String)> =
        record.headers.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        headers,
        [
            header("ce_specversion", "1.0"),
            header("ce_id", &format!("{id}/1")),
            header("ce_source", "/tracewarden/alerts"),
            header("ce_type", "tracewarden.alert.raised"),
            header("ce_time", "2026-01-07T10:00:01+08:00"),
            header("ce_subject", "81773220000000016835"),
            header("content-type", "application/json"),
        ]
    );
}

#[test]
fn an_alert_keeps_its_identity_whatever_else_it_says() {
    let change = samples::resold();
    let id = |change: &AlertChange| alert_id(&change.finding, change.code.as_deref());
    let mut amended = change.clone();
    amended.status = Status::Amended;
    amended.finding.counterpart = None;
    amended.finding.subject.custody = true;
    assert_eq!(id(&amended), id(&change));

    let mut other_line = change.clone();
    other_line.finding.subject.key.line_id = "2".into();
    let mut other_code = change.clone();
    other_code.code = Some("81773220000000016836".into());
    // Without lengths, moving a character from one text to the next would give the same bytes.
    let mut shifted = change.clone();
    shifted.finding.subject.key.document.document_id = "S21".into();
    shifted.finding.subject.key.line_id = "".into();
    for other in [other_line, other_code, shifted] {
        assert_ne!(id(&other), id(&change));
    }
}

#[test]
fn what_is_no_alert_is_an_error_that_says_where() {
    let error = parse(br#"{"alert_id":"a"}"#).unwrap_err();
    assert!(error.to_string().starts_with("this is no alert: missing field"), "{error}");
}
