//! The one loop of every stage.
//!
//! A worker owns a broker session (consumer and transactional producer) and the partitions it was assigned. A
//! step is: poll, collect a batch, apply, commit, write the state, now or with later batches. No transaction is ever open between steps, so
//! a partition can be given back at any poll.
//!
//! Errors map to policy here and nowhere else:
//!
//! | outcome | follows |
//! |---|---|
//! | committed | what was applied reaches the store, with the offset, at once or within bounds |
//! | aborted ([`BrokerError::Aborted`]) | what was applied is dropped, the batch is applied again by the same session |
//! | unknown or fatal (any other error) | the step fails: the worker is dropped with its session and its state |

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

pub use super::assignment::{LogReach, OpenStore};
use super::gauges::Gauges;
use super::outbox::Outbox;
pub use super::owned::{HeldBudget, WriteBehind};
use super::owned::{Owned, payload_bytes};
use super::readers::{Look, Readers};
use super::restore::Restore;
use super::snapshots::{SnapshotPlan, Snapshots};
use super::stage::{Kept, Stage};
use super::{StageError, Tally, WallClock};
use crate::broker::{BrokerError, NextOffset, Polled, Record, Session, TopicPartition};
use crate::domain::time::Timestamp;
use crate::telemetry::{labels, metrics};

/// Reads the wall clock. Replay and tests pass their own.
pub type ReadWall = Box<dyn Fn() -> Timestamp + Send>;

/// Bounds of a batch, and how often time is passed on.
#[derive(Clone)]
pub struct WorkerOptions {
    /// Most records in a batch.
    pub batch_records_max: usize,
    /// Most payload bytes in a batch, one record over it at most.
    pub batch_bytes_max: usize,
    /// Longest time that a batch is collected for.
    pub collect_max: Duration,
    /// Least time between two commits while records come: each costs the broker the same, however little is in it. What
    /// comes after a pause is committed at once.
    pub commit_spacing: Duration,
    /// How often time is passed on; none: the owner passes it ([`Worker::pass_time`]).
    pub pass_time_every: Option<Duration>,
    /// How often the lag of the partitions is measured; none: never.
    pub measure_lag_every: Option<Duration>,
    /// Where and how often snapshots are taken; none: never.
    pub snapshots: Option<SnapshotPlan>,
    /// How far stores may lag behind what is committed.
    pub write_behind: WriteBehind,
    /// Where other threads read what is committed; none: nowhere.
    pub readers: Option<Readers>,
    /// While a store is opened for longer than this, the session is polled as often; none: never, for those who need
    /// one thread.
    pub poll_opening_after: Option<Duration>,
    /// How often a batch is tried again after an abort before the worker gives up.
    pub aborts_max: u32,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            batch_records_max: 1000,
            batch_bytes_max: 2 << 20,
            collect_max: Duration::from_millis(50),
            commit_spacing: Duration::ZERO,
            pass_time_every: Some(Duration::from_millis(250)),
            measure_lag_every: None,
            snapshots: None,
            write_behind: WriteBehind::never(),
            readers: None,
            poll_opening_after: None,
            aborts_max: 5,
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Records applied.
    pub records: usize,
    /// Records published.
    pub published: usize,
    /// Whether the assignment changed.
    pub reassigned: bool,
}

