//! Topics: creating them, comparing what is there with what should be, and deleting the beginnings of their logs.
//!
//! No topic that exists is ever changed here: partitions cannot be taken back, and a shorter retention deletes
//! data. What differs is returned, for a person to decide. Records are deleted only up to an offset that somebody names
//! ([`Trim`]).

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::chatter::LogOnly;
use super::{KafkaSettings, errors, settings};
use crate::broker::{BrokerError, TopicPartition, Trim};

/// Somebody may wait for the end of a deletion before he gives a partition back.
const TRIM_WITHIN: Duration = Duration::from_secs(5);

/// How long a topic keeps its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// All of them.
    Everything,
    /// For so long.
    For(Duration),
    /// The newest of each key; an older one for at least `lag_min`.
    NewestPerKey {
        /// How long a replaced record stays readable, at least.
        lag_min: Duration,
    },
}

/// What a topic should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Full name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// On how many brokers each partition is kept.
    pub replication: i32,
    /// How long records are kept.
    pub retention: Retention,
    /// The largest record the topic takes.
    pub record_bytes_max: usize,
}

/// What became of the wish to create a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is there now.
    Created,
    /// It was there before; it was left as it is.
    AlreadyThere,
}

/// What a topic is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// How many partitions.
    pub partitions: i32,
    /// On how many brokers the partition with the fewest is kept.
    pub replication: i32,
    /// Settings by Kafka's names.
    pub settings: BTreeMap<String, String>,
}

/// Where a topic is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDifference {
    /// The topic.
    pub topic: String,
    /// What differs: `partitions`, `replication`, or a setting by Kafka's name; `topic` when there is none.
    pub what: String,
    /// What it should be.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for TopicDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is {}, should be {}", self.topic, self.what, self.found, self.wanted)
    }
}

impl TopicSpec {
    /// Its settings by Kafka's names.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("max.message.bytes", self.record_bytes_max.to_string()),
            // A write counts when one broker may fail after it and one before it.
            ("min.insync.replicas", if self.replication > 2 { "2" } else { "1" }.to_owned()),
        ];
        let forever = || "-1".to_owned();
        match self.retention {
            Retention::Everything => settings.extend([
                ("cleanup.policy", "delete".to_owned()),
                ("retention.ms", forever()),
                ("retention.bytes", forever()),
            ]),
            Retention::For(time) => settings.extend([
                ("cleanup.policy", "delete".to_owned()),
                ("retention.ms", time.as_millis().to_string()),
                ("retention.bytes", forever()),
            ]),
            Retention::NewestPerKey { lag_min } => settings.extend([
                ("cleanup.policy", "compact".to_owned()),
                ("min.compaction.lag.ms", lag_min.as_millis().to_string()),
            ]),
        }
        settings
    }

    fn differences(&self, found: Option<&TopicDescription>) -> Vec<TopicDifference> {
        let difference = |what: &str, wanted: &str, found: &str| TopicDifference {
            topic: self.name.clone(),
            what: what.to_owned(),
            wanted: wanted.to_owned(),
            found: found.to_owned(),
        };
        let Some(found) = found else { return vec![difference("topic", "there", "missing")] };
        let mut compared = vec![
            ("partitions", self.partitions.to_string(), found.partitions.to_string()),
            ("replication", self.replication.to_string(), found.replication.to_string()),
        ];
        for (name, wanted) in self.settings() {
            compared.push((name, wanted, found.settings.get(name).cloned().unwrap_or_default()));
        }
        compared
            .into_iter()
            .filter(|(_, wanted, found)| wanted != found)
            .map(|(what, wanted, found)| difference(what, &wanted, &found))
            .collect()
    }
}

/// Creates and describes topics.
pub struct Topics {
    client: AdminClient<LogOnly>,
    call_timeout: Duration,
}

impl Topics {
    /// Connects when first used.
    pub fn new(settings: &KafkaSettings) -> Result<Self, BrokerError> {
        let client = settings::client(&settings.admin()?, LogOnly)?;
        Ok(Self { client, call_timeout: settings.call_timeout })
    }

    /// Whether the cluster answers a question about a topic, there or not, within so long.
    pub fn answers(&self, topic: &str, within: Duration) -> Result<(), BrokerError> {
        let asked = self.client.inner().fetch_metadata(Some(topic), within);
        asked.map(|_| ()).map_err(|error| errors::asking("asking the cluster for its brokers", &error))
    }

