//! One worker's session with Kafka: a consumer in a group and a transactional producer, on one thread.
//!
//! # Commit
//!
//! begin, send the outputs, send the offsets with the proof of membership, wait until every output is written,
//! commit. The client library's own waiting goes in steps of 100 ms; therefore the wait for outputs looks every
//! [`LOOK_EVERY`] until nothing is in flight, and only then calls commit, which then finds nothing to wait for. It
//! sleeps in between: the wrapper's `poll` with a time limit spins through what is left below a millisecond.
//!
//! # Fencing
//!
//! The proof of membership (member id and generation) is taken when the partitions are assigned. In an eager group
//! every new generation begins with an assignment, so it is valid exactly as long as the partitions are ours; taken
//! later it could be that of an expelled member, which has none and would not be fenced.
//!
//! # Limits
//!
//! The session must be polled at least every `poll_interval_max`, while state is restored too. Being caught up is
//! answered by asking the cluster for the ends of all partitions at once: about 1 ms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::chatter::LogOnly;
use super::context::{Change, ConsumerNotes, ProducerNotes};
use super::errors::{self, InTransaction, Reading};
use super::settings::{self, KafkaSettings};
use super::{records, watermarks};
use crate::broker::{
    BrokerError, NO_OFFSETS, NextOffset, OutRecord, Polled, RELEASE_ALL, Record, START_ALL, Session,
    SessionOptions, TopicPartition,
};

/// A session with Kafka.
pub struct KafkaSession {
    options: SessionOptions,
    call_timeout: Duration,
    record_bytes_max: usize,
    // The consumer is dropped first: it leaves the group while the producer can still end its transaction.
    consumer: BaseConsumer<ConsumerNotes>,
    producer: BaseProducer<ProducerNotes>,
    /// Asks for the ends of partitions. It never fetches, so its questions never wait behind a fetch that waits for
    /// records: a broker answers one connection in order.
    asking: BaseConsumer<LogOnly>,
    owed: Owed,
    membership: Option<ConsumerGroupMetadata>,
    /// Where reading began, of every started partition.
    started: BTreeMap<TopicPartition, i64>,
    dead: bool,
}

/// What the worker has been told and must answer.
enum Owed {
    Nothing,
    Start(BTreeSet<TopicPartition>),
    Release(BTreeSet<TopicPartition>),
}

impl KafkaSession {
    /// Ends an earlier transaction of the same member, then joins the group.
    pub(super) fn open(settings: &KafkaSettings, options: &SessionOptions) -> Result<Self, BrokerError> {
        let producer: BaseProducer<ProducerNotes> =
            settings::client(&settings.transactional_producer(options)?, ProducerNotes::default())?;
        init_transactions(&producer, settings.call_timeout)?;
        let consumer: BaseConsumer<ConsumerNotes> =
            settings::client(&settings.group_consumer(options)?, ConsumerNotes::default())?;
        let session = Self {
            options: options.clone(),
            call_timeout: settings.call_timeout,
            record_bytes_max: settings.record_bytes_max,
            consumer,
            producer,
            asking: settings::client(&settings.asking_consumer()?, LogOnly)?,
            owed: Owed::Nothing,
            membership: None,
            started: BTreeMap::new(),
            dead: false,
        };
        for topic in &options.topics {
            watermarks::require_topic(&session.consumer, topic, session.call_timeout)?;
        }
        let topics: Vec<&str> = options.topics.iter().map(|topic| &**topic).collect();
        session.consumer.subscribe(&topics).map_err(|error| errors::setup("joining the group", &error))?;
        Ok(session)
    }

    fn alive(&self) -> Result<(), BrokerError> {
        if self.dead {
            return Err(BrokerError::SessionLost("it was lost earlier".to_owned()));
        }
        Ok(())
    }

    /// Remembers when an error ends the session.
    fn noted<T>(&mut self, result: Result<T, BrokerError>) -> Result<T, BrokerError> {
        if matches!(result, Err(BrokerError::SessionLost(_))) {
            self.dead = true;
        }
        result
    }

