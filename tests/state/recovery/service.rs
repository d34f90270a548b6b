//! All stages on the memory twin with their state on disk, stepped one at a time, each of which can be killed.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde_json::Value;
use tracewarden::broker::memory::{MemoryBroker, MemoryOptions, MemorySession};
use tracewarden::broker::{Broker, Header, OutRecord, Session, SessionOptions, TopicPartition, Trim};
use tracewarden::config::Config;
use tracewarden::engine::outbox::Outbox;
use tracewarden::engine::snapshots::SnapshotPlan;
use tracewarden::engine::stage::{KeyedStage, SourceStage, Stage};
use tracewarden::engine::worker::OpenStore;
use tracewarden::engine::worker::{Step, Worker, WorkerOptions};
use tracewarden::engine::{Keyed, StageError};
use tracewarden::pipeline::intake::{Clock, Intake};
use tracewarden::pipeline::monitor::Monitor;
use tracewarden::pipeline::outputs::Outputs;
use tracewarden::pipeline::tally::Tally;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::pipeline::{StageName, StageOptions, WithStage, terms_records, with_stage};
use tracewarden::run::local::LocalOptions;
use tracewarden::run::state::StateHome;
use tracewarden::store::Store;
use tracewarden::store::folder::StateFolder;
use tracewarden::store::snapshot::SnapshotHome;
use tracewarden::wire::inbound::{control, moment};

use super::filling::{Disk, FillingStore};
use crate::support::fold::Fold;
use crate::support::local;
use oracle::World;

const MEBIBYTE: u64 = 1 << 20;

/// The stages that keep state.
pub(crate) const KEYED: [StageName; 3] = [StageName::Register, StageName::Monitor, StageName::Adjudicate];

/// A worker of any stage.
pub(crate) trait Steps {
    fn step(&mut self) -> Result<Step, StageError>;
}

impl<S: Stage<Topic = Topic>> Steps for Worker<S> {
    fn step(&mut self) -> Result<Step, StageError> {
        Worker::step(self, Duration::ZERO)
    }
}

/// The service under test.
pub(crate) struct Service {
    broker: MemoryBroker,
    topology: Arc<Topology>,
    options: LocalOptions,
    folder: StateFolder,
    disk: Disk,
    plan: Option<SnapshotPlan>,
    intake: Worker<SourceStage<Intake>>,
    workers: [Option<Box<dyn Steps>>; 3],
    until_now: Option<tracewarden::domain::time::Timestamp>,
}

impl Service {
    pub(crate) fn new(root: &Path, world: &World, partitions: u16, batch_records_max: usize) -> Self {
        let options = LocalOptions {
            partitions,
            batch_records_max,
            ..LocalOptions::from_config(&Config::default()).unwrap()
        };
        let topology = Arc::new(Topology::new("", partitions, 1));
        let broker = MemoryBroker::new(MemoryOptions::default());
        for topic in Topic::ALL {
            broker.create_topic(topology.name(topic), topology.partitions(topic));
        }
        for record in terms_records(&topology, &options.rules) {
            broker.append(record).unwrap();
        }
        let mut intake = Intake::new(
            topology.clone(),
            Arc::new(RwLock::new(local::book(&world.reference))),
            options.limits.clone(),
            options.pseudonymiser.clone(),
            Clock::UploadsOfAll,
        );
        // Uploads of all kinds come through one topic.
        intake.reads_files = true;
        let opener = StateHome::Memory.opener();
        let intake =
            worker(&broker, &topology, &options, opener, None, SourceStage(intake), Topic::Procurement);
        let snapshots = SnapshotHome::open(root.join("snapshots").to_str().unwrap()).unwrap();
        let folder = StateFolder::new(root.join("state"), 4 * MEBIBYTE).with_snapshots(snapshots);
        let workers = [None, None, None];
        let disk = Disk::default();
        Self { broker, topology, options, folder, disk, plan: None, intake, workers, until_now: None }
    }

    pub(crate) fn with_lock_wait(&mut self, wait: Duration) -> &mut Self {
        self.folder = self.folder.clone().with_lock_wait(wait);
        self
    }

