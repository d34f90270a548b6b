//! State on disk: one log-structured database per partition.
//!
//! # The problem
//! A province's codes (hundreds of millions) do not fit in memory. Every record reads and changes a few of them,
//! many seen for the first time, and the state must never be ahead of what the broker has committed.
//!
//! # The choice
//! fjall: pure Rust, no C++ build. Measured on two cores with 5 M keys and values of 96–140 bytes, in batches of
//! 1,000 on one thread: get and put of keys never seen before 340 k/s, of random ones 99 k/s (`RocksDB`: 375 k/s
//! and 85 k/s). Each partition has a database of its own, not a share of one: nothing of one partition stalls,
//! locks, poisons or damages another, and deleting one is deleting a folder. The price is one idle thread and one
//! journal of up to 64 MiB and a write buffer each.
//!
//! A batch is one write of the journal, with a checksum over all of it and [`HEAD`] in it, which holds the format
//! version and the offset. So the state on disk is always the state after *some* batch, and says after which one.
//! The log of the broker is what makes state durable: the journal is handed to the operating system, but not
//! waited for. A crash of the process loses nothing; after a crash of the machine, or with a torn journal, the
//! state is a little older and the rest is replayed.
//!
//! Memory is bounded by the [`Budget`]: the write buffer of a store is flushed at half its share, and a writer
//! waits when more than its share is not flushed yet, or when compaction is far behind. The engine's own limits
//! are out of reach by that: there a writer would wait for ever when the disk fails meanwhile.
//!
//! # What it is not
//! Not durable by itself. It is not to be opened on threads that run futures: reads and writes block.
//!
//! # When the files are damaged
//! A journal that ends too early, as after a crash, is read to its last whole batch. One that is damaged is emptied:
//! the state goes back to what was flushed. A damaged table fails its checksum, and with it the store.
//!
//! # Limits
//! Zeros in the middle of a journal look like its end. For the newest journal that is harmless, because nothing
//! follows; an older one is synchronised before a newer one begins, and goes when its rows are flushed.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{
    CompressionType, Database, Iter, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot,
};

use super::{Batch, Entry, Reader, Rows, Store, StoreError, View};

/// Version of what a store holds. It goes up with that of the values too, so that a store whose values cannot be read
/// is refused when it is opened and not at the first of them.
const FORMAT: u8 = 3;
/// Keys that begin with this byte are the store's own; it sorts behind all others.
const RESERVED: u8 = 0xff;
/// Key of the format version and the offset.
const HEAD: [u8; 1] = [RESERVED];
/// The one map of a database.
const ROWS: &str = "rows";
/// Size of a block of rows before compression. Neighbouring codes share products, institutions and days, so larger
/// blocks are smaller on disk: of codes with three observations each takes 168 B with 8 KiB, 154 B with 16 KiB,
/// 146 B with 32 KiB (`CODES_PER_DAY=8000 DAYS=30 cargo bench --bench state_size`). A read decompresses one block.
const BLOCK_BYTES: u32 = 16 * 1024;
/// Least share of the write buffers, however many stores are open.
const SHARE_BYTES_MIN: u64 = 1 << 20;
/// Most tables of one store kept open at a time.
const OPEN_FILES_MAX: usize = 48;
/// Above this the write of a batch waits for compaction.
const UNCOMPACTED_TABLES_MAX: usize = 16;
/// How long to wait before looking again whether a flush or a compaction is done.
const PAUSE: Duration = Duration::from_millis(2);

/// Memory that the open stores of a process share: one cache of blocks, and the bytes of all write buffers.
pub(super) struct Budget {
    /// Holds the cache, whose type the engine does not name.
    engine: fjall::Config,
    write_buffer_bytes: u64,
    open_stores: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes for blocks read from disk and for what is not flushed yet.
    pub(super) fn new(cache_bytes: u64, write_buffer_bytes: u64) -> Arc<Self> {
        let engine = Database::builder(".").cache_size(cache_bytes).into_config();
        Arc::new(Self { engine, write_buffer_bytes, open_stores: AtomicUsize::new(0) })
    }

    /// What one store may keep unflushed.
    fn share_bytes(&self) -> u64 {
        let stores = self.open_stores.load(Ordering::Relaxed).max(1);
        (self.write_buffer_bytes / stores as u64).max(SHARE_BYTES_MIN)
    }
}

/// One open store's part in the budget.
struct Share(Arc<Budget>);

impl Share {
    fn of(budget: &Arc<Budget>) -> Self {
        budget.open_stores.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(budget))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.open_stores.fetch_sub(1, Ordering::Relaxed);
    }
}

