//! One run of chaos: a cluster, processes, an endless stream of uploads, a plan of faults; then calm, and the account.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use tracewarden::domain::time::Timestamp;
use tracewarden::sim;

use super::account::Expected;
use super::feed::{self, Feed};
use super::fleet::Fleet;
use super::plan::{Fault, Plan, PlannedFault};
use crate::support::installation::Installation;
use crate::support::kafka::Cluster;
use crate::support::watcher::Watcher;

/// The group gives up a process that it does not hear of for so long.
const SESSION_TIMEOUT: Duration = Duration::from_secs(3);
/// Brokers abort the transaction of a dead process after this long.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);
/// After the last fault everything must come to rest within this long.
const REST_WITHIN: Duration = Duration::from_secs(300);
/// Of a run that went wrong not everything is said.
const COMPLAINT_LINES_MAX: usize = 100;
const PARTITIONS: u16 = 4;
const INPUT_PARTITIONS: u16 = 2;

/// How big a run is. What it does follows from the seed, when it does it also from the machine.
pub(crate) struct Size {
    pub(crate) seed: u64,
    pub(crate) kills: u32,
    pub(crate) brokers: usize,
    pub(crate) processes: usize,
    pub(crate) uploads_per_second: u32,
    pub(crate) codes_per_day: u32,
}

impl Size {
    /// This size, but for what the environment says: `CHAOS_SEED`, `CHAOS_KILLS`, `CHAOS_BROKERS`.
    pub(crate) fn or_from_environment(self) -> Self {
        let number = |name: &str, default: u64| {
            std::env::var(name).map_or(default, |text| text.parse().expect("it is a number"))
        };
        Self {
            seed: number("CHAOS_SEED", self.seed),
            kills: number("CHAOS_KILLS", self.kills.into()) as u32,
            brokers: number("CHAOS_BROKERS", self.brokers as u64) as usize,
            ..self
        }
    }
}

/// Runs chaos, and fails when anything was lost or doubled.
pub(crate) fn run(size: &Size) {
    let mut cluster = Cluster::start(size.brokers);
    let installation = install(&cluster, size);
    tell(&format!("chaos: seed {}, logs in {}", size.seed, installation.folder.display()));
    let parameters = feed::province(size.seed, size.codes_per_day);
    let references: Vec<Value> =
        sim::reference(&parameters).map(|record| serde_json::from_str(&record).unwrap()).collect();
    installation.load_reference(&references);
    let mut watcher = Watcher::new(&installation);
    let mut fleet = Fleet::start(&installation, size.processes);
    let feed = Feed::start(&installation, parameters, size.uploads_per_second);
    watcher.read_until("the first decisions", |watcher| !watcher.decisions.is_empty());

    let started = Instant::now();
    let mut chaos = Chaos::new(size);
    while chaos.kills() < size.kills {
        chaos.strike(&mut cluster, &mut fleet, &mut watcher);
    }
    let shaken = started.elapsed();
    chaos.end(&mut cluster, &mut fleet);
    let sent = feed.stop();
    let expected = Expected::of(&references, &sent);
    come_to_rest(size.seed, &installation, &mut fleet, &mut watcher, expected.now);
    fleet.stop();
    let mut complaints = expected.complaints(&watcher);
    let before = watcher.alerts.len() + watcher.decisions.len() + watcher.dead_letters.len();
    if !watcher.read_everything() {
        complaints.push("a transaction is open after the end".to_owned());
    }
    if before != watcher.alerts.len() + watcher.decisions.len() + watcher.dead_letters.len() {
        complaints.push("something was published after the end".to_owned());
    }
    complaints.append(&mut fleet.complaints);
    tell(&report(size, &chaos, &watcher, &expected, &fleet, shaken, started.elapsed()));
    let said = complaints.join("\n");
    assert!(
        complaints.is_empty(),
        "CHAOS_SEED={}, logs in {}; {} lines, the first of which are:\n{}",
        size.seed,
        installation.folder.display(),
        said.lines().count(),
        said.lines().take(COMPLAINT_LINES_MAX).collect::<Vec<_>>().join("\n")
    );
}

fn install(cluster: &Cluster, size: &Size) -> Installation {
    let installation = Installation::on(cluster.bootstrap(), "chaos", PARTITIONS, INPUT_PARTITIONS)
        .with("KAFKA_REPLICATION_FACTOR", &size.brokers.min(3).to_string())
        .with("KAFKA_SESSION_TIMEOUT_MS", &SESSION_TIMEOUT.as_millis().to_string())
        .with("KAFKA_TRANSACTION_TIMEOUT_MS", &TRANSACTION_TIMEOUT.as_millis().to_string())
        // Small batches: many transactions to be interrupted.
        .with("STAGE_BATCH_RECORDS_MAX", "50")
        .with("STORE_KIND", "disk");
    let snapshots = installation.folder.join("snapshots");
    let installation = installation
        .with("STORE_SNAPSHOT_URL", &snapshots.display().to_string())
        .with("STORE_SNAPSHOT_EVERY_MINUTES", "1");
    installation.succeed(&["topics", "create"]);
    installation
}