    pub(crate) fn broker(&self) -> &MemoryBroker {
        &self.broker
    }

    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(crate) fn folder(&self) -> &StateFolder {
        &self.folder
    }

    /// The disk that all state is on.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Where snapshots are.
    pub(crate) fn snapshots(&self) -> &SnapshotHome {
        self.folder.snapshots().unwrap()
    }

    /// Lets workers that start from here on take snapshots, and keep so many.
    pub(crate) fn snapshots_every(&mut self, every: Duration, kept: usize) {
        self.plan = Some(SnapshotPlan { home: self.snapshots().clone(), every, kept, trim: None });
    }

    /// Lets workers that start from here on trim the log behind their snapshots.
    pub(crate) fn trims_the_log(&mut self) {
        let log: Arc<dyn Trim> = Arc::new(self.broker.clone());
        self.plan = self.plan.take().map(|plan| SnapshotPlan { trim: Some(log), ..plan });
    }

    /// Takes a snapshot of the local store of a partition, whose worker is down; its offset.
    pub(crate) fn take_snapshot(&self, partition: &TopicPartition) -> i64 {
        let (topic, number) = (&*partition.topic, partition.partition);
        let (store, _) = self.folder.open(topic, number, i64::MAX).unwrap();
        self.snapshots().take(topic, number, store.view()).unwrap().manifest.next_offset
    }

    /// Drops a worker with its session and what it did not write.
    pub(crate) fn kill(&mut self, stage: StageName) {
        self.workers[place(stage)] = None;
    }

    /// One step of a stage, by a new worker if there is none; one that fails is dropped.
    pub(crate) fn step(&mut self, stage: StageName) -> Result<Step, StageError> {
        let mut running = self.workers[place(stage)].take().unwrap_or_else(|| self.start(stage));
        let step = running.step()?;
        self.workers[place(stage)] = Some(running);
        Ok(step)
    }

    fn start(&self, stage: StageName) -> Box<dyn Steps> {
        let options = StageOptions { timers_per_entry_max: 3, ..StageOptions::default() };
        with_stage(stage, &options, self).expect("intake is never killed")
    }

    /// A session of a stage's worker, in the place of the one before.
    pub(crate) fn session(&self, stage: StageName) -> MemorySession {
        let topic = self.topology.name(stage.row().reads[0]).clone();
        session(&self.broker, stage.row().name, topic, self.options.batch_records_max)
    }

    /// A worker of monitor with a session, stores and options of the test's own.
    pub(crate) fn monitor(
        &self,
        session: Box<dyn Session>,
        open_store: OpenStore,
        options: WorkerOptions,
    ) -> Worker<KeyedStage<Monitor>> {
        let outbox = Outbox::new(self.topology.clone(), self.options.record_bytes_max);
        let monitor = Monitor { timers_per_entry_max: 3, outputs: Outputs::default() };
        Worker::new(KeyedStage(monitor), session, outbox, open_store, Box::new(Default::default), options)
    }

    /// Opens stores on the disk, which may be full.
    pub(crate) fn opener(&self) -> OpenStore {
        let (mut open, disk) = (StateHome::Disk(self.folder.clone()).opener(), self.disk.clone());
        Box::new(move |partition, committed| {
            let (store, found) = open(partition, committed)?;
            Ok((Box::new(FillingStore::new(store, disk.clone())), found))
        })
    }

    /// Takes in an upload; when it moves time, everything before it settles first, by `settle`.
    pub(crate) fn feed(&mut self, upload: &Value, settle: &mut impl FnMut(&mut Self)) {
        self.append(World::text(upload).into_bytes(), Vec::new(), settle);
    }

    /// Lets time move on to the end, and everything settle.
    pub(crate) fn finish(&mut self, until: &str, settle: &mut impl FnMut(&mut Self)) {
        let until = moment::rfc3339(until).unwrap();
        if Some(until) > self.until_now {
            let content_type =
                Header { name: "content-type".into(), value: control::TICK_CONTENT_TYPE.into() };
            self.append(control::encode_tick(until), vec![content_type], settle);
        }
        settle(self);
    }

