//! The one table of metrics: name, kind, unit, labels, help. What is not here is not recorded.
//!
//! Names follow Prometheus: base units, `_total` for counters. Label values come from closed sets (rules, stages,
//! reasons, topics, partitions), so their number is bounded; codes, documents and institutions are never labels.

use std::fmt::Write as _;

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
}

/// What a metric counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// Declaration of one metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Full name, as Prometheus sees it.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Upper bounds of the buckets of a histogram.
    pub buckets: &'static [f64],
    /// What it says.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, labels, buckets: &[], help }
}

const fn gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, labels, buckets: &[], help }
}

const fn histogram(name: &'static str, unit: Unit, buckets: &'static [f64], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, unit, labels: STAGE, buckets, help }
}

const STAGE: &[&str] = &["stage"];

/// Of one batch or transaction: a commit costs about 5 ms on a healthy cluster.
const SECONDS_SHORT: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Of rebuilding a partition's state.
const SECONDS_LONG: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];
const RECORDS: &[f64] = &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0];
const BYTES: &[f64] = &[1_024.0, 8_192.0, 65_536.0, 524_288.0, 4_194_304.0, 33_554_432.0, 268_435_456.0];

/// The version that runs.
pub const BUILD_INFO: Metric =
    gauge("tracewarden_build_info", Unit::Count, &["version"], "1, labelled with the version that runs.");

/// Records read from an input topic.
pub const INPUTS_READ: Metric = counter(
    "tracewarden_inputs_read_total",
    &[],
    "Records read from the input topics; equals rejected + ignored + decoded.",
);

/// Records rejected.
pub const INPUTS_REJECTED: Metric = counter(
    "tracewarden_inputs_rejected_total",
    &["reason"],
    "Records refused as a whole; each has one dead letter with the same reason.",
);

/// Uploads refused beside others of the same record.
pub const UPLOADS_REJECTED: Metric = counter(
    "tracewarden_uploads_rejected_total",
    &["reason"],
    "Uploads refused while others of the same record were taken; each has one dead letter with the same reason.",
);

/// Records that report no fact.
pub const INPUTS_IGNORED: Metric = counter(
    "tracewarden_inputs_ignored_total",
    &["cause"],
    "Records that report no fact: messages of the national interface such as a pre-settlement (no_fact), messages that \
     the platform did not take (refused_by_platform), records that move the clock (control).",
);

/// Habits of senders.
pub const READ_LENIENTLY: Metric = counter(
    "tracewarden_read_leniently_total",
    &["habit"],
    "What was read although the interface's tables do not have it, by habit of senders.",
);

/// Fields left out.
pub const FIELDS_LEFT_OUT: Metric = counter(
    "tracewarden_fields_left_out_total",
    &["field"],
    "Optional fields of the national interface that could not be read and were left out, by name.",
);

/// Records decoded.
pub const INPUTS_DECODED: Metric =
    counter("tracewarden_inputs_decoded_total", &[], "Records that became one or more uploads.");

/// Uploads made from records.
pub const UPLOADS_DERIVED: Metric = counter(
    "tracewarden_uploads_derived_total",
    &[],
    "Uploads made from decoded records; equals the sum of tracewarden_uploads_total once nothing is in flight.",
);

/// Uploads merged, by outcome.
pub const UPLOADS: Metric = counter(
    "tracewarden_uploads_total",
    &["outcome"],
    "Uploads merged into their document: accepted (something new), duplicate (all known already), superseded \
     (older than what is known), no_room and too_late (refused with a dead letter, since the document is full, or about \
     a moment behind store.horizon_days).",
);

/// Reversals passed on.
pub const REVERSALS_FORWARDED: Metric = counter(
    "tracewarden_reversals_forwarded_total",
    &[],
    "Reversals passed on from an alias (a batch number, a settlement id) to the documents behind it.",
);

/// Uploads that met a reversal of their own stamp.
pub const REVERSED_AT_ISSUE: Metric = counter(
    "tracewarden_uploads_reversed_at_issue_total",
    &[],
    "Uploads and reversals of the same issued_at that met in a document. The national interface stamps whole seconds: \
     a new upload within the second of a cancellation ends cancelled, whatever its sender meant.",
);

