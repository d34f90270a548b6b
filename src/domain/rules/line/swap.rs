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

use super::{LineContext, concerned};
use crate::domain::finding::{Attributes, ConcernedCode, Finding};
use crate::domain::rules::entry::{Judges, RuleEntry, Words};
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::Swap,
    number: 19,
    name: "swap",
    title: Words { zh: "串换", en: "swapped item" },
    judges: Judges::Both {
        line: Words {
            zh: "{line}上报为{product}，而追溯码{products_of_codes}，上报的与所扫的不是同一种产品{money}。",
            en: "{line} claims {product}, but {products_of_codes}: what was declared is not what was scanned{money}.",
        },
        code: Words {
            zh: "{package}在{event}时申报为{product}，而在{theirs}时是另一种产品，同一追溯码不会变成另一种产品{money}。",
            en: "{mine} as {product}, but {theirs_it} as another product; a package does not change{money}.",
        },
    },
    subject: "the line (catalogue); the observation (declared)",
    action: Action::Refuse,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: "实施细则 (in force 1 Apr 2026): swapping for unpayable, lower-ratio or lower-priced items",
    catches: "the code belongs to another product than the line claims: by the catalogue of prefixes (refused on a settlement, elsewhere an alert), or by what was declared of the code before (held on a settlement, elsewhere an alert)",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let claimed = context.line.product_code()?;
    let swapped = context.line.valid_codes().filter_map(|code| {
        let product = context.product(code)?;
        let actual = product.product_code.as_ref().filter(|actual| *actual != claimed)?;
        Some(ConcernedCode {
            product_code: Some(actual.clone()),
            product_name: product.name.clone(),
            ..concerned(context.line, &code.normal)
        })
    });
    let codes: Vec<ConcernedCode> = swapped.collect();
    if codes.is_empty() {
        return None;
    }
    let stated = context.action(Action::Refuse, Action::Alert);
    context.finding(RuleId::Swap, stated, Attributes { codes, ..Attributes::default() })
}
