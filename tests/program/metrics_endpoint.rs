//! The endpoint for Prometheus shows every declared metric, and nothing else, as declared.
//!
//! The recorder belongs to the process, so all of it is one test in its own binary.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use tracewarden::domain::alert::Status;
use tracewarden::domain::claim::Verdict;
use tracewarden::domain::outcome::{RejectReason, UploadOutcome};
use tracewarden::domain::rules::RuleId;
use tracewarden::telemetry::exporter;
use tracewarden::telemetry::labels::StageLabel;
use tracewarden::telemetry::metrics::{self, declarations};

#[test]
fn the_endpoint_shows_what_is_declared_and_recorded() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = exporter::start(taken.local_addr().unwrap()).unwrap_err().to_string();
    assert!(refused.starts_with("http.listen: cannot serve metrics at 127.0.0.1:"), "{refused}");

    let listen = free_address();
    exporter::start(listen).unwrap();
    record_everything();
    let shown = get(listen);
    every_metric_is_shown_as_declared(&shown);
    recorded_values_are_shown(&shown);
}

fn record_everything() {
    let monitor = StageLabel("monitor");
    metrics::INPUTS_READ.add((), 4);
    metrics::INPUTS_REJECTED.add(RejectReason::Unparseable, 2);
    metrics::UPLOADS_REJECTED.add(RejectReason::OverLimit, 6);
    metrics::FIELDS_LEFT_OUT.add(["dev_no"], 2);
    metrics::UPLOADS.add(UploadOutcome::Accepted, 3);
    metrics::ALERTS.add((RuleId::Reflow, Status::Raised), 1);
    metrics::FINDINGS_OBSERVED.add(RuleId::UnknownProduct, 5);
    metrics::DECISIONS.add((Verdict::Hold, true), 1);
    metrics::DECISIONS_WITHDRAWN.add((), 7);
    metrics::PARTITIONS_OWNED.change(monitor, 4);
    metrics::PARTITIONS_OWNED.change(monitor, -1);
    metrics::LAG.set(["tracewarden.observations", "2"], 17.0);
    metrics::BATCH_RECORDS.record(monitor, 500.0);
    metrics::BATCH_BYTES.record(monitor, 70_000.0);
    metrics::BATCH_SECONDS.record(monitor, Duration::from_millis(13));
    metrics::COMMIT_SECONDS.record(monitor, Duration::from_millis(6));
    metrics::RESTORE_SECONDS.record(monitor, Duration::from_secs(2));
    metrics::SNAPSHOTS_TAKEN.add(monitor, 1);
    metrics::SNAPSHOT_BYTES.add(monitor, 4_096);
    metrics::SNAPSHOT_SECONDS.record(monitor, Duration::from_secs(3));
    metrics::SNAPSHOTS_FAILED.add(StageLabel("register"), 1);
    metrics::SNAPSHOT_AGE.set(["tracewarden.observations", "2"], Duration::from_secs(60));
    metrics::SNAPSHOT_OFFSET.set(["tracewarden.observations", "2"], 120.0);
    metrics::TRIMMED_OFFSET.set(["tracewarden.observations", "2"], 99.0);
    metrics::WATERMARK_DELAY.set(["documents/1"], Duration::from_millis(2_500));
    metrics::WALL_DELAY.set(["documents/1"], Duration::from_millis(300));
    metrics::COMMIT_SECONDS.record(StageLabel("no such stage"), Duration::from_secs(1));
}

fn every_metric_is_shown_as_declared(shown: &str) {
    for metric in declarations() {
        let kind = format!("# TYPE {} {}\n", metric.name, metric.kind.name());
        assert!(shown.contains(&kind), "{} is not a {}:\n{shown}", metric.name, metric.kind.name());
        assert!(shown.contains(&format!("# HELP {} {}\n", metric.name, metric.help)), "{}", metric.name);
        let series = shown.lines().find(|line| line.starts_with(metric.name)).unwrap_or_default();
        for label in metric.labels {
            assert!(series.contains(&format!("{label}=\"")), "{}: no label {label} in {series}", metric.name);
        }
    }
    let kinds = shown.lines().filter(|line| line.starts_with("# TYPE")).count();
    assert_eq!(kinds, declarations().count(), "something is recorded that is not declared:\n{shown}");
    assert!(!shown.contains("no such stage"));
}

fn recorded_values_are_shown(shown: &str) {
    for line in [
        "tracewarden_inputs_read_total 4",
        "tracewarden_snapshots_taken_total{stage=\"monitor\"} 1",
        "tracewarden_snapshots_failed_total{stage=\"register\"} 1",
        "tracewarden_snapshot_written_bytes_total{stage=\"monitor\"} 4096",
        "tracewarden_snapshot_age_seconds{topic=\"tracewarden.observations\",partition=\"2\"} 60",
        "tracewarden_trimmed_offset{topic=\"tracewarden.observations\",partition=\"2\"} 99",
        "tracewarden_inputs_rejected_total{reason=\"unparseable\"} 2",
        "tracewarden_uploads_total{outcome=\"accepted\"} 3",
        "tracewarden_uploads_total{outcome=\"duplicate\"} 0",
        "tracewarden_alerts_total{rule=\"reflow\",status=\"raised\"} 1",
        "tracewarden_alerts_total{rule=\"resale\",status=\"raised\"} 0",
        "tracewarden_findings_observed_total{rule=\"unknown_product\"} 5",
        "tracewarden_decisions_total{verdict=\"hold\",provisional=\"true\"} 1",
        "tracewarden_uploads_rejected_total{reason=\"over_limit\"} 6",
        "tracewarden_decisions_withdrawn_total 7",
        "tracewarden_commit_seconds_bucket{stage=\"monitor\",le=\"0.005\"} 0",
        "tracewarden_commit_seconds_bucket{stage=\"monitor\",le=\"0.01\"} 1",
        "tracewarden_batch_records_count{stage=\"monitor\"} 1",
        "tracewarden_partitions_owned{stage=\"monitor\"} 3",
        "tracewarden_lag_records{topic=\"tracewarden.observations\",partition=\"2\"} 17",
        "tracewarden_limits_hit_total{limit=\"timers_per_entry_max\"} 0",
        "tracewarden_inputs_rejected_total{reason=\"wrong_topic\"} 0",
        "tracewarden_watermark_delay_seconds{partition=\"documents/1\"} 2.5",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is missing in\n{shown}");
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
