//! The state folder of a process: a store for each partition that it owns or once owned.
//!
//! ```text
//! STORE_PATH/tracewarden.observations-3/           the store
//! STORE_PATH/tracewarden.observations-3.lock       locked by whoever has the store open
//! STORE_PATH/tracewarden.observations-3.discarded/ on its way out
//! ```
//!
//! # Opening
//! | the store is | follows |
//! |---|---|
//! | ahead of the committed offset | it saw a commit that did not happen: discarded, as if there were none |
//! | half filled from a snapshot | discarded, as if there were none |
//! | not there, or still at the beginning | filled from the newest snapshot that is not ahead, if there is one, else empty: the log does it |
//! | older than the log, which was trimmed | filled from the newest snapshot that the log reaches, if there is one |
//! | behind it, or level | opened; the worker replays the rest with its outputs muted |
//! | in use by a previous owner | waited for, then refused |
//! | of an unknown format, or damaged | refused: whoever reads the error decides |
//!
//! Locks are per partition, so processes on one host may share a folder: a partition that moves between them
//! takes its state along.
//!
//! # Limits
//! Stores of partitions that moved elsewhere stay, and are brought up to date when the partition comes back.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::disk::{Cache, DiskStore, io_error};
use super::snapshot::SnapshotHome;
use super::{Store, StoreError};

/// How long a store that a previous owner still has open is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long to wait before trying a lock again.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The stores of a process on disk. Clones share the memory.
#[derive(Clone)]
pub struct StateFolder {
    path: PathBuf,
    cache: Cache,
    lock_wait: Duration,
    snapshots: Option<SnapshotHome>,
}

/// How a store was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    Nothing,
    /// It was not ahead of what is committed.
    Usable,
    /// It was ahead, at this offset, and is discarded.
    Ahead(i64),
    /// It was not there, or discarded, and is filled from the snapshot at this offset.
    Snapshot(i64),
}

impl StateFolder {
    /// A folder whose open stores share `cache_bytes` for blocks read. It is made when it is first needed.
    pub fn new(path: impl Into<PathBuf>, cache_bytes: u64) -> Self {
        Self { path: path.into(), cache: Cache::new(cache_bytes), lock_wait: LOCK_WAIT, snapshots: None }
    }

    /// The same folder, whose missing stores are filled from snapshots.
    #[must_use]
    pub fn with_snapshots(self, snapshots: SnapshotHome) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// Where the snapshots are that missing stores are filled from.
    pub fn snapshots(&self) -> Option<&SnapshotHome> {
        self.snapshots.as_ref()
    }

    /// The same folder, with another time to wait for a previous owner.
    #[must_use]
    pub fn with_lock_wait(self, lock_wait: Duration) -> Self {
        Self { lock_wait, ..self }
    }

    /// Opens the store of a partition, given the committed offset: what it returns is never ahead of that.
    pub fn open(
        &self,
        topic: &str,
        partition: i32,
        committed: i64,
    ) -> Result<(DiskStore, Found), StoreError> {
        self.open_within(topic, partition, 0, committed)
    }

    /// The same, given also the first offset that the log still has: a store that is older than that is of use only
    /// when there is nothing newer.
    pub fn open_within(
        &self,
        topic: &str,
        partition: i32,
        first: i64,
        committed: i64,
    ) -> Result<(DiskStore, Found), StoreError> {
        let path = self.store_path(topic, partition)?;
        fs::create_dir_all(&self.path).map_err(|error| io_error(&self.path, &error))?;
        let lock = Arc::new(self.lock(&path)?);
        remove(&with_suffix(&path, ".discarded"))?;
        let existed = path.exists();
        let mut store = DiskStore::open(&path, &self.cache, Arc::clone(&lock))?;
        let offset = store.next_offset();
        let is_too_old =
            (1..first).contains(&offset) && self.has_newer(topic, partition, first, committed)?;
        if (1..=committed).contains(&offset) && !is_too_old {
            return Ok((store, Found::Usable));
        }
        let mut found = if existed { Found::Usable } else { Found::Nothing };
        if offset != 0 {
            found = Found::Nothing;
            drop(store);
            discard(&path)?;
            store = DiskStore::open(&path, &self.cache, lock)?;
            if offset > committed {
                found = Found::Ahead(offset);
            }
        }
        let restored = self.fill(topic, partition, committed, &mut store)?;
        Ok((store, restored.map_or(found, Found::Snapshot)))
    }

    /// Whether there is a snapshot that the log still reaches back to.
    fn has_newer(&self, topic: &str, partition: i32, first: i64, committed: i64) -> Result<bool, StoreError> {
        let Some(snapshots) = &self.snapshots else { return Ok(false) };
        let newest = snapshots.newest(topic, partition, committed)?;
        Ok(newest.is_some_and(|newest| newest.next_offset >= first))
    }

    /// Fills an empty store from the newest snapshot that is not ahead; its offset, or none.
    fn fill(
        &self,
        topic: &str,
        partition: i32,
        committed: i64,
        store: &mut DiskStore,
    ) -> Result<Option<i64>, StoreError> {
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        let Some(manifest) = snapshots.newest(topic, partition, committed)? else { return Ok(None) };
        tracing::info!(
            topic,
            partition,
            offset = manifest.next_offset,
            bytes = manifest.bytes(),
            "filling the store from a snapshot"
        );
        snapshots.restore(&manifest, store)?;
        Ok(Some(manifest.next_offset))
    }

    /// The folder of a partition's store.
    pub fn store_path(&self, topic: &str, partition: i32) -> Result<PathBuf, StoreError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if topic.is_empty() || !topic.chars().all(is_plain) {
            return Err(StoreError::Failed(format!("`{topic}` cannot be the name of a folder")));
        }
        Ok(self.path.join(format!("{topic}-{partition}")))
    }

    /// Takes the lock of a store, and waits for a previous owner to let it go. The system lets it go with the
    /// process, however that ends.
    fn lock(&self, store: &Path) -> Result<File, StoreError> {
        let path = with_suffix(store, ".lock");
        let fault = |error: &std::io::Error| io_error(&path, error);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| fault(&error))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(fault(&error)),
                Err(TryLockError::WouldBlock) if started.elapsed() < self.lock_wait => {
                    thread::sleep(LOCK_PAUSE)
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { path: store.to_owned(), waited: self.lock_wait });
                }
            }
        }
    }
}

/// Takes a store away at once; what a crash leaves of it goes when the partition is opened next.
fn discard(store: &Path) -> Result<(), StoreError> {
    let discarded = with_suffix(store, ".discarded");
    fs::rename(store, &discarded).map_err(|error| io_error(store, &error))?;
    remove(&discarded)
}

fn remove(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io_error(folder, &error)),
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
