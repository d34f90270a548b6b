//! All stages in one thread on the memory twin: what `replay`, `demo` and tests run on.
//!
//! Time is the greatest `issued_at` of the uploads not rejected so far. What is in flight settles before time
//! moves, so the outcome of a run is a function of the uploads and their order alone.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::SetupError;
use super::state::StateHome;
use crate::broker::memory::{MemoryBroker, MemoryOptions};
use crate::broker::{Broker, Header, OutRecord, Record, SessionOptions, TopicPartition};
use crate::config::Config;
use crate::domain::document::Origin;
use crate::domain::monitor::CodeState;
use crate::domain::reference::Book;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::engine::outbox::Outbox;
use crate::engine::readers::Look;
use crate::engine::stage::{KeyedStage, SourceStage, Stage};
use crate::engine::worker::{HeldBudget, Step, Worker, WorkerOptions, WriteBehind};
use crate::engine::{Keyed, StageError, Tally as _};
use crate::pipeline::intake::{Clock, FILE_HEADER, Intake, LINE_HEADER};
use crate::pipeline::outputs::Outputs;
use crate::pipeline::tally::Tally;
use crate::pipeline::topics::{Topic, Topology};
use crate::pipeline::{PIPELINE, StageName, StageOptions, WithStage, terms_records, with_stage};
use crate::wire::Format;
use crate::wire::inbound::control;
use crate::wire::inbound::intake::Limits;
use crate::wire::inbound::nhsa::medical::MedicalTypes;
use crate::wire::inbound::pseudonym::Pseudonymiser;

/// How a local run is set up.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Partitions of the internal topics.
    pub partitions: u16,
    /// Most records in a batch of the stages behind intake.
    pub batch_records_max: usize,
    /// Largest internal record.
    pub record_bytes_max: usize,
    /// Format of alerts, decisions and dead letters.
    pub format: Format,
    /// What is accepted at most.
    pub limits: Limits,
    /// Makes persons pseudonyms.
    pub pseudonymiser: Pseudonymiser,
    /// What medical types of the national interface are called.
    pub medical_types: MedicalTypes,
    /// The rule set.
    pub rules: RuleSet,
    /// Where state is kept. What a run leaves on disk serves no later one: its log is gone with it.
    pub state: StateHome,
    /// Memory for changes that are not written to disk yet.
    pub write_buffer_bytes: usize,
}

impl LocalOptions {
    /// One partition, whole batches, and what the configuration says. Without a configured key the documented test key
    /// makes the pseudonyms: what a local run reads and writes stays with whoever runs it.
    pub fn from_config(config: &Config) -> Result<Self, SetupError> {
        let pseudonymiser = match &config.intake.pseudonym_key {
            Some(_) => super::pseudonymiser(config)?,
            None => Pseudonymiser::for_tests(),
        };
        Ok(Self {
            partitions: 1,
            batch_records_max: config.stage.batch_records_max,
            record_bytes_max: config.stage.record_bytes_max,
            format: Format::Json,
            limits: super::limits(config),
            pseudonymiser,
            medical_types: super::medical_types(config)?,
            rules: super::rules(config, false)?,
            state: StateHome::Memory,
            write_buffer_bytes: usize::try_from(config.store.write_buffer_bytes).unwrap_or(usize::MAX),
        })
    }
}

/// One revision of an alert, of a decision, or a dead letter, as published.
#[derive(Clone, Debug)]
pub struct Output {
    /// Which topic.
    pub topic: Topic,
    /// The record.
    pub record: Record,
}

/// Everything settles between two moments of time, in small batches: so many bytes of changes reach a store in memory
/// together.
const HELD_IN_MEMORY_BYTES_MAX: usize = 4 << 20;

/// The outputs of a local run of which every revision counts, in the order in which they were published within each topic and partition.
const OUTPUTS: [Topic; 3] = [Topic::Alerts, Topic::Decisions, Topic::Deadletter];

