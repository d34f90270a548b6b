//! The examples end as demanded, with one process and with two that share the partitions, of which one is killed.

use std::fmt::Write as _;

use tracewarden::domain::time::Timestamp;

use crate::installation::Installation;
use crate::oracle::Answer;
use crate::watcher::Watcher;
use crate::worlds::{self, Case};

/// Of the random worlds, every so many are part of the usual run.
const WORLDS_STEP: usize = 8;

/// Puts a case's reference data in place.
fn install(case: &Case) -> Installation {
    let installation = Installation::new(&case.name);
    installation.load_reference(&case.reference);
    installation
}

fn publish(installation: &Installation, uploads: &[String], stamp: Timestamp) {
    let publisher = installation.publisher();
    for (number, upload) in uploads.iter().enumerate() {
        // Stamped with the world's own time: no upload is ahead of the clock, whatever day the test is run on.
        publisher.publish_stamped(&installation.upload(upload, number), Some(stamp.unix_millis())).unwrap();
    }
    publisher.flush().unwrap();
}

/// What is wrong with how a case ended.
fn complaint(expected: &Answer, watcher: &Watcher) -> String {
    watcher.assert_gapless();
    expected.difference(&watcher.answer())
}

fn ends_as_demanded(case: &Case) -> String {
    let installation = install(case);
    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &["--clock", "uploads"]);
    publish(&installation, &case.uploads, case.now);
    installation.succeed(&["tick", "--at", &case.now.to_string()]);
    watcher.read_until_at_rest(case.now);
    let mut text = complaint(&case.expected, &watcher);
    service.stop();
    assert!(watcher.read_everything(), "a transaction is open after the end");
    let at_the_end = complaint(&case.expected, &watcher);
    if at_the_end != text {
        let _ = write!(text, "after the end:\n{at_the_end}");
    }
    text
}

#[test]
fn examples_end_as_demanded() {
    let all = std::env::var("KAFKA_EXAMPLES").is_ok_and(|which| which == "all");
    let mut report = String::new();
    for (number, case) in worlds::examples().iter().enumerate() {
        if !all && case.name.starts_with("world-") && number % WORLDS_STEP != 0 {
            continue;
        }
        let text = ends_as_demanded(case);
        if !text.is_empty() {
            let _ = writeln!(report, "{}:\n{text}", case.name);
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}
