//! State of the adjudicator.

use std::sync::Arc;

use super::{read, write};
use crate::domain::adjudicator::{Answer, ClaimState, Published, Said};
use crate::domain::amount::Money;
use crate::domain::claim::{DecisionLine, Verdict};
use crate::domain::rules::RuleId;
use crate::wire::WireError;
use crate::wire::log::claim::{read_paid, read_reasons, write_paid, write_reasons};
use crate::wire::log::{
    Numbered, TableReader, TableWriter, Wire, moment, read_all, read_optional, write_all,
};
use crate::wire::pb_internal as pb;

/// The bytes of a claim's state.
pub fn encode_claim(state: &ClaimState) -> Vec<u8> {
    let mut table = TableWriter::default();
    let answers = state.answers.iter().map(|((line_id, code), answer)| pb::Answer {
        line_id: table.text(line_id),
        code: table.text(code),
        revision: answer.revision,
        reasons: write_reasons(&answer.reasons),
    });
    let message = pb::ClaimState {
        answers: answers.collect(),
        claim: state.claim.as_ref().map(|claim| claim.to_message(&mut table)),
        published: state.published.as_ref().map(|published| published.to_message(&mut table)),
        released: state.released.fen(),
        deadline: state.deadline.map(|deadline| deadline.unix_millis()),
        answered_at: state.answered_at.map(|answered_at| answered_at.unix_millis()),
        paid: state.paid.as_ref().map(write_paid),
        table: Some(table.finish_packed()),
    };
    write(&message)
}

/// The state of a claim from its bytes.
pub fn decode_claim(bytes: &[u8]) -> Result<ClaimState, WireError> {
    let message: pb::ClaimState = read(bytes, "claim state")?;
    let table = TableReader::new(message.table)?;
    let mut state = ClaimState {
        claim: read_optional(&message.claim, &table)?,
        published: read_optional(&message.published, &table)?,
        released: Money::from_fen(message.released),
        deadline: message.deadline.map(moment),
        answered_at: message.answered_at.map(moment),
        paid: message.paid.as_ref().map(read_paid),
        ..ClaimState::default()
    };
    for answer in &message.answers {
        let key = (table.text(answer.line_id, "answer.line_id")?, table.text(answer.code, "answer.code")?);
        let reasons = read_reasons(&answer.reasons)?;
        state.answers.insert(key, Answer { revision: answer.revision, reasons });
    }
    state.count_missing();
    Ok(state)
}

impl Wire for Published {
    type Message = pb::PublishedDecision;

    fn to_message(&self, table: &mut TableWriter) -> pb::PublishedDecision {
        pb::PublishedDecision {
            revision: self.revision,
            verdict: self.said.verdict.number(),
            payable: self.said.payable.fen(),
            provisional: self.said.provisional,
            withdrawn: self.said.withdrawn,
            lines: self.said.lines.iter().map(|line| line.to_message(table)).collect(),
            paid: self.said.paid.as_ref().map(write_paid),
        }
    }

    fn from_message(message: &pb::PublishedDecision, table: &TableReader) -> Result<Self, WireError> {
        let said = Said {
            verdict: Verdict::required(message.verdict, "published.verdict")?,
            payable: Money::from_fen(message.payable),
            provisional: message.provisional,
            withdrawn: message.withdrawn,
            paid: message.paid.as_ref().map(read_paid),
            lines: read_all(&message.lines, table)?.into_iter().map(Arc::new).collect(),
        };
        Ok(Self { revision: message.revision, said })
    }
}

impl Wire for DecisionLine {
    type Message = pb::DecidedLine;

    fn to_message(&self, table: &mut TableWriter) -> pb::DecidedLine {
        pb::DecidedLine {
            line_id: table.text(&self.line_id),
            verdict: self.verdict.number(),
            reasons: self.reasons.iter().map(|rule| rule.number()).collect(),
            is_ruled: self.is_ruled,
            overruled: self.overruled.iter().map(|rule| rule.number()).collect(),
            amount: self.amount.fen(),
            lent: write_all(&self.lent, table),
        }
    }

    fn from_message(message: &pb::DecidedLine, table: &TableReader) -> Result<Self, WireError> {
        let rules = |numbers: &[i32]| -> Result<Vec<RuleId>, WireError> {
            numbers.iter().map(|rule| RuleId::required(*rule, "decided_line.rule")).collect()
        };
        Ok(Self {
            line_id: table.text(message.line_id, "decided_line.line_id")?,
            verdict: Verdict::required(message.verdict, "decided_line.verdict")?,
            reasons: rules(&message.reasons)?,
            is_ruled: message.is_ruled,
            overruled: rules(&message.overruled)?,
            amount: Money::from_fen(message.amount),
            lent: read_all(&message.lent, table)?,
        })
    }
}
