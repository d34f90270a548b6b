//! What a batch publishes: effects as data, until they are committed together with the input offsets.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::StageError;
use super::topology::{StageRow, TopicName, Topology};
use crate::broker::{Header, OutRecord, TopicPartition};
use crate::wire::entries::{Body, Entry, Packer, Tick};

/// A body that travels on one internal topic.
pub trait Carried<T>: Body {
    /// The topic.
    const TOPIC: T;
}

/// Outputs of the current batch. While a partition is being rebuilt its outputs are dropped: they were published before.
pub struct Outbox<T: 'static> {
    topology: Arc<Topology<T>>,
    record_bytes_max: usize,
    muted: bool,
    /// The stage that publishes.
    stage: Option<&'static StageRow<T>>,
    /// The first topic published to that is not among the stage's.
    foreign: Option<T>,
    /// What goes to internal topics.
    waiting: BTreeMap<T, Waiting>,
    /// What goes outside.
    records: Vec<OutRecord>,
}

/// What waits for one topic, packed into records by partition.
struct Waiting {
    body: TypeId,
    partitions: BTreeMap<i32, Packer>,
}

impl<T: TopicName> Outbox<T> {
    /// An empty outbox for an installation's topics.
    pub fn new(topology: Arc<Topology<T>>, record_bytes_max: usize) -> Self {
        Self {
            topology,
            record_bytes_max,
            muted: false,
            stage: None,
            foreign: None,
            waiting: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    /// Whose outbox it is: from here on it publishes to the topics of that stage and to no others.
    pub fn belongs_to(&mut self, stage: &'static StageRow<T>) {
        self.stage = Some(stage);
    }

    fn note(&mut self, topic: T) {
        if self.stage.is_some_and(|stage| !stage.writes.contains(&topic)) {
            self.foreign.get_or_insert(topic);
        }
    }

    /// While muted, what is put in is dropped.
    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Whether what is put in is dropped: then it need not be made.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// The installation's topics.
    pub fn topology(&self) -> &Topology<T> {
        &self.topology
    }

    /// Puts in a body, for the partition of its key.
    pub fn send<B: Carried<T>>(&mut self, key: &[u8], body: B) {
        if !self.muted {
            self.send_to(self.topology.partition_of(B::TOPIC, key), Entry::of(body));
        }
    }

    /// Puts in an entry for one partition.
    pub fn send_to<B: Carried<T>>(&mut self, partition: i32, entry: Entry<B>) {
        if self.muted {
            return;
        }
        self.note(B::TOPIC);
        let body = TypeId::of::<B>();
        let waiting = self.waiting.entry(B::TOPIC);
        let waiting = waiting.or_insert_with(|| Waiting { body, partitions: BTreeMap::new() });
        if waiting.body != body {
            // Two bodies claim the topic: neither is published.
            self.foreign = Some(B::TOPIC);
        }
        let packer = waiting.partitions.entry(partition);
        packer.or_insert_with(|| Packer::new(self.record_bytes_max)).push(&entry);
    }

    /// Tells all partitions of the topic of these bodies that time passed.
    pub fn tick<B: Carried<T>>(&mut self, tick: &Tick) {
        for partition in 0..self.topology.partitions(B::TOPIC) {
            self.send_to(partition, Entry::<B>::Tick(tick.clone()));
        }
    }

    /// Puts in a record for an outside topic.
    pub fn publish(&mut self, topic: T, key: Vec<u8>, payload: Vec<u8>, headers: Vec<Header>) {
        if !self.muted {
            self.note(topic);
            let target = self.topology.target(topic, &key);
            self.records.push(OutRecord { target, key: Some(key), payload: Some(payload), headers });
        }
    }

    /// Everything put in, as records: entries of one partition packed into few records, in the order they came. Fails when
    /// the stage may not publish some of it.
    pub fn take_records(&mut self) -> Result<Vec<OutRecord>, StageError> {
        if let (Some(stage), Some(topic)) = (self.stage, self.foreign) {
            return Err(StageError::ForeignTopic { stage: stage.name, topic: topic.name() });
        }
        let mut records = Vec::new();
        for (topic, waiting) in &mut self.waiting {
            let name = self.topology.name(*topic);
            for (partition, packer) in &mut waiting.partitions {
                records.extend(packer.take().into_iter().map(|payload| OutRecord {
                    target: TopicPartition::new(name.clone(), *partition),
                    key: None,
                    payload: Some(payload),
                    headers: Vec::new(),
                }));
            }
        }
        records.append(&mut self.records);
        Ok(records)
    }

    /// Forgets everything put in.
    pub(super) fn clear(&mut self) {
        self.foreign = None;
        self.waiting.values_mut().flat_map(|waiting| waiting.partitions.values_mut()).for_each(Packer::clear);
        self.records.clear();
    }
}
