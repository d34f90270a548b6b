//! Sales: a dispensing and the settlement that reports the same hand-over, merged.
//!
//! Each settlement, in order, takes the dispensing that fits best: one with its settlement id, else with its
//! visit id, else one to the same person within a day. Settlement ids come from the platform, so two that differ
//! are two hand-overs; visit ids may be numbers of the sender's own, so two that differ say nothing. A document that handed a code over
//! on several lines is one hand-over to the claim that took one of them: the lines left over join that sale.
//! Everything that finds no partner is a sale of its own.

use std::collections::BTreeMap;

use super::Fact;
use super::pack::Need;
use crate::domain::Text;
use crate::domain::document::{DocumentKey, Identity, Person, Role};
use crate::domain::time::{Day, Millis, Timestamp};

/// One hand-over.
#[derive(Debug)]
pub struct Sale<'a> {
    /// Its number in the order of the walk, from 0.
    pub number: usize,
    /// The settlement, when it is settled.
    pub settlement: Option<Fact<'a>>,
    /// Its dispensings: first the one that the settlement took, then those that joined, in order.
    pub dispensings: Vec<Fact<'a>>,
    /// The settlement, else the dispensing: what stands for the sale.
    pub anchor: Fact<'a>,
    /// The earliest time of all of them.
    pub time: Timestamp,
}

/// What ties a dispensing to a settlement, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    SettlementId,
    VisitId,
    Person,
}

impl<'a> Sale<'a> {
    fn new(settlement: Option<Fact<'a>>, dispensing: Option<Fact<'a>>, anchor: Fact<'a>) -> Self {
        let time = dispensing.map_or(anchor.time(), |dispensing| dispensing.time().min(anchor.time()));
        Self { number: 0, settlement, dispensings: dispensing.into_iter().collect(), anchor, time }
    }

    fn join(&mut self, dispensing: Fact<'a>) {
        self.time = self.time.min(dispensing.time());
        self.dispensings.push(dispensing);
    }

    /// The dispensing that the settlement took, or that is the sale.
    pub fn dispensing(&self) -> Option<Fact<'a>> {
        self.dispensings.first().copied()
    }

    /// Whether the fund was asked to pay for it.
    pub const fn is_settled(&self) -> bool {
        self.settlement.is_some()
    }

    /// Where it happened.
    pub fn institution_id(&self) -> &'a Text {
        self.anchor.institution_id()
    }

    /// Whether it was sold by the unit out of a pack.
    pub fn is_split(&self) -> bool {
        self.anchor.observation.split
    }

    /// The earliest moment at which it may have happened, by what the earliest of its documents say: one that names
    /// no more than its day leaves the whole day open.
    pub fn earliest(&self) -> Timestamp {
        let mut earliest = self.facts().filter(|fact| fact.time() == self.time);
        if earliest.all(|fact| fact.observation.is_day) { self.time.day().begins_at() } else { self.time }
    }

    /// Units that it took.
    pub fn need(&self) -> Need {
        self.anchor.need
    }

    /// The calendar day.
    pub fn day(&self) -> Day {
        self.anchor.observation.day()
    }

    /// To whom: the anchor's person when it names one, else the other half's.
    pub fn person(&self) -> &'a Person {
        let own = &self.anchor.observation.person;
        match self.dispensing() {
            Some(dispensing) if !own.is_known() => &dispensing.observation.person,
            _ => own,
        }
    }

    /// All its observations: the settlement, then the dispensings.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'a>> {
        self.settlement.into_iter().chain(self.dispensings.iter().copied())
    }
}

/// Merges settlements and dispensings, given in order, into sales in the order of the walk.
pub fn link<'a>(facts: &[Fact<'a>], link_window: Millis, match_window: Millis) -> Vec<Sale<'a>> {
    let of_role = |role: Role| facts.iter().copied().filter(move |fact| fact.observation.role == role);
    let mut untaken: Vec<Fact<'a>> = of_role(Role::Dispensing).collect();
    let mut sales: Vec<Sale<'a>> = Vec::new();
    let mut taker_of: BTreeMap<&'a DocumentKey, usize> = BTreeMap::new();
    for settlement in of_role(Role::Settlement) {
        let taken = best_match(&settlement, &untaken, link_window, match_window);
        let dispensing = taken.map(|index| untaken.remove(index));
        if let Some(dispensing) = dispensing {
            taker_of.entry(&dispensing.observation.key.document).or_insert(sales.len());
        }
        sales.push(Sale::new(Some(settlement), dispensing, settlement));
    }
    for dispensing in untaken {
        let taker = taker_of.get(&dispensing.observation.key.document);
        match taker.and_then(|index| sales.get_mut(*index)) {
            Some(sale) => sale.join(dispensing),
            None => sales.push(Sale::new(None, Some(dispensing), dispensing)),
        }
    }
    sales.sort_by_key(|sale| (sale.time, sale.anchor.position));
    for (number, sale) in sales.iter_mut().enumerate() {
        sale.number = number;
    }
    sales
}

