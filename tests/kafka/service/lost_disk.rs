//! A service that takes snapshots and trims its logs behind them loses its disk.

use std::fs;
use std::time::Instant;

use tracewarden::broker::kafka::read::PartitionReader;
use tracewarden::pipeline::topics::Topic;

use super::answers::{complaint, install_with, publish};
use super::worlds;
use crate::support::installation::Installation;
use crate::support::watcher::{PATIENCE, Watcher};

const UPLOADS_AT_ONCE: usize = 12;
const TRIMMED: [Topic; 2] = [Topic::Documents, Topic::Observations];

/// The least offset still there in the logs of a topic's partitions.
fn first_offsets(installation: &Installation, topic: Topic) -> Vec<i64> {
    let first = |partition| {
        let mut first = None;
        let reader = PartitionReader::from_beginning(&installation.settings(), &partition).unwrap();
        reader.read_to_end(|records| first = first.or(records.first().map(|record| record.offset))).unwrap();
        first.unwrap_or_default()
    };
    installation.topology.all(topic).map(first).collect()
}

#[test]
fn a_lost_disk_comes_back_from_snapshots_and_trimmed_logs() {
    needs_kafka!();
    let case = worlds::province();
    let root = tempfile::tempdir().unwrap();
    let [state, snapshots] = ["state", "snapshots"].map(|name| root.path().join(name));
    let installation = install_with(&case, |installation| {
        installation
            .with("STORE_KIND", "disk")
            .with("STORE_PATH", state.to_str().unwrap())
            .with("STORE_SNAPSHOT_URL", snapshots.to_str().unwrap())
            .with("STORE_SNAPSHOT_EVERY_MINUTES", "0")
            .with("STORE_SNAPSHOTS_KEPT", "2")
            .with("STORE_TRIM_INTERNAL_TOPICS", "true")
    });
    let mut watcher = Watcher::new(&installation);
    let mut parts = case.uploads.chunks(UPLOADS_AT_ONCE);

    // In small parts: snapshots are taken between them, and the logs are trimmed behind the second.
    let service = installation.run(0, &["--clock", "uploads"]);
    let trimmed = |topic: Topic| {
        let (log, name) = (service.log(), installation.topology.name(topic).clone());
        log.lines().any(|line| line.contains("the log was trimmed") && line.contains(&*name))
    };
    let deadline = Instant::now() + PATIENCE;
    while !TRIMMED.into_iter().all(&trimmed) {
        assert!(
            Instant::now() < deadline,
            "the logs are not trimmed within {PATIENCE:?}:\n{}",
            service.log()
        );
        if watcher.is_all_processed()
            && let Some(part) = parts.next()
        {
            publish(&installation, part, case.now);
        }
        watcher.read();
    }
    assert!(parts.len() > 0, "it had seen everything: this shows little");
    service.kill();
    for topic in TRIMMED {
        let first = first_offsets(&installation, topic);
        assert!(first.iter().any(|first| *first > 0), "{topic:?} still begins at {first:?}");
    }
    fs::remove_dir_all(&state).unwrap();

    let service = installation.run(0, &["--clock", "uploads"]);
    parts.for_each(|part| publish(&installation, part, case.now));
    installation.succeed(&["tick", "--at", &case.now.to_string()]);
    watcher.read_until_at_rest(case.now);
    let text = complaint(&case.expected, &watcher);
    assert!(text.is_empty(), "expected (-) and found (+) differ:\n{text}\n{}", service.log());
    assert!(service.log().contains("filling the store from a snapshot"), "{}", service.log());
    service.stop();
    assert!(installation.succeed(&["snapshots", "verify"]).contains("whole"));
}
