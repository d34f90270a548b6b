//! The service on Kafka: one thread per worker, supervised.
//!
//! A worker whose session is lost is dropped with its state and made anew; the state is rebuilt from the committed
//! offset. So is one whose disk fails or is full, after a pause, until the disk is well again. What cannot get better by
//! trying again (wrong set-up, an unreadable log or store) stops the whole process, so that whoever watches it sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::state::StateHome;
use super::topics::{self, kafka_settings};
use crate::broker::kafka::KafkaBroker;
use crate::broker::kafka::admin::Topics;
use crate::broker::kafka::publish::Publisher;
use crate::broker::kafka::read::PartitionReader;
use crate::broker::{Broker, BrokerError, Record, SessionOptions, TopicPartition, Trim};
use crate::config::Config;
use crate::domain::reference::Book;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::outbox::Outbox;
use crate::engine::stage::{KeyedStage, SourceStage, Stage};
use crate::engine::worker::{HeldBudget, Worker, WorkerOptions, WriteBehind};
use crate::engine::{Keyed, StageError};
use crate::pipeline::intake::{Clock, Idling, Intake, SharedBook};
use crate::pipeline::outputs::Outputs;
use crate::pipeline::tally::Tally;
use crate::pipeline::topics::{Topic, Topology};
use crate::pipeline::{StageName, StageOptions, StageRow, WithStage, terms_records, with_stage};
use crate::store::StoreError;
use crate::telemetry::labels::StageLabel;
use crate::telemetry::limit::Limit;
use crate::telemetry::metrics;
use crate::wire::inbound::reference;

/// A poll waits at most so long, so that time is passed on and a stop is noticed.
const POLL_WAIT: Duration = Duration::from_millis(50);
/// At the start the cluster must answer within this long.
const REACH_WITHIN: Duration = Duration::from_secs(60);
/// Threads that were told to stop get this long.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// How often threads that were told to stop are looked at.
const STOP_STEP: Duration = Duration::from_millis(10);
/// How often the lag of the partitions is measured.
const MEASURE_LAG_EVERY: Duration = Duration::from_secs(5);
/// While a store is filled from a snapshot the session is polled this often.
const POLL_OPENING_AFTER: Duration = Duration::from_secs(1);
/// A store is brought to what is committed when its partition has read so many bytes since: a start after a crash applies
/// them again.
const UNWRITTEN_LOG_BYTES_MAX: usize = 16 << 20;
/// Likewise when what is not written is as old as this.
const UNWRITTEN_AGE_MAX: Duration = Duration::from_secs(300);
/// A lost session is followed by a new one after this long.
const SESSION_PAUSE: Duration = Duration::from_millis(500);
/// A failed disk is tried again after this long.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// An input partition is idle when nothing came for this long and the deadlines of what came before are over. Until then also
/// the counts of senders are published that what came last has changed.
const IDLE_AFTER: Duration = Duration::from_secs(120);
/// Reference records taken at once.
const REFERENCE_BATCH: usize = 10_000;

/// What a process runs.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// The configuration.
    pub config: Config,
    /// The rule set made from it.
    pub rules: RuleSet,
    /// The stages.
    pub stages: Vec<StageName>,
    /// Where time comes from.
    pub clock: Clock,
}

/// Tells all workers to stop, and waits for that.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Arc<StopState>,
}

#[derive(Default)]
struct StopState {
    stopped: AtomicBool,
    failure: Mutex<Option<StageError>>,
    changed: Condvar,
}

