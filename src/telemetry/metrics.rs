//! The one table of metrics: name, kind, unit, labels, what it says, and the handles. What is not here is not recorded,
//! and what is here is on the reference page and, held by tests, on the dashboard.
//!
//! Names follow Prometheus: base units, `_total` for counters. Label values come from closed sets ([`labels`](super::labels))
//! or are topics, partitions and names of fields that the reader knows, so their number is bounded; codes, documents and institutions are never labels.
//!
//! Counts of a batch are kept in its tally and recorded when it is committed, so an aborted batch counts nothing.

use std::fmt::Write as _;

use super::labels::StageLabel;
use super::limit::Limit;
use super::metric::{Counter, Declared, Gauge, Histogram, Metric, OpenCounter, OpenGauge};
use crate::domain::alert::Status;
use crate::domain::claim::Verdict;
use crate::domain::outcome::{IgnoredBecause, Leniency, RejectReason, UploadOutcome};
use crate::domain::rules::RuleId;

/// Declares metrics and the table of all of them. What stands above a metric is its help.
macro_rules! declare {
    ($($(#[doc = $help:literal])+ $name:ident: $kind:ty = $metric:expr;)+) => {
        $(
            $(#[doc = $help])+
            pub static $name: $kind =
                <$kind>::new(Metric { help: concat!($($help),+).trim_ascii(), ..$metric });
        )+

        /// All metrics, in the order of the reference page.
        pub static METRICS: &[&dyn Declared] = &[$(&$name),+];
    };
}

/// Of one batch or transaction: a commit costs about 5 ms on a healthy cluster.
const SECONDS_SHORT: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Of rebuilding a partition's state.
const SECONDS_LONG: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];
const RECORDS: &[f64] = &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 100_000.0];
const BYTES: &[f64] = &[1_024.0, 8_192.0, 65_536.0, 524_288.0, 4_194_304.0, 33_554_432.0, 268_435_456.0];

declare! {
    /// 1, labelled with the version that runs.
    BUILD_INFO: OpenGauge = Metric::new("tracewarden_build_info").labels(&["version"]);

    /// Records read from the input topics; equals rejected + ignored + decoded.
    INPUTS_READ: Counter = Metric::new("tracewarden_inputs_read_total");

    /// Records refused as a whole; each has one dead letter with the same reason.
    INPUTS_REJECTED: Counter<RejectReason> = Metric::new("tracewarden_inputs_rejected_total");

    /// Uploads refused while others of the same record were taken; each has one dead letter with the same reason.
    UPLOADS_REJECTED: Counter<RejectReason> = Metric::new("tracewarden_uploads_rejected_total");

    /// Records that report no fact: messages of the national interface such as a pre-settlement (no_fact), messages that
    /// the platform did not take (refused_by_platform), records that move the clock (control).
    INPUTS_IGNORED: Counter<IgnoredBecause> = Metric::new("tracewarden_inputs_ignored_total");

    /// What was read although the interface's tables do not have it, by habit of senders.
    READ_LENIENTLY: Counter<Leniency> = Metric::new("tracewarden_read_leniently_total");

    /// Optional fields of the national interface that could not be read and were left out, by name.
    FIELDS_LEFT_OUT: OpenCounter = Metric::new("tracewarden_fields_left_out_total").labels(&["field"]);

    /// Records that became one or more uploads.
    INPUTS_DECODED: Counter = Metric::new("tracewarden_inputs_decoded_total");

    /// Uploads made from decoded records; equals the sum of tracewarden_uploads_total once nothing is in flight.
    UPLOADS_DERIVED: Counter = Metric::new("tracewarden_uploads_derived_total");

    /// Uploads merged into their document: accepted (something new), duplicate (all known already), superseded (older
    /// than what is known), no_room and too_late (refused with a dead letter, since the document is full, or about a
    /// moment behind store.horizon_days).
    UPLOADS: Counter<UploadOutcome> = Metric::new("tracewarden_uploads_total");

    /// Reversals passed on from an alias (a batch number, a settlement id) to the documents behind it.
    REVERSALS_FORWARDED: Counter = Metric::new("tracewarden_reversals_forwarded_total");

    /// Uploads and reversals of the same issued_at that met in a document. The national interface stamps whole seconds:
    /// a new upload within the second of a cancellation ends cancelled, whatever its sender meant.
    REVERSED_AT_ISSUE: Counter = Metric::new("tracewarden_uploads_reversed_at_issue_total");

    /// Alert revisions published: raised, amended, withdrawn. Raised less withdrawn are open.
    ALERTS: Counter<(RuleId, Status)> = Metric::new("tracewarden_alerts_total");

    /// Findings of rules whose action is observe: counted, never published.
    FINDINGS_OBSERVED: Counter<RuleId> = Metric::new("tracewarden_findings_observed_total");

    /// Findings silenced by an entry of `[[rules.allow]]`: counted and logged with the reason, never published.
    FINDINGS_ALLOWED: Counter<RuleId> = Metric::new("tracewarden_findings_allowed_total");

    /// Decision revisions published, by verdict (pay, hold, refuse) and whether provisional.
    DECISIONS: Counter<(Verdict, bool)> = Metric::new("tracewarden_decisions_total");

    /// Decisions withdrawn because their claim was taken back; not among tracewarden_decisions_total.
    DECISIONS_WITHDRAWN: Counter = Metric::new("tracewarden_decisions_withdrawn_total");

    /// Fen in the lines of decision revisions published, by the verdict of the line (pay, hold, refuse).
    DECIDED_FEN: Counter<Verdict> = Metric::new("tracewarden_decided_fen_total");

    /// Payments that came before their claim, or after it was taken back.
    PAYMENTS_UNCLAIMED: Counter = Metric::new("tracewarden_payments_unclaimed_total");

    /// Fen of the payments that came before their claim, or after it was taken back.
    PAYMENTS_UNCLAIMED_FEN: Counter = Metric::new("tracewarden_payments_unclaimed_fen_total");

    /// Partitions that the workers of this process own.
    PARTITIONS_OWNED: Gauge<StageLabel> = Metric::new("tracewarden_partitions_owned");

    /// Records of a partition that are written and not yet processed.
    LAG: OpenGauge = Metric::new("tracewarden_lag_records").labels(&["topic", "partition"]);

    /// Records in one batch.
    BATCH_RECORDS: Histogram<StageLabel> = Metric::new("tracewarden_batch_records").buckets(RECORDS);

    /// Bytes read in one batch.
    BATCH_BYTES: Histogram<StageLabel> = Metric::new("tracewarden_batch_bytes").bytes().buckets(BYTES);

    /// Time to apply one batch and commit it.
    BATCH_SECONDS: Histogram<StageLabel> =
        Metric::new("tracewarden_batch_seconds").seconds().buckets(SECONDS_SHORT);

    /// Time to publish and commit one batch in one transaction.
    COMMIT_SECONDS: Histogram<StageLabel> =
        Metric::new("tracewarden_commit_seconds").seconds().buckets(SECONDS_SHORT);

    /// Transactions that were aborted and done again; nothing of them is visible.
    TRANSACTIONS_ABORTED: Counter<StageLabel> = Metric::new("tracewarden_transactions_aborted_total");

    /// Broker sessions dropped because an outcome was unknown or the session was fenced; each leads to a restore.
    SESSIONS_LOST: Counter<StageLabel> = Metric::new("tracewarden_sessions_lost_total");

    /// Time to rebuild the state of one partition after it was assigned.
    RESTORE_SECONDS: Histogram<StageLabel> =
        Metric::new("tracewarden_restore_seconds").seconds().buckets(SECONDS_LONG);

    /// Records applied again, without outputs, to rebuild state.
    RESTORED_RECORDS: Counter<StageLabel> = Metric::new("tracewarden_restored_records_total");

    /// Snapshots of partitions that were written to store.snapshot_url.
    SNAPSHOTS_TAKEN: Counter<StageLabel> = Metric::new("tracewarden_snapshots_taken_total");

    /// Snapshots that could not be written; the log says why, and the next turn tries again.
    SNAPSHOTS_FAILED: Counter<StageLabel> = Metric::new("tracewarden_snapshots_failed_total");

    /// Time to write one snapshot, beside the work.
    SNAPSHOT_SECONDS: Histogram<StageLabel> =
        Metric::new("tracewarden_snapshot_seconds").seconds().buckets(SECONDS_LONG);

    /// Bytes written for snapshots: what the snapshot before did not have.
    SNAPSHOT_BYTES: Counter<StageLabel> = Metric::new("tracewarden_snapshot_written_bytes_total").bytes();

    /// Age of the newest snapshot of a partition, or how long this process has owned it without taking one.
    SNAPSHOT_AGE: OpenGauge =
        Metric::new("tracewarden_snapshot_age_seconds").labels(&["topic", "partition"]).seconds();

    /// Offset of the newest snapshot that this process took of a partition.
    SNAPSHOT_OFFSET: OpenGauge = Metric::new("tracewarden_snapshot_offset").labels(&["topic", "partition"]);

    /// First offset still in the log of a partition after this process trimmed it (store.trim_internal_topics).
    TRIMMED_OFFSET: OpenGauge = Metric::new("tracewarden_trimmed_offset").labels(&["topic", "partition"]);

    /// How far the event time of a partition (now) is behind the wall clock: the age of the backlog. Graces wait for
    /// it.
    WATERMARK_DELAY: OpenGauge =
        Metric::new("tracewarden_watermark_delay_seconds").labels(&["partition"]).seconds();

    /// How far the wall clock that travels with the records is behind the real one. Decision deadlines wait for it.
    WALL_DELAY: OpenGauge = Metric::new("tracewarden_wall_delay_seconds").labels(&["partition"]).seconds();

    /// How often a limit that keeps state or work bounded was reached.
    LIMITS_HIT: Counter<Limit> = Metric::new("tracewarden_limits_hit_total");

    /// Documents, codes, claims and members of aliases removed since they are older than store.horizon_days.
    STATE_FORGOTTEN: Counter<StageLabel> = Metric::new("tracewarden_state_forgotten_total");
}

/// Every metric, as it was declared.
pub fn declarations() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().map(|metric| metric.metric())
}

/// Makes the handles, against the recorder in force, and says which version runs.
pub(super) fn make_handles() {
    for metric in METRICS {
        metric.make_handles();
    }
    BUILD_INFO.set([env!("CARGO_PKG_VERSION")], 1.0);
}

/// The reference page; `deploy/reference/metrics.md` is this text.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Metrics\n\nMade from the declarations in `src/telemetry/metrics.rs`. The endpoint is `/metrics` at \
         `http.listen`, in the text format of Prometheus.\n\n| name | kind | unit | labels | meaning |\n|---|---|---|---|---|\n",
    );
    for metric in declarations() {
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
    use crate::telemetry::metric::Kind;

    #[test]
    fn declarations_follow_the_naming_rules() {
        for metric in declarations() {
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
