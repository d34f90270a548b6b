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
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::SoldAfterStockOut,
    number: 18,
    name: "sold_after_stock_out",
    title: Words { zh: "出库后销售", en: "sold after it left stock" },
    judges: Judges::Code(Words {
        zh: "{package}已由{theirs}，其后{mine}，已经出库的产品不应再售出{money}。",
        en: "{mine} after {theirs_it}; what has left the stock is not sold again{money}.",
    }),
    subject: subject::ANCHOR,
    action: Action::Hold,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::ONE_BOX_ONE_SALE,
    catches: "a code is sold by an institution that has returned, written off or destroyed it",
};

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

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseIn, PurchaseReturn, TransferOut};
    use crate::domain::timeline::story::{HOSPITAL, PHARMACY, Tell, found, told};

    #[test]
    fn sent_back_and_then_sold_unless_it_was_stocked_again() {
        let mut story = vec![
            told(PurchaseIn, PHARMACY, "B1", 1),
            told(PurchaseReturn, PHARMACY, "O1", 3),
            told(Dispense, PHARMACY, "D1", 5),
        ];
        assert_eq!(found(RULE, story.clone(), 20), ["D1 against O1 hold"]);
        story.push(told(PurchaseIn, PHARMACY, "B2", 4).issued(9));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn only_a_bound_return_brings_it_back() {
        let story = |given_back: u32| {
            vec![
                told(Dispense, PHARMACY, "D0", 2).to(1),
                told(PurchaseReturn, PHARMACY, "O1", 3),
                told(DispenseReturn, PHARMACY, "R1", 4).to(1).with(|o| {
                    if given_back == 0 {
                        o.returns = Some(crate::domain::document::ReturnedSale {
                            document_id: "unknown".into(),
                            line_id: None,
                        });
                    }
                }),
                told(Dispense, PHARMACY, "D1", 5),
            ]
        };
        assert_eq!(found(RULE, story(1), 20), Vec::<String>::new());
        assert_eq!(found(RULE, story(0), 20), ["D1 against O1 hold"]);
    }

    #[test]
    fn silent_for_transfers_cartons_parts_and_other_places() {
        let sold = told(Dispense, PHARMACY, "D1", 5);
        let out = |kind, at| told(kind, at, "O1", 3);
        assert_eq!(found(RULE, vec![out(TransferOut, PHARMACY), sold.clone()], 20), Vec::<String>::new());
        assert_eq!(found(RULE, vec![out(PurchaseReturn, HOSPITAL), sold.clone()], 20), Vec::<String>::new());
        let part = out(PurchaseReturn, PHARMACY).split(19);
        assert_eq!(found(RULE, vec![part, sold.clone()], 20), Vec::<String>::new());
        let carton = vec![out(PurchaseReturn, PHARMACY).carton(10).quantity(10), sold.carton(10)];
        assert_eq!(found(RULE, carton, 20), Vec::<String>::new());
    }
}