impl Step {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

/// One worker of one stage.
pub struct Worker<S: Stage> {
    stage: S,
    pub(super) session: Box<dyn Session>,
    pub(super) open_store: OpenStore,
    read_wall: ReadWall,
    pub(super) options: WorkerOptions,
    pub(super) partitions: BTreeMap<TopicPartition, Owned<S::Kept>>,
    /// Partitions whose state is not up to date yet.
    pub(super) restores: BTreeMap<TopicPartition, Restore>,
    pub(super) backlog: VecDeque<Record>,
    pub(super) backlog_bytes: usize,
    outbox: Outbox<S::Topic>,
    tally: S::Tally,
    time_passed_at: Option<Instant>,
    committed_at: Option<Instant>,
    pub(super) gauges: Gauges,
    pub(super) snapshots: Snapshots,
}

impl<S: Stage> Worker<S> {
    /// A worker without partitions yet.
    pub fn new(
        stage: S,
        session: Box<dyn Session>,
        mut outbox: Outbox<S::Topic>,
        open_store: OpenStore,
        read_wall: ReadWall,
        mut options: WorkerOptions,
    ) -> Self {
        outbox.belongs_to(stage.row());
        if !S::KEEPS_STATE {
            // It holds nothing, so it has no part in what others may hold.
            options.write_behind = WriteBehind::never();
        }
        Self {
            gauges: Gauges::new(stage.row().name),
            snapshots: Snapshots::new(stage.row().name, options.snapshots.clone()),
            stage,
            session,
            open_store,
            read_wall,
            options,
            partitions: BTreeMap::new(),
            restores: BTreeMap::new(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            outbox,
            tally: S::Tally::default(),
            time_passed_at: None,
            committed_at: None,
        }
    }

    /// Everything counted in committed batches.
    pub fn tally(&self) -> &S::Tally {
        &self.tally
    }

    /// The stage.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// The stage's name.
    pub(super) fn name(&self) -> &'static str {
        self.stage.row().name
    }

    /// One round: poll, collect, apply, commit, write.
    pub fn step(&mut self, wait: Duration) -> Result<Step, StageError> {
        let mut step = Step { reassigned: self.collect(wait)?, ..Step::default() };
        let batch = self.take_batch();
        let batch = self.without_seen(batch)?;
        let pass_time = is_due(self.options.pass_time_every, self.time_passed_at)
            || (!batch.is_empty() && self.stage.inputs_are_the_clock());
        if pass_time || !batch.is_empty() {
            step.published = self.process(&batch, pass_time)?;
        }
        step.records = batch.len();
        self.keep_and_write(&batch)?;
        self.snapshots.step(&mut self.partitions, &self.restores)?;
        if self.gauges.are_due(self.options.measure_lag_every) {
            let (lags, wall) = (self.lags()?, (self.read_wall)());
            for (partition, owned) in &self.partitions {
                self.gauges.measured(partition, lags.get(partition).copied(), owned.kept.watermark(), wall);
            }
            self.snapshots.measured();
        }
        Ok(step)
    }

    /// Passes time on at every partition now, outside the regular rhythm, and commits it.
    pub fn pass_time(&mut self) -> Result<Step, StageError> {
        let published = self.process(&[], true)?;
        Ok(Step { published, ..Step::default() })
    }

    /// Looks at what is committed of a partition, where it is this worker's.
    pub fn look(&self, partition: &TopicPartition, look: Look<'_>) -> Result<(), StageError> {
        match self.partitions.get(partition) {
            Some(owned) => Ok(owned.kept.look(look)?),
            None => Ok(()),
        }
    }

    /// Closes all partitions and leaves the group.
    pub fn close(mut self) -> Result<(), StageError> {
        self.snapshots.stop();
        let written = self.write();
        self.partitions.clear();
        self.session.close();
        written
    }

    /// Brings all stores to what is committed.
    pub fn write(&mut self) -> Result<(), StageError> {
        for owned in self.partitions.values_mut() {
            owned.write()?;
        }
        Ok(())
    }

    /// Polls until a batch is full, the input runs dry or the time to collect is over. Changes of the assignment
    /// are dealt with at once: nothing is applied yet, so there is nothing to undo.
    fn collect(&mut self, wait: Duration) -> Result<bool, StageError> {
        let started = Instant::now();
        let mut reassigned = false;
        let mut wait = if self.backlog.is_empty() { wait } else { Duration::ZERO };
        while !self.is_batch_full() {
            match self.session.poll(wait)? {
                Polled::Nothing => {
                    let left = self.until_next_commit();
                    if self.backlog.is_empty() || left.is_zero() {
                        break;
                    }
                    wait = left;
                    continue;
                }
                Polled::Records(records) => {
                    self.backlog_bytes += records.iter().map(payload_bytes).sum::<usize>();
                    self.backlog.extend(records);
                }
                Polled::Assigned(partitions) => {
                    self.open(&partitions)?;
                    reassigned = true;
                }
                Polled::Revoked(partitions) => {
                    self.give_back(&partitions)?;
                    reassigned = true;
                }
            }
            if started.elapsed() >= self.options.collect_max {
                break;
            }
            wait = Duration::ZERO;
        }
        Ok(reassigned)
    }

