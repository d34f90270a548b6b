//! What a batch changes of a partition's state, before it is committed.
//!
//! Values are read from the store and decoded once per batch and key, changed in place, and encoded once when the
//! batch is committed. Until then the store does not know of them: an aborted batch is forgotten by dropping
//! the overlay. Beside the decoded values there are plain rows (timers, members of aliases), which are ordered.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use foldhash::HashMap;
use std::ops::Bound;

use crate::domain::time::Timestamp;
use crate::store::{self, Batch, Store, StoreError};

/// A decoded state value.
pub trait StateValue: Default {
    /// Bytes for the store.
    fn encode(&self) -> Vec<u8>;
    /// The value of those bytes; an unknown version or damage is an error that says so.
    fn decode(bytes: &[u8]) -> Result<Self, StoreError>;
    /// Whether nothing has to be kept.
    fn is_empty(&self) -> bool;
    /// The newest fact in it, by which it is forgotten some day; none: never.
    fn newest(&self) -> Option<Timestamp>;
    /// When its timer is due, if it has one.
    fn due(&self) -> Option<Timestamp>;
}

/// Stages without state per key.
impl StateValue for () {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(_: &[u8]) -> Result<Self, StoreError> {
        Ok(())
    }

    fn is_empty(&self) -> bool {
        true
    }

    fn newest(&self) -> Option<Timestamp> {
        None
    }

    fn due(&self) -> Option<Timestamp> {
        None
    }
}

/// Key spaces of a partition's store, by the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Space {
    /// The partition's own facts: watermark, rule set.
    Meta = 0,
    /// Decoded values by key.
    Value = 1,
    /// Timers in order of (due time, key).
    Timer = 2,
    /// Members of aliases.
    Member = 3,
}

impl Space {
    /// A key in this space.
    pub fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
        key.push(self as u8);
        for part in parts {
            key.extend_from_slice(part);
        }
        key
    }
}

/// Uncommitted changes of one partition.
#[derive(Debug)]
pub struct Overlay<V> {
    values: HashMap<Vec<u8>, V>,
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<V> Default for Overlay<V> {
    fn default() -> Self {
        Self { values: HashMap::default(), rows: BTreeMap::new() }
    }
}

impl<V: StateValue> Overlay<V> {
    /// The value of a key, to be read or changed; a missing one is the default.
    pub fn value(&mut self, store: &dyn Store, key: &[u8]) -> Result<&mut V, StoreError> {
        match self.values.entry(key.to_vec()) {
            Entry::Occupied(value) => Ok(value.into_mut()),
            Entry::Vacant(place) => {
                let value = match store.get(&Space::Value.key(&[key]))? {
                    Some(bytes) => V::decode(&bytes)?,
                    None => V::default(),
                };
                Ok(place.insert(value))
            }
        }
    }

    /// The value of a row, if it exists.
    pub fn row(&self, store: &dyn Store, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(row) => Ok(row.clone()),
            None => store.get(key),
        }
    }

    /// Sets a row.
    pub fn put_row(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.rows.insert(key, Some(value));
    }

    /// Deletes a row.
    pub fn delete_row(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }

    /// Up to `limit` rows within the bounds, in key order, as they are with the uncommitted changes.
    pub fn range(
        &self,
        store: &dyn Store,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<store::Entry>, StoreError> {
        let changed = self.rows.range::<[u8], _>((from, to));
        let deleted = changed.clone().filter(|(_, row)| row.is_none()).count();
        let stored = store.range(from, to, limit.saturating_add(deleted))?;
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        for (key, row) in changed {
            match row {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(merged.into_iter().take(limit).collect())
    }

    /// Everything changed, as one batch for the store; the overlay is empty afterwards.
    pub fn take_batch(&mut self, next_offset: i64) -> Batch {
        let mut changes: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            std::mem::take(&mut self.rows).into_iter().collect();
        changes.extend(self.values.drain().map(|(key, value)| {
            let bytes = (!value.is_empty()).then(|| value.encode());
            (Space::Value.key(&[&key]), bytes)
        }));
        changes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Batch { changes, next_offset }
    }

    /// Forgets everything uncommitted.
    pub fn clear(&mut self) {
        self.values.clear();
        self.rows.clear();
    }
}