/// State of one partition on disk.
pub struct DiskStore {
    rows: Keyspace,
    database: Database,
    share: Share,
    path: PathBuf,
    next_offset: i64,
    /// The owner's lock, let go when the database is closed.
    lock: Arc<File>,
}

impl DiskStore {
    /// Opens the store in a folder, or makes an empty one. The owner's `lock` is let go after the store is closed.
    pub(super) fn open(path: &Path, budget: &Arc<Budget>, lock: Arc<File>) -> Result<Self, StoreError> {
        let fault = |error| store_error(path, &error);
        let database = match open_database(path, budget) {
            Err(fjall::Error::JournalRecovery(error)) => {
                let path_shown = path.display();
                tracing::warn!(%error, "the journal in {path_shown} is damaged; going back to what was flushed");
                empty_journals(path).map_err(|error| io_error(path, &error))?;
                open_database(path, budget)
            }
            opened => opened,
        };
        let database = database.map_err(fault)?;
        let rows = database.keyspace(ROWS, row_options).map_err(fault)?;
        let head = rows.get(HEAD).map_err(fault)?;
        let next_offset = match head {
            Some(head) => read_head(&head).map_err(|problem| damaged(path, problem))?,
            None if rows.is_empty().map_err(fault)? => 0,
            None => return Err(damaged(path, "it has rows and no offset".to_owned())),
        };
        Ok(Self { rows, database, share: Share::of(budget), path: path.to_owned(), next_offset, lock })
    }

    /// Bytes on disk, the journal included.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.database.disk_space().map_err(|error| self.fault(&error))
    }

    /// Bytes of the rows in tables: without journal, and without what is still in the write buffer.
    pub fn table_bytes(&self) -> u64 {
        self.rows.disk_space()
    }

    /// Bytes that are not flushed yet.
    pub fn write_buffer_bytes(&self) -> u64 {
        self.database.write_buffer_size()
    }

    /// Flushes the write buffer and compacts everything into the last level: for measurements.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.rows.rotate_memtable_and_wait().map_err(|error| self.fault(&error))?;
        self.rows.major_compact().map_err(|error| self.fault(&error))
    }

    /// Flushes at half the share; waits while more than the share is not flushed or compaction is far behind. The
    /// wait ends with an error when the background work has failed.
    fn keep_within_budget(&self) -> Result<(), StoreError> {
        let share_bytes = self.share.0.share_bytes();
        if self.write_buffer_bytes() > share_bytes / 2 && self.rows.sealed_memtable_count() == 0 {
            self.rows.rotate_memtable().map_err(|error| self.fault(&error))?;
        }
        while self.write_buffer_bytes() > share_bytes || self.rows.l0_table_count() > UNCOMPACTED_TABLES_MAX {
            // Asks whether the engine is still sound; nothing is written.
            self.database.persist(PersistMode::Buffer).map_err(|error| self.fault(&error))?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn fault(&self, error: &fjall::Error) -> StoreError {
        store_error(&self.path, error)
    }
}

impl Rows for DiskStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.rows.get(key).map_err(|error| self.fault(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        if is_empty_range(from, to) {
            return Ok(Vec::new());
        }
        take_entries(self.rows.range::<&[u8], _>((from, to)), limit, &self.path)
    }
}

/// Reads a store on disk from other threads. It holds the database and the owner's lock: nobody opens the store anew
/// while it is there.
struct DiskReader {
    rows: Keyspace,
    database: Database,
    path: PathBuf,
    _lock: Arc<File>,
}

impl Reader for DiskReader {
    fn at_one_moment(
        &self,
        look: &mut dyn FnMut(&dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        look(&DiskMoment { reader: self, snapshot: self.database.snapshot() })
    }
}

/// The rows of a store on disk as they were at one moment.
struct DiskMoment<'a> {
    reader: &'a DiskReader,
    snapshot: Snapshot,
}

impl Rows for DiskMoment<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.snapshot.get(&self.reader.rows, key);
        let value = value.map_err(|error| store_error(&self.reader.path, &error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        if is_empty_range(from, to) {
            return Ok(Vec::new());
        }
        let rows = self.snapshot.range::<&[u8], _>(&self.reader.rows, (from, to));
        take_entries(rows, limit, &self.reader.path)
    }
}

/// The first rows that are not the store's own.
fn take_entries(rows: Iter, limit: usize, path: &Path) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for row in rows.take(limit) {
        let (key, value) = row.into_inner().map_err(|error| store_error(path, &error))?;
        if key.first() == Some(&RESERVED) {
            break;
        }
        entries.push((key.to_vec(), value.to_vec()));
    }
    Ok(entries)
}

