//! Typed handles of the declared metrics, made once per worker.
//!
//! A handle looks its series up when it is made and is then one atomic operation per record; without an exporter
//! it is a no-op. So the exporter is installed *before* handles are made: a handle made earlier stays silent.
//! Series with closed label sets are made at once, so that they start at zero rather than with the first event.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};

use super::declared::{self, Metric};
use crate::domain::alert::Status;
use crate::domain::claim::Verdict;
use crate::domain::rules::RuleId;
use crate::domain::rules::catalogue::RULES;

static METADATA: Metadata<'static> = Metadata::new("tracewarden", Level::INFO, None);

/// What became of one upload in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadOutcome {
    /// Something in it was new.
    Accepted,
    /// All of it was known.
    Duplicate,
    /// It was older than what is known.
    Superseded,
}

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// An alert.
    Alert,
    /// A decision.
    Decision,
}

/// Counts what intake reads from one input topic.
#[derive(Debug)]
pub struct InputMetrics {
    input: String,
    read: Counter,
    ignored: Counter,
    decoded: Counter,
    derived: Counter,
    rejected: BTreeMap<&'static str, Counter>,
}

/// Counts what becomes of uploads in their documents.
#[derive(Debug)]
pub struct UploadMetrics {
    accepted: Counter,
    duplicate: Counter,
    superseded: Counter,
}

/// Counts alert revisions and findings that are only observed.
#[derive(Debug)]
pub struct FindingMetrics {
    alerts: BTreeMap<(RuleId, Status), Counter>,
    observed: BTreeMap<RuleId, Counter>,
    delay: Histogram,
}

/// Counts decision revisions.
#[derive(Debug)]
pub struct DecisionMetrics {
    decided: BTreeMap<(Verdict, bool), Counter>,
    withdrawn: Counter,
    delay: Histogram,
}

/// Measures the loop of one stage.
#[derive(Debug)]
pub struct StageMetrics {
    batch_records: Histogram,
    batch_bytes: Histogram,
    batch_seconds: Histogram,
    commit_seconds: Histogram,
    aborted: Counter,
    sessions_lost: Counter,
    restore_seconds: Histogram,
    restored_records: Counter,
    watermark_delay: Gauge,
    wall_delay: Gauge,
    partitions_owned: Gauge,
    lag: BTreeMap<(String, i32), Gauge>,
}

/// Counts how often limits are reached.
#[derive(Debug, Default)]
pub struct LimitMetrics {
    hits: BTreeMap<&'static str, Counter>,
}

impl InputMetrics {
    /// Handles for an input topic, named without its prefix: `settlement`.
    pub fn new(input: &str) -> Self {
        let labels = || vec![Label::new("input", input.to_owned())];
        Self {
            input: input.to_owned(),
            read: counter(&declared::INPUTS_READ, labels()),
            ignored: counter(&declared::INPUTS_IGNORED, labels()),
            decoded: counter(&declared::INPUTS_DECODED, labels()),
            derived: counter(&declared::UPLOADS_DERIVED, labels()),
            rejected: BTreeMap::new(),
        }
    }

    /// Records were refused, with one of the stable reasons.
    pub fn rejected(&mut self, reason: &'static str, records: u64) {
        self.read.increment(records);
        let input = &self.input;
        self.rejected
            .entry(reason)
            .or_insert_with(|| {
                let labels = vec![Label::new("input", input.clone()), Label::new("reason", reason)];
                counter(&declared::INPUTS_REJECTED, labels)
            })
            .increment(records);
    }

    /// Records report no fact.
    pub fn ignored(&self, records: u64) {
        self.read.increment(records);
        self.ignored.increment(records);
    }

    /// Records became this many uploads.
    pub fn decoded(&self, records: u64, uploads: u64) {
        self.read.increment(records);
        self.decoded.increment(records);
        self.derived.increment(uploads);
    }
}

impl UploadMetrics {
    /// Handles for register.
    pub fn new() -> Self {
        let of = |outcome| counter(&declared::UPLOADS, vec![Label::new("outcome", outcome)]);
        Self { accepted: of("accepted"), duplicate: of("duplicate"), superseded: of("superseded") }
    }

