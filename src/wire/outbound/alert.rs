//! Alerts on their way out. The fields and their order are a contract, defined in `proto/tracewarden/v1/alert.proto`
//! for both formats.

use sha2::{Digest, Sha256};

use super::{Event, json_form, parse_json};
use super::{Format, Message};
use crate::domain::Text;
use crate::domain::alert::AlertChange;
use crate::domain::amount::Quantity;
use crate::domain::document::particulars::Surroundings;
use crate::domain::document::{Person, Pseudonym};
use crate::domain::finding::{ConcernedCode, Finding, Side};
use crate::domain::observation::{Cause, LentFrom};
use crate::domain::rules::catalogue::RULE_VERSION;
use crate::domain::rules::{Basis, Scope};
use crate::present::wording;
use crate::wire::WireError;
use crate::wire::pb;

pub use crate::wire::pb::{Alert as AlertMessage, AlertSide};

/// The record of a revision.
pub fn encode(change: &AlertChange, format: Format) -> Message {
    let message = message(change);
    let event = Event {
        id: format!("{}/{}", message.alert_id, message.revision),
        source: "/tracewarden/alerts",
        kind: format!("tracewarden.alert.{}", message.status),
        time: Some(change.detected_at),
        subject: &message.case_id,
    };
    event.message(message.alert_id.clone().into_bytes(), format.write(&message), format)
}

/// Reads the JSON form.
pub fn parse(json: &[u8]) -> Result<AlertMessage, WireError> {
    parse_json(json, "alert")
}

/// The JSON form of a published alert, whatever format its `content-type` header names.
pub fn to_json(payload: &[u8], content_type: Option<&[u8]>) -> Result<Vec<u8>, WireError> {
    json_form::<AlertMessage>(payload, content_type, "alert")
}

/// The identity of an alert: hex of the first 16 bytes of SHA-256 over rule, basis, code, and the subject's
/// institution, group, document and line, each as UTF-8 preceded by its length in bytes as 4 bytes, big end first.
/// What is absent is empty.
pub fn alert_id(finding: &Finding, code: Option<&str>) -> String {
    let subject = &finding.subject.key;
    let parts = [
        finding.rule.name(),
        finding.basis.map_or("", Basis::name),
        code.unwrap_or_default(),
        &subject.document.institution_id,
        subject.document.group.name(),
        &subject.document.document_id,
        &subject.line_id,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // Texts of documents are far shorter than 4 GiB.
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize()).chars().take(32).collect()
}

/// The message of a revision.
pub fn message(change: &AlertChange) -> AlertMessage {
    let finding = &change.finding;
    let subject = &finding.subject;
    let document = &subject.key.document;
    let case_id = match &change.code {
        Some(code) => code.to_string(),
        None => format!("{}/{}/{}", document.institution_id, document.group.name(), document.document_id),
    };
    AlertMessage {
        alert_id: alert_id(finding, change.code.as_deref()),
        revision: change.revision,
        status: change.status.name().into(),
        rule: finding.rule.name().into(),
        rule_version: RULE_VERSION.into(),
        basis: finding.basis.map(Basis::name).map(Into::into),
        scope: finding.scope.map(Scope::name).map(Into::into),
        action: finding.action.name().into(),
        severity: finding.severity.name().into(),
        code: change.code.as_deref().map(Into::into),
        case_id,
        region: subject.region.to_string(),
        subject: Some(side(subject)),
        counterpart: finding.counterpart.as_ref().map(side),
        evidence: finding.evidence.iter().map(evidence).collect(),
        product: finding.product_code.as_ref().map(|code| pb::AlertProduct {
            code: code.to_string(),
            name: finding.product_name.as_deref().map(Into::into),
        }),
        amount_at_risk: finding.amount_at_risk.map(|amount| amount.to_string()),
        attributes: Some(attributes(finding)),
        cause: Some(cause(&change.cause)),
        occurred_at: subject.occurred_at.to_string(),
        received_at: change.received_at.to_string(),
        detected_at: change.detected_at.to_string(),
        ruleset: change.ruleset.to_string(),
        reference: change.reference_version.to_string(),
        raised_at: change.raised_at.to_string(),
        party: None,
        period: None,
        text: Some(pb::AlertText { zh: wording::alert_zh(change), en: wording::alert_en(change) }),
    }
}

