//! When a worker takes snapshots of its partitions, and what follows from one.
//!
//! The worker only makes a view of a store, between two batches; a thread of its own reads it, writes the snapshot,
//! removes old ones and, where that is configured, the beginning of the log, one partition at a time. What fails is
//! said and tried again at its next turn: what is published does not depend on it. A partition that is given back
//! stops its snapshot first.
//!
//! # How far the log is trimmed
//! To the record before the oldest snapshot that is kept: a restore reads that record once more, to tell whether the
//! log is the one that the state was built from. And not before as many snapshots are there as are to be kept, so
//! that a damaged one is not the only one. The offset of a view is never ahead of what is committed, since state is
//! written after the commit that it belongs to; so what is deleted is never what a group has still to read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::owned::Owned;
use super::restore::Restore;
use super::stage::Kept;
use crate::broker::{TopicPartition, Trim};
use crate::store::snapshot::{Pruned, SnapshotHome, Taken};
use crate::store::{StoreError, View};
use crate::telemetry::labels::StageLabel;
use crate::telemetry::metrics;

/// Where and how often snapshots are taken.
#[derive(Clone, Debug)]
pub struct SnapshotPlan {
    /// Where they are.
    pub home: SnapshotHome,
    /// Time between two of one partition.
    pub every: Duration,
    /// How many of one partition are kept.
    pub kept: usize,
    /// Deletes what no kept snapshot needs from the log; none: the log keeps everything.
    pub trim: Option<Arc<dyn Trim>>,
}

/// The snapshots of one worker.
#[derive(Debug)]
pub(super) struct Snapshots {
    stage: &'static str,
    plan: Option<SnapshotPlan>,
    last: BTreeMap<TopicPartition, Last>,
    running: Option<Running>,
}

/// When a partition had its last turn, and what is known of its newest snapshot.
#[derive(Debug)]
struct Last {
    turn_at: Instant,
    /// When the view of it was made; before there is one, when the partition came.
    newest_at: Instant,
    offset: Option<i64>,
}

/// A snapshot being written; dropping it stops it.
#[derive(Debug)]
struct Running {
    partition: TopicPartition,
    started: Instant,
    stop: Arc<AtomicBool>,
    /// Ends with the offset of the snapshot, if it was taken.
    thread: Option<JoinHandle<Option<i64>>>,
}

impl Snapshots {
    pub(super) fn new(stage: &'static str, plan: Option<SnapshotPlan>) -> Self {
        Self { stage, plan, last: BTreeMap::new(), running: None }
    }

    /// A partition came: its first turn is after the usual time.
    pub(super) fn opened(&mut self, partition: &TopicPartition) {
        let now = Instant::now();
        self.last.insert(partition.clone(), Last { turn_at: now, newest_at: now, offset: None });
    }

    /// A partition goes.
    pub(super) fn closed(&mut self, partition: &TopicPartition) {
        if self.running.as_ref().is_some_and(|running| running.partition == *partition) {
            self.running = None;
        }
        if self.last.remove(partition).is_some() && self.plan.is_some() {
            age(partition, Duration::ZERO);
        }
    }

    /// Stops what is running.
    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    /// Tells how old the newest snapshot of every partition is.
    pub(super) fn measured(&self) {
        if self.plan.is_some() {
            for (partition, last) in &self.last {
                age(partition, last.newest_at.elapsed());
            }
        }
    }

    /// Begins the snapshot of a partition whose turn it is, if none is being written.
    pub(super) fn step<K: Kept>(
        &mut self,
        partitions: &mut BTreeMap<TopicPartition, Owned<K>>,
        restores: &BTreeMap<TopicPartition, Restore>,
    ) -> Result<(), StoreError> {
        let Some(plan) = &self.plan else { return Ok(()) };
        match self.running.take() {
            Some(running) if running.is_running() => {
                self.running = Some(running);
                return Ok(());
            }
            Some(ended) => {
                let (partition, started) = (ended.partition.clone(), ended.started);
                if let (Some(offset), Some(last)) = (ended.result(), self.last.get_mut(&partition)) {
                    (last.newest_at, last.offset) = (started, Some(offset));
                }
            }
            None => {}
        }
        let due = self.last.iter_mut().find(|(partition, last)| {
            last.turn_at.elapsed() >= plan.every && !restores.contains_key(*partition)
        });
        let Some((partition, last)) = due else { return Ok(()) };
        let Some(owned) = partitions.get_mut(partition) else { return Ok(()) };
        let started = Instant::now();
        last.turn_at = started;
        if last.offset == Some(owned.next_offset) {
            // Nothing came since: the newest is as good as a new one.
            last.newest_at = started;
            return Ok(());
        }
        let Some(view) = owned.view()? else { return Ok(()) };
        tracing::debug!(%partition, "a view for a snapshot took {} us", started.elapsed().as_micros());
        self.running = Some(Running::start(self.stage, plan.clone(), partition.clone(), view));
        Ok(())
    }
}