    /// Uploads were merged.
    pub fn merged(&self, outcome: UploadOutcome, uploads: u64) {
        match outcome {
            UploadOutcome::Accepted => self.accepted.increment(uploads),
            UploadOutcome::Duplicate => self.duplicate.increment(uploads),
            UploadOutcome::Superseded => self.superseded.increment(uploads),
        }
    }
}

impl Default for UploadMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl FindingMetrics {
    /// Handles for a stage that evaluates rules.
    pub fn new() -> Self {
        let mut alerts = BTreeMap::new();
        let mut observed = BTreeMap::new();
        for rule in &RULES {
            for status in [Status::Raised, Status::Amended, Status::Withdrawn] {
                let labels = vec![Label::new("rule", rule.name), Label::new("status", status.name())];
                alerts.insert((rule.id, status), counter(&declared::ALERTS, labels));
            }
            let labels = vec![Label::new("rule", rule.name)];
            observed.insert(rule.id, counter(&declared::FINDINGS_OBSERVED, labels));
        }
        Self { alerts, observed, delay: publish_delay(Published::Alert) }
    }

    /// Revisions of alerts were committed.
    pub fn alert(&self, rule: RuleId, status: Status, revisions: u64) {
        if let Some(counter) = self.alerts.get(&(rule, status)) {
            counter.increment(revisions);
        }
    }

    /// A revision was committed this long after the upload that led to it was received.
    pub fn delay(&self, delay: Duration) {
        self.delay.record(delay);
    }

    /// A rule that only observes found something.
    pub fn observed(&self, rule: RuleId, findings: u64) {
        if let Some(counter) = self.observed.get(&rule) {
            counter.increment(findings);
        }
    }
}

impl Default for FindingMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl DecisionMetrics {
    /// Handles for adjudicate.
    pub fn new() -> Self {
        let of = |verdict, provisional| {
            let labels = vec![Label::new("verdict", verdict), Label::new("provisional", provisional)];
            counter(&declared::DECISIONS, labels)
        };
        let mut decided = BTreeMap::new();
        for verdict in [Verdict::Pay, Verdict::Hold, Verdict::Refuse] {
            decided.insert((verdict, false), of(verdict.name(), "false"));
            decided.insert((verdict, true), of(verdict.name(), "true"));
        }
        Self { decided, withdrawn: of("withdrawn", "false"), delay: publish_delay(Published::Decision) }
    }

    /// Decisions were committed.
    pub fn decided(&self, verdict: Verdict, provisional: bool, revisions: u64) {
        if let Some(counter) = self.decided.get(&(verdict, provisional)) {
            counter.increment(revisions);
        }
    }

    /// Decisions were withdrawn with their claims.
    pub fn withdrawn(&self, revisions: u64) {
        self.withdrawn.increment(revisions);
    }

    /// A decision was committed this long after the upload that led to it was received.
    pub fn delay(&self, delay: Duration) {
        self.delay.record(delay);
    }
}

impl Default for DecisionMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl StageMetrics {
    /// Handles for the worker of a stage: `intake`, `register`, `monitor`, `adjudicate`.
    pub fn new(stage: &'static str) -> Self {
        let labels = || vec![Label::new("stage", stage)];
        Self {
            batch_records: histogram(&declared::BATCH_RECORDS, labels()),
            batch_bytes: histogram(&declared::BATCH_BYTES, labels()),
            batch_seconds: histogram(&declared::BATCH_SECONDS, labels()),
            commit_seconds: histogram(&declared::COMMIT_SECONDS, labels()),
            aborted: counter(&declared::TRANSACTIONS_ABORTED, labels()),
            sessions_lost: counter(&declared::SESSIONS_LOST, labels()),
            restore_seconds: histogram(&declared::RESTORE_SECONDS, labels()),
            restored_records: counter(&declared::RESTORED_RECORDS, labels()),
            watermark_delay: gauge(&declared::WATERMARK_DELAY, labels()),
            wall_delay: gauge(&declared::WALL_DELAY, labels()),
            partitions_owned: gauge(&declared::PARTITIONS_OWNED, labels()),
            lag: BTreeMap::new(),
        }
    }

