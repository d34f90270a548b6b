//! `person_mismatch` 冒名: handed to one person, settled for another.
//!
//! **Catches** a sale whose settlement and dispensing, tied by a settlement id or a visit id, name different
//! persons. The counterpart is the dispensing. Held.
//!
//! **Silent** when either half names nobody, or the two name no kind of pseudonym in common.
//!
//! **Example.** Visit V1 is dispensed to certificate A and settled for certificate B.

use super::docket::{Docket, Statement};
use crate::domain::document::Identity;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::PersonMismatch,
    number: 11,
    name: "person_mismatch",
    title: Words { zh: "冒名", en: "handed to another person" },
    judges: Judges::Code(Words {
        zh: "{package}由{theirs}，{event}，两处的参保人不是同一人{money}。",
        en: "{mine} for another person than the one to whom {theirs_it}{money}.",
    }),
    subject: subject::SETTLEMENT,
    action: Action::Hold,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: "《医疗保障基金使用监督管理条例》 and its 实施细则 (in force 1 Apr 2026): impersonated purchases",
    catches: "a sale was dispensed to one person and settled for another",
};

const RULE: RuleId = RuleId::PersonMismatch;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let Some((settlement, dispensing)) = sale.settlement.zip(sale.dispensing()) else {
        return;
    };
    if settlement.observation.person.compare(&dispensing.observation.person) != Identity::Different {
        return;
    }
    let Some(setting) = docket.setting(RULE, settlement.observation) else {
        return;
    };
    let statement = Statement::about(RULE, Action::Hold, setting, settlement).against(dispensing);
    docket.enter(statement, walk);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, Settlement};
    use crate::domain::timeline::story::{PHARMACY, Tell, found, told};

    #[test]
    fn handed_to_one_settled_for_another() {
        let halves = |settled: u8| {
            vec![
                told(Dispense, PHARMACY, "D1", 5).visits("V1").to(1),
                told(Settlement, PHARMACY, "S1", 5).visits("V1").to(settled),
            ]
        };
        assert_eq!(found(RULE, halves(2), 20), ["S1 against D1 hold"]);
        assert_eq!(found(RULE, halves(1), 20), Vec::<String>::new());
    }

    #[test]
    fn silent_when_a_half_names_nobody() {
        let story = vec![
            told(Dispense, PHARMACY, "D1", 5).visits("V1"),
            told(Settlement, PHARMACY, "S1", 5).visits("V1").to(2),
        ];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }
}
