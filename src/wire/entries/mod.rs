//! Entries of the internal topics. One record carries many entries of one partition.
//!
//! Every topic carries the engine's own entries ([`Entry`]): time, the terms in force, word to go on firing timers. What
//! else it carries is its body, one type for each topic. The types are here, their form as bytes is in the `codec`.

mod codec;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

pub use codec::{Body, Packer, decode, encode, read};

use crate::domain::Text;
use crate::domain::claim::{Claim, ClaimChange, ClaimPaid, CodeVerdict};
use crate::domain::document::lending::Offer;
use crate::domain::document::{DocumentKey, Reversal, Upload};
use crate::domain::register::lending::Loan;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::sender::{Received, SenderDay};
use crate::domain::time::Timestamp;

/// What is in force, and travels in band because it changes what is concluded.
pub type Terms = RuleSet;

/// The body of entries that have none: a partition keeps what it knows of time and terms in the form in which they
/// travel.
pub type NoBody = Infallible;

/// An entry of an internal topic: a record of a changelog, in the words of the field.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<B> {
    /// What the topic is there for.
    Body(Box<B>),
    /// Time passed.
    Tick(Tick),
    /// What is in force from here on.
    Terms(Box<Terms>),
    /// More timers are due than one entry fires: go on.
    FireMore,
}

impl<B> Entry<B> {
    /// The entry of a body.
    pub fn of(body: B) -> Self {
        Self::Body(Box::new(body))
    }
}

/// What the `documents` topic carries.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentEntry {
    /// An upload, at the partition of its document (or, a reversal, of the alias it names).
    Upload(Upload),
    /// At the partition of an alias: `member` can be named by it.
    Alias {
        /// The other identity.
        alias: DocumentKey,
        /// The document behind it.
        member: DocumentKey,
        /// When the upload that says so was received.
        received_at: Timestamp,
    },
    /// Reversals that arrived under an alias, at the partition of a document behind it. Not forwarded again.
    Forwarded {
        /// The document.
        member: DocumentKey,
        /// The reversals, to be taken in one step.
        reversals: Vec<Reversal>,
    },
    /// At the partition of an alias: its members are to be told of the reversals that arrived.
    Tell {
        /// The alias.
        alias: DocumentKey,
    },
    /// At the partition of an alias: more documents behind it are to be told of the reversals, those after `after`.
    ForwardPage {
        /// The reversals, whose target is the alias.
        reversals: Vec<Reversal>,
        /// The last document that was told.
        after: DocumentKey,
    },
    /// At the partition of an alias: a settlement wants to hear of what is offered there.
    Borrows {
        /// The alias.
        alias: DocumentKey,
        /// The settlement.
        member: DocumentKey,
        /// When the upload that says so was received.
        received_at: Timestamp,
    },
    /// At the partition of an alias: what a dispensing has to lend to the settlements that borrow there.
    Offered {
        /// The alias.
        alias: DocumentKey,
        /// What it has to lend now.
        offer: Box<Offer>,
    },
    /// At the partition of a settlement: what was offered under an alias where it borrows.
    Loan {
        /// The settlement.
        member: DocumentKey,
        /// The alias.
        alias: DocumentKey,
        /// What was offered.
        loan: Loan,
    },
    /// At the partition of an alias: more is to be passed on.
    LoanPage {
        /// The alias.
        alias: DocumentKey,
        /// What, and to whom.
        rest: LoanRest,
    },
    /// At the partition of a settlement: it is to look at itself because of what was offered.
    Reconsider {
        /// The settlement.
        document: DocumentKey,
    },
    /// At the partition where the counts of an institution and day are kept: what was received more.
    Received {
        /// The institution and day.
        sender: SenderDay,
        /// What was received.
        received: Box<Received>,
    },
}

/// What the `claims` topic carries.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimEntry {
    /// A claim as the register knows it, at the claim's partition.
    Claim(Claim),
    /// Lines of it that changed since the register told of it last.
    ClaimChange(ClaimChange),
    /// The monitor's answer to one of its codes.
    Verdict(CodeVerdict),
    /// What was paid for a claim in all.
    Paid(ClaimPaid),
}

/// What an alias has still to pass on of what was offered.
#[derive(Clone, Debug, PartialEq)]
pub enum LoanRest {
    /// To one settlement, what lenders after this one offered.
    Offers {
        /// The settlement.
        member: DocumentKey,
        /// The last lender whose offer was passed on.
        after: Text,
    },
    /// To settlements after this one, what one lender offered; none: that too much was offered.
    Members {
        /// The lender.
        lender: Option<Text>,
        /// The last settlement that was told.
        after: DocumentKey,
    },
}

/// How far one source of a topic has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The partition that vouches for it: `procurement/3`, `documents/0`.
    pub source: Text,
    /// How many sources there are in all; time moves when all of them have spoken.
    pub sources: u32,
    /// Nothing that happened before this moment, and was uploaded in time, is still to come from the source.
    pub now: Timestamp,
    /// The greatest wall clock seen on the way; serves the decision deadline only. None in a back-test.
    pub wall: Option<Timestamp>,
}