fn side(side: &Side) -> pb::AlertSide {
    let document = &side.key.document;
    let surroundings = side.surroundings.as_deref();
    let said = |field: fn(&Surroundings) -> &Option<Text>| {
        surroundings.and_then(|surroundings| field(surroundings).as_deref()).map(Into::into)
    };
    pb::AlertSide {
        institution_id: document.institution_id.to_string(),
        group: document.group.name().into(),
        document_id: document.document_id.to_string(),
        line_id: side.key.line_id.to_string(),
        role: side.role.map(|role| role.name().into()),
        occurred_at: side.occurred_at.to_string(),
        person: person(&side.person),
        custody: side.custody,
        custody_proof: side.custody_proof,
        lent_from: side.lent_from.as_ref().map(lent_from),
        contract_from: surroundings.and_then(|known| known.contract_from).map(|day| day.to_string()),
        successor_of: said(|known| &known.successor_of),
        device_id: said(|known| &known.device_id),
        operator_kind: said(|known| &known.operator_kind),
        insured_region: said(|known| &known.insured_region),
        medical_type: said(|known| &known.medical_type),
        department_id: said(|known| &known.department_id),
        prescriber_id: said(|known| &known.prescriber_id),
        pharmacist_id: said(|known| &known.pharmacist_id),
        rx_id: said(|known| &known.rx_id),
        source: None,
    }
}

fn evidence(observed: &Side) -> pb::AlertSide {
    let origin = &observed.origin;
    let source = pb::SourceRecord {
        topic: origin.topic.to_string(),
        partition: origin.partition,
        offset: origin.offset,
    };
    pb::AlertSide { source: Some(source), ..side(observed) }
}

fn person(person: &Person) -> Option<pb::AlertPerson> {
    let text = |pseudonym: Option<Pseudonym>| pseudonym.map(|pseudonym| pseudonym.to_string());
    person.is_known().then(|| pb::AlertPerson { id: text(person.number), cert: text(person.certificate) })
}

fn attributes(finding: &Finding) -> pb::AlertAttributes {
    let attributes = &finding.attributes;
    let decimal = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.to_string());
    pb::AlertAttributes {
        shortfall: decimal(attributes.shortfall),
        reason: attributes.banned.iter().map(|reason| reason.name().into()).collect(),
        codes: attributes.codes.iter().map(concerned).collect(),
        need: decimal(attributes.need),
        used: decimal(attributes.used),
        content: decimal(attributes.content),
        estimate: attributes.estimate.then_some(true),
        count: attributes.count,
        grace_hours: attributes.grace_hours,
        evidence_omitted: (finding.evidence_omitted > 0).then_some(finding.evidence_omitted),
    }
}

fn concerned(code: &ConcernedCode) -> pb::AlertCode {
    pb::AlertCode {
        code: code.code.to_string(),
        invalid: code.invalid.map(|reason| reason.name().into()),
        product_code: code.product_code.as_deref().map(Into::into),
        product_name: code.product_name.as_deref().map(Into::into),
        lent_from: code.lent_from.as_ref().map(lent_from),
    }
}

fn lent_from(from: &LentFrom) -> pb::LentFrom {
    pb::LentFrom { document_id: from.document_id.to_string(), line_id: from.line_id.to_string() }
}

fn cause(cause: &Cause) -> pb::AlertCause {
    let document = cause.document.as_ref();
    pb::AlertCause {
        institution_id: document.map(|document| document.institution_id.to_string()),
        group: document.map(|document| document.group.name().into()),
        document_id: document.map(|document| document.document_id.to_string()),
        what: cause.what.name().into(),
    }
}

#[cfg(test)]
mod tests;