    /// How long the next commit is to wait, in whole milliseconds.
    fn until_next_commit(&self) -> Duration {
        let since = self.committed_at.map_or(Duration::MAX, |at| at.elapsed());
        let left = self.options.commit_spacing.saturating_sub(since);
        if left < Duration::from_millis(1) { Duration::ZERO } else { left }
    }

    fn is_batch_full(&self) -> bool {
        self.backlog.len() >= self.options.batch_records_max
            || self.backlog_bytes >= self.options.batch_bytes_max
    }

    fn take_batch(&mut self) -> Vec<Record> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < self.options.batch_records_max && bytes < self.options.batch_bytes_max {
            let Some(record) = self.backlog.pop_front() else { break };
            bytes += payload_bytes(&record);
            batch.push(record);
        }
        self.backlog_bytes -= bytes;
        batch
    }

    /// Sets aside what the state has seen already, and refuses a state that has not seen it.
    fn without_seen(&self, batch: Vec<Record>) -> Result<Vec<Record>, StageError> {
        let mut unseen = Vec::with_capacity(batch.len());
        for record in batch {
            match self.partitions.get(&record.source) {
                Some(owned) if record.offset < owned.next_offset => {
                    if !owned.kept.may_have_seen(&record, owned.next_offset) {
                        let (partition, offset) = (record.source, owned.next_offset);
                        return Err(StageError::ForeignState { partition, offset });
                    }
                }
                _ => unseen.push(record),
            }
        }
        Ok(unseen)
    }

    /// Lets the stage turn the time outside into data, behind everything that was applied.
    fn pass_time_at_all_partitions(&mut self) -> Result<(), StageError> {
        // The clock is read first: what comes between the two looks is not read yet, and was not there at that time.
        let wall = (self.read_wall)();
        let lags = self.lags()?;
        for source in self.partitions.keys() {
            let caught_up = lags.get(source) == Some(&0);
            self.stage.pass_time(source, WallClock { wall, caught_up }, &mut self.outbox);
        }
        Ok(())
    }

    /// The stage, as metrics call it.
    fn label(&self) -> labels::StageLabel {
        labels::StageLabel(self.name())
    }

    /// How many offsets of each partition are still to be applied, where that is known.
    fn lags(&mut self) -> Result<BTreeMap<TopicPartition, i64>, StageError> {
        let mut lags = self.session.lags()?;
        for record in &self.backlog {
            if let Some(lag) = lags.get_mut(&record.source) {
                *lag += 1;
            }
        }
        Ok(lags)
    }

