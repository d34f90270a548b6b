//! 退费无对应, refund without match: an adjustment of a settlement that fits nothing there.
//!
//! A partial refund takes off a line what was given back. One that names no line of the document, or takes off more than
//! is left where it acts, is an error of the sender, or belongs to a claim that is still to come.
//!
//! Silent when it fits, and when a quantity is not known: then nobody can say that it is too much.
//!
//! Example: two boxes are claimed and three refunded.

use super::{header_side, plain, whom};
use crate::domain::document::adjust::LiveAdjustment;
use crate::domain::document::live::LiveDocument;
use crate::domain::finding::{Finding, Side};
use crate::domain::observation::ObservationKey;
use crate::domain::rules::entry::{Judges, RuleEntry, Words};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::RefundUnmatched,
    number: 21,
    name: "refund_unmatched",
    title: Words { zh: "退费无对应", en: "refund without match" },
    judges: Judges::Line(Words {
        zh: "{line}为退费，但该结算单中没有对应的明细，或退费数量多于该明细所余数量。",
        en: "{line} refunds what its claim does not hold: no such line, or less than that is left.",
    }),
    subject: "the adjustment",
    action: Action::Alert,
    severity: Severity::Low,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: "a refund takes back what was claimed; one that fits nothing hides an error or a claim that is still to come",
    catches: "an adjustment of a settlement takes off more than there is, or nothing that it could be meant for is there",
};

const RULE: RuleId = RuleId::RefundUnmatched;

pub(super) fn check(
    document: &LiveDocument<'_>,
    adjustment: &LiveAdjustment<'_>,
    rules: &RuleSet,
) -> Option<Finding> {
    if !adjustment.is_unmatched() {
        return None;
    }
    let fee = &adjustment.fee.part.content;
    let setting = rules.setting(RULE, &whom(document, fee.product_code.as_ref()));
    let key = ObservationKey { document: document.key.clone(), line_id: adjustment.line_id.clone() };
    let subject = Side {
        key,
        origin: adjustment.fee.origin.clone(),
        surroundings: super::surroundings(document, Some(fee)),
        ..header_side(document)
    };
    plain(RULE, &setting, Action::Alert, subject, Some(fee))
}
