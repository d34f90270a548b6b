//! An independent reader of an installation: it sees what any read-committed consumer sees, and tells when the
//! stages have come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use tracewarden::broker::kafka::KafkaSettings;
use tracewarden::domain::document::Origin;
use tracewarden::domain::time::Timestamp;
use tracewarden::engine::watermark::Watermark;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::pipeline::{PIPELINE, StageRow};
use tracewarden::wire::entries::{self, DocumentEntry, Entry};
use tracewarden::wire::inbound::control;
use tracewarden::wire::outbound::deadletter;

use super::fold::Fold;
use super::installation::Installation;
use oracle::Answer;

const CALL: Duration = Duration::from_secs(30);
/// Everything asked for must happen within this long, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
const OUTPUTS: [Topic; 4] = [Topic::Alerts, Topic::Decisions, Topic::Deadletter, Topic::Senders];

type Partition = (String, i32);

/// Reads everything but the reference topic.
pub(crate) struct Watcher {
    topology: Topology,
    reader: BaseConsumer,
    /// Sees the end of what is written, committed or not.
    uncommitted: BaseConsumer,
    /// One consumer for each stage's group; it never joins.
    groups: Vec<BaseConsumer>,
    partitions: Vec<Partition>,
    last: BTreeMap<Partition, i64>,
    time: BTreeMap<i32, Watermark>,
    /// Uploads published to the inputs: not the control records.
    inputs: BTreeSet<(Partition, i64)>,
    /// How often each input became an upload or a dead letter.
    outcomes: BTreeMap<(Partition, i64), u32>,
    fold: Fold,
    /// Every revision of every alert.
    pub(crate) alerts: Vec<Value>,
    /// Every revision of every decision.
    pub(crate) decisions: Vec<Value>,
    /// Every dead letter.
    pub(crate) dead_letters: Vec<Value>,
    /// The newest record about each institution, day and writer.
    sender_days: BTreeMap<Vec<u8>, Value>,
}

impl Watcher {
    pub(crate) fn new(installation: &Installation) -> Self {
        let topology = installation.topology.clone();
        let topics = PIPELINE.iter().flat_map(|stage| stage.reads).chain(&OUTPUTS);
        let partitions: Vec<Partition> = topics
            .flat_map(|topic| topology.all(*topic))
            .map(|partition| (partition.topic.to_string(), partition.partition))
            .collect();
        let consumer = |group: &str, isolation| consumer(&installation.settings(), group, isolation);
        let reader = consumer("watcher", "read_committed");
        reader.assign(&list(&partitions, Offset::Beginning)).unwrap();
        // Offsets inside an open transaction are not waited for: what counts is what was committed.
        let group = |stage: &StageRow| {
            consumer(&format!("{}{}", installation.prefix, stage.name), "read_uncommitted")
        };
        Self {
            topology,
            reader,
            uncommitted: consumer("watcher", "read_uncommitted"),
            groups: PIPELINE.iter().map(group).collect(),
            partitions,
            last: BTreeMap::new(),
            time: BTreeMap::new(),
            inputs: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            fold: Fold::default(),
            alerts: Vec::new(),
            decisions: Vec::new(),
            dead_letters: Vec::new(),
            sender_days: BTreeMap::new(),
        }
    }

    /// What holds now, as far as it was read.
    pub(crate) fn answer(&self) -> Answer {
        self.fold.answer()
    }

    /// Revisions of one alert or decision that did not follow the one before.
    pub(crate) fn gaps(&self) -> &[String] {
        &self.fold.gaps
    }

    /// Fails when revisions of one alert or decision did not follow each other without a gap.
    pub(crate) fn assert_gapless(&self) {
        assert!(self.gaps().is_empty(), "{}", self.gaps().join("\n"));
    }

    /// Reads what is there, waiting a little for the first record.
    pub(crate) fn read(&mut self) {
        let mut wait = Duration::from_millis(20);
        while let Some(message) = self.reader.poll(wait) {
            wait = Duration::ZERO;
            // Errors of the connection heal by themselves; a lasting one runs into the patience of the caller.
            let Ok(message) = message else { continue };
            let partition = (message.topic().to_owned(), message.partition());
            let payload = message.payload().unwrap_or_default();
            match self.topology.topic(message.topic()) {
                Some(Topic::Alerts) => {
                    self.fold.alert(payload);
                    self.alerts.push(serde_json::from_slice(payload).unwrap());
                }
                Some(Topic::Decisions) => {
                    self.fold.decision(payload);
                    self.decisions.push(serde_json::from_slice(payload).unwrap());
                }
                Some(Topic::Deadletter) => {
                    let letter = deadletter::parse(payload).unwrap();
                    let source = letter.source.clone().unwrap_or_default();
                    *self.outcomes.entry(((source.topic, source.partition), source.offset)).or_default() += 1;
                    self.dead_letters.push(serde_json::from_slice(payload).unwrap());
                }
                Some(Topic::Senders) => {
                    let key = message.key().unwrap_or_default().to_vec();
                    self.sender_days.insert(key, serde_json::from_slice(payload).unwrap());
                }
                Some(Topic::Documents) => {
                    let time = self.time.entry(message.partition()).or_default();
                    for entry in entries::decode::<DocumentEntry>(payload).unwrap() {
                        match entry {
                            Entry::Tick(tick) => time.update(&tick),
                            Entry::Body(body) => {
                                if let DocumentEntry::Upload(upload) = &*body {
                                    *self.outcomes.entry(place(upload.origin())).or_default() += 1;
                                }
                            }
                            Entry::Terms(_) | Entry::FireMore => {}
                        }
                    }
                }
                Some(topic) if Topic::INPUTS.contains(&topic) && !is_tick(&message) => {
                    self.inputs.insert((partition.clone(), message.offset()));
                }
                _ => {}
            }
            self.last.insert(partition, message.offset());
        }
    }

