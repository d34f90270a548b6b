//! Messages of the national interface, clean and dirty, and the documents that they become.
//!
//! Each folder of `tests/nhsa` holds `uploads.ndjson`, one message a line, and `expected-documents.ndjson`, what
//! becomes of each line in a form made for reading. `UPDATE_EXPECTED=1 cargo test --test inputs nhsa` writes the latter
//! anew; review the difference before keeping it. `tests/stages/national` takes the same folders through all stages.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tracewarden::domain::document::particulars::{Circumstances, Prescription};
use tracewarden::domain::document::{
    CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, LineVersion, Origin, Parts, Upload,
    Version,
};
use tracewarden::domain::outcome::IgnoredBecause;
use tracewarden::domain::time::Timestamp;
use tracewarden::domain::trace_code::Scan;
use tracewarden::wire::inbound::intake::{Decoded, DecodedUpload, Input};
use tracewarden::wire::inbound::reject::{Reject, RejectReason};
use tracewarden::wire::inbound::route::Inlet;

/// The timestamp of every record, 2026-01-10T12:00:00+08:00; the messages of a course, which goes on for weeks, have none.
const RECORD_TIMESTAMP: Timestamp = Timestamp::from_unix_millis(1_768_017_600_000);

fn decode_text(payload: &str) -> Decoded {
    decode_on(None, Some(RECORD_TIMESTAMP), payload)
}

fn decode_on(inlet: Option<Inlet>, record_timestamp: Option<Timestamp>, payload: &str) -> Decoded {
    let origin = Origin { topic: "test".into(), partition: 0, offset: 0, received_at: RECORD_TIMESTAMP };
    let input =
        Input { inlet, content_type: None, payload: payload.as_bytes(), origin: &origin, record_timestamp };
    crate::take_in(&input)
}

#[test]
fn messages_become_the_documents_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut folders = 0;
    for entry in fs::read_dir("tests/nhsa").expect("the samples") {
        let folder = entry.expect("a sample").path();
        let begins = |start| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start));
        // What senders really write is looked at by what the stages make of it: see `tests/stages/national/field.rs`.
        if begins("field-") {
            continue;
        }
        let uploads = fs::read_to_string(folder.join("uploads.ndjson")).expect("uploads");
        let is_course = begins("course-");
        let record_timestamp = (!is_course).then_some(RECORD_TIMESTAMP);
        let found = uploads.lines().fold(String::new(), |mut found, line| {
            writeln!(found, "{}", dump(&decode_on(None, record_timestamp, line))).expect("text grows");
            found
        });
        check(&folder.join("expected-documents.ndjson"), &found, update);
        folders += 1;
    }
    assert!(folders >= 10, "only {folders} folders of samples");
}

#[test]
fn a_document_belongs_to_its_topic_and_a_reversal_to_any() {
    let mut wrong = 0;
    for message in SAMPLES.iter() {
        let text = message.to_string();
        let Decoded::Uploads { uploads, .. } = decode_text(&text) else { continue };
        for group in Group::ALL {
            let states_of_other_group = uploads.iter().any(|decoded| match &decoded.upload {
                Upload::Version(version) => version.key.group != group,
                Upload::Reversal(_) => false,
                Upload::Handling(_) => panic!("no message is one"),
            });
            let refused = match decode_on(Some(Inlet::Documents(group)), Some(RECORD_TIMESTAMP), &text) {
                Decoded::Uploads { refused, .. } | Decoded::Rejected(refused) => refused,
                other => panic!("neither used nor refused: {other:?}"),
            };
            let of_topic = refused.iter().any(|reject| reject.reason == RejectReason::WrongTopic);
            assert_eq!(of_topic, states_of_other_group, "{text}");
            wrong += usize::from(of_topic);
        }
    }
    assert!(wrong > 50, "only {wrong} on wrong topics");
}

#[test]
fn a_refusal_repeats_nothing_of_a_person() {
    let (number, certificate) = ("37020000000000012345", "370202198001011234");
    for message in SAMPLES.iter() {
        let mut found = Vec::new();
        pointers(message, "", &mut found);
        for pointer in &found {
            let mut damaged = message.clone();
            if let Some(node) = damaged.pointer_mut(pointer) {
                *node = json!([[number]]);
            }
            if let Decoded::Rejected(refused) | Decoded::Uploads { refused, .. } =
                decode_text(&damaged.to_string())
            {
                let shown = format!("{refused:?}");
                assert!(!shown.contains(number) && !shown.contains(certificate), "{shown}");
            }
        }
    }
}

