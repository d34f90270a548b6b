//! Returns: which sale each gives back, how much of it, and when.
//!
//! Nobody knows the hour of what is given as a day: such a return may be of the same day's sale, and such a sale may
//! have been given back later on its day.
//!
//! A return that names its sale gives back that of its own institution, whoever the person; one that names none looks for
//! the sale of the same institution and a person who may be the same. A sale that was given back whole is given back to
//! nobody else.
//!
//! Bound before the walk ([`walk`](super::walk)), in the order of the returns, so that a return that was entered before its sale, or
//! names a sale that happened later, still explains it: it takes effect no earlier than the sale.

use super::Fact;
use super::pack::{Need, Pack};
use super::sale::Sale;
use crate::domain::amount::Quantity;
use crate::domain::document::{Identity, ReturnedSale, Role};
use crate::domain::time::Timestamp;

/// One return.
#[derive(Debug)]
pub struct Return<'a> {
    /// The observation.
    pub fact: Fact<'a>,
    /// Number of the sale that it gives back, or none.
    pub sale: Option<usize>,
    /// Units of that sale that it gives back. An estimate only when they were counted, not when all is given back.
    pub gives_back: Need,
    /// When it counts: not before its sale.
    pub takes_effect_at: Timestamp,
}

/// What is left of a sale while returns are bound.
struct Remainder {
    outstanding: Quantity,
    is_returned: bool,
}