/// Waits until time has come to its end everywhere and everything that was written is dealt with.
fn come_to_rest(
    seed: u64,
    installation: &Installation,
    fleet: &mut Fleet<'_>,
    watcher: &mut Watcher,
    now: Timestamp,
) {
    installation.succeed(&["tick", "--at", &now.to_string()]);
    let deadline = Instant::now() + REST_WITHIN;
    while !(watcher.is_all_processed() && watcher.reached() == Some(now)) {
        assert!(
            Instant::now() < deadline,
            "CHAOS_SEED={seed}: not at rest at {now}, but at {:?}: {}",
            watcher.reached(),
            watcher.state()
        );
        fleet.tend();
    }
}

/// What has gone wrong so far.
struct Chaos {
    plan: Plan,
    done: Vec<Fault>,
    /// The broker that is away, and until when.
    broker_away: Option<(usize, Instant)>,
    kills: u32,
}

impl Chaos {
    fn new(size: &Size) -> Self {
        Self { plan: Plan::new(size.seed), done: Vec::new(), broker_away: None, kills: size.kills }
    }

    fn kills(&self) -> u32 {
        self.done.iter().filter(|fault| fault.is_kill()).count() as u32
    }

    fn times(&self, fault: Fault) -> usize {
        self.done.iter().filter(|done| **done == fault).count()
    }

    /// Does the next step of the plan, and lets its time pass.
    fn strike(&mut self, cluster: &mut Cluster, fleet: &mut Fleet<'_>, watcher: &mut Watcher) {
        let step = self.plan.next();
        if self.inflict(&step, cluster, fleet) {
            self.done.push(step.fault);
            let kills = self.kills();
            if step.fault.is_kill() && kills.is_multiple_of(20) {
                tell(&format!(
                    "{kills} of {} kills; {} decisions so far",
                    self.kills,
                    watcher.decisions.len()
                ));
            }
        }
        let until = Instant::now() + step.pause;
        while Instant::now() < until {
            fleet.tend();
            self.tend(cluster);
            watcher.read();
        }
    }

    /// Whether it could be done.
    fn inflict(&mut self, step: &PlannedFault, cluster: &mut Cluster, fleet: &mut Fleet<'_>) -> bool {
        match step.fault {
            Fault::Kill => fleet.kill(step.whom, false, step.away),
            Fault::KillAndWipe => fleet.kill(step.whom, true, step.away),
            Fault::Suspend => fleet.suspend(step.whom, SESSION_TIMEOUT + Duration::from_secs(1) + step.away),
            Fault::Join => fleet.join(),
            Fault::Leave => fleet.leave(step.whom),
            // Never two at a time: three copies bear the loss of one.
            Fault::KillBroker => {
                let can = self.broker_away.is_none() && cluster.is_whole();
                if can {
                    let index = step.whom % cluster.size();
                    cluster.kill(index);
                    self.broker_away = Some((index, Instant::now() + step.away));
                }
                can
            }
        }
    }

    fn tend(&mut self, cluster: &mut Cluster) {
        if let Some((index, _)) = self.broker_away.take_if(|(_, until)| *until <= Instant::now()) {
            cluster.start_again(index);
        }
    }

    /// Brings back whoever is away.
    fn end(&mut self, cluster: &mut Cluster, fleet: &mut Fleet<'_>) {
        if let Some((index, _)) = self.broker_away.take() {
            cluster.start_again(index);
        }
        fleet.calm_down();
        let deadline = Instant::now() + REST_WITHIN;
        while !cluster.is_whole() {
            assert!(Instant::now() < deadline, "the brokers do not come back");
            fleet.tend();
        }
    }
}

fn report(
    size: &Size,
    chaos: &Chaos,
    watcher: &Watcher,
    expected: &Expected,
    fleet: &Fleet<'_>,
    shaken: Duration,
    whole: Duration,
) -> String {
    let (lost, doubled) = watcher.lost_and_doubled();
    let (open, decided) = expected.size();
    let mut rows: Vec<(String, String)> =
        Fault::ALL.iter().map(|fault| (fault.name().to_owned(), chaos.times(*fault).to_string())).collect();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("kills", chaos.kills().to_string());
    row("kills per minute", format!("{:.1}", f64::from(chaos.kills()) * 60.0 / shaken.as_secs_f64()));
    row("processes that gave up and were started again", fleet.gave_up.to_string());
    row("brokers / processes", format!("{} / {} and one that comes and goes", size.brokers, size.processes));
    row("uploads", watcher.uploads().to_string());
    row("dead letters", watcher.dead_letters.len().to_string());
    row("revisions of alerts, open at the end", format!("{}, {open}", watcher.alerts.len()));
    row("revisions of decisions, claims", format!("{}, {decided}", watcher.decisions.len()));
    row("lost", lost.len().to_string());
    row("doubled", (doubled.len() + watcher.gaps().len()).to_string());
    row("seconds of chaos, in all", format!("{:.0}, {:.0}", shaken.as_secs_f64(), whole.as_secs_f64()));
    row("seed", size.seed.to_string());
    let mut table = String::from("\n");
    for (name, value) in rows {
        let _ = writeln!(table, "  {name:<52} {value}");
    }
    table
}

/// Says something at once: a test that takes minutes must show that it lives.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}
