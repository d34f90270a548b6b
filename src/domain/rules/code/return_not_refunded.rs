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
use crate::domain::rules::entry::{Grace, Judges, RuleEntry, Words};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::Millis;
use crate::domain::timeline::returns::Return;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::ReturnNotRefunded,
    number: 15,
    name: "return_not_refunded",
    title: Words { zh: "退药未退费", en: "returned, not refunded" },
    judges: Judges::Code(Words {
        zh: "{package}已由{event}，{grace}后该机构于{settled}的结算仍未撤销，基金不应为已退回的产品付费{money}。",
        en: "{mine}, and{grace} it still stands that {theirs_it}; the fund does not pay for what was given back{money}.",
    }),
    subject: "the return",
    action: Action::Alert,
    severity: Severity::Medium,
    grace: Some(Grace { name: "refund_grace", default: Millis::from_hours(72) }),
    is_alert: true,
    allowable: true,
    basis: "the fund does not pay for what was given back; settlement and return are reversed by separate messages",
    catches: "a sale was given back and its settlement still stands",
};

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

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, Settlement};
    use crate::domain::timeline::story::{PHARMACY, Tell, found, told};

    #[test]
    fn given_back_but_the_claim_still_stands_three_days_later() {
        let story = vec![
            told(Settlement, PHARMACY, "S1", 5),
            told(DispenseReturn, PHARMACY, "R1", 7).gives_back("S1"),
        ];
        assert_eq!(found(RULE, story.clone(), 9), Vec::<String>::new());
        assert_eq!(found(RULE, story, 10), ["R1 against S1 alert"]);
    }

    #[test]
    fn silent_for_unsettled_sales_and_claims_uploaded_after_the_return() {
        let back = told(DispenseReturn, PHARMACY, "R1", 7);
        let story = vec![told(Dispense, PHARMACY, "D1", 5), back.clone()];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
        let settled = |issued| vec![told(Settlement, PHARMACY, "S1", 5).issued(issued), back.clone()];
        assert_eq!(found(RULE, settled(7), 20), ["R1 against S1 alert"]);
        assert_eq!(found(RULE, settled(8), 20), Vec::<String>::new());
    }

    #[test]
    fn a_return_without_a_sale_says_nothing() {
        let story = vec![
            told(Settlement, PHARMACY, "S1", 5).to(1),
            told(DispenseReturn, PHARMACY, "R1", 7).to(2),
            told(DispenseReturn, PHARMACY, "R2", 4).to(1),
        ];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }
}
