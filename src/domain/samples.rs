//! Alerts for tests of texts and of the outbound form.

use crate::domain::Text;
use crate::domain::alert::{AlertChange, Status};
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::{DocumentKey, Kind, Origin, Person, Pseudonym};
use crate::domain::finding::{Attributes, Finding, Side};
use crate::domain::observation::{Cause, ObservationKey, What};
use crate::domain::rules::{RuleId, Scope};
use crate::domain::time::Timestamp;

/// One side: a document of that kind, `days` after 5 Jan 2026 10:00 in Beijing.
pub(crate) fn side(kind: Kind, institution_id: &str, document_id: &str, days: i64) -> Side {
    let occurred_at = Timestamp::from_unix_millis(1_767_578_400_000 + days * 86_400_000);
    Side {
        key: ObservationKey {
            document: DocumentKey {
                institution_id: institution_id.into(),
                group: kind.group(),
                document_id: document_id.into(),
            },
            line_id: "1".into(),
        },
        kind,
        role: kind.role(),
        occurred_at,
        person: Person::default(),
        region: institution_id.get(1..7).unwrap_or_default().into(),
        custody: false,
        custody_proof: false,
        lent_from: None,
        surroundings: None,
        origin: Origin { topic: "settlement".into(), partition: 0, offset: days, received_at: occurred_at },
    }
}

/// A raised alert of the rule about two sides.
pub(crate) fn alert(rule: RuleId, subject: Side, counterpart: Option<Side>) -> AlertChange {
    let received_at = subject.occurred_at;
    let cause = Cause::of(subject.key.document.clone(), What::Asserted);
    let evidence = counterpart.iter().cloned().chain([subject.clone()]).collect();
    AlertChange {
        status: Status::Raised,
        revision: 1,
        code: Some("81773220000000016835".into()),
        finding: Finding {
            rule,
            basis: None,
            scope: counterpart.is_some().then_some(Scope::OtherRegion),
            action: rule.entry().action,
            severity: rule.entry().severity,
            subject,
            counterpart,
            evidence,
            evidence_omitted: 0,
            product_code: Some("XR05CBA198A001010100863".into()),
            product_name: Some("盐酸氨溴索片 30mg×20片".into()),
            amount_at_risk: Some(Money::from_fen(2492)),
            attributes: Attributes::default(),
        },
        cause,
        received_at,
        raised_at: Timestamp::from_unix_millis(received_at.unix_millis() + 1000),
        detected_at: Timestamp::from_unix_millis(received_at.unix_millis() + 1000),
        ruleset: Text::from("0123456789abcdef"),
        reference_version: 7,
    }
}

/// A pack settled by two pharmacies in two regions.
pub(crate) fn resold() -> AlertChange {
    let mut first = side(Kind::Settlement, "P37020300001", "S1", 0);
    first.person.number = Some(Pseudonym { key_id: 1, digest: [0xab; 16] });
    first.custody = true;
    first.custody_proof = true;
    let second = side(Kind::Settlement, "P44030500003", "S2", 2);
    let mut change = alert(RuleId::DuplicateSettlement, second, Some(first));
    let attributes = &mut change.finding.attributes;
    attributes.need = Some(Quantity::from_whole(20));
    attributes.used = Some(Quantity::from_whole(20));
    attributes.content = Some(Quantity::from_whole(20));
    change.finding.evidence_omitted = 3;
    change
}
