//! Reading a partition outside of any group: the reference topic, and outputs in tests and tools.
//!
//! Read-committed. [`PartitionReader::read_to_end`] ends when everything that was there has been read, and
//! [`PartitionReader::poll`] goes on from there for ever, so "read to the end, then follow" is one reader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::Offset;

use super::chatter::LogOnly;
use super::errors::{self, Reading};
use super::{KafkaSettings, records, settings, watermarks};
use crate::broker::{BrokerError, Record, TopicPartition};

/// Reads one partition from its first record on.
pub struct PartitionReader {
    consumer: BaseConsumer<LogOnly>,
    partition: TopicPartition,
    from: i64,
    call_timeout: Duration,
}

impl PartitionReader {
    /// Reads from the first record that is still there.
    pub fn from_beginning(settings: &KafkaSettings, partition: &TopicPartition) -> Result<Self, BrokerError> {
        let mut config = settings.plain_consumer()?;
        // The library wants a group for the right to be assigned a partition; this one never joins or commits.
        config.set("group.id", "tracewarden-reader");
        let consumer: BaseConsumer<LogOnly> = settings::client(&config, LogOnly)?;
        let call_timeout = settings.call_timeout;
        watermarks::require_topic(&consumer, &partition.topic, call_timeout)?;
        let (from, _) = watermarks::of(&consumer, partition, call_timeout)?;
        let list = records::offsets(&[(partition.clone(), from)])
            .map_err(|error| errors::setup("reading a partition", &error))?;
        consumer.assign(&list).map_err(|error| errors::setup("reading a partition", &error))?;
        Ok(Self { consumer, partition: partition.clone(), from, call_timeout })
    }

    /// Up to `limit` records; waits up to `wait` for the first.
    pub fn poll(&self, wait: Duration, limit: usize) -> Result<Vec<Record>, BrokerError> {
        let deadline = Instant::now() + wait;
        let mut read = Vec::new();
        while read.len() < limit {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = if read.is_empty() { records::whole_millis(left) } else { Duration::ZERO };
            match self.consumer.poll(left) {
                Some(Ok(message)) => {
                    read.push(records::record(&message, Arc::clone(&self.partition.topic)));
                }
                Some(Err(error)) => match errors::reading(&error) {
                    Reading::Transient => {}
                    Reading::OutOfRange => return Err(self.out_of_range()),
                    Reading::Fails(error) => return Err(error),
                },
                None if !read.is_empty() || left.is_zero() => break,
                None => {}
            }
        }
        Ok(read)
    }

    /// Reads everything that is in the partition when the call begins, handing on each batch.
    pub fn read_to_end(&self, mut each: impl FnMut(Vec<Record>)) -> Result<(), BrokerError> {
        let (_, end) = watermarks::of(&self.consumer, &self.partition, self.call_timeout)?;
        let mut last_progress = (self.position(), Instant::now());
        while self.position() < end {
            let batch = self.poll(Duration::from_millis(50), 1_000)?;
            if !batch.is_empty() {
                each(batch);
            }
            if self.position() > last_progress.0 {
                last_progress = (self.position(), Instant::now());
            } else if last_progress.1.elapsed() > self.call_timeout {
                return Err(BrokerError::SessionLost(format!("reading {} does not go on", self.partition)));
            }
        }
        Ok(())
    }

    /// The next offset to read; it moves over offsets that are no records.
    fn position(&self) -> i64 {
        let Ok(positions) = self.consumer.position() else { return self.from };
        let element = positions.find_partition(&self.partition.topic, self.partition.partition);
        match element.map(|element| element.offset()) {
            Some(Offset::Offset(position)) => position.max(self.from),
            _ => self.from,
        }
    }

    fn out_of_range(&self) -> BrokerError {
        BrokerError::OffsetOutOfRange { partition: self.partition.clone(), offset: self.position() }
    }
}
