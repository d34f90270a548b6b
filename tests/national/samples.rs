//! The folders of `tests/nhsa`, each through all stages, in its own order and in others.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{SHAPES, run, shuffled};
use oracle::Answer;

/// Orders in which every folder is tried, beside its own.
const ORDERS: u64 = 24;

/// One folder.
pub(crate) struct Sample {
    pub(crate) folder: PathBuf,
    pub(crate) reference: Vec<Value>,
    pub(crate) messages: Vec<String>,
    pub(crate) until: String,
    pub(crate) expected: Answer,
    pub(crate) dead_letters: Vec<Value>,
}

impl Sample {
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().expect("a folder has a name").display().to_string()
    }
}

/// The lines of a file, each JSON.
pub(crate) fn values(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// All folders, by name.
pub(crate) fn all() -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nhsa");
    let entries = fs::read_dir(root).expect("the samples are there");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a sample").path()).collect();
    folders.sort();
    let sample = |folder: PathBuf| {
        let text = |name: &str| fs::read_to_string(folder.join(name)).expect("a sample is complete");
        Sample {
            reference: values(&folder.join("reference.ndjson")),
            messages: text("uploads.ndjson").lines().map(str::to_owned).collect(),
            until: text("until").trim().to_owned(),
            expected: Answer::from_json(&serde_json::from_str(&text("expected.json")).expect("JSON")),
            dead_letters: values(&folder.join("expected-deadletter.ndjson")),
            folder,
        }
    };
    folders.into_iter().map(sample).collect()
}

#[test]
fn every_folder_ends_as_demanded_with_its_dead_letters_in_every_shape() {
    let mut report = String::new();
    for sample in all() {
        for shape in SHAPES {
            let ended = run(&sample.reference, &sample.messages, Some(&sample.until), shape);
            let mut complaint = ended.complaint(&sample.expected);
            if ended.dead_letters != sample.dead_letters {
                let _ = writeln!(
                    complaint,
                    "dead letters expected {:?}\nfound {:?}",
                    sample.dead_letters, ended.dead_letters
                );
            }
            if !complaint.is_empty() {
                let _ = writeln!(report, "{} in shape {shape:?}:\n{complaint}", sample.name());
            }
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

#[test]
fn every_folder_ends_the_same_in_every_order() {
    let mut report = String::new();
    for sample in all() {
        for seed in 0..ORDERS {
            let shape = SHAPES[seed as usize % SHAPES.len()];
            let messages = shuffled(&sample.messages, seed);
            let complaint =
                run(&sample.reference, &messages, Some(&sample.until), shape).complaint(&sample.expected);
            if !complaint.is_empty() {
                let _ = writeln!(report, "{} in order {seed}:\n{complaint}", sample.name());
            }
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

#[test]
fn every_transaction_has_at_least_three_samples() {
    const TRANSACTIONS: [&str; 18] = [
        "3501", "3502", "3503", "3504", "3505", "3506", "3507", "2102", "2103", "2204", "2205", "2207",
        "2208", "2301", "2302", "2304", "2305", "2601",
    ];
    let messages: Vec<String> = all().into_iter().flat_map(|sample| sample.messages).collect();
    for transaction in TRANSACTIONS {
        let named = format!("\"infno\": \"{transaction}");
        let count = messages.iter().filter(|message| message.contains(&named)).count();
        assert!(count >= 3, "{transaction}: only {count}");
    }
}
