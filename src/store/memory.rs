//! State in memory: an ordered map. It starts empty, so the state is rebuilt from the input topic at every start.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Batch, Entry, Store, StoreError, View};

/// State of one partition, kept in memory only.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    next_offset: i64,
}

impl Store for MemoryStore {
    fn next_offset(&self) -> i64 {
        self.next_offset
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows = self.rows.range::<[u8], _>((from, to));
        Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn view(&self) -> View {
        View { next_offset: self.next_offset, rows: Box::new(self.rows.clone().into_iter().map(Ok)) }
    }

    fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        for (key, value) in batch.changes {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        self.next_offset = batch.next_offset;
        Ok(())
    }
}
