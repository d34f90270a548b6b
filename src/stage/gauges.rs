//! How far a worker is behind, in records and in time, and how long its partitions took to be rebuilt.
//!
//! Asking the broker for the ends of partitions costs a round trip each, so it is done every few seconds and not
//! with every batch. Only a worker that passes time by the wall clock asks: in replay and tests nothing is "behind".

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::overlay::StateValue;
use super::partition::PartitionState;
use crate::broker::TopicPartition;
use crate::domain::time::Timestamp;
use crate::telemetry::metrics;

/// What one worker remembers for its gauges.
#[derive(Debug)]
pub(super) struct Gauges {
    stage: &'static str,
    asked_at: Option<Instant>,
    /// Partitions being rebuilt: since when, and how many records it takes.
    restores: BTreeMap<TopicPartition, (Instant, u64)>,
    owned: usize,
}

impl Gauges {
    /// Gauges of a worker without partitions.
    pub(super) fn new(stage: &'static str) -> Self {
        Self { stage, asked_at: None, restores: BTreeMap::new(), owned: 0 }
    }

    /// A partition came, to be read from `start` and rebuilt up to `committed`.
    pub(super) fn opened(&mut self, partition: &TopicPartition, start: i64, committed: i64) {
        self.owned += 1;
        metrics::assigned(self.stage, 1);
        if let Ok(records @ 1..) = u64::try_from(committed.saturating_sub(start)) {
            self.restores.insert(partition.clone(), (Instant::now(), records));
        }
    }

    /// A partition went: it is somebody else's from here on, and so are its gauges.
    pub(super) fn closed(&mut self, partition: &TopicPartition) {
        self.owned = self.owned.saturating_sub(1);
        metrics::revoked(self.stage, 1);
        self.restores.remove(partition);
        metrics::lag(&partition.topic, partition.partition, 0);
        let name = partition.to_string();
        metrics::watermark_delay(&name, Duration::ZERO);
        metrics::wall_delay(&name, Duration::ZERO);
    }

    /// Tells which partitions are rebuilt by now.
    pub(super) fn progressed<V: StateValue>(
        &mut self,
        partitions: &BTreeMap<TopicPartition, PartitionState<V>>,
    ) {
        let stage = self.stage;
        self.restores.retain(|partition, (since, records)| {
            let is_rebuilt =
                partitions.get(partition).is_some_and(|state| state.next_offset >= state.muted_until);
            if is_rebuilt {
                metrics::restored(stage, *records, since.elapsed());
            }
            !is_rebuilt
        });
    }

    /// Whether it is time to ask the broker again.
    pub(super) fn are_due(&self, every: Option<Duration>) -> bool {
        every.is_some_and(|every| self.asked_at.is_none_or(|asked_at| asked_at.elapsed() >= every))
    }

    /// Tells how far every partition is behind, in records and in time.
    pub(super) fn measured<V: StateValue>(
        &mut self,
        lags: &BTreeMap<TopicPartition, i64>,
        partitions: &mut BTreeMap<TopicPartition, PartitionState<V>>,
        wall: Timestamp,
    ) {
        self.asked_at = Some(Instant::now());
        for (partition, state) in partitions {
            if let Some(lag) = lags.get(partition) {
                metrics::lag(&partition.topic, partition.partition, *lag);
            }
            let watermark = &state.facts().watermark;
            let name = partition.to_string();
            if let Some(now) = watermark.now() {
                metrics::watermark_delay(&name, behind(now, wall));
            }
            if let Some(passed_on) = watermark.wall {
                metrics::wall_delay(&name, behind(passed_on, wall));
            }
        }
    }
}

/// A worker that is dropped with its session owns nothing any more.
impl Drop for Gauges {
    fn drop(&mut self) {
        metrics::revoked(self.stage, self.owned);
    }
}

fn behind(moment: Timestamp, wall: Timestamp) -> Duration {
    let millis = wall.unix_millis().saturating_sub(moment.unix_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
