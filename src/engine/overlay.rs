//! What a batch changes of a partition's state, before it is committed.
//!
//! Values are read from the store and decoded once per batch and key, changed in place, and encoded once when the
//! batch is committed; what is then as the store has it is not written again, and what the store never had is not
//! deleted from it. Until then the store does not know of them: an aborted batch is forgotten by dropping
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
    values: HashMap<Vec<u8>, Held<V>>,
    rows: BTreeMap<Vec<u8>, Change>,
}

/// A value that was read, perhaps to be changed, and its bytes in the store.
#[derive(Debug)]
struct Held<V> {
    value: V,
    stored: Option<Vec<u8>>,
}

/// A row that was set, or deleted.
#[derive(Debug)]
struct Change {
    content: Option<Vec<u8>>,
    /// Whether the store has no such row.
    is_new: bool,
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
            Entry::Occupied(held) => Ok(&mut held.into_mut().value),
            Entry::Vacant(place) => {
                let stored = store.get(&Space::Value.key(&[key]))?;
                let value = stored.as_deref().map(V::decode).transpose()?.unwrap_or_default();
                Ok(&mut place.insert(Held { value, stored }).value)
            }
        }
    }

    /// The value of a row, if it exists.
    pub fn row(&self, store: &dyn Store, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.rows.get(key) {
            Some(change) => Ok(change.content.clone()),
            None => store.get(key),
        }
    }

    /// Sets a row.
    pub fn put_row(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set_row(key, Some(value), false);
    }

    /// Sets a row that is not there: where it is deleted again in the same batch, the store never hears of it.
    pub fn put_new_row(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set_row(key, Some(value), true);
    }

    /// Deletes a row.
    pub fn delete_row(&mut self, key: Vec<u8>) {
        self.set_row(key, None, false);
    }

    fn set_row(&mut self, key: Vec<u8>, content: Option<Vec<u8>>, is_new: bool) {
        // Whether the store has it was said by whoever touched it first.
        self.rows.entry(key).or_insert(Change { content: None, is_new }).content = content;
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
        let deleted = changed.clone().filter(|(_, change)| change.content.is_none()).count();
        let stored = store.range(from, to, limit.saturating_add(deleted))?;
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        for (key, change) in changed {
            match &change.content {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(merged.into_iter().take(limit).collect())
    }

    /// Everything changed, as one batch for the store; the overlay is empty afterwards.
    pub fn take_batch(&mut self, next_offset: i64) -> Batch {
        let rows = std::mem::take(&mut self.rows).into_iter();
        let rows = rows.filter(|(_, change)| change.content.is_some() || !change.is_new);
        let mut changes: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            rows.map(|(key, change)| (key, change.content)).collect();
        changes.extend(self.values.drain().filter_map(|(key, Held { value, stored })| {
            let bytes = (!value.is_empty()).then(|| value.encode());
            (bytes != stored).then(|| (Space::Value.key(&[&key]), bytes))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    /// A number; zero need not be kept.
    #[derive(Debug, Default)]
    struct Number(u8);

    impl StateValue for Number {
        fn encode(&self) -> Vec<u8> {
            vec![self.0]
        }

        fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
            Ok(Self(bytes[0]))
        }

        fn is_empty(&self) -> bool {
            self.0 == 0
        }

        fn newest(&self) -> Option<Timestamp> {
            None
        }

        fn due(&self) -> Option<Timestamp> {
            None
        }
    }

    /// Applies changes of one batch; the keys that were written.
    fn written(
        store: &mut MemoryStore,
        change: impl FnOnce(&mut Overlay<Number>, &MemoryStore),
    ) -> Vec<(Vec<u8>, bool)> {
        let mut overlay = Overlay::default();
        change(&mut overlay, store);
        let batch = overlay.take_batch(store.next_offset() + 1);
        let keys = batch.changes.iter().map(|(key, value)| (key[1..].to_vec(), value.is_some())).collect();
        store.write(batch).unwrap();
        keys
    }

    #[test]
    fn what_is_as_the_store_has_it_is_not_written() {
        let mut store = MemoryStore::default();
        let set = |to: u8| {
            move |overlay: &mut Overlay<Number>, store: &MemoryStore| {
                overlay.value(store, b"k").unwrap().0 = to;
            }
        };
        let nothing: [(Vec<u8>, bool); 0] = [];
        assert_eq!(written(&mut store, set(0)), nothing, "nothing was there and nothing is");
        assert_eq!(written(&mut store, set(7)), [(b"k".to_vec(), true)]);
        assert_eq!(written(&mut store, set(7)), nothing, "read, and as it was");
        assert_eq!(written(&mut store, set(0)), [(b"k".to_vec(), false)]);
        assert_eq!(written(&mut store, set(0)), nothing, "deleted once");
    }

    #[test]
    fn a_row_that_comes_and_goes_in_one_batch_was_never_there() {
        let mut store = MemoryStore::default();
        let key = || Space::Timer.key(&[b"k"]);
        let comes_and_goes = |overlay: &mut Overlay<Number>, _: &MemoryStore| {
            overlay.put_new_row(key(), Vec::new());
            overlay.delete_row(key());
        };
        assert!(written(&mut store, comes_and_goes).is_empty());
        assert_eq!(written(&mut store, |overlay, _| overlay.put_new_row(key(), Vec::new())).len(), 1);
        let goes_comes_and_goes = |overlay: &mut Overlay<Number>, _: &MemoryStore| {
            overlay.delete_row(key());
            overlay.put_new_row(key(), Vec::new());
            overlay.delete_row(key());
        };
        assert_eq!(written(&mut store, goes_comes_and_goes), [(b"k".to_vec(), false)]);
    }
}
