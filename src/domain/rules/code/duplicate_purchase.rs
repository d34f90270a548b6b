//! `duplicate_purchase` 重复入库: bought in while it is in somebody else's stock.
//!
//! **Catches** a purchase at an institution that does not hold the code while another one does. The counterpart
//! is what made that other one a holder, the latest of them in the walk. An alert.
//!
//! **Silent** when the other's stock was moved out or sold, when the buyer holds the code already, and for
//! transfers, gifts and other movements in.
//!
//! **Example.** A pharmacy buys a box on the 1st, a hospital buys the same box on the 4th.

use super::docket::{Docket, Statement};
use crate::domain::document::Kind;
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::Fact;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::DuplicatePurchase;

pub(super) fn judge<'a>(stock_in: &Fact<'a>, walk: &Walk<'a, '_>, docket: &mut Docket<'_>) {
    if stock_in.observation.kind != Kind::PurchaseIn || walk.is_holder(stock_in.institution_id()) {
        return;
    }
    let Some(made_holder) = walk.latest_made_holder() else {
        return;
    };
    let Some(setting) = docket.setting(RULE, stock_in.observation) else {
        return;
    };
    let statement =
        Statement::about(RULE, Action::Alert, setting, *stock_in).against(made_holder).with_scope();
    docket.enter(statement, walk);
}
