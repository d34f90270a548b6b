//! A disk that is full for a while: writes to the stores on it fail, and nothing of them is kept.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracewarden::store::{Batch, Bytes, Entry, Reader, Rows, Store, StoreError, View};

/// The disk of all stores of a service; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    full: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Disk {
    /// Nothing can be written from here on, or it can again.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// How many writes failed.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A store on a disk that may be full.
pub(crate) struct FillingStore {
    store: Box<dyn Store>,
    disk: Disk,
}

impl FillingStore {
    pub(crate) fn new(store: Box<dyn Store>, disk: Disk) -> Self {
        Self { store, disk }
    }
}

impl Rows for FillingStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.store.get(key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.range(from, to, limit)
    }
}

impl Store for FillingStore {
    fn next_offset(&self) -> i64 {
        self.store.next_offset()
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.store.reader()
    }

    fn view(&self) -> View {
        self.store.view()
    }

    fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        if self.disk.full.load(Ordering::Relaxed) {
            self.disk.refused.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Failed("no space left".to_owned()));
        }
        self.store.write(batch)
    }
}
