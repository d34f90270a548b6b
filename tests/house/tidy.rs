//! Rules about the source itself that the compiler does not hold: layers, purity, length and headers of files.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest file of code.
const LINES_MAX: usize = 600;

/// What each layer may use of ours besides itself; layers that are not here may use all but `commands`.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("present", &["domain"]),
    ("wire", &["domain", "present"]),
    ("broker", &[]),
    ("store", &[]),
    ("config", &["domain", "wire"]),
    ("telemetry", &["domain", "config"]),
    ("engine", &["domain", "wire", "broker", "store", "telemetry", "pipeline"]),
    ("pipeline", &["domain", "wire", "broker", "telemetry", "engine", "store"]),
];

/// Only these may use the command line's code.
const MAY_USE_COMMANDS: &[&str] = &["commands", "main", "lib"];

#[test]
fn layers_use_only_what_is_below_them() {
    let mut faults = Vec::new();
    for file in code_files(&["src"]) {
        let layer = file.layer();
        let allowed = LAYERS.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| *allowed);
        for (number, line) in file.code_lines() {
            for used in used_modules(line) {
                let is_allowed = match allowed {
                    Some(allowed) => used == layer || allowed.contains(&used.as_str()),
                    None => used != "commands" || MAY_USE_COMMANDS.contains(&layer.as_str()),
                };
                if !is_allowed {
                    faults.push(format!("{}:{number}: {layer} must not use {used}", file.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_domain_uses_std_only_and_is_pure() {
    let dependencies = dependencies();
    assert!(dependencies.iter().any(|name| name == "serde"), "dependencies were not found");
    let impure = ["SystemTime", "Instant::now", "rand::", "std::fs", "std::env", "std::net"];
    let mut faults = Vec::new();
    for file in code_files(&["src/domain"]) {
        for (number, line) in file.code_lines() {
            let crates = dependencies.iter().filter(|name| mentions(line, &format!("{name}::")));
            let calls = impure.iter().filter(|call| mentions(line, call));
            for used in crates.map(String::as_str).chain(calls.copied()) {
                faults.push(format!("{}:{number}: the domain must not use {used}", file.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let missing: Vec<_> = code_files(&["src", "tests", "benches", "proto"])
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.name)
        .collect();
    assert!(missing.is_empty(), "no `//!` header: {missing:?}");
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<_> = code_files(&["src", "tests", "benches", "proto"])
        .into_iter()
        .filter(|file| file.text.lines().count() > LINES_MAX)
        .map(|file| file.name)
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines: {long:?}");
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["for ", "now"], ["XX", "X"], ["assis", "tant"]]
        .map(|parts| parts.concat());
    let mut faults = Vec::new();
    let mut files = code_files(&["src", "tests", "benches", "proto"]);
    files.extend(text_files(
        &["deploy", ".ci", "proto", "benches"],
        &["md", "toml", "yaml", "yml", "proto", "service", "json", "run"],
    ));
    files.extend(text_files(&["."], &["toml"]).into_iter().filter(|file| !file.name.contains('/')));
    files.extend(["README.md", "README.zh-CN.md"].into_iter().filter_map(SourceFile::read));
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            if let Some(word) = words.iter().find(|word| mentions(line, word) || mentions(&lower, word)) {
                faults.push(format!("{}:{}: \"{word}\"", file.name, number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_class_of_failure_has_its_test() {
    let table = SourceFile::read("tests/kafka/chaos/mod.rs").expect("it is there").text;
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("//! | ")).collect();
    let numbered = |row: &&&str| row.starts_with(|c: char| c.is_ascii_digit());
    assert_eq!(rows.iter().filter(numbered).count(), 14);
    let files = code_files(&["tests"]);
    for row in rows.iter().filter(numbered) {
        let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            let (module, name) = test.rsplit_once("::").expect("a test is named with its binary");
            let module = module.replace("::", "/");
            let homes = [format!("tests/{module}.rs"), format!("tests/{module}/")];
            let is_there = files.iter().any(|file| {
                homes.iter().any(|home| file.name.starts_with(home))
                    && file.text.contains(&format!("fn {name}("))
            });
            assert!(is_there, "there is no test {test}");
        }
    }
}

#[test]
fn the_checks_themselves_see_what_they_look_for() {
    assert_eq!(used_modules("use crate::wire::log::entries::Tick;"), ["wire"]);
    assert_eq!(used_modules("use crate::{domain::Text, stage};"), ["domain", "stage"]);
    assert_eq!(used_modules("let x: Vec<crate::store::Entry> = crate::broker::x();"), ["store", "broker"]);
    assert_eq!(used_modules("pub(crate) fn f() {}"), [""; 0]);
    assert!(mentions("let t = Instant::now();", "Instant::now"));
    assert!(mentions("serde::Deserialize", "serde::") && !mentions("my_serde::x", "serde::"));
    assert!(!mentions("operand::x", "rand::") && !mentions("before nowhere", "for nowhere"));
    let file = SourceFile {
        name: "src/a.rs".into(),
        text: "//! crate::x\nuse a; // crate::y\nlet u = \"http://z\";".into(),
    };
    let lines: Vec<_> = file.code_lines().collect();
    assert_eq!(lines, [(2, "use a;"), (3, "let u = \"http://z\";")]);
}

/// A file and where it is, from the package's folder.
struct SourceFile {
    name: String,
    text: String,
}

impl SourceFile {
    fn read(name: &str) -> Option<Self> {
        let text = fs::read_to_string(root().join(name)).ok()?;
        Some(Self { name: name.to_owned(), text })
    }

    /// The top-level module it belongs to: `domain`, `main`.
    fn layer(&self) -> String {
        let inside = self.name.trim_start_matches("src/");
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    /// Lines that are not comments, without a comment at their end, numbered from 1.
    fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(index, line)| (index + 1, line.split_once(" //").map_or(line, |(code, _)| code)))
    }
}

/// Our top-level modules that a line of code names.
fn used_modules(line: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (start, _) in line.match_indices("crate::") {
        let rest = &line[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split_once('}').map_or(group, |(group, _)| group);
                used.extend(group.split(',').map(|part| leading_name(part.trim())));
            }
            None => used.push(leading_name(rest)),
        }
    }
    used
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Whether a text names something as a word of its own.
fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        let ends_open = word.ends_with("::");
        !before.is_some_and(|c| is_part(c) || c == ':' && ends_open)
            && (ends_open || !after.is_some_and(is_part))
    })
}

/// Names of the package's own dependencies, as they stand in code.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

fn code_files(folders: &[&str]) -> Vec<SourceFile> {
    text_files(folders, &["rs"])
}

/// All files with one of these endings (or names) below the folders, except build output.
fn text_files(folders: &[&str], endings: &[&str]) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    paths
        .iter()
        .filter(|path| {
            let ending = path.extension().or(path.file_name()).and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.contains(&ending))
        })
        .filter_map(|path| {
            let name = path.strip_prefix(root()).ok()?.to_str()?.trim_start_matches("./").to_owned();
            SourceFile::read(&name)
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_skipped = ["target", ".git", "examples"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_skipped {
            collect(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
