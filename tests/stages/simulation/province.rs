//! Two workers of every stage on one memory broker, stepped in random order and crashed at random.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use tracewarden::broker::memory::{FaultRates, MemoryBroker, MemoryOptions};
use tracewarden::broker::{Broker, BrokerError, Header, OutRecord, SessionOptions, TopicPartition};
use tracewarden::config::Config;
use tracewarden::domain::rules::Severity;
use tracewarden::domain::time::Timestamp;
use tracewarden::engine::outbox::Outbox;
use tracewarden::engine::stage::{KeyedStage, SourceStage, Stage};
use tracewarden::engine::worker::{HeldBudget, Step, Worker, WorkerOptions, WriteBehind};
use tracewarden::engine::{Keyed, StageError};
use tracewarden::pipeline::intake::{Clock, Intake, SharedBook};
use tracewarden::pipeline::tally::Tally;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::pipeline::{StageName, StageOptions, WithStage, terms_records, with_stage};
use tracewarden::run::local::LocalOptions;
use tracewarden::store::folder::Found;
use tracewarden::store::memory::MemoryStore;
use tracewarden::wire::inbound::route::route;
use tracewarden::wire::inbound::{control, moment};

use crate::support::fold::Fold;
use crate::support::local;
use oracle::world::dice::Dice;
use oracle::{Answer, World};

/// Workers of each stage.
const WORKERS: usize = 2;
/// Rounds without anything to do after which everything is at rest.
const QUIET_ROUNDS: usize = 8;
/// No run takes more steps than this: one that does goes in circles.
const STEPS_MAX: usize = 200_000;

/// What went wrong in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mishaps {
    /// Workers dropped between two steps.
    pub(crate) crashes: u64,
    /// Workers dropped because their session was lost.
    pub(crate) lost: u64,
}

impl Mishaps {
    pub(crate) fn add(&mut self, other: &Self) {
        self.crashes += other.crashes;
        self.lost += other.lost;
    }
}

/// One worker of any stage.
trait Steps {
    fn step(&mut self) -> Result<Step, StageError>;
}

impl<S: Stage<Topic = Topic>> Steps for Worker<S> {
    fn step(&mut self) -> Result<Step, StageError> {
        Worker::step(self, Duration::ZERO)
    }
}

/// The service under test.
pub(crate) struct Province {
    broker: MemoryBroker,
    topology: Arc<Topology>,
    options: LocalOptions,
    book: SharedBook,
    dice: Dice,
    write_behind: WriteBehind,
    workers: Vec<Option<Box<dyn Steps>>>,
    pub(crate) mishaps: Mishaps,
}

