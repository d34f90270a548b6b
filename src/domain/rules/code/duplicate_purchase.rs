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
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::Fact;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::DuplicatePurchase,
    number: 2,
    name: "duplicate_purchase",
    title: Words { zh: "重复入库", en: "bought twice" },
    judges: Judges::Code(Words {
        zh: "{package}已由{theirs}，未见出库，其后{mine}{scope}，同一件产品不会同时在两处库存。",
        en: "{mine}, which {theirs}{scope} and is not known to have let go; a package is in one stock at a time.",
    }),
    subject: subject::STOCK_IN,
    action: Action::Alert,
    severity: Severity::Medium,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::PAPERS,
    catches: "an institution purchases a code that another still holds",
};

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

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, PurchaseIn, TransferIn, TransferOut};
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, found, told};

    #[test]
    fn two_buyers_of_one_box() {
        let mut story = vec![told(PurchaseIn, PHARMACY, "B1", 1), told(PurchaseIn, HOSPITAL, "B2", 4)];
        assert_eq!(found(RULE, story.clone(), 20), ["B2 against B1 region alert"]);
        story.push(told(TransferOut, PHARMACY, "O1", 2));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn silent_for_transfers_for_what_is_sold_and_for_the_holder_itself() {
        let bought = told(PurchaseIn, PHARMACY, "B1", 1);
        let then = |more: Vec<_>| found(RULE, std::iter::once(bought.clone()).chain(more).collect(), 20);
        assert_eq!(then(vec![told(TransferIn, HOSPITAL, "B2", 4)]), Vec::<String>::new());
        assert_eq!(then(vec![told(PurchaseIn, PHARMACY, "B2", 4)]), Vec::<String>::new());
        let sold = vec![told(Dispense, PHARMACY, "D1", 3), told(PurchaseIn, HOSPITAL, "B2", 4)];
        assert_eq!(then(sold), Vec::<String>::new());
    }

    #[test]
    fn buying_it_again_makes_the_later_purchase_what_is_named() {
        let story = vec![
            told(PurchaseIn, PHARMACY, "B1", 1),
            told(TransferIn, CLINIC, "B2", 2),
            told(PurchaseIn, PHARMACY, "B3", 3),
            told(PurchaseIn, HOSPITAL, "B4", 4),
        ];
        assert_eq!(found(RULE, story, 20), ["B4 against B3 region alert"]);
    }
}
