//! How long a partition of monitor takes to come back, with sizes: `cargo bench --bench recovery`.
//!
//! One worker on the memory twin with its state on disk, so that the broker costs next to nothing: what is measured is
//! reading, applying and writing state. A simulated province is repeated with other codes until there are `CODES` of
//! them (1,000,000), and `OBSERVATIONS` more come behind (1,000,000): the log that a worker finds which was away.
//! `CODES=50000 OBSERVATIONS=50000 cargo bench --bench recovery` takes seconds.

#![expect(clippy::print_stdout, reason = "its result is a table")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracewarden::broker::memory::MemoryBroker;
use tracewarden::broker::{Broker, OutRecord, SessionOptions, TopicPartition};
use tracewarden::config::Config;
use tracewarden::domain::observation::CodeChange;
use tracewarden::engine::outbox::Outbox;
use tracewarden::engine::snapshots::SnapshotPlan;
use tracewarden::engine::stage::KeyedStage;
use tracewarden::engine::worker::{Worker, WorkerOptions};
use tracewarden::pipeline::monitor::Monitor;
use tracewarden::pipeline::outputs::Outputs;
use tracewarden::pipeline::terms_records;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::run::state::StateHome;
use tracewarden::sim::{self, Parameters};
use tracewarden::store::Store;
use tracewarden::store::disk::DiskStore;
use tracewarden::store::folder::StateFolder;
use tracewarden::store::snapshot::SnapshotHome;
use tracewarden::wire::entries::{self, Entry};

/// As of the service.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEBIBYTE: u64 = 1 << 20;
/// Records are as large as the service makes them by default.
const RECORD_BYTES: usize = 256 << 10;
/// Uploads of the province that is repeated.
const UPLOADS: usize = 4_000;
/// Records before each look at the pauses: a busy partition, not a backlog.
const STEPS: usize = 300;
const OBSERVATIONS_PER_STEP: usize = 200;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let number = |name: &str| match std::env::var(name) {
        Ok(text) => text.replace('_', "").parse().map_err(|_| format!("{name} is no number")),
        Err(_) => Ok(1_000_000_usize),
    };
    let (codes, observations) = (number("CODES")?, number("OBSERVATIONS")?);
    let root = tempfile::tempdir()?;
    let mut bench = Bench::new(root.path(), province()?)?;
    bench.load(codes, observations)?;
    bench.restarts()?;
    bench.snapshots()?;
    bench.pauses()?;
    Ok(())
}

/// What register publishes of a simulated province.
fn province() -> Outcome<Vec<CodeChange>> {
    let parameters = Parameters::demo(1);
    let options = LocalOptions { partitions: 1, ..LocalOptions::from_config(&Config::default())? };
    let mut local = Local::new(&options, sim::book(&parameters)?)?;
    for (line, upload) in (1..).zip(sim::uploads(&parameters).take(UPLOADS)) {
        local.feed(upload.json.into_bytes(), "province", line)?;
    }
    local.finish(None)?;
    let mut changes = Vec::new();
    for record in local.records(Topic::Observations)? {
        for entry in entries::decode(&record.payload.unwrap_or_default())? {
            if let Entry::Body(change) = entry {
                changes.push(*change);
            }
        }
    }
    Ok(changes)
}

/// The province again and again, each time with other codes and documents.
struct Repeated {
    changes: Vec<CodeChange>,
    next: usize,
}

impl Repeated {
    fn next(&mut self) -> CodeChange {
        let round = self.next / self.changes.len();
        let mut change = self.changes[self.next % self.changes.len()].clone();
        self.next += 1;
        let code = &change.code;
        change.code = match (code.get(..7), code.get(12..)) {
            (Some(prefix), Some(serial)) => format!("{prefix}{round:05}{serial}").into(),
            _ => format!("{code}{round}").into(),
        };
        change.document.document_id = format!("{}-{round}", change.document.document_id).into();
        for observation in &mut change.asserted {
            observation.key.document = change.document.clone();
        }
        change
    }
}

