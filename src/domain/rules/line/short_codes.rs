//! 码数不足, too few codes: a settlement line with some codes, but not enough for its quantity.
//!
//! Every pack paid for must show its code. Coverage is the sum over the line's distinct valid codes of the packs
//! that one code stands for (one where the catalogue has no record); of a split line, of the units in them.
//!
//! Silent when the line needs no codes, has none at all (`no_code`), has a lot code (which stands for any number of
//! packs) or no quantity, and on a split line when the units of some code are unknown. Invalid codes cover nothing,
//! so a line of spoilt scans only falls short by its whole quantity.
//!
//! Before the day of the duty (`duty_from`) an alert.
//!
//! Example: three packs settled with one 20-digit code and two unreadable ones: coverage 1, shortfall 2, held.

use super::{LineContext, Stream, no_code};
use crate::domain::amount::Quantity;
use crate::domain::finding::{Attributes, Finding};
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::ShortCodes,
    number: 17,
    name: "short_codes",
    title: Words { zh: "码数不足", en: "too few codes" },
    judges: Judges::Line(Words {
        zh: "{line}的追溯码数量不足，尚缺{shortfall}，未扫码的部分无法证明已实际发出{money}。",
        en: "{line} has too few trace codes{shortfall}; nothing shows that the rest was handed over{money}.",
    }),
    subject: subject::LINE,
    action: Action::Hold,
    severity: Severity::Medium,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::PAY_BY_CODE,
    catches: "fewer packs were scanned than are claimed",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    let line = context.line;
    if context.stream != Stream::Settlement
        || !line.has_scans()
        || line.valid_codes().any(|code| !code.is_unit)
        || !no_code::needs_codes(context.document, context.line)
    {
        return None;
    }
    let quantity = line.quantity()?;
    let covered = coverage_thousandths(context)?;
    let missing = i128::from(quantity.thousandths()).checked_sub(covered).filter(|missing| *missing > 0)?;
    let shortfall = i64::try_from(missing).ok().map(Quantity::from_thousandths);
    let stated = context.action_of_duty(Action::Hold, Action::Hold);
    context.finding(RuleId::ShortCodes, stated, Attributes { shortfall, ..Attributes::default() })
}

/// None when it cannot be evaluated. Up to 20,000 codes of 10^12 units each: more than 64 bits in thousandths.
fn coverage_thousandths(context: &LineContext<'_>) -> Option<i128> {
    let mut covered = 0_i128;
    for code in context.line.valid_codes() {
        let product = context.product(code);
        let packs = product.map_or(1, |product| product.packs_per_code);
        let units = if context.line.is_split() { product?.units_per_pack? } else { 1 };
        covered = covered.saturating_add(i128::from(packs) * i128::from(units) * 1000);
    }
    Some(covered)
}
