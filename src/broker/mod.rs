//! The outside world as ordered partitions of bytes, with transactions.
//!
//! One small trait, [`Session`], and two implementations: Apache Kafka and an in-memory twin with the same
//! behaviour. A session is one worker's place in one consumer group together with its transactional producer.
//! It carries bytes and knows no message.
//!
//! # The life of a partition in a session
//!
//! 1. [`Session::poll`] returns [`Polled::Assigned`]. The worker opens its state and answers with one
//!    [`Session::start`] for all of them, which names the offsets to read from. Until then `poll` returns
//!    [`Polled::Nothing`], and may be called to show that the worker is alive.
//! 2. `poll` returns [`Polled::Records`] of started partitions, in offset order per partition.
//! 3. The worker hands a batch's outputs and new offsets to [`Session::commit`]: both become visible at once or
//!    not at all.
//! 4. `poll` returns [`Polled::Revoked`], with everything the session has: rebalancing is eager. No transaction
//!    is open at that moment. The worker may commit once more what it has read, closes its state and answers with
//!    one [`Session::release`] for all of them; only then does the group hand the partitions to somebody else.
//!
//! The group may also give a worker up that was silent for too long and hand its partitions on. It learns of that
//! by the next `poll`, again as `Revoked`; a [`Session::commit`] before it fails and ends the session.

pub mod kafka;
pub mod memory;

use std::collections::BTreeMap;
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

impl Record {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_slice())
    }
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

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// The consumer group.
    pub group: String,
    /// The worker's name in the group, also of its producer. A new session of the same name takes the place of the
    /// earlier one, whose unfinished transaction ends; so it must be unique in the group, and the same after a
    /// restart.
    pub member: String,
    /// The topics read. Equally wide topics are co-partitioned: equal partition numbers come to the same worker.
    pub topics: Vec<Arc<str>>,
    /// A poll returns at most this many records.
    pub poll_records_max: usize,
}

/// Where sessions come from.
pub trait Broker: Send + Sync {
    /// The sessions of this broker.
    type Session: Session;

    /// Opens a session and joins the group.
    fn session(&self, options: &SessionOptions) -> Result<Self::Session, BrokerError>;
}

/// One worker's place in a consumer group, with its transactional producer.
pub trait Session: Send {
    /// Waits up to `wait` for records or for a change of the assignment; returns as soon as there is something.
    fn poll(&mut self, wait: Duration) -> Result<Polled, BrokerError>;

    /// The committed next offset of the group on a partition; none when nothing was ever committed. Any earlier
    /// transaction of the same producer identity has ended, one way or the other, before this answers.
    fn committed(&mut self, partition: &TopicPartition) -> Result<Option<i64>, BrokerError>;

    /// The first offset still there, and the next one to be written (read-committed), of a partition.
    fn watermarks(&mut self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError>;

    /// Starts reading at the given offsets; names every partition of the last [`Polled::Assigned`].
    fn start(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError>;

    /// Gives back what [`Polled::Revoked`] named.
    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), BrokerError>;

    /// How far the end (read-committed) of every started partition is ahead of what [`Session::poll`] has returned,
    /// in offsets. Judged by the position, since the last offsets of a partition may be no records: 0 is caught up.
    /// Asks once for all partitions; those whose end cannot be learnt just now are left out.
    fn lags(&mut self) -> Result<BTreeMap<TopicPartition, i64>, BrokerError>;

    /// Whether everything in a started partition was returned by [`Session::poll`]; not known means no.
    fn is_caught_up(&mut self, partition: &TopicPartition) -> Result<bool, BrokerError> {
        Ok(self.lags()?.get(partition) == Some(&0))
    }

    /// Publishes `outputs` and commits `offsets` in one transaction. With empty outputs it still commits the
    /// offsets, fenced. `offsets` may not be empty, because it is they that fence: with nothing read, commit the
    /// current ones again. [`BrokerError::TooLarge`] is found before anything is sent, after
    /// [`BrokerError::Aborted`] nothing is visible: in both cases the session goes on. On
    /// [`BrokerError::SessionLost`] the outcome is unknown and the session is dead; so it is after
    /// [`BrokerError::Setup`], but nothing is visible.
    fn commit(&mut self, outputs: Vec<OutRecord>, offsets: &[NextOffset]) -> Result<(), BrokerError>;

    /// Leaves the group in an orderly way. Partitions must have been closed before.
    fn close(&mut self);
}

/// Deletes the beginnings of logs. Not part of a session: it is done beside the work, by whoever knows what is still
/// needed.
pub trait Trim: Send + Sync + fmt::Debug {
    /// Deletes what is before an offset of a partition, for good; one that the log begins behind anyway changes
    /// nothing. Answers the first offset still there. It answers within seconds, or fails.
    fn trim(&self, partition: &TopicPartition, before: i64) -> Result<i64, BrokerError>;
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

impl OutRecord {
    /// What the record takes in a batch, at most: the bytes it carries and the lengths around them.
    pub fn bytes(&self) -> usize {
        const RECORD_OVERHEAD: usize = 70;
        const HEADER_OVERHEAD: usize = 10;
        let headers: usize =
            self.headers.iter().map(|header| header.name.len() + header.value.len() + HEADER_OVERHEAD).sum();
        RECORD_OVERHEAD
            + self.key.as_ref().map_or(0, Vec::len)
            + self.payload.as_ref().map_or(0, Vec::len)
            + headers
    }

    /// Refuses a record that is larger than the broker takes.
    fn check_size(&self, limit: usize) -> Result<(), BrokerError> {
        let bytes = self.bytes();
        if bytes > limit {
            return Err(BrokerError::TooLarge { target: self.target.clone(), bytes, limit });
        }
        Ok(())
    }
}

impl TopicPartition {
    /// The partition of that number of the topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

const NO_OFFSETS: &str = "a commit without offsets would not be fenced; commit the current ones";
const START_ALL: &str = "start must name exactly the partitions that were assigned last";
const RELEASE_ALL: &str = "release must name exactly the partitions that were revoked last";