struct Bench<'a> {
    root: &'a Path,
    broker: MemoryBroker,
    topology: Arc<Topology>,
    partition: TopicPartition,
    repeated: Repeated,
    behind: usize,
}

impl<'a> Bench<'a> {
    fn new(root: &'a Path, changes: Vec<CodeChange>) -> Outcome<Self> {
        let options = LocalOptions::from_config(&Config::default())?;
        let topology = Arc::new(Topology::new("", 1, 1));
        let broker = MemoryBroker::default();
        for topic in Topic::ALL {
            broker.create_topic(topology.name(topic), topology.partitions(topic));
        }
        for record in terms_records(&topology, &options.rules) {
            broker.append(record)?;
        }
        let partition = TopicPartition::new(topology.name(Topic::Observations).clone(), 0);
        let repeated = Repeated { changes, next: 0 };
        Ok(Self { root, broker, topology, partition, repeated, behind: 0 })
    }

    fn folder(&self, name: &str) -> StateFolder {
        StateFolder::new(self.root.join(name), 256 * MEBIBYTE)
    }

    fn home(&self) -> Outcome<SnapshotHome> {
        let path = self.root.join("snapshots");
        Ok(SnapshotHome::open(&path.to_string_lossy())?)
    }

    fn store(&self, folder: &StateFolder) -> Outcome<DiskStore> {
        Ok(folder.open(&self.partition.topic, 0, i64::MAX)?.0)
    }

    fn worker(
        &self,
        folder: &StateFolder,
        snapshots: Option<SnapshotPlan>,
    ) -> Outcome<Worker<KeyedStage<Monitor>>> {
        let options = WorkerOptions { pass_time_every: None, snapshots, ..WorkerOptions::default() };
        let session = self.broker.session(&SessionOptions {
            group: "monitor".to_owned(),
            member: "monitor".to_owned(),
            topics: vec![self.partition.topic.clone()],
            poll_records_max: options.batch_records_max,
        })?;
        Ok(Worker::new(
            KeyedStage(Monitor { timers_per_entry_max: 1_000, outputs: Outputs::default() }),
            Box::new(session),
            Outbox::new(self.topology.clone(), RECORD_BYTES),
            StateHome::Disk(folder.clone()).opener(),
            Box::new(Default::default),
            options,
        ))
    }

    /// Writes so many observations to the log.
    fn append(&mut self, observations: usize) -> Outcome<()> {
        let entries: Vec<Entry<CodeChange>> =
            (0..observations).map(|_| Entry::of(self.repeated.next())).collect();
        for payload in entries::encode(&entries, RECORD_BYTES) {
            let target = self.partition.clone();
            self.broker.append(OutRecord {
                target,
                key: None,
                payload: Some(payload),
                headers: Vec::new(),
            })?;
        }
        Ok(())
    }

    /// Steps until there is nothing to do; what was published is thrown away, or it would fill the memory.
    fn run_dry(&self, worker: &mut Worker<KeyedStage<Monitor>>) -> Outcome<()> {
        while !worker.step(Duration::ZERO)?.is_idle() {
            for topic in [Topic::Alerts, Topic::Claims] {
                for partition in self.topology.all(topic) {
                    let (_, end) = self.broker.watermarks(&partition)?;
                    self.broker.trim(&partition, end)?;
                }
            }
        }
        Ok(())
    }

    /// The state of `codes` codes; a copy of it stays behind while `observations` more are applied.
    fn load(&mut self, codes: usize, observations: usize) -> Outcome<()> {
        let of_round =
            self.repeated.changes.iter().map(|change| change.code.clone()).collect::<BTreeSet<_>>();
        let folder = self.folder("state");
        let mut worker = self.worker(&folder, None)?;
        let all = codes.div_ceil(of_round.len()) * self.repeated.changes.len();
        let started = Instant::now();
        let mut left = all;
        while left > 0 {
            let part = left.min(100_000);
            self.append(part)?;
            self.run_dry(&mut worker)?;
            let (_, end) = self.broker.watermarks(&self.partition)?;
            // All but the last record, which a restart looks at.
            self.broker.trim(&self.partition, end - 1)?;
            left -= part;
        }
        say("state built", started.elapsed(), &format!("{all} observations"));
        drop(worker);
        copy_folder(&self.root.join("state"), &self.root.join("behind"))?;
        self.append(observations)?;
        self.behind = observations;
        let mut worker = self.worker(&folder, None)?;
        let started = Instant::now();
        self.run_dry(&mut worker)?;
        say("live work", started.elapsed(), &per_second(observations, started.elapsed()));
        drop(worker);
        let store = self.store(&folder)?;
        let disk = store.disk_bytes()? / MEBIBYTE;
        println!("{:<34} {:>9}   {} rows, {disk} MiB on disk", "state", "", store.view().rows.count());
        Ok(())
    }

