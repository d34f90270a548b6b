//! The same files through the `replay` command: the answers, the dead letters, and the accounting that it prints.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::run::dead_letter;
use super::samples;
use crate::support::cases::{self, Case};
use crate::support::fold::Fold;

#[test]
fn replay_answers_the_same_and_its_accounts_add_up() {
    const REPLAYED: [&str; 7] = [
        "2102-pharmacy-settlement",
        "3505-sale",
        "envelope",
        "course-outpatient",
        "course-inpatient",
        "course-pharmacy",
        "cancelled-within-a-second",
    ];
    let mut replayed = 0;
    for sample in cases::national().iter().filter(|sample| REPLAYED.contains(&sample.name().as_str())) {
        check(sample);
        replayed += 1;
    }
    assert_eq!(replayed, REPLAYED.len());
}

fn check(sample: &Case) {
    let out = tempfile::tempdir().expect("a folder for the output");
    let output = Command::new(env!("CARGO_BIN_EXE_tracewarden"))
        .arg("replay")
        .arg(sample.folder.join("uploads.ndjson"))
        .arg("--reference")
        .arg(sample.folder.join("reference.ndjson"))
        .args(["--until", &sample.until])
        .arg("--out")
        .arg(out.path())
        .args(["--language", "en"])
        .output()
        .expect("replay runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {}", sample.name(), String::from_utf8_lossy(&output.stderr));
    let lines = |name: &str| -> Vec<Value> { cases::values(&Path::new(out.path()).join(name)) };
    let mut fold = Fold::default();
    lines("alerts.ndjson").iter().for_each(|alert| fold.alert(alert.to_string().as_bytes()));
    lines("decisions.ndjson").iter().for_each(|decision| fold.decision(decision.to_string().as_bytes()));
    let difference = sample.expected.difference(&fold.answer());
    assert!(difference.is_empty() && fold.gaps.is_empty(), "{}:\n{difference}", sample.name());
    let letters: Vec<Value> = lines("deadletter.ndjson").iter().map(dead_letter).collect();
    assert_eq!(letters, samples::dead_letters(sample), "{}", sample.name());
    check_accounts(&printed, sample.uploads.len() as u64);
    let pairs = if sample.name() == "cancelled-within-a-second" { 1 } else { 0 };
    assert_eq!(printed.matches("\nreversed    1 by a reversal of the moment").count(), pairs, "{printed}");
}

/// `records 7 read = 2 rejected + 0 ignored + 5 decoded`, `uploads 8 derived = … + 0 in flight`.
fn check_accounts(printed: &str, messages: u64) {
    let numbers = |name: &str| -> Vec<u64> {
        let line = printed.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in:\n{printed}"));
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let records = numbers("records ");
    // A control record moves time to its end: it is read, and ignored.
    assert!((messages..=messages + 1).contains(&records[0]), "{printed}");
    assert_eq!(records[0], records[1..].iter().sum::<u64>(), "{printed}");
    let uploads = numbers("uploads ");
    assert_eq!(uploads[0], uploads[1..].iter().sum::<u64>(), "{printed}");
    assert_eq!((uploads.len(), uploads[6]), (7, 0), "in flight at rest:\n{printed}");
}
