//! What a run costs, as the kernel and the broker's disk show it: nothing here asks the service, but for how far it is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use tracewarden::pipeline::topics::{Topic, Topology};

/// The kernel counts the time of processes in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;
/// An answer of the service takes no longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Topics that the service writes: those between its stages, and what goes out.
const WRITTEN: [Topic; 7] = [
    Topic::Documents,
    Topic::Observations,
    Topic::Claims,
    Topic::Alerts,
    Topic::Decisions,
    Topic::Deadletter,
    Topic::Senders,
];
/// Topics in which the broker keeps for its clients how far they are, and their transactions.
const BOOKKEEPING: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// The two processes that are measured.
#[derive(Clone, Copy)]
pub(crate) struct Processes {
    /// None while it does not run.
    pub(crate) service: Option<u32>,
    pub(crate) broker: u32,
}

/// A moment, and the CPU seconds used until then.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) at: Instant,
    pub(crate) service: f64,
    pub(crate) broker: f64,
    bench: f64,
    others: f64,
}

/// What was used between two moments, all in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) wall: f64,
    pub(crate) service: f64,
    pub(crate) broker: f64,
    /// By this command: sender and reader.
    pub(crate) bench: f64,
    /// By all else on the machine.
    pub(crate) others: f64,
}

impl Processes {
    /// What they have used until now.
    pub(crate) fn usage(self) -> Usage {
        let service = self.service.map_or(0.0, cpu_seconds);
        let broker = cpu_seconds(self.broker);
        let bench = cpu_seconds(std::process::id());
        let others = machine_seconds() - service - broker - bench;
        Usage { at: Instant::now(), service, broker, bench, others }
    }

    /// What they use within so long.
    pub(crate) fn used_within(self, wait: Duration) -> Used {
        let before = self.usage();
        std::thread::sleep(wait);
        self.usage().since(&before)
    }
}

impl Usage {
    /// What was used between an earlier moment and this one.
    pub(crate) fn since(&self, earlier: &Self) -> Used {
        Used {
            wall: (self.at - earlier.at).as_secs_f64(),
            service: self.service - earlier.service,
            broker: self.broker - earlier.broker,
            bench: self.bench - earlier.bench,
            others: self.others - earlier.others,
        }
    }
}

/// CPU seconds of a process and its threads: `utime` and `stime`.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name of the program stands in parentheses and may hold anything; the state follows it.
    let (_, fields) = stat.rsplit_once(')').expect("it has a name");
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

/// CPU seconds of the machine in which it was not idle.
fn machine_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").expect("Linux has it");
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = fields.map(|field| field.parse().expect("a number")).collect();
    // user, nice, system, irq, softirq
    [0, 1, 2, 5, 6].into_iter().map(|field| ticks[field]).sum::<f64>() / TICKS_PER_SECOND
}

/// The most memory that a process has had at once.
pub(crate) fn peak_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// Bytes of log on the broker's disk.
#[derive(Clone, Copy)]
pub(crate) struct LogBytes {
    /// Of the topics that the service writes, marks of transactions included.
    pub(crate) topics: u64,
    /// Of the broker's own topics.
    pub(crate) bookkeeping: u64,
}

impl LogBytes {
    /// What there is: the sizes of the segments. Nothing of these topics is deleted or compacted while it is measured,
    /// but for the broker's own.
    pub(crate) fn now(data: &Path, topology: &Topology) -> Self {
        let topics: Vec<&str> = WRITTEN.iter().map(|topic| &**topology.name(*topic)).collect();
        Self { topics: segment_bytes(data, &topics), bookkeeping: segment_bytes(data, &BOOKKEEPING) }
    }

    /// What has come since.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            topics: self.topics - earlier.topics,
            bookkeeping: self.bookkeeping.saturating_sub(earlier.bookkeeping),
        }
    }
}

fn segment_bytes(data: &Path, topics: &[&str]) -> u64 {
    let folders = fs::read_dir(data).expect("the broker keeps its log there").flatten();
    let of_topics = folders.filter(|folder| {
        let name = folder.file_name().into_string().unwrap_or_default();
        // A folder is called like its partition.
        name.rsplit_once('-').is_some_and(|(topic, _)| topics.contains(&topic))
    });
    let files = of_topics.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let segments = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
    segments.map(|segment| segment.metadata().map_or(0, |metadata| metadata.len())).sum()
}

/// How far the service is, by its own count of what it has committed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) read: usize,
    pub(crate) uploads: usize,
    pub(crate) final_decisions: usize,
    pub(crate) duplicates: usize,
    /// Everything counted here, summed: it changes as long as anything happens.
    all: usize,
}

impl Progress {
    /// Asks the endpoint for metrics; none while it does not answer.
    pub(crate) fn of(endpoint: SocketAddr) -> Option<Self> {
        let mut stream = TcpStream::connect(endpoint).ok()?;
        stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let mut progress = Self::default();
        for (series, value) in answer.lines().filter_map(|line| line.rsplit_once(' ')) {
            let Ok(value) = value.parse::<f64>() else { continue };
            progress.add(series, value as usize);
        }
        Some(progress)
    }

    fn add(&mut self, series: &str, value: usize) {
        let name = series.split('{').next().unwrap_or_default();
        match name {
            "tracewarden_inputs_read_total" => self.read += value,
            "tracewarden_uploads_total" => self.uploads += value,
            "tracewarden_decisions_total" if series.contains(r#"provisional="false""#) => {
                self.final_decisions += value;
            }
            "tracewarden_alerts_total"
                if series.contains(r#"rule="duplicate_settlement",status="raised""#) =>
            {
                self.duplicates += value;
            }
            "tracewarden_alerts_total" | "tracewarden_decisions_total" => {}
            _ => return,
        }
        self.all += value;
    }
}

/// An address that was free just now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("some port is free")
}
