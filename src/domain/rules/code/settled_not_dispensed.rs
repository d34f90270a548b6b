//! `settled_not_dispensed` 空刷: the fund is asked to pay for what nobody handed over.
//!
//! **Catches** a settlement that found no dispensing, at an institution that uploads its dispensings since that
//! day or before, once `dispense_grace` has passed since the settlement was known. An alert.
//!
//! **Silent** before the grace is over; when another line of the same settlement document has a dispensing of
//! this code (one hand-over, settled on two lines); and where dispensings are not uploaded.
//!
//! **Example.** A pharmacy settles a box on the 5th at nine; on the 7th at nine there is still no dispensing. One
//! that arrives on the 8th withdraws the alert.

use super::docket::{Docket, Statement, hours};
use crate::domain::rules::{Action, RuleId};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::SettledNotDispensed;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let Some(settlement) = sale.settlement.filter(|_| sale.dispensing().is_none()) else {
        return;
    };
    let observation = settlement.observation;
    let uploads = observation.dispensing_uploaded_since.is_some_and(|since| since <= sale.day());
    if !uploads || walk.timeline().dispensed_claims.contains(&observation.key.document) {
        return;
    }
    let Some(setting) = docket.setting(RULE, observation) else {
        return;
    };
    if docket.has_passed(observation.known_at(), setting.grace) {
        let mut statement = Statement::about(RULE, Action::Alert, setting, settlement);
        statement.attributes.grace_hours = hours(setting.grace);
        docket.enter(statement, walk);
    }
}
