//! How far a worker is behind, in records and in time.
//!
//! Asking the broker for the ends of partitions costs a round trip each, so it is done every few seconds and not
//! with every batch. Only a worker that passes time by the wall clock asks: in replay and tests nothing is "behind".

use std::time::{Duration, Instant};

use super::watermark::Watermark;
use crate::broker::TopicPartition;
use crate::domain::time::Timestamp;
use crate::telemetry::labels::StageLabel;
use crate::telemetry::metrics;

/// What one worker remembers for its gauges.
#[derive(Debug)]
pub(super) struct Gauges {
    stage: &'static str,
    asked_at: Option<Instant>,
    owned: usize,
}

impl Gauges {
    /// Gauges of a worker without partitions.
    pub(super) fn new(stage: &'static str) -> Self {
        Self { stage, asked_at: None, owned: 0 }
    }

    /// A partition came.
    pub(super) fn opened(&mut self) {
        self.owned += 1;
        metrics::PARTITIONS_OWNED.change(StageLabel(self.stage), 1);
    }

    /// A partition went: it is somebody else's from here on, and so are its gauges.
    pub(super) fn closed(&mut self, partition: &TopicPartition) {
        self.owned = self.owned.saturating_sub(1);
        metrics::PARTITIONS_OWNED.change(StageLabel(self.stage), -1);
        lag(partition, 0);
        let name = partition.to_string();
        metrics::WATERMARK_DELAY.set([&name], Duration::ZERO);
        metrics::WALL_DELAY.set([&name], Duration::ZERO);
    }

    /// Whether it is time to ask the broker again; then it counts as asked.
    pub(super) fn are_due(&mut self, every: Option<Duration>) -> bool {
        let are_due =
            every.is_some_and(|every| self.asked_at.is_none_or(|asked_at| asked_at.elapsed() >= every));
        if are_due {
            self.asked_at = Some(Instant::now());
        }
        are_due
    }

    /// Tells how far a partition is behind, in records and in time, as far as either is known.
    pub(super) fn measured(
        &self,
        partition: &TopicPartition,
        records_behind: Option<i64>,
        watermark: Option<&Watermark>,
        wall: Timestamp,
    ) {
        if let Some(records) = records_behind {
            lag(partition, records);
        }
        let Some(watermark) = watermark else { return };
        let name = partition.to_string();
        if let Some(now) = watermark.now() {
            metrics::WATERMARK_DELAY.set([&name], behind(now, wall));
        }
        if let Some(passed_on) = watermark.wall {
            metrics::WALL_DELAY.set([&name], behind(passed_on, wall));
        }
    }
}

/// A worker that is dropped with its session owns nothing any more.
impl Drop for Gauges {
    fn drop(&mut self) {
        let owned = i32::try_from(self.owned).unwrap_or(i32::MAX);
        metrics::PARTITIONS_OWNED.change(StageLabel(self.stage), -owned);
    }
}

/// Records of a partition that wait to be processed. Zero when the partition goes: its lag is then somebody else's
/// to report.
fn lag(partition: &TopicPartition, records: i64) {
    let number = partition.partition.to_string();
    metrics::LAG.set([&partition.topic, &number], records.max(0) as f64);
}

fn behind(moment: Timestamp, wall: Timestamp) -> Duration {
    let millis = wall.unix_millis().saturating_sub(moment.unix_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}
