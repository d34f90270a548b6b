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
use crate::domain::rules::entry::{Grace, Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::Millis;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::NotPurchased,
    number: 7,
    name: "not_purchased",
    title: Words { zh: "无进货来源", en: "no purchase on record" },
    judges: Judges::Code(Words {
        zh: "{event}{package}，{grace}后该机构仍没有该码的入库记录，产品来源无法证明{money}。",
        en: "{mine}, and{grace} no record shows where the institution got it{money}.",
    }),
    subject: subject::ANCHOR,
    action: Action::Alert,
    severity: Severity::Medium,
    grace: Some(Grace { name: "purchase_grace", default: Millis::from_hours(72) }),
    is_alert: true,
    allowable: true,
    basis: basis::PAPERS,
    catches: "a sale at an institution that uploads its stock, without any stock in of the code by then",
};

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
    let first_stock_in = walk.timeline().first_stock_in.get(sale.institution_id().as_str());
    if first_stock_in.is_some_and(|time| *time <= latest_in_time) {
        return;
    }
    if docket.has_passed(observation.known_at(), setting.grace) {
        let mut statement = Statement::about(RULE, Action::Alert, setting, sale.anchor).resting_on(sale);
        statement.attributes.grace_hours = hours(setting.grace);
        docket.enter(statement, walk);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, GainIn, PurchaseIn};
    use crate::domain::rules::ruleset::RuleSet;
    use crate::domain::time::Millis;
    use crate::domain::timeline::story::{HOSPITAL, PHARMACY, Tell, found, found_by, told};

    #[test]
    fn it_waits_three_days_and_a_stock_in_in_time_ends_it() {
        let sold = told(Dispense, PHARMACY, "D1", 5).uploading_since(1);
        assert_eq!(found(RULE, vec![sold.clone()], 7), Vec::<String>::new());
        assert_eq!(found(RULE, vec![sold.clone()], 8), ["D1 against nobody alert"]);
        let with = |kind, at, on| found(RULE, vec![sold.clone(), told(kind, at, "B1", on)], 20);
        assert_eq!(with(PurchaseIn, PHARMACY, 4), Vec::<String>::new());
        assert_eq!(with(GainIn, PHARMACY, 8), Vec::<String>::new());
        assert_eq!(with(PurchaseIn, PHARMACY, 9), ["D1 against nobody alert"]);
        assert_eq!(with(PurchaseIn, HOSPITAL, 4), ["D1 against nobody alert"]);
    }

    #[test]
    fn silent_where_stock_is_not_uploaded_yet() {
        let later = told(Dispense, PHARMACY, "D1", 5).uploading_since(6);
        assert_eq!(found(RULE, vec![later], 20), Vec::<String>::new());
    }

    #[test]
    fn one_grace_serves_both_and_can_be_set() {
        let mut rules = RuleSet::default();
        if let Some(setting) = rules.defaults.get_mut(RULE as usize) {
            setting.grace = Millis::from_hours(24);
        }
        let sold = told(Dispense, PHARMACY, "D1", 5).uploading_since(1);
        assert_eq!(found_by(&rules, RULE, vec![sold.clone()], 6), ["D1 against nobody alert"]);
        let late = told(PurchaseIn, PHARMACY, "B1", 7);
        assert_eq!(found_by(&rules, RULE, vec![sold, late], 20), ["D1 against nobody alert"]);
    }
}
