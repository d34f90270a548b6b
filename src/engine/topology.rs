//! Full names and partition counts of a pipeline's topics. The partition is computed here from the key, so that the real
//! broker, the memory twin, replay and simulator agree.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::broker::TopicPartition;

/// The topics of a pipeline.
pub trait TopicName: Copy + Ord + Debug + Send + Sync + 'static {
    /// All of them, each at the position that [`TopicName::position`] says.
    const ALL: &'static [Self];

    /// The name without prefix.
    fn name(self) -> &'static str;

    /// Its position in [`TopicName::ALL`].
    fn position(self) -> usize;
}

/// A stage of a pipeline: what it reads, and what it may publish to. The engine refuses to publish anywhere else.
#[derive(Debug, PartialEq, Eq)]
pub struct StageRow<T: 'static> {
    /// The name in logs, metrics, consumer groups and on the command line.
    pub name: &'static str,
    /// The topics that it reads.
    pub reads: &'static [T],
    /// The topics that it publishes to.
    pub writes: &'static [T],
}

/// The topics of one installation.
#[derive(Clone, Debug)]
pub struct Topology<T> {
    names: Vec<Arc<str>>,
    partitions: Vec<i32>,
    topics: PhantomData<T>,
}

impl<T: TopicName> Topology<T> {
    /// Topics under `prefix`, each with its number of partitions.
    pub fn with_partitions(prefix: &str, partitions: impl Fn(T) -> u16) -> Self {
        Self {
            names: T::ALL.iter().map(|topic| Arc::from(format!("{prefix}{}", topic.name()))).collect(),
            partitions: T::ALL.iter().map(|topic| i32::from(partitions(*topic).max(1))).collect(),
            topics: PhantomData,
        }
    }

    /// The full name of a topic.
    pub fn name(&self, topic: T) -> &Arc<str> {
        &self.names[topic.position()]
    }

    /// The topic of that full name.
    pub fn topic(&self, name: &str) -> Option<T> {
        T::ALL.iter().copied().find(|topic| **self.name(*topic) == *name)
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: T) -> i32 {
        self.partitions[topic.position()]
    }

    /// All partitions of a topic.
    pub fn all(&self, topic: T) -> impl Iterator<Item = TopicPartition> + '_ {
        (0..self.partitions(topic))
            .map(move |partition| TopicPartition::new(self.name(topic).clone(), partition))
    }

    /// The partition of a topic that a key belongs to.
    pub fn partition_of(&self, topic: T, key: &[u8]) -> i32 {
        let partitions = self.partitions(topic).unsigned_abs();
        let partition = xxh3_64(key) % u64::from(partitions);
        i32::try_from(partition).unwrap_or_default()
    }

    /// The target of a record with that key.
    pub fn target(&self, topic: T, key: &[u8]) -> TopicPartition {
        TopicPartition::new(self.name(topic).clone(), self.partition_of(topic, key))
    }
}
