//! Returns: which sale each gives back, how much of it, and when.
//!
//! Bound before the walk, in the order of the returns, so that a return that was entered before its sale, or
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
        None => candidates
            .take_while(|(sale, _)| sale.time <= fact.time())
            .filter(|(sale, _)| {
                here(sale) && sale.person().compare(&fact.observation.person) != Identity::Different
            })
            .last(),
    };
    let Some((sale, remainder)) = found else {
        return Return { fact, sale: None, gives_back: Need::default(), takes_effect_at: fact.time() };
    };
    let is_counted = !pack.is_single() || (fact.observation.split && fact.need.amount > Quantity::ZERO);
    let gives_back = if is_counted {
        Need { amount: fact.need.amount.min(remainder.outstanding), is_estimate: fact.need.is_estimate }
    } else {
        Need { amount: remainder.outstanding, is_estimate: false }
    };
    remainder.outstanding = remainder.outstanding.saturating_sub(gives_back.amount);
    remainder.is_returned = remainder.outstanding == Quantity::ZERO;
    Return { fact, sale: Some(sale.number), gives_back, takes_effect_at: fact.time().max(sale.time) }
}

/// Whether one of the sale's observations is on the named document, and on the line if one is named.
fn is_named(sale: &Sale<'_>, named: &ReturnedSale) -> bool {
    sale.facts().any(|fact| {
        let key = &fact.observation.key;
        key.document.document_id == named.document_id
            && named.line_id.as_ref().is_none_or(|line_id| key.line_id == *line_id)
    })
}
