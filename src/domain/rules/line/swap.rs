//! 串换, swapped item (by catalogue): the line claims one product, the code on it belongs to another.
//!
//! The 实施细则 names swapping for unpayable, lower-ratio and lower-priced items. Basis `catalogue`: the product record
//! of the code's prefix names another product than the line. The other basis, `declared`, compares with what was said
//! of the same code before, and is a code rule.
//!
//! Silent when the line's product is unknown, and for codes whose prefix has no record, or one that names no product.
//!
//! Example: a settlement of `XA10BXR068A001010102111` with a code of prefix `8177322`, which is
//! `XR05CBA198A001010100863`, is refused.

use super::LineContext;
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::{Action, RuleId};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let claimed = context.line.product_code()?;
    let swapped = context.line.valid_codes().filter_map(|code| {
        let product = context.product(code)?;
        let actual = product.product_code.as_ref().filter(|actual| *actual != claimed)?;
        Some(ConcernedCode {
            code: code.normal.clone(),
            invalid: None,
            product_code: Some(actual.clone()),
            product_name: product.name.clone(),
        })
    });
    let codes: Vec<ConcernedCode> = swapped.collect();
    if codes.is_empty() {
        return None;
    }
    let stated = context.action(Action::Refuse, Action::Alert);
    context.finding(RuleId::Swap, stated, Attributes { codes, ..Attributes::default() })
}
