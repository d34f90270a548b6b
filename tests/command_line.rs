//! The command line as its users meet it: readers who go away, wrong input, and what is said of it before any work.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use program::command;

#[path = "support/program.rs"]
mod program;

/// A pipe that nobody reads any more.
fn abandoned() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_reader_of_results_who_went_away_does_not_stop_the_work() {
    let home = tempfile::tempdir().expect("a folder");
    let example = repository().join("tests/examples/reflow");
    let replay = format!(
        "replay {0}/uploads.ndjson --reference {0}/reference.ndjson --out o --explain 81773220000000016835",
        example.display()
    );
    for words in ["rules", "rules --json", "config example", "simulate --example", "--help", &replay] {
        let output = command(home.path(), words).stdout(abandoned()).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{words}: {said}");
    }
    let alerts = fs::read_to_string(home.path().join("o/alerts.ndjson")).expect("alerts");
    assert!(alerts.ends_with('\n'), "{alerts}");
}

#[test]
fn an_error_that_nobody_reads_keeps_its_exit_code() {
    for (words, exit_code) in [("replay none", 1), ("config check none", 64), ("runs", 64)] {
        let status = command(repository(), words).stderr(abandoned()).status().expect("the program runs");
        assert_eq!(status.code(), Some(exit_code), "{words}");
    }
}

#[test]
fn a_full_disk_is_said() {
    let full = fs::File::options().write(true).open("/dev/full").expect("a full device");
    let output = command(repository(), "rules").stdout(full).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write to standard output"), "{said}");
}