impl Store for DiskStore {
    fn next_offset(&self) -> i64 {
        self.next_offset
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(DiskReader {
            rows: self.rows.clone(),
            database: self.database.clone(),
            path: self.path.clone(),
            _lock: Arc::clone(&self.lock),
        })
    }

    /// The rows hold the database and the owner's lock, so nobody opens it while they are read.
    fn view(&self) -> View {
        let (owners, path) = ((self.database.clone(), Arc::clone(&self.lock)), self.path.clone());
        let rows = self.database.snapshot().iter(&self.rows).filter_map(move |row| {
            let _held = &owners;
            match row.into_inner() {
                Ok((key, _)) if key.first() == Some(&RESERVED) => None,
                Ok((key, value)) => Some(Ok((key.to_vec(), value.to_vec()))),
                Err(error) => Some(Err(store_error(&path, &error))),
            }
        });
        View { next_offset: self.next_offset, rows: Box::new(rows) }
    }

    fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        let mut changes = self.database.batch();
        for (key, value) in batch.changes {
            if key.first() == Some(&RESERVED) {
                return Err(StoreError::Failed("keys that begin with 255 are the store's own".to_owned()));
            }
            match value {
                Some(value) => changes.insert(&self.rows, key, value),
                None => changes.remove(&self.rows, key),
            }
        }
        changes.insert(&self.rows, HEAD, head(batch.next_offset));
        changes.commit().map_err(|error| self.fault(&error))?;
        self.next_offset = batch.next_offset;
        self.keep_within_budget()
    }
}

fn open_database(path: &Path, budget: &Budget) -> Result<Database, fjall::Error> {
    let builder = Database::builder(path).worker_threads(1).max_cached_files(Some(OPEN_FILES_MAX));
    let mut config = builder.into_config();
    config.cache = Arc::clone(&budget.engine.cache);
    Database::open(config)
}

/// Empties the journals. What is flushed is whole batches, oldest first, so the state after one of them remains.
/// The files stay: the engine counts on from what is flushed only where it finds a journal.
fn empty_journals(store: &Path) -> io::Result<()> {
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            File::options().write(true).truncate(true).open(path)?.sync_all()?;
        }
    }
    Ok(())
}

/// Bloom filters are the engine's default, on all levels. Blocks are compressed from the second level on; flushing
/// is up to the budget alone.
fn row_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(u64::MAX)
        .data_block_size_policy(BlockSizePolicy::all(BLOCK_BYTES))
        .data_block_compression_policy(CompressionPolicy::new([CompressionType::None, CompressionType::Lz4]))
}

/// The format version and the offset, as bytes.
fn head(next_offset: i64) -> [u8; 9] {
    let mut head = [FORMAT; 9];
    head[1..].copy_from_slice(&next_offset.to_be_bytes());
    head
}

fn read_head(head: &[u8]) -> Result<i64, String> {
    match head.split_first() {
        Some((&FORMAT, offset)) => {
            let offset = offset.try_into().map_err(|_| "its offset is damaged".to_owned())?;
            Ok(i64::from_be_bytes(offset))
        }
        Some((found, _)) => Err(format!("its format is {found}, and this program knows only {FORMAT}")),
        None => Err("its offset is damaged".to_owned()),
    }
}

/// Whether no key can lie between the bounds; the engine takes only ranges that make sense.
fn is_empty_range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    }
}

fn damaged(path: &Path, problem: String) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), problem }
}

/// What an error of the engine means: the system failed, which may get better, or the files are unreadable.
fn store_error(path: &Path, error: &fjall::Error) -> StoreError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io_error(path, io);
        }
        cause = inner.source();
    }
    match error {
        fjall::Error::Poisoned => {
            StoreError::Failed(format!("{}: a write in the background failed; see the log", path.display()))
        }
        fjall::Error::Locked => StoreError::Locked { path: path.to_owned(), waited: Duration::ZERO },
        fjall::Error::InvalidVersion(_) => damaged(path, "its engine has another version".to_owned()),
        other => damaged(path, other.to_string()),
    }
}

/// A failure of the system; a full disk is named, because that is what can be helped.
pub(super) fn io_error(path: &Path, error: &io::Error) -> StoreError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Failed(format!(
            "{path}: the disk is full ({error}); free some space, it goes on by itself"
        )),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
            StoreError::Damaged { path: PathBuf::from(path.to_string()), problem: error.to_string() }
        }
        _ => StoreError::Failed(format!("{path}: {error}")),
    }
}
