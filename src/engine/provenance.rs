//! Whether a store belongs to the log that it is about to be continued from.
//!
//! A store says up to which offset it has seen a log, but offsets of different logs look alike: topics may have been
//! deleted and made anew, a folder may come from another cluster. Decisions made from a foreign state would be wrong
//! without anybody noticing. So a store keeps a digest of the record that it saw last, and a worker reads that record
//! once more before it goes on.
//!
//! Limits: when the log was trimmed up to exactly the store's offset there is nothing to compare with.

use xxhash_rust::xxh3::Xxh3;

use crate::broker::Record;

/// A digest of a record as every reader sees it: when it was written, and what it carries.
pub(super) fn digest(record: &Record) -> u64 {
    let mut digest = Xxh3::new();
    digest.update(&record.timestamp_millis.unwrap_or_default().to_be_bytes());
    digest.update(record.payload.as_deref().unwrap_or_default());
    digest.digest()
}
