//! What is committed and not in the store yet, for other threads.
//!
//! The worker publishes what each batch changed as a layer that never changes, and never waits for whoever reads. Layers
//! are merged as they come, so that there are few of them, each more than twice as large as the next one.
//!
//! A look takes the layers, then the store as it is at one moment. When the store was written between the two, the layers are
//! not those that belong to it: the look begins anew. While it is being written, it holds nothing that is not in the layers
//! too, so either moment is right.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::facts::Facts;
use super::rows::range_under;
use crate::store::{Bytes, Change, Entry, Reader, Rows, StoreError};

/// The committed state of a partition.
pub(in crate::engine) struct Published {
    store: Arc<dyn Reader>,
    now: ArcSwap<Moment>,
}

/// What is committed besides the store.
struct Moment {
    /// Grows when a write of the store begins, and when it has ended.
    writes: u64,
    facts: Arc<Facts>,
    /// The oldest first.
    layers: Vec<Layer>,
}

/// Changes in the order of their keys.
type Layer = Arc<Vec<Change>>;

impl Published {
    /// A partition that is as its store is.
    pub(super) fn new(store: Arc<dyn Reader>, facts: Arc<Facts>) -> Self {
        Self { store, now: ArcSwap::from_pointee(Moment { writes: 0, facts, layers: Vec::new() }) }
    }

    /// A batch is committed that changed this.
    pub(super) fn commit(&self, facts: &Arc<Facts>, changes: Vec<Change>) {
        let now = self.now.load();
        let mut layers = now.layers.clone();
        let mut newest = changes;
        while let Some(older) = layers.pop_if(|older| older.len() <= newest.len().saturating_mul(2)) {
            newest = merged(&older, newest);
        }
        if !newest.is_empty() {
            layers.push(Arc::new(newest));
        }
        self.now.store(Arc::new(Moment { writes: now.writes, facts: facts.clone(), layers }));
    }

    /// The store is about to be brought to what is committed.
    pub(super) fn write_begins(&self) {
        let now = self.now.load();
        let (facts, layers) = (now.facts.clone(), now.layers.clone());
        self.now.store(Arc::new(Moment { writes: now.writes.wrapping_add(1), facts, layers }));
    }

    /// The store has what is committed.
    pub(super) fn write_ended(&self) {
        let now = self.now.load();
        let (writes, facts) = (now.writes.wrapping_add(1), now.facts.clone());
        self.now.store(Arc::new(Moment { writes, facts, layers: Vec::new() }));
    }

    /// Looks at what is committed at one moment.
    pub(in crate::engine) fn look(
        &self,
        look: &mut dyn FnMut(&dyn Rows, &Facts) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut is_done = false;
        while !is_done {
            let now = self.now.load_full();
            self.store.at_one_moment(&mut |rows| {
                if self.now.load().writes == now.writes {
                    is_done = true;
                    look(&Layered { rows, layers: &now.layers }, &now.facts)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Both, in the order of their keys; of a key that both have, what is newer.
fn merged(older: &[Change], newer: Vec<Change>) -> Vec<Change> {
    let mut merged = Vec::with_capacity(older.len() + newer.len());
    let mut older = older.iter().peekable();
    for change in newer {
        while let Some(before) = older.next_if(|before| before.0 < change.0) {
            merged.push(before.clone());
        }
        older.next_if(|before| before.0 == change.0);
        merged.push(change);
    }
    merged.extend(older.cloned());
    merged
}

/// Rows under layers.
struct Layered<'a> {
    rows: &'a dyn Rows,
    layers: &'a [Layer],
}

impl Rows for Layered<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        for layer in self.layers.iter().rev() {
            if let Ok(at) = layer.binary_search_by(|change| (*change.0).cmp(key)) {
                return Ok(layer.get(at).and_then(|change| change.1.clone()));
            }
        }
        self.rows.get(key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut changed: BTreeMap<&[u8], Option<&[u8]>> = BTreeMap::new();
        for layer in self.layers {
            changed.extend(within(layer, from, to).iter().map(|(key, value)| (&**key, value.as_deref())));
        }
        let changed = changed.iter().map(|(key, value)| (*key, *value));
        range_under(self.rows, changed, (from, to), limit)
    }
}

/// The changes of the keys within the bounds.
fn within<'a>(layer: &'a [Change], from: Bound<&[u8]>, to: Bound<&[u8]>) -> &'a [Change] {
    let start = layer.partition_point(|(key, _)| match from {
        Bound::Included(from) => **key < *from,
        Bound::Excluded(from) => **key <= *from,
        Bound::Unbounded => false,
    });
    let end = layer.partition_point(|(key, _)| match to {
        Bound::Included(to) => **key <= *to,
        Bound::Excluded(to) => **key < *to,
        Bound::Unbounded => true,
    });
    layer.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Batch, Store};

    const KEYS: u8 = 8;

    fn numbers(rows: &dyn Rows) -> Vec<u32> {
        let found = rows.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).unwrap();
        let number = |bytes: &[u8]| u32::from_be_bytes(*bytes.first_chunk().unwrap());
        for (key, value) in &found {
            assert_eq!(rows.get(key).unwrap().as_deref(), Some(&**value), "both ways to read agree");
        }
        found.iter().map(|(_, value)| number(value)).collect()
    }

