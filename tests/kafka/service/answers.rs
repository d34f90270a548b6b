//! The examples end as demanded, with one process and with two that share the partitions, of which one is killed.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;

use tracewarden::domain::time::Timestamp;

use super::worlds::{self, Case};
use crate::support::installation::Installation;
use crate::support::watcher::Watcher;
use oracle::Answer;

/// How often a process is killed.
const DEATHS: usize = 3;

/// Examples that run at the same time: most of their time they wait for each other's start and end.
const AT_ONCE: usize = 4;

/// Puts a case's reference data in place.
fn install(case: &Case) -> Installation {
    install_with(case, |installation| installation)
}

/// The same, with options of the test's own.
pub(crate) fn install_with(case: &Case, options: impl FnOnce(Installation) -> Installation) -> Installation {
    let installation = options(Installation::new(&case.name));
    installation.load_reference(&case.reference);
    installation
}

pub(crate) fn publish(installation: &Installation, uploads: &[String], stamp: Timestamp) {
    let publisher = installation.publisher();
    for (number, upload) in uploads.iter().enumerate() {
        // Stamped with the world's own time: no upload is ahead of the clock, whatever day the test is run on.
        publisher.publish_stamped(&installation.upload(upload, number), Some(stamp.unix_millis())).unwrap();
    }
    publisher.flush().unwrap();
}

/// What is wrong with how a case ended.
pub(crate) fn complaint(expected: &Answer, watcher: &Watcher) -> String {
    watcher.assert_gapless();
    assert_eq!(watcher.lost_and_doubled(), (Vec::new(), Vec::new()), "{} uploads", watcher.uploads());
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
    needs_kafka!();
    let cases = worlds::examples();
    let waiting = Mutex::new(cases.iter());
    let report = Mutex::new(String::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = next(&waiting) {
                    let text = ends_as_demanded(case);
                    if !text.is_empty() {
                        let _ = writeln!(report.lock().unwrap(), "{}:\n{text}", case.name);
                    }
                }
            });
        }
    });
    let report = report.into_inner().unwrap();
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap().next()
}

/// Two processes share the partitions of a province; one is killed in the midst of its work and comes back, again and
/// again: nothing is lost, nothing doubled.
#[test]
fn a_killed_process_loses_and_doubles_nothing() {
    needs_kafka!();
    let case = worlds::province();
    // Small batches: the work lasts, so that the process dies in the midst of it.
    let installation = Installation::new(&case.name).with("STAGE_BATCH_RECORDS_MAX", "20");
    installation.load_reference(&case.reference);
    let mut watcher = Watcher::new(&installation);
    let mut parts = case.uploads.chunks(case.uploads.len().div_ceil(DEATHS + 1));

    let stays = installation.run(0, &["--clock", "uploads"]);
    let mut dies = installation.run(1, &["--clock", "uploads"]);
    publish(&installation, parts.next().unwrap_or_default(), case.now);
    for part in parts {
        watcher.read_until("both processes work", |_| stays.owns_partitions() && dies.owns_partitions());
        publish(&installation, part, case.now);
        let seen = watcher.alerts.len();
        watcher.read_until("alerts come", |watcher| watcher.alerts.len() > seen);
        dies.kill();
        assert!(!watcher.is_all_processed(), "it died when all was done: this shows nothing");
        dies = installation.run(1, &["--clock", "uploads"]);
    }
    installation.succeed(&["tick", "--at", &case.now.to_string()]);
    watcher.read_until_at_rest(case.now);

    let text = complaint(&case.expected, &watcher);
    assert!(text.is_empty(), "expected (-) and found (+) differ:\n{text}\n{}\n{}", stays.log(), dies.log());
    stays.stop();
    dies.stop();
    assert!(watcher.read_everything(), "a transaction is open after the end");
    let text = complaint(&case.expected, &watcher);
    assert!(text.is_empty(), "after the end:\n{text}");
}
