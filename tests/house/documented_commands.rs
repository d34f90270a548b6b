//! Every command line that the guides, the compose file, the image and the systemd unit show can be typed as it
//! stands: the command exists and takes each option.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use tracewarden::commands::CommandLine;

#[test]
fn every_command_shown_exists() {
    let program = CommandLine::command();
    let mut shown = Vec::new();
    for page in ["README.md", "README.zh-CN.md", "deploy/README.md", "deploy/tracewarden.example.toml"] {
        shown.extend(in_text(page, &read(page)));
    }
    let unit = read("deploy/tracewarden.service");
    for line in unit.lines().filter(|line| line.starts_with("Exec")) {
        let words = line.split_once("/usr/local/bin/tracewarden ").unwrap().1;
        shown.push(("deploy/tracewarden.service".to_owned(), words.to_owned()));
    }
    for line in read("deploy/compose.yaml").lines() {
        if let Some(words) = line.trim().strip_prefix("command: [").and_then(|rest| rest.strip_suffix(']')) {
            shown.push(("deploy/compose.yaml".to_owned(), words.replace(',', " ")));
        }
    }
    assert!(shown.len() > 20, "commands were not found: {shown:?}");
    for (page, words) in &shown {
        if let Err(problem) = check(&program, words) {
            panic!("{page} shows `tracewarden {words}`: {problem}");
        }
    }
}

#[test]
fn the_check_sees_what_it_looks_for() {
    let program = CommandLine::command();
    assert!(check(&program, "topics create --config FILE").is_ok());
    assert!(check(&program, "topics destroy").is_err());
    assert!(check(&program, "run --no-such-option").is_err());
    let text =
        "the tracewarden way, `tracewarden run`, `x`\n```sh\ncargo run --release -- demo   # ends\n```\n";
    let found: Vec<_> = in_text("page", text).into_iter().map(|(_, words)| words).collect();
    assert_eq!(found, ["run", "demo"]);
}

/// Command lines in code: fenced lines, spans between backticks, commented lines of the example configuration.
fn in_text(page: &str, text: &str) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    let mut is_fenced = false;
    for line in text.replace("\\\n", " ").lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        }
        let codes: Vec<&str> =
            if is_fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for code in codes {
            let code = code.split(" #").next().unwrap_or_default().trim();
            let words =
                code.strip_prefix("tracewarden ").or_else(|| code.strip_prefix("cargo run --release -- "));
            shown.extend(words.map(|words| (page.to_owned(), words.to_owned())));
        }
    }
    shown
}

/// Follows the words down the tree of commands.
fn check(program: &Command, words: &str) -> Result<(), String> {
    let mut command = program;
    for word in words.split_whitespace() {
        if let Some(option) = word.strip_prefix("--") {
            let takes = command.get_arguments().any(|argument| argument.get_long() == Some(option));
            if !takes {
                return Err(format!("{} does not take --{option}", command.get_name()));
            }
        } else if command.has_subcommands() {
            command = command.find_subcommand(word).ok_or(format!("there is no {word}"))?;
        }
    }
    if command.has_subcommands() { Err("it is incomplete".to_owned()) } else { Ok(()) }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
