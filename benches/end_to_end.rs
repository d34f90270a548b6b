//! What the service costs from end to end, and how soon it answers, on a local Kafka that this command starts itself:
//! `CODES=1000000 RATE=5000 cargo bench --bench end_to_end`.
//!
//! The real binary runs as a process of its own, with state on disk and else as by default: exactly once, 16 internal and
//! 8 input partitions. Seeded uploads tell the lives of packages ([`workload`]): first a *backlog* that is all there
//! before the service starts, then, on topics of its own, a *live* load at a fixed rate, then nothing at all, *idle*.
//! Every settlement must be decided and every planted second settlement found, nothing else, or the command fails.
//!
//! Measured are wall time, CPU by `/proc` (so it needs Linux), memory at its peak, bytes on disk, and latency from the
//! *planned* sending of an upload, so that a late sender flatters nobody. `SECONDS_LIVE` is the length of the live load,
//! of which the first 20 s do not count; `SEED` makes another workload of the same kind.
//!
//! Not measured: a network, copies of partitions, a restart; nothing fails, so "nothing twice" is of an undisturbed run. The
//! broker is that of the tests, with a small heap and without Java's second compiler, beside the service on the same
//! machine: its CPU is good for comparisons only. Where all together fill the machine, which the table shows, latency is
//! that of queues, and a lower `RATE` says more.

#[path = "end_to_end/answers.rs"]
mod answers;
#[path = "end_to_end/folder.rs"]
mod folder;
#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/installation.rs"]
mod installation;
#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/kafka.rs"]
mod kafka;
#[path = "end_to_end/measure.rs"]
mod measure;
#[path = "end_to_end/report.rs"]
mod report;
#[path = "end_to_end/workload.rs"]
mod workload;
#[path = "end_to_end/writer.rs"]
mod writer;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use answers::{Answers, Reader};
use installation::{Installation, Running};
use measure::{LogBytes, Processes, Progress, Usage, Used};
use report::{Backlog, Idle, Live};
use tracewarden::broker::kafka::publish::Publisher;
use workload::{DAYS_LATER, Size, WEEKS_LATER, Workload};
use writer::Writer;

/// 2026-01-05T00:00:00+08:00: the lives of the backlog begin.
const BACKLOG_START: i64 = 1_767_542_400_000;
/// How often the progress of the service is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A backlog is done when all is counted and nothing has changed for so long; this does not count.
const QUIET: Duration = Duration::from_secs(3);
/// A service that does nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of the live load so much does not count.
const WARM_UP: Duration = Duration::from_secs(20);
/// The sender gets ready within this long.
const HEAD_START: Duration = Duration::from_secs(2);
/// Before it is looked at, an idle broker gets so long, and an idle service.
const BROKER_SETTLES: Duration = Duration::from_secs(10);
/// Longer than the service takes an input for busy of which it hears nothing.
const SERVICE_SETTLES: Duration = Duration::from_secs(140);
/// The broker alone is looked at for so long.
const BROKER_ALONE: Duration = Duration::from_secs(30);
/// Idling is looked at for so long: the time between two ticks of an idle input, so that what it writes is seen once.
const IDLE: Duration = Duration::from_secs(300);
/// Of a million codes so many are settled again: of a backlog few, live enough for percentiles.
const AGAIN_PPM: usize = 500;
const AGAIN_PPM_LIVE: usize = 20_000;

fn main() {
    let sizes = Sizes::from_environment();
    assert_eq!(kafka::shared().size(), 1, "unset KAFKA_BOOTSTRAP: the broker measured is started here");
    let broker = Broker { pid: kafka::shared().process(0), data: kafka::shared().data_folder(0) };
    let backlog = backlog(&sizes, &broker);
    let (live, idle) = live_and_idle(&sizes, &broker);
    report::print(&backlog, &live, &idle);
}

/// What is given by the environment.
struct Sizes {
    codes: usize,
    rate: usize,
    seconds_live: usize,
    seed: u64,
}