    /// Tells the worker the next change of its assignment, if it has answered the one before.
    fn tell_change(&mut self) -> Result<Option<Polled>, BrokerError> {
        while matches!(self.owed, Owed::Nothing) {
            match self.consumer.context().next_change() {
                None => break,
                Some(Change::Assigned(partitions, membership)) => {
                    self.membership = membership;
                    if partitions.is_empty() {
                        self.assign(&TopicPartitionList::new())?;
                        continue;
                    }
                    self.owed = Owed::Start(partitions.iter().cloned().collect());
                    return Ok(Some(Polled::Assigned(partitions)));
                }
                Some(Change::Revoked) => {
                    let partitions: Vec<TopicPartition> = self.started.keys().cloned().collect();
                    if partitions.is_empty() {
                        self.unassign()?;
                        continue;
                    }
                    self.owed = Owed::Release(partitions.iter().cloned().collect());
                    return Ok(Some(Polled::Revoked(partitions)));
                }
            }
        }
        Ok(None)
    }

    fn assign(&self, partitions: &TopicPartitionList) -> Result<(), BrokerError> {
        self.consumer.assign(partitions).map_err(|error| errors::lost("taking partitions", &error))
    }

    fn unassign(&self) -> Result<(), BrokerError> {
        self.consumer.unassign().map_err(|error| errors::lost("giving partitions back", &error))
    }

    fn poll_once(&mut self, wait: Duration) -> Result<Polled, BrokerError> {
        if let Some(change) = self.tell_change()? {
            return Ok(change);
        }
        let deadline = Instant::now() + wait;
        let mut read: Vec<Record> = Vec::new();
        while read.len() < self.options.poll_records_max {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = if read.is_empty() { records::whole_millis(left) } else { Duration::ZERO };
            match self.consumer.poll(left) {
                Some(Ok(message)) => read.extend(self.wanted(&message)),
                Some(Err(error)) => match errors::reading(&error) {
                    Reading::Transient => tracing::debug!(%error, "reading goes on after an error"),
                    Reading::OutOfRange => return Err(self.out_of_range(&error)),
                    Reading::Fails(error) => return Err(self.name_taken().unwrap_or(error)),
                },
                None if !read.is_empty() || left.is_zero() => break,
                None => {}
            }
            if read.is_empty() {
                if let Some(change) = self.tell_change()? {
                    return Ok(change);
                }
            } else if self.consumer.context().has_changes() {
                break;
            }
        }
        Ok(if read.is_empty() { Polled::Nothing } else { Polled::Records(read) })
    }

    /// Whether another member of the same name has taken this one's place; the library tells it beside the error.
    fn name_taken(&self) -> Option<BrokerError> {
        let (code, _) = self.consumer.client().fatal_error()?;
        (code == RDKafkaErrorCode::FencedInstanceId).then(|| errors::name_taken(&self.options.member))
    }

    /// A record of a started partition; what still comes of a revoked one will be read by its next owner.
    fn wanted(&self, message: &rdkafka::message::BorrowedMessage<'_>) -> Option<Record> {
        if !matches!(self.owed, Owed::Nothing) {
            return None;
        }
        let topic = self.options.topics.iter().find(|topic| &***topic == message.topic())?;
        Some(records::record(message, Arc::clone(topic)))
    }

    /// Names the partition whose position is not there any more.
    fn out_of_range(&self, error: &KafkaError) -> BrokerError {
        let positions = self.positions();
        for (partition, &from) in &self.started {
            let position = positions.get(partition).copied().unwrap_or(from);
            match watermarks::of(&self.consumer, partition, self.call_timeout) {
                Ok((low, high)) if position < low || position > high => {
                    return BrokerError::OffsetOutOfRange { partition: partition.clone(), offset: position };
                }
                _ => {}
            }
        }
        errors::lost("reading", error)
    }

    /// The next offsets to read; they move over offsets that are no records.
    fn positions(&self) -> BTreeMap<TopicPartition, i64> {
        let known = self.consumer.position().ok();
        let position = |(partition, &from): (&TopicPartition, &i64)| {
            let element = known.as_ref()?.find_partition(&partition.topic, partition.partition)?;
            let position = match element.offset() {
                Offset::Offset(position) => position.max(from),
                _ => from,
            };
            Some((partition.clone(), position))
        };
        self.started.iter().filter_map(position).collect()
    }

    fn check_range(&self, partitions: &[NextOffset]) -> Result<(), BrokerError> {
        for (partition, offset) in partitions {
            let (low, high) = watermarks::of(&self.consumer, partition, self.call_timeout)?;
            if *offset < low || *offset > high {
                return Err(BrokerError::OffsetOutOfRange { partition: partition.clone(), offset: *offset });
            }
        }
        Ok(())
    }

