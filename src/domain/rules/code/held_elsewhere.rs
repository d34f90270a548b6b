//! `held_elsewhere` 窜码: sold here, while the box should be in somebody else's stock.
//!
//! **Catches** a sale at an institution that does not hold the code while another one does. The counterpart is
//! what made that other one a holder, the latest of them in the walk. An alert.
//!
//! **Silent** when nobody holds the code (it was never reported as stocked, or is used up), and when the
//! selling institution holds it too.
//!
//! **Example.** A hospital stocks a box on the 1st; on the 5th a pharmacy that never stocked it sells it. Had the
//! hospital reported a transfer out on the 3rd, there would be no finding.

use super::docket::{Docket, Statement};
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::HeldElsewhere;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    if walk.is_holder(sale.institution_id()) {
        return;
    }
    let Some(made_holder) = walk.latest_made_holder() else {
        return;
    };
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let statement =
        Statement::about(RULE, Action::Alert, setting, sale.anchor).against(made_holder).resting_on(sale);
    docket.enter(statement, walk);
}
