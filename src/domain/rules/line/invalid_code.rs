//! 错码, invalid code: a scan that no family of codes accepts.
//!
//! The usual ones (HIS vendors' reports): the 13-digit product barcode 69… scanned instead of the trace code, a
//! code scanned twice into one field, a cut or overlong one. One finding per line lists every such scan and reason.
//!
//! Before the day of the duty (`duty_from`) an alert everywhere. Silent on dispense_return and stocktake. What a code means is not judged here.
//!
//! Example: a settlement line with `6901234567892` is held, reason `barcode_69`.

use super::LineContext;
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::{Action, RuleId};
use crate::domain::trace_code::Scan;

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let invalid = context.line.scans().filter_map(|scanned| match &scanned.scan {
        Scan::Invalid { text, reason } => Some(ConcernedCode {
            code: text.clone(),
            invalid: Some(*reason),
            product_code: None,
            product_name: None,
        }),
        Scan::Valid(_) => None,
    });
    let codes: Vec<ConcernedCode> = invalid.collect();
    if codes.is_empty() {
        return None;
    }
    let stated = context.action_of_duty(Action::Hold, Action::Alert);
    context.finding(RuleId::InvalidCode, stated, Attributes { codes, ..Attributes::default() })
}
