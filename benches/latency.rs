//! The latency of one document through all stages, on a local Kafka that this command starts itself:
//! `cargo bench --bench latency`.
//!
//! The service runs as a process of its own with its defaults. Uploads come one at a time, at a low rate; the clock
//! runs from just before an upload is handed to the producer until a read-committed consumer holds what follows from
//! it. At a low rate nothing is hidden by batching: what is shown is the sum of the steps, not of queues.

#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/installation.rs"]
mod installation;
#[allow(dead_code, reason = "a part of the support for tests is used")]
#[path = "../tests/support/kafka.rs"]
mod kafka;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use installation::Installation;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use tracewarden::broker::kafka::publish::Publisher;
use tracewarden::domain::time::Timestamp;
use tracewarden::pipeline::topics::Topic;

/// One upload every so often: 20 a second.
const EVERY: Duration = Duration::from_millis(50);
/// Uploads measured: for 10 s.
const MEASURED: usize = 200;
/// Uploads before that, not measured.
const WARM_UP: usize = 40;
/// Answers that have not come this long after the last upload are given up.
const PATIENCE: Duration = Duration::from_secs(30);
const GOAL: Duration = Duration::from_millis(80);
const PRODUCT: &str = "XR05CBA198A001010100863";

fn main() {
    let installation = Installation::sized("latency", 16, 8);
    installation.succeed(&["topics", "create"]);
    installation.load_reference([&json!({"type": "product", "prefix": "8177322", "product_code": PRODUCT})]);
    let service = installation.run(0, &[]);
    let mut bench = Bench::new(&installation);
    bench.wait_until_answered(&settlement("first", None));
    for number in 0..WARM_UP + MEASURED {
        bench.keep_time(number);
        // Every other one settles a code again that an earlier one settled; the rest have no code at all.
        let code = number % 2;
        let upload = match (number < WARM_UP, code) {
            (_, 0) => settlement(&format!("no-code-{number}"), None),
            (true, _) => settlement(&format!("once-{number}"), Some(number)),
            (false, _) => settlement(&format!("again-{number}"), Some(1 + 2 * (number % (WARM_UP / 2)))),
        };
        bench.send(&upload, number >= WARM_UP);
    }
    bench.read_until_complete();
    service.stop();
    bench.report();
}

/// A settlement of one line, now.
fn settlement(id: &str, code: Option<usize>) -> (String, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let now = Timestamp::from_unix_millis(i64::try_from(now).unwrap()).to_string();
    let codes: Vec<String> = code.map(|code| format!("8177322{code:013}")).into_iter().collect();
    let upload = json!({
        "document_id": id, "kind": "settlement", "institution_id": "P37020300001",
        "issued_at": now, "occurred_at": now, "person_id": format!("person of {id}"),
        "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "1", "amount": "10.00",
                   "fund_amount": "7.00", "trace_codes": codes}],
    });
    (id.to_owned(), upload.to_string())
}

struct Bench<'a> {
    installation: &'a Installation,
    publisher: Publisher,
    reader: BaseConsumer,
    started: Instant,
    sent: HashMap<String, Instant>,
    line_alerts: Vec<Duration>,
    code_alerts: Vec<Duration>,
    decisions: Vec<Duration>,
    answered: usize,
}

