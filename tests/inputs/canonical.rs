//! The canonical form at the door: what is accepted, what is refused and why, and that both forms agree.

use std::fs;

use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};
use tracewarden::domain::document::{Group, Kind, Origin, Parts, Upload, Version};
use tracewarden::domain::reference::Book;
use tracewarden::domain::time::Timestamp;
use tracewarden::wire::inbound::canonical::json as canonical_json;
use tracewarden::wire::inbound::intake::{Decoded, Door, Input, Limits, take_in};
use tracewarden::wire::inbound::nhsa::medical::MedicalTypes;
use tracewarden::wire::inbound::pseudonym::Pseudonymiser;
use tracewarden::wire::inbound::reject::RejectReason;
use tracewarden::wire::inbound::route::Inlet;
use tracewarden::wire::pb;
use tracewarden::wire::pb::upload::line::TraceCode;
use tracewarden::wire::pb::upload::{Counterparty, Line, Returns};

fn origin() -> Origin {
    Origin {
        topic: "test".into(),
        partition: 0,
        offset: 7,
        received_at: Timestamp::from_unix_millis(1_767_600_000_000),
    }
}

pub(crate) fn decode_as(inlet: Option<Inlet>, content_type: Option<&[u8]>, payload: &[u8]) -> Decoded {
    let origin = origin();
    let input = Input { inlet, content_type, payload, origin: &origin, record_timestamp: None };
    crate::take_in(&input)
}

pub(crate) fn decode_json(json: &Value) -> Decoded {
    decode_as(None, None, json.to_string().as_bytes())
}

pub(crate) fn only_upload(decoded: Decoded) -> Upload {
    match decoded {
        Decoded::Uploads { mut uploads, refused, .. } if uploads.len() == 1 && refused.is_empty() => {
            uploads.remove(0).upload
        }
        other => panic!("one upload expected, found {other:?}"),
    }
}

fn version(json: &Value) -> Version {
    match only_upload(decode_json(json)) {
        Upload::Version(version) => *version,
        other => panic!("a version expected, found {other:?}"),
    }
}

/// Reason and field of a refusal.
pub(crate) fn refusal(decoded: Decoded) -> (RejectReason, Option<String>) {
    match decoded {
        Decoded::Rejected(mut rejects) if rejects.len() == 1 => {
            let reject = rejects.remove(0);
            (reject.reason, reject.field)
        }
        other => panic!("one refusal expected, found {other:?}"),
    }
}

pub(crate) fn settlement() -> Value {
    json!({"document_id":"20260105-000123","kind":"settlement","institution_id":"P37020304446",
        "issued_at":"2026-01-05T09:31:02+08:00","occurred_at":"2026-01-05T09:31:00+08:00","partial":false,
        "person_id":"37020219800101123","person_cert":"370202198001011234","visit_id":"V1","settlement_id":"S1",
        "operator_id":"HY370203000123","fund_amount":"24.92",
        "counterparty":{"name":"n","license":"l","delivery_note":"d","invoice":"i"},
        "lines":[{"line_id":"1","product_code":"XR05CBA198A001010100863","product_name":"p","quantity":"2",
            "split":false,"amount":"35.60","fund_amount":"24.92","lot":"A123","expires_on":"2027-05-01",
            "trace_codes":["81773220288616423835",{"code":"81773220288616423836","units":"1"}]}]})
}

fn reversal() -> Value {
    json!({"document_id":"R-7","kind":"reversal","institution_id":"P37020304446",
        "issued_at":"2026-01-06T10:00:00+08:00",
        "reverses":{"group":"settlement","document_id":"20260105-000123","line_id":"1"}})
}

/// The document with the value at the JSON pointer replaced; null removes nothing but means absent.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    match document.pointer_mut(pointer) {
        Some(target) => *target = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            document.pointer_mut(parent).expect("a parent")[name] = value;
        }
    }
    document
}

#[test]
fn a_full_upload_carries_the_header_and_both_facets_of_each_line() {
    let version = version(&settlement());
    assert!(version.full);
    let header = version.header.expect("a header").content;
    assert_eq!(header.kind, Kind::Settlement);
    assert_eq!(header.fund_amount.map(|money| money.fen()), Some(2492));
    assert!(header.person.number.is_some() && header.person.certificate.is_some());
    let line = &version.lines[0];
    let fee = &line.fee.as_ref().expect("a fee facet").content;
    assert_eq!(fee.quantity.map(|quantity| quantity.thousandths()), Some(2000));
    assert_eq!(fee.expires_on.map(|day| day.to_string()).as_deref(), Some("2027-05-01"));
    let codes = &line.codes.as_ref().expect("a codes facet").content;
    let texts: Vec<&str> = codes.scans.iter().map(|scanned| &**scanned.scan.text()).collect();
    assert_eq!(texts, ["81773220288616423835", "81773220288616423836"]);
}

