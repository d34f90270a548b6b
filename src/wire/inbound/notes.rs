//! What was read leniently: counted, so that nothing that was bent or left out is silent.
//!
//! Names of fields are those of the interface, from the reader's own texts, so their number is bounded.

use std::cell::RefCell;
use std::collections::BTreeMap;

pub use crate::domain::outcome::Leniency;

/// The notes of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Optional fields that could not be read and were left out, by name.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What was read leniently.
    pub leniencies: BTreeMap<Leniency, u64>,
}

/// Takes notes while a record is read.
#[derive(Debug, Default)]
pub(super) struct Notebook(RefCell<Notes>);

impl Notebook {
    /// An optional field was left out.
    pub(super) fn left_out(&self, field: &'static str) {
        *self.0.borrow_mut().left_out.entry(field).or_default() += 1;
    }

    /// Something was read leniently.
    pub(super) fn lenient(&self, leniency: Leniency) {
        *self.0.borrow_mut().leniencies.entry(leniency).or_default() += 1;
    }

    /// The notes.
    pub(super) fn into_notes(self) -> Notes {
        self.0.into_inner()
    }
}
