//! Rows of the store that are set or deleted, before they are written; and the rows that belong to a key.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::PartitionState;
use super::unwritten::committed;
use crate::domain::time::Timestamp;
use crate::engine::{State, keyspace};
use crate::store::{self, Bytes, Change, Rows, StoreError};

/// Unwritten changes of rows, in order of their keys.
#[derive(Debug, Default)]
pub(super) struct Changes {
    rows: BTreeMap<Vec<u8>, RowChange>,
}

/// A row that was set, or deleted.
#[derive(Debug)]
struct RowChange {
    content: Option<Vec<u8>>,
    /// Whether the store has no such row.
    is_new: bool,
}

impl Changes {
    /// The content of a row, if it exists.
    pub(super) fn row(&self, rows: &dyn Rows, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.rows.get(key) {
            Some(change) => Ok(change.content.as_deref().map(Bytes::from)),
            None => rows.get(key),
        }
    }

    /// Sets a row.
    pub(super) fn put(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.set(key, Some(content), false);
    }

    /// Sets a row that is not there: where it is deleted again before it is written, the store never hears of it.
    pub(super) fn put_new(&mut self, key: Vec<u8>, content: Vec<u8>) {
        self.set(key, Some(content), true);
    }

    /// Deletes a row.
    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.set(key, None, false);
    }

    /// Takes over what was changed on top of these. How many bytes that adds, with so many for each row besides its own.
    pub(super) fn absorb(&mut self, newer: &mut Self, bytes_per_row: usize) -> usize {
        let mut bytes = 0_usize;
        for (key, change) in std::mem::take(&mut newer.rows) {
            if !self.rows.contains_key(&key) {
                bytes += bytes_per_row + key.len() + change.content.as_ref().map_or(0, Vec::len);
            }
            self.set(key, change.content, change.is_new);
        }
        bytes
    }

    fn set(&mut self, key: Vec<u8>, content: Option<Vec<u8>>, is_new: bool) {
        // Whether the store has it was said by whoever touched it first.
        self.rows.entry(key).or_insert(RowChange { content: None, is_new }).content = content;
    }

    /// Up to `limit` rows within the bounds, in key order, as they are with the unwritten changes.
    pub(super) fn range(
        &self,
        rows: &dyn Rows,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<store::Entry>, StoreError> {
        let changed = self.rows.range::<[u8], _>((from, to));
        let changed = changed.map(|(key, change)| (&**key, change.content.as_deref()));
        range_under(rows, changed, (from, to), limit)
    }

    /// Everything changed; what came and went meanwhile is not among it.
    pub(super) fn take(&mut self) -> Vec<Change> {
        let changes = self.changes().collect();
        self.rows.clear();
        changes
    }

    /// Everything changed, in the order of the keys.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let rows = self.rows.iter().filter(|(_, change)| change.content.is_some() || !change.is_new);
        rows.map(|(key, change)| (key.into(), change.content.as_deref().map(Bytes::from)))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}

/// Up to `limit` rows within the bounds, in key order, as they are with changes on top of them that lie within them too.
pub(super) fn range_under<'a>(
    rows: &dyn Rows,
    changed: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
    (from, to): (Bound<&[u8]>, Bound<&[u8]>),
    limit: usize,
) -> Result<Vec<store::Entry>, StoreError> {
    let deleted = changed.clone().filter(|(_, content)| content.is_none()).count();
    let stored = rows.range(from, to, limit.saturating_add(deleted))?;
    let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
    for (key, content) in changed {
        match content {
            Some(content) => merged.insert(key.to_vec(), content.to_vec()),
            None => merged.remove(key),
        };
    }
    Ok(merged.into_iter().take(limit).collect())
}

impl<V: State> PartitionState<V> {
    /// Takes note of a row of a key: from now on it is remembered as long as anything noted at that moment. Whether it is
    /// new; one that was forgotten is.
    pub(in crate::engine) fn note_row(
        &mut self,
        key: &[u8],
        row: &[u8],
        noted_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let stored = keyspace::row(key, row);
        let known = self.applied.rows.row(&committed(self.store.as_ref(), &self.unwritten), &stored)?;
        let known_at = known.as_deref().and_then(keyspace::noted_at);
        let known_at = known_at.filter(|known_at| !self.facts.forgets(Some(*known_at)));
        if known_at.is_none_or(|known_at| known_at < noted_at) {
            self.applied.rows.put(stored, keyspace::noted(noted_at));
        }
        Ok(known_at.is_none())
    }

    /// The rows of a key behind one of them that are not forgotten, the first so many of them. Those that are forgotten
    /// are dropped on the way, so that nobody passes them again.
    pub(in crate::engine) fn rows_after(
        &mut self,
        key: &[u8],
        after: Option<&[u8]>,
        at_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let (mut from, to) = keyspace::rows_after(key, after);
        let mut page = Vec::new();
        while page.len() < at_most {
            let bounds = (from.as_ref().map(Vec::as_slice), Bound::Excluded(&*to));
            let committed = committed(self.store.as_ref(), &self.unwritten);
            let rows = self.applied.rows.range(&committed, bounds.0, bounds.1, at_most)?;
            let is_end = rows.len() < at_most;
            for (row, noted) in rows {
                if page.len() == at_most {
                    break;
                }
                from = Bound::Excluded(row.clone());
                if self.facts.forgets(keyspace::noted_at(&noted)) {
                    self.applied.rows.delete(row);
                } else {
                    page.push(keyspace::name_of_row(key, &row).to_vec());
                }
            }
            if is_end {
                break;
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::keyspace::Space;

    #[test]
    fn a_row_that_comes_and_goes_in_one_batch_was_never_there() {
        let key = || Space::Timer.key(&[b"k"]);
        let mut changes = Changes::default();
        changes.put_new(key(), Vec::new());
        changes.delete(key());
        assert!(changes.take().is_empty());
        changes.put_new(key(), Vec::new());
        assert_eq!(changes.take().len(), 1);
        changes.delete(key());
        changes.put_new(key(), Vec::new());
        changes.delete(key());
        assert_eq!(changes.take(), [(key().into(), None)], "the store had it before");
    }
}