/// Alert revisions.
pub const ALERTS: Metric = counter(
    "tracewarden_alerts_total",
    &["rule", "status"],
    "Alert revisions published: raised, amended, withdrawn. Raised less withdrawn are open.",
);

/// Findings that are only observed.
pub const FINDINGS_OBSERVED: Metric = counter(
    "tracewarden_findings_observed_total",
    &["rule"],
    "Findings of rules whose action is observe: counted, never published.",
);

/// Findings silenced by an allowance.
pub const FINDINGS_ALLOWED: Metric = counter(
    "tracewarden_findings_allowed_total",
    &["rule"],
    "Findings silenced by an entry of [[rules.allow]]: counted and logged with the reason, never published.",
);

/// Decision revisions.
pub const DECISIONS: Metric = counter(
    "tracewarden_decisions_total",
    &["verdict", "provisional"],
    "Decision revisions published, by verdict (pay, hold, refuse).",
);

/// Decisions withdrawn.
pub const DECISIONS_WITHDRAWN: Metric = counter(
    "tracewarden_decisions_withdrawn_total",
    &[],
    "Decisions withdrawn because their claim was taken back; not among tracewarden_decisions_total.",
);

/// Partitions owned.
pub const PARTITIONS_OWNED: Metric = gauge(
    "tracewarden_partitions_owned",
    Unit::Count,
    STAGE,
    "Partitions that the workers of this process own.",
);

/// Records still to be read.
pub const LAG: Metric = gauge(
    "tracewarden_lag_records",
    Unit::Count,
    &["topic", "partition"],
    "Records of a partition that are written and not yet processed.",
);

/// Records per batch.
pub const BATCH_RECORDS: Metric =
    histogram("tracewarden_batch_records", Unit::Count, RECORDS, "Records in one batch.");

/// Bytes per batch.
pub const BATCH_BYTES: Metric =
    histogram("tracewarden_batch_bytes", Unit::Bytes, BYTES, "Bytes read in one batch.");

/// Time to apply a batch.
pub const BATCH_SECONDS: Metric = histogram(
    "tracewarden_batch_seconds",
    Unit::Seconds,
    SECONDS_SHORT,
    "Time to apply one batch and commit it.",
);

/// Time to commit a batch.
pub const COMMIT_SECONDS: Metric = histogram(
    "tracewarden_commit_seconds",
    Unit::Seconds,
    SECONDS_SHORT,
    "Time to publish and commit one batch in one transaction.",
);

/// Transactions aborted.
pub const TRANSACTIONS_ABORTED: Metric = counter(
    "tracewarden_transactions_aborted_total",
    STAGE,
    "Transactions that were aborted and done again; nothing of them is visible.",
);

/// Sessions lost.
pub const SESSIONS_LOST: Metric = counter(
    "tracewarden_sessions_lost_total",
    STAGE,
    "Broker sessions dropped because an outcome was unknown or the session was fenced; each leads to a restore.",
);

/// Time to restore.
pub const RESTORE_SECONDS: Metric = histogram(
    "tracewarden_restore_seconds",
    Unit::Seconds,
    SECONDS_LONG,
    "Time to rebuild the state of one partition after it was assigned.",
);

/// Records applied to restore.
pub const RESTORED_RECORDS: Metric = counter(
    "tracewarden_restored_records_total",
    STAGE,
    "Records applied again, without outputs, to rebuild state.",
);

/// Snapshots taken.
pub const SNAPSHOTS_TAKEN: Metric = counter(
    "tracewarden_snapshots_taken_total",
    STAGE,
    "Snapshots of partitions that were written to store.snapshot_url.",
);

/// Snapshots that failed.
pub const SNAPSHOTS_FAILED: Metric = counter(
    "tracewarden_snapshots_failed_total",
    STAGE,
    "Snapshots that could not be written; the log says why, and the next turn tries again.",
);

/// Time to take a snapshot.
pub const SNAPSHOT_SECONDS: Metric = histogram(
    "tracewarden_snapshot_seconds",
    Unit::Seconds,
    SECONDS_LONG,
    "Time to write one snapshot, beside the work.",
);

