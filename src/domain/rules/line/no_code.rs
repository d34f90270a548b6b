//! 无码, no code: a line that needs trace codes and has none, not even a spoilt one.
//!
//! *No code, no payment*: since 1 July 2025 designated institutions settle by scanned code (four-ministry notice of
//! 19 March 2025). A line needs codes when its product is traceable: by the item record if one says so, else when the
//! catalogue code begins with X (western medicine) or Z (Chinese patent medicine).
//!
//! Silent when an exemption (饮片, 颗粒 and the like) or a dated no-code stock entry (无码库) covers the line, and when
//! there is any scan at all: a wrong one is `invalid_code`. A settlement line without code whose product is unknown
//! is held until its fee facet arrives and says what it is. And where the codes come with the hand-over
//! ([`lending`](crate::domain::document::lending)), a line without any is held until that has had its time
//! (`codes_grace`), and refused then.
//!
//! Before the day of the duty (`duty_from`) it never says more than an alert.
//!
//! Example: a settlement of `XR05CBA198A001010100863` without codes is refused; its dispensing raises an alert;
//! the same line of decoction pieces `T001700001` is paid.

use super::{LineContext, Stream, setting};
use crate::domain::Text;
use crate::domain::document::lending::writes_codes_itself;
use crate::domain::document::live::{LiveDocument, LiveLine};
use crate::domain::finding::{Attributes, Finding};
use crate::domain::observation::known_at;
use crate::domain::reference::Key;
use crate::domain::rules::entry::{Grace, Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::{Millis, Timestamp};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::NoCode,
    number: 6,
    name: "no_code",
    title: Words { zh: "无码", en: "no code" },
    judges: Judges::Line(Words {
        zh: "{line}应扫追溯码而没有追溯码，无码不付{money}。",
        en: "{line} needs a trace code and has none: no code, no payment{money}.",
    }),
    subject: subject::LINE,
    action: Action::Refuse,
    severity: Severity::High,
    grace: Some(Grace { name: "codes_grace", default: Millis::from_hours(48) }),
    is_alert: true,
    allowable: true,
    basis: basis::PAY_BY_CODE,
    catches: "a line that needs a trace code has none; on a dispensing an alert; on a settlement also where the product is unknown, then held",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    if !context.is_sale() || context.line.has_scans() {
        return None;
    }
    let stated = match context.line.product_code() {
        Some(_) if needs_codes(context.document, context.line) && is_waiting(context) => {
            context.action_of_duty(Action::Hold, Action::Hold)
        }
        Some(_) if needs_codes(context.document, context.line) => {
            context.action_of_duty(Action::Refuse, Action::Alert)
        }
        None if context.stream == Stream::Settlement => context.action_of_duty(Action::Hold, Action::Hold),
        _ => return None,
    };
    context.finding(RuleId::NoCode, stated, Attributes::default())
}

/// When the hand-over has had its time, of a settlement line that still waits for its codes.
pub(super) fn waits_until(context: &LineContext<'_>) -> Option<Timestamp> {
    let may_wait =
        !context.line.has_scans() && needs_codes(context.document, context.line) && is_waiting(context);
    grace_ends(context).filter(|_| may_wait)
}

fn is_waiting(context: &LineContext<'_>) -> bool {
    grace_ends(context).is_some_and(|ends| context.now.is_none_or(|now| now < ends))
}

/// When the hand-over has had its time to lend, where it may lend at all.
fn grace_ends(context: &LineContext<'_>) -> Option<Timestamp> {
    let LineContext { document, line, rules, .. } = context;
    let header = &document.header.part.content;
    let is_named = header.settlement_id.is_some() || header.visit_id.is_some();
    let may_borrow = context.stream == Stream::Settlement
        && is_named
        && !writes_codes_itself(document.institution(), document.day());
    let known_at = known_at(header.moment(), document.header.issued_at);
    may_borrow.then(|| known_at.plus(setting(document, line, rules, RuleId::NoCode).grace))
}

/// Whether the line's product is known, traceable and not excused.
pub fn needs_codes(document: &LiveDocument<'_>, line: &LiveLine<'_>) -> bool {
    line.product_code()
        .is_some_and(|code| is_traceable(document, line, code) && !is_excused(document, line, code))
}

fn is_traceable(document: &LiveDocument<'_>, line: &LiveLine<'_>, product_code: &Text) -> bool {
    let item = line.fee.and_then(|fee| fee.part.reference.item(product_code, document.day()));
    item.and_then(|item| item.traceable).unwrap_or_else(|| product_code.starts_with(['X', 'Z']))
}

fn is_excused(document: &LiveDocument<'_>, line: &LiveLine<'_>, product_code: &Text) -> bool {
    let institution_id = &document.key.institution_id;
    let excuses = [
        Key::Exemption { product_code: product_code.clone(), institution_id: None },
        Key::Exemption { product_code: product_code.clone(), institution_id: Some(institution_id.clone()) },
        Key::NoCodeStock { institution_id: institution_id.clone(), product_code: product_code.clone() },
    ];
    let day = document.day();
    line.fee.is_some_and(|fee| excuses.iter().any(|key| fee.part.reference.has(key, day)))
}
