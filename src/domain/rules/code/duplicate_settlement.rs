//! `duplicate_settlement` 重复结算: the fund is asked to pay for what it was already asked to pay for.
//!
//! **Catches** a settled sale that wants more of the code than is left, while another settled sale is open. The
//! counterpart is the latest such sale. Refused; only held when a need involved is an estimate (a share of a line
//! with several codes), or when the subject's institution had taken the code into custody and the counterpart's
//! had not: then the earlier claim is the doubtful one.
//!
//! **Silent** when the earlier sale was returned, when content is left, when either sale was never settled, and
//! when both are split (that is `over_split`).
//!
//! **Example.** A box with one code is settled at a pharmacy on the 5th. On the 9th a hospital settles the same
//! code: the second claim is refused, counterpart the first. If the pharmacy reports on the 12th that the box
//! was given back on the 7th, the finding is gone.

use super::docket::{Docket, Statement};
use crate::domain::finding::Attributes;
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::DuplicateSettlement;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let Some(subject) = sale.settlement.filter(|_| walk.is_short(sale)) else {
        return;
    };
    let is_other_claim = |other: &Sale<'_>| other.is_settled() && !(sale.is_split() && other.is_split());
    let Some(latest) = walk.open_latest_first().find(|open| is_other_claim(open.sale)) else {
        return;
    };
    let Some(setting) = docket.setting(RULE, subject.observation) else {
        return;
    };
    let counterpart = latest.sale.anchor;
    let estimate = sale.need().is_estimate || walk.used().has_estimate();
    let only_the_subject_had_custody =
        walk.custody_at(&subject).taken && !walk.custody_at(&counterpart).taken;
    let action = if estimate || only_the_subject_had_custody { Action::Hold } else { Action::Refuse };
    let mut statement = Statement::about(RULE, action, setting, subject)
        .against(counterpart)
        .with_scope()
        .resting_on(sale)
        .resting_on_use(walk, |_| true);
    statement.attributes = shortage(sale, walk);
    docket.enter(statement, walk);
}

/// What makes a sale short.
pub(super) fn shortage(sale: &Sale<'_>, walk: &Walk<'_, '_>) -> Attributes {
    Attributes {
        need: Some(sale.need().amount),
        used: Some(walk.used().amount()),
        content: Some(walk.timeline().pack.content()),
        estimate: sale.need().is_estimate || walk.used().has_estimate(),
        ..Attributes::default()
    }
}
