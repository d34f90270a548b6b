//! A partition that a worker owns: how far it has come, and what of it the store has not seen yet.
//!
//! The log is the changelog, so the store may lag behind what is committed: small batches are written together, within
//! bounds ([`WriteBehind`]). Values that come again are then decoded and encoded once, and not with every batch. The
//! records behind the store are kept: after an abort they bring the state back to what is committed. After a crash the
//! log does, as after every start.

use std::time::{Duration, Instant};

use super::StageError;
use super::outbox::Outbox;
use super::readers::Seat;
use super::stage::{Kept, Stage};
use crate::broker::Record;
use crate::store::{StoreError, View};

/// How far a store may lag behind what is committed. Whatever is reached first makes the worker write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBehind {
    /// Most values held decoded.
    pub values_max: usize,
    /// Most payload bytes of records behind the store: what is applied again after an abort or a crash.
    pub bytes_max: usize,
    /// Longest time that what is committed is not written; none: as long as the other bounds allow.
    pub age_max: Option<Duration>,
}

impl WriteBehind {
    /// Every batch is written when it is committed.
    pub const NEVER: Self = Self { values_max: 0, bytes_max: 0, age_max: Some(Duration::ZERO) };
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
    /// Records that are committed and not in the store, in order.
    unwritten: Vec<Record>,
    unwritten_bytes: usize,
    /// When the oldest of them was committed.
    unwritten_since: Option<Instant>,
}

impl<K: Kept> Owned<K> {
    /// A partition whose state is at `next_offset`, and whose outputs were published up to `muted_until`.
    pub(super) fn new(seat: Option<Seat>, kept: K, next_offset: i64, muted_until: i64) -> Self {
        Self {
            _seat: seat,
            kept,
            next_offset,
            muted_until,
            unwritten: Vec::new(),
            unwritten_bytes: 0,
            unwritten_since: None,
        }
    }

    /// Takes note of records that were applied and are committed. How much was forgotten on the way.
    pub(super) fn committed(&mut self, records: Vec<Record>) -> Result<usize, StoreError> {
        self.unwritten_bytes += records.iter().map(payload_bytes).sum::<usize>();
        self.unwritten.extend(records);
        self.unwritten_since.get_or_insert_with(Instant::now);
        self.kept.committed()
    }

    /// Writes when a bound is reached.
    pub(super) fn write_within(&mut self, bounds: &WriteBehind) -> Result<(), StoreError> {
        let Some(since) = self.unwritten_since else { return Ok(()) };
        let is_due = self.unwritten_bytes > bounds.bytes_max
            || self.kept.values_held() > bounds.values_max
            || bounds.age_max.is_some_and(|age_max| since.elapsed() >= age_max);
        if is_due { self.write() } else { Ok(()) }
    }

    /// Brings the store to what is committed.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.unwritten_since.take().is_some() {
            self.kept.write(self.next_offset)?;
            self.unwritten.clear();
            self.unwritten_bytes = 0;
        }
        Ok(())
    }

    /// What is committed, for a snapshot.
    pub(super) fn view(&mut self) -> Result<Option<View>, StoreError> {
        self.write()?;
        Ok(self.kept.view())
    }

    /// Forgets what was applied since the last commit, whose next offset is given: the state is that of the store, with
    /// the records behind it applied again and nothing of it published.
    pub(super) fn roll_back<S: Stage<Kept = K>>(
        &mut self,
        next_offset: i64,
        stage: &mut S,
        out: &mut Outbox<S::Topic>,
    ) -> Result<(), StageError> {
        self.kept.roll_back();
        self.next_offset = next_offset;
        out.mute(true);
        let mut applied = Ok(());
        for record in &self.unwritten {
            applied =
                applied.and_then(|()| stage.apply(record, &mut self.kept, out, &mut S::Tally::default()));
            self.kept.applied(record);
        }
        out.mute(false);
        applied
    }
}

/// Bytes that a record carries.
pub(super) fn payload_bytes(record: &Record) -> usize {
    record.payload.as_ref().map_or(0, Vec::len)
}