    fn start_all(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError> {
        let named: BTreeSet<_> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
        match &self.owed {
            Owed::Start(wanted) if *wanted == named => {}
            _ => return Err(BrokerError::Setup(START_ALL.to_owned())),
        }
        self.check_range(partitions)?;
        let list =
            records::offsets(partitions).map_err(|error| errors::setup("taking partitions", &error))?;
        self.owed = Owed::Nothing;
        self.started = partitions.iter().cloned().collect();
        // When they have been taken away in the meantime, that is what the worker hears next.
        if self.consumer.context().has_changes() { Ok(()) } else { self.assign(&list) }
    }

    /// Answers the change by which the group takes back what this member still has.
    ///
    /// A change that waits in the consumer's queue must not be answered before it is heard: it would be heard and
    /// answered once more while the consumer is dropped, when its group may have ended, and the library never
    /// returns from such a call.
    fn let_go(&self) {
        let deadline = Instant::now() + LET_GO_WITHIN;
        while !self.consumer.context().has_let_go() && Instant::now() < deadline {
            // Records that still come are for the next owner.
            drop(self.consumer.poll(Duration::from_millis(5)));
        }
    }

    fn run_transaction(&mut self, outputs: &[OutRecord], offsets: &[NextOffset]) -> Result<(), BrokerError> {
        let Some(membership) = &self.membership else {
            return Err(BrokerError::SessionLost("the group has taken the partitions away".to_owned()));
        };
        let offsets =
            records::offsets(offsets).map_err(|error| errors::setup("committing offsets", &error))?;
        self.producer.context().take_undelivered();
        self.producer.begin_transaction().map_err(|error| errors::lost("beginning a transaction", &error))?;
        let result = self.fill_transaction(outputs, &offsets, membership);
        match result.and_then(|()| self.end_transaction()) {
            Ok(()) => Ok(()),
            Err(Failed::Certainly(error)) => {
                // What is left in the queue must not reach the next transaction.
                self.abort()?;
                Err(error)
            }
            Err(Failed::Perhaps(error)) => {
                // The outcome is unknown, or we have lost our place: trying to abort only frees readers sooner.
                if let Err(abort) = self.abort() {
                    tracing::debug!(error = %abort, "a lost transaction was left for its successor to end");
                }
                Err(error)
            }
        }
    }

    fn fill_transaction(
        &self,
        outputs: &[OutRecord],
        offsets: &TopicPartitionList,
        membership: &ConsumerGroupMetadata,
    ) -> Result<(), Failed> {
        let deadline = Instant::now() + self.call_timeout;
        for output in outputs {
            self.send(output, deadline)?;
        }
        self.producer
            .send_offsets_to_transaction(offsets, membership, self.call_timeout)
            .map_err(|error| Failed::from_kafka("committing offsets", &error))?;
        self.producer.poll(Duration::ZERO);
        while self.producer.in_flight_count() > 0 {
            thread::sleep(LOOK_EVERY);
            self.producer.poll(Duration::ZERO);
            if Instant::now() > deadline {
                return Err(Failed::Perhaps(BrokerError::SessionLost("writing took too long".to_owned())));
            }
        }
        match self.producer.context().take_undelivered() {
            Some(undelivered) => Err(Failed::Certainly(undelivered.explain())),
            None => Ok(()),
        }
    }

    fn end_transaction(&self) -> Result<(), Failed> {
        self.producer
            .commit_transaction(self.call_timeout)
            .map_err(|error| Failed::from_kafka("committing a transaction", &error))
    }

    fn send(&self, output: &OutRecord, deadline: Instant) -> Result<(), Failed> {
        let mut outgoing = records::outgoing(output);
        loop {
            match self.producer.send(outgoing) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused))
                    if Instant::now() < deadline =>
                {
                    thread::sleep(LOOK_EVERY);
                    self.producer.poll(Duration::ZERO);
                    outgoing = refused;
                }
                Err((error, _)) => return Err(Failed::from_kafka("writing a record", &error)),
            }
        }
    }

    fn abort(&self) -> Result<(), BrokerError> {
        // What is under way comes to its end first: aborting across it upsets the library. What was never announced
        // to the transaction would wait for ever, so this is short, and failing it means nothing.
        if let Err(error) = self.producer.flush(FLUSH_BEFORE_ABORT) {
            tracing::debug!(%error, "aborting with records still queued");
        }
        // The library drops what is queued and waits until each dropped record has been reported, to somebody who
        // polls meanwhile.
        let aborting = AtomicBool::new(true);
        let aborted = thread::scope(|scope| {
            scope.spawn(|| {
                while aborting.load(Ordering::Relaxed) {
                    self.producer.poll(Duration::from_millis(1));
                }
            });
            let aborted = self.producer.abort_transaction(self.call_timeout);
            aborting.store(false, Ordering::Relaxed);
            aborted
        });
        aborted.map_err(|error| errors::lost("aborting a transaction", &error))
    }
}

