//! State in memory: an ordered map. It starts empty, so the state is rebuilt from the input topic at every start.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Batch, Bytes, Entry, Reader, Rows, Store, StoreError, View};

/// State of one partition, kept in memory only.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: Arc<RwLock<Map>>,
    next_offset: i64,
}

type Map = BTreeMap<Bytes, Bytes>;

impl Rows for Map {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows = BTreeMap::range::<[u8], _>(self, (from, to));
        Ok(rows.take(limit).map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
    }
}

impl Reader for RwLock<Map> {
    fn at_one_moment(
        &self,
        look: &mut dyn FnMut(&dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        look(&*self.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rows for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Rows::get(&*self.rows.read().unwrap_or_else(PoisonError::into_inner), key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        Rows::range(&*self.rows.read().unwrap_or_else(PoisonError::into_inner), from, to, limit)
    }
}

impl Store for MemoryStore {
    fn next_offset(&self) -> i64 {
        self.next_offset
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.rows.clone()
    }

    fn view(&self) -> View {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner).clone();
        View {
            next_offset: self.next_offset,
            rows: Box::new(rows.into_iter().map(|(key, value)| Ok((key.to_vec(), value.to_vec())))),
        }
    }

    fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in batch.changes {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        self.next_offset = batch.next_offset;
        Ok(())
    }
}
