//! Findings, and what was published of them.

use super::observation::{read_surroundings, write_surroundings};
use super::{
    Numbered, TableReader, TableWriter, Wire, WireError, moment, money, paired_enums, quantity, read,
    read_all, read_optional, required, write_all,
};
use crate::domain::alert::{AlertBook, Published};
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::{Kind, Person, Role};
use crate::domain::finding::{Attributes, BannedReason, ConcernedCode, Finding, FindingKey, Side};
use crate::domain::rules::{Action, Basis, RuleId, Scope, Severity};
use crate::domain::trace_code::InvalidReason;
use crate::wire::pb_internal as pb;

paired_enums! {
    Basis, pb::Basis, "basis" { Catalogue = Catalogue, Declared = Declared }
    Scope, pb::Scope, "scope" { Institution = Institution, Region = Region, OtherRegion = OtherRegion }
    BannedReason, pb::BannedReason, "banned" { Expired = Expired, Recalled = Recalled, Listed = Listed }
}

impl Wire for Side {
    type Message = pb::Side;

    fn to_message(&self, table: &mut TableWriter) -> pb::Side {
        pb::Side {
            key: Some(self.key.to_message(table)),
            kind: self.kind.number(),
            role: Role::number_of(self.role),
            occurred_at: self.occurred_at.unix_millis(),
            person: self.person.to_message(table),
            region: table.text(&self.region),
            custody: self.custody,
            custody_proof: self.custody_proof,
            lent_from: self.lent_from.as_ref().map(|lent_from| lent_from.to_message(table)),
            surroundings: write_surroundings(self.surroundings.as_ref(), table),
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::Side, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "side.key", table)?,
            kind: Kind::required(message.kind, "side.kind")?,
            role: Role::from_number(message.role)?,
            occurred_at: moment(message.occurred_at),
            person: Person::from_message(&message.person, table)?,
            region: table.text(message.region, "side.region")?,
            custody: message.custody,
            custody_proof: message.custody_proof,
            lent_from: read_optional(&message.lent_from, table)?,
            surroundings: read_surroundings(&message.surroundings, table)?,
            origin: read(&message.origin, "side.origin", table)?,
        })
    }
}

impl Wire for ConcernedCode {
    type Message = pb::ConcernedCode;

    fn to_message(&self, table: &mut TableWriter) -> pb::ConcernedCode {
        pb::ConcernedCode {
            code: table.text(&self.code),
            invalid: InvalidReason::number_of(self.invalid),
            product_code: table.optional(&self.product_code),
            product_name: table.optional(&self.product_name),
            lent_from: self.lent_from.as_ref().map(|lent_from| lent_from.to_message(table)),
        }
    }

    fn from_message(message: &pb::ConcernedCode, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            code: table.text(message.code, "concerned.code")?,
            invalid: InvalidReason::from_number(message.invalid)?,
            product_code: table.optional(message.product_code, "concerned.product_code")?,
            product_name: table.optional(message.product_name, "concerned.product_name")?,
            lent_from: read_optional(&message.lent_from, table)?,
        })
    }
}

impl Wire for Attributes {
    type Message = pb::Attributes;

    fn to_message(&self, table: &mut TableWriter) -> pb::Attributes {
        pb::Attributes {
            shortfall: self.shortfall.map(Quantity::thousandths),
            banned: self.banned.iter().map(|reason| reason.number()).collect(),
            codes: write_all(&self.codes, table),
            need: self.need.map(Quantity::thousandths),
            used: self.used.map(Quantity::thousandths),
            content: self.content.map(Quantity::thousandths),
            estimate: self.estimate,
            count: self.count,
            grace_hours: self.grace_hours,
            allowed: table.optional(&self.allowed),
        }
    }

    fn from_message(message: &pb::Attributes, table: &TableReader) -> Result<Self, WireError> {
        let banned = message.banned.iter();
        let banned = banned.map(|reason| BannedReason::required(*reason, "attributes.banned"));
        Ok(Self {
            shortfall: quantity(message.shortfall),
            banned: banned.collect::<Result<_, _>>()?,
            codes: read_all(&message.codes, table)?,
            need: quantity(message.need),
            used: quantity(message.used),
            content: quantity(message.content),
            estimate: message.estimate,
            count: message.count,
            grace_hours: message.grace_hours,
            allowed: table.optional(message.allowed, "attributes.allowed")?,
        })
    }
}

impl Wire for Finding {
    type Message = pb::Finding;

    fn to_message(&self, table: &mut TableWriter) -> pb::Finding {
        pb::Finding {
            rule: self.rule.number(),
            basis: Basis::number_of(self.basis),
            scope: Scope::number_of(self.scope),
            action: self.action.number(),
            severity: self.severity.number(),
            subject: Some(self.subject.to_message(table)),
            counterpart: self.counterpart.as_ref().map(|side| side.to_message(table)),
            evidence: write_all(&self.evidence, table),
            evidence_omitted: self.evidence_omitted,
            product_code: table.optional(&self.product_code),
            product_name: table.optional(&self.product_name),
            amount_at_risk: self.amount_at_risk.map(Money::fen),
            attributes: Some(self.attributes.to_message(table)),
        }
    }

    fn from_message(message: &pb::Finding, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            rule: RuleId::required(message.rule, "finding.rule")?,
            basis: Basis::from_number(message.basis)?,
            scope: Scope::from_number(message.scope)?,
            action: Action::required(message.action, "finding.action")?,
            severity: Severity::required(message.severity, "finding.severity")?,
            subject: read(&message.subject, "finding.subject", table)?,
            counterpart: read_optional(&message.counterpart, table)?,
            evidence: read_all(&message.evidence, table)?,
            evidence_omitted: message.evidence_omitted,
            product_code: table.optional(message.product_code, "finding.product_code")?,
            product_name: table.optional(message.product_name, "finding.product_name")?,
            amount_at_risk: money(message.amount_at_risk),
            attributes: read(&message.attributes, "finding.attributes", table)?,
        })
    }
}

impl Wire for FindingKey {
    type Message = pb::FindingKey;

    fn to_message(&self, table: &mut TableWriter) -> pb::FindingKey {
        pb::FindingKey {
            rule: self.rule.number(),
            basis: Basis::number_of(self.basis),
            subject: Some(self.subject.to_message(table)),
        }
    }

    fn from_message(message: &pb::FindingKey, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            rule: RuleId::required(message.rule, "finding_key.rule")?,
            basis: Basis::from_number(message.basis)?,
            subject: read(&message.subject, "finding_key.subject", table)?,
        })
    }
}

impl Wire for AlertBook {
    type Message = pb::AlertBook;

    fn to_message(&self, table: &mut TableWriter) -> pb::AlertBook {
        let published = self.published.iter().map(|(key, published)| {
            let open = published.open.as_ref();
            pb::PublishedFinding {
                key: open.is_none().then(|| key.to_message(table)),
                revision: published.revision,
                open: open.map(|finding| finding.to_message(table)),
                raised_at: published.raised_at.unix_millis(),
            }
        });
        pb::AlertBook { published: published.collect() }
    }

    fn from_message(message: &pb::AlertBook, table: &TableReader) -> Result<Self, WireError> {
        let mut book = Self::default();
        for published in &message.published {
            let open: Option<Finding> = read_optional(&published.open, table)?;
            let key = match &open {
                Some(finding) => finding.key(),
                None => FindingKey::from_message(required(&published.key, "published.key")?, table)?,
            };
            let (revision, raised_at) = (published.revision, moment(published.raised_at));
            book.published.insert(key, Published { revision, raised_at, open: open.map(Box::new) });
        }
        Ok(book)
    }
}
