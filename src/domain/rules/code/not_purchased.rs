//! `not_purchased` 无进货来源: sold by an institution that never stocked it.
//!
//! **Catches** a sale at an institution that uploads its stock since that day or before, without any stock in of
//! the code there until `purchase_grace` after the sale, once that grace has passed since the sale was known.
//! An alert.
//!
//! **Silent** before the grace is over, with any stock in there in time, and where stock is not uploaded.
//!
//! **Example.** A pharmacy sells a box on the 5th; on the 8th no stock in is known. One that happened on the 4th
//! and arrives late withdraws the alert; one that happened on the 10th does not.

use super::docket::{Docket, Statement, hours};
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::NotPurchased;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let observation = sale.anchor.observation;
    if observation.stock_uploaded_since.is_none_or(|since| since > sale.day()) {
        return;
    }
    let Some(setting) = docket.setting(RULE, observation) else {
        return;
    };
    let latest_in_time = sale.time.plus(setting.grace);
    let first_stock_in = walk.timeline().first_stock_in.get(sale.institution_id().as_ref());
    if first_stock_in.is_some_and(|time| *time <= latest_in_time) {
        return;
    }
    if docket.has_passed(observation.known_at(), setting.grace) {
        let mut statement = Statement::about(RULE, Action::Alert, setting, sale.anchor).resting_on(sale);
        statement.attributes.grace_hours = hours(setting.grace);
        docket.enter(statement, walk);
    }
}