    /// One of the counts of what institutions sent, over all of them, all days and all writers.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        self.sender_days.values().filter_map(|day| day[name].as_u64()).sum()
    }

    /// How many uploads were published.
    pub(crate) fn uploads(&self) -> usize {
        self.inputs.len()
    }

    /// Uploads (each a message of one document) that became nothing, and what became more than one or came from nowhere.
    pub(crate) fn lost_and_doubled(&self) -> (Vec<String>, Vec<String>) {
        let name = |((topic, partition), offset): &(Partition, i64)| format!("{topic}/{partition}/{offset}");
        let lost = self.inputs.iter().filter(|input| !self.outcomes.contains_key(input)).map(name);
        let more = |(input, times): &(&(Partition, i64), &u32)| **times > 1 || !self.inputs.contains(*input);
        let doubled = self.outcomes.iter().filter(more).map(|(input, _)| name(input));
        (lost.collect(), doubled.collect())
    }

    /// Reads on until `done`.
    pub(crate) fn read_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}; {}", self.state());
            self.read();
        }
    }

    /// Reads on until time has moved to `now` everywhere, and every stage has dealt with all that it was given.
    pub(crate) fn read_until_at_rest(&mut self, now: Timestamp) {
        let deadline = Instant::now() + PATIENCE;
        while !(self.is_all_processed() && self.reached() == Some(now)) {
            let (reached, state) = (self.reached(), self.state());
            assert!(Instant::now() < deadline, "not at rest at {now} but at {reached:?}; {state}");
        }
    }

    /// Whether time passes.
    pub(crate) fn has_time(&self) -> bool {
        self.reached().is_some()
    }

    /// Reads everything that is written, and tells whether every stage has dealt with all of it.
    pub(crate) fn is_all_processed(&mut self) -> bool {
        // The committed offsets are asked for first: whoever has committed up to the end of what is read afterwards had
        // nothing left to do at that time, and nothing had been added since.
        let Some(committed) = self.committed() else { return false };
        self.read_everything()
            && committed
                .iter()
                .all(|(partition, offset)| self.last.get(partition).is_none_or(|last| last < offset))
    }

    /// Reads up to the end of every partition as it is now. False when not all of it is committed.
    pub(crate) fn read_everything(&mut self) -> bool {
        let mut asked = list(&self.partitions, Offset::End);
        asked = match self.uncommitted.offsets_for_times(asked, CALL) {
            Ok(ends) => ends,
            // Not known just now.
            Err(_) => return false,
        };
        let ends: Vec<(Partition, i64)> = asked
            .elements()
            .iter()
            .map(|element| ((element.topic().to_owned(), element.partition()), raw(element.offset())))
            .collect();
        self.read();
        let positions = self.reader.position().unwrap();
        ends.iter().all(|((topic, partition), end)| {
            let position =
                positions.find_partition(topic, *partition).map_or(0, |element| raw(element.offset()));
            *end <= 0 || position >= *end
        })
    }

    /// The next offset of every partition that a stage reads; 0 when it never committed.
    /// None when a coordinator cannot answer just now.
    pub(crate) fn committed(&self) -> Option<BTreeMap<Partition, i64>> {
        let mut committed = BTreeMap::new();
        for (stage, group) in PIPELINE.iter().zip(&self.groups) {
            let names: Vec<&str> = stage.reads.iter().map(|topic| &**self.topology.name(*topic)).collect();
            let of_stage: Vec<Partition> = self
                .partitions
                .iter()
                .filter(|(topic, _)| names.contains(&topic.as_str()))
                .cloned()
                .collect();
            let offsets = group.committed_offsets(list(&of_stage, Offset::Invalid), CALL).ok()?;
            for element in offsets.elements() {
                let offset = raw(element.offset()).max(0);
                committed.insert((element.topic().to_owned(), element.partition()), offset);
            }
        }
        Some(committed)
    }

    /// How far time has come in all partitions of `documents`.
    pub(crate) fn reached(&self) -> Option<Timestamp> {
        let partitions = 0..self.topology.partitions(Topic::Documents);
        let reached = partitions.map(|partition| self.time.get(&partition).and_then(Watermark::now));
        reached.min().flatten()
    }

    pub(crate) fn state(&self) -> String {
        format!("committed {:?}, read up to {:?}", self.committed(), self.last)
    }
}

fn consumer(settings: &KafkaSettings, group: &str, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", &settings.bootstrap_servers)
        .set("group.id", group)
        .set("isolation.level", isolation)
        .set("enable.auto.commit", "false")
        // Never to the end by itself: what it would pass over would look lost.
        // The log may be trimmed while it is read.
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "5")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap()
}

fn place(origin: &Origin) -> (Partition, i64) {
    ((origin.topic.to_string(), origin.partition), origin.offset)
}

fn is_tick(message: &BorrowedMessage<'_>) -> bool {
    let header = |header: Header<'_, &[u8]>| header.key == "content-type" && control::is_tick(header.value);
    message.headers().is_some_and(|headers| headers.iter().any(header))
}

fn list(partitions: &[Partition], offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions {
        list.add_partition_offset(topic, *partition, offset).unwrap();
    }
    list
}

fn raw(offset: Offset) -> i64 {
    match offset {
        Offset::Offset(offset) => offset,
        _ => -1,
    }
}
