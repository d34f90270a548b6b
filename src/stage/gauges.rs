//! How far a worker is behind, in records and in time.
//!
//! Asking the broker for the ends of partitions costs a round trip each, so it is done every few seconds and not
//! with every batch. Only a worker that passes time by the wall clock asks: in replay and tests nothing is "behind".

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::overlay::StateValue;
use super::partition::PartitionState;
use crate::broker::{BrokerError, Record, Session, TopicPartition};
use crate::domain::time::Timestamp;
use crate::telemetry::metrics;

const ASK_EVERY: Duration = Duration::from_secs(5);

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
        metrics::assigned(self.stage, 1);
    }

    /// A partition went: it is somebody else's from here on, and so are its gauges.
    pub(super) fn closed(&mut self, partition: &TopicPartition) {
        self.owned = self.owned.saturating_sub(1);
        metrics::revoked(self.stage, 1);
        metrics::lag(&partition.topic, partition.partition, 0);
        let name = partition.to_string();
        metrics::watermark_delay(&name, Duration::ZERO);
        metrics::wall_delay(&name, Duration::ZERO);
    }

    /// Tells how far every partition is behind, when it is time to ask again.
    pub(super) fn ask<V: StateValue>(
        &mut self,
        session: &mut dyn Session,
        partitions: &mut BTreeMap<TopicPartition, PartitionState<V>>,
        backlog: &VecDeque<Record>,
        wall: Timestamp,
    ) -> Result<(), BrokerError> {
        if self.asked_at.is_some_and(|asked_at| asked_at.elapsed() < ASK_EVERY) {
            return Ok(());
        }
        self.asked_at = Some(Instant::now());
        for (partition, state) in partitions {
            let waiting = if session.is_caught_up(partition)? {
                // The end of a partition may be a marker that is no record, so it is not compared with.
                let records = backlog.iter().filter(|record| record.source == *partition).count();
                i64::try_from(records).unwrap_or(i64::MAX)
            } else {
                session.watermarks(partition)?.1.saturating_sub(state.next_offset)
            };
            metrics::lag(&partition.topic, partition.partition, waiting);
            let watermark = &state.facts().watermark;
            let name = partition.to_string();
            if let Some(now) = watermark.now() {
                metrics::watermark_delay(&name, behind(now, wall));
            }
            if let Some(passed_on) = watermark.wall {
                metrics::wall_delay(&name, behind(passed_on, wall));
            }
        }
        Ok(())
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