    fn append(&mut self, payload: Vec<u8>, headers: Vec<Header>, settle: &mut impl FnMut(&mut Self)) {
        let target = TopicPartition::new(self.topology.name(Topic::Procurement).clone(), 0);
        let record = OutRecord { target, key: None, payload: Some(payload), headers };
        self.broker.append_stamped(record, None).unwrap();
        while !self.intake.step(Duration::ZERO).unwrap().is_idle() {
            let reached = self.intake.stage().0.reached();
            if reached > self.until_now {
                settle(self);
                self.until_now = reached;
                self.intake.pass_time().unwrap();
            }
        }
    }

    /// Whether every stage has committed all that its topic holds.
    pub(crate) fn is_settled(&self) -> bool {
        KEYED.into_iter().all(|stage| {
            self.topology.all(stage.row().reads[0]).all(|partition| {
                let (first, next) = self.broker.watermarks(&partition).unwrap();
                self.broker.committed(stage.row().name, &partition).unwrap_or(first)
                    >= last_record(&self.broker, &partition, first, next)
            })
        })
    }

    /// Steps all stages until there is nothing left to do, without mishaps.
    pub(crate) fn settle(&mut self) {
        while !self.is_settled() {
            for stage in KEYED {
                self.step(stage).unwrap();
            }
        }
    }

    /// Everything published, folded to what holds.
    pub(crate) fn published(&self) -> Fold {
        let mut fold = Fold::default();
        for topic in [Topic::Alerts, Topic::Decisions] {
            for partition in self.topology.all(topic) {
                for record in self.broker.read(&partition, 0, usize::MAX).unwrap() {
                    let payload = record.payload.unwrap_or_default();
                    match topic {
                        Topic::Alerts => fold.alert(&payload),
                        _ => fold.decision(&payload),
                    }
                }
            }
        }
        fold
    }
}

impl WithStage for &Service {
    type Output = Box<dyn Steps>;

    fn with<K: Keyed<Topic = Topic, Tally = Tally> + Clone>(self, stage: K) -> Self::Output {
        let (broker, topology, options) = (&self.broker, &self.topology, &self.options);
        let (state, plan, topic) = (self.opener(), self.plan.clone(), stage.row().reads[0]);
        Box::new(worker(broker, topology, options, state, plan, KeyedStage(stage), topic))
    }
}

/// The place of a stage's worker.
fn place(stage: StageName) -> usize {
    KEYED.into_iter().position(|keyed| keyed == stage).expect("intake is never killed")
}

/// The offset behind the last record; what follows may be a marker, which nobody commits past.
fn last_record(broker: &MemoryBroker, partition: &TopicPartition, first: i64, next: i64) -> i64 {
    let from = next.saturating_sub(4).max(first);
    let records = broker.read(partition, from, usize::MAX).unwrap();
    records.last().map_or(from, |record| record.offset + 1)
}

fn session(broker: &MemoryBroker, stage: &str, topic: Arc<str>, poll_records_max: usize) -> MemorySession {
    let options =
        SessionOptions { group: stage.into(), member: stage.into(), topics: vec![topic], poll_records_max };
    broker.session(&options).unwrap()
}

fn worker<S: Stage<Topic = Topic>>(
    broker: &MemoryBroker,
    topology: &Arc<Topology>,
    options: &LocalOptions,
    open_store: OpenStore,
    snapshots: Option<SnapshotPlan>,
    stage: S,
    topic: Topic,
) -> Worker<S> {
    let session = session(broker, stage.row().name, topology.name(topic).clone(), options.batch_records_max);
    let worker_options = WorkerOptions {
        batch_records_max: options.batch_records_max,
        pass_time_every: None,
        snapshots,
        ..WorkerOptions::default()
    };
    Worker::new(
        stage,
        Box::new(session),
        Outbox::new(topology.clone(), options.record_bytes_max),
        open_store,
        Box::new(Default::default),
        worker_options,
    )
}
