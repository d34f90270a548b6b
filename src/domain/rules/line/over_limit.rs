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
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::OverLimit,
    number: 8,
    name: "over_limit",
    title: Words { zh: "单据超限", en: "document over its limits" },
    judges: Judges::Line(Words {
        zh: "{line}所在单据的内容超过处理上限{parts}，未作完整核对，暂缓支付{money}。",
        en: "{line} is in a document over its limits{parts}; it is not checked, and its payment is held{money}.",
    }),
    subject: "the document's first line",
    action: Action::Hold,
    severity: Severity::Medium,
    grace: None,
    is_alert: true,
    allowable: false,
    basis: basis::NOT_JUDGED_NOT_PAID,
    catches: "a document grew past its limits by partial uploads; it is kept and not judged, and a claim is held as a whole",
};

pub(super) fn check(document: &LiveDocument<'_>, rules: &RuleSet) -> Option<Finding> {
    let first = document.lines.first()?;
    let parts = document.lines.len().max(document.code_count());
    let attributes = Attributes { count: u64::try_from(parts).ok(), ..Attributes::default() };
    let stated = if document.kind() == Kind::Settlement { Action::Hold } else { Action::Alert };
    finding(document, first, rules, RuleId::OverLimit, stated, attributes)
}
