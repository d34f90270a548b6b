//! How a stage fails.

use std::sync::Arc;

use crate::broker::{BrokerError, TopicPartition};
use crate::store::StoreError;
use crate::wire::WireError;

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
