//! State of one partition of one stage: an ordered map of bytes, written in batches together with the offset that
//! the batch brings it to.
//!
//! Two implementations: [`memory`] and [`disk`]. [`folder`] keeps the stores of a process on disk: it finds them,
//! locks them, shares memory out between them and discards one that cannot be trusted. [`snapshot`] keeps copies
//! elsewhere, for when the disk is lost.

pub mod disk;
pub mod folder;
pub mod memory;
pub mod snapshot;

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that do not change: a copy shares them, and short ones need no memory of their own.
pub type Bytes = fjall::Slice;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// The offset of a store that is being filled from a snapshot, until the last row is there.
pub const UNFINISHED: i64 = -1;

/// All rows of a store as they were at one moment, for another thread to read while the store goes on.
pub struct View {
    /// The offset of the first record that is not in the rows.
    pub next_offset: i64,
    /// The rows, in key order.
    pub rows: Box<dyn Iterator<Item = Result<Entry, StoreError>> + Send>,
}

/// Keys and their values, in order.
pub trait Rows {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Up to `limit` entries within the bounds, in key order.
    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError>;
}

/// Reads what a store holds, from any thread, while the store goes on.
pub trait Reader: Send + Sync {
    /// Looks at the rows as they are after the newest batch; they do not change while `look` looks. The store cannot be
    /// opened anew as long as there is a reader of it.
    fn at_one_moment(
        &self,
        look: &mut dyn FnMut(&dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// State of one partition. What is written is what was committed before, so a reader never sees more than the
/// broker has.
pub trait Store: Rows + Send {
    /// The offset of the first record of the input that is *not* in the state.
    fn next_offset(&self) -> i64;

    /// Reads for other threads.
    fn reader(&self) -> Arc<dyn Reader>;

    /// What the store holds now. The store may be closed before the view is, but not be opened again.
    fn view(&self) -> View;

    /// Applies a batch and moves the offset on, at once or not at all.
    fn write(&mut self, batch: Batch) -> Result<(), StoreError>;
}

/// A key and its new value; none deletes it.
pub type Change = (Bytes, Option<Bytes>);

/// Changes to be applied at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Key and new value; none deletes. In the order of the keys, each once.
    pub changes: Vec<Change>,
    /// The offset of the first record that is not in the state afterwards.
    pub next_offset: i64,
}

/// How a store failed, and what follows from it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value cannot be read: written by a newer version, or damaged. Trying again does not help.
    #[error("a state value cannot be read: {0}; start with an empty state folder to rebuild it from the log")]
    Unreadable(String),
    /// A whole store cannot be read: written by a newer version, or damaged. Trying again does not help.
    #[error("the state in {} cannot be read: {problem}; remove that folder to rebuild the state from the log", path.display())]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Somebody else uses the store.
    #[error(
        "the state in {} is still used by another worker or process after {waited:?}; end that one, or give each \
         process its own store.path",
        path.display()
    )]
    Locked {
        /// Its folder.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A snapshot cannot be used: written by a newer version, or damaged.
    #[error(
        "the snapshot {snapshot} under store.snapshot_url cannot be used: {problem}; remove it to use an older one, \
         or the log alone"
    )]
    SnapshotDamaged {
        /// Its manifest.
        snapshot: String,
        /// What is wrong.
        problem: String,
    },
    /// Whoever asked was told to stop meanwhile.
    #[error("it was told to stop")]
    Stopped,
    /// The disk or the engine failed. The state on disk is as it was after some earlier batch: once the cause is
    /// gone it can be opened and brought up to date again.
    #[error("the state store failed: {0}")]
    Failed(String),
}
