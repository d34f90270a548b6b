//! The timeline of one code: its observations in order, merged into sales, with returns bound to them.
//!
//! A hand-over is reported twice, by the dispensing and by the settlement, and often late; rules that compare
//! raw observations would call every honest sale a repeat. So the observations are first turned into the
//! *events* of the walk: stock in, sales ([`sale`]), returns ([`returns`]) and stock out. The [`walk`] then
//! keeps what the rules see just before each event. Everything here depends on the set of observations only.
//!
//! It is not incremental: a code has few observations and is looked at as a whole after each change. Linking
//! and binding compare pairs, so they cost up to n² cheap comparisons; [`OBSERVATIONS_WALKED_MAX`] bounds n.

pub mod order;
pub mod pack;
pub mod returns;
pub mod sale;
#[cfg(test)]
pub(crate) mod story;
pub mod walk;

use std::collections::{BTreeMap, BTreeSet};

use self::pack::{Need, Pack};
use self::returns::Return;
use self::sale::Sale;
use super::Text;
use super::document::{DocumentKey, Role};
use super::observation::Observation;
use super::time::{Millis, Timestamp};

/// A code with more live observations than this keeps them ([`OBSERVATIONS_KEPT_MAX`]), but is not walked.
pub const OBSERVATIONS_WALKED_MAX: usize = 2000;

/// Most live observations that are kept of one code. One that has more takes no further ones: it is overused by far,
/// and its settlement lines are held, those that found no room among them.
pub const OBSERVATIONS_KEPT_MAX: usize = 10_000;

/// An observation at its place in the timeline.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The observation.
    pub observation: &'a Observation,
    /// Its position in the timeline, which stands for its order.
    pub position: usize,
    /// Units that it takes of the code's content, or gives back.
    pub need: Need,
}

/// The observations of one code, made into sales, returns and movements of stock.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// What one code holds.
    pub pack: Pack,
    /// All observations, in order.
    pub facts: Vec<Fact<'a>>,
    /// All sales, in the order of the walk.
    pub sales: Vec<Sale<'a>>,
    /// All returns, in their order.
    pub returns: Vec<Return<'a>>,
    /// Settlement documents of which some sale of this code has a dispensing.
    pub dispensed_claims: BTreeSet<&'a DocumentKey>,
    /// When the code first came into stock, by institution.
    pub first_stock_in: BTreeMap<&'a str, Timestamp>,
}

/// One step of the walk.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a, 't> {
    /// The code came into stock.
    StockIn(Fact<'a>),
    /// The code was sold.
    Sale(&'t Sale<'a>),
    /// The code was given back.
    Return(&'t Return<'a>),
    /// The code left the stock otherwise.
    StockOut(Fact<'a>),
}

impl<'a> Fact<'a> {
    /// The institution that reported it.
    pub fn institution_id(&self) -> &'a Text {
        self.observation.institution_id()
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        self.observation.time
    }
}

impl<'a> Timeline<'a> {
    /// Makes the timeline of observations that are in order ([`order::sort`]). `link_window` and `match_window`
    /// are the rule set's `sale_link_window` and `sale_match_window`.
    pub fn of(observations: &'a [Observation], link_window: Millis, match_window: Millis) -> Self {
        let pack = Pack::of(observations);
        let facts: Vec<Fact<'a>> = observations
            .iter()
            .enumerate()
            .map(|(position, observation)| Fact { observation, position, need: pack.need(observation) })
            .collect();
        let sales = sale::link(&facts, link_window, match_window);
        let returns = returns::bind(&facts, &sales, &pack);
        let with_both = sales.iter().filter(|sale| sale.dispensing().is_some());
        let dispensed_claims = with_both
            .filter_map(|sale| sale.settlement.map(|settlement| &settlement.observation.key.document))
            .collect();
        let mut first_stock_in = BTreeMap::new();
        for fact in facts.iter().filter(|fact| fact.observation.role == Role::StockIn) {
            first_stock_in.entry(fact.institution_id().as_ref()).or_insert(fact.time());
        }
        Self { pack, facts, sales, returns, dispensed_claims, first_stock_in }
    }

    /// The returns bound to a sale, in their order.
    pub fn returns_of<'t>(&'t self, sale: &Sale<'a>) -> impl Iterator<Item = &'t Return<'a>> {
        let number = sale.number;
        self.returns.iter().filter(move |given_back| given_back.sale == Some(number))
    }

    /// The steps of the walk, in its order: (time, rank, order), a sale with the rank of a dispensing.
    pub fn events<'t>(&'t self) -> Vec<Event<'a, 't>> {
        let movements = self.facts.iter().filter_map(|fact| match fact.observation.role {
            Role::StockIn => Some(Event::StockIn(*fact)),
            Role::StockOut => Some(Event::StockOut(*fact)),
            Role::Dispensing | Role::Settlement | Role::Return => None,
        });
        let mut events: Vec<Event<'a, 't>> = movements
            .chain(self.sales.iter().map(Event::Sale))
            .chain(self.returns.iter().map(Event::Return))
            .collect();
        events.sort_by_key(Event::walk_order);
        events
    }
}

impl Event<'_, '_> {
    fn walk_order(&self) -> (Timestamp, u8, usize) {
        match self {
            Self::StockIn(fact) | Self::StockOut(fact) => {
                (fact.time(), fact.observation.role.rank(), fact.position)
            }
            Self::Sale(sale) => (sale.time, Role::Dispensing.rank(), sale.anchor.position),
            Self::Return(given_back) => {
                (given_back.takes_effect_at, Role::Return.rank(), given_back.fact.position)
            }
        }
    }
}
