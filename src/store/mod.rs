//! State of one partition of one stage: an ordered map of bytes, written in batches together with the offset that
//! the batch brings it to.

pub mod memory;

use std::ops::Bound;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// State of one partition. What is written is what was committed before, so a reader never sees more than the
/// broker has.
pub trait Store: Send {
    /// The offset of the first record of the input that is *not* in the state.
    fn next_offset(&self) -> i64;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Up to `limit` entries within the bounds, in key order.
    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Applies a batch and moves the offset on, at once or not at all.
    fn write(&mut self, batch: Batch) -> Result<(), StoreError>;
}

/// Changes to be applied at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Key and new value; none deletes.
    pub changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The offset of the first record that is not in the state afterwards.
    pub next_offset: i64,
}

/// How a store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A value cannot be read: written by a newer version, or damaged.
    #[error("a state value cannot be read: {0}; start with an empty state folder to rebuild it from the log")]
    Unreadable(String),
    /// The disk or the engine failed.
    #[error("the state store failed: {0}")]
    Failed(String),
}