    /// Creates those that are not there, and waits until every one of them can be used. Returns what became of each,
    /// in the order given.
    pub fn create(&self, specs: &[TopicSpec]) -> Result<Vec<Creation>, BrokerError> {
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        let settings: Vec<Vec<(&str, String)>> = specs.iter().map(TopicSpec::settings).collect();
        let wishes: Vec<NewTopic<'_>> = specs
            .iter()
            .zip(&settings)
            .map(|(spec, settings)| {
                let wish =
                    NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(spec.replication));
                settings.iter().fold(wish, |wish, (name, value)| wish.set(name, value))
            })
            .collect();
        let results = wait(self.client.create_topics(&wishes, &self.options()))
            .map_err(|error| errors::asking("creating topics", &error))?;
        let mut created = Vec::with_capacity(specs.len());
        for result in results {
            match result {
                Ok(_) => created.push(Creation::Created),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => created.push(Creation::AlreadyThere),
                Err((topic, code)) => {
                    return Err(BrokerError::Setup(format!("creating the topic {topic} failed: {code}")));
                }
            }
        }
        self.wait_until_usable(specs)?;
        Ok(created)
    }

    /// Where the topics are not what they should be; empty when all is well.
    pub fn differences(&self, specs: &[TopicSpec]) -> Result<Vec<TopicDifference>, BrokerError> {
        let mut differences = Vec::new();
        for spec in specs {
            differences.extend(spec.differences(self.describe(&spec.name)?.as_ref()));
        }
        Ok(differences)
    }

    /// What a topic is; none when there is no such topic.
    pub fn describe(&self, topic: &str) -> Result<Option<TopicDescription>, BrokerError> {
        let Some((partitions, replication, _)) = self.layout(topic)? else { return Ok(None) };
        let resource = ResourceSpecifier::Topic(topic);
        let fails = |why: &dyn fmt::Display| {
            BrokerError::SessionLost(format!("asking for the settings of the topic {topic} failed: {why}"))
        };
        let results = wait(self.client.describe_configs([&resource], &self.options()))
            .map_err(|error| fails(&error))?;
        let mut settings = BTreeMap::new();
        for result in results {
            let resource = result.map_err(|code| fails(&code))?;
            for entry in resource.entries {
                if let Some(value) = entry.value {
                    settings.insert(entry.name, value);
                }
            }
        }
        Ok(Some(TopicDescription { partitions, replication, settings }))
    }

    /// Partitions, replication, and whether every partition has a leader.
    fn layout(&self, topic: &str) -> Result<Option<(i32, i32, bool)>, BrokerError> {
        let metadata = self
            .client
            .inner()
            .fetch_metadata(Some(topic), self.call_timeout)
            .map_err(|error| errors::asking(&format!("asking for the topic {topic}"), &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let Some(found) = found.filter(|found| !found.partitions().is_empty()) else { return Ok(None) };
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let replication = found.partitions().iter().map(|partition| partition.replicas().len()).min();
        let has_leaders = found.partitions().iter().all(|partition| partition.leader() >= 0);
        Ok(Some((count(found.partitions().len()), count(replication.unwrap_or(0)), has_leaders)))
    }

    /// A new topic is known to the controller first, to the brokers a little later.
    fn wait_until_usable(&self, specs: &[TopicSpec]) -> Result<(), BrokerError> {
        let deadline = Instant::now() + self.call_timeout;
        for spec in specs {
            while !matches!(self.layout(&spec.name)?, Some((_, _, true))) {
                if Instant::now() > deadline {
                    return Err(BrokerError::Setup(format!(
                        "the topic {} does not become usable",
                        spec.name
                    )));
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.call_timeout))
            .operation_timeout(Some(self.call_timeout))
    }
}

impl Trim for Topics {
    fn trim(&self, partition: &TopicPartition, before: i64) -> Result<i64, BrokerError> {
        let what = format!("deleting records of {partition}");
        let fails = |error: &KafkaError| errors::asking(&what, error);
        if before < 0 {
            // Kafka takes -1 for the end of the log.
            return Err(BrokerError::Setup(format!("{what}: there is no offset {before}")));
        }
        let (topic, number) = (&*partition.topic, partition.partition);
        let mut wish = TopicPartitionList::new();
        wish.add_partition_offset(topic, number, Offset::Offset(before)).map_err(|error| fails(&error))?;
        let options = AdminOptions::new()
            .request_timeout(Some(TRIM_WITHIN.min(self.call_timeout)))
            .operation_timeout(Some(TRIM_WITHIN.min(self.call_timeout)));
        let done = wait(self.client.delete_records(&wish, &options)).map_err(|error| fails(&error))?;
        let done = done.find_partition(topic, number);
        match done.as_ref().map(|done| (done.error(), done.offset())) {
            Some((Ok(()), Offset::Offset(first))) => Ok(first),
            Some((Err(error), _)) => Err(fails(&error)),
            _ => Err(BrokerError::SessionLost(format!("{what} brought no answer"))),
        }
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").field("call_timeout", &self.call_timeout).finish_non_exhaustive()
    }
}

/// Waits for an answer on this thread. The client answers from a thread of its own, so no runtime is needed, and
/// this works inside and outside of one.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(retention: Retention, replication: i32) -> TopicSpec {
        TopicSpec { name: "t".into(), partitions: 4, replication, retention, record_bytes_max: 100 }
    }

    fn found(spec: &TopicSpec) -> TopicDescription {
        TopicDescription {
            partitions: spec.partitions,
            replication: spec.replication,
            settings: spec.settings().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    #[test]
    fn a_topic_that_is_as_wanted_has_no_differences() {
        let hour = Duration::from_secs(3600);
        for retention in
            [Retention::Everything, Retention::For(hour), Retention::NewestPerKey { lag_min: hour }]
        {
            let spec = spec(retention, 3);
            assert_eq!(spec.differences(Some(&found(&spec))), []);
        }
    }

    #[test]
    fn every_difference_is_named() {
        let wanted = spec(Retention::Everything, 3);
        let mut other = found(&spec(Retention::For(Duration::from_secs(1)), 1));
        other.partitions = 5;
        let lines: Vec<String> =
            wanted.differences(Some(&other)).iter().map(TopicDifference::to_string).collect();
        assert_eq!(
            lines,
            [
                "t: partitions is 5, should be 4",
                "t: replication is 1, should be 3",
                "t: min.insync.replicas is 1, should be 2",
                "t: retention.ms is 1000, should be -1",
            ]
        );
        assert_eq!(wanted.differences(None)[0].to_string(), "t: topic is missing, should be there");
    }
}
