//! One partition of a keyed stage: its store, what is not written to it yet, its time and terms.

pub(super) mod facts;
mod forgetting;
pub(super) mod published;
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
use published::Published;
use unwritten::{Unwritten, applied, committed};
use values::Values;

/// One partition's state, as the record being applied sees it.
pub struct PartitionState<V> {
    store: Box<dyn Store>,
    /// What is committed and the store does not have yet.
    unwritten: Unwritten,
    /// What the batch changed, but for the values that are decoded.
    applied: Unwritten,
    /// Values that were asked for since they were last encoded.
    values: Values<V>,
    /// Time and terms.
    pub(super) facts: Facts,
    facts_committed: Arc<Facts>,
    facts_written: Arc<Facts>,
    /// Where other threads see what is committed; none: nowhere.
    published: Option<Arc<Published>>,
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
        let as_stored = Arc::new(facts.clone());
        Ok(Self {
            store,
            last_record,
            last_record_committed: last_record,
            unwritten: Unwritten::default(),
            applied: Unwritten::default(),
            values: Values::default(),
            facts_written: as_stored.clone(),
            facts_committed: as_stored,
            facts,
            published: None,
            timers_from: None,
            swept_to: None,
        })
    }

    /// The value of a key, to be read or changed; the default when it is missing or forgotten.
    pub(super) fn value(&mut self, key: &[u8]) -> Result<&mut V, StoreError> {
        let committed = committed(self.store.as_ref(), &self.unwritten);
        let value = self.values.value(&applied(&committed, &self.applied), key)?;
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

    fn encode(&mut self) {
        self.applied.encode(&mut self.values);
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
        self.encode();
        self.last_record_committed = self.last_record;
        if self.facts != *self.facts_committed {
            self.facts_committed = Arc::new(self.facts.clone());
        }
        if let Some(published) = &self.published {
            published.commit(&self.facts_committed, self.applied.changes());
        }
        self.unwritten.absorb(&mut self.applied);
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
        let batch = Batch { changes: self.unwritten.take(), next_offset };
        let Some(published) = &self.published else { return self.store.write(batch) };
        published.write_begins();
        self.store.write(batch)?;
        published.write_ended();
        Ok(())
    }

    fn roll_back(&mut self) {
        self.values.clear();
        self.applied.clear();
        self.timers_from = None;
        self.facts = self.facts_committed.as_ref().clone();
        self.last_record = self.last_record_committed;
    }

    fn view(&self) -> Option<View> {
        Some(self.store.view())
    }

    fn watermark(&self) -> Option<&Watermark> {
        Some(&self.facts.watermark)
    }

    fn look(&self, look: readers::Look<'_>) -> Result<(), StoreError> {
        let rows = committed(self.store.as_ref(), &self.unwritten);
        look(&readers::Committed { rows: &rows, facts: &self.facts_committed })
    }

    fn hand_out(&mut self, seat: &readers::Seat) {
        let published = Arc::new(Published::new(self.store.reader(), self.facts_committed.clone()));
        self.published = Some(published.clone());
        seat.take(published);
    }
}
