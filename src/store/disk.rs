//! State on disk: one log-structured database per partition.
//!
//! # The problem
//! A province's codes (hundreds of millions) do not fit in memory. Every record reads and changes a few of them,
//! many seen for the first time, and the state must never be ahead of what the broker has committed.
//!
//! # The choice
//! fjall: pure Rust, no C++ build. Each partition has a database of its own, not a share of one: nothing of one partition
//! stalls, locks, poisons or damages another, and deleting one is deleting a folder.
//!
//! A batch is written as sorted tables, which become part of the database all at once, with [`HEAD`] among their rows, which
//! holds the format version and the offset. So the state on disk is always the state after *some* batch, and says after
//! which one. Neither the engine's journal nor its write buffer is used: the log of the broker is what makes state durable,
//! and what is not written yet is held by the worker, who writes rarely and much at once ([`engine`](crate::engine)). With
//! rows of 145 bytes that is a quarter of the CPU of the way through the journal, and an eighth of the bytes.
//!
//! Blocks that are read are kept in a [`Cache`] that all stores share.
//!
//! # What it is not
//! It is not to be opened on threads that run futures: reads and writes block.
//!
//! # When the files are damaged
//! A damaged table fails its checksum, and with it the store. The journal holds no rows; a damaged one is emptied.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{
    CompressionType, Database, Iter, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot,
};

use super::{Batch, Bytes, Change, Entry, Reader, Rows, Store, StoreError, View};

/// Version of what a store holds. It goes up with that of the values too, so that a store whose values cannot be read
/// is refused when it is opened and not at the first of them.
const FORMAT: u8 = 4;
/// Keys that begin with this byte are the store's own; it sorts behind all others.
const RESERVED: u8 = 0xff;
/// Key of the format version and the offset.
const HEAD: [u8; 1] = [RESERVED];
/// The one map of a database.
const ROWS: &str = "rows";
/// Size of a block of rows before compression. A read decompresses one block, and most reads of a backlog find theirs
/// neither in memory nor beside another; neighbouring codes share products, institutions and days, so larger blocks are
/// smaller on disk.
const BLOCK_BYTES: u32 = 4 * 1024;
/// Most tables of one store kept open at a time.
const OPEN_FILES_MAX: usize = 48;
/// Above this the write of a batch waits for compaction.
const UNCOMPACTED_TABLES_MAX: usize = 16;
/// How long to wait before looking again whether a compaction is done.
const PAUSE: Duration = Duration::from_millis(2);
/// The next write asks for compaction again.
const COMPACTION_WAIT_MAX: Duration = Duration::from_secs(10);

/// Memory for blocks read from disk, shared by the open stores of a process.
#[derive(Clone)]
pub(super) struct Cache {
    /// Holds the cache, whose type the engine does not name.
    engine: Arc<fjall::Config>,
}

impl Cache {
    /// A cache of so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Self { engine: Arc::new(Database::builder(".").cache_size(bytes).into_config()) }
    }
}

/// State of one partition on disk.
pub struct DiskStore {
    rows: Keyspace,
    database: Database,
    path: PathBuf,
    next_offset: i64,
    /// The owner's lock, let go when the database is closed.
    lock: Arc<File>,
}

impl DiskStore {
    /// Opens the store in a folder, or makes an empty one. The owner's `lock` is let go after the store is closed.
    pub(super) fn open(path: &Path, cache: &Cache, lock: Arc<File>) -> Result<Self, StoreError> {
        let fault = |error| store_error(path, &error);
        let database = match open_database(path, cache) {
            Err(fjall::Error::JournalRecovery(error)) => {
                let path_shown = path.display();
                tracing::warn!(%error, "the journal in {path_shown} is damaged; it holds no rows and is emptied");
                empty_journals(path).map_err(|error| io_error(path, &error))?;
                open_database(path, cache)
            }
            opened => opened,
        };
        let database = database.map_err(fault)?;
        let rows = database.keyspace(ROWS, row_options).map_err(fault)?;
        // The engine sets 64 MiB aside for what it never writes here.
        empty_journals(path).map_err(|error| io_error(path, &error))?;
        let head = rows.get(HEAD).map_err(fault)?;
        let next_offset = match head {
            Some(head) => read_head(&head).map_err(|problem| damaged(path, problem))?,
            None if rows.is_empty().map_err(fault)? => 0,
            None => return Err(damaged(path, "it has rows and no offset".to_owned())),
        };
        Ok(Self { rows, database, path: path.to_owned(), next_offset, lock })
    }

    /// Bytes on disk.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.database.disk_space().map_err(|error| self.fault(&error))
    }

    /// Bytes of the rows in tables.
    pub fn table_bytes(&self) -> u64 {
        self.rows.disk_space()
    }

    /// Compacts everything into the last level: for measurements.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.rows.major_compact().map_err(|error| self.fault(&error))
    }

    /// Writes the changes as tables that become part of the store together.
    fn ingest(&self, changes: Vec<Change>, next_offset: i64) -> Result<(), fjall::Error> {
        let mut tables = self.rows.start_ingestion()?;
        for (key, value) in changes {
            match value {
                Some(value) => tables.write(key, value)?,
                None => tables.write_tombstone(key)?,
            }
        }
        tables.write(HEAD, head(next_offset))?;
        tables.finish()
    }

    /// Waits while compaction is far behind, but not for ever: it may have gone on to another level. The wait ends with an
    /// error when the background work has failed.
    fn wait_for_compaction(&self) -> Result<(), StoreError> {
        let started = Instant::now();
        while self.rows.l0_table_count() > UNCOMPACTED_TABLES_MAX && started.elapsed() < COMPACTION_WAIT_MAX {
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
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.rows.get(key).map_err(|error| self.fault(&error))
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
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let value = self.snapshot.get(&self.reader.rows, key);
        value.map_err(|error| store_error(&self.reader.path, &error))
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
        let Batch { changes, next_offset } = batch;
        if changes.last().is_some_and(|(key, _)| key.first() == Some(&RESERVED)) {
            return Err(StoreError::Failed("keys that begin with 255 are the store's own".to_owned()));
        }
        if !changes.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(StoreError::Failed(
                "a batch is not in the order of its keys: this is a defect".into(),
            ));
        }
        self.ingest(changes, next_offset).map_err(|error| self.fault(&error))?;
        self.next_offset = next_offset;
        self.wait_for_compaction()
    }
}

fn open_database(path: &Path, cache: &Cache) -> Result<Database, fjall::Error> {
    let builder = Database::builder(path).worker_threads(1).max_cached_files(Some(OPEN_FILES_MAX));
    let mut config = builder.into_config();
    config.cache = Arc::clone(&cache.engine.cache);
    Database::open(config)
}

/// Empties the journals, in which there is nothing. The files stay: the engine counts on from its tables only where it finds
/// a journal.
fn empty_journals(store: &Path) -> io::Result<()> {
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            File::options().write(true).truncate(true).open(path)?.sync_all()?;
        }
    }
    Ok(())
}

/// Bloom filters are the engine's default, on all levels. Blocks are compressed on all of them: tables are written as the
/// second level would be.
fn row_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
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