/// All stages on the memory twin.
pub struct Local {
    broker: MemoryBroker,
    topology: Arc<Topology>,
    intake: Worker<SourceStage<Intake>>,
    keyed: Vec<Box<dyn AnyWorker>>,
    passed_on: Option<Timestamp>,
    drained: BTreeMap<TopicPartition, i64>,
    /// The newest record of each key that was drained from `senders`.
    sender_days: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Local {
    /// Sets up topics and stages, and puts the rule set in force.
    pub fn new(options: &LocalOptions, book: Book) -> Result<Self, StageError> {
        let topology = Arc::new(Topology::new("", options.partitions, 1));
        let broker =
            MemoryBroker::new(MemoryOptions { record_bytes_max: usize::MAX, ..MemoryOptions::default() });
        for topic in Topic::ALL {
            broker.create_topic(topology.name(topic), topology.partitions(topic));
        }
        for record in terms_records(&topology, &options.rules) {
            broker.append(record)?;
        }
        let mut intake = Intake::new(
            topology.clone(),
            Arc::new(RwLock::new(book)),
            options.limits.clone(),
            options.pseudonymiser.clone(),
            Clock::UploadsOfAll,
        );
        intake.medical_types = options.medical_types.clone();
        intake.reads_files = true;
        intake.horizon = options.rules.horizon;
        intake.outputs = Outputs { format: options.format };
        let write_behind = WriteBehind {
            held: HeldBudget::new(match options.state {
                StateHome::Memory => HELD_IN_MEMORY_BYTES_MAX,
                StateHome::Disk(_) => options.write_buffer_bytes,
            }),
            decoded_log_bytes_max: WriteBehind::DECODED_LOG_BYTES_MAX,
            // Nothing is applied again after a crash: the log is gone with the run.
            log_bytes_max: usize::MAX,
            age_max: None,
        };
        let set_up = SetUp { broker: &broker, write_behind, topology: &topology, options };
        let stages = StageOptions { outputs: intake.outputs, ..StageOptions::default() };
        let keyed = StageName::ALL.into_iter().filter_map(|name| with_stage(name, &stages, &set_up));
        Ok(Self {
            keyed: keyed.collect::<Result<_, _>>()?,
            intake: set_up.worker(SourceStage(intake), &[Topic::Procurement], 1)?,
            broker,
            topology,
            passed_on: None,
            drained: BTreeMap::new(),
            sender_days: BTreeMap::new(),
        })
    }

    /// Takes in one upload from a line of a file. It may stay in flight until [`Local::settle`] or until time moves.
    pub fn feed(&mut self, payload: Vec<u8>, file: &str, line: u64) -> Result<(), StageError> {
        let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let headers = vec![header(FILE_HEADER, file), header(LINE_HEADER, &line.to_string())];
        self.append_input(payload, headers)
    }

    /// Moves time to `until`, unless it is there already, and settles.
    pub fn advance_to(&mut self, until: Timestamp) -> Result<(), StageError> {
        let content_type = control::TICK_CONTENT_TYPE.into();
        let headers = vec![Header { name: "content-type".into(), value: content_type }];
        self.append_input(control::encode_tick(until), headers)?;
        self.settle()
    }

    /// Ends a run: time moves to `until` when that is later than what was reached, and everything settles.
    pub fn finish(&mut self, until: Option<Timestamp>) -> Result<(), StageError> {
        match until {
            Some(until) if Some(until) > self.passed_on => self.advance_to(until),
            _ => self.settle(),
        }
    }

    /// The upload that moved time furthest, and to where it did.
    pub fn moved_by(&self) -> Option<(&Origin, Timestamp)> {
        self.intake.stage().0.moved_by()
    }

    /// Lets everything in flight come to rest.
    pub fn settle(&mut self) -> Result<(), StageError> {
        loop {
            let mut is_idle = true;
            for worker in &mut self.keyed {
                is_idle &= worker.step()?.is_idle();
            }
            if is_idle {
                return Ok(());
            }
        }
    }

    /// What was published since the last call, by topic and partition in order. It is forgotten afterwards.
    pub fn drain(&mut self) -> Result<Vec<Output>, StageError> {
        let mut outputs = Vec::new();
        for topic in OUTPUTS {
            outputs.extend(self.drain_topic(topic)?.into_iter().map(|record| Output { topic, record }));
        }
        for record in self.drain_topic(Topic::Senders)? {
            self.sender_days.extend(record.key.zip(record.payload));
        }
        self.trim_what_was_read()?;
        Ok(outputs)
    }

    fn drain_topic(&mut self, topic: Topic) -> Result<Vec<Record>, StageError> {
        let mut drained = Vec::new();
        for partition in self.topology.all(topic) {
            let from = self.drained.get(&partition).copied().unwrap_or_default();
            let records = self.broker.take(&partition, from)?;
            let next = records.last().map_or(from, |record| record.offset + 1);
            self.drained.insert(partition, next);
            drained.extend(records);
        }
        Ok(drained)
    }

    /// The newest record about each institution, day and writer that was drained, in the order of their keys.
    pub fn sender_days(&self) -> impl Iterator<Item = &[u8]> {
        self.sender_days.values().map(Vec::as_slice)
    }

    /// The records of a topic that were neither drained nor dropped since, by partition in order: all of them as long as
    /// [`Local::drain`] was not called.
    pub fn records(&self, topic: Topic) -> Result<Vec<Record>, StageError> {
        let mut records = Vec::new();
        for partition in self.topology.all(topic) {
            records.extend(self.broker.read(&partition, 0, usize::MAX)?);
        }
        Ok(records)
    }

    /// The time that has been reached.
    pub fn now(&self) -> Option<Timestamp> {
        self.passed_on
    }

    /// Counts over all stages.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        tally.add(self.intake.tally());
        for worker in &self.keyed {
            tally.add(worker.tally());
        }
        tally
    }

