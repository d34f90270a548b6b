//! 禁售, banned from sale: what must not be sold on that day.
//!
//! The Drug Administration Law forbids expired drugs; recalled lots and listed codes come as reference data. On a
//! settlement the line is refused; it is never an alert, because expiry and recall are the drug regulator's matter and
//! the decision says it already.
//!
//! Silent on procurement: stock may well be recalled on its way back. The expiry day itself is still good.
//!
//! Example: expires_on 2026-01-04, settled on 2026-01-05 Beijing time: refused, ground `expired`.

use super::{LineContext, concerned};
use crate::domain::finding::{Attributes, BannedReason, ConcernedCode, Finding};
use crate::domain::reference::Key;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::trace_code::TraceCode;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::Banned,
    number: 1,
    name: "banned",
    title: Words { zh: "禁售", en: "banned from sale" },
    judges: Judges::Line(Words {
        zh: "{line}属于禁售范围（{grounds}），不得销售{money}。",
        en: "{line} is for a product that must not be sold ({grounds}){money}.",
    }),
    subject: subject::LINE,
    action: Action::Refuse,
    severity: Severity::High,
    grace: None,
    is_alert: false,
    allowable: true,
    basis: "《药品管理法》: expired drugs count as substandard; recalled and listed ones must not be sold",
    catches: "the product was expired on the day of sale, its lot was recalled, or its code is listed; speaks by decisions only, and dispensings are only counted",
};

pub(super) fn check(context: &LineContext<'_>) -> Option<Finding> {
    if !context.is_sale() {
        return None;
    }
    let codes = listed_codes(context);
    let grounds = [
        (BannedReason::Expired, is_expired(context)),
        (BannedReason::Recalled, is_recalled(context)),
        (BannedReason::Listed, !codes.is_empty()),
    ];
    let banned: Vec<BannedReason> =
        grounds.into_iter().filter_map(|(ground, holds)| holds.then_some(ground)).collect();
    if banned.is_empty() {
        return None;
    }
    let stated = context.action(Action::Refuse, Action::Observe);
    context.finding(RuleId::Banned, stated, Attributes { banned, codes, ..Attributes::default() })
}

fn is_expired(context: &LineContext<'_>) -> bool {
    let expires_on = context.line.fee_content().and_then(|fee| fee.expires_on);
    expires_on.is_some_and(|expires_on| expires_on < context.document.day())
}

fn is_recalled(context: &LineContext<'_>) -> bool {
    context.line.fee.is_some_and(|fee| {
        let (Some(product_code), Some(lot)) = (&fee.part.content.product_code, &fee.part.content.lot) else {
            return false;
        };
        let recall = Key::Recall { product_code: product_code.clone(), lot: lot.clone() };
        fee.part.reference.has(&recall, context.document.day())
    })
}

fn listed_codes(context: &LineContext<'_>) -> Vec<ConcernedCode> {
    let day = context.document.day();
    let is_listed = |code: &&TraceCode| {
        let key = Key::BannedCode { code: code.normal.clone() };
        context.line.reference_of(code).is_some_and(|reference| reference.has(&key, day))
    };
    let listed = context.line.valid_codes().filter(is_listed);
    listed.map(|code| concerned(context.line, &code.normal)).collect()
}
