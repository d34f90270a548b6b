//! `resale` 再次销售: one box sold to two people, or at two places.
//!
//! **Catches** a sale, settled or not, that wants more of the code than is left, while a sale at another
//! institution or to a different person is open. The counterpart is the latest such sale. Held.
//!
//! **Silent** when the earlier sale was returned, when content is left, when both are split, and when place and
//! person are the same: a repeat at the same place is tolerated. An unknown person is not a different one.
//!
//! **Example.** A pharmacy hands a box to one person on the 5th and reports the same code handed to another on
//! the 9th: the second sale is a resale, scope `institution`.

use super::docket::{Docket, Statement};
use super::duplicate_settlement::shortage;
use crate::domain::document::Identity;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::Resale,
    number: 14,
    name: "resale",
    title: Words { zh: "再次销售", en: "sold again" },
    judges: Judges::Code(Words {
        zh: "{package}已由{theirs}且未退回，其后{mine}{scope}，同一追溯码的产品只能售出一次{money}。",
        en: "{mine}, which {theirs}{scope} and nobody gave back; a package is sold once{money}.",
    }),
    subject: subject::ANCHOR,
    action: Action::Hold,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::RESELLING,
    catches: "content that an open sale has used is sold again, at another institution or to another person",
};

const RULE: RuleId = RuleId::Resale;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    if !walk.is_short(sale) {
        return;
    }
    let is_elsewhere_or_to_another = |other: &Sale<'_>| {
        !(sale.is_split() && other.is_split())
            && (sale.institution_id() != other.institution_id()
                || sale.person().compare(other.person()) == Identity::Different)
    };
    let Some(latest) = walk.open_latest_first().find(|open| is_elsewhere_or_to_another(open.sale)) else {
        return;
    };
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let mut statement = Statement::about(RULE, Action::Hold, setting, sale.anchor)
        .against(latest.sale.anchor)
        .with_scope()
        .resting_on(sale)
        .resting_on_use(walk);
    statement.attributes = shortage(sale, walk);
    docket.enter(statement, walk);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, Settlement};
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, found, told};

    #[test]
    fn a_box_sold_to_another_person_is_a_resale() {
        let first = told(Dispense, PHARMACY, "D1", 5).to(1);
        let second = told(Dispense, PHARMACY, "D2", 9);
        let to = |person| vec![first.clone(), second.clone().to(person)];
        assert_eq!(found(RULE, to(2), 20), ["D2 against D1 institution hold"]);
        assert_eq!(found(RULE, to(1), 20), Vec::<String>::new());
        assert_eq!(found(RULE, vec![first.clone(), second.clone()], 20), Vec::<String>::new());
    }

    #[test]
    fn a_box_sold_elsewhere_is_a_resale_whoever_buys_it() {
        let story = vec![
            told(Dispense, PHARMACY, "D1", 5).to(1),
            told(Dispense, PHARMACY, "D2", 6).to(1),
            told(Settlement, CLINIC, "S1", 9).to(1),
        ];
        assert_eq!(found(RULE, story, 20), ["S1 against D2 other_region hold"]);
    }

    #[test]
    fn the_two_halves_of_one_sale_are_no_resale_and_a_return_explains() {
        let mut story = vec![
            told(Dispense, PHARMACY, "D1", 5).settles("S1").to(1),
            told(Settlement, PHARMACY, "S1", 6).settles("S1").to(2),
        ];
        assert_eq!(found(RULE, story.clone(), 20), Vec::<String>::new());
        story.push(told(Dispense, HOSPITAL, "D2", 9));
        assert_eq!(found(RULE, story.clone(), 20), ["D2 against S1 region hold"]);
        story.push(told(DispenseReturn, PHARMACY, "R1", 8).gives_back("D1"));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn a_sale_that_takes_nothing_is_never_short() {
        let nothing = told(Dispense, CLINIC, "D3", 7).split(1).with(|o| o.quantity = None);
        let story = vec![told(Dispense, PHARMACY, "D1", 5), told(Dispense, PHARMACY, "D2", 6), nothing];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }
}
