//! The `replay` command itself, as a user calls it.

use std::fs;
use std::process::Command;

use tracewarden::run::local::LocalOptions;
use tracewarden::run::state::StateHome;
use tracewarden::store::folder::StateFolder;

use crate::support::fold::Fold;
use crate::support::{cases, local};

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

/// Where state is kept changes no byte of what is published, whether it is written at once or held.
#[test]
fn a_run_with_its_state_on_disk_publishes_the_same_bytes() {
    for case in cases::examples().into_iter().rev().step_by(9) {
        let world = case.world();
        let published = |state: StateHome, write_buffer_bytes: usize| {
            let options = LocalOptions { state, write_buffer_bytes, partitions: 3, ..local::options("") };
            let outputs = local::fed(&world, &options).drain().unwrap();
            outputs.into_iter().map(|output| (output.topic, output.record.payload)).collect::<Vec<_>>()
        };
        let in_memory = published(StateHome::Memory, 0);
        assert!(!in_memory.is_empty(), "something is published");
        for write_buffer_bytes in [0, usize::MAX] {
            let root = tempfile::tempdir().expect("a folder for the state");
            let on_disk = StateHome::Disk(StateFolder::new(root.path(), 4 << 20));
            assert!(published(on_disk, write_buffer_bytes) == in_memory, "{}", case.name());
        }
    }
}

#[test]
fn a_folder_with_the_state_of_another_run_is_refused() {
    let case = cases::examples().into_iter().next().expect("there are examples");
    let root = tempfile::tempdir().expect("a folder for the state");
    let replay = || {
        let replay = Command::new(env!("CARGO_BIN_EXE_tracewarden"))
            .current_dir(root.path())
            .arg("replay")
            .arg(case.folder.join("uploads.ndjson"))
            .args(["--store", "state"])
            .output()
            .expect("the binary runs");
        (replay.status.code(), String::from_utf8_lossy(&replay.stderr).into_owned())
    };
    assert_eq!(replay().0, Some(0));
    let (code, said) = replay();
    assert!(code == Some(64) && said.contains("--store: state is not empty"), "{code:?} {said}");
}