    /// A batch was applied.
    pub fn applied(&self, records: usize, bytes: usize, elapsed: Duration) {
        self.batch_records.record(records as f64);
        self.batch_bytes.record(bytes as f64);
        self.batch_seconds.record(elapsed);
    }

    /// A batch was committed.
    pub fn committed(&self, elapsed: Duration) {
        self.commit_seconds.record(elapsed);
    }

    /// A transaction was aborted and is done again.
    pub fn aborted(&self) {
        self.aborted.increment(1);
    }

    /// A session was dropped.
    pub fn session_lost(&self) {
        self.sessions_lost.increment(1);
    }

    /// The state of a partition was rebuilt.
    pub fn restored(&self, records: u64, elapsed: Duration) {
        self.restored_records.increment(records);
        self.restore_seconds.record(elapsed);
    }

    /// How far the stage's `now` is behind the wall clock.
    pub fn watermark_delay(&self, delay: Duration) {
        self.watermark_delay.set(delay);
    }

    /// How far the stage's `wall` is behind the wall clock.
    pub fn wall_delay(&self, delay: Duration) {
        self.wall_delay.set(delay);
    }

    /// Partitions came.
    pub fn assigned(&self, partitions: usize) {
        self.partitions_owned.increment(partitions as f64);
    }

    /// Partitions went.
    pub fn revoked(&self, partitions: usize) {
        self.partitions_owned.decrement(partitions as f64);
    }

    /// Records of a partition that wait to be processed.
    pub fn lag(&mut self, topic: &str, partition: i32, records: i64) {
        self.lag
            .entry((topic.to_owned(), partition))
            .or_insert_with(|| {
                let labels = vec![
                    Label::new("topic", topic.to_owned()),
                    Label::new("partition", partition.to_string()),
                ];
                gauge(&declared::LAG, labels)
            })
            .set(records.max(0) as f64);
    }

    /// A partition is no longer ours: its lag is somebody else's to report.
    pub fn forget_lag(&mut self, topic: &str, partition: i32) {
        if let Some(gauge) = self.lag.remove(&(topic.to_owned(), partition)) {
            gauge.set(0.0);
        }
    }
}

impl LimitMetrics {
    /// A limit, called by a stable name such as `timers_per_entry_max`, was reached that often.
    pub fn hit(&mut self, limit: &'static str, times: u64) {
        self.hits
            .entry(limit)
            .or_insert_with(|| counter(&declared::LIMITS_HIT, vec![Label::new("limit", limit)]))
            .increment(times);
    }
}

/// Says which version runs.
pub(super) fn record_build_info() {
    gauge(&declared::BUILD_INFO, vec![Label::new("version", env!("CARGO_PKG_VERSION"))]).set(1.0);
}

fn publish_delay(published: Published) -> Histogram {
    let output = match published {
        Published::Alert => "alerts",
        Published::Decision => "decisions",
    };
    histogram(&declared::PUBLISH_DELAY, vec![Label::new("output", output)])
}

fn counter(metric: &Metric, labels: Vec<Label>) -> Counter {
    metrics::with_recorder(|recorder| {
        recorder.register_counter(&Key::from_parts(metric.name, labels), &METADATA)
    })
}

fn gauge(metric: &Metric, labels: Vec<Label>) -> Gauge {
    metrics::with_recorder(|recorder| {
        recorder.register_gauge(&Key::from_parts(metric.name, labels), &METADATA)
    })
}

