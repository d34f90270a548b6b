//! Reading of reference records: what is kept, and what is refused with its field.

use proptest::prelude::*;

use super::*;
use crate::domain::reference::Book;

fn key(json: &str) -> Key {
    match from_json(json.as_bytes()).map(Entry::into_change) {
        Ok(Some(change)) => change.record.key,
        other => panic!("{json}: {other:?}"),
    }
}

fn refusal(json: &str) -> (RejectReason, Option<String>) {
    match from_json(json.as_bytes()) {
        Err(reject) => (reject.reason, reject.field),
        Ok(entry) => panic!("{json} was accepted: {entry:?}"),
    }
}

#[test]
fn every_example_record_round_trips_in_all_three_forms() {
    let mut count = 0;
    for entry in std::fs::read_dir("tests/examples").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path().join("reference.ndjson")).unwrap_or_default();
        for entry in text.lines().filter_map(|line| from_json(line.as_bytes()).ok()) {
            let key = entry.topic_key();
            if let Some(payload) = entry.topic_payload() {
                assert_eq!(decode_record(Some(&key), Some(&payload)), Ok(entry.clone()));
            }
            let message = entry.message.encode_to_vec();
            assert_eq!(decode_record(Some(&key), Some(&message)), Ok(entry.clone()));
            let deletion = decode_record(Some(&key), None).unwrap();
            assert_eq!((deletion.topic_key(), deletion.topic_payload()), (key, None));
            if let (Some(change), Some(deletion)) = (entry.into_change(), deletion.into_change()) {
                assert!(deletion.deleted);
                assert_eq!(deletion.record.key, change.record.key);
                assert_eq!(deletion.record.valid_from, change.record.valid_from);
            }
            count += 1;
        }
    }
    assert!(count > 500, "only {count} records");
}