fn check(path: &Path, found: &str, update: bool) {
    if update {
        fs::write(path, found).expect("the expected documents are written");
        return;
    }
    let expected = fs::read_to_string(path).expect("the expected documents");
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{} line {}", path.display(), number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{}", path.display());
}

/// What became of one message, on one line.
fn dump(decoded: &Decoded) -> Value {
    match decoded {
        Decoded::Uploads { uploads, refused, .. } => {
            let mut object = Map::new();
            object.insert("documents".into(), uploads.iter().map(document).collect());
            if !refused.is_empty() {
                object.insert("refused".into(), refused.iter().map(refusal).collect());
            }
            Value::Object(object)
        }
        Decoded::Ignored { message, because, .. } => json!({"ignored": message, "because": match because {
            IgnoredBecause::RefusedByPlatform => "refused by the platform",
            IgnoredBecause::NoFact => "no fact",
            IgnoredBecause::Control => panic!("no message is a control record"),
        }}),
        Decoded::Tick { at } => json!({"tick": at.to_string()}),
        Decoded::Rejected(refused) => json!({"refused": refused.iter().map(refusal).collect::<Vec<_>>()}),
    }
}

fn refusal(reject: &Reject) -> Value {
    json!({"reason": reject.reason.name(), "field": reject.field, "document_id": reject.document_id.as_deref()})
}

fn document(decoded: &DecodedUpload) -> Value {
    let mut value = match &decoded.upload {
        Upload::Version(version) => version_value(version),
        Upload::Reversal(reversal) => json!({
            "reverses": key(&reversal.target),
            "line_id": reversal.line_id.as_deref(),
            "parts": parts(reversal.parts),
            "issued_at": reversal.issued_at.to_string(),
        }),
        Upload::Handling(_) => panic!("no message is one"),
    };
    if !decoded.aliases.is_empty() {
        value["aliases"] = decoded.aliases.iter().map(key).collect();
    }
    prune(&mut value);
    value
}

fn key(key: &DocumentKey) -> Value {
    json!(format!("{} {} {}", key.institution_id, key.group.name(), key.document_id))
}

fn parts(parts: Parts) -> String {
    let named = [(parts.header, "header"), (parts.fee, "fee"), (parts.codes, "codes")];
    named.into_iter().filter(|(taken, _)| *taken).map(|(_, name)| name).collect::<Vec<_>>().join("+")
}

