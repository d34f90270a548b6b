//! Typed recording of the declared metrics.
//!
//! All handles are made once, when the exporter starts or else at the first record; from then on a record is one
//! look-up in a small map and one atomic operation, and without an exporter nothing at all. So the exporter is
//! started *before* anything is recorded: handles made earlier stay silent. Series with closed label sets are made
//! with the handles, so that they start at zero rather than with the first event.
//!
//! Counts of a batch are recorded when it is committed, so an aborted batch counts nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata};

use super::declared::{self, Metric};
use crate::domain::alert::Status;
use crate::domain::claim::Verdict;
use crate::domain::rules::RuleId;
use crate::domain::rules::catalogue::RULES;

/// Names of the stages, as they stand in labels.
pub const STAGES: [&str; 4] = ["intake", "register", "monitor", "adjudicate"];

static METADATA: Metadata<'static> = Metadata::new("tracewarden", Level::INFO, None);

/// The handles of this process.
static HANDLES: LazyLock<Handles> = LazyLock::new(Handles::new);

/// What became of uploads in their documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UploadOutcome {
    /// Something in it was new.
    Accepted,
    /// All of it was known.
    Duplicate,
    /// It was older than what is known.
    Superseded,
    /// Its document had no room for it.
    NoRoom,
    /// Its document is about a moment behind the horizon.
    TooLate,
}

/// A batch was taken: so many records, so many bytes.
pub fn batch(stage: &str, records: usize, bytes: usize) {
    HANDLES.batch(stage, records, bytes);
}

/// A batch was applied and committed in this time.
pub fn batch_seconds(stage: &str, elapsed: Duration) {
    HANDLES.of(stage, |stage| stage.batch_seconds.record(elapsed));
}

/// A transaction was committed in this time.
pub fn committed(stage: &str, elapsed: Duration) {
    HANDLES.of(stage, |stage| stage.commit_seconds.record(elapsed));
}

/// A transaction was aborted and is done again.
pub fn aborted(stage: &str) {
    HANDLES.of(stage, |stage| stage.aborted.increment(1));
}

/// A broker session was dropped.
pub fn session_lost(stage: &str) {
    HANDLES.of(stage, |stage| stage.sessions_lost.increment(1));
}

/// The state of a partition was rebuilt.
pub fn restored(stage: &str, records: u64, elapsed: Duration) {
    HANDLES.restored(stage, records, elapsed);
}

/// A snapshot was taken in this time, for which so many bytes were written.
pub fn snapshot_taken(stage: &str, bytes_written: u64, elapsed: Duration) {
    HANDLES.of(stage, |stage| {
        stage.snapshots_taken.increment(1);
        stage.snapshot_bytes.increment(bytes_written);
        stage.snapshot_seconds.record(elapsed);
    });
}

/// A snapshot could not be taken.
pub fn snapshot_failed(stage: &str) {
    HANDLES.of(stage, |stage| stage.snapshots_failed.increment(1));
}

/// How old the newest snapshot of a partition is; zero when the partition goes.
pub fn snapshot_age(topic: &str, partition: i32, age: Duration) {
    gauge(&declared::SNAPSHOT_AGE, of_partition(topic, partition)).set(age);
}

/// The offset of the newest snapshot of a partition.
pub fn snapshot_offset(topic: &str, partition: i32, offset: i64) {
    gauge(&declared::SNAPSHOT_OFFSET, of_partition(topic, partition)).set(offset as f64);
}

/// The first offset still in the log of a partition.
pub fn trimmed(topic: &str, partition: i32, first: i64) {
    gauge(&declared::TRIMMED_OFFSET, of_partition(topic, partition)).set(first as f64);
}

/// Partitions came.
pub fn assigned(stage: &str, partitions: usize) {
    HANDLES.of(stage, |stage| stage.partitions_owned.increment(partitions as f64));
}

/// Partitions went.
pub fn revoked(stage: &str, partitions: usize) {
    HANDLES.of(stage, |stage| stage.partitions_owned.decrement(partitions as f64));
}

/// Records of a partition that wait to be processed. Zero when the partition goes: its lag is then somebody
/// else's to report.
pub fn lag(topic: &str, partition: i32, records: i64) {
    gauge(&declared::LAG, of_partition(topic, partition)).set(records.max(0) as f64);
}

/// How far the `now` of a partition (called `documents/3`) is behind the wall clock; zero when the partition goes.
pub fn watermark_delay(partition: &str, delay: Duration) {
    partition_gauge(&declared::WATERMARK_DELAY, partition).set(delay);
}