    /// Applies a batch, passes time on behind it, and commits both, again after an abort. Returns the number of
    /// records published.
    fn process(&mut self, batch: &[Record], pass_time: bool) -> Result<usize, StageError> {
        let started = Instant::now();
        for attempt in 0.. {
            let mut tally = S::Tally::default();
            self.apply(batch, &mut tally)?;
            self.stage.batch_ends(&mut self.outbox);
            if pass_time {
                self.pass_time_at_all_partitions()?;
                self.time_passed_at = Some(Instant::now());
            }
            let outputs = self.outbox.take_records()?;
            let offsets = self.offsets_to_commit(batch, !outputs.is_empty());
            let published = outputs.len();
            if offsets.is_empty() && published > 0 {
                let reason = "there is something to publish and no offset to fence it with";
                return Err(BrokerError::SessionLost(reason.into()).into());
            }
            if !offsets.is_empty() {
                let commit_started = Instant::now();
                match self.session.commit(outputs, &offsets) {
                    Ok(()) => {
                        metrics::COMMIT_SECONDS.record(self.label(), commit_started.elapsed());
                        self.committed_at = Some(Instant::now());
                    }
                    Err(BrokerError::Aborted(reason)) if attempt < self.options.aborts_max => {
                        tracing::warn!(stage = self.name(), reason, "batch aborted, applied again");
                        metrics::TRANSACTIONS_ABORTED.add(self.label(), 1);
                        self.roll_back(batch);
                        self.stage.aborted();
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            self.tally.add(&tally);
            tally.record();
            if !batch.is_empty() {
                let bytes: usize = batch.iter().map(payload_bytes).sum();
                metrics::BATCH_RECORDS.record(self.label(), batch.len() as f64);
                metrics::BATCH_BYTES.record(self.label(), bytes as f64);
                metrics::BATCH_SECONDS.record(self.label(), started.elapsed());
            }
            return Ok(published);
        }
        Ok(0)
    }

    /// Tells the partitions what was committed of them, and writes what is to be written.
    fn keep_and_write(&mut self, batch: &[Record]) -> Result<(), StageError> {
        let mut bytes_by_partition: BTreeMap<&TopicPartition, usize> = BTreeMap::new();
        for record in batch {
            *bytes_by_partition.entry(&record.source).or_default() += payload_bytes(record);
        }
        let mut forgotten = 0;
        for (source, log_bytes) in bytes_by_partition {
            let Some(owned) = self.partitions.get_mut(source) else { continue };
            forgotten += owned.committed(log_bytes)?;
            if self.restores.get_mut(source).is_some_and(|restore| restore.reached(owned.next_offset)) {
                self.restores.remove(source);
            }
        }
        for owned in self.partitions.values_mut() {
            owned.write_within_bounds()?;
        }
        metrics::STATE_FORGOTTEN.add(self.label(), u64::try_from(forgotten).unwrap_or(u64::MAX));
        Ok(())
    }

    fn apply(&mut self, batch: &[Record], tally: &mut S::Tally) -> Result<(), StageError> {
        let mut muted_tally = S::Tally::default();
        for record in batch {
            let Some(owned) = self.partitions.get_mut(&record.source) else { continue };
            let muted = record.offset < owned.muted_until;
            let tally = if muted { &mut muted_tally } else { &mut *tally };
            self.outbox.mute(muted);
            let applied = self.stage.apply(record, &mut owned.kept, &mut self.outbox, tally);
            self.outbox.mute(false);
            applied?;
            owned.applied(record);
        }
        Ok(())
    }

    /// The next offsets of the partitions touched; when only time is passed on, those of all partitions, so that
    /// the transaction is fenced all the same. Partitions still being rebuilt commit nothing.
    fn offsets_to_commit(&self, batch: &[Record], has_outputs: bool) -> Vec<NextOffset> {
        let touched: BTreeSet<&TopicPartition> = batch.iter().map(|record| &record.source).collect();
        let live = self.partitions.iter().filter(|(_, owned)| owned.next_offset >= owned.muted_until);
        let next = live.map(|(source, owned)| (source.clone(), owned.next_offset));
        let moved: Vec<NextOffset> = next.clone().filter(|(source, _)| touched.contains(source)).collect();
        if moved.is_empty() && has_outputs { next.collect() } else { moved }
    }

    fn roll_back(&mut self, batch: &[Record]) {
        self.outbox.clear();
        let mut first: BTreeMap<&TopicPartition, i64> = BTreeMap::new();
        for record in batch {
            first.entry(&record.source).or_insert(record.offset);
        }
        for (source, offset) in first {
            if let Some(owned) = self.partitions.get_mut(source) {
                owned.roll_back(offset);
            }
        }
    }
}

fn is_due(every: Option<Duration>, last: Option<Instant>) -> bool {
    every.is_some_and(|every| last.is_none_or(|last| last.elapsed() >= every))
}