fn version_value(version: &Version) -> Value {
    json!({
        "document": key(&version.key),
        "issued_at": version.issued_at.to_string(),
        "partial": (!version.full).then_some(true),
        "header": version.header.as_ref().map(|part| header(&part.content)),
        "lines": version.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn header(header: &Header) -> Value {
    let Counterparty { name, license, delivery_note, invoice } = &header.counterparty;
    json!({
        "kind": header.kind.name(),
        "occurred_at": header.occurred_at.to_string(),
        "person_id": header.person.number.map(|_| "pseudonym"),
        "person_cert": header.person.certificate.map(|_| "pseudonym"),
        "visit_id": header.visit_id.as_deref(),
        "settlement_id": header.settlement_id.as_deref(),
        "operator_id": header.operator_id.as_deref(),
        "fund_amount": header.fund_amount.map(|money| money.to_string()),
        "counterparty": {"name": name.as_deref(), "license": license.as_deref(),
            "delivery_note": delivery_note.as_deref(), "invoice": invoice.as_deref()},
        "circumstances": circumstances(&header.circumstances),
    })
}

fn circumstances(said: &Circumstances) -> Value {
    json!({
        "credential_type": said.credential_type.as_deref(),
        "device_id": said.device_id.as_deref(),
        "operator_kind": said.operator_kind.as_deref(),
        "insured_region": said.insured_region.as_deref(),
        "medical_type": said.medical_type.as_deref(),
        "account_amount": said.account_amount.map(|money| money.to_string()),
        "declared_codes": said.declared_codes,
        "declared_consumable_codes": said.declared_consumable_codes,
    })
}

fn prescription(said: &Prescription) -> Value {
    json!({
        "rx_id": said.rx_id.as_deref(),
        "rx_external": said.rx_external.then_some(true),
        "prescriber_id": said.prescriber_id.as_deref(),
        "pharmacist_id": said.pharmacist_id.as_deref(),
        "department_id": said.department_id.as_deref(),
        "days_supply": said.days_supply.map(|days| days.to_string()),
    })
}

fn line(line: &LineVersion) -> Value {
    json!({
        "line_id": &*line.line_id,
        "fee": line.fee.as_ref().map(|part| fee(&part.content)),
        "codes": line.codes.as_ref().map(|part| codes(&part.content)),
        "codes_split": line.codes.as_ref().is_some_and(|part| part.content.split).then_some(true),
    })
}

fn fee(fee: &FeeFacet) -> Value {
    json!({
        "product_code": fee.product_code.as_deref(),
        "product_name": fee.product_name.as_deref(),
        "quantity": fee.quantity.map(|quantity| quantity.to_string()),
        "split": fee.split.then_some(true),
        "amount": fee.amount.map(|money| money.to_string()),
        "fund_amount": fee.fund_amount.map(|money| money.to_string()),
        "lot": fee.lot.as_deref(),
        "expires_on": fee.expires_on.map(|day| day.to_string()),
        "adjusts": fee.adjusts.as_ref().map(|adjusts| adjusts.text().to_string()),
        "prescription": prescription(&fee.prescription),
    })
}

fn codes(codes: &CodesFacet) -> Value {
    let code = |scan: &Scan| match scan {
        Scan::Valid(code) => json!(&*code.normal),
        Scan::Invalid { text, reason } => json!(format!("invalid {}: {text}", reason.name())),
    };
    codes.scans.iter().map(|scanned| code(&scanned.scan)).collect()
}

/// Removes nulls, so that a dump shows only what is said; empty facets stay.
fn prune(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(prune);
            object.retain(|name, value| {
                let says_nothing = ["counterparty", "circumstances", "prescription"].contains(&name.as_str())
                    && value.as_object().is_some_and(Map::is_empty);
                !value.is_null() && !says_nothing
            });
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

/// Every message of the samples that is a JSON object.
static SAMPLES: LazyLock<Vec<Value>> = LazyLock::new(sample_messages);

fn sample_messages() -> Vec<Value> {
    let mut messages = Vec::new();
    for entry in fs::read_dir("tests/nhsa").expect("the samples") {
        let path = entry.expect("a sample").path().join("uploads.ndjson");
        let bytes = fs::read(path).expect("uploads");
        let text = String::from_utf8_lossy(&bytes);
        messages.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
    }
    messages
}

/// Pointers to every node of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => {
            object
                .iter()
                .for_each(|(name, inner)| pointers(inner, &format!("{at}/{}", escaped(name)), found));
        }
        Value::Array(list) => {
            let inner = list.iter().enumerate();
            inner.for_each(|(index, inner)| pointers(inner, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn assert_accounted(decoded: &Decoded) {
    match decoded {
        Decoded::Uploads { uploads, .. } => assert!(!uploads.is_empty()),
        Decoded::Rejected(refused) => assert!(!refused.is_empty()),
        Decoded::Ignored { message, .. } => assert!((4..=5).contains(&message.len())),
        Decoded::Tick { .. } => panic!("no sample is a tick"),
    }
}

/// A value that may take the place of any node.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!("无")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[{}]]])),
        Just(json!({"drug_trac_codg": {"drug_trac_codg": []}})),
        Just(json!(true)),
        Just(json!(-1.5e300)),
        Just(json!("{\"data\":[")),
        Just(json!("2026-01-0509:31:02")),
        ".{0,20}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_message_with_nodes_replaced_is_accounted_for(
        message in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_value()), 1..4),
    ) {
        let mut message = message.get(&SAMPLES[..]).clone();
        for (which, value) in changes {
            let mut found = Vec::new();
            pointers(&message, "", &mut found);
            if let Some(node) = message.pointer_mut(&found[which.index(found.len())]) {
                *node = value;
            }
        }
        assert_accounted(&decode_text(&message.to_string()));
    }

    #[test]
    fn a_message_with_a_node_moved_into_another_is_accounted_for(
        message in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        as_text in any::<bool>(),
    ) {
        let mut message = message.get(&SAMPLES[..]).clone();
        let mut found = Vec::new();
        pointers(&message, "", &mut found);
        let moved = message.pointer(&found[from.index(found.len())]).cloned().unwrap_or_default();
        if let Some(node) = message.pointer_mut(&found[to.index(found.len())]) {
            *node = if as_text { Value::String(moved.to_string()) } else { moved };
        }
        assert_accounted(&decode_text(&message.to_string()));
    }
}
