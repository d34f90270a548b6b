//! 单据超限, over the limits: a document that grew, by partial uploads, past what one upload may have.
//!
//! Such a document is kept but not judged: it makes no observations and no other line rule looks at it, so that
//! nobody can make one document cost more than its limits. One finding says so; its subject is the first line. A
//! claim is held as a whole, whatever the rule set says: what is not judged is not paid.
//!
//! Silent within the limits, of lines ([`LINES_MAX`]) and of codes ([`CODES_MAX`]).
//!
//! Example: 6,000 fee lines of one visit in six uploads of 1,000: one alert with count 6000.
//!
//! [`LINES_MAX`]: crate::domain::document::live::LINES_MAX
//! [`CODES_MAX`]: crate::domain::document::live::CODES_MAX

use super::finding;
use crate::domain::document::Kind;
use crate::domain::document::live::LiveDocument;
use crate::domain::finding::{Attributes, Finding};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId};

pub(super) fn check(document: &LiveDocument<'_>, rules: &RuleSet) -> Option<Finding> {
    let first = document.lines.first()?;
    let parts = document.lines.len().max(document.code_count());
    let attributes = Attributes { count: u64::try_from(parts).ok(), ..Attributes::default() };
    let stated = if document.kind() == Kind::Settlement { Action::Hold } else { Action::Alert };
    finding(document, first, rules, RuleId::OverLimit, stated, attributes)
}