/// What has not happened by then happens when the consumer is dropped.
/// Between two looks at whether everything is written.
const LOOK_EVERY: Duration = Duration::from_micros(300);
const LET_GO_WITHIN: Duration = Duration::from_secs(1);
const FLUSH_BEFORE_ABORT: Duration = Duration::from_millis(500);

/// How a transaction failed.
enum Failed {
    /// It was not committed; it must be aborted, and then this is the answer.
    Certainly(BrokerError),
    /// Nobody knows, or the session has lost its place.
    Perhaps(BrokerError),
}

impl Failed {
    fn from_kafka(what: &str, error: &KafkaError) -> Self {
        match errors::in_transaction(what, error) {
            InTransaction::Abort(why) => Self::Certainly(BrokerError::Aborted(why)),
            InTransaction::Ends(error) => Self::Perhaps(error),
        }
    }
}

fn init_transactions(producer: &BaseProducer<ProducerNotes>, timeout: Duration) -> Result<(), BrokerError> {
    let deadline = Instant::now() + timeout;
    loop {
        match producer.init_transactions(timeout) {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error)) if error.is_retriable() && Instant::now() < deadline => {}
            Err(error) => return Err(errors::asking("starting the transactional producer", &error)),
        }
    }
}

impl Session for KafkaSession {
    fn poll(&mut self, wait: Duration) -> Result<Polled, BrokerError> {
        self.alive()?;
        let result = self.poll_once(wait);
        self.noted(result)
    }

    fn committed(&mut self, partition: &TopicPartition) -> Result<Option<i64>, BrokerError> {
        self.alive()?;
        let result = watermarks::committed(&self.consumer, partition, self.call_timeout);
        self.noted(result)
    }

    fn watermarks(&mut self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError> {
        self.alive()?;
        let result = watermarks::of(&self.consumer, partition, self.call_timeout);
        self.noted(result)
    }

    fn start(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError> {
        self.alive()?;
        let result = self.start_all(partitions);
        self.noted(result)
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), BrokerError> {
        self.alive()?;
        let named: BTreeSet<_> = partitions.iter().cloned().collect();
        match &self.owed {
            Owed::Release(wanted) if *wanted == named => {}
            _ => return Err(BrokerError::Setup(RELEASE_ALL.to_owned())),
        }
        self.owed = Owed::Nothing;
        self.started.clear();
        self.membership = None;
        let result = self.unassign();
        self.noted(result)
    }

    fn lags(&mut self) -> Result<BTreeMap<TopicPartition, i64>, BrokerError> {
        self.alive()?;
        if self.started.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ends = match watermarks::ends(&self.asking, self.started.keys(), self.call_timeout) {
            // Not known just now: that is no reason to give the session up.
            Err(BrokerError::SessionLost(reason)) => {
                tracing::debug!(reason, "the ends of the partitions are not known");
                return Ok(BTreeMap::new());
            }
            ends => ends?,
        };
        let positions = self.positions();
        let lag = |(partition, end): (TopicPartition, i64)| {
            let position = *positions.get(&partition)?;
            Some((partition, (end - position).max(0)))
        };
        Ok(ends.into_iter().filter_map(lag).collect())
    }

    fn commit(&mut self, outputs: Vec<OutRecord>, offsets: &[NextOffset]) -> Result<(), BrokerError> {
        self.alive()?;
        if offsets.is_empty() {
            return Err(BrokerError::Setup(NO_OFFSETS.to_owned()));
        }
        for output in &outputs {
            output.check_size(self.record_bytes_max)?;
        }
        let result = self.run_transaction(&outputs, offsets);
        if matches!(result, Err(BrokerError::Setup(_))) {
            // Whether the transaction has ended is not known.
            self.dead = true;
        }
        self.noted(result)
    }

    fn close(&mut self) {
        self.dead = true;
        if self.consumer.context().set_closing() {
            return;
        }
        let is_answer_owed = self.consumer.context().has_changes() || !matches!(self.owed, Owed::Nothing);
        if is_answer_owed && let Err(error) = self.unassign() {
            tracing::debug!(%error, "nothing to give back");
        }
        self.consumer.unsubscribe();
        if !is_answer_owed && !self.started.is_empty() {
            self.let_go();
        }
        self.started.clear();
    }
}

impl Drop for KafkaSession {
    fn drop(&mut self) {
        self.close();
    }
}