/// How far the `wall` of a partition is behind the wall clock; zero when the partition goes.
pub fn wall_delay(partition: &str, delay: Duration) {
    partition_gauge(&declared::WALL_DELAY, partition).set(delay);
}

/// Input records were read.
pub fn inputs_read(count: u64) {
    HANDLES.inputs_read.increment(count);
}

/// Input records were refused, with one of the stable reasons.
pub fn inputs_rejected(reason: &'static str, count: u64) {
    counter(&declared::INPUTS_REJECTED, vec![Label::new("reason", reason)]).increment(count);
}

/// Uploads were refused beside others of the same record, with one of the stable reasons.
pub fn uploads_rejected(reason: &'static str, count: u64) {
    counter(&declared::UPLOADS_REJECTED, vec![Label::new("reason", reason)]).increment(count);
}

/// Input records reported no fact.
pub fn inputs_ignored(count: u64) {
    HANDLES.inputs_ignored.increment(count);
}

/// Input records became uploads.
pub fn inputs_decoded(count: u64) {
    HANDLES.inputs_decoded.increment(count);
}

/// Uploads were derived from input records.
pub fn uploads_derived(count: u64) {
    HANDLES.uploads_derived.increment(count);
}

/// Uploads were merged.
pub fn uploads(outcome: UploadOutcome, count: u64) {
    increment(&HANDLES.uploads, outcome, count);
}

/// Reversals were passed on from an alias.
pub fn reversals_forwarded(count: u64) {
    HANDLES.reversals_forwarded.increment(count);
}

/// Uploads met reversals of their own stamp.
pub fn reversed_at_issue(count: u64) {
    HANDLES.reversed_at_issue.increment(count);
}

/// Alert revisions were published.
pub fn alerts(rule: RuleId, status: Status, count: u64) {
    increment(&HANDLES.alerts, (rule, status), count);
}

/// A rule that only observes found something.
pub fn findings_observed(rule: RuleId, count: u64) {
    increment(&HANDLES.observed, rule, count);
}

/// An allowance silenced findings.
pub fn findings_allowed(rule: RuleId, count: u64) {
    increment(&HANDLES.allowed, rule, count);
}

/// Decision revisions were published.
pub fn decisions(verdict: Verdict, provisional: bool, count: u64) {
    increment(&HANDLES.decisions, (verdict, provisional), count);
}

/// Decisions were withdrawn with their claims.
pub fn decisions_withdrawn(count: u64) {
    HANDLES.decisions_withdrawn.increment(count);
}

/// A limit, called by its stable name, was reached.
pub fn limits_hit(limit: &'static str, count: u64) {
    counter(&declared::LIMITS_HIT, vec![Label::new("limit", limit)]).increment(count);
}

/// State of a stage that was forgotten since it is older than the horizon.
pub fn forgotten(stage: &'static str, count: usize) {
    if count > 0 {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        counter(&declared::STATE_FORGOTTEN, vec![Label::new("stage", stage)]).increment(count);
    }
}

/// Makes the handles, against the recorder in force, and says which version runs.
pub(super) fn make_handles() {
    LazyLock::force(&HANDLES);
    gauge(&declared::BUILD_INFO, vec![Label::new("version", env!("CARGO_PKG_VERSION"))]).set(1.0);
}

/// Every series whose labels are known beforehand.
struct Handles {
    stages: BTreeMap<&'static str, StageHandles>,
    inputs_read: Counter,
    inputs_ignored: Counter,
    inputs_decoded: Counter,
    uploads_derived: Counter,
    uploads: BTreeMap<UploadOutcome, Counter>,
    reversals_forwarded: Counter,
    reversed_at_issue: Counter,
    alerts: BTreeMap<(RuleId, Status), Counter>,
    observed: BTreeMap<RuleId, Counter>,
    allowed: BTreeMap<RuleId, Counter>,
    decisions: BTreeMap<(Verdict, bool), Counter>,
    decisions_withdrawn: Counter,
}

/// The series of one stage.
struct StageHandles {
    batch_records: Histogram,
    batch_bytes: Histogram,
    batch_seconds: Histogram,
    commit_seconds: Histogram,
    aborted: Counter,
    sessions_lost: Counter,
    restore_seconds: Histogram,
    restored_records: Counter,
    snapshots_taken: Counter,
    snapshots_failed: Counter,
    snapshot_seconds: Histogram,
    snapshot_bytes: Counter,
    partitions_owned: Gauge,
}

