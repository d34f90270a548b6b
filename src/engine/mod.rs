//! What every stage is: one loop ([`worker`]) around pure functions.
//!
//! A [`worker::Worker`] takes a bounded batch, applies each record to (overlay, outbox), commits outputs and input
//! offsets in one transaction, and only then lets the overlay reach the store, together with the offset. What a record
//! makes a stage publish depends on the records before it in its partition, never on batch boundaries.

mod gauges;
pub mod outbox;
pub mod overlay;
pub mod partition;
mod provenance;
mod restore;
pub mod snapshots;
pub mod watermark;
pub mod worker;

use std::sync::Arc;

use crate::broker::{BrokerError, Record, TopicPartition};
use crate::domain::observation::Moment;
use crate::domain::time::Timestamp;
use crate::pipeline::StageRow;
use crate::pipeline::tally::Tally;
use crate::store::StoreError;
use crate::telemetry::limit::Limit;
use crate::wire::WireError;
use outbox::Outbox;
use overlay::StateValue;
use partition::{PartitionFacts, PartitionState};

/// One stage: a pure function from a record and the state before it to effects and the state after it.
pub trait Stage: Send {
    /// The state of one key.
    type Value: StateValue + Send;

    /// Its row in the table of stages.
    fn row(&self) -> &'static StageRow;

    /// The name in logs, metrics and on the command line.
    fn name(&self) -> &'static str {
        self.row().name
    }

    /// Whether it keeps state; a stage without state starts where the group has committed and replays nothing.
    fn keeps_state(&self) -> bool {
        true
    }

    /// Applies one record.
    fn apply(&mut self, record: &Record, cx: &mut Context<'_, Self::Value>) -> Result<(), StageError>;

    /// Lets time pass for a partition: called between batches with the wall clock and whether everything
    /// readable was read. Only intake turns clocks into data.
    fn pass_time(&mut self, _: &TopicPartition, _: WallClock, _: &mut Outbox) {}

    /// Whether the inputs are the clock. Then time is passed on with every batch, in its transaction: a restart forgets
    /// what they said of it, and they do not say it again.
    fn inputs_are_the_clock(&self) -> bool {
        false
    }

    /// Nothing published since the last commit became visible: whatever was passed on is to be passed on again.
    fn aborted(&mut self) {}
}

/// What the worker knows of the time outside at one partition of its input.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    /// The wall clock.
    pub wall: Timestamp,
    /// Whether everything in the partition was read.
    pub caught_up: bool,
}

/// What a record is applied to.
pub struct Context<'a, V> {
    /// The state of the record's partition.
    pub state: &'a mut PartitionState<V>,
    /// What it publishes.
    pub out: &'a mut Outbox,
    /// What it counts.
    pub tally: &'a mut Tally,
    /// When the record was written.
    pub written_at: Timestamp,
}

impl<V: StateValue> Context<'_, V> {
    /// The moment of an entry: the partition's time, and when the record was written.
    pub fn moment(&mut self) -> Moment {
        let detected_at = self.written_at;
        let PartitionFacts { watermark, forgotten_before, .. } = self.state.facts();
        Moment {
            now: watermark.now(),
            wall: watermark.wall,
            forgotten_before: *forgotten_before,
            detected_at,
        }
    }

    /// Acts on the keys whose timers are due, in order of (due time, key), so many of them at most; the rule set in
    /// force may say another number. Whether more are due: the stage goes on with them in an entry that follows.
    pub(crate) fn fire_timers(
        &mut self,
        time: Option<Timestamp>,
        at_once_max: usize,
        mut act: impl FnMut(&[u8], &mut Self) -> Result<(), StageError>,
    ) -> Result<bool, StageError> {
        let Some(time) = time else { return Ok(false) };
        let at_once_max = self.state.facts().rules.timers_per_entry_max.unwrap_or(at_once_max);
        let at_once_max = at_once_max.max(1);
        let due = self.state.due_timers(time, at_once_max.saturating_add(1))?;
        for key in due.iter().take(at_once_max) {
            act(key, self)?;
        }
        let are_more = due.len() > at_once_max;
        if are_more {
            self.tally.limit(Limit::TimersPerEntry);
        }
        Ok(are_more)
    }
}

/// How a stage failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state of a partition was built from a log that is not the one in its topic.
    #[error(
        "the state of {partition} was built from another log: the record before offset {offset} is not the one that \
         it saw last. Were the topics made anew, or does the folder belong to another installation? Remove the folder \
         of that partition under store.path to rebuild its state from this log"
    )]
    ForeignState {
        /// The partition.
        partition: TopicPartition,
        /// The offset of the state.
        offset: i64,
    },
    /// There is state, but the broker knows of no commit: going on would publish everything once more.
    #[error(
        "there is state of {partition} up to offset {offset}, but Kafka knows no committed offset of this group: it \
         forgets those of a group that was away for longer than offsets.retention.minutes, and with the group. Going \
         on would publish everything again. Set the group's offset of this partition to {offset} \
         (kafka-consumer-groups --reset-offsets --to-offset {offset}), or, where the log is new and nothing of it was \
         published, remove the folder of that partition under store.path and its snapshots"
    )]
    OffsetsForgotten {
        /// The partition.
        partition: TopicPartition,
        /// The offset of the state.
        offset: i64,
    },
    /// The state of a partition needs records that are not in its log any more.
    #[error(
        "the state of {partition} cannot be brought up to date: it needs the log from offset {offset} on, and the log \
         begins at {first}. Bring back the folder of that partition under store.path, or its snapshots under \
         store.snapshot_url, not older than {first}. If both are lost for good, start over: a new kafka.topic_prefix, \
         and the inputs played into it"
    )]
    LogTrimmed {
        /// The partition.
        partition: TopicPartition,
        /// The offset of the state.
        offset: i64,
        /// The first offset still there.
        first: i64,
    },
    /// A record came from a topic that nobody asked for.
    #[error("a record of the topic {topic} was read, which is none of this installation: this is a defect")]
    UnknownTopic {
        /// The topic.
        topic: Arc<str>,
    },
    /// A stage published to a topic that is not in its row of the table of stages.
    #[error("the stage {stage} publishes to {topic}, which is not among its topics: this is a defect")]
    ForeignTopic {
        /// The stage.
        stage: &'static str,
        /// The topic.
        topic: &'static str,
    },
    /// An internal record cannot be read: written by a newer version, or damaged.
    #[error(
        "record {offset} of {partition} cannot be read: {error}; an older binary cannot read a newer log"
    )]
    Unreadable {
        /// The partition.
        partition: TopicPartition,
        /// The offset.
        offset: i64,
        /// Why.
        error: WireError,
    },
}

/// Builds the error of an internal record that cannot be read.
pub(crate) fn unreadable(record: &Record, error: WireError) -> StageError {
    StageError::Unreadable { partition: record.source.clone(), offset: record.offset, error }
}
