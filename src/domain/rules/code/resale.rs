//! `resale` 再次销售: one box sold to two people, or at two places.
//!
//! **Catches** a sale, settled or not, that wants more of the code than is left, while a sale at another
//! institution or to a different person is open. The counterpart is the latest such sale. Held.
//!
//! **Silent** when the earlier sale was returned, when content is left, when both are split, and when place and
//! person are the same: a repeat at the same place is tolerated. An unknown person is not a different one.
//!
//! **Example.** A pharmacy hands a box to one person on the 5th and reports the same code handed to another on
//! the 9th: the second sale is a resale, scope `institution`.

use super::docket::{Docket, Statement};
use super::duplicate_settlement::shortage;
use crate::domain::document::Identity;
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::Resale;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    if !walk.is_short(sale) {
        return;
    }
    let is_elsewhere_or_to_another = |other: &Sale<'_>| {
        !(sale.is_split() && other.is_split())
            && (sale.institution_id() != other.institution_id()
                || sale.person().compare(other.person()) == Identity::Different)
    };
    let Some(latest) = walk.open_latest_first().find(|open| is_elsewhere_or_to_another(open.sale)) else {
        return;
    };
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let mut statement = Statement::about(RULE, Action::Hold, setting, sale.anchor)
        .against(latest.sale.anchor)
        .with_scope()
        .resting_on(sale)
        .resting_on_use(walk, |_| true);
    statement.attributes = shortage(sale, walk);
    docket.enter(statement, walk);
}