impl Stop {
    /// Tells all workers to stop.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.changed.notify_all();
    }

    /// Whether workers are to stop.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    fn fail(&self, error: StageError) {
        let mut failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        drop(failure);
        self.stop();
    }

    fn pause(&self, length: Duration) {
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_stopped() {
            drop(self.shared.changed.wait_timeout(failure, length));
        }
    }

    fn take_failure(&self) -> Option<StageError> {
        self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs the stages until `stop` is told or something fails for good.
pub fn run(options: &ServiceOptions, stop: &Stop) -> Result<(), StageError> {
    topics::reach(&options.config, REACH_WITHIN, || stop.is_stopped())?;
    if stop.is_stopped() {
        return Ok(());
    }
    let mut threads = Vec::new();
    match start(options, stop, &mut threads) {
        Err(StageError::Broker(BrokerError::SessionLost(_))) if stop.is_stopped() => return Ok(()),
        started => started?,
    }
    tracing::info!(stages = ?options.stages, "running");
    wait_for_end(threads, stop);
    match stop.take_failure() {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Checks the topics, reads what is to be known first, and starts the threads.
fn start(options: &ServiceOptions, stop: &Stop, threads: &mut Vec<JoinHandle<()>>) -> Result<(), StageError> {
    for difference in patiently(stop, || Ok(topics::verify(&options.config)?))? {
        tracing::warn!("topic settings differ from what is configured: {difference}");
    }
    let service = Service::open(options)?;
    if options.stages.contains(&StageName::Intake) {
        threads.push(patiently(stop, || service.follow_reference(stop))?);
    }
    // Last of what can fail: a start that is refused leaves no trace in the logs of the stages.
    patiently(stop, || service.put_rules_in_force())?;
    service.start_workers(stop, threads)
}

/// Asks again what a cluster cannot answer yet that is itself starting, or choosing new leaders.
fn patiently<T>(stop: &Stop, mut ask: impl FnMut() -> Result<T, StageError>) -> Result<T, StageError> {
    let started = Instant::now();
    loop {
        match ask() {
            Err(StageError::Broker(BrokerError::SessionLost(reason)))
                if started.elapsed() < REACH_WITHIN && !stop.is_stopped() =>
            {
                tracing::warn!(reason, "the start waits for Kafka, trying again");
                stop.pause(SESSION_PAUSE);
            }
            answered => return answered,
        }
    }
}

/// Waits for the threads: for ever while they run, but not for ever once they were told to stop. One that hangs in a
/// call to a cluster that is gone loses nothing: its transaction will be aborted, and its input read again.
fn wait_for_end(mut threads: Vec<JoinHandle<()>>, stop: &Stop) {
    let mut stopped_at = None;
    while !threads.is_empty() {
        stop.pause(POLL_WAIT);
        let (ended, running) = threads.into_iter().partition(JoinHandle::is_finished);
        threads = running;
        let ended: Vec<JoinHandle<()>> = ended;
        if ended.into_iter().any(|thread| thread.join().is_err()) {
            stop.fail(BrokerError::Setup("a thread panicked: this is a defect".into()).into());
        }
        if stop.is_stopped() {
            if stopped_at.get_or_insert_with(Instant::now).elapsed() > STOP_WITHIN {
                tracing::warn!(
                    threads = threads.len(),
                    "threads hang in calls to Kafka; ending without them"
                );
                return;
            }
            thread::sleep(STOP_STEP);
        }
    }
}

struct Service<'a> {
    options: &'a ServiceOptions,
    broker: KafkaBroker,
    topology: Arc<Topology>,
    book: SharedBook,
    state: StateHome,
    held: Arc<HeldBudget>,
    /// Trims the internal topics; none unless that is configured.
    trim: Option<Arc<dyn Trim>>,
}

impl<'a> Service<'a> {
    fn open(options: &'a ServiceOptions) -> Result<Self, StageError> {
        let broker = KafkaBroker::new(kafka_settings(&options.config));
        let topology = Arc::new(topics::topology(&options.config));
        let state =
            StateHome::from_config(&options.config).map_err(|error| BrokerError::Setup(error.to_string()))?;
        let trim: Option<Arc<dyn Trim>> = match options.config.store.trim_internal_topics {
            true => Some(Arc::new(Topics::new(broker.settings())?)),
            false => None,
        };
        let held = usize::try_from(options.config.store.write_buffer_bytes).unwrap_or(usize::MAX);
        let (held, book) = (HeldBudget::new(held), Arc::new(RwLock::new(Book::default())));
        Ok(Self { options, broker, topology, book, state, held, trim })
    }

    /// Writes the rule set to every internal partition: whatever changes conclusions is in the log.
    fn put_rules_in_force(&self) -> Result<(), StageError> {
        let publisher = Publisher::new(self.broker.settings())?;
        for record in terms_records(&self.topology, &self.options.rules) {
            publisher.publish(&record)?;
        }
        publisher.flush()?;
        Ok(())
    }

    fn start_workers(&self, stop: &Stop, threads: &mut Vec<JoinHandle<()>>) -> Result<(), StageError> {
        let stages = self.stage_options();
        for name in &self.options.stages {
            let starting = Starting { service: self, name: *name, stop };
            match with_stage(*name, &stages, &starting) {
                Some(started) => threads.extend(started),
                None => threads.extend(starting.threads(SourceStage(self.intake()?))),
            }
        }
        Ok(())
    }

    fn stage_options(&self) -> StageOptions {
        let config = &self.options.config;
        StageOptions {
            tick_observations: self.least_step(config.stage.tick_observations_ms),
            tick_claims: self.least_step(config.stage.tick_claims_ms),
            timers_per_entry_max: config.stage.timers_per_entry_max,
            senders_every: self.least_step(config.output.senders_interval_ms),
            outputs: Outputs { format: super::format(config) },
        }
    }

    /// Ticks of a back-test are exact: every step of time is passed on.
    fn least_step(&self, millis: u64) -> Millis {
        if self.options.clock == Clock::Wall { Millis::new(millis) } else { Millis::default() }
    }

    fn intake(&self) -> Result<Intake, StageError> {
        let config = &self.options.config;
        let pseudonymiser =
            super::pseudonymiser(config).map_err(|error| BrokerError::Setup(error.to_string()))?;
        let mut intake = Intake::new(
            self.topology.clone(),
            self.book.clone(),
            super::limits(config),
            pseudonymiser,
            self.options.clock,
        );
        intake.medical_types =
            super::medical_types(config).map_err(|error| BrokerError::Setup(error.to_string()))?;
        intake.horizon = self.options.rules.horizon;
        intake.outputs = self.stage_options().outputs;
        // Decision deadlines of what came last are noticed in the usual rhythm.
        let after = IDLE_AFTER.saturating_add(Duration::from_millis(config.adjudicate.decision_deadline_ms));
        intake.idling = Some(Idling {
            after: Millis::new(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            tick_every: Millis::new(config.stage.tick_idle_ms),
        });
        Ok(intake)
    }

    /// Reads the reference topic to its end, refuses to go on when there is nothing, and goes on following it in a
    /// thread.
    fn follow_reference(&self, stop: &Stop) -> Result<JoinHandle<()>, StageError> {
        let partition = TopicPartition::new(self.topology.name(Topic::Reference).clone(), 0);
        let reader = PartitionReader::from_beginning(self.broker.settings(), &partition)?;
        let book = self.book.clone();
        reader.read_to_end(|records| apply_reference(&book, records))?;
        let (version, is_empty) = {
            let book = book.read().unwrap_or_else(PoisonError::into_inner);
            (book.version(), book.is_empty())
        };
        if is_empty && !self.options.config.intake.allow_empty_reference {
            return Err(BrokerError::Setup(format!(
                "the topic {} holds no reference data, so no product, exemption or institution would be known. \
                 Publish it with `tracewarden reference load FILE`, or set intake.allow_empty_reference",
                partition.topic
            ))
            .into());
        }
        tracing::info!(version, "reference data read");
        let stop = stop.clone();
        Ok(thread::spawn(move || {
            while !stop.is_stopped() {
                match reader.poll(POLL_WAIT, REFERENCE_BATCH) {
                    Ok(records) => apply_reference(&book, records),
                    Err(error) => stop.fail(error.into()),
                }
            }
        }))
    }

    fn seat(&self, row: &'static StageRow, number: usize) -> Seat {
        let config = &self.options.config;
        let stage = row.name;
        let prefix = config.kafka.group_prefix();
        Seat {
            stage,
            broker: self.broker.clone(),
            session: SessionOptions {
                group: format!("{prefix}{stage}"),
                member: format!("{prefix}{stage}-{}-{number}", config.kafka.instance_id()),
                topics: row.reads.iter().map(|topic| self.topology.name(*topic).clone()).collect(),
                poll_records_max: config.stage.batch_records_max,
            },
            topology: self.topology.clone(),
            record_bytes_max: config.stage.record_bytes_max,
            state: self.state.clone(),
            worker: WorkerOptions {
                batch_records_max: config.stage.batch_records_max,
                batch_bytes_max: config.stage.batch_bytes_max,
                collect_max: Duration::from_millis(config.stage.commit_interval_ms),
                commit_spacing: Duration::from_millis(config.stage.commit_spacing_ms),
                // Only intake turns clocks into data.
                pass_time_every: (row.reads == Topic::INPUTS)
                    .then(|| Duration::from_millis(config.stage.tick_claims_ms)),
                measure_lag_every: Some(MEASURE_LAG_EVERY),
                poll_opening_after: Some(POLL_OPENING_AFTER),
                write_behind: WriteBehind {
                    held: self.held.clone(),
                    decoded_log_bytes_max: WriteBehind::DECODED_LOG_BYTES_MAX,
                    log_bytes_max: UNWRITTEN_LOG_BYTES_MAX,
                    age_max: Some(UNWRITTEN_AGE_MAX),
                },
                snapshots: self.state.snapshot_plan(config, self.trim.clone()),
                ..WorkerOptions::default()
            },
        }
    }
}

/// The threads of one stage, about to be started.
struct Starting<'a> {
    service: &'a Service<'a>,
    name: StageName,
    stop: &'a Stop,
}

impl Starting<'_> {
    fn threads<S>(&self, stage: S) -> Vec<JoinHandle<()>>
    where
        S: Stage<Topic = Topic, Tally = Tally> + Clone + 'static,
    {
        let stage_config = &self.service.options.config.stage;
        let workers = match self.name {
            StageName::Intake => stage_config.intake_workers,
            StageName::Register => stage_config.register_workers,
            StageName::Monitor => stage_config.monitor_workers,
            StageName::Adjudicate => stage_config.adjudicate_workers,
        };
        let threads = (0..workers).map(|number| {
            let seat = self.service.seat(stage.row(), number);
            let (stage, stop) = (stage.clone(), self.stop.clone());
            thread::spawn(move || seat.keep_working(&stage, &stop))
        });
        threads.collect()
    }
}

impl WithStage for &Starting<'_> {
    type Output = Vec<JoinHandle<()>>;

    fn with<K: Keyed<Topic = Topic, Tally = Tally> + Clone>(self, stage: K) -> Self::Output {
        self.threads(KeyedStage(stage))
    }
}

