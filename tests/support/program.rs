//! Runs the program in a folder, as somebody types it.

// Every test binary compiles this for itself and uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::process::{Command, Output};

/// The program with these words, about to start in this folder.
pub(crate) fn command(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracewarden"));
    // It speaks English unless told otherwise, wherever the tests run.
    command.args(words.split_whitespace()).current_dir(folder).env("LC_ALL", "C.UTF-8");
    command
}

/// What came of it.
pub(crate) fn tracewarden(folder: &Path, words: &str) -> Output {
    command(folder, words).output().expect("the program runs")
}

/// What the program printed; it must succeed.
pub(crate) fn printed(folder: &Path, words: &str) -> String {
    let output = tracewarden(folder, words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What it complained of; it must fail with this exit code.
pub(crate) fn complaint(folder: &Path, words: &str, exit_code: i32) -> String {
    let output = tracewarden(folder, words);
    assert_eq!(output.status.code(), Some(exit_code), "{words}");
    String::from_utf8(output.stderr).expect("text")
}