#[test]
fn texts_are_cleaned_and_what_a_code_must_match_has_the_form_of_codes() {
    let prefix = |prefix: &str| Key::Product { prefix: prefix.into() };
    for (written, kept) in [
        (" 8177322 ", "8177322"),
        ("\u{feff}81773\u{200b}22", "8177322"),
        ("6901234567892", "06901234567892"),
        ("96385074", "00000096385074"),
        ("614141999996", "00614141999996"),
        ("06901234567892", "06901234567892"),
        ("ma.156.m0.100012.12345678", "MA.156.M0.100012.12345678"),
        ("A99912345", "A99912345"),
    ] {
        assert_eq!(key(&format!(r#"{{"type":"product","prefix":"{written}"}}"#)), prefix(kept), "{written}");
    }
    for (written, kept) in [
        (" ８1773220288616423835", "81773220288616423835"),
        ("8177 3220 2886 1642 3835", "81773220288616423835"),
        ("010690123456789221A%1D17270501", "(01)06901234567892(21)A"),
        (
            "https://id.gs1.org/01/6901234567892/21/A?17=270501&10=A-LOT-THAT-IS-LONG",
            "(01)06901234567892(21)A",
        ),
        ("+A99912345/$$52001510X3/16D20111212/S77DEFG457", "+A99912345/$+77DEFG45"),
    ] {
        let json = format!(r#"{{"type":"banned_code","code":"{written}"}}"#);
        assert_eq!(key(&json), Key::BannedCode { code: kept.into() }, "{written}");
    }
    assert_eq!(
        key(
            "{\"type\":\" exemption\\u0000\",\"product_code\":\"\\u00a0XA01\",\"institution_id\":\"\\u200b\"}"
        ),
        Key::Exemption { product_code: "XA01".into(), institution_id: None }
    );
    assert_eq!(
        key(
            r#"{"type":"institution","institution_id":"P1","valid_from":" 2026-01-01 ","lot":"","foreign":null}"#
        ),
        Key::Institution { institution_id: "P1".into() }
    );
}

#[test]
fn numbers_may_be_text_but_texts_no_numbers() {
    for (written, read) in [("\"20\"", 20), ("20", 20), ("2e1", 20), ("\"20.0\"", 20), ("\" 20 \"", 20)] {
        let json = format!(r#"{{"type":"product","prefix":"8177322","units_per_pack":{written}}}"#);
        match from_json(json.as_bytes()).map(|entry| entry.into_change().map(|change| change.record.value)) {
            Ok(Some(Content::Product(product))) => {
                assert_eq!((product.packs_per_code, product.units_per_pack), (1, Some(read)));
            }
            other => panic!("{other:?}"),
        }
    }
    for field in ["prefix", "product_code", "name", "valid_from", "valid_to"] {
        let json = format!(r#"{{"type":"product","prefix":"8177322","{field}":7}}"#);
        assert_eq!(refusal(&json), (RejectReason::MalformedField, Some(field.to_owned())), "{json}");
    }
}

#[test]
fn an_institution_says_since_when_it_puts_codes_into_the_settlement() {
    let json = r#"{"type":"institution","institution_id":"P1","codes_in_settlement_since":"2026-01-05"}"#;
    let change = from_json(json.as_bytes()).unwrap().into_change().unwrap();
    let since = moment_day("2026-01-05");
    let expected = Institution { codes_in_settlement_since: Some(since), ..Institution::default() };
    assert_eq!(change.record.value, Content::Institution(expected));
}

fn moment_day(text: &str) -> crate::domain::time::Day {
    day("a day", text).unwrap().unwrap()
}

#[test]
fn a_fault_names_its_field() {
    use RejectReason::{MalformedField, MissingField, OverLimit, Unparseable};
    let long = format!(r#"{{"type":"item","product_code":"{}"}}"#, "X".repeat(65));
    for (record, reason, field) in [
        (r#"{"prefix":"8177322"}"#, MissingField, Some("type")),
        (r#"{"type":"drug"}"#, MalformedField, Some("type")),
        (r#"{"type":"Product","prefix":"8177322"}"#, MalformedField, Some("type")),
        (r#"{"type":"product"}"#, MissingField, Some("prefix")),
        (r#"{"type":"product","prefix":"\u200b "}"#, MissingField, Some("prefix")),
        (
            r#"{"type":"product","prefix":"8177322","packs_per_code":0}"#,
            MalformedField,
            Some("packs_per_code"),
        ),
        (
            r#"{"type":"product","prefix":"8177322","units_per_pack":1.5}"#,
            MalformedField,
            Some("units_per_pack"),
        ),
        (
            r#"{"type":"product","prefix":"8177322","units_per_pack":[20]}"#,
            MalformedField,
            Some("units_per_pack"),
        ),
        (r#"{"type":"item","product_code":"X","valid_to":"2026-1-1"}"#, MalformedField, Some("valid_to")),
        (r#"{"type":"item","product_code":"X","traceable":"yes"}"#, MalformedField, Some("traceable")),
        (r#"{"type":"item","product_code":"X","traceable":1}"#, MalformedField, Some("traceable")),
        (r#"{"type":"recall","product_code":"X"}"#, MissingField, Some("lot")),
        (r#"{"type":"recall","product_code":"X","lot":20260101}"#, MalformedField, Some("lot")),
        (r#"{"type":"banned_code","code":" "}"#, MissingField, Some("code")),
        (r#"{"type":"banned_code","code":"^"}"#, MissingField, Some("code")),
        (&long, OverLimit, Some("product_code")),
        ("[]", Unparseable, None),
        ("{", Unparseable, None),
    ] {
        assert_eq!(refusal(record), (reason, field.map(str::to_owned)), "{record}");
    }
}

#[test]
fn what_can_match_no_code_is_refused() {
    for prefix in [
        "817732",
        "81773221",
        "817732202",
        "0690123456789",
        "6901234567891",
        "06901234567891",
        "00000096385075",
        "69012345678 92",
        "MA.156.M0.100012",
        "a99912345",
        "A9991",
        "+A999123457",
        "药品",
    ] {
        let json = format!(r#"{{"type":"product","prefix":"{prefix}","product_code":"X"}}"#);
        assert_eq!(refusal(&json), (RejectReason::MalformedField, Some("prefix".to_owned())), "{prefix}");
    }
    for code in [
        "6901234567892",
        "8177322028861642383",
        "11111111111111111111",
        "+A999123458",
        "XR05CBA198A001010100863",
    ] {
        let json = format!(r#"{{"type":"banned_code","code":"{code}"}}"#);
        assert_eq!(refusal(&json), (RejectReason::MalformedField, Some("code".to_owned())), "{code}");
    }
}

#[test]
fn a_field_that_nobody_would_read_is_refused_wherever_it_stands() {
    for (record, field) in [
        (r#"{"type":"product","prefix":"8177322","remark":"x"}"#, "remark"),
        (r#"{"type":"product","prefix":"8177322","units":5}"#, "units"),
        (r#"{"type":"product","prefix":"8177322","remark":false}"#, "remark"),
        (
            r#"{"type":"institution","institution_id":"P1","codes_in_settlements_since":"2026-01-01"}"#,
            "codes_in_settlements_since",
        ),
        (r#"{"type":"exemption","product_code":"X","reason":{"a":1},"deleted":true}"#, "reason"),
        (r#"{"type":"recall","product_code":"X","lot":"L","lots":[]}"#, "lots"),
        // Known, but of another type.
        (r#"{"type":"product","prefix":"8177322","traceable":false}"#, "traceable"),
        (r#"{"type":"item","product_code":"X","institution_id":"P1"}"#, "institution_id"),
        (r#"{"type":"no_code_stock","product_code":"X","institution_id":"P1","lot":"L"}"#, "lot"),
    ] {
        assert_eq!(refusal(record), (RejectReason::MalformedField, Some(field.to_owned())), "{record}");
    }
    for nothing in ["null", "\"\"", "\" \\u200b\""] {
        key(&format!(r#"{{"type":"product","prefix":"8177322","remark":{nothing}}}"#));
    }
    let foreign = ReferenceRecord {
        r#type: "recall".into(),
        product_code: "X".into(),
        lot: "L".into(),
        tier: "2".into(),
        ..Default::default()
    };
    let refused = decode_record(None, Some(&foreign.encode_to_vec()));
    assert_eq!(refused.map_err(|reject| reject.field), Err(Some("tier".to_owned())));
}

#[test]
fn records_of_rules_about_parties_are_known_and_change_nothing_of_the_book() {
    for (record, topic_key) in [
        (
            r#"{"type":"suspension","subject_kind":"department","subject":"H1/内科","valid_from":"2026-01-05","from_time":"2026-01-05T00:00:00+08:00"}"#,
            r#"["suspension","department","H1/内科","2026-01-05"]"#,
        ),
        (
            r#"{"type":"practitioner","practitioner":"H1/D7","valid_to":"2026-12-31"}"#,
            r#"["practitioner","H1/D7",null]"#,
        ),
        (
            r#"{"type":"neighbours","region_a":"4403","region_b":"4401"}"#,
            r#"["neighbours","4401","4403",null]"#,
        ),
        (
            r#"{"type":"person_exemption","person":"00112233445566778899aabbccddeeff"}"#,
            r#"["person_exemption","00112233445566778899aabbccddeeff",null,null]"#,
        ),
    ] {
        let entry = from_json(record.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(entry.topic_key()).unwrap(), topic_key);
        assert_eq!(decode_record(None, entry.topic_payload().as_deref()), Ok(entry.clone()));
        assert_eq!(entry.into_change(), None);
        assert!(decode_record(Some(topic_key.as_bytes()), None).is_ok());
    }
    let item = r#"{"type":"item","product_code":"X","traceable":true,"watch":true,"watch_group":"G","units_per_pack":"24",
        "max_daily_units":0.5,"max_days":28}"#;
    let entry = from_json(item.as_bytes()).unwrap();
    let payload = String::from_utf8(entry.topic_payload().unwrap()).unwrap();
    for kept in
        [r#""watch_group":"G""#, r#""units_per_pack":24"#, r#""max_daily_units":"0.5""#, r#""max_days":28"#]
    {
        assert!(payload.contains(kept), "{payload}");
    }
    assert!(entry.into_change().is_some());
    for (record, field) in [
        (r#"{"type":"suspension","subject_kind":"clinic","subject":"H1"}"#, "subject_kind"),
        (
            r#"{"type":"suspension","subject_kind":"person","subject":"x","valid_from":"2026-01-05","from_time":"2026-01-05T23:30:00Z"}"#,
            "from_time",
        ),
        (
            r#"{"type":"suspension","subject_kind":"person","subject":"x","from_time":"2026-01-05T00:00:00Z"}"#,
            "from_time",
        ),
        (r#"{"type":"suspension","subject_kind":"person","subject":"x","from_time":"morning"}"#, "from_time"),
        (r#"{"type":"neighbours","region_a":"4401","region_b":"44030"}"#, "region_b"),
        (r#"{"type":"item","product_code":"X","max_daily_units":0}"#, "max_daily_units"),
        (r#"{"type":"item","product_code":"X","max_daily_units":"1.2345"}"#, "max_daily_units"),
        (r#"{"type":"item","product_code":"X","max_days":0.5}"#, "max_days"),
        (r#"{"type":"institution","institution_id":"P1","contract_from":20260101}"#, "contract_from"),
        (r#"{"type":"institution","institution_id":"P1","coverage_since":"soon"}"#, "coverage_since"),
    ] {
        assert_eq!(refusal(record), (RejectReason::MalformedField, Some(field.to_owned())), "{record}");
    }
}

#[test]
fn a_tombstone_that_names_no_record_is_refused() {
    for key in [
        &b""[..],
        b"[]",
        b"[null]",
        b"[\"item\"]",
        b"[\"drug\",\"1\",null]",
        b"[\"item\",\"X\"]",
        b"[\"item\",null,null]",
        b"[\"item\",\"X\",null,null]",
        b"[\"item\",7,null]",
        b"[\"product\",\"6901234567891\",null]",
    ] {
        assert!(decode_record(Some(key), None).is_err(), "{}", String::from_utf8_lossy(key));
    }
    assert!(decode_record(None, None).is_err());
}

#[test]
fn a_record_replaces_the_one_that_was_written_in_another_way() {
    let mut book = Book::default();
    for line in [
        r#"{"type":"product","prefix":"06901234567892","product_code":"A"}"#,
        r#"{"type":"product","prefix":"6901234567892","product_code":"B"}"#,
        r#"{"type":"product","prefix":"\u200b6901234567892","deleted":true}"#,
    ] {
        book.extend(from_json(line.as_bytes()).unwrap().into_change());
    }
    assert!(book.is_empty());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_fail(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        key in proptest::option::of("\\[(\"[a-z_]{0,12}\"|null|,|7){0,5}\\]"),
    ) {
        let _ = decode_record(key.as_deref().map(str::as_bytes), Some(&bytes));
        let _ = decode_record(key.as_deref().map(str::as_bytes), None);
        let _ = decode_record(None, Some(&bytes));
    }

    #[test]
    fn what_is_published_reads_as_the_same_record(
        name in proptest::sample::select(TYPES.iter().map(|known| known.name).collect::<Vec<_>>()),
        values in proptest::collection::vec("[ ]?([A-Za-z0-9]{0,3}|8177322|6901234567892|4401|2026-01-05|81773220288616423835|[0-9]{20})", 27),
        wanted in proptest::collection::vec(any::<bool>(), 27),
    ) {
        let mut raw = ReferenceRecord::default();
        let known = TYPES.iter().find(|known| known.name == name).unwrap();
        for ((field, text), (value, wanted)) in texts(&mut raw).into_iter().zip(values.into_iter().zip(wanted)) {
            if known.key.contains(&field) || wanted && known.fields.contains(&field) {
                *text = value;
            }
        }
        raw.r#type = name.to_owned();
        if let Ok(entry) = entry(raw) {
            let published = entry.topic_payload();
            prop_assert_eq!(decode_record(Some(&entry.topic_key()), published.as_deref()), Ok(entry));
        }
    }
}
