//! Writing outside of transactions: reference data, ticks, files of uploads.
//!
//! Idempotent, so retries of the library neither repeat nor reorder. What was accepted is certain after
//! [`Publisher::flush`] only. Not for stages: they publish by the transaction of their session.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer};

use super::context::ProducerNotes;
use super::{errors, records, settings};
use crate::broker::kafka::KafkaSettings;
use crate::broker::{BrokerError, OutRecord};

/// A plain producer.
pub struct Publisher {
    producer: BaseProducer<ProducerNotes>,
    call_timeout: Duration,
    record_bytes_max: usize,
}

impl Publisher {
    /// Makes a producer; connects when first used.
    pub fn new(settings: &KafkaSettings) -> Result<Self, BrokerError> {
        Ok(Self {
            producer: settings::client(&settings.plain_producer()?, ProducerNotes::default())?,
            call_timeout: settings.call_timeout,
            record_bytes_max: settings.record_bytes_max,
        })
    }

    /// Queues a record for writing; waits while the queue is full. Reports failures of earlier records too.
    pub fn publish(&self, record: &OutRecord) -> Result<(), BrokerError> {
        self.publish_stamped(record, None)
    }

    /// Like [`Publisher::publish`], with a timestamp of its own in milliseconds since the epoch.
    pub fn publish_stamped(
        &self,
        record: &OutRecord,
        timestamp_millis: Option<i64>,
    ) -> Result<(), BrokerError> {
        record.check_size(self.record_bytes_max)?;
        let deadline = Instant::now() + self.call_timeout;
        let mut outgoing = records::outgoing(record);
        outgoing.timestamp = timestamp_millis;
        loop {
            match self.producer.send(outgoing) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused))
                    if Instant::now() < deadline =>
                {
                    self.producer.poll(Duration::from_millis(1));
                    outgoing = refused;
                }
                Err((error, _)) => return Err(errors::asking("writing a record", &error)),
            }
        }
        // Serves delivery reports; returns at once.
        self.producer.poll(Duration::ZERO);
        self.check_delivered()
    }

    /// Waits until everything queued is written.
    pub fn flush(&self) -> Result<(), BrokerError> {
        self.producer.flush(self.call_timeout).map_err(|error| errors::asking("writing records", &error))?;
        self.check_delivered()
    }

    fn check_delivered(&self) -> Result<(), BrokerError> {
        match self.producer.context().take_undelivered() {
            None => Ok(()),
            Some(undelivered) => Err(undelivered.explain()),
        }
    }
}
