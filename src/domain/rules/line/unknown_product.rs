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
use crate::domain::rules::{Action, RuleId};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let unknown =
        context.line.valid_codes().filter(|code| code.prefix.is_some() && context.product(code).is_none());
    let codes: Vec<ConcernedCode> = unknown.map(concerned).collect();
    if codes.is_empty() {
        return None;
    }
    context.finding(RuleId::UnknownProduct, Action::Observe, Attributes { codes, ..Attributes::default() })
}