/// Bytes written for snapshots.
pub const SNAPSHOT_BYTES: Metric = Metric {
    unit: Unit::Bytes,
    ..counter(
        "tracewarden_snapshot_written_bytes_total",
        STAGE,
        "Bytes written for snapshots: what the snapshot before did not have.",
    )
};

/// Age of the newest snapshot.
pub const SNAPSHOT_AGE: Metric = gauge(
    "tracewarden_snapshot_age_seconds",
    Unit::Seconds,
    &["topic", "partition"],
    "Age of the newest snapshot of a partition, or how long this process has owned it without taking one.",
);

/// Offset of the newest snapshot.
pub const SNAPSHOT_OFFSET: Metric = gauge(
    "tracewarden_snapshot_offset",
    Unit::Count,
    &["topic", "partition"],
    "Offset of the newest snapshot that this process took of a partition.",
);

/// First offset of a trimmed log.
pub const TRIMMED_OFFSET: Metric = gauge(
    "tracewarden_trimmed_offset",
    Unit::Count,
    &["topic", "partition"],
    "First offset still in the log of a partition after this process trimmed it (store.trim_internal_topics).",
);

/// How far event time is behind.
pub const WATERMARK_DELAY: Metric = gauge(
    "tracewarden_watermark_delay_seconds",
    Unit::Seconds,
    &["partition"],
    "How far the event time of a partition (now) is behind the wall clock: the age of the backlog. Graces wait for it.",
);

/// How far the travelling wall clock is behind.
pub const WALL_DELAY: Metric = gauge(
    "tracewarden_wall_delay_seconds",
    Unit::Seconds,
    &["partition"],
    "How far the wall clock that travels with the records is behind the real one. Decision deadlines wait for it.",
);

/// Limits hit.
pub const LIMITS_HIT: Metric = counter(
    "tracewarden_limits_hit_total",
    &["limit"],
    "How often a limit that keeps state or work bounded was reached.",
);

/// State forgotten.
pub const STATE_FORGOTTEN: Metric = counter(
    "tracewarden_state_forgotten_total",
    &["stage"],
    "Documents, codes, claims and members of aliases removed since they are older than store.horizon_days.",
);

/// All metrics, in the order of the reference page.
pub const METRICS: &[Metric] = &[
    BUILD_INFO,
    INPUTS_READ,
    INPUTS_REJECTED,
    UPLOADS_REJECTED,
    INPUTS_IGNORED,
    READ_LENIENTLY,
    FIELDS_LEFT_OUT,
    INPUTS_DECODED,
    UPLOADS_DERIVED,
    UPLOADS,
    REVERSALS_FORWARDED,
    REVERSED_AT_ISSUE,
    ALERTS,
    FINDINGS_OBSERVED,
    FINDINGS_ALLOWED,
    DECISIONS,
    DECISIONS_WITHDRAWN,
    PARTITIONS_OWNED,
    LAG,
    BATCH_RECORDS,
    BATCH_BYTES,
    BATCH_SECONDS,
    COMMIT_SECONDS,
    TRANSACTIONS_ABORTED,
    SESSIONS_LOST,
    RESTORE_SECONDS,
    RESTORED_RECORDS,
    SNAPSHOTS_TAKEN,
    SNAPSHOTS_FAILED,
    SNAPSHOT_SECONDS,
    SNAPSHOT_BYTES,
    SNAPSHOT_AGE,
    SNAPSHOT_OFFSET,
    TRIMMED_OFFSET,
    WATERMARK_DELAY,
    WALL_DELAY,
    LIMITS_HIT,
    STATE_FORGOTTEN,
];

impl Kind {
    /// The name on the reference page and at the endpoint.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Unit {
    /// The name on the reference page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }
}

/// The reference page; `deploy/reference/metrics.md` is this text.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Metrics\n\nMade from the declarations in `src/telemetry/declared.rs`. The endpoint is `/metrics` at \
         `http.listen`, in the text format of Prometheus.\n\n| name | kind | unit | labels | meaning |\n|---|---|---|---|---|\n",
    );
    for metric in METRICS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            metric.name,
            metric.kind.name(),
            metric.unit.name(),
            metric.labels.join(", "),
            metric.help
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

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
