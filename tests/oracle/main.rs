//! The oracle against the examples whose answers two other implementations agreed on.

#[path = "mod.rs"]
mod oracle;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use oracle::{Answer, Timestamp};
use serde_json::Value;

fn ndjson(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or(Value::Null)).collect()
}

#[test]
fn every_example_has_the_demanded_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 62, "only {} examples in {}", names.len(), folder.display());
    let mut report = String::new();
    for example in names {
        let until = fs::read_to_string(example.join("until")).unwrap();
        let until = Timestamp::parse(until.trim()).unwrap();
        let expected = fs::read_to_string(example.join("expected.json")).unwrap();
        let expected = Answer::from_json(&serde_json::from_str(&expected).unwrap());
        let reference = ndjson(&example.join("reference.ndjson"));
        let answer = oracle::judge(&reference, &ndjson(&example.join("uploads.ndjson")), until);
        let difference = expected.difference(&answer);
        if !difference.is_empty() {
            writeln!(report, "{}\n{difference}", example.file_name().unwrap().display()).unwrap();
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}