impl Sizes {
    fn from_environment() -> Self {
        let number = |name: &str, default: usize| {
            let given = std::env::var(name).map(|text| text.replace('_', ""));
            given.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
        };
        let sizes = Self {
            codes: number("CODES", 100_000),
            rate: number("RATE", 5_000),
            seconds_live: number("SECONDS_LIVE", 60),
            seed: number("SEED", 1) as u64,
        };
        assert!(sizes.rate > 0, "RATE is 0");
        assert!(
            sizes.seconds_live as u64 > WARM_UP.as_secs(),
            "SECONDS_LIVE is too short: {WARM_UP:?} do not count"
        );
        sizes
    }
}

/// The one broker.
struct Broker {
    pid: u32,
    data: PathBuf,
}

/// Topics of its own with reference data, its state on disk.
fn installation(name: &str, state: &Path, metrics: Option<SocketAddr>) -> Installation {
    let installation = Installation::sized(name, 16, 8)
        .with("STORE_KIND", "disk")
        .with("STORE_PATH", &state.display().to_string())
        .with("HTTP_LISTEN", &metrics.map_or("off".to_owned(), |address| address.to_string()));
    installation.succeed(&["topics", "create"]);
    installation.load_reference(&writer::reference());
    installation
}

fn backlog(sizes: &Sizes, broker: &Broker) -> Backlog {
    let workload = Workload::new(Size {
        seed: sizes.seed,
        codes: sizes.codes,
        settled_again_ppm: AGAIN_PPM,
        settled_again_after: DAYS_LATER,
    });
    let state = tempfile::tempdir().expect("there is room for state");
    let metrics = measure::free_address();
    let installation = installation("backlog", state.path(), Some(metrics));
    let writer = Writer { workload: &workload, topology: &installation.topology, start: BACKLOG_START };
    let publisher = installation.publisher();
    for document in &workload.documents {
        let (record, stamp) = writer.record(document);
        publisher.publish_stamped(&record, Some(stamp)).expect("the broker takes it");
    }
    publisher.flush().expect("the broker takes it all");
    drop(publisher);

    let log_before = LogBytes::now(&broker.data, &installation.topology);
    let started = Instant::now();
    let service = installation.run(0, &[]);
    let processes = Processes { service: Some(service.pid()), broker: broker.pid };
    let (first, last) = follow(&service, processes, metrics, &workload);
    let peak_bytes = measure::peak_bytes(service.pid());
    let log = LogBytes::now(&broker.data, &installation.topology).since(log_before);
    service.stop();
    let answers = all_answers(&installation, &workload);
    Backlog {
        codes: workload.codes.len(),
        documents: workload.documents.len(),
        observations: workload.observations(),
        planted: workload.planted().count(),
        to_first_record: first.at.saturating_duration_since(started),
        used: last.since(&first),
        peak_bytes,
        state_bytes: folder::folder_bytes(state.path()),
        log,
        provisional: answers.provisional,
    }
}

/// Waits until all is done. The moments between which it was: the last look before anything was read, and the first after
/// which nothing changed.
fn follow(
    service: &Running,
    processes: Processes,
    metrics: SocketAddr,
    workload: &Workload,
) -> (Usage, Usage) {
    let (uploads, settlements) = (workload.documents.len(), workload.settlements().count());
    let planted = workload.planted().count();
    let (mut first, mut last) = (processes.usage(), processes.usage());
    let mut before = Progress::default();
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = processes.usage();
        let progress = Progress::of(metrics).unwrap_or(before);
        if progress.read == 0 {
            first = now;
        }
        if progress != before {
            (before, last) = (progress, now);
        }
        let is_done = progress.uploads >= uploads
            && progress.final_decisions >= settlements
            && progress.duplicates >= planted;
        let quiet = last.at.elapsed();
        if is_done && quiet >= QUIET {
            return (first, last);
        }
        assert!(quiet < PATIENCE, "the service does not get on, with {progress:?}:\n{}", service.log());
    }
}

/// Everything that was answered, which must be right.
fn all_answers(installation: &Installation, workload: &Workload) -> Answers {
    let mut answers = Answers::default();
    let reader = Reader::start(&installation.settings().bootstrap_servers, &installation.topology);
    reader.read_until(&mut answers, workload.settlements().count(), workload.planted().count());
    reader.stop(&mut answers);
    answers.check(workload);
    answers
}

