//! Claims and the monitor's answers to them.

use std::collections::BTreeMap;

use super::{
    Numbered, TableReader, TableWriter, Wire, WireError, moment, paired_enums, read, read_all, write_all,
};
use crate::domain::amount::Money;
use crate::domain::claim::{Claim, ClaimChange, ClaimLine, ClaimPaid, CodeVerdict, LentTo, Verdict};
use crate::domain::handling::{LineRuling, Paid};
use crate::domain::rules::RuleId;
use crate::wire::pb_internal as pb;

paired_enums! {
    Verdict, pb::Verdict, "verdict" { Pay = Pay, Hold = Hold, Refuse = Refuse }
}

/// Reasons with what each of them does.
pub(crate) fn write_reasons(reasons: &BTreeMap<RuleId, Verdict>) -> Vec<pb::Reason> {
    let reasons = reasons.iter();
    reasons.map(|(rule, verdict)| pb::Reason { rule: rule.number(), verdict: verdict.number() }).collect()
}

/// The inverse of [`write_reasons`].
pub(crate) fn read_reasons(messages: &[pb::Reason]) -> Result<BTreeMap<RuleId, Verdict>, WireError> {
    let read = |reason: &pb::Reason| {
        Ok((
            RuleId::required(reason.rule, "reason.rule")?,
            Verdict::required(reason.verdict, "reason.verdict")?,
        ))
    };
    messages.iter().map(read).collect()
}

impl Wire for LentTo {
    type Message = pb::LentTo;

    fn to_message(&self, table: &mut TableWriter) -> pb::LentTo {
        pb::LentTo {
            code: table.text(&self.code),
            document_id: table.text(&self.document_id),
            line_id: table.text(&self.line_id),
        }
    }

    fn from_message(message: &pb::LentTo, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            code: table.text(message.code, "lent.code")?,
            document_id: table.text(message.document_id, "lent.document_id")?,
            line_id: table.text(message.line_id, "lent.line_id")?,
        })
    }
}

fn read_ruling(message: &pb::LineRuling) -> Result<LineRuling, WireError> {
    let rules = message.rules.iter().map(|rule| RuleId::required(*rule, "line_ruling.rules"));
    Ok(LineRuling {
        verdict: Verdict::required(message.verdict, "line_ruling.verdict")?,
        rules: rules.collect::<Result<_, _>>()?,
    })
}

/// What was paid, and what of it came back.
pub(crate) fn write_paid(paid: &Paid) -> pb::Paid {
    pb::Paid { paid: paid.paid.fen(), recovered: paid.recovered.map(Money::fen) }
}

/// The inverse of [`write_paid`].
pub(crate) fn read_paid(message: &pb::Paid) -> Paid {
    Paid { paid: Money::from_fen(message.paid), recovered: message.recovered.map(Money::from_fen) }
}

impl Wire for ClaimPaid {
    type Message = pb::ClaimPaid;

    fn to_message(&self, table: &mut TableWriter) -> pb::ClaimPaid {
        pb::ClaimPaid { key: Some(self.key.to_message(table)), paid: self.paid.as_ref().map(write_paid) }
    }

    fn from_message(message: &pb::ClaimPaid, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "claim_paid.key", table)?,
            paid: message.paid.as_ref().map(read_paid),
        })
    }
}

impl Wire for ClaimLine {
    type Message = pb::ClaimLine;

    fn to_message(&self, table: &mut TableWriter) -> pb::ClaimLine {
        let awaits = self.awaits.iter();
        let awaits =
            awaits.map(|(code, revision)| pb::AwaitedCode { code: table.text(code), revision: *revision });
        pb::ClaimLine {
            awaits: awaits.collect(),
            line_id: table.text(&self.line_id),
            amount: self.amount.fen(),
            reasons: write_reasons(&self.reasons),
            lent: write_all(&self.lent, table),
            ruling: self.ruling.as_ref().map(|ruling| pb::LineRuling {
                verdict: ruling.verdict.number(),
                rules: ruling.rules.iter().map(|rule| rule.number()).collect(),
            }),
        }
    }

    fn from_message(message: &pb::ClaimLine, table: &TableReader) -> Result<Self, WireError> {
        let awaits = message.awaits.iter();
        let awaits =
            awaits.map(|awaited| Ok((table.text(awaited.code, "claim_line.awaits.code")?, awaited.revision)));
        Ok(Self {
            line_id: table.text(message.line_id, "claim_line.line_id")?,
            amount: Money::from_fen(message.amount),
            reasons: read_reasons(&message.reasons)?,
            ruling: message.ruling.as_ref().map(read_ruling).transpose()?,
            awaits: awaits.collect::<Result<_, WireError>>()?,
            lent: read_all(&message.lent, table)?,
        })
    }
}

impl Wire for Claim {
    type Message = pb::Claim;

    fn to_message(&self, table: &mut TableWriter) -> pb::Claim {
        pb::Claim {
            key: Some(self.key.to_message(table)),
            revision: self.revision,
            withdrawn: self.withdrawn,
            occurred_at: self.occurred_at.unix_millis(),
            lines: write_all(&self.lines, table),
            ruleset: table.text(&self.ruleset),
            reference_version: self.reference_version,
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::Claim, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "claim.key", table)?,
            revision: message.revision,
            withdrawn: message.withdrawn,
            occurred_at: moment(message.occurred_at),
            lines: read_all(&message.lines, table)?,
            ruleset: table.text(message.ruleset, "claim.ruleset")?,
            reference_version: message.reference_version,
            origin: read(&message.origin, "claim.origin", table)?,
        })
    }
}

impl Wire for ClaimChange {
    type Message = pb::ClaimChange;

    fn to_message(&self, table: &mut TableWriter) -> pb::ClaimChange {
        pb::ClaimChange {
            key: Some(self.key.to_message(table)),
            revision: self.revision,
            lines: write_all(&self.lines, table),
            ruleset: table.text(&self.ruleset),
            reference_version: self.reference_version,
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::ClaimChange, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "claim_change.key", table)?,
            revision: message.revision,
            lines: read_all(&message.lines, table)?,
            ruleset: table.text(message.ruleset, "claim_change.ruleset")?,
            reference_version: message.reference_version,
            origin: read(&message.origin, "claim_change.origin", table)?,
        })
    }
}

impl Wire for CodeVerdict {
    type Message = pb::CodeVerdict;

    fn to_message(&self, table: &mut TableWriter) -> pb::CodeVerdict {
        pb::CodeVerdict {
            key: Some(self.key.to_message(table)),
            line_id: table.text(&self.line_id),
            code: table.text(&self.code),
            revision: self.revision,
            reasons: write_reasons(&self.reasons),
        }
    }

    fn from_message(message: &pb::CodeVerdict, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "verdict.key", table)?,
            line_id: table.text(message.line_id, "verdict.line_id")?,
            code: table.text(message.code, "verdict.code")?,
            revision: message.revision,
            reasons: read_reasons(&message.reasons)?,
        })
    }
}
