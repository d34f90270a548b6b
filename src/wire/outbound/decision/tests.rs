//! The form of decisions is a contract.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use prost::Message as _;

use super::*;
use crate::domain::amount::Money;
use crate::domain::claim::Verdict;
use crate::domain::document::{DocumentKey, Group};
use crate::domain::handling::Paid;
use crate::domain::rules::RuleId;
use crate::domain::time::Timestamp;

fn decision() -> Decision {
    let at = Timestamp::from_unix_millis(1_767_576_660_000);
    Decision {
        key: DocumentKey {
            institution_id: "P37020304446".into(),
            group: Group::Settlement,
            document_id: "20260105-000123".into(),
        },
        revision: 2,
        verdict: Verdict::Refuse,
        payable: Money::ZERO,
        provisional: false,
        deadline: None,
        recover: Money::from_fen(2492),
        paid: Some(Paid { paid: Money::from_fen(2492), recovered: Some(Money::from_fen(8)) }),
        lines: vec![Arc::new(crate::domain::claim::DecisionLine {
            line_id: "1".into(),
            verdict: Verdict::Refuse,
            reasons: vec![RuleId::DuplicateSettlement, RuleId::ShortCodes],
            is_ruled: true,
            overruled: vec![RuleId::Resale],
            amount: Money::from_fen(2492),
            lent: vec![crate::domain::claim::LentTo {
                code: "81773220288616423835".into(),
                document_id: "D1".into(),
                line_id: "2".into(),
            }],
        })],
        withdrawn: false,
        occurred_at: at,
        received_at: at,
        decided_at: at,
        ruleset: "0123456789abcdef".into(),
        reference_version: 7,
    }
}

#[test]
fn the_json_form_is_the_one_agreed() {
    let record = encode(&decision(), Format::Json);
    let expected = concat!(
        r#"{"claim":{"institution_id":"P37020304446","document_id":"20260105-000123"},"revision":2,"#,
        r#""verdict":"refuse","payable":"0.00","provisional":false,"deadline":null,"recover":"24.92","#,
        r#""paid":"24.92","recovered":"0.08","lines":[{"line_id":"1","verdict":"refuse","#,
        r#""reasons":["duplicate_settlement","ruling","short_codes"],"overruled":["resale"],"#,
        r#""lent":[{"code":"81773220288616423835","document_id":"D1","line_id":"2"}],"amount":"24.92"}],"#,
        r#""withdrawn":false,"occurred_at":"2026-01-05T09:31:00+08:00","#,
        r#""received_at":"2026-01-05T09:31:00+08:00","decided_at":"2026-01-05T09:31:00+08:00","#,
        r#""ruleset":"0123456789abcdef","reference":"7"}"#
    );
    assert_eq!(String::from_utf8(record.payload).unwrap(), expected);
    assert_eq!(record.key, b"P37020304446/20260105-000123");
}

#[test]
fn both_formats_say_the_same() {
    let json = parse(&encode(&decision(), Format::Json).payload).unwrap();
    let record = encode(&decision(), Format::Protobuf);
    assert_eq!(json, DecisionMessage::decode(record.payload.as_slice()).unwrap());
    let header = |name: &str| record.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    assert_eq!(header("ce_type").unwrap(), b"tracewarden.decision");
    assert_eq!(header("ce_id").unwrap(), b"P37020304446/20260105-000123/2");
    assert_eq!(header("content-type").unwrap(), b"application/protobuf");
}

#[test]
fn any_format_has_a_json_form() {
    let [json, protobuf] = Format::ALL.map(|format| {
        let payload = encode(&decision(), format).payload;
        to_json(&payload, Some(format.content_type().as_bytes())).unwrap()
    });
    assert_eq!(json, protobuf);
    assert!(to_json(b"{}", Some(b"application/protobuf")).is_err());
}