#[test]
fn a_partial_upload_carries_what_it_says() {
    let partial = |line: Value| {
        json!({"document_id":"D","kind":"settlement","institution_id":"P37020304446","partial":true,
            "issued_at":"2026-01-05T09:31:02+08:00","lines":[line]})
    };
    for (line, fee, codes) in [
        (json!({"line_id":"1","quantity":"2"}), true, false),
        (json!({"line_id":"1","quantity":"","lot":null,"trace_codes":[]}), false, true),
        (json!({"line_id":"1","split":false}), true, false),
        (json!({"line_id":"1","split":false,"trace_codes":["81773220288616423835"]}), true, true),
    ] {
        let version = version(&partial(line.clone()));
        assert!(version.header.is_none() && !version.full);
        let found = &version.lines[0];
        assert_eq!((found.fee.is_some(), found.codes.is_some()), (fee, codes), "{line}");
    }
    let nothing = partial(json!({"line_id":"1","quantity":"","trace_codes":""}));
    assert_eq!(refusal(decode_json(&nothing)).0, RejectReason::MissingField);
    let headless = with(partial(json!({"line_id":"1","quantity":"2"})), "/visit_id", json!("V1"));
    assert_eq!(refusal(decode_json(&headless)), (RejectReason::MissingField, Some("occurred_at".to_owned())));
    let header_only = json!({"document_id":"D","kind":"settlement","institution_id":"P37020304446","partial":true,
        "issued_at":"2026-01-05T09:31:02+08:00","occurred_at":"2026-01-05T09:31:02+08:00"});
    assert!(version(&header_only).header.is_some());
}

#[test]
fn a_reversal_reads_only_what_makes_it_one() {
    let odd = with(with(reversal(), "/lines", json!(5)), "/occurred_at", json!("yesterday"));
    for json in [reversal(), odd] {
        let Upload::Reversal(found) = only_upload(decode_json(&json)) else { panic!("a reversal expected") };
        assert_eq!(&*found.target.document_id, "20260105-000123");
        assert_eq!(found.target.group, Group::Settlement);
        assert_eq!(found.line_id.as_deref(), Some("1"));
        assert_eq!(found.parts, Parts::ALL);
    }
}

#[test]
fn equal_codes_are_merged_and_their_units_add_up() {
    let codes = json!([
        {"code":"81773220288616423836","units":1.5}, " 81773220288616423835 ", "", "  ", null,
        {"code":"８1773220288616423836","units":"25e-1".parse::<serde_json::Number>().expect("a number")},
        "81773220288616423836", "12345678901"
    ]);
    let version = version(&with(settlement(), "/lines/0/trace_codes", codes));
    let codes = &version.lines[0].codes.as_ref().expect("a codes facet").content;
    let found: Vec<_> = codes
        .scans
        .iter()
        .map(|code| {
            (&**code.scan.text(), code.units.map(|units| units.thousandths()), code.scan.valid().is_some())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("12345678901", None, false),
            ("81773220288616423835", None, true),
            ("81773220288616423836", Some(4000), true)
        ]
    );
}

