//! Decisions on their way out. The fields and their order are a contract, defined in
//! `proto/tracewarden/v1/decision.proto` for both formats.

mod form;

use super::{Event, json_form, parse_json};
use super::{Format, Message};
use crate::domain::claim::{Decision, DecisionLine, LentTo};
use crate::domain::rules::RuleId;
use crate::wire::WireError;
use crate::wire::pb;

pub use crate::wire::pb::Decision as DecisionMessage;

/// The record of a revision. Its key is `institution_id/document_id`; institution ids have 12 characters and no slash.
pub fn encode(decision: &Decision, format: Format) -> Message {
    let key = format!("{}/{}", decision.key.institution_id, decision.key.document_id);
    let event = Event {
        id: format!("{key}/{}", decision.revision),
        source: "/tracewarden/decisions",
        kind: "tracewarden.decision".to_owned(),
        time: Some(decision.decided_at),
        subject: &key,
    };
    let payload = match format {
        Format::Json => form::to_json(decision),
        Format::Protobuf => format.write(&message(decision)),
    };
    event.message(key.clone().into_bytes(), payload, format)
}

/// Reads the JSON form.
pub fn parse(json: &[u8]) -> Result<DecisionMessage, WireError> {
    parse_json(json, "decision")
}

/// The JSON form of a published decision, whatever format its `content-type` header names.
pub fn to_json(payload: &[u8], content_type: Option<&[u8]>) -> Result<Vec<u8>, WireError> {
    json_form::<DecisionMessage>(payload, content_type, "decision")
}

/// The message of a revision.
pub fn message(decision: &Decision) -> DecisionMessage {
    DecisionMessage {
        claim: Some(pb::DecisionClaim {
            institution_id: decision.key.institution_id.to_string(),
            document_id: decision.key.document_id.to_string(),
        }),
        revision: decision.revision,
        verdict: decision.verdict.name().into(),
        payable: decision.payable.to_string(),
        provisional: decision.provisional,
        deadline: decision.deadline.map(|deadline| deadline.to_string()),
        recover: decision.recover.to_string(),
        paid: decision.paid.map(|paid| paid.paid.to_string()),
        recovered: decision.paid.and_then(|paid| paid.recovered).map(|recovered| recovered.to_string()),
        lines: decision.lines.iter().map(|decided| line(decided)).collect(),
        withdrawn: decision.withdrawn,
        occurred_at: decision.occurred_at.to_string(),
        received_at: decision.received_at.to_string(),
        decided_at: decision.decided_at.to_string(),
        ruleset: decision.ruleset.to_string(),
        reference: decision.reference_version.to_string(),
    }
}

fn line(line: &DecisionLine) -> pb::DecisionLine {
    pb::DecisionLine {
        line_id: line.line_id.to_string(),
        verdict: line.verdict.name().into(),
        reasons: line.reason_names().into_iter().map(str::to_owned).collect(),
        overruled: names(&line.overruled).into_iter().map(str::to_owned).collect(),
        amount: line.amount.to_string(),
        lent: line.lent.iter().map(lent).collect(),
    }
}

fn lent(lent: &LentTo) -> pb::LentCode {
    pb::LentCode {
        code: lent.code.to_string(),
        document_id: lent.document_id.to_string(),
        line_id: lent.line_id.to_string(),
    }
}

/// The names of rules, sorted.
fn names(rules: &[RuleId]) -> Vec<&'static str> {
    let mut names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests;
