//! 错码, invalid code: a scan that no family of codes accepts.
//!
//! The usual ones (HIS vendors' reports): the 13-digit product barcode 69… scanned instead of the trace code, a
//! code scanned twice into one field, a cut or overlong one. One finding per line lists every such scan and reason.
//!
//! Before the day of the duty (`duty_from`) an alert everywhere. Silent on dispense_return and stocktake. What a code means is not judged here.
//!
//! Example: a settlement line with `6901234567892` is held, reason `barcode_69`.

use super::{LineContext, concerned};
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::trace_code::Scan;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::InvalidCode,
    number: 5,
    name: "invalid_code",
    title: Words { zh: "错码", en: "invalid code" },
    judges: Judges::Line(Words {
        zh: "{line}有不能识别的追溯码：尾号{invalid_codes}，无法据此确认所售产品{money}。",
        en: "{line} has codes that are no trace codes: {invalid_codes}; the product cannot be confirmed{money}.",
    }),
    subject: subject::LINE,
    action: Action::Hold,
    severity: Severity::Low,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::PAY_BY_CODE,
    catches: "a code on the line is no trace code: a product barcode, cut off, scanned twice in one, wrong check digit; elsewhere than on settlements an alert",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let invalid = context.line.scans().filter_map(|scanned| match &scanned.scan {
        Scan::Invalid { text, reason } => {
            Some(ConcernedCode { invalid: Some(*reason), ..concerned(context.line, text) })
        }
        Scan::Valid(_) => None,
    });
    let codes: Vec<ConcernedCode> = invalid.collect();
    if codes.is_empty() {
        return None;
    }
    let stated = context.action_of_duty(Action::Hold, Action::Alert);
    context.finding(RuleId::InvalidCode, stated, Attributes { codes, ..Attributes::default() })
}