    /// The state that the monitor keeps of a code.
    pub fn code_state(&self, code: &str) -> Result<CodeState, StageError> {
        let partition = self.topology.target(Topic::Observations, code.as_bytes());
        let mut state = CodeState::default();
        for worker in &self.keyed {
            worker.look(&partition, &mut |committed| {
                state = committed.value(code.as_bytes())?;
                Ok(())
            })?;
        }
        Ok(state)
    }

    fn append_input(&mut self, payload: Vec<u8>, headers: Vec<Header>) -> Result<(), StageError> {
        let target = TopicPartition::new(self.topology.name(Topic::Procurement).clone(), 0);
        let record = OutRecord { target, key: None, payload: Some(payload), headers };
        self.broker.append_stamped(record, None)?;
        while !self.intake.step(Duration::ZERO)?.is_idle() {
            let reached = self.intake.stage().0.reached();
            if reached > self.passed_on {
                self.move_time(reached)?;
            }
        }
        Ok(())
    }

    fn move_time(&mut self, reached: Option<Timestamp>) -> Result<(), StageError> {
        self.settle()?;
        if let Some(now) = reached {
            self.broker.set_now_millis(now.unix_millis());
        }
        self.passed_on = reached;
        self.intake.pass_time()?;
        Ok(())
    }

    /// Everything that the stages have committed past is not needed any more.
    fn trim_what_was_read(&self) -> Result<(), StageError> {
        for row in &PIPELINE {
            for partition in row.reads.iter().flat_map(|topic| self.topology.all(*topic)) {
                if let Some(committed) = self.broker.committed(row.name, &partition) {
                    self.broker.trim(&partition, committed)?;
                }
            }
        }
        Ok(())
    }
}

/// What the workers are made of.
struct SetUp<'a> {
    broker: &'a MemoryBroker,
    write_behind: WriteBehind,
    topology: &'a Arc<Topology>,
    options: &'a LocalOptions,
}

impl SetUp<'_> {
    fn worker<S: Stage<Topic = Topic>>(
        &self,
        stage: S,
        topics: &[Topic],
        batch_records_max: usize,
    ) -> Result<Worker<S>, StageError> {
        let name = stage.row().name;
        let session = self.broker.session(&SessionOptions {
            group: name.into(),
            member: name.into(),
            topics: topics.iter().map(|topic| self.topology.name(*topic).clone()).collect(),
            poll_records_max: batch_records_max,
        })?;
        let outbox = Outbox::new(self.topology.clone(), self.options.record_bytes_max);
        let worker_options = WorkerOptions {
            batch_records_max,
            pass_time_every: None,
            write_behind: self.write_behind.clone(),
            ..WorkerOptions::default()
        };
        Ok(Worker::new(
            stage,
            Box::new(session),
            outbox,
            self.options.state.opener(),
            Box::new(Timestamp::default),
            worker_options,
        ))
    }
}

impl WithStage for &SetUp<'_> {
    type Output = Result<Box<dyn AnyWorker>, StageError>;

    fn with<K: Keyed<Topic = Topic, Tally = Tally> + Clone>(self, stage: K) -> Self::Output {
        let reads = stage.row().reads;
        Ok(Box::new(self.worker(KeyedStage(stage), reads, self.options.batch_records_max)?))
    }
}

/// A worker, whichever its stage is.
trait AnyWorker: Send {
    fn step(&mut self) -> Result<Step, StageError>;
    fn look(&self, partition: &TopicPartition, look: Look<'_>) -> Result<(), StageError>;
    fn tally(&self) -> &Tally;
}

impl<S: Stage<Tally = Tally>> AnyWorker for Worker<S> {
    fn step(&mut self) -> Result<Step, StageError> {
        Worker::step(self, Duration::ZERO)
    }

    fn look(&self, partition: &TopicPartition, look: Look<'_>) -> Result<(), StageError> {
        Worker::look(self, partition, look)
    }

    fn tally(&self) -> &Tally {
        Worker::tally(self)
    }
}