impl Province {
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let mut dice = Dice::new(seed ^ 0x5EED);
        let options = LocalOptions {
            partitions: dice.between(1, 4) as u16,
            batch_records_max: dice.pick(&[1, 3, 1000]),
            ..LocalOptions::from_config(&Config::default()).expect("the defaults are valid")
        };
        let topology = Arc::new(Topology::new("", options.partitions, dice.between(1, 3) as u16));
        let faults = FaultRates {
            aborted_per_mille: 30,
            unknown_per_mille: 30,
            lost_per_mille: 5,
            rebalance_per_mille: 15,
        };
        let broker =
            MemoryBroker::new(MemoryOptions { seed: Some(seed), faults, ..MemoryOptions::default() });
        for topic in Topic::ALL {
            broker.create_topic(topology.name(topic), topology.partitions(topic));
        }
        for record in terms_records(&topology, &options.rules) {
            broker.append(record).expect("the topics are there");
        }
        let workers = (0..4 * WORKERS).map(|_| None).collect();
        let book = Arc::new(RwLock::new(local::book(&world.reference)));
        let write_behind = match dice.pick(&[Some(1_000), Some(usize::MAX), None]) {
            Some(held_bytes_max) => WriteBehind {
                held: HeldBudget::new(held_bytes_max),
                decoded_log_bytes_max: dice.pick(&[0, 300, usize::MAX]),
                log_bytes_max: usize::MAX,
                age_max: None,
            },
            None => WriteBehind::never(),
        };
        Self { broker, topology, options, book, dice, write_behind, workers, mishaps: Mishaps::default() }
    }

    /// Sends all uploads while everything goes wrong, moves time to the end, and lets everything come to rest.
    pub(crate) fn run(&mut self, world: &World) {
        let switched_at = self.dice.below(world.uploads.len().max(1));
        for (number, upload) in world.uploads.iter().enumerate() {
            if number == switched_at {
                self.switch_rules();
            }
            self.send(World::text(upload).into_bytes());
            for _ in 0..self.dice.below(12) {
                self.step_any();
            }
        }
        let end = self.greatest_time(world);
        for topic in Topic::INPUTS {
            for target in self.topology.all(topic) {
                let name = "content-type".to_owned();
                let headers = vec![Header { name, value: control::TICK_CONTENT_TYPE.into() }];
                let payload = Some(control::encode_tick(end));
                self.broker.append(OutRecord { target, key: None, payload, headers }).expect("it is there");
            }
        }
        for _ in 0..200 {
            self.step_any();
        }
        self.broker.set_fault_rates(FaultRates::default());
        self.come_to_rest();
    }

    /// What is wrong at the end, or nothing.
    pub(crate) fn complaint(&self, expected: &Answer) -> String {
        let fold = self.folded();
        let gaps: String = fold.gaps.iter().map(|gap| format!("{gap}\n")).collect();
        expected.difference(&fold.answer()) + &gaps
    }

    /// What holds of what was published.
    pub(crate) fn folded(&self) -> Fold {
        let mut fold = Fold::default();
        for (topic, payload) in self.published() {
            match topic {
                Topic::Alerts => fold.alert(&payload),
                _ => fold.decision(&payload),
            }
        }
        fold
    }

    /// Everything published, in order within each partition.
    pub(crate) fn published(&self) -> Vec<(Topic, Vec<u8>)> {
        let mut published = Vec::new();
        for topic in [Topic::Alerts, Topic::Decisions] {
            for partition in self.topology.all(topic) {
                let records = self.broker.read(&partition, 0, usize::MAX).expect("outputs are readable");
                published
                    .extend(records.into_iter().map(|record| (topic, record.payload.unwrap_or_default())));
            }
        }
        published
    }

    /// Puts another rule set in force midway, one that changes what alerts say. A worker that is rebuilt must judge
    /// every record by what was in force when it was first applied, or its revisions will not fit.
    fn switch_rules(&mut self) {
        let mut rules = self.options.rules.clone();
        rules.digest = "another".into();
        for setting in &mut rules.defaults {
            setting.severity = Severity::Info;
        }
        for record in terms_records(&self.topology, &rules) {
            self.broker.append(record).expect("the topics are there");
        }
    }

    fn send(&mut self, line: Vec<u8>) {
        let inlet = route(&line).inlet;
        let topic = inlet.map_or(Topic::Settlement, Topic::of_inlet);
        let partition = self.dice.below(self.topology.partitions(topic) as usize) as i32;
        let target = TopicPartition::new(self.topology.name(topic).clone(), partition);
        let record = OutRecord { target, key: None, payload: Some(line), headers: Vec::new() };
        self.broker.append_stamped(record, None).expect("the topic is there");
    }

    /// The end of time, or the greatest time that any upload could carry.
    fn greatest_time(&self, world: &World) -> Timestamp {
        let issued = world.uploads.iter().filter(|upload| oracle::upload::read(upload).is_ok());
        let issued = issued.filter_map(|upload| moment::rfc3339(upload["issued_at"].as_str()?));
        issued.chain(moment::rfc3339(&world.until)).max().expect("a world has an end")
    }

    /// One step of a random worker, started if it is not there; now and then one crashes instead.
    fn step_any(&mut self) {
        let number = self.dice.below(self.workers.len());
        if self.dice.chance(3) {
            self.mishaps.crashes += u64::from(self.workers[number].take().is_some());
            return;
        }
        self.step(number);
    }

    /// Whether there was something to do.
    fn step(&mut self, number: usize) -> bool {
        let running = match self.workers[number].take() {
            Some(running) => Ok(running),
            None => self.start(number),
        };
        let stepped = running.and_then(|mut running| running.step().map(|step| (running, step)));
        match stepped {
            Ok((running, step)) => {
                self.workers[number] = Some(running);
                !step.is_idle()
            }
            Err(StageError::Broker(BrokerError::SessionLost(_) | BrokerError::Aborted(_))) => {
                self.mishaps.lost += 1;
                true
            }
            Err(error) => panic!("worker {number}: {error}"),
        }
    }

    fn come_to_rest(&mut self) {
        let mut quiet = 0;
        for _ in 0..STEPS_MAX {
            let busy = (0..self.workers.len()).filter(|number| self.step(*number)).count();
            quiet = if busy == 0 { quiet + 1 } else { 0 };
            if quiet == QUIET_ROUNDS {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn start(&self, number: usize) -> Result<Box<dyn Steps>, StageError> {
        let name = StageName::ALL[number / WORKERS];
        let options = StageOptions { timers_per_entry_max: 3, ..StageOptions::default() };
        with_stage(name, &options, Start { province: self, number }).unwrap_or_else(|| {
            let LocalOptions { limits, pseudonymiser, .. } = self.options.clone();
            let (topology, book) = (self.topology.clone(), self.book.clone());
            let intake = Intake::new(topology, book, limits, pseudonymiser, Clock::Uploads);
            Ok(Box::new(self.worker(SourceStage(intake), number)?))
        })
    }

    fn worker<S: Stage<Topic = Topic>>(&self, stage: S, number: usize) -> Result<Worker<S>, StageError> {
        let session = self.broker.session(&SessionOptions {
            group: stage.row().name.into(),
            member: format!("{}-{}", stage.row().name, number % WORKERS),
            topics: stage.row().reads.iter().map(|topic| self.topology.name(*topic).clone()).collect(),
            poll_records_max: self.options.batch_records_max,
        })?;
        let options = WorkerOptions {
            batch_records_max: self.options.batch_records_max,
            // Time to collect would make the run depend on the machine.
            collect_max: Duration::from_secs(3600),
            pass_time_every: None,
            write_behind: self.write_behind.clone(),
            ..WorkerOptions::default()
        };
        let outbox = Outbox::new(self.topology.clone(), self.options.record_bytes_max);
        let open_store =
            Box::new(|_: &TopicPartition, _| Ok((Box::new(MemoryStore::default()) as _, Found::Nothing)));
        Ok(Worker::new(stage, Box::new(session), outbox, open_store, Box::new(Timestamp::default), options))
    }
}

/// Starts a worker of a keyed stage.
struct Start<'a> {
    province: &'a Province,
    number: usize,
}

impl WithStage for Start<'_> {
    type Output = Result<Box<dyn Steps>, StageError>;

    fn with<K: Keyed<Topic = Topic, Tally = Tally> + Clone>(self, stage: K) -> Self::Output {
        Ok(Box::new(self.province.worker(KeyedStage(stage), self.number)?))
    }
}
