//! The figures of a run, and the one table that they are printed as.

use std::fmt::Write as _;
use std::num::NonZero;
use std::time::Duration;

use tracewarden::present::figures::grouped;

use super::measure::{LogBytes, Used};

const MEBIBYTE: f64 = (1 << 20) as f64;
const SECONDS_PER_DAY: f64 = 24.0 * 3600.0;

/// What it took to work off what was there.
pub(crate) struct Backlog {
    pub(crate) codes: usize,
    pub(crate) documents: usize,
    pub(crate) observations: usize,
    pub(crate) planted: usize,
    /// From the start of the process.
    pub(crate) to_first_record: Duration,
    /// From there to the last result.
    pub(crate) used: Used,
    pub(crate) peak_bytes: u64,
    pub(crate) state_bytes: u64,
    pub(crate) log: LogBytes,
    pub(crate) provisional: usize,
}

/// How soon answers came while uploads did.
pub(crate) struct Live {
    pub(crate) rate: usize,
    pub(crate) seconds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) observations: usize,
    pub(crate) sender_late: Duration,
    pub(crate) used: Used,
    pub(crate) provisional: usize,
    /// Latencies, the least first.
    pub(crate) alerts: Vec<Duration>,
    /// Likewise.
    pub(crate) decisions: Vec<Duration>,
}

/// What is spent on nothing.
pub(crate) struct Idle {
    pub(crate) used: Used,
    /// Before there was a service.
    pub(crate) broker_alone: Used,
    pub(crate) log: LogBytes,
}

/// Prints all of it.
#[expect(clippy::print_stdout, reason = "the measurement is what the command is for")]
pub(crate) fn print(backlog: &Backlog, live: &Live, idle: &Idle) {
    let mut table = Table::default();
    backlog_rows(&mut table, backlog);
    live_rows(&mut table, live);
    idle_rows(&mut table, idle);
    println!("{}", table.0);
}

fn backlog_rows(table: &mut Table, backlog: &Backlog) {
    let Backlog { used, log, .. } = backlog;
    let observations = backlog.observations as f64;
    let per_observation = |bytes: u64| format!("{:.0} an observation", bytes as f64 / observations);
    table.heading(&format!(
        "backlog: {} codes, {} observations in {} uploads, {} second settlements",
        whole(backlog.codes as f64),
        whole(observations),
        whole(backlog.documents as f64),
        whole(backlog.planted as f64)
    ));
    table.row("wall, first record to last result", "s", &format!("{:.1}", used.wall), "");
    let start = format!("{:.1}", backlog.to_first_record.as_secs_f64());
    table.row("before that, start of the process to first record", "s", &start, "");
    table.row("throughput", "obs/s", &whole(observations / used.wall), "");
    let per_cpu_second = whole(observations / used.service);
    table.row("throughput by CPU of the service", "obs/CPU-s", &per_cpu_second, "");
    table.row("CPU of the service", "s", &format!("{:.1}", used.service), "");
    table.row("CPU of the broker", "s", &format!("{:.1}", used.broker), "");
    let others = format!("{:.1}", used.others);
    table.row("CPU of all else on the machine", "s", &others, "more makes a run noise");
    table.row("peak memory of the service", "MiB", &mebibytes(backlog.peak_bytes), "VmHWM");
    let state = per_observation(backlog.state_bytes);
    table.row("state on disk after the stop", "MiB", &mebibytes(backlog.state_bytes), &state);
    let topics = per_observation(log.topics);
    table.row("log of internal and outgoing topics", "MiB", &mebibytes(log.topics), &topics);
    let bookkeeping = mebibytes(log.bookkeeping);
    table.row("log of offsets and transactions", "MiB", &bookkeeping, "the broker's own topics");
    table.row("provisional decisions", "", &whole(backlog.provisional as f64), "");
}

fn live_rows(table: &mut Table, live: &Live) {
    let Live { used, .. } = live;
    table.heading(&format!(
        "live: {} obs/s for {} s ({} observations), the first {:.0} s not counted",
        whole(live.rate as f64),
        live.seconds,
        whole(live.observations as f64),
        live.warm_up.as_secs_f64()
    ));
    latency_rows(table, "alert of a second settlement", &live.alerts);
    latency_rows(table, "final decision of a settlement", &live.decisions);
    table.row("provisional decisions", "", &whole(live.provisional as f64), "of all, warm-up too");
    let late = format!("{:.1}", millis(live.sender_late));
    table.row("the sender behind its plan, at worst", "ms", &late, "counted as latency");
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let cores = format!("of {cores}");
    for (name, seconds, note) in [
        ("CPU of the service", used.service, ""),
        ("CPU of the broker", used.broker, ""),
        ("CPU of sender and reader", used.bench, "this command"),
        ("CPU of all else on the machine", used.others, "more makes a run noise"),
        ("together", used.service + used.broker + used.bench + used.others, &cores),
    ] {
        table.row(name, "cores", &format!("{:.2}", seconds / used.wall), note);
    }
}

fn latency_rows(table: &mut Table, name: &str, sorted: &[Duration]) {
    let Some(last) = sorted.len().checked_sub(1) else {
        table.row(name, "ms", "none", "");
        return;
    };
    let of = format!("of {}", whole(sorted.len() as f64));
    for share in [50, 99] {
        let latency = sorted[(sorted.len() * share / 100).min(last)];
        table.row(&format!("{name}, p{share}"), "ms", &format!("{:.1}", millis(latency)), &of);
    }
}

fn idle_rows(table: &mut Table, idle: &Idle) {
    let Idle { used, broker_alone, log } = idle;
    let percent = |seconds: f64, wall: f64| 100.0 * seconds / wall;
    table.heading(&format!("idle: nothing comes, for {:.0} s", used.wall));
    let service = format!("{:.2}", percent(used.service, used.wall));
    table.row("CPU of the service", "% of a core", &service, "");
    let (all, alone) = (percent(used.broker, used.wall), percent(broker_alone.broker, broker_alone.wall));
    let note = format!("{all:.2} less {alone:.2} without a service");
    table.row("CPU of the broker", "% of a core", &format!("{:.2}", all - alone), &note);
    for (name, bytes) in
        [("internal and outgoing topics", log.topics), ("offsets and transactions", log.bookkeeping)]
    {
        let a_day = bytes as f64 * SECONDS_PER_DAY / used.wall;
        let note = format!("{} bytes measured", grouped(bytes));
        table.row(&format!("log of {name}"), "MiB/day", &format!("{:.1}", a_day / MEBIBYTE), &note);
    }
}

#[derive(Default)]
struct Table(String);

impl Table {
    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}{text}", if self.0.is_empty() { "" } else { "\n" });
    }

    fn row(&mut self, name: &str, unit: &str, value: &str, note: &str) {
        let row = format!("  {name:<50} {value:>10} {unit:<12} {note}");
        let _ = writeln!(self.0, "{}", row.trim_end());
    }
}

fn whole(number: f64) -> String {
    grouped(number as u64)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / MEBIBYTE)
}

fn millis(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1e3
}
