//! The brokers under test: each with the means to make topics, records and trouble.

use std::sync::Arc;
use std::time::Duration;

use tracewarden::broker::kafka::admin::{Creation, Retention, TopicSpec, Topics};
use tracewarden::broker::kafka::publish::Publisher;
use tracewarden::broker::kafka::read::PartitionReader;
use tracewarden::broker::kafka::{KafkaBroker, KafkaSettings};
use tracewarden::broker::memory::{MemoryBroker, MemoryOptions};
use tracewarden::broker::{Broker, BrokerError, OutRecord, Record, SessionOptions, TopicPartition, Trim};

use super::kafka;

pub(crate) const RECORD_BYTES_MAX: usize = 100_000;

/// A broker under test, and the world around it.
pub(crate) trait World {
    type Broker: Broker;

    fn broker(&self) -> &Self::Broker;
    /// Creates a topic; the name returned is the one to use.
    fn topic(&self, name: &str, partitions: i32) -> Arc<str>;
    fn append(&self, record: OutRecord);
    /// All committed records of a partition.
    fn read(&self, partition: &TopicPartition) -> Vec<Record>;
    /// Drops what is before an offset.
    fn trim(&self, partition: &TopicPartition, start: i64) {
        assert_eq!(self.trimmer().trim(partition, start).unwrap(), start);
    }
    fn trimmer(&self) -> Box<dyn Trim>;
    /// Whatever it takes until the group gives up a member that is silent.
    fn expire(&self, group: &str, member: &str);

    fn session(&self, group: &str, member: &str, topics: &[&Arc<str>]) -> <Self::Broker as Broker>::Session {
        self.try_session(group, member, topics).unwrap()
    }

    fn try_session(
        &self,
        group: &str,
        member: &str,
        topics: &[&Arc<str>],
    ) -> Result<<Self::Broker as Broker>::Session, BrokerError> {
        self.broker().session(&SessionOptions {
            group: group.to_owned(),
            member: member.to_owned(),
            topics: topics.iter().map(|&topic| Arc::clone(topic)).collect(),
            poll_records_max: 100,
        })
    }
}

pub(crate) struct InMemory(pub(crate) MemoryBroker);

impl InMemory {
    pub(crate) fn new() -> Self {
        let options = MemoryOptions { record_bytes_max: RECORD_BYTES_MAX, ..MemoryOptions::default() };
        Self(MemoryBroker::new(options))
    }
}

impl World for InMemory {
    type Broker = MemoryBroker;

    fn broker(&self) -> &MemoryBroker {
        &self.0
    }

    fn topic(&self, name: &str, partitions: i32) -> Arc<str> {
        self.0.create_topic(name, partitions);
        name.into()
    }

    fn append(&self, record: OutRecord) {
        self.0.append(record).unwrap();
    }

    fn read(&self, partition: &TopicPartition) -> Vec<Record> {
        self.0.read(partition, 0, usize::MAX).unwrap()
    }

    fn trimmer(&self) -> Box<dyn Trim> {
        Box::new(self.0.clone())
    }

    fn expire(&self, group: &str, member: &str) {
        self.0.expire(group, member);
    }
}

pub(crate) struct RealKafka(pub(crate) KafkaBroker);

impl RealKafka {
    pub(crate) fn new() -> Self {
        let mut settings = KafkaSettings::at(kafka::shared().bootstrap());
        settings.record_bytes_max = RECORD_BYTES_MAX;
        settings.session_timeout = Duration::from_secs(6);
        // A test that makes a member silent waits for this.
        settings.poll_interval_max = Duration::from_secs(6);
        settings.static_members = false;
        Self(KafkaBroker::new(settings))
    }

    pub(crate) fn with_static_members() -> Self {
        let Self(broker) = Self::new();
        let mut settings = broker.settings().clone();
        settings.static_members = true;
        Self(KafkaBroker::new(settings))
    }
}

impl World for RealKafka {
    type Broker = KafkaBroker;

    fn broker(&self) -> &KafkaBroker {
        &self.0
    }

    fn topic(&self, name: &str, partitions: i32) -> Arc<str> {
        let spec = TopicSpec {
            name: kafka::unique(name),
            partitions,
            replication: 1,
            retention: Retention::Everything,
            record_bytes_max: RECORD_BYTES_MAX,
        };
        let topics = Topics::new(self.0.settings()).unwrap();
        assert_eq!(topics.create(std::slice::from_ref(&spec)).unwrap(), [Creation::Created]);
        spec.name.into()
    }

    fn append(&self, record: OutRecord) {
        let publisher = Publisher::new(self.0.settings()).unwrap();
        publisher.publish(&record).unwrap();
        publisher.flush().unwrap();
    }

    fn read(&self, partition: &TopicPartition) -> Vec<Record> {
        let mut all = Vec::new();
        let reader = PartitionReader::from_beginning(self.0.settings(), partition).unwrap();
        reader.read_to_end(|batch| all.extend(batch)).unwrap();
        all
    }

    fn trimmer(&self) -> Box<dyn Trim> {
        Box::new(Topics::new(self.0.settings()).unwrap())
    }

    fn expire(&self, _group: &str, _member: &str) {
        // The others of the group wait for it until its poll interval is over; nothing to do.
    }
}