fn histogram(metric: &Metric, labels: Vec<Label>) -> Histogram {
    metrics::with_recorder(|recorder| {
        recorder.register_histogram(&Key::from_parts(metric.name, labels), &METADATA)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::declared::{Kind, METRICS, reference_page};
    use crate::telemetry::exporter;

    /// Records everything once and answers what the endpoint would show.
    fn record_everything() -> String {
        let recorder = exporter::builder().unwrap().build_recorder();
        let endpoint = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            exporter::describe();
            record_build_info();
            let mut input = InputMetrics::new("settlement");
            input.decoded(1, 3);
            input.ignored(1);
            input.rejected("unparseable", 2);
            UploadMetrics::new().merged(UploadOutcome::Accepted, 1);
            let findings = FindingMetrics::new();
            findings.alert(RuleId::Reflow, Status::Raised, 1);
            findings.delay(Duration::from_millis(90));
            findings.observed(RuleId::UnknownProduct, 1);
            let decisions = DecisionMetrics::new();
            decisions.decided(Verdict::Hold, true, 1);
            decisions.withdrawn(1);
            decisions.delay(Duration::from_millis(1_600));
            let mut stage = StageMetrics::new("monitor");
            stage.applied(500, 70_000, Duration::from_millis(7));
            stage.committed(Duration::from_millis(6));
            stage.aborted();
            stage.session_lost();
            stage.restored(1_000, Duration::from_secs(2));
            stage.watermark_delay(Duration::from_secs(5));
            stage.wall_delay(Duration::from_millis(300));
            stage.assigned(4);
            stage.revoked(1);
            stage.lag("tracewarden.observations", 2, 17);
            stage.lag("tracewarden.observations", 3, 9);
            stage.forget_lag("tracewarden.observations", 3);
            LimitMetrics::default().hit("timers_per_entry_max", 1);
        });
        endpoint.render()
    }

    #[test]
    fn every_declared_metric_is_recorded_as_declared() {
        let shown = record_everything();
        for metric in METRICS {
            let kind = format!("# TYPE {} {}\n", metric.name, metric.kind.name());
            assert!(shown.contains(&kind), "{} is not a {}:\n{shown}", metric.name, metric.kind.name());
            assert!(shown.contains(&format!("# HELP {} {}\n", metric.name, metric.help)), "{}", metric.name);
            let series = shown.lines().find(|line| line.starts_with(metric.name));
            for label in metric.labels {
                assert!(series.unwrap().contains(&format!("{label}=\"")), "{}: {label}", metric.name);
            }
        }
        let recorded = shown.lines().filter(|line| line.starts_with("# TYPE")).count();
        assert_eq!(recorded, METRICS.len(), "something is recorded that is not declared:\n{shown}");
    }

    #[test]
    fn recorded_values_are_shown() {
        let shown = record_everything();
        for line in [
            "tracewarden_inputs_read_total{input=\"settlement\"} 4",
            "tracewarden_inputs_rejected_total{input=\"settlement\",reason=\"unparseable\"} 2",
            "tracewarden_uploads_derived_total{input=\"settlement\"} 3",
            "tracewarden_uploads_total{outcome=\"duplicate\"} 0",
            "tracewarden_alerts_total{rule=\"reflow\",status=\"raised\"} 1",
            "tracewarden_findings_observed_total{rule=\"unknown_product\"} 1",
            "tracewarden_decisions_total{verdict=\"hold\",provisional=\"true\"} 1",
            "tracewarden_decisions_total{verdict=\"withdrawn\",provisional=\"false\"} 1",
            "tracewarden_commit_seconds_bucket{stage=\"monitor\",le=\"0.005\"} 0",
            "tracewarden_commit_seconds_bucket{stage=\"monitor\",le=\"0.01\"} 1",
            "tracewarden_partitions_owned{stage=\"monitor\"} 3",
            "tracewarden_lag_records{topic=\"tracewarden.observations\",partition=\"2\"} 17",
            "tracewarden_lag_records{topic=\"tracewarden.observations\",partition=\"3\"} 0",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} is missing in\n{shown}");
        }
    }

    #[test]
    fn declarations_follow_the_naming_rules() {
        for metric in METRICS {
            assert!(metric.name.starts_with("tracewarden_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.buckets.is_empty(), metric.kind != Kind::Histogram, "{}", metric.name);
            assert!(metric.buckets.windows(2).all(|pair| pair[0] < pair[1]), "{}", metric.name);
        }
    }

    #[test]
    fn the_reference_page_is_the_file_for_deployment() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/reference/metrics.md");
        if std::env::var_os("TRACEWARDEN_WRITE_GENERATED").is_some() {
            std::fs::write(path, reference_page()).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == reference_page(),
            "deploy/reference/metrics.md is out of date; run this test with TRACEWARDEN_WRITE_GENERATED=1"
        );
    }
}