impl Handles {
    fn new() -> Self {
        let outcome = |name| counter(&declared::UPLOADS, vec![Label::new("outcome", name)]);
        Self {
            stages: STAGES.into_iter().map(|stage| (stage, StageHandles::new(stage))).collect(),
            inputs_read: counter(&declared::INPUTS_READ, vec![]),
            inputs_ignored: counter(&declared::INPUTS_IGNORED, vec![]),
            inputs_decoded: counter(&declared::INPUTS_DECODED, vec![]),
            uploads_derived: counter(&declared::UPLOADS_DERIVED, vec![]),
            uploads: BTreeMap::from([
                (UploadOutcome::Accepted, outcome("accepted")),
                (UploadOutcome::Duplicate, outcome("duplicate")),
                (UploadOutcome::Superseded, outcome("superseded")),
                (UploadOutcome::NoRoom, outcome("no_room")),
                (UploadOutcome::TooLate, outcome("too_late")),
            ]),
            reversals_forwarded: counter(&declared::REVERSALS_FORWARDED, vec![]),
            reversed_at_issue: counter(&declared::REVERSED_AT_ISSUE, vec![]),
            alerts: alert_counters(),
            observed: rule_counters(&declared::FINDINGS_OBSERVED),
            allowed: rule_counters(&declared::FINDINGS_ALLOWED),
            decisions: decision_counters(),
            decisions_withdrawn: counter(&declared::DECISIONS_WITHDRAWN, vec![]),
        }
    }

    /// Records at a stage; an unknown one has no series.
    fn of(&self, stage: &str, record: impl FnOnce(&StageHandles)) {
        if let Some(handles) = self.stages.get(stage) {
            record(handles);
        }
    }

    fn batch(&self, stage: &str, records: usize, bytes: usize) {
        if records > 0 {
            self.of(stage, |stage| {
                stage.batch_records.record(records as f64);
                stage.batch_bytes.record(bytes as f64);
            });
        }
    }

    fn restored(&self, stage: &str, records: u64, elapsed: Duration) {
        self.of(stage, |stage| {
            stage.restored_records.increment(records);
            stage.restore_seconds.record(elapsed);
        });
    }
}

impl StageHandles {
    fn new(stage: &'static str) -> Self {
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
            snapshots_taken: counter(&declared::SNAPSHOTS_TAKEN, labels()),
            snapshots_failed: counter(&declared::SNAPSHOTS_FAILED, labels()),
            snapshot_seconds: histogram(&declared::SNAPSHOT_SECONDS, labels()),
            snapshot_bytes: counter(&declared::SNAPSHOT_BYTES, labels()),
            partitions_owned: gauge(&declared::PARTITIONS_OWNED, labels()),
        }
    }
}

/// One series per rule.
fn rule_counters(metric: &declared::Metric) -> BTreeMap<RuleId, Counter> {
    RULES.iter().map(|rule| (rule.id, counter(metric, vec![Label::new("rule", rule.name)]))).collect()
}

fn alert_counters() -> BTreeMap<(RuleId, Status), Counter> {
    let mut counters = BTreeMap::new();
    for rule in RULES {
        for status in [Status::Raised, Status::Amended, Status::Withdrawn] {
            let labels = vec![Label::new("rule", rule.name), Label::new("status", status.name())];
            counters.insert((rule.id, status), counter(&declared::ALERTS, labels));
        }
    }
    counters
}

fn decision_counters() -> BTreeMap<(Verdict, bool), Counter> {
    let mut counters = BTreeMap::new();
    for verdict in [Verdict::Pay, Verdict::Hold, Verdict::Refuse] {
        for (provisional, name) in [(false, "false"), (true, "true")] {
            let labels = vec![Label::new("verdict", verdict.name()), Label::new("provisional", name)];
            counters.insert((verdict, provisional), counter(&declared::DECISIONS, labels));
        }
    }
    counters
}

fn increment<K: Ord>(counters: &BTreeMap<K, Counter>, key: K, count: u64) {
    if let Some(counter) = counters.get(&key) {
        counter.increment(count);
    }
}

fn of_partition(topic: &str, partition: i32) -> Vec<Label> {
    vec![Label::new("topic", topic.to_owned()), Label::new("partition", partition.to_string())]
}

fn partition_gauge(metric: &Metric, partition: &str) -> Gauge {
    gauge(metric, vec![Label::new("partition", partition.to_owned())])
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