#[test]
fn every_fault_has_its_reason_and_field() {
    use RejectReason::{MalformedField, MissingField, OverLimit, TimeOutOfRange, Unparseable};
    let long = "x".repeat(65);
    let two_lines = json!([{"line_id":"1"},{"line_id":"1"}]);
    let many_lines: Value = (0..5001).map(|line| json!({"line_id": line.to_string()})).collect();
    let many_codes: Value = (0..20_001).map(|code| json!(code.to_string())).collect();
    for (pointer, value, reason, field) in [
        ("/document_id", json!(null), MissingField, "document_id"),
        ("/document_id", json!(""), MissingField, "document_id"),
        ("/document_id", json!(5), MalformedField, "document_id"),
        ("/document_id", json!(long), OverLimit, "document_id"),
        ("/kind", json!("sale"), MalformedField, "kind"),
        ("/kind", json!(null), MissingField, "kind"),
        ("/institution_id", json!("P3702030444"), MalformedField, "institution_id"),
        ("/institution_id", json!("p37020304446"), MalformedField, "institution_id"),
        ("/issued_at", json!(null), MissingField, "issued_at"),
        ("/issued_at", json!("2026-01-05T09:31:02"), MalformedField, "issued_at"),
        ("/issued_at", json!("2026-01-04T09:30:59.999+08:00"), TimeOutOfRange, "issued_at"),
        ("/issued_at", json!("2014-12-31T23:59:59+08:00"), TimeOutOfRange, "issued_at"),
        ("/occurred_at", json!(""), MissingField, "occurred_at"),
        ("/occurred_at", json!("2014-12-31T23:59:59+08:00"), TimeOutOfRange, "occurred_at"),
        ("/partial", json!("true"), MalformedField, "partial"),
        ("/fund_amount", json!("1.001"), MalformedField, "fund_amount"),
        ("/fund_amount", json!(-1), MalformedField, "fund_amount"),
        ("/counterparty", json!("x"), MalformedField, "counterparty"),
        ("/counterparty/name", json!(1), MalformedField, "counterparty.name"),
        ("/returns", json!({}), MissingField, "returns.document_id"),
        ("/lines", json!(null), MissingField, "lines"),
        ("/lines", json!([]), MissingField, "lines"),
        ("/lines", json!({}), MalformedField, "lines"),
        ("/lines", many_lines, OverLimit, "lines"),
        ("/lines", two_lines, MalformedField, "lines[1].line_id"),
        ("/lines/0", json!(null), MalformedField, "lines[0]"),
        ("/lines/0/line_id", json!(null), MissingField, "lines[0].line_id"),
        ("/lines/0/quantity", json!(0), MalformedField, "lines[0].quantity"),
        ("/lines/0/quantity", json!("1e3"), MalformedField, "lines[0].quantity"),
        ("/lines/0/quantity", json!(true), MalformedField, "lines[0].quantity"),
        ("/lines/0/expires_on", json!("2027-02-29"), MalformedField, "lines[0].expires_on"),
        ("/lines/0/trace_codes", json!("81773220288616423835"), MalformedField, "lines[0].trace_codes"),
        ("/lines/0/trace_codes", many_codes, OverLimit, "lines"),
        ("/lines/0/trace_codes/0", json!(5), MalformedField, "lines[0].trace_codes[0]"),
        ("/lines/0/trace_codes/1", json!({}), MissingField, "lines[0].trace_codes[1].code"),
        ("/lines/0/trace_codes/1/units", json!("0"), MalformedField, "lines[0].trace_codes[1].units"),
    ] {
        let document = with(settlement(), pointer, value);
        assert_eq!(refusal(decode_json(&document)), (reason, Some(field.to_owned())), "{pointer}");
    }
    for (pointer, value, reason, field) in [
        ("/reverses", json!(null), MissingField, "reverses"),
        ("/reverses/group", json!(null), MissingField, "reverses.group"),
        ("/reverses/group", json!("claims"), MalformedField, "reverses.group"),
        ("/reverses/document_id", json!(""), MissingField, "reverses.document_id"),
        ("/reverses/line_id", json!(""), MalformedField, "reverses.line_id"),
        ("/reverses/line_id", json!(1), MalformedField, "reverses.line_id"),
        ("/document_id", json!(null), MissingField, "document_id"),
    ] {
        let document = with(reversal(), pointer, value);
        assert_eq!(refusal(decode_json(&document)), (reason, Some(field.to_owned())), "{pointer}");
    }
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let huge = format!("{{\"document_id\":\"{}\"}}", "x".repeat(1 << 20));
    for (payload, reason) in [
        (&b""[..], Unparseable),
        (b"[{}]", Unparseable),
        (b"{", Unparseable),
        (b"\xEF\xBB\xBF5", Unparseable),
        (b"\xFF\xFE{\0}\0", Unparseable),
        (b"\x0A\xFF", Unparseable),
        (b"{\"document_id\":\"\xFF\"}", Unparseable),
        (deep.as_bytes(), Unparseable),
        (huge.as_bytes(), OverLimit),
    ] {
        assert_eq!(refusal(decode_as(None, None, payload)).0, reason);
    }
}

#[test]
fn a_refusal_names_the_document_and_never_repeats_a_persons_value() {
    let secret = "370202198001011234".repeat(10);
    let document = with(settlement(), "/person_cert", json!(secret));
    let Decoded::Rejected(rejects) = decode_json(&document) else { panic!("a refusal expected") };
    let reject = &rejects[0];
    assert_eq!(reject.reason, RejectReason::OverLimit);
    assert_eq!(reject.institution_id.as_deref(), Some("P37020304446"));
    assert_eq!(reject.document_id.as_deref(), Some("20260105-000123"));
    assert!(!format!("{reject:?}").contains("3702021980"));
}