/// The index of the dispensing that the settlement takes: by the strongest tie, then the nearest in time, then
/// the first.
fn best_match(
    settlement: &Fact<'_>,
    untaken: &[Fact<'_>],
    link_window: Millis,
    match_window: Millis,
) -> Option<usize> {
    let candidates = untaken.iter().enumerate().filter_map(|(index, dispensing)| {
        let distance = settlement.time().distance(dispensing.time());
        let tie = tie(settlement, dispensing)?;
        let window = if tie == Tie::Person { link_window.min(match_window) } else { link_window };
        (distance <= window).then_some((tie, distance, index))
    });
    candidates.min().map(|(_, _, index)| index)
}

fn tie(settlement: &Fact<'_>, dispensing: &Fact<'_>) -> Option<Tie> {
    let (settled, handed_over) = (settlement.observation, dispensing.observation);
    if settled.institution_id() != handed_over.institution_id() {
        return None;
    }
    let settlement_ids = settled.settlement_id.as_ref().zip(handed_over.settlement_id.as_ref());
    let visit_ids = settled.visit_id.as_ref().zip(handed_over.visit_id.as_ref());
    match (settlement_ids, visit_ids) {
        (Some((a, b)), _) => (a == b).then_some(Tie::SettlementId),
        (None, Some((a, b))) if a == b => Some(Tie::VisitId),
        (None, _) => (settled.person.compare(&handed_over.person) == Identity::Same).then_some(Tie::Person),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Kind::{Dispense, Settlement};
    use crate::domain::observation::Observation;
    use crate::domain::rules::ruleset::RuleSet;
    use crate::domain::timeline::story::{HOSPITAL, PHARMACY, Tell, told};
    use crate::domain::timeline::{Timeline, order};

    /// The sales in the order of the walk, each as its documents: settlement first.
    fn sales(mut story: Vec<Observation>) -> Vec<String> {
        order::sort(&mut story);
        let rules = RuleSet::default();
        let timeline = Timeline::of(&story, rules.sale_link_window, rules.sale_match_window);
        let name = |fact: Fact<'_>| fact.observation.key.document.document_id.to_string();
        timeline.sales.iter().map(|sale| sale.facts().map(name).collect::<Vec<_>>().join("+")).collect()
    }

    fn handed(id: &str, on: u32) -> Observation {
        told(Dispense, PHARMACY, id, on)
    }

    fn settled(id: &str, on: u32) -> Observation {
        told(Settlement, PHARMACY, id, on)
    }

    #[test]
    fn the_strongest_tie_wins_then_the_nearest_then_the_first() {
        let claim = || settled("S", 10).settles("s").visits("v").to(1);
        let by_settlement = handed("Ds", 100).settles("s");
        let by_visit = handed("Dv", 9).visits("v");
        let by_person = handed("Dp", 10).to(1);
        let all = vec![claim(), by_settlement, by_visit.clone(), by_person.clone()];
        assert_eq!(sales(all), ["Dv", "Dp", "S+Ds"]);
        assert_eq!(sales(vec![claim(), by_visit, by_person.clone()]), ["S+Dv", "Dp"]);
        assert_eq!(sales(vec![claim(), by_person]), ["S+Dp"]);
        let near =
            vec![settled("S", 10).visits("v"), handed("D1", 7).visits("v"), handed("D2", 12).visits("v")];
        assert_eq!(sales(near), ["D1", "S+D2"]);
        let tie =
            vec![settled("S", 10).visits("v"), handed("D1", 8).visits("v"), handed("D2", 12).visits("v")];
        assert_eq!(sales(tie), ["S+D1", "D2"]);
    }

    #[test]
    fn settlement_ids_that_differ_forbid_the_weaker_ties_and_visit_ids_do_not() {
        let claim = || settled("S", 10).settles("s").visits("v").to(1);
        let other_settlement = handed("D", 10).settles("x").visits("v").to(1);
        assert_eq!(sales(vec![claim(), other_settlement]), ["D", "S"]);
        let other_visit = handed("D", 10).visits("x").to(1);
        assert_eq!(sales(vec![claim(), other_visit.clone()]), ["S+D"]);
        assert_eq!(sales(vec![claim(), other_visit.to(2)]), ["D", "S"]);
    }

    #[test]
    fn windows_and_places_bound_the_ties() {
        let claim = || settled("S", 200).visits("v").to(1);
        assert_eq!(sales(vec![claim(), handed("D", 20).visits("v")]), ["S+D"]);
        assert_eq!(sales(vec![claim(), handed("D", 19).visits("v")]), ["D", "S"]);
        assert_eq!(sales(vec![claim(), handed("D", 199).to(1)]), ["S+D"]);
        assert_eq!(sales(vec![claim(), handed("D", 198).to(1)]), ["D", "S"]);
        assert_eq!(sales(vec![claim(), handed("D", 199).to(2)]), ["D", "S"]);
        assert_eq!(sales(vec![claim(), told(Dispense, HOSPITAL, "D", 200).visits("v")]), ["D", "S"]);
    }

    #[test]
    fn earlier_settlements_choose_first() {
        let story =
            vec![settled("S1", 10).visits("v"), settled("S2", 12).visits("v"), handed("D", 12).visits("v")];
        assert_eq!(sales(story), ["S1+D", "S2"]);
    }

    #[test]
    fn other_lines_of_a_taken_document_join_its_first_taker() {
        let story = vec![
            settled("S0", 8),
            settled("S1", 10).visits("v"),
            settled("S2", 11).visits("v"),
            handed("D", 9).line("1").visits("v"),
            handed("D", 9).line("2").visits("v"),
            handed("D", 9).line("3"),
        ];
        assert_eq!(sales(story), ["S0", "S1+D+D", "S2+D"]);
    }

    #[test]
    fn the_person_is_the_anchors_when_it_names_one() {
        for (settlement, expected) in [(settled("S", 10), 1), (settled("S", 10).to(2), 2)] {
            let mut story = vec![settlement.visits("v"), handed("D", 10).visits("v").to(1)];
            order::sort(&mut story);
            let timeline = Timeline::of(&story, Millis::from_days(1), Millis::from_days(1));
            let person = timeline.sales.first().map(|sale| *sale.person());
            assert_eq!(person, Some(handed("", 1).to(expected).person));
        }
    }
}
