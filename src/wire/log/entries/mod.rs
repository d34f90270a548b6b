//! Entries of the internal topics. One record carries many entries of one partition.
//!
//! The types are here, their form as bytes is in the `codec`.

mod codec;
#[cfg(test)]
mod tests;

pub use codec::{
    decode_claims, decode_documents, decode_observations, encode_claims, encode_documents,
    encode_observations,
};

use crate::domain::Text;
use crate::domain::claim::{Claim, CodeVerdict};
use crate::domain::document::{DocumentKey, Reversal, Upload};
use crate::domain::observation::CodeChange;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;

/// An entry of the `documents` topic.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentEntry {
    /// An upload, at the partition of its document (or, a reversal, of the alias it names).
    Upload(Box<Upload>),
    /// At the partition of an alias: `member` can be named by it.
    Alias {
        /// The other identity.
        alias: DocumentKey,
        /// The document behind it.
        member: DocumentKey,
        /// When the upload that says so was received.
        received_at: Timestamp,
    },
    /// A reversal that arrived under an alias, at the partition of a document behind it. Not forwarded again.
    Forwarded(Box<Reversal>),
    /// At the partition of an alias: more documents behind it are to be told of the reversal, those after `after`.
    ForwardPage {
        /// The reversal, whose target is the alias.
        reversal: Box<Reversal>,
        /// The last document that was told.
        after: DocumentKey,
    },
    /// Time passed.
    Tick(Tick),
    /// The rule set in force from here on.
    RuleSet(Box<RuleSet>),
}

/// An entry of the `observations` topic.
#[derive(Clone, Debug, PartialEq)]
pub enum ObservationEntry {
    /// What one upload changes of one code, at the code's partition.
    Change(Box<CodeChange>),
    /// Time passed.
    Tick(Tick),
    /// More timers are due than one entry fires: go on.
    FireMore,
    /// The rule set in force from here on.
    RuleSet(Box<RuleSet>),
}

/// An entry of the `claims` topic.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimEntry {
    /// A claim as the register knows it, at the claim's partition.
    Claim(Box<Claim>),
    /// The monitor's answer to one of its codes.
    Verdict(Box<CodeVerdict>),
    /// Time passed.
    Tick(Tick),
    /// More timers are due than one entry fires: go on.
    FireMore,
    /// The rule set in force from here on.
    RuleSet(Box<RuleSet>),
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
