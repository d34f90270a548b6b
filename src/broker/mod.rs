//! The outside world as ordered partitions of bytes, with transactions.
//!
//! One small trait, [`Session`], and two implementations: Apache Kafka and an in-memory twin with the same
//! behaviour. A session is one worker's place in one consumer group together with its transactional producer.
//! It carries bytes and knows no message.
//!
//! # The life of a partition in a session
//!
//! 1. [`Session::poll`] returns [`Polled::Assigned`]. The worker opens its state and answers with
//!    [`Session::start`], which names the offset to read from.
//! 2. `poll` returns [`Polled::Records`] of started partitions, in offset order per partition.
//! 3. The worker hands a batch's outputs and new offsets to [`Session::commit`]: both become visible at once or
//!    not at all.
//! 4. `poll` returns [`Polled::Revoked`]. No transaction is open at that moment. The worker closes its state and
//!    answers with [`Session::release`]; only then does the group hand the partition to somebody else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Full topic name, prefix included.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
}

/// One record as read.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it was read.
    pub source: TopicPartition,
    /// Its offset there.
    pub offset: i64,
    /// When the broker received it, or its producer made it: milliseconds since the epoch; none when not stamped.
    pub timestamp_millis: Option<i64>,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Payload; none is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// One header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Vec<u8>,
}

/// One record to be written.
#[derive(Clone, Debug)]
pub struct OutRecord {
    /// Where to.
    pub target: TopicPartition,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Payload; none is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// Nothing within the wait.
    Nothing,
    /// Records, in offset order per partition.
    Records(Vec<Record>),
    /// These partitions are ours now; answer with [`Session::start`] for each.
    Assigned(Vec<TopicPartition>),
    /// These partitions are no longer ours; answer with [`Session::release`] after closing their state.
    Revoked(Vec<TopicPartition>),
}

/// The next offset to read of a partition, to be committed.
pub type NextOffset = (TopicPartition, i64);

/// One worker's place in a consumer group, with its transactional producer.
pub trait Session: Send {
    /// Waits up to `wait` for records or for a change of the assignment; returns as soon as there is something.
    fn poll(&mut self, wait: Duration) -> Result<Polled, BrokerError>;

    /// The committed next offset of the group on a partition; none when nothing was ever committed. Any earlier
    /// transaction of the same producer identity has ended, one way or the other, before this answers.
    fn committed(&mut self, partition: &TopicPartition) -> Result<Option<i64>, BrokerError>;

    /// The first offset still there, and the next one to be written (read-committed), of a partition.
    fn watermarks(&mut self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError>;

    /// Starts reading assigned partitions at the given offsets.
    fn start(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError>;

    /// Gives partitions back after [`Polled::Revoked`].
    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), BrokerError>;

    /// Whether everything in a started partition up to its current end was returned by [`Session::poll`].
    fn is_caught_up(&mut self, partition: &TopicPartition) -> Result<bool, BrokerError>;

    /// Publishes `outputs` and commits `offsets` in one transaction. With empty outputs it still commits the
    /// offsets, fenced. On any error but [`BrokerError::Aborted`] the outcome is unknown and the session is dead.
    fn commit(&mut self, outputs: Vec<OutRecord>, offsets: &[NextOffset]) -> Result<(), BrokerError>;

    /// Leaves the group in an orderly way. Partitions must have been closed before.
    fn close(&mut self);
}

/// How a broker operation failed, and what follows from it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The transaction was aborted: nothing of it is visible. The batch may be done again by the same session.
    #[error("the transaction was aborted: {0}")]
    Aborted(String),
    /// The session cannot be used any more, or an outcome is unknown: drop it, make a new one, reload the state.
    #[error("the broker session ended: {0}")]
    SessionLost(String),
    /// The record at the wanted offset is not there any more.
    #[error("offset {offset} of {partition} is out of range: the log no longer reaches back that far")]
    OffsetOutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// The offset wanted.
        offset: i64,
    },
    /// A record is larger than the broker takes; it would fail every time.
    #[error("a record of {bytes} bytes for {target} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Where it should have gone.
        target: TopicPartition,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The configuration or the cluster's set-up is wrong; trying again will not help.
    #[error("{0}")]
    Setup(String),
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.topic, self.partition)
    }
}

impl TopicPartition {
    /// The partition of that number of the topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}
