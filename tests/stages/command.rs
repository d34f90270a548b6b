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
