//! The domain: what an upload means, which observations a code has, what the rules find.
//!
//! Everything here is a pure function of (documents, reference data, rule set, `now`). There is no clock, no
//! randomness, no I/O and no dependency but `std` and the type of texts; nothing from outside can make it panic. The specification is
//! the text of the rules, restated where each is implemented.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::disallowed_methods,
    clippy::iter_over_hash_type
)]

pub mod adjudicator;
pub mod alert;
pub mod amount;
pub mod claim;
pub(crate) mod closed_set;
pub mod document;
pub mod finding;
pub mod handling;
pub mod horizon;
pub mod memo;
pub mod monitor;
pub mod observation;
pub mod outcome;
pub mod reference;
pub mod register;
pub mod rules;
#[cfg(test)]
pub(crate) mod samples;
pub mod sender;
mod text;
pub mod time;
pub mod timeline;
pub mod trace_code;

pub use text::Text;
