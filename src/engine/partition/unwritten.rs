//! What the store does not have yet, as bytes: what a batch changed so far, and what is committed.
//!
//! Values are decoded for a short stretch of the log only: then they are held as the store will have them, which takes a
//! fraction of the memory, and what an aborted batch made of them is forgotten by dropping it.

use std::ops::Bound;

use foldhash::HashMap;

use super::rows::Changes;
use super::values::Values;
use crate::engine::State;
use crate::engine::keyspace::Space;
use crate::store::{self, Bytes, Change, Rows, Store, StoreError};

/// What a row takes in memory besides its bytes, about.
const BYTES_PER_ROW: usize = 112;

/// Changes that are not in the store.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// Values by their keys in the store.
    values: HashMap<Bytes, Option<Bytes>>,
    /// All other rows.
    pub(super) rows: Changes,
    /// How many bytes all of them take, about.
    bytes: usize,
}

impl Unwritten {
    /// Takes the values that changed; none is decoded any more.
    pub(super) fn encode<V: State>(&mut self, values: &mut Values<V>) {
        values.take_changed(|key, value| self.set_value(key, value));
    }

    /// Takes over what a batch changed that is committed now.
    pub(super) fn absorb(&mut self, batch: &mut Self) {
        if self.values.is_empty() {
            std::mem::swap(&mut self.values, &mut batch.values);
            self.bytes += batch.bytes;
        }
        for (key, value) in batch.values.drain() {
            self.set_value(key, value);
        }
        batch.bytes = 0;
        self.bytes += self.rows.absorb(&mut batch.rows, BYTES_PER_ROW);
    }

    fn set_value(&mut self, key: Bytes, value: Option<Bytes>) {
        self.bytes += size(&key, value.as_ref());
        if let Some(before) = self.values.insert(key.clone(), value) {
            self.bytes = self.bytes.saturating_sub(size(&key, before.as_ref()));
        }
    }

    /// All of them in the order of their keys, for others to read.
    pub(super) fn changes(&self) -> Vec<Change> {
        let values = self.values.iter().map(|(key, value)| (key.clone(), value.clone()));
        in_order(values.chain(self.rows.changes()).collect())
    }

    /// How many bytes they take in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes one more row along to the store.
    pub(super) fn put(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.rows.put(key, content);
    }

    /// All of them in the order of their keys; none are left.
    pub(super) fn take(&mut self) -> Vec<Change> {
        self.bytes = 0;
        let mut changes: Vec<Change> = std::mem::take(&mut self.values).into_iter().collect();
        changes.extend(self.rows.take());
        in_order(changes)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.rows.clear();
        self.bytes = 0;
    }
}

fn in_order(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    changes
}

fn size(key: &[u8], value: Option<&Bytes>) -> usize {
    BYTES_PER_ROW + key.len() + value.map_or(0, |value| value.len())
}

/// Rows, and on top of them changes that they do not have yet.
pub(super) struct Under<'a> {
    rows: &'a dyn Rows,
    unwritten: &'a Unwritten,
}

/// What is committed.
pub(super) fn committed<'a>(store: &'a dyn Store, unwritten: &'a Unwritten) -> Under<'a> {
    Under { rows: store, unwritten }
}

/// What is committed, and what the batch changed so far.
pub(super) fn applied<'a>(committed: &'a Under<'a>, batch: &'a Unwritten) -> Under<'a> {
    Under { rows: committed, unwritten: batch }
}

impl Rows for Under<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        if key.first() != Some(&(Space::Value as u8)) {
            return self.unwritten.rows.row(self.rows, key);
        }
        match self.unwritten.values.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.rows.get(key),
        }
    }

    /// Of rows that are no values: values are asked for by their keys.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<store::Entry>, StoreError> {
        self.unwritten.rows.range(self.rows, from, to, limit)
    }
}