/// Binds all returns to sales, which are in the order of the walk.
pub fn bind<'a>(facts: &[Fact<'a>], sales: &[Sale<'a>], pack: &Pack) -> Vec<Return<'a>> {
    let mut remainders: Vec<Remainder> =
        sales.iter().map(|sale| Remainder { outstanding: sale.need().amount, is_returned: false }).collect();
    let returns = facts.iter().filter(|fact| fact.observation.role == Role::Return);
    returns.map(|fact| bind_one(*fact, sales, &mut remainders, pack)).collect()
}

fn bind_one<'a>(fact: Fact<'a>, sales: &[Sale<'a>], remainders: &mut [Remainder], pack: &Pack) -> Return<'a> {
    let here = |sale: &Sale<'a>| sale.institution_id() == fact.institution_id();
    let mut candidates = sales.iter().zip(remainders).filter(|(_, remainder)| !remainder.is_returned);
    let found = match &fact.observation.returns {
        Some(named) => candidates.find(|(sale, _)| here(sale) && is_named(sale, named)),
        None => unnamed(
            fact,
            candidates.filter(|(sale, _)| {
                here(sale) && sale.person().compare(&fact.observation.person) != Identity::Different
            }),
        ),
    };
    let Some((sale, remainder)) = found else {
        return Return { fact, sale: None, gives_back: Need::default(), takes_effect_at: fact.time() };
    };
    let is_of_a_part = fact.observation.split || fact.observation.quantity_before.is_some();
    let is_counted = !pack.is_single() || (is_of_a_part && fact.need.amount > Quantity::ZERO);
    let gives_back = if is_counted {
        Need { amount: fact.need.amount.min(remainder.outstanding), is_estimate: fact.need.is_estimate }
    } else {
        Need { amount: remainder.outstanding, is_estimate: false }
    };
    remainder.outstanding = remainder.outstanding.saturating_sub(gives_back.amount);
    remainder.is_returned = remainder.outstanding == Quantity::ZERO;
    Return { fact, sale: Some(sale.number), gives_back, takes_effect_at: fact.time().max(sale.time) }
}

/// The sale that a return means which names none: the latest that may have happened before it. Of one that says no
/// more than its day, the first sale of that day, if there is any: most are given back soon.
fn unnamed<'s, 'a: 's, 'r>(
    fact: Fact<'a>,
    candidates: impl Iterator<Item = (&'s Sale<'a>, &'r mut Remainder)>,
) -> Option<(&'s Sale<'a>, &'r mut Remainder)> {
    let mut latest = None;
    for candidate in candidates.take_while(|(sale, _)| sale.time.day() <= fact.time().day()) {
        let sale = candidate.0;
        if sale.earliest() > fact.time() {
            continue;
        }
        if fact.observation.is_day && sale.time.day() == fact.time().day() {
            return Some(candidate);
        }
        latest = Some(candidate);
    }
    latest
}

/// Whether one of the sale's observations is on the named document, and on the line if one is named.
fn is_named(sale: &Sale<'_>, named: &ReturnedSale) -> bool {
    sale.facts().any(|fact| {
        let key = &fact.observation.key;
        key.document.document_id == named.document_id
            && named.line_id.as_ref().is_none_or(|line_id| key.line_id == *line_id)
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::document::Kind::{Dispense, DispenseReturn, Settlement};
    use crate::domain::document::occurred::OccurredAt;
    use crate::domain::observation::Observation;
    use crate::domain::time::Millis;
    use crate::domain::timeline::story::{HOSPITAL, PHARMACY, Tell, day, told};
    use crate::domain::timeline::{Timeline, order};

    /// Each return in order: its document, the anchor of its sale, what it gives back.
    fn bound(mut story: Vec<Observation>) -> Vec<String> {
        order::sort(&mut story);
        let timeline = Timeline::of(&story, Millis::from_days(180), Millis::from_hours(24));
        let bound = timeline.returns.iter().map(|given_back| {
            let sale = given_back.sale.and_then(|number| timeline.sales.get(number));
            let anchor = sale.map_or("nothing", |sale| &sale.anchor.observation.key.document.document_id);
            let name = &given_back.fact.observation.key.document.document_id;
            format!("{name}: {anchor} {}", given_back.gives_back.amount)
        });
        bound.collect()
    }

    fn back(id: &str, on: u32) -> Observation {
        told(DispenseReturn, PHARMACY, id, on)
    }

    fn sold(id: &str, on: u32) -> Observation {
        told(Dispense, PHARMACY, id, on)
    }

    fn later(observation: Observation, hours: u32) -> Observation {
        observation.with(|o| o.time = o.time.plus(Millis::from_hours(hours)))
    }

    /// The same, of which only the day is known.
    fn on_day(observation: Observation) -> Observation {
        observation.with(|o| {
            o.time = OccurredAt::Day(o.time.day()).moment(o.kind);
            o.is_day = true;
        })
    }

    #[test]
    fn a_named_sale_is_found_by_either_half_and_first_in_the_walk() {
        let halves = || vec![sold("D1", 5).visits("v"), told(Settlement, PHARMACY, "S1", 6).visits("v")];
        let with = |given_back: Observation| bound(halves().into_iter().chain([given_back]).collect());
        assert_eq!(with(back("R1", 7).gives_back("D1")), ["R1: S1 20"]);
        assert_eq!(with(back("R1", 7).gives_back("S1")), ["R1: S1 20"]);
        assert_eq!(with(back("R1", 7).gives_back("D2")), ["R1: nothing 0"]);
        assert_eq!(with(told(DispenseReturn, HOSPITAL, "R1", 7).gives_back("D1")), ["R1: nothing 0"]);
        let lines = vec![sold("D1", 5).line("2"), sold("D1", 5).line("1"), back("R1", 7).gives_back("D1")];
        assert_eq!(bound(lines), ["R1: D1 20"]);
    }

    #[test]
    fn a_named_line_must_fit() {
        let on_line = |line: &str| {
            back("R1", 7).gives_back("D1").with(|o| {
                if let Some(named) = &mut o.returns {
                    named.line_id = Some(line.into());
                }
            })
        };
        assert_eq!(bound(vec![sold("D1", 5).line("2"), on_line("2")]), ["R1: D1 20"]);
        assert_eq!(bound(vec![sold("D1", 5).line("2"), on_line("1")]), ["R1: nothing 0"]);
    }

    #[test]
    fn an_unnamed_sale_is_the_latest_that_fits() {
        let sales = || vec![sold("D1", 5).to(1), sold("D2", 6).to(2), sold("D3", 8).to(1)];
        let with = |given_back: Observation| bound(sales().into_iter().chain([given_back]).collect());
        assert_eq!(with(back("R1", 7)), ["R1: D2 20"]);
        assert_eq!(with(back("R1", 7).to(1)), ["R1: D1 20"]);
        assert_eq!(with(back("R1", 7).to(3)), ["R1: nothing 0"]);
        assert_eq!(with(back("R1", 8)), ["R1: D3 20"]);
        assert_eq!(with(back("R1", 4)), ["R1: nothing 0"]);
    }

    #[test]
    fn what_is_entirely_returned_is_passed_over() {
        let story = vec![sold("D1", 5), sold("D2", 6), back("R1", 7), back("R2", 8), back("R3", 9)];
        assert_eq!(bound(story), ["R1: D2 20", "R2: D1 20", "R3: nothing 0"]);
    }

    #[test]
    fn parts_are_given_back_at_most_what_is_out() {
        let story = vec![
            sold("D1", 5).split(15),
            back("R1", 6).split(10),
            back("R2", 7).split(10),
            back("R3", 8).split(1),
        ];
        assert_eq!(bound(story), ["R1: D1 10", "R2: D1 5", "R3: nothing 0"]);
        let whole = vec![sold("D1", 5).split(15), back("R1", 6)];
        assert_eq!(bound(whole), ["R1: D1 15"]);
        let unsaid = vec![sold("D1", 5).split(15), back("R1", 6).split(1).with(|o| o.quantity = None)];
        assert_eq!(bound(unsaid), ["R1: D1 15"]);
        let carton = vec![sold("D1", 5).carton(10).quantity(4), back("R1", 6).carton(10).quantity(1)];
        assert_eq!(bound(carton), ["R1: D1 20"]);
    }

    #[test]
    fn a_return_given_as_a_day_is_of_the_first_sale_of_that_day_else_of_the_latest_before() {
        let sales = || vec![sold("D1", 5), sold("D2", 6), later(sold("D3", 6), 3), sold("D4", 7)];
        let with = |given_back: Vec<Observation>| bound(sales().into_iter().chain(given_back).collect());
        assert_eq!(with(vec![on_day(back("R1", 6))]), ["R1: D2 20"]);
        let two = with(vec![on_day(back("R1", 6)), on_day(back("R2", 6)), on_day(back("R3", 6))]);
        assert_eq!(two, ["R1: D2 20", "R2: D3 20", "R3: D1 20"]);
        assert_eq!(with(vec![on_day(back("R1", 8))]), ["R1: D4 20"]);
        assert_eq!(with(vec![on_day(back("R1", 4))]), ["R1: nothing 0"]);
    }

    #[test]
    fn a_sale_given_as_a_day_may_be_given_back_from_the_beginning_of_that_day() {
        let with = |sales: Vec<Observation>| bound(sales.into_iter().chain([back("R1", 6)]).collect());
        assert_eq!(with(vec![on_day(sold("D1", 6))]), ["R1: D1 20"]);
        assert_eq!(with(vec![on_day(sold("D1", 7))]), ["R1: nothing 0"]);
        assert_eq!(with(vec![later(sold("D1", 6), 3)]), ["R1: nothing 0"]);
        // Of the two, the one with a time is the earlier and says when.
        let timed = vec![
            later(sold("D1", 6), 3).visits("v"),
            on_day(told(Settlement, PHARMACY, "S1", 6)).visits("v"),
        ];
        assert_eq!(with(timed), ["R1: nothing 0"]);
        // By its moment it is the latest of its day.
        assert_eq!(with(vec![on_day(sold("D1", 6)), sold("D2", 6)]), ["R1: D1 20"]);
    }

    #[test]
    fn an_adjusted_return_gives_back_its_share() {
        let story = |codes| {
            let bought = sold("D1", 5).quantity(3).codes(codes);
            vec![bought, back("R1", 6).quantity(3).codes(codes).adjusted(3, 1)]
        };
        assert_eq!(bound(story(1)), ["R1: D1 6.666"]);
        assert_eq!(bound(story(3)), ["R1: D1 6.666"]);
    }

    #[test]
    fn a_return_counts_no_earlier_than_its_sale() {
        let mut story = vec![sold("D1", 5), back("R1", 3).gives_back("D1"), back("R2", 4)];
        order::sort(&mut story);
        let timeline = Timeline::of(&story, Millis::from_days(180), Millis::from_hours(24));
        assert!(timeline.returns.iter().map(|r| r.takes_effect_at).eq([day(5), day(4)]));
    }
}
