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
use crate::domain::rules::entry::{Grace, Judges, RuleEntry, Words, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::Millis;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::SettledNotDispensed,
    number: 16,
    name: "settled_not_dispensed",
    title: Words { zh: "空刷", en: "settled, not dispensed" },
    judges: Judges::Code(Words {
        zh: "{event}{package}，{grace}后仍没有对应的发药记录，基金可能为未发出的产品付费{money}。",
        en: "{mine}, and{grace} no record shows that it was handed over{money}.",
    }),
    subject: subject::SETTLEMENT,
    action: Action::Alert,
    severity: Severity::High,
    grace: Some(Grace { name: "dispense_grace", default: Millis::from_hours(48) }),
    is_alert: true,
    allowable: true,
    basis: "空刷, empty swiping, is one of the causes of repeated codes that NHSA names; sale records may be two days late",
    catches: "a settlement at an institution that uploads its dispensings, without any dispensing of the code",
};

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

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, Settlement};
    use crate::domain::timeline::story::{PHARMACY, Tell, found, told};

    #[test]
    fn it_waits_two_days_and_a_late_dispensing_ends_it() {
        let mut story = vec![told(Settlement, PHARMACY, "S1", 5).uploading_since(1)];
        assert_eq!(found(RULE, story.clone(), 6), Vec::<String>::new());
        assert_eq!(found(RULE, story.clone(), 7), ["S1 against nobody alert"]);
        story.push(told(Dispense, PHARMACY, "D1", 5).settles("S1").issued(8));
        assert_eq!(found(RULE, story.clone(), 9), ["S1 against nobody alert"]);
        story.iter_mut().for_each(|o| o.settlement_id = Some("S1".into()));
        assert_eq!(found(RULE, story, 9), Vec::<String>::new());
    }

    #[test]
    fn a_claim_uploaded_late_waits_from_then_on_but_no_longer_than_a_week() {
        let story = |issued| vec![told(Settlement, PHARMACY, "S1", 5).uploading_since(1).issued(issued)];
        assert_eq!(found(RULE, story(9), 10), Vec::<String>::new());
        assert_eq!(found(RULE, story(9), 11), ["S1 against nobody alert"]);
        assert_eq!(found(RULE, story(30), 14), ["S1 against nobody alert"]);
    }

    #[test]
    fn one_dispensing_excuses_all_lines_of_the_claim() {
        let line = |line| told(Settlement, PHARMACY, "S1", 5).line(line).uploading_since(1).to(1);
        let story = vec![told(Dispense, PHARMACY, "D1", 5).to(1), line("1"), line("2")];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn silent_where_dispensings_are_not_uploaded_yet() {
        assert_eq!(found(RULE, vec![told(Settlement, PHARMACY, "S1", 5)], 20), Vec::<String>::new());
        let later = told(Settlement, PHARMACY, "S1", 5).uploading_since(6);
        assert_eq!(found(RULE, vec![later], 20), Vec::<String>::new());
    }
}
