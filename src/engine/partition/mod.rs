//! One partition of a keyed stage: its store, what is not written to it yet, its time and terms.

pub(super) mod facts;
mod forgetting;
mod rows;
#[cfg(test)]
mod tests;
mod timers;
mod unwritten;
mod values;

use std::sync::Arc;

use super::stage::Kept;
use super::watermark::Watermark;
use super::{State, keyspace, provenance, readers};
use crate::broker::Record;
use crate::domain::time::Timestamp;
use crate::store::{Batch, Store, StoreError, View};
use facts::Facts;
use rows::Changes;
use unwritten::{Unwritten, committed};
use values::Values;

/// One partition's state, as the record being applied sees it.
pub struct PartitionState<V> {
    store: Box<dyn Store>,
    unwritten: Unwritten,
    /// Values that the batch asked for.
    values: Values<V>,
    /// Rows that the batch changed and that are no values: timers, rows of keys.
    changes: Changes,
    /// Time and terms.
    pub(super) facts: Facts,
    facts_committed: Facts,
    facts_written: Facts,
    /// No timer is due before this; none: unknown.
    timers_from: Option<Timestamp>,
    /// The last row of the store that was looked at for what is forgotten; none: begin at the first.
    swept_to: Option<Vec<u8>>,
    /// Digest of the record applied last; none: nothing was applied.
    last_record: Option<u64>,
    last_record_committed: Option<u64>,
}

impl<V: State> PartitionState<V> {
    /// Opens a partition on its store.
    pub(super) fn open(store: Box<dyn Store>) -> Result<Self, StoreError> {
        let facts = Facts::load(store.as_ref())?;
        let last_record = store.get(&keyspace::last_record())?;
        let last_record = last_record.and_then(|digest| Some(u64::from_be_bytes(*digest.first_chunk()?)));
        Ok(Self {
            store,
            last_record,
            last_record_committed: last_record,
            unwritten: Unwritten::default(),
            values: Values::default(),
            changes: Changes::default(),
            facts_written: facts.clone(),
            facts_committed: facts.clone(),
            facts,
            timers_from: None,
            swept_to: None,
        })
    }

    /// The value of a key, to be read or changed; the default when it is missing or forgotten.
    pub(super) fn value(&mut self, key: &[u8]) -> Result<&mut V, StoreError> {
        let value = self.values.value(&committed(self.store.as_ref(), &self.unwritten), key)?;
        // When its newest fact is from is a walk over all of them: asked only where anything is forgotten at all.
        if self.facts.forgotten_before.is_some() && self.facts.forgets(value.newest()) {
            *value = V::default();
        }
        Ok(value)
    }
}

impl<V: State> Kept for PartitionState<V> {
    fn applied(&mut self, record: &Record) {
        self.last_record = Some(provenance::digest(record));
    }

    /// It was not the last, or it is the one that was.
    fn may_have_seen(&self, record: &Record, next_offset: i64) -> bool {
        record.offset.saturating_add(1) != next_offset
            || self.last_record.is_none_or(|digest| digest == provenance::digest(record))
    }

    fn knows_its_last_record(&self) -> bool {
        self.last_record.is_some()
    }

    fn committed(&mut self) -> Result<usize, StoreError> {
        let forgotten = self.sweep()?;
        self.unwritten.absorb(&mut self.values, &mut self.changes);
        self.last_record_committed = self.last_record;
        if self.facts != self.facts_committed {
            self.facts_committed = self.facts.clone();
        }
        Ok(forgotten)
    }

    fn unwritten_bytes(&self) -> usize {
        self.unwritten.bytes()
    }

    fn write(&mut self, next_offset: i64) -> Result<(), StoreError> {
        if let Some(digest) = self.last_record_committed {
            self.unwritten.put(keyspace::last_record(), digest.to_be_bytes().to_vec());
        }
        if self.facts_committed != self.facts_written {
            self.unwritten.put(keyspace::facts(), self.facts_committed.encode());
            self.facts_written = self.facts_committed.clone();
        }
        self.store.write(Batch { changes: self.unwritten.take(), next_offset })
    }

    fn roll_back(&mut self) {
        self.values.clear();
        self.changes.clear();
        self.timers_from = None;
        self.facts = self.facts_committed.clone();
        self.last_record = self.last_record_committed;
    }

    fn view(&self) -> Option<View> {
        Some(self.store.view())
    }

    fn watermark(&self) -> Option<&Watermark> {
        Some(&self.facts.watermark)
    }

    fn hand_out(&self, seat: &readers::Seat) {
        seat.take(Arc::clone(&self.store.reader()));
    }
}