/// One worker's place, kept over the sessions that come and go.
struct Seat {
    stage: &'static str,
    broker: KafkaBroker,
    session: SessionOptions,
    topology: Arc<Topology>,
    record_bytes_max: usize,
    state: StateHome,
    worker: WorkerOptions,
}

impl Seat {
    fn keep_working<S: Stage<Topic = Topic> + Clone>(&self, stage: &S, stop: &Stop) {
        while !stop.is_stopped() {
            match self.work(stage.clone(), stop) {
                Ok(()) => return,
                Err(StageError::Broker(BrokerError::SessionLost(reason) | BrokerError::Aborted(reason))) => {
                    tracing::warn!(stage = self.stage, reason, "session lost; starting a new one");
                    metrics::SESSIONS_LOST.add(StageLabel(self.stage), 1);
                    stop.pause(SESSION_PAUSE);
                }
                Err(StageError::Store(StoreError::Failed(reason))) => {
                    tracing::error!(stage = self.stage, reason, "the state cannot be kept; trying again");
                    metrics::SESSIONS_LOST.add(StageLabel(self.stage), 1);
                    stop.pause(STORE_PAUSE);
                }
                Err(error) => stop.fail(error),
            }
        }
    }

    fn work<S: Stage<Topic = Topic>>(&self, stage: S, stop: &Stop) -> Result<(), StageError> {
        let session = self.broker.session(&self.session)?;
        let outbox = Outbox::new(self.topology.clone(), self.record_bytes_max);
        let mut worker = Worker::new(
            stage,
            Box::new(session),
            outbox,
            self.state.opener(),
            Box::new(wall_clock),
            self.worker.clone(),
        );
        while !stop.is_stopped() {
            worker.step(POLL_WAIT)?;
        }
        worker.close()
    }
}

/// Applies reference records in the order of the log; one that cannot be read is passed over and said.
fn apply_reference(book: &SharedBook, records: Vec<Record>) {
    if records.is_empty() {
        return;
    }
    let mut book = book.write().unwrap_or_else(PoisonError::into_inner);
    for record in records {
        match reference::decode_record(record.key.as_deref(), record.payload.as_deref()) {
            Ok(entry) => {
                if let Some(change) = entry.into_change() {
                    book.apply_at(record.offset.unsigned_abs().saturating_add(1), change);
                }
            }
            Err(error) => {
                tracing::warn!(offset = record.offset, %error, "reference record passed over");
                metrics::LIMITS_HIT.add(Limit::ReferenceUnreadable, 1);
            }
        }
    }
}

/// The wall clock. Only here and in the loop's measurements is a clock read.
#[expect(clippy::disallowed_methods, reason = "the service is where time enters, as data")]
fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
