//! A partition that a worker owns: how far it has come, and what of it the store has not seen yet.
//!
//! The log is the changelog, so the store may lag behind what is committed: small batches are written together, within
//! bounds ([`WriteBehind`]). After a crash the log brings the state back to what is committed, as after every start.

use std::time::{Duration, Instant};

use super::readers::Seat;
use super::stage::Kept;
use crate::broker::Record;
use crate::store::{StoreError, View};

/// How far a store may lag behind what is committed. Whatever is reached first makes the worker write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBehind {
    /// Most bytes of changes held in memory.
    pub held_bytes_max: usize,
    /// Most payload bytes of records behind the store: what is applied again after a crash.
    pub log_bytes_max: usize,
    /// Longest time that what is committed is not written; none: as long as the other bounds allow.
    pub age_max: Option<Duration>,
}

impl WriteBehind {
    /// Every batch is written when it is committed.
    pub const NEVER: Self = Self { held_bytes_max: 0, log_bytes_max: 0, age_max: Some(Duration::ZERO) };
}

/// A partition that a worker owns.
pub(super) struct Owned<K> {
    /// Lets others read what is written; let go before what is read.
    _seat: Option<Seat>,
    /// What is kept of it.
    pub(super) kept: K,
    /// The offset of the first record that was not applied.
    pub(super) next_offset: i64,
    /// Records before this offset are replayed with their outputs dropped: they were published before.
    pub(super) muted_until: i64,
    /// Payload bytes of the records that are committed and not in the store.
    log_bytes: usize,
    /// When the oldest of them was committed.
    unwritten_since: Option<Instant>,
}

impl<K: Kept> Owned<K> {
    /// A partition whose state is at `next_offset`, and whose outputs were published up to `muted_until`.
    pub(super) fn new(seat: Option<Seat>, kept: K, next_offset: i64, muted_until: i64) -> Self {
        Self { _seat: seat, kept, next_offset, muted_until, log_bytes: 0, unwritten_since: None }
    }

    /// Takes note that what was applied is committed: records of so many payload bytes. How much was forgotten on the way.
    pub(super) fn committed(&mut self, log_bytes: usize) -> Result<usize, StoreError> {
        self.log_bytes += log_bytes;
        self.unwritten_since.get_or_insert_with(Instant::now);
        self.kept.committed()
    }

    /// Writes when a bound is reached.
    pub(super) fn write_within(&mut self, bounds: &WriteBehind) -> Result<(), StoreError> {
        let Some(since) = self.unwritten_since else { return Ok(()) };
        let is_due = self.log_bytes > bounds.log_bytes_max
            || self.kept.unwritten_bytes() > bounds.held_bytes_max
            || bounds.age_max.is_some_and(|age_max| since.elapsed() >= age_max);
        if is_due { self.write() } else { Ok(()) }
    }

    /// Brings the store to what is committed.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.unwritten_since.take().is_some() {
            self.kept.write(self.next_offset)?;
            self.log_bytes = 0;
        }
        Ok(())
    }

    /// What is committed, for a snapshot.
    pub(super) fn view(&mut self) -> Result<Option<View>, StoreError> {
        self.write()?;
        Ok(self.kept.view())
    }

    /// Forgets what was applied since the last commit, whose next offset is given.
    pub(super) fn roll_back(&mut self, next_offset: i64) {
        self.kept.roll_back();
        self.next_offset = next_offset;
    }
}

/// Bytes that a record carries.
pub(super) fn payload_bytes(record: &Record) -> usize {
    record.payload.as_ref().map_or(0, Vec::len)
}