    fn restarts(&self) -> Outcome<()> {
        for (what, name, behind) in
            [("restart, nothing behind", "state", 0), ("restart, local store behind", "behind", self.behind)]
        {
            let folder = self.folder(name);
            let started = Instant::now();
            let mut worker = self.worker(&folder, None)?;
            self.run_dry(&mut worker)?;
            say(what, started.elapsed(), &per_second(behind, started.elapsed()));
        }
        fs::remove_dir_all(self.root.join("behind"))?;
        Ok(())
    }

    fn snapshots(&mut self) -> Outcome<()> {
        let (home, folder) = (self.home()?, self.folder("state"));
        for more in [0, 0, self.behind / 100] {
            self.append(more)?;
            let mut worker = self.worker(&folder, None)?;
            self.run_dry(&mut worker)?;
            drop(worker);
            let started = Instant::now();
            let taken = home.take(&self.partition.topic, 0, self.store(&folder)?.view())?;
            let (manifest, elapsed) = (&taken.manifest, started.elapsed());
            let sizes = format!(
                "{} rows, {} MiB in {} files; written {} MiB in {} files",
                manifest.rows(),
                manifest.bytes() / MEBIBYTE,
                manifest.files.len(),
                taken.bytes_written / MEBIBYTE,
                taken.files_written
            );
            say(&format!("snapshot after {more} observations"), elapsed, &sizes);
        }
        let restored = self.folder("restored").with_snapshots(home);
        let started = Instant::now();
        let store = self.store(&restored)?;
        let elapsed = started.elapsed();
        let sizes =
            format!("{} rows, {} MiB on disk", store.view().rows.count(), store.disk_bytes()? / MEBIBYTE);
        say("restore from a snapshot", elapsed, &sizes);
        drop(store);
        fs::remove_dir_all(self.root.join("restored"))?;
        Ok(())
    }

    /// How long steps of a partition at work take, without snapshots and with one after the other.
    fn pauses(&mut self) -> Outcome<()> {
        let plan = SnapshotPlan { home: self.home()?, every: Duration::ZERO, kept: 2, trim: None };
        for (what, plan) in
            [("steps without snapshots", None), ("steps while snapshots are taken", Some(plan))]
        {
            let mut worker = self.worker(&self.folder("state"), plan)?;
            self.run_dry(&mut worker)?;
            let mut steps = Vec::new();
            let started = Instant::now();
            for _ in 0..STEPS {
                self.append(OBSERVATIONS_PER_STEP)?;
                let started = Instant::now();
                worker.step(Duration::ZERO)?;
                steps.push(started.elapsed());
            }
            let elapsed = started.elapsed();
            steps.sort();
            let at = |per_mille: usize| steps[(steps.len() - 1) * per_mille / 1000].as_secs_f64() * 1e3;
            let sizes = format!(
                "{STEPS} steps of {OBSERVATIONS_PER_STEP} observations: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
                at(500),
                at(990),
                at(1000)
            );
            say(what, elapsed, &sizes);
        }
        Ok(())
    }
}

fn say(what: &str, elapsed: Duration, sizes: &str) {
    println!("{what:<34} {:>7.2} s   {sizes}", elapsed.as_secs_f64());
}

fn per_second(observations: usize, elapsed: Duration) -> String {
    let rate = observations as f64 / elapsed.as_secs_f64().max(1e-9);
    format!("{observations} observations, {rate:.0} per second")
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
