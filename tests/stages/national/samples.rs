//! The folders of `tests/nhsa`, each through all stages, in its own order and in others.

use std::fmt::Write as _;

use serde_json::Value;

use super::run::{SHAPES, compared, run, shuffled};
use crate::support::cases::{self, Case};

/// Orders in which every folder is tried, beside its own.
const ORDERS: u64 = 24;

/// What is refused of a folder's messages.
pub(crate) fn dead_letters(case: &Case) -> Vec<Value> {
    cases::values(&case.folder.join("expected-deadletter.ndjson"))
}

#[test]
fn every_folder_ends_as_demanded_with_its_dead_letters_in_every_shape() {
    let mut report = String::new();
    for sample in cases::national() {
        for shape in SHAPES {
            let ended = run(&sample.reference, &sample.uploads, Some(&sample.until), shape);
            let mut complaint = ended.complaint(&sample.expected);
            let (demanded, found) = (dead_letters(&sample), compared(&ended.dead_letters));
            if found != demanded {
                let _ = writeln!(complaint, "dead letters expected {demanded:?}\nfound {found:?}");
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
    for sample in cases::national() {
        for seed in 0..ORDERS {
            let shape = SHAPES[seed as usize % SHAPES.len()];
            let messages = shuffled(&sample.uploads, seed);
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
    let messages: Vec<String> = cases::national().into_iter().flat_map(|sample| sample.uploads).collect();
    for transaction in TRANSACTIONS {
        let named = format!("\"infno\": \"{transaction}");
        let count = messages.iter().filter(|message| message.contains(&named)).count();
        assert!(count >= 3, "{transaction}: only {count}");
    }
}
