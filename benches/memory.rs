//! Memory of a `run` process while codes are loaded, and while it catches up after it was away, on a local Kafka that
//! this command starts itself: `CODES=10000000 BOUND_MIB=1024 cargo bench --bench memory`.
//!
//! Purchases of new codes come as fast as the service takes them; half of them while it runs, half while it is down.
//! It keeps its state on disk. Its resident memory is sampled from `/proc` and must stay under the bound.
//! `SETTINGS=STAGE_BATCH_BYTES_MAX=4194304,STORE_CACHE_BYTES=67108864` sets options of the service.

#[path = "end_to_end/folder.rs"]
mod folder;
#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/installation.rs"]
mod installation;
#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/kafka.rs"]
mod kafka;

use std::fs;
use std::time::{Duration, Instant};

use installation::{Installation, Running};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;
use tracewarden::pipeline::topics::Topic;

const LINES_PER_UPLOAD: usize = 10;
const CODES_PER_LINE: usize = 20;
const CODES_PER_UPLOAD: usize = LINES_PER_UPLOAD * CODES_PER_LINE;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Ticks go on for ever: a group with no more than this many records before it, summed, has caught up.
const CAUGHT_UP: i64 = 200;
/// A group that has not caught up by then is given up.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);
const MEBIBYTE: u64 = 1 << 20;

fn main() {
    let number = |name: &str, default: usize| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number is given"))
    };
    let uploads = number("CODES", 1_000_000).div_ceil(CODES_PER_UPLOAD);
    let bound_mib = number("BOUND_MIB", 1024);
    let state = tempfile::tempdir().unwrap();
    let mut installation = Installation::sized("memory", 8, 4)
        .with("STORE_KIND", "disk")
        .with("STORE_PATH", &state.path().display().to_string())
        .with("INTAKE_ALLOW_EMPTY_REFERENCE", "true");
    for setting in std::env::var("SETTINGS").unwrap_or_default().split(',').filter(|text| !text.is_empty()) {
        let (option, value) = setting.split_once('=').expect("settings are OPTION=VALUE");
        installation = installation.with(option, value);
    }
    installation.succeed(&["topics", "create"]);
    let mut bench = Bench { installation: &installation, peaks: Vec::new() };

    let service = installation.run(0, &[]);
    bench.phase("loading, the service running", Some(&service), 0..uploads / 2);
    service.stop();
    bench.phase("loading, the service down", None, uploads / 2..uploads);
    let service = installation.run(0, &[]);
    bench.phase("catching up", Some(&service), 0..0);
    service.stop();
    bench.report(bound_mib, folder::folder_bytes(state.path()), uploads);
}

struct Bench<'a> {
    installation: &'a Installation,
    peaks: Vec<(&'static str, Duration, u64)>,
}

impl Bench<'_> {
    /// Publishes these uploads and, where there is a service, waits until it has done them.
    fn phase(&mut self, name: &'static str, service: Option<&Running>, uploads: std::ops::Range<usize>) {
        let started = Instant::now();
        let publisher = self.installation.publisher();
        let (mut peak, mut looked_at) = (0, Instant::now());
        let mut look = |force: bool| {
            if force || looked_at.elapsed() >= LOOK_EVERY {
                looked_at = Instant::now();
                peak = peak.max(service.map_or(0, |service| resident_bytes(service.pid())));
            }
        };
        for number in uploads {
            publisher.publish(&self.installation.upload(&purchase(number), number)).unwrap();
            look(false);
        }
        publisher.flush().unwrap();
        while service.is_some() && !self.has_caught_up() {
            assert!(started.elapsed() < PATIENCE, "the service does not catch up");
            std::thread::sleep(LOOK_EVERY);
            look(true);
        }
        self.peaks.push((name, started.elapsed(), peak));
    }

    fn has_caught_up(&self) -> bool {
        let stages = [
            ("intake", &Topic::INPUTS[..]),
            ("register", &[Topic::Documents]),
            ("monitor", &[Topic::Observations]),
        ];
        // In the order of the flow: what one stage has done is before the next when that is looked at.
        stages.into_iter().all(|(stage, topics)| self.lag(stage, topics) <= CAUGHT_UP)
    }

    fn lag(&self, stage: &str, topics: &[Topic]) -> i64 {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.installation.settings().bootstrap_servers)
            .set("group.id", format!("{}{stage}", self.installation.prefix))
            .create()
            .unwrap();
        let wait = Duration::from_secs(30);
        let mut list = TopicPartitionList::new();
        for partition in topics.iter().flat_map(|topic| self.installation.topology.all(*topic)) {
            list.add_partition(&partition.topic, partition.partition);
        }
        let committed = reader.committed_offsets(list, wait).unwrap();
        let lag = committed.elements().into_iter().map(|element| {
            let (_, end) = reader.fetch_watermarks(element.topic(), element.partition(), wait).unwrap();
            match element.offset() {
                Offset::Offset(offset) => end - offset,
                _ => end,
            }
        });
        lag.sum()
    }

    #[expect(clippy::print_stdout, reason = "the measurement is what the command is for")]
    fn report(&self, bound_mib: usize, disk_bytes: u64, uploads: usize) {
        let codes = uploads * CODES_PER_UPLOAD;
        println!("{codes} codes in {uploads} uploads; state on disk {} MiB", disk_bytes / MEBIBYTE);
        for (name, elapsed, peak) in &self.peaks {
            let (seconds, mib) = (elapsed.as_secs_f64(), peak / MEBIBYTE);
            println!("  {name:<30} {seconds:>8.1} s   most resident memory {mib:>5} MiB");
        }
        let most = self.peaks.iter().map(|(.., peak)| peak / MEBIBYTE).max().unwrap_or_default();
        let kept = if most <= bound_mib as u64 { "kept" } else { "broken" };
        println!("  bound {bound_mib} MiB: {kept}, most {most} MiB");
        assert!(most <= bound_mib as u64, "the bound was broken");
    }
}

/// A purchase of codes that nobody has bought before.
fn purchase(number: usize) -> String {
    let lines = (0..LINES_PER_UPLOAD).map(|line| {
        let first = (number * LINES_PER_UPLOAD + line) * CODES_PER_LINE;
        let codes: Vec<String> =
            (first..first + CODES_PER_LINE).map(|code| format!("8177322{code:013}")).collect();
        json!({"line_id": line.to_string(), "product_code": "XR05CBA198A001010100863",
               "quantity": CODES_PER_LINE.to_string(), "amount": "100.00", "trace_codes": codes})
    });
    let upload = json!({
        "document_id": format!("B{number}"), "kind": "purchase_in",
        "institution_id": format!("P3702030{:04}", number % 3_000),
        "issued_at": "2026-01-05T09:00:00+08:00", "occurred_at": "2026-01-05T09:00:00+08:00",
        "lines": lines.collect::<Vec<_>>(),
    });
    upload.to_string()
}

fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
}
