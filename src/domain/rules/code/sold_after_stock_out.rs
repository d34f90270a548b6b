//! `sold_after_stock_out` 出库后销售: sold after it was sent back, lost or destroyed.
//!
//! **Catches** a sale at an institution whose latest word on the code was a return to the supplier, a returned
//! gift, a loss or a destruction of the whole pack. The counterpart is that stock out. Held.
//!
//! **Silent** when the code came into stock or was given back by a customer there in between, for transfers and
//! other movements out, where one code stands for several packs, and at other institutions.
//!
//! **Example.** A pharmacy returns a box to its supplier on the 3rd and sells it on the 5th. If it turns out that
//! it stocked the box again on the 4th, the finding is gone.

use super::docket::{Docket, Statement};
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::SoldAfterStockOut;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let Some(stock_out) = walk.left(sale.institution_id()) else {
        return;
    };
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let statement =
        Statement::about(RULE, Action::Hold, setting, sale.anchor).against(stock_out).resting_on(sale);
    docket.enter(statement, walk);
}
