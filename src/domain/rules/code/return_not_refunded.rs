//! `return_not_refunded` 退药未退费: given back, but still settled.
//!
//! **Catches** a return bound to a settled sale whose settlement is still live `refund_grace` after the return
//! was known. The counterpart is the settlement. An alert.
//!
//! **Silent** before the grace is over, when the settlement was reversed (then it is no observation any more),
//! and when the settlement was uploaded again after the return: a claim that already knows of it.
//!
//! **Example.** A box settled on the 5th is given back on the 7th; on the 10th the claim still stands.

use super::docket::{Docket, Statement, hours};
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::returns::Return;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::ReturnNotRefunded;

pub(super) fn judge<'a>(given_back: &Return<'a>, walk: &Walk<'a, '_>, docket: &mut Docket<'_>) {
    let sale = given_back.sale.and_then(|number| walk.timeline().sales.get(number));
    let Some((sale, settlement)) = sale.and_then(|sale| Some((sale, sale.settlement?))) else {
        return;
    };
    let subject = given_back.fact;
    if settlement.observation.codes_issued_at > subject.observation.codes_issued_at {
        return;
    }
    let Some(setting) = docket.setting(RULE, subject.observation) else {
        return;
    };
    if docket.has_passed(subject.observation.known_at(), setting.grace) {
        let mut statement =
            Statement::about(RULE, Action::Alert, setting, subject).against(settlement).resting_on(sale);
        statement.attributes.grace_hours = hours(setting.grace);
        docket.enter(statement, walk);
    }
}
