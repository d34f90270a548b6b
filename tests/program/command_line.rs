//! The command line as its users meet it: readers who go away, wrong input, and what is said of it before any work.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::program::{command, complaint, printed, tracewarden};

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

/// The example in a folder of its own, with a line that is no JSON at its end.
fn example() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let from = repository().join("tests/examples/reflow");
    for name in ["reference.ndjson", "uploads.ndjson"] {
        fs::copy(from.join(name), home.path().join(name)).expect("a copy");
    }
    let uploads = fs::read_to_string(home.path().join("uploads.ndjson")).expect("uploads");
    fs::write(home.path().join("uploads.ndjson"), uploads.trim_end().to_owned() + "\n{]\n").expect("uploads");
    home
}

const REPLAY: &str = "replay uploads.ndjson --reference reference.ndjson";

#[test]
fn a_replay_names_what_moved_time_and_of_which_lines_nothing_is_known() {
    let home = example();
    let folder = home.path();
    let time = |options: &str| -> String {
        let printed = printed(folder, &format!("{REPLAY} {options}"));
        printed
            .lines()
            .find(|line| line.starts_with("time") || line.starts_with("时间"))
            .expect("a time")
            .to_owned()
    };
    let by_uploads = time("--out o");
    assert!(by_uploads.contains("moved furthest by uploads.ndjson line "), "{by_uploads}");
    let by_option = time("--until 2027-01-01T00:00:00+08:00");
    let expected = "2027-01-01T00:00:00+08:00, by --until; of the uploads uploads.ndjson line ";
    assert!(by_option.contains(expected), "{by_option}");
    let too_early = time("--until 2020-01-01T00:00:00+08:00");
    assert_eq!(too_early, by_uploads);
    let in_chinese = time("--until 2027-01-01T00:00:00+08:00 --language zh");
    assert!(in_chinese.contains("由 --until 指定"), "{in_chinese}");

    let letters = fs::read_to_string(folder.join("o/deadletter.ndjson")).expect("dead letters");
    assert!(letters.contains("\"received_at\":null") && !letters.contains("1970"), "{letters}");
}

#[test]
fn a_code_that_is_none_or_unknown_is_answered_in_one_language() {
    let home = example();
    let folder = home.path();
    for (language, not_one, unknown) in [
        ("zh", "不是追溯码", "没有任何单据报送过追溯码"),
        ("en", "is no trace code", "No document has reported"),
    ] {
        let said = complaint(folder, &format!("{REPLAY} --explain 123 --language {language}"), 64);
        assert!(said.contains(not_one) && said.lines().count() == 1, "{said}");
        let said = printed(folder, &format!("{REPLAY} --explain 81773220000000099999 --language {language}"));
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with(unknown) && last.contains("81773220000000099999"), "{said}");
        assert!(said.lines().filter(|line| line.contains("81773220000000099999")).count() == 1, "{said}");
    }
}

#[test]
fn files_are_looked_at_before_anything_is_done_or_said_of_other_things() {
    let home = example();
    let folder = home.path();
    fs::write(folder.join("file"), "{}\n").expect("a file");
    fs::create_dir(folder.join("folder")).expect("a folder");
    for (words, expected) in [
        ("replay none", "cannot read none: "),
        ("replay uploads.ndjson none", "cannot read none: "),
        ("replay folder", "name a file in it"),
        ("replay uploads.ndjson --reference none", "cannot read none: "),
        ("replay uploads.ndjson --out file/o", "cannot write file/o: "),
        ("demo --out file", "cannot write file: "),
        ("evaluate --alerts file --decisions file --truth none", "cannot read none: "),
        ("evaluate --alerts file --decisions file --truth file --html none/page", "cannot write none/page: "),
        ("evaluate --alerts file --decisions file --truth file --json folder", "cannot write folder: "),
    ] {
        let output = tracewarden(folder, words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(said.contains(expected) && said.contains("; "), "{words}: {said}");
        assert!(!said.contains("warning") && output.stdout.is_empty(), "{words}: {said}");
    }
}

#[test]
fn a_province_says_when_nothing_can_be_planted_and_refuses_days_that_are_none() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    for (days, expected) in [("0", "give 1 to 3660"), ("3661", "give 1 to 3660"), ("-1", "--days")] {
        let said = complaint(folder, &format!("simulate --out p --days={days}"), 64);
        assert!(said.contains(expected) && !folder.join("p").exists(), "{said}");
    }
    let small = "simulate --institutions 20 --codes-per-day 20 --out p";
    for (options, is_warned) in [("--days 10", true), ("--days 10 --no-fraud", false), ("--days 11", false)] {
        let output = tracewarden(folder, &format!("{small} {options}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{options}: {said}");
        assert_eq!(said.contains("nothing is planted"), is_warned, "{options}: {said}");
    }
}

#[test]
fn a_configuration_is_checked_as_it_would_run_and_nothing_is_made() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let check = |place: &str| {
        let key = "5a".repeat(32);
        let text = format!(
            "[intake]\npseudonym_key = \"{key}\"\n[store]\nkind = \"disk\"\npath = \"state\"\nsnapshot_url = \"{place}\"\n"
        );
        fs::write(folder.join("c.toml"), text).expect("a configuration");
        tracewarden(folder, "config check c.toml")
    };
    assert!(check("snapshots").status.success());
    for (place, expected) in [("gs://bucket/x", "cannot be kept in `gs:`"), ("c.toml", "is no folder")] {
        let output = check(place);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains("c.toml: store.snapshot_url: ") && said.contains(expected), "{said}");
    }
    let there: Vec<_> = fs::read_dir(folder).expect("a folder").filter_map(Result::ok).collect();
    assert_eq!(there.len(), 1, "{there:?}");
}