impl Running {
    fn start(stage: &'static str, plan: SnapshotPlan, partition: TopicPartition, view: View) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let turn = Turn { stage, partition: partition.clone(), plan, stop: Arc::clone(&stop) };
        let thread = thread::spawn(move || turn.take(view));
        Self { partition, started: Instant::now(), stop, thread: Some(thread) }
    }

    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Waits for the end.
    fn result(mut self) -> Option<i64> {
        self.thread.take()?.join().unwrap_or_else(|_| {
            tracing::error!(partition = %self.partition, "the snapshot thread panicked: this is a defect");
            None
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(partition = %self.partition, "the snapshot thread panicked: this is a defect");
        }
    }
}

/// How old the newest snapshot of a partition is; zero when the partition goes.
fn age(partition: &TopicPartition, age: Duration) {
    metrics::SNAPSHOT_AGE.set([&partition.topic, &partition.partition.to_string()], age);
}

/// One turn of one partition, on the thread of the snapshot.
struct Turn {
    stage: &'static str,
    partition: TopicPartition,
    plan: SnapshotPlan,
    stop: Arc<AtomicBool>,
}

impl Turn {
    fn take(&self, view: View) -> Option<i64> {
        let started = Instant::now();
        let home = self.plan.home.stopped_by(Arc::clone(&self.stop));
        let (topic, number) = (&*self.partition.topic, self.partition.partition);
        let taken = match home.take(topic, number, view) {
            Ok(taken) => taken,
            Err(StoreError::Stopped) => {
                tracing::debug!(partition = %self.partition, "snapshot stopped");
                return None;
            }
            Err(error) => {
                metrics::SNAPSHOTS_FAILED.add(StageLabel(self.stage), 1);
                tracing::warn!(partition = %self.partition, %error, "no snapshot could be taken");
                return None;
            }
        };
        let offset = taken.manifest.next_offset;
        self.say(&taken, started.elapsed());
        match home.prune(topic, number, offset, self.plan.kept) {
            Ok(pruned) => self.trim(&pruned),
            Err(StoreError::Stopped) => {}
            Err(error) => {
                tracing::warn!(partition = %self.partition, %error, "old snapshots could not be removed");
            }
        }
        Some(offset)
    }

    fn say(&self, taken: &Taken, elapsed: Duration) {
        let offset = taken.manifest.next_offset;
        let stage = StageLabel(self.stage);
        metrics::SNAPSHOTS_TAKEN.add(stage, 1);
        metrics::SNAPSHOT_BYTES.add(stage, taken.bytes_written);
        metrics::SNAPSHOT_SECONDS.record(stage, elapsed);
        let number = self.partition.partition.to_string();
        metrics::SNAPSHOT_OFFSET.set([&self.partition.topic, &number], offset as f64);
        tracing::info!(
            partition = %self.partition,
            offset,
            rows = taken.manifest.rows(),
            bytes = taken.manifest.bytes(),
            bytes_written = taken.bytes_written,
            files = taken.manifest.files.len(),
            files_written = taken.files_written,
            "snapshot taken in {:.3} s",
            elapsed.as_secs_f64()
        );
    }

    /// Deletes from the log what no kept snapshot needs.
    fn trim(&self, pruned: &Pruned) {
        let (Some(log), Some(oldest)) = (&self.plan.trim, pruned.oldest) else { return };
        if pruned.kept < self.plan.kept || self.stop.load(Ordering::Relaxed) {
            return;
        }
        let before = oldest.saturating_sub(1);
        if before <= 0 {
            return;
        }
        match log.trim(&self.partition, before) {
            Ok(first) => {
                let number = self.partition.partition.to_string();
                metrics::TRIMMED_OFFSET.set([&self.partition.topic, &number], first as f64);
                tracing::info!(partition = %self.partition, first, "the log was trimmed; it begins at {first} now");
            }
            Err(error) => {
                tracing::warn!(partition = %self.partition, before, %error, "the log could not be trimmed");
            }
        }
    }
}
