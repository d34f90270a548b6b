//! What librdkafka tells us by callback: changes of the assignment, and records that could not be written.
//!
//! Callbacks only take notes; the session acts on them on its own thread. That is allowed for a rebalance too: the
//! library waits for the call of `assign` or `unassign`, from wherever it comes. Only a consumer that is being
//! closed gives its partitions back inside the callback, since nobody polls any more.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::TopicPartitionList;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::types::RDKafkaRespErr;

use super::{chatter, errors};
use crate::broker::{BrokerError, TopicPartition};

/// A change of the assignment.
pub(super) enum Change {
    /// These are ours now. The metadata is the proof of membership that commits are fenced with.
    Assigned(Vec<TopicPartition>, Option<ConsumerGroupMetadata>),
    /// Everything is taken away: rebalancing is eager.
    Revoked,
}

/// Notes on a session's consumer.
#[derive(Default)]
pub(super) struct ConsumerNotes {
    changes: Mutex<VecDeque<Change>>,
    closing: AtomicBool,
    let_go: AtomicBool,
}

impl ConsumerNotes {
    /// The next change that has not been told yet.
    pub(super) fn next_change(&self) -> Option<Change> {
        self.changes().pop_front()
    }

    /// Whether the worker has more to hear about its assignment.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes().is_empty()
    }

    /// From now on partitions are given back at once. Whether that was so before.
    pub(super) fn set_closing(&self) -> bool {
        self.closing.swap(true, Ordering::SeqCst)
    }

    /// Whether partitions were given back while closing.
    pub(super) fn has_let_go(&self) -> bool {
        self.let_go.load(Ordering::SeqCst)
    }

    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for ConsumerNotes {
    fn stats_raw(&self, _statistics: &[u8]) {}

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        chatter::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        chatter::error(&error, reason);
    }
}

impl ConsumerContext for ConsumerNotes {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if self.closing.load(Ordering::SeqCst) {
            // With the group's end nobody waits for an answer any more, and none would come to us.
            if !consumer.closed()
                && let Err(error) = consumer.unassign()
            {
                tracing::warn!(%error, "giving partitions back while closing failed");
            }
            self.let_go.store(true, Ordering::SeqCst);
            return;
        }
        let change = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                // Taken here and not at the commit: every generation of an eager group begins with this event, and
                // a member that has been expelled since then has no generation, with which commits are not fenced.
                let elements = partitions.elements();
                let named = elements.iter().map(|one| TopicPartition::new(one.topic(), one.partition()));
                Change::Assigned(named.collect(), consumer.group_metadata())
            }
            _ => Change::Revoked,
        };
        self.changes().push_back(change);
    }
}

/// A record that was not written.
#[derive(Clone, Debug)]
pub(super) struct Undelivered {
    pub(super) target: TopicPartition,
    pub(super) bytes: usize,
    pub(super) code: Option<RDKafkaErrorCode>,
}

impl Undelivered {
    /// What follows from it.
    pub(super) fn explain(self) -> BrokerError {
        let Self { target, bytes, code } = self;
        match code {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => BrokerError::Setup(format!(
                "the cluster refuses a record of {bytes} bytes for {target}: raise max.message.bytes of the topic \
                 to the record size limit configured here"
            )),
            Some(code) if errors::is_setup(code) => {
                BrokerError::Setup(format!("a record for {target} cannot be written: {code}"))
            }
            Some(code) => BrokerError::Aborted(format!("a record for {target} was not written: {code}")),
            None => BrokerError::Aborted(format!("a record for {target} was not written")),
        }
    }
}

/// Notes on a producer: the first record that was not written since the last look.
#[derive(Default)]
pub(super) struct ProducerNotes {
    undelivered: Mutex<Option<Undelivered>>,
}

impl ProducerNotes {
    /// The first record that was not written since the last look.
    pub(super) fn take_undelivered(&self) -> Option<Undelivered> {
        self.undelivered().take()
    }

    fn undelivered(&self) -> MutexGuard<'_, Option<Undelivered>> {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for ProducerNotes {
    fn stats_raw(&self, _statistics: &[u8]) {}

    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        chatter::log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        chatter::error(&error, reason);
    }
}

impl ProducerContext for ProducerNotes {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        if let Err((error, message)) = result {
            self.undelivered().get_or_insert_with(|| Undelivered {
                target: TopicPartition::new(message.topic(), message.partition()),
                bytes: message.key_len() + message.payload_len(),
                code: error.rdkafka_error_code(),
            });
        }
    }
}
