//! What is committed and the store does not have yet, as bytes.
//!
//! Values are decoded for one batch only: between batches they are held as the store will have them, which takes a fraction
//! of the memory, and what an aborted batch made of them is forgotten by dropping what it decoded.

use std::ops::Bound;

use foldhash::HashMap;

use super::rows::{Changes, RowChange};
use super::values::Values;
use crate::engine::State;
use crate::engine::keyspace::Space;
use crate::store::{self, Rows, Store, StoreError};

/// Committed changes that are not in the store.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// Values by their keys in the store.
    values: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// All other rows.
    rows: Changes,
    bytes: usize,
}

impl Unwritten {
    /// Takes over what a committed batch changed.
    pub(super) fn absorb<V: State>(&mut self, values: &mut Values<V>, rows: &mut Changes) {
        for (key, value) in values.take_changed() {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            let before = self.values.insert(key, value).flatten();
            self.bytes = self.bytes.saturating_sub(before.map_or(0, |before| before.len()));
        }
        self.bytes += self.rows.absorb(rows);
    }

    /// How many bytes they are, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes one more row along to the store.
    pub(super) fn put(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.rows.put(key, content);
    }

    /// All of them in the order of their keys; none are left.
    pub(super) fn take(&mut self) -> Vec<RowChange> {
        self.bytes = 0;
        let mut changes = self.rows.take();
        changes.extend(self.values.drain());
        changes.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        changes
    }
}

/// What is committed: the store, and on top of it what it does not have yet.
pub(super) struct Committed<'a> {
    store: &'a dyn Store,
    unwritten: &'a Unwritten,
}

/// What is committed.
pub(super) fn committed<'a>(store: &'a dyn Store, unwritten: &'a Unwritten) -> Committed<'a> {
    Committed { store, unwritten }
}

impl Rows for Committed<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if key.first() != Some(&(Space::Value as u8)) {
            return self.unwritten.rows.row(self.store, key);
        }
        match self.unwritten.values.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.store.get(key),
        }
    }

    /// Of rows that are no values: values are asked for by their keys.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<store::Entry>, StoreError> {
        self.unwritten.rows.range(self.store, from, to, limit)
    }
}
