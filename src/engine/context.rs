//! What an entry is applied to: the state of its partition as it is with everything before it, and what is to be
//! published.

use std::sync::Arc;

use super::partition::PartitionState;
use super::partition::facts::Facts;
use super::{Keyed, Outbox};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::wire::entries::Terms;

/// What an entry is applied to.
pub struct Context<'a, K: Keyed> {
    pub(super) state: &'a mut PartitionState<K::State>,
    /// What it publishes.
    pub out: &'a mut Outbox<K::Topic>,
    /// What it counts.
    pub tally: &'a mut K::Tally,
    /// The partition that the entry is in.
    pub partition: i32,
    /// When its record was written.
    pub written_at: Timestamp,
}

impl<K: Keyed> Context<'_, K> {
    /// The state of a key, to be read or changed; the default when there is none, or it is forgotten. What is as it was
    /// is not written.
    pub fn value(&mut self, key: &[u8]) -> Result<&mut K::State, StoreError> {
        self.state.value(key)
    }

    /// Takes note of a row that belongs to a key: from now on it is remembered as long as anything noted at that moment.
    /// Whether it is new; one that was forgotten is.
    ///
    /// Rows are for what is too large for one value: they are read a page at a time.
    pub fn note_row(&mut self, key: &[u8], row: &[u8], noted_at: Timestamp) -> Result<bool, StoreError> {
        self.state.note_row(key, row, noted_at)
    }

    /// The rows of a key behind one of them, in order, so many at most.
    pub fn rows_after(
        &mut self,
        key: &[u8],
        after: Option<&[u8]>,
        at_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.state.rows_after(key, after, at_most)
    }

    /// The time of the log: everything that happened before it, and was uploaded in time, was seen. None before all
    /// sources have spoken.
    pub fn now(&self) -> Option<Timestamp> {
        self.state.facts.watermark.now()
    }

    /// The greatest wall clock in the log.
    pub fn wall(&self) -> Option<Timestamp> {
        self.state.facts.watermark.wall
    }

    /// What is older is forgotten.
    pub fn forgotten_before(&self) -> Option<Timestamp> {
        self.state.facts.forgotten_before
    }

    /// The terms in force.
    pub fn terms(&self) -> Arc<Terms> {
        self.state.facts.terms.clone()
    }

    /// Time and terms of the partition.
    pub fn facts(&mut self) -> &mut Facts {
        &mut self.state.facts
    }
}
