//! A partition that a worker owns: how far it has come, and what of it the store has not seen yet.
//!
//! The log is the changelog, so the store may lag behind what is committed: batches are written together, in large sorted
//! pieces, within bounds ([`WriteBehind`]). After a crash the log brings the state back to what is committed, as after every start.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::readers::Seat;
use super::stage::Kept;
use crate::broker::Record;
use crate::store::{StoreError, View};

/// How far stores may lag behind what is committed. Whatever is reached first makes a worker write. Clones share the memory.
#[derive(Clone, Debug)]
pub struct WriteBehind {
    /// Memory for changes that are not written.
    pub held: Arc<HeldBudget>,
    /// Values are encoded when the records that asked for them have more payload bytes than this. Decoded they take some ten
    /// times as much: what is worked on is to fit into the caches of the processor.
    pub decoded_log_bytes_max: usize,
    /// Most payload bytes of records behind the store of a partition: what is applied again after a crash.
    pub log_bytes_max: usize,
    /// Longest time that what is committed is not written; none: as long as the other bounds allow.
    pub age_max: Option<Duration>,
}

impl WriteBehind {
    /// A good [`WriteBehind::decoded_log_bytes_max`].
    pub const DECODED_LOG_BYTES_MAX: usize = 64 << 10;

    /// Every batch is written when it is committed.
    pub fn never() -> Self {
        Self {
            held: HeldBudget::new(0),
            decoded_log_bytes_max: Self::DECODED_LOG_BYTES_MAX,
            log_bytes_max: 0,
            age_max: Some(Duration::ZERO),
        }
    }
}

/// Memory for changes that are committed and not written, shared by the partitions of a process: few large writes cost
/// less than many small ones.
#[derive(Debug)]
pub struct HeldBudget {
    bytes_max: usize,
    bytes: AtomicUsize,
    partitions: AtomicUsize,
}

impl HeldBudget {
    /// A budget of so many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, bytes: AtomicUsize::new(0), partitions: AtomicUsize::new(0) })
    }

    /// Whether one that holds so many bytes is to write them: all together hold too much, and it not less than its equal part. There
    /// is always such a one when there is too much.
    fn asks(&self, bytes: usize) -> bool {
        let partitions = self.partitions.load(Ordering::Relaxed).max(1);
        self.bytes.load(Ordering::Relaxed) > self.bytes_max && bytes >= self.bytes_max / partitions
    }
}

/// What a partition holds of the budget.
#[derive(Debug)]
struct Held {
    budget: Arc<HeldBudget>,
    bytes: usize,
}

impl Held {
    fn of(budget: &Arc<HeldBudget>) -> Self {
        budget.partitions.fetch_add(1, Ordering::Relaxed);
        Self { budget: budget.clone(), bytes: 0 }
    }

    fn is(&mut self, bytes: usize) {
        self.budget.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.bytes.fetch_sub(std::mem::replace(&mut self.bytes, bytes), Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.is(0);
        self.budget.partitions.fetch_sub(1, Ordering::Relaxed);
    }
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
    /// Payload bytes of the records applied since values were last encoded.
    decoded_log_bytes: usize,
    /// Payload bytes of the records that are committed and not in the store.
    log_bytes: usize,
    /// When the oldest of them was committed.
    unwritten_since: Option<Instant>,
    /// Memory of what is not written.
    held: Held,
    bounds: WriteBehind,
}

impl<K: Kept> Owned<K> {
    /// A partition whose state is at `next_offset`, and whose outputs were published up to `muted_until`.
    pub(super) fn new(
        seat: Option<Seat>,
        kept: K,
        next_offset: i64,
        muted_until: i64,
        bounds: WriteBehind,
    ) -> Self {
        let held = Held::of(&bounds.held);
        Self {
            _seat: seat,
            kept,
            next_offset,
            muted_until,
            decoded_log_bytes: 0,
            log_bytes: 0,
            unwritten_since: None,
            held,
            bounds,
        }
    }

    /// A record was applied.
    pub(super) fn applied(&mut self, record: &Record) {
        self.kept.applied(record);
        self.next_offset = record.offset.saturating_add(1);
        self.decoded_log_bytes += payload_bytes(record);
        if self.decoded_log_bytes > self.bounds.decoded_log_bytes_max {
            self.kept.encode();
            self.decoded_log_bytes = 0;
        }
    }

    /// Takes note that what was applied is committed: records of so many payload bytes. How much was forgotten on the way.
    pub(super) fn committed(&mut self, log_bytes: usize) -> Result<usize, StoreError> {
        self.log_bytes += log_bytes;
        self.decoded_log_bytes = 0;
        self.unwritten_since.get_or_insert_with(Instant::now);
        let forgotten = self.kept.committed();
        self.held.is(self.kept.unwritten_bytes());
        forgotten
    }

    /// Writes when a bound is reached.
    pub(super) fn write_within_bounds(&mut self) -> Result<(), StoreError> {
        let Some(since) = self.unwritten_since else { return Ok(()) };
        let is_due = self.log_bytes > self.bounds.log_bytes_max
            || self.bounds.held.asks(self.held.bytes)
            || self.bounds.age_max.is_some_and(|age_max| since.elapsed() >= age_max);
        if is_due { self.write() } else { Ok(()) }
    }

    /// Brings the store to what is committed.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.unwritten_since.take().is_some() {
            self.kept.write(self.next_offset)?;
            self.log_bytes = 0;
            self.held.is(self.kept.unwritten_bytes());
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
        self.decoded_log_bytes = 0;
        self.next_offset = next_offset;
    }
}

/// Bytes that a record carries.
pub(super) fn payload_bytes(record: &Record) -> usize {
    record.payload.as_ref().map_or(0, Vec::len)
}