impl<'a> Bench<'a> {
    fn new(installation: &'a Installation) -> Self {
        let mut settings = installation.settings();
        // A sender that does not wait to fill its batches.
        settings.overrides.insert("linger.ms".to_owned(), "0".to_owned());
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &settings.bootstrap_servers)
            .set("group.id", "latency")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        for topic in [Topic::Alerts, Topic::Decisions] {
            for partition in installation.topology.all(topic) {
                list.add_partition_offset(&partition.topic, partition.partition, Offset::Beginning).unwrap();
            }
        }
        reader.assign(&list).unwrap();
        Self {
            installation,
            publisher: Publisher::new(&settings).unwrap(),
            reader,
            started: Instant::now(),
            sent: HashMap::new(),
            line_alerts: Vec::new(),
            code_alerts: Vec::new(),
            decisions: Vec::new(),
            answered: 0,
        }
    }

    fn send(&mut self, (id, upload): &(String, String), measured: bool) {
        let record = self.installation.upload(upload, id.len());
        if measured {
            self.sent.insert(id.clone(), Instant::now());
        }
        self.publisher.publish(&record).unwrap();
    }

    fn wait_until_answered(&mut self, upload: &(String, String)) {
        self.send(upload, false);
        let deadline = Instant::now() + PATIENCE;
        while self.answered == 0 {
            assert!(Instant::now() < deadline, "the service does not answer");
            self.read(Duration::from_millis(20));
        }
        self.started = Instant::now();
    }

    /// Reads until it is time for the next upload.
    fn keep_time(&mut self, number: usize) {
        let due = self.started + EVERY * u32::try_from(number).unwrap();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.read(left);
        }
    }

    fn read(&mut self, wait: Duration) {
        let Some(Ok(message)) = self.reader.poll(wait) else { return };
        let arrived = Instant::now();
        self.answered += 1;
        let answer: Value = serde_json::from_slice(message.payload().unwrap_or_default()).unwrap();
        let is_decision = message.topic().ends_with(Topic::Decisions.name());
        let id =
            if is_decision { &answer["claim"]["document_id"] } else { &answer["subject"]["document_id"] };
        let Some(sent) = id.as_str().and_then(|id| self.sent.get(id)) else { return };
        let latency = arrived - *sent;
        if is_decision {
            self.decisions.push(latency);
        } else if answer["rule"] == "no_code" {
            self.line_alerts.push(latency);
        } else if answer["rule"] == "duplicate_settlement" {
            self.code_alerts.push(latency);
        }
    }

    fn read_until_complete(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let complete = |bench: &Self| {
            bench.line_alerts.len() + bench.code_alerts.len() >= MEASURED && bench.decisions.len() >= MEASURED
        };
        while !complete(self) && Instant::now() < deadline {
            self.read(Duration::from_millis(20));
        }
    }

    #[expect(clippy::print_stdout, reason = "the measurement is what the command is for")]
    fn report(self) {
        let mut text = String::new();
        let stages = [
            ("line alert (intake, register)", self.line_alerts),
            ("code alert (intake, register, monitor)", self.code_alerts),
            ("decision (all stages)", self.decisions),
        ];
        for (name, mut latencies) in stages {
            latencies.sort();
            histogram(&mut text, name, &latencies);
        }
        println!("{text}");
    }
}

fn histogram(text: &mut String, name: &str, sorted: &[Duration]) {
    if sorted.is_empty() {
        let _ = writeln!(text, "{name}: none came");
        return;
    }
    let at = |share: usize| sorted[(sorted.len() * share / 100).min(sorted.len() - 1)];
    let millis = |latency: Duration| latency.as_secs_f64() * 1e3;
    let _ = writeln!(
        text,
        "{name}: {} of them, p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms; goal p50 ≤ {:.0} ms: {}",
        sorted.len(),
        millis(at(50)),
        millis(at(90)),
        millis(at(99)),
        millis(sorted[sorted.len() - 1]),
        millis(GOAL),
        if at(50) <= GOAL { "reached" } else { "missed" }
    );
    let bounds = [5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1_000, u64::MAX];
    let mut below = 0;
    for bound in bounds {
        let up_to = sorted.partition_point(|latency| latency.as_millis() < u128::from(bound));
        if up_to > below {
            let label = if bound == u64::MAX { "more".to_owned() } else { format!("< {bound}") };
            let _ = writeln!(
                text,
                "  {label:>6} ms {:>4} {}",
                up_to - below,
                "█".repeat((up_to - below).div_ceil(2))
            );
        }
        below = up_to;
    }
}
