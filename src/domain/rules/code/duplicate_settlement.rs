//! `duplicate_settlement` 重复结算: the fund is asked to pay for what it was already asked to pay for.
//!
//! **Catches** a settled sale that wants more of the code than is left, while another settled sale is open. The
//! counterpart is the latest such sale. Refused; only held when a need involved is an estimate (a share of a line
//! with several codes), when the subject's institution had taken the code into custody and the counterpart's
//! had not (then the earlier claim is the doubtful one), when both are at one institution and the code is lent to one of
//! them, and when only the day is known of something that may lie before or behind something of the other side.
//!
//! **Silent** when the earlier sale was returned, when content is left, when either sale was never settled, and
//! when both are split (that is `over_split`).
//!
//! **Example.** A box with one code is settled at a pharmacy on the 5th. On the 9th a hospital settles the same
//! code: the second claim is refused, counterpart the first. If the pharmacy reports on the 12th that the box
//! was given back on the 7th, the finding is gone.

use super::docket::{Docket, Statement};
use crate::domain::finding::Attributes;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::Fact;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::{OpenSale, Walk};

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::DuplicateSettlement,
    number: 3,
    name: "duplicate_settlement",
    title: Words { zh: "重复结算", en: "settled twice" },
    judges: Judges::Code(Words {
        zh: "{package}已由{theirs}，其后{mine}{scope}，同一追溯码的产品，医保基金只支付一次{money}。",
        en: "{mine}, which {theirs}{scope}; the fund pays for a package once{money}.",
    }),
    subject: subject::SETTLEMENT,
    action: Action::Refuse,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: basis::PAY_BY_CODE,
    catches: "the fund is asked to pay again for content that an earlier settlement has used up; held instead of refused where an estimate took part, or where only this institution had bought the code in",
};

const RULE: RuleId = RuleId::DuplicateSettlement;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let Some(subject) = sale.settlement.filter(|_| walk.is_short(sale)) else {
        return;
    };
    let is_other_claim = |other: &Sale<'_>| other.is_settled() && !(sale.is_split() && other.is_split());
    let Some(latest) = walk.open_latest_first().find(|open| is_other_claim(open.sale)) else {
        return;
    };
    let Some(setting) = docket.setting(RULE, subject.observation) else {
        return;
    };
    let counterpart = latest.sale.anchor;
    let action = if is_doubtful(sale, latest, walk) { Action::Hold } else { Action::Refuse };
    let mut statement = Statement::about(RULE, action, setting, subject)
        .against(counterpart)
        .with_scope()
        .resting_on(sale)
        .resting_on_use(walk);
    statement.attributes = shortage(sale, walk);
    docket.enter(statement, walk);
}

/// Whether something may explain it that the uploads do not say: a person has to look before anybody is refused.
fn is_doubtful(sale: &Sale<'_>, earlier: &OpenSale<'_, '_>, walk: &Walk<'_, '_>) -> bool {
    let (subject, counterpart) = (sale.anchor, earlier.sale.anchor);
    let has_estimate = sale.need().is_estimate || walk.used().has_estimate();
    let only_the_subject_had_custody =
        walk.custody_at(&subject).taken && !walk.custody_at(&counterpart).taken;
    // One hand-over may lend to two claims of its institution what only one of them sold.
    let is_lent_here = subject.institution_id() == counterpart.institution_id()
        && (subject.observation.lent_from.is_some() || counterpart.observation.lent_from.is_some());
    has_estimate
        || only_the_subject_had_custody
        || is_lent_here
        || may_be_of_another_hour(sale, earlier.sale, walk)
}

/// Whether a document of one side is given as a day on which one of the other side lies: then nobody knows which of the two
/// came first, and what was given back between them.
fn may_be_of_another_hour(sale: &Sale<'_>, earlier: &Sale<'_>, walk: &Walk<'_, '_>) -> bool {
    let returns = || walk.timeline().returns_of(earlier).map(|given_back| given_back.fact);
    let is_hidden = |one: &Fact<'_>, other: &Fact<'_>| {
        one.observation.is_day && one.observation.day() == other.observation.day()
    };
    sale.facts().any(|one| {
        earlier.facts().chain(returns()).any(|other| is_hidden(&one, &other) || is_hidden(&other, &one))
    })
}