fn live_and_idle(sizes: &Sizes, broker: &Broker) -> (Live, Idle) {
    let workload = Workload::new(Size {
        seed: sizes.seed + 1,
        codes: (sizes.rate * sizes.seconds_live).div_ceil(3),
        settled_again_ppm: AGAIN_PPM_LIVE,
        settled_again_after: WEEKS_LATER,
    })
    .at_rate(sizes.rate);
    let state = tempfile::tempdir().expect("there is room for state");
    let installation = installation("live", state.path(), None);
    std::thread::sleep(BROKER_SETTLES);
    let broker_alone = Processes { service: None, broker: broker.pid }.used_within(BROKER_ALONE);

    let service = installation.run(0, &[]);
    let processes = Processes { service: Some(service.pid()), broker: broker.pid };
    let deadline = Instant::now() + PATIENCE;
    while !service.owns_partitions() {
        assert!(Instant::now() < deadline, "the service gets no partitions:\n{}", service.log());
        std::thread::sleep(LOOK_EVERY);
    }
    let live = live(sizes, &installation, processes, &workload);
    std::thread::sleep(SERVICE_SETTLES);
    let log_before = LogBytes::now(&broker.data, &installation.topology);
    let used = processes.used_within(IDLE);
    let log = LogBytes::now(&broker.data, &installation.topology).since(log_before);
    service.stop();
    (live, Idle { used, broker_alone, log })
}

/// Sends at the planned moments, and reads what comes of it.
fn live(sizes: &Sizes, installation: &Installation, processes: Processes, workload: &Workload) -> Live {
    let mut answers = Answers::default();
    let reader = Reader::start(&installation.settings().bootstrap_servers, &installation.topology);
    let sent = send(installation, processes, workload);
    reader.read_until(&mut answers, workload.settlements().count(), workload.planted().count());
    reader.stop(&mut answers);
    answers.check(workload);

    let mut live = Live {
        rate: sizes.rate,
        seconds: sizes.seconds_live,
        warm_up: WARM_UP,
        observations: workload.observations(),
        sender_late: sent.late_max,
        used: sent.used,
        provisional: answers.provisional,
        alerts: Vec::new(),
        decisions: Vec::new(),
    };
    for document in workload.settlements().filter(|one| planned(one.issued) >= WARM_UP) {
        let (id, due) = (writer::document_id(document), sent.started + planned(document.issued));
        live.decisions.push(answers.decisions[&id] - due);
        if document.is_second {
            live.alerts.push(answers.alerts[&id] - due);
        }
    }
    live.alerts.sort();
    live.decisions.sort();
    live
}

struct Sent {
    started: Instant,
    /// So long after its planned moment an upload was sent at the worst.
    late_max: Duration,
    /// From the end of the warm-up to the last upload.
    used: Used,
}

fn send(installation: &Installation, processes: Processes, workload: &Workload) -> Sent {
    let mut settings = installation.settings();
    // A sender that does not wait to fill its batches.
    settings.overrides.insert("linger.ms".to_owned(), "0".to_owned());
    let publisher = Publisher::new(&settings).expect("the settings are right");
    let started = Instant::now() + HEAD_START;
    let start = (SystemTime::now() + HEAD_START).duration_since(UNIX_EPOCH).expect("it is after 1970");
    let start = i64::try_from(start.as_millis()).expect("it is before the year 292 million");
    let writer = Writer { workload, topology: &installation.topology, start };
    let (mut late_max, mut warm) = (Duration::ZERO, None);
    for document in &workload.documents {
        let (record, stamp) = writer.record(document);
        let due = started + planned(document.issued);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if planned(document.issued) >= WARM_UP {
            warm.get_or_insert_with(|| processes.usage());
            late_max = late_max.max(due.elapsed());
        }
        publisher.publish_stamped(&record, Some(stamp)).expect("the broker takes it");
    }
    publisher.flush().expect("the broker takes it all");
    let warm = warm.expect("it is sent for longer than the warm-up");
    Sent { started, late_max, used: processes.usage().since(&warm) }
}

/// The time from the start to a moment of the workload.
fn planned(issued: i64) -> Duration {
    Duration::from_millis(issued.unsigned_abs())
}
