//! What a reader may expect of every file: a header, a length that can be read, nothing left for later; and a test for
//! every class of failure.

use crate::source::{SourceFile, code_files, mentions, text_files};

/// Longest file of code.
const LINES_MAX: usize = 600;

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
fn every_test_in_need_of_kafka_says_so() {
    for file in code_files(&["tests/kafka"]) {
        for test in file.text.split("#[test]").skip(1) {
            let body: String = test.chars().skip_while(|c| *c != '{').take(200).collect();
            let says_so = body.trim_start_matches('{').trim_start().starts_with("needs_kafka!();");
            let is_in_memory = body.contains("InMemory::new()") && !body.contains("RealKafka::new()");
            assert!(says_so || is_in_memory, "{}: a test begins without needs_kafka!(): {test}", file.name);
        }
    }
}
