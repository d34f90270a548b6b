//! 未知标识码, unknown product: a valid code whose prefix the catalogue does not know on that day.
//!
//! The mapping of 7-digit prefixes (药品标识码) to catalogue products is published piecemeal, so this is a measure of
//! the catalogue more than of the sender: metrics only by default.
//!
//! Silent for makers' own codes, which have no prefix.
//!
//! Example: code `81000990000000000001` with no product record of `8100099`.

use super::{LineContext, concerned};
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::entry::{Judges, RuleEntry, Words, subject};
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::UnknownProduct,
    number: 20,
    name: "unknown_product",
    title: Words { zh: "未知标识码", en: "unknown product prefix" },
    judges: Judges::Line(Words {
        zh: "{line}的追溯码（尾号{codes}）的标识码未收录，无法核对产品。",
        en: "{line} has codes whose product prefix is not on file: {codes}.",
    }),
    subject: subject::LINE,
    action: Action::Observe,
    severity: Severity::Info,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: "the catalogue of prefixes is incomplete, which is nobody's fault",
    catches: "the prefix of a valid code has no product record",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let unknown =
        context.line.valid_codes().filter(|code| code.prefix.is_some() && context.product(code).is_none());
    let codes: Vec<ConcernedCode> = unknown.map(|code| concerned(context.line, &code.normal)).collect();
    if codes.is_empty() {
        return None;
    }
    context.finding(RuleId::UnknownProduct, Action::Observe, Attributes { codes, ..Attributes::default() })
}
