//! The JSON form of a decision, written without the message in between: a claim of thousands of lines is decided anew with
//! every hand-over that lends to one of them, and the whole decision is written each time.

use std::fmt::Display;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::names;
use crate::domain::claim::{Decision, DecisionLine, LentTo};

/// About how many bytes a decision takes beside its lines, and each line of it.
const BYTES: usize = 512;
const LINE_BYTES: usize = 160;

/// The bytes. They are those of the message.
pub(super) fn to_json(decision: &Decision) -> Vec<u8> {
    let bytes = decision.lines.len().saturating_mul(LINE_BYTES).saturating_add(BYTES);
    crate::wire::outbound::json_of(&Form::of(decision), bytes)
}

/// A decision, with the fields of the message.
#[derive(Serialize)]
struct Form<'a> {
    claim: ClaimForm<'a>,
    revision: u32,
    verdict: &'static str,
    payable: Shown<'a>,
    provisional: bool,
    deadline: Option<Shown<'a>>,
    recover: Shown<'a>,
    paid: Option<Shown<'a>>,
    recovered: Option<Shown<'a>>,
    lines: Lines<'a>,
    withdrawn: bool,
    occurred_at: Shown<'a>,
    received_at: Shown<'a>,
    decided_at: Shown<'a>,
    ruleset: &'a str,
    reference: Shown<'a>,
}

#[derive(Serialize)]
struct ClaimForm<'a> {
    institution_id: &'a str,
    document_id: &'a str,
}

#[derive(Serialize)]
struct LineForm<'a> {
    line_id: &'a str,
    verdict: &'static str,
    reasons: Vec<&'static str>,
    overruled: Vec<&'static str>,
    lent: Lent<'a>,
    amount: Shown<'a>,
}

#[derive(Serialize)]
struct LentForm<'a> {
    code: &'a str,
    document_id: &'a str,
    line_id: &'a str,
}

/// A value as the text that it is shown as.
struct Shown<'a>(&'a dyn Display);

struct Lines<'a>(&'a [Arc<DecisionLine>]);

struct Lent<'a>(&'a [LentTo]);

impl<'a> Form<'a> {
    fn of(decision: &'a Decision) -> Self {
        Self {
            claim: ClaimForm {
                institution_id: &decision.key.institution_id,
                document_id: &decision.key.document_id,
            },
            revision: decision.revision,
            verdict: decision.verdict.name(),
            payable: Shown(&decision.payable),
            provisional: decision.provisional,
            deadline: decision.deadline.as_ref().map(|deadline| Shown(deadline)),
            recover: Shown(&decision.recover),
            paid: decision.paid.as_ref().map(|paid| Shown(&paid.paid)),
            recovered: decision.paid.as_ref().and_then(|paid| paid.recovered.as_ref()).map(|fen| Shown(fen)),
            lines: Lines(&decision.lines),
            withdrawn: decision.withdrawn,
            occurred_at: Shown(&decision.occurred_at),
            received_at: Shown(&decision.received_at),
            decided_at: Shown(&decision.decided_at),
            ruleset: &decision.ruleset,
            reference: Shown(&decision.reference_version),
        }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|line| LineForm {
            line_id: &line.line_id,
            verdict: line.verdict.name(),
            reasons: line.reason_names(),
            overruled: names(&line.overruled),
            lent: Lent(&line.lent),
            amount: Shown(&line.amount),
        }))
    }
}

impl Serialize for Lent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|lent| LentForm {
            code: &lent.code,
            document_id: &lent.document_id,
            line_id: &lent.line_id,
        }))
    }
}
