//! `reflow` 回流: a box that was sold comes back into stock.
//!
//! **Catches** a stock in, of any kind, while a sale of the code is open; of a code for several packs only when
//! its content is used up. The counterpart is the latest such sale. An alert.
//!
//! **Silent** when the sale was returned, and for a sale at the same institution no more than `purchase_grace`
//! before the stock in: that is a purchase entered late.
//!
//! **Example.** A pharmacy sells a box on the 5th; on the 20th a clinic in another region buys it in.

use super::docket::{Docket, Statement};
use crate::domain::finding::Attributes;
use crate::domain::rules::entry::{Grace, Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::Millis;
use crate::domain::timeline::Fact;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::Reflow,
    number: 12,
    name: "reflow",
    title: Words { zh: "回流", en: "reflow into stock" },
    judges: Judges::Code(Words {
        zh: "{package}已由{theirs}且未退回，其后{mine}{scope}，已售出的产品重新进入库存{money}。",
        en: "{mine}, which {theirs}{scope} and nobody gave back; what was sold is in stock again{money}.",
    }),
    subject: subject::STOCK_IN,
    action: Action::Alert,
    severity: Severity::Critical,
    grace: Some(Grace { name: "purchase_grace", default: Millis::from_hours(72) }),
    is_alert: true,
    allowable: true,
    basis: basis::RESELLING,
    catches: "a code that was sold and not given back comes into stock again",
};

const RULE: RuleId = RuleId::Reflow;

pub(super) fn judge<'a>(stock_in: &Fact<'a>, walk: &Walk<'a, '_>, docket: &mut Docket<'_>) {
    let pack = &walk.timeline().pack;
    let used = walk.used();
    if !pack.is_single() && !used.fills(pack.content()) {
        return;
    }
    let Some(setting) = docket.setting(RULE, stock_in.observation) else {
        return;
    };
    let entered_late_since = stock_in.time().minus(setting.grace);
    let is_entered_late = |sale: &Sale<'_>| {
        sale.institution_id() == stock_in.institution_id() && sale.time >= entered_late_since
    };
    let Some(latest) = walk.open_latest_first().find(|open| !is_entered_late(open.sale)) else {
        return;
    };
    let mut statement = Statement::about(RULE, Action::Alert, setting, *stock_in)
        .against(latest.sale.anchor)
        .with_scope()
        .resting_on(latest.sale);
    if !pack.is_single() {
        statement = statement.resting_on_use(walk);
    }
    statement.attributes = Attributes {
        used: Some(used.amount()),
        content: Some(pack.content()),
        estimate: used.has_estimate(),
        ..Attributes::default()
    };
    docket.enter(statement, walk);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, GiftIn, PurchaseIn};
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, found, told};

    #[test]
    fn a_sold_box_comes_back_into_stock() {
        let mut story = vec![told(Dispense, PHARMACY, "D1", 5), told(PurchaseIn, CLINIC, "B1", 20)];
        assert_eq!(found(RULE, story.clone(), 25), ["B1 against D1 other_region alert"]);
        story.push(told(DispenseReturn, PHARMACY, "R1", 6));
        assert_eq!(found(RULE, story, 25), Vec::<String>::new());
    }

    #[test]
    fn a_purchase_entered_late_is_no_reflow_but_one_after_the_grace_is() {
        let sold = told(Dispense, PHARMACY, "D1", 5);
        let entered = |on| vec![sold.clone(), told(GiftIn, PHARMACY, "B1", on)];
        assert_eq!(found(RULE, entered(8), 25), Vec::<String>::new());
        assert_eq!(found(RULE, entered(9), 25), ["B1 against D1 institution alert"]);
    }

    #[test]
    fn an_excused_sale_does_not_hide_an_earlier_one() {
        let story = vec![
            told(Dispense, HOSPITAL, "D0", 3),
            told(Dispense, PHARMACY, "D1", 5),
            told(PurchaseIn, PHARMACY, "B1", 6),
        ];
        assert_eq!(found(RULE, story, 25), ["B1 against D0 region alert"]);
    }

    #[test]
    fn a_carton_must_be_used_up() {
        let story = |packs| {
            vec![
                told(Dispense, PHARMACY, "D1", 5).carton(10).quantity(packs),
                told(PurchaseIn, CLINIC, "B1", 20).carton(10),
            ]
        };
        assert_eq!(found(RULE, story(9), 25), Vec::<String>::new());
        assert_eq!(found(RULE, story(10), 25), ["B1 against D1 other_region alert"]);
    }

    #[test]
    fn a_pack_of_which_a_part_was_sold_reflows_too() {
        let story = vec![told(Dispense, PHARMACY, "D1", 5).split(3), told(PurchaseIn, CLINIC, "B1", 20)];
        assert_eq!(found(RULE, story, 25), ["B1 against D1 other_region alert"]);
    }
}
