//! The `replay` command itself, as a user calls it.

use std::fs;
use std::process::Command;

use crate::support::cases;
use crate::support::fold::Fold;

#[test]
fn the_replay_command_ends_every_example_as_demanded() {
    let mut report = String::new();
    for case in cases::examples() {
        let (name, folder) = (case.name(), &case.folder);
        let out = tempfile::tempdir().expect("a folder for the outputs");
        let replay = Command::new(env!("CARGO_BIN_EXE_tracewarden"))
            .arg("replay")
            .arg(folder.join("uploads.ndjson"))
            .arg("--reference")
            .arg(folder.join("reference.ndjson"))
            .arg("--until")
            .arg(&case.until)
            .arg("--out")
            .arg(out.path())
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&replay.stdout).into_owned();
        assert!(replay.status.success(), "{name}: {}", String::from_utf8_lossy(&replay.stderr));
        assert!(said.contains("0 in flight"), "{name}: {said}");
        let mut fold = Fold::default();
        let lines = |file: &str| fs::read_to_string(out.path().join(file)).expect("the output is there");
        lines("alerts.ndjson").lines().for_each(|line| fold.alert(line.as_bytes()));
        lines("decisions.ndjson").lines().for_each(|line| fold.decision(line.as_bytes()));
        let difference = case.expected.difference(&fold.answer());
        if !difference.is_empty() || !fold.gaps.is_empty() {
            report.push_str(&format!("{name}:\n{difference}{:?}\n", fold.gaps));
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

/// Where state is kept changes no byte of what is published.
#[test]
fn a_replay_with_its_state_on_disk_publishes_the_same_bytes() {
    let case = cases::examples()
        .into_iter()
        .max_by_key(|case| fs::metadata(case.folder.join("uploads.ndjson")).unwrap().len());
    let folder = case.expect("there are examples").folder;
    let root = tempfile::tempdir().expect("a folder for the outputs");
    let published = |name: &str, store: &[&str]| {
        let out = root.path().join(name);
        let replay = Command::new(env!("CARGO_BIN_EXE_tracewarden"))
            .current_dir(root.path())
            .arg("replay")
            .arg(folder.join("uploads.ndjson"))
            .args(["--out", name, "--partitions", "3"])
            .args(store)
            .output()
            .expect("the binary runs");
        assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
        let files = ["alerts.ndjson", "decisions.ndjson", "deadletter.ndjson", "senders.ndjson"];
        files.map(|file| fs::read(out.join(file)).expect("the output is there"))
    };
    let in_memory = published("memory", &[]);
    assert!(!in_memory[1].is_empty(), "something is decided");
    assert_eq!(published("disk", &["--store", "state"]), in_memory);
    assert_eq!(published("again", &["--store", "state"]), in_memory, "what an earlier run left is not used");
    assert!(root.path().join("state").read_dir().unwrap().count() > 0, "the state is there");
}