/// What makes a sale short.
pub(super) fn shortage(sale: &Sale<'_>, walk: &Walk<'_, '_>) -> Attributes {
    Attributes {
        need: Some(sale.need().amount),
        used: Some(walk.used().amount()),
        content: Some(walk.timeline().pack.content()),
        estimate: sale.need().is_estimate || walk.used().has_estimate(),
        ..Attributes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseIn, Settlement};
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, found, told};

    #[test]
    fn the_second_claim_of_a_box_is_refused_until_the_first_is_given_back() {
        let mut story =
            vec![told(Settlement, PHARMACY, "S1", 5).to(1), told(Settlement, HOSPITAL, "S2", 9).to(2)];
        assert_eq!(found(RULE, story.clone(), 20), ["S2 against S1 region refuse"]);
        story.push(told(DispenseReturn, PHARMACY, "R1", 7).to(1).issued(12));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn it_also_speaks_of_the_same_place_and_person_and_names_the_latest() {
        let story =
            ["S1", "S2", "S3"].iter().zip(5..).map(|(id, on)| told(Settlement, PHARMACY, id, on).to(1));
        assert_eq!(
            found(RULE, story.collect(), 20),
            ["S2 against S1 institution refuse", "S3 against S2 institution refuse"]
        );
    }

    #[test]
    fn custody_of_the_later_side_alone_softens_it() {
        let bought = |at, id| told(PurchaseIn, at, id, 1);
        let sold = [told(Settlement, CLINIC, "S1", 5), told(Settlement, HOSPITAL, "S2", 9)];
        let with = |stock: Vec<_>| found(RULE, sold.iter().cloned().chain(stock).collect(), 20);
        assert_eq!(with(vec![bought(HOSPITAL, "B1")]), ["S2 against S1 other_region hold"]);
        assert_eq!(with(vec![bought(CLINIC, "B1")]), ["S2 against S1 other_region refuse"]);
        let both = vec![bought(HOSPITAL, "B1"), bought(CLINIC, "B2")];
        assert_eq!(with(both), ["S2 against S1 other_region refuse"]);
    }

    #[test]
    fn an_estimate_softens_it_and_a_carton_has_room() {
        let part = |id, on, packs| told(Settlement, HOSPITAL, id, on).carton(10).quantity(packs);
        assert_eq!(found(RULE, vec![part("S1", 5, 6), part("S2", 6, 4)], 20), Vec::<String>::new());
        assert_eq!(
            found(RULE, vec![part("S1", 5, 6), part("S2", 6, 5)], 20),
            ["S2 against S1 institution refuse"]
        );
        let shared = vec![part("S1", 5, 12).codes(2), part("S2", 6, 5)];
        assert_eq!(found(RULE, shared, 20), ["S2 against S1 institution hold"]);
    }

    #[test]
    fn an_estimated_return_softens_what_is_left_of_a_sale() {
        let part = |id, on, packs| told(Settlement, HOSPITAL, id, on).carton(10).quantity(packs);
        let back = |codes| told(DispenseReturn, HOSPITAL, "R1", 6).carton(10).quantity(2).codes(codes);
        let story = |codes| vec![part("S1", 5, 6), back(codes), part("S2", 7, 7)];
        assert_eq!(found(RULE, story(1), 20), ["S2 against S1 institution refuse"]);
        assert_eq!(found(RULE, story(2), 20), ["S2 against S1 institution hold"]);
    }

    #[test]
    fn two_split_claims_are_another_rules_matter() {
        let story =
            vec![told(Settlement, HOSPITAL, "S1", 5).split(15), told(Settlement, HOSPITAL, "S2", 6).split(6)];
        assert_eq!(found(RULE, story.clone(), 20), Vec::<String>::new());
        let mut story = story;
        story.push(told(Settlement, HOSPITAL, "S3", 7));
        assert_eq!(found(RULE, story, 20), ["S3 against S2 institution refuse"]);
    }

    #[test]
    fn an_unsettled_sale_is_no_counterpart() {
        let first = told(Dispense, PHARMACY, "D1", 5);
        let claim = |id, on| told(Settlement, PHARMACY, id, on);
        assert_eq!(found(RULE, vec![first.clone(), claim("S1", 9)], 20), Vec::<String>::new());
        let story = vec![claim("S0", 4), first, claim("S1", 9)];
        assert_eq!(found(RULE, story, 20), ["S1 against S0 institution refuse"]);
    }
}