    /// One thread commits batches, and writes the store now and then; each batch sets three keys to its number and deletes
    /// one. Whoever looks meanwhile sees the state after one of the batches, never between two.
    #[test]
    fn a_look_sees_one_batch_whatever_is_written_meanwhile() {
        let mut store = MemoryStore::default();
        let published = Published::new(store.reader(), Arc::default());
        let is_over = AtomicBool::new(false);
        let state_after = |batch: u32| {
            let mut state = BTreeMap::new();
            for number in batch.saturating_sub(2 * u32::from(KEYS))..=batch {
                for (key, value) in changes_of(number) {
                    state.insert(key, value);
                }
            }
            let values = state.into_values().flatten();
            values.map(|value| u32::from_be_bytes(*value.first_chunk().unwrap())).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut unwritten: BTreeMap<Bytes, Option<Bytes>> = BTreeMap::new();
                for number in 1..20_000 {
                    unwritten.extend(changes_of(number));
                    published.commit(&Arc::default(), changes_of(number).into_iter().collect());
                    if number % 37 == 0 {
                        published.write_begins();
                        let changes = std::mem::take(&mut unwritten).into_iter().collect();
                        store.write(Batch { changes, next_offset: i64::from(number) }).unwrap();
                        published.write_ended();
                    }
                }
                is_over.store(true, Ordering::Release);
            });
            let mut seen = 0;
            while !is_over.load(Ordering::Acquire) {
                let look = &mut |rows: &dyn Rows, _: &Facts| {
                    let numbers = numbers(rows);
                    let newest = numbers.iter().copied().max().unwrap_or_default();
                    assert!(newest >= seen, "no step back");
                    assert_eq!(numbers, if newest > 0 { state_after(newest) } else { Vec::new() });
                    seen = newest;
                    Ok(())
                };
                published.look(look).unwrap();
            }
        });
        let look = &mut |rows: &dyn Rows, _: &Facts| {
            assert_eq!(numbers(rows), state_after(19_999));
            Ok(())
        };
        published.look(look).unwrap();
    }

    /// The three keys that a batch sets, and the one that it deletes.
    fn changes_of(number: u32) -> BTreeMap<Bytes, Option<Bytes>> {
        let key =
            |nth: u32| Bytes::from([(number.wrapping_mul(3).wrapping_add(nth) % u32::from(KEYS)) as u8]);
        let value = || Some(Bytes::from(number.to_be_bytes()));
        if number == 0 {
            return BTreeMap::new();
        }
        BTreeMap::from([(key(0), value()), (key(1), value()), (key(2), value()), (key(3), None)])
    }

    #[test]
    fn layers_are_few_however_many_batches_they_are_of() {
        let published = Published::new(MemoryStore::default().reader(), Arc::default());
        for number in 0..10_000_u32 {
            let change = (Bytes::from(number.to_be_bytes()), Some(Bytes::from(b"v")));
            published.commit(&Arc::default(), vec![change]);
            assert!(published.now.load().layers.len() <= 15);
        }
        let look = &mut |rows: &dyn Rows, _: &Facts| {
            assert_eq!(rows.get(&7_u32.to_be_bytes())?.as_deref(), Some(&b"v"[..]));
            Ok(())
        };
        published.look(look).unwrap();
    }
}
