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
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::HeldElsewhere,
    number: 4,
    name: "held_elsewhere",
    title: Words { zh: "窜码", en: "held elsewhere" },
    judges: Judges::Code(Words {
        zh: "{event}的{package}当时记在别处的库存中：{theirs}{scope}，此后如何到达该机构没有记录{money}。",
        en: "{mine}, but it was in stock elsewhere: {theirs_it}{scope}; no record shows how it got from there{money}.",
    }),
    subject: subject::ANCHOR,
    action: Action::Alert,
    severity: Severity::Medium,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::PAPERS,
    catches: "a code is sold at one institution while the records have it in the stock of another",
};

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

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseIn, TransferOut};
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, found, told};

    #[test]
    fn sold_here_while_it_is_in_stock_there() {
        let mut story = vec![told(PurchaseIn, HOSPITAL, "B1", 1), told(Dispense, PHARMACY, "D1", 5)];
        assert_eq!(found(RULE, story.clone(), 20), ["D1 against B1 alert"]);
        story.push(told(TransferOut, HOSPITAL, "T1", 3));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn a_holder_may_sell_and_holds_no_more_when_the_content_is_used() {
        let mut story = vec![told(PurchaseIn, HOSPITAL, "B1", 1), told(Dispense, HOSPITAL, "D1", 5)];
        assert_eq!(found(RULE, story.clone(), 20), Vec::<String>::new());
        story.push(told(Dispense, PHARMACY, "D2", 6));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn a_return_makes_a_holder_bound_or_not_and_the_latest_is_named() {
        let story = vec![
            told(PurchaseIn, HOSPITAL, "B1", 1),
            told(DispenseReturn, CLINIC, "R1", 3),
            told(Dispense, PHARMACY, "D1", 5),
        ];
        assert_eq!(found(RULE, story, 20), ["D1 against R1 alert"]);
    }

    #[test]
    fn a_split_sale_leaves_a_holder_its_rest() {
        let story = vec![
            told(PurchaseIn, HOSPITAL, "B1", 1),
            told(Dispense, HOSPITAL, "D1", 3).split(19),
            told(Dispense, PHARMACY, "D2", 5).split(1),
            told(Dispense, PHARMACY, "D3", 6).split(1),
        ];
        assert_eq!(found(RULE, story, 20), ["D2 against B1 alert", "D3 against B1 alert"]);
    }

    #[test]
    fn a_sale_that_takes_nothing_leaves_a_holder_its_box() {
        let nothing = told(Dispense, HOSPITAL, "D2", 4).split(1).with(|o| o.quantity = None);
        let story = vec![
            told(PurchaseIn, HOSPITAL, "B1", 1),
            told(Dispense, PHARMACY, "D1", 3),
            nothing,
            told(Dispense, PHARMACY, "D3", 5),
        ];
        assert_eq!(found(RULE, story, 20), ["D1 against B1 alert", "D3 against B1 alert"]);
    }

    #[test]
    fn stocked_twice_is_moved_out_once() {
        let story = vec![
            told(PurchaseIn, HOSPITAL, "B1", 1),
            told(PurchaseIn, HOSPITAL, "B2", 2),
            told(TransferOut, HOSPITAL, "T1", 3),
            told(Dispense, PHARMACY, "D1", 5),
        ];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }
}
