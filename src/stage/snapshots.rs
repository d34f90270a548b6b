//! When a worker takes snapshots of its partitions.
//!
//! The worker only makes a view of a store, between two batches; a thread of its own reads it, writes the snapshot and
//! removes old ones, one partition at a time. A snapshot that fails is said and tried again at its next turn: what is
//! published does not depend on it. A partition that is given back stops its snapshot first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::overlay::StateValue;
use super::partition::PartitionState;
use super::restore::Restore;
use crate::broker::TopicPartition;
use crate::store::View;
use crate::store::snapshot::SnapshotHome;

/// Where and how often snapshots are taken.
#[derive(Clone, Debug)]
pub struct SnapshotPlan {
    /// Where they are.
    pub home: SnapshotHome,
    /// Time between two of one partition.
    pub every: Duration,
    /// How many of one partition are kept.
    pub kept: usize,
}

/// The snapshots of one worker.
#[derive(Debug)]
pub(super) struct Snapshots {
    plan: Option<SnapshotPlan>,
    last: BTreeMap<TopicPartition, Last>,
    running: Option<Running>,
}

/// When a partition had its last turn, and at which offset.
#[derive(Debug)]
struct Last {
    at: Instant,
    offset: Option<i64>,
}

/// A snapshot being written; dropping it stops it.
#[derive(Debug)]
struct Running {
    partition: TopicPartition,
    cancelled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    pub(super) fn new(plan: Option<SnapshotPlan>) -> Self {
        Self { plan, last: BTreeMap::new(), running: None }
    }

    /// A partition came: its first turn is after the usual time.
    pub(super) fn opened(&mut self, partition: &TopicPartition) {
        self.last.insert(partition.clone(), Last { at: Instant::now(), offset: None });
    }

    /// A partition goes.
    pub(super) fn closed(&mut self, partition: &TopicPartition) {
        self.last.remove(partition);
        if self.running.as_ref().is_some_and(|running| running.partition == *partition) {
            self.running = None;
        }
    }

    /// Stops what is running.
    pub(super) fn stop(&mut self) {
        self.running = None;
    }

    /// Begins the snapshot of a partition whose turn it is, if none is being written.
    pub(super) fn step<V: StateValue>(
        &mut self,
        partitions: &BTreeMap<TopicPartition, PartitionState<V>>,
        restores: &BTreeMap<TopicPartition, Restore>,
    ) {
        let Some(plan) = &self.plan else { return };
        if self.running.as_ref().is_some_and(Running::is_running) {
            return;
        }
        self.running = None;
        let due = self
            .last
            .iter_mut()
            .find(|(partition, last)| last.at.elapsed() >= plan.every && !restores.contains_key(*partition));
        let Some((partition, last)) = due else { return };
        let Some(state) = partitions.get(partition) else { return };
        let started = Instant::now();
        last.at = started;
        if last.offset == Some(state.next_offset) {
            return;
        }
        let view = state.view();
        tracing::debug!(%partition, "a view for a snapshot took {} us", started.elapsed().as_micros());
        last.offset = Some(view.next_offset);
        self.running = Some(Running::start(plan.clone(), partition.clone(), view));
    }
}

impl Running {
    fn start(plan: SnapshotPlan, partition: TopicPartition, view: View) -> Self {
        let cancelled = Arc::new(AtomicBool::new(false));
        let (of, stop) = (partition.clone(), Arc::clone(&cancelled));
        let thread = thread::spawn(move || write(&plan, &of, view, &stop));
        Self { partition, cancelled, thread: Some(thread) }
    }

    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(partition = %self.partition, "the snapshot thread panicked: this is a defect");
        }
    }
}

fn write(plan: &SnapshotPlan, partition: &TopicPartition, view: View, cancelled: &AtomicBool) {
    let started = Instant::now();
    let (topic, number) = (&*partition.topic, partition.partition);
    match plan.home.take(topic, number, view, cancelled) {
        Ok(None) => tracing::debug!(%partition, "snapshot stopped"),
        Ok(Some(manifest)) => {
            let removed = plan.home.prune(topic, number, manifest.next_offset, plan.kept);
            tracing::info!(
                %partition,
                offset = manifest.next_offset,
                rows = manifest.rows(),
                bytes = manifest.bytes(),
                "snapshot taken in {:.3} s",
                started.elapsed().as_secs_f64()
            );
            if let Err(error) = removed {
                tracing::warn!(%partition, %error, "old snapshots could not be removed");
            }
        }
        Err(error) => tracing::warn!(%partition, %error, "no snapshot could be taken"),
    }
}
