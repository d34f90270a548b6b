//! How a partition that was assigned comes up to date: its store may be behind the committed offset, and what is
//! between the two is replayed with its outputs muted. A long replay says how far it is; the end is said once, with
//! how long it took, unless there was nothing to replay.

use std::time::{Duration, Instant};

use crate::broker::TopicPartition;
use crate::store::folder::Found;
use crate::telemetry::labels::StageLabel;
use crate::telemetry::metrics;

/// Between two lines about a replay.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A partition on its way from the offset of its store to the committed one.
pub(super) struct Restore {
    stage: &'static str,
    partition: TopicPartition,
    found: Found,
    from: i64,
    until: i64,
    started: Instant,
    said_at: Instant,
}

impl Restore {
    /// A partition whose store was opened at `from`; `started` is when opening it began.
    pub(super) fn new(
        stage: &'static str,
        partition: &TopicPartition,
        found: Found,
        from: i64,
        until: i64,
        started: Instant,
    ) -> Self {
        Self { stage, partition: partition.clone(), found, from, until, started, said_at: started }
    }

    /// Takes note of how far the partition has come. True when that is up to date.
    pub(super) fn reached(&mut self, next_offset: i64) -> bool {
        let elapsed = self.started.elapsed();
        let total = self.until.saturating_sub(self.from).max(0);
        if next_offset >= self.until {
            let records = total.unsigned_abs();
            metrics::RESTORED_RECORDS.add(StageLabel(self.stage), records);
            metrics::RESTORE_SECONDS.record(StageLabel(self.stage), elapsed);
            if records > 0 || self.found != Found::Nothing {
                tracing::info!(
                    stage = self.stage,
                    partition = %self.partition,
                    from = self.from,
                    until = self.until,
                    "state up to date from {} after {:.3} s: {records} records replayed",
                    way(self.found),
                    elapsed.as_secs_f64()
                );
            }
            return true;
        }
        if self.said_at.elapsed() >= SAY_EVERY {
            self.said_at = Instant::now();
            let done = next_offset.saturating_sub(self.from).max(0);
            let left = elapsed.as_secs_f64() / (done.max(1) as f64) * (total - done) as f64;
            tracing::info!(
                stage = self.stage,
                partition = %self.partition,
                "replaying the log: {done} of {total} records, about {left:.0} s left"
            );
        }
        false
    }
}

/// Which way a partition comes up.
fn way(found: Found) -> &'static str {
    match found {
        Found::Usable => "the local store",
        Found::Snapshot(_) => "a snapshot and the log",
        Found::Nothing | Found::Ahead(_) => "the log alone",
    }
}