#[test]
fn a_kind_belongs_to_its_topic_and_a_reversal_to_any() {
    for group in Group::ALL {
        let decoded = decode_as(Some(Inlet::Documents(group)), None, settlement().to_string().as_bytes());
        if group == Group::Settlement {
            only_upload(decoded);
        } else {
            assert_eq!(refusal(decoded).0, RejectReason::WrongTopic);
        }
        only_upload(decode_as(Some(Inlet::Documents(group)), None, reversal().to_string().as_bytes()));
    }
}

#[test]
fn nothing_may_lie_more_than_a_day_ahead_of_its_record() {
    let issued = Timestamp::from_unix_millis(1_767_576_662_000);
    let payload = settlement().to_string();
    let day = 86_400_000;
    for (record, accepted) in [(issued.unix_millis() - day, true), (issued.unix_millis() - day - 1, false)] {
        let origin = origin();
        let input = Input {
            inlet: None,
            content_type: None,
            payload: payload.as_bytes(),
            origin: &origin,
            record_timestamp: Some(Timestamp::from_unix_millis(record)),
        };
        let (limits, pseudonymiser, book) = (Limits::default(), Pseudonymiser::for_tests(), Book::default());
        match take_in(
            &input,
            &Door {
                limits: &limits,
                pseudonymiser: &pseudonymiser,
                medical_types: &MedicalTypes::default(),
                book: &book,
            },
        ) {
            Decoded::Uploads { .. } => assert!(accepted),
            Decoded::Rejected(rejects) => {
                assert!(!accepted);
                assert_eq!(rejects[0].reason, RejectReason::TimeOutOfRange);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[test]
fn numbers_are_read_exactly_as_they_are_written() {
    for (number, thousandths) in
        [("0.333", Some(333)), ("2.5e2", Some(250_000)), ("1.00000000000000001", None)]
    {
        let text = settlement().to_string().replace("\"quantity\":\"2\"", &format!("\"quantity\":{number}"));
        let decoded = decode_as(None, None, text.as_bytes());
        match thousandths {
            None => assert_eq!(refusal(decoded).0, RejectReason::MalformedField),
            Some(expected) => match only_upload(decoded) {
                Upload::Version(version) => {
                    let fee = version.lines[0].fee.as_ref().expect("a fee facet");
                    assert_eq!(fee.content.quantity.map(|quantity| quantity.thousandths()), Some(expected));
                }
                other => panic!("unexpected {other:?}"),
            },
        }
    }
}

/// Every upload of the examples, as text.
fn example_uploads() -> Vec<String> {
    let mut uploads = Vec::new();
    for entry in fs::read_dir("tests/examples").expect("the examples") {
        let path = entry.expect("an example").path().join("uploads.ndjson");
        let text = fs::read_to_string(path).expect("uploads");
        uploads.extend(text.lines().map(str::to_owned));
    }
    uploads
}

#[test]
fn json_and_protobuf_of_an_example_say_the_same() {
    let mut accepted = 0;
    // Events are opened, and byte order marks passed over, before the upload is read.
    for line in example_uploads().into_iter().filter(|line| !line.contains("\"specversion\"")) {
        let from_json = decode_as(None, None, line.as_bytes());
        let Ok(raw) = canonical_json::message(line.trim_start_matches('\u{feff}')) else {
            assert_eq!(refusal(from_json).0, RejectReason::MalformedField);
            continue;
        };
        let rewritten = crate::canonical_json::encode(&raw);
        let message = raw.encode_to_vec();
        let framed = [&[0, 0, 0, 0, 7, 0], &message[..]].concat();
        assert_eq!(pb::Upload::decode(&message[..]).as_ref(), Ok(&raw));
        for payload in [rewritten.as_bytes(), &message, &framed] {
            assert_eq!(decode_as(None, None, payload), from_json, "{line}");
        }
        accepted += usize::from(matches!(from_json, Decoded::Uploads { .. }));
    }
    assert!(accepted > 1000, "only {accepted} examples were accepted");
}

/// A message as a sender might fill it in, with any text anywhere.
fn any_message() -> impl Strategy<Value = pb::Upload> {
    let text = || prop_oneof![Just(String::new()), "\\PC{0,8}", Just("2.50".to_owned())];
    let flag = || prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    let code = (text(), text()).prop_map(|(code, units)| TraceCode { code, units });
    let codes = prop_oneof![Just(None), prop::collection::vec(code, 0..3).prop_map(Some)];
    let particulars = (prop::array::uniform5(text()), flag());
    let line = (prop::array::uniform9(text()), flag(), codes, particulars).prop_map(
        |(texts, split, codes, more)| {
            let [
                line_id,
                product_code,
                product_name,
                quantity,
                amount,
                fund_amount,
                lot,
                expires_on,
                adjusts,
            ] = texts;
            let [rx_id, prescriber_id, pharmacist_id, department_id, days_supply] = more.0;
            let trace_codes_present = codes.is_some();
            let trace_codes = codes.unwrap_or_default();
            Line {
                line_id,
                product_code,
                product_name,
                quantity,
                split,
                amount,
                fund_amount,
                lot,
                expires_on,
                adjusts,
                trace_codes,
                trace_codes_present,
                rx_id,
                rx_external: more.1,
                prescriber_id,
                pharmacist_id,
                department_id,
                days_supply,
            }
        },
    );
    let head = (prop::array::uniform8(text()), prop::array::uniform12(text()), flag());
    let nested =
        (prop::option::of(prop::array::uniform4(text())), prop::option::of(prop::array::uniform2(text())));
    (head, nested, prop::collection::vec(line, 0..3)).prop_map(|((texts, more, partial), (other, sale), lines)| {
        let [document_id, kind, institution_id, issued_at, occurred_at, person_id, person_cert, visit_id] = texts;
        let [
            settlement_id, operator_id, fund_amount, credential_type, device_id, operator_kind, insured_region,
            medical_type, account_amount, service, declared_codes, declared_consumable_codes,
        ] = more;
        let counterparty = other.map(|[name, license, delivery_note, invoice]| Counterparty {
            name, license, delivery_note, invoice,
        });
        let returns = sale.map(|[document_id, line_id]| Returns { document_id, line_id });
        pb::Upload {
            document_id, kind, institution_id, issued_at, occurred_at, partial, person_id, person_cert, visit_id,
            settlement_id, operator_id, fund_amount, counterparty, lines, returns,
            credential_type, device_id, operator_kind, insured_region, medical_type, account_amount, service,
            declared_codes, declared_consumable_codes, ..pb::Upload::default()
        }
    })
}

/// A JSON value that may stand anywhere.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-01-05T09:31:02+08:00")),
        Just(json!("81773220288616423835")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,10}", inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
}

/// Pointers to every node of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                pointers(inner, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                pointers(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Accepted, ignored or refused with a reason: the only ends there are.
fn assert_accounted(decoded: &Decoded) {
    match decoded {
        Decoded::Uploads { uploads, .. } => assert!(!uploads.is_empty()),
        Decoded::Rejected(rejects) => {
            assert!(
                !rejects.is_empty()
                    && rejects
                        .iter()
                        .all(|reject| !reject.sentence().is_empty() && !reject.text.zh.is_empty())
            );
        }
        Decoded::Ignored { message, .. } => assert!(!message.is_empty()),
        Decoded::Tick { .. } => {}
    }
}

proptest! {
    #[test]
    fn a_message_written_as_json_or_protobuf_is_read_back_the_same(raw in any_message()) {
        let read = canonical_json::message(&crate::canonical_json::encode(&raw));
        prop_assert_eq!(read.as_ref(), Ok(&raw));
        let decoded = pb::Upload::decode(&raw.encode_to_vec()[..]);
        prop_assert_eq!(decoded.as_ref(), Ok(&raw));
    }

    #[test]
    fn any_bytes_are_accounted_for(payload in prop::collection::vec(any::<u8>(), 0..200), json in any::<bool>()) {
        let content_type = if json { Some(&b"application/json"[..]) } else { None };
        assert_accounted(&decode_as(None, content_type, &payload));
    }

    #[test]
    fn a_document_with_any_node_replaced_is_accounted_for(
        which in any::<prop::sample::Index>(), node in any_json(), reverse in any::<bool>(),
    ) {
        let mut document = if reverse { reversal() } else { settlement() };
        let mut found = Vec::new();
        pointers(&document, "", &mut found);
        let pointer = which.get(&found);
        *document.pointer_mut(pointer).expect("a known pointer") = node;
        assert_accounted(&decode_json(&document));
    }

    #[test]
    fn a_damaged_message_is_accounted_for(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let json = settlement().to_string();
        let mut message = canonical_json::message(&json).expect("a message").encode_to_vec();
        *at.get_mut(&mut message) = byte;
        assert_accounted(&decode_as(None, None, &message));
        message.truncate(cut.index(message.len()));
        assert_accounted(&decode_as(None, None, &message));
    }
}
