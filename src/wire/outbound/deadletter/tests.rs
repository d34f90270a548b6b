//! Dead letters say where and why.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::document::Origin;
use crate::domain::outcome::RejectReason;
use crate::domain::time::Timestamp;

#[test]
fn a_refused_input_is_named_by_its_place() {
    let letter = DeadLetter {
        origin: Origin {
            topic: "tracewarden.settlement".into(),
            partition: 3,
            offset: 42,
            received_at: Timestamp::from_unix_millis(1_767_576_660_000),
        },
        reason: RejectReason::MalformedField,
        field: Some("lines[2].quantity".to_owned()),
        record_key: Some("P37020304446".to_owned()),
        text: Words::new("lines[2].quantity 须大于 0", "lines[2].quantity must be greater than 0"),
        institution_id: Some("P37020304446".into()),
        document_id: None,
    };
    let record = encode(&letter, Format::Json);
    let expected = concat!(
        r#"{"source":{"topic":"tracewarden.settlement","partition":3,"offset":42},"reason":"malformed_field","#,
        r#""field":"lines[2].quantity","sentence":"lines[2].quantity must be greater than 0","#,
        r#""institution_id":"P37020304446","document_id":null,"received_at":"2026-01-05T09:31:00+08:00","#,
        r#""text":{"zh":"lines[2].quantity 须大于 0","en":"lines[2].quantity must be greater than 0"},"#,
        r#""record_key":"P37020304446"}"#
    );
    assert_eq!(std::str::from_utf8(&record.payload).unwrap(), expected);
    assert_eq!(parse(&record.payload).unwrap(), message(&letter));
    assert_eq!(record.key, b"tracewarden.settlement/3/42");
}

#[test]
fn a_line_of_a_file_was_received_at_no_known_moment() {
    let letter = DeadLetter {
        origin: Origin {
            topic: "uploads.ndjson".into(),
            partition: 0,
            offset: 7,
            received_at: Timestamp::default(),
        },
        reason: RejectReason::Unparseable,
        field: None,
        record_key: None,
        text: Words::new("上传内容不是 JSON。", "The upload is no JSON."),
        institution_id: None,
        document_id: None,
    };
    for format in Format::ALL {
        let record = encode(&letter, format);
        assert!(record.headers.iter().all(|(name, _)| name != "ce_time"), "{:?}", record.headers);
    }
    assert_eq!(message(&letter).received_at, None);
    assert!(
        String::from_utf8(encode(&letter, Format::Json).payload).unwrap().contains(r#""received_at":null"#)
    );
}
