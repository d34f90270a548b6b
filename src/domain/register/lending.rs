//! Lending between documents: what a hand-over offers is kept under the aliases of the settlements that may borrow it, is
//! passed on to these, and is kept there too, so that it does not matter which came first. Only settlements that borrow hear
//! of it: most hand-overs are of claims that have their codes themselves. A settlement says so with every upload that
//! leaves it with a line that its own codes do not cover ([`Borrower`]).
//!
//! A settlement does not look at itself for every offer, but once for all that have come by then, and then only at the lines
//! that borrow otherwise ([`scope`](super::scope)): many hand-overs of one long settlement would otherwise cost the square
//! of it. When it looks is said by an entry of the log, so it does not depend on batches.
//!
//! Limits: an alias keeps the offers of so many lenders, and so many codes, for so many borrowers. One that was offered
//! more, or has more of them (those that borrowed at any time count, so at this limit the order of arrival can tell), stays
//! *overfull*: it passes nothing on any more, and holds the claims that would borrow there, as documents over their limits do. It is the mark of a sender that writes one number everywhere.

use std::sync::Arc;

use super::difference::Step;
use super::judge::{Before, judge};
use super::{DocumentState, RegisterEffects};
use crate::domain::document::DocumentKey;
use crate::domain::document::lending::{LENDERS_MAX, Offer, Offers, Windows};
use crate::domain::observation::Moment;
use crate::domain::outcome::UploadOutcome;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;

/// What is kept of lending beside a document, or under an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lending {
    /// What was offered, and the document was judged by.
    pub offers: Offers,
    /// What was offered since.
    pub waiting: Offers,
    /// Of an alias, how many settlements borrow there.
    pub borrowers: usize,
    /// The windows that the document was last judged by; none while it neither lends nor is offered anything.
    pub windows: Option<Windows>,
}

/// What a hand-over has to lend, and under which aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// What it has to lend now.
    pub offer: Offer,
    /// The aliases under which that is to be known.
    pub aliases: Vec<DocumentKey>,
}

/// Where a settlement wants to hear of what is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrower {
    /// The alias.
    pub alias: DocumentKey,
    /// When the upload was received that left it with a line to be covered.
    pub received_at: Timestamp,
}

/// What an alias has to pass on to those who borrow there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loan {
    /// Offers, as the alias keeps them.
    pub offers: Vec<Arc<Offer>>,
    /// Whether more was offered than the alias keeps.
    pub is_overfull: bool,
}

impl Loan {
    /// Whether there is nothing to pass on.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty() && !self.is_overfull
    }
}

impl Lending {
    /// Takes what was offered under the alias that this is of. What those who borrow there are to be told of it.
    pub fn offer(&mut self, alias: &DocumentKey, offer: Offer) -> Loan {
        if self.is_overfull(alias) {
            return Loan::default();
        }
        let is_unheard_of = self.offers.of(&offer.lender).is_none();
        let is_lent_here = offer.aliases(&alias.institution_id).contains(alias);
        let kept = if is_lent_here { offer } else { offer.without_lines() };
        if !self.offers.is_news(&kept) || (is_unheard_of && kept.lines.is_empty()) {
            return Loan::default();
        }
        if !self.offers.has_room_for(&kept) {
            return self.overfill(alias);
        }
        let kept = Arc::new(kept);
        self.offers.take(kept.clone());
        Loan { offers: vec![kept], is_overfull: false }
    }

    /// Takes note of one more settlement that borrows under the alias that this is of. What the others are to be told of it.
    pub fn count_borrower(&mut self, alias: &DocumentKey) -> Loan {
        self.borrowers = self.borrowers.saturating_add(1);
        let is_too_many = self.borrowers > LENDERS_MAX && !self.is_overfull(alias);
        if is_too_many { self.overfill(alias) } else { Loan::default() }
    }

    fn is_overfull(&self, alias: &DocumentKey) -> bool {
        self.offers.overfull.contains(&alias.document_id)
    }

    /// Nothing is lent here from now on.
    fn overfill(&mut self, alias: &DocumentKey) -> Loan {
        self.offers = Offers::default();
        self.offers.overfull.insert(alias.document_id.clone());
        Loan { offers: Vec::new(), is_overfull: true }
    }

    /// Takes what an alias passed on to the settlement that this is of. Whether the settlement is to look at itself, and
    /// was not told to yet.
    pub fn receive(&mut self, alias: &DocumentKey, loan: Loan) -> bool {
        let was_waiting = !self.waiting.is_empty();
        for offer in loan.offers {
            if self.offers.is_news(&offer) {
                self.waiting.take(offer);
            }
        }
        if loan.is_overfull && !self.offers.overfull.contains(&alias.document_id) {
            self.waiting.overfull.insert(alias.document_id.clone());
        }
        !was_waiting && !self.waiting.is_empty()
    }
}

/// Looks at a settlement again because of what was offered to it since.
pub fn reconsider(
    state: &mut DocumentState,
    key: &DocumentKey,
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    let mut effects = RegisterEffects::nothing(UploadOutcome::Duplicate);
    let waiting = std::mem::take(&mut state.lending.waiting);
    if waiting.is_empty() {
        return effects;
    }
    effects.changed = true;
    let latest = waiting.iter().max_by_key(|offer| (offer.origin.received_at, offer.lender.clone())).cloned();
    let lenders = waiting.iter().map(|offer| (offer.lender.clone(), offer.what())).collect();
    let offers_before = state.lending.offers.clone();
    state.lending.offers.take_all(waiting);
    let step = match &latest {
        Some(latest) => Step::of_offer(key, latest, lenders),
        None => Step::of_time(key),
    };
    judge(state, Before::of_offers(&offers_before), &step, moment, rules, &mut effects);
    effects
}

#[cfg(test)]
mod tests;
