//! All stages together on the memory twin: the examples and random worlds end as the rules demand, in every order
//! of arrival, whatever the batch sizes and the number of partitions.
//!
//! `SEEDS=5000 cargo test --release --test stages` runs more worlds; `FIRST_SEED=…` begins elsewhere.

mod batches;
mod command;
#[path = "../support/fold.rs"]
mod fold;
mod horizon;
mod reversal;
mod rule_sets;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fold::Fold;
use oracle::world::dice::Dice;
use oracle::{Answer, World};
use serde_json::Value;
use tracewarden::config::Config;
use tracewarden::domain::reference::Book;
use tracewarden::domain::time::Timestamp;
use tracewarden::pipeline::tally::{InputOutcome, Tally};
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::wire::inbound::{moment, reference};

/// Orders in which every example is tried, beside its own.
const EXAMPLE_ORDERS: u64 = 50;
/// Random worlds in one run, unless `SEEDS` says otherwise.
const WORLDS: u64 = 300;
/// Batch sizes and partition counts that must make no difference.
const SHAPES: [(usize, u16); 6] = [(1000, 1), (1, 1), (7, 2), (1000, 3), (1, 4), (7, 4)];

struct Ended {
    answer: Answer,
    gaps: Vec<String>,
    tally: Tally,
}

fn run(world: &World, batch_records_max: usize, partitions: u16) -> Ended {
    let options = LocalOptions { partitions, batch_records_max, ..options("") };
    ended(fed(world, &options))
}

/// What a configuration says.
fn options(config: &str) -> LocalOptions {
    let config = Config::read(config, "test", []).expect("the configuration is valid");
    LocalOptions::from_config(&config).expect("the configuration is valid")
}

/// All stages after a world, at rest.
fn fed(world: &World, options: &LocalOptions) -> Local {
    let mut book = Book::default();
    for record in &world.reference {
        book.apply(reference::from_json(record.to_string().as_bytes()).expect("reference records are valid"));
    }
    let mut local = Local::new(options, book).expect("the stages start");
    for (line, upload) in (1..).zip(&world.uploads) {
        let text = match upload {
            Value::String(text) => text.clone(),
            upload => upload.to_string(),
        };
        local.feed(text.into_bytes(), "uploads.ndjson", line).expect("an upload is taken in");
    }
    let until: Option<Timestamp> = moment::rfc3339(&world.until);
    local.finish(until).expect("the run ends");
    local
}

/// What a run published, folded to what holds at its end.
fn ended(mut local: Local) -> Ended {
    let mut fold = Fold::default();
    for output in local.drain().expect("outputs are readable") {
        let payload = output.record.payload.as_deref().unwrap_or_default();
        match output.topic {
            Topic::Alerts => fold.alert(payload),
            Topic::Decisions => fold.decision(payload),
            _ => {}
        }
    }
    Ended { answer: fold.answer(), gaps: fold.gaps, tally: local.tally() }
}

/// What is wrong with a run, or nothing.
fn complaint(expected: &Answer, ended: &Ended) -> String {
    let mut text = expected.difference(&ended.answer);
    for gap in &ended.gaps {
        let _ = writeln!(text, "{gap}");
    }
    let tally = &ended.tally;
    let rejected = tally.inputs_total(|outcome| matches!(outcome, InputOutcome::Rejected(_)));
    let ignored = tally.inputs_total(|outcome| outcome == InputOutcome::Ignored);
    let decoded = tally.inputs_total(|outcome| outcome == InputOutcome::Decoded);
    if tally.read_total() != rejected + ignored + decoded || tally.in_flight() != 0 {
        let _ = writeln!(text, "the accounting does not add up: {tally:?}");
    }
    text
}

/// The same uploads in another order, some of them twice.
fn shuffled(world: &World, seed: u64) -> World {
    let dice = &mut Dice::new(seed);
    let mut uploads = world.uploads.clone();
    for upload in &world.uploads {
        if dice.chance(30) {
            uploads.push(upload.clone());
        }
    }
    dice.shuffle(&mut uploads);
    World { uploads, ..world.clone() }
}

fn examples() -> Vec<(String, World, Answer)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the examples are there").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let example = |path: PathBuf| {
        let text = |name: &str| fs::read_to_string(path.join(name)).expect("an example is complete");
        // A line that is no JSON is an upload too: one that must be refused.
        let lines = |name: &str| -> Vec<Value> {
            text(name)
                .lines()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned())))
                .collect()
        };
        let world = World {
            reference: lines("reference.ndjson"),
            uploads: lines("uploads.ndjson"),
            until: text("until").trim().to_owned(),
        };
        let expected = Answer::from_json(&serde_json::from_str(&text("expected.json")).unwrap());
        (path.file_name().unwrap().display().to_string(), world, expected)
    };
    paths.into_iter().map(example).collect()
}

#[test]
fn every_example_ends_as_demanded_in_every_shape() {
    let mut report = String::new();
    for (name, world, expected) in examples() {
        for (batch, partitions) in SHAPES {
            let text = complaint(&expected, &run(&world, batch, partitions));
            if !text.is_empty() {
                let _ = writeln!(report, "{name}, batches of {batch}, {partitions} partitions:\n{text}");
            }
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

#[test]
fn every_example_ends_the_same_in_every_order() {
    let mut report = String::new();
    for (name, world, expected) in examples() {
        for seed in 0..EXAMPLE_ORDERS {
            let (batch, partitions) = SHAPES[seed as usize % SHAPES.len()];
            let text = complaint(&expected, &run(&shuffled(&world, seed), batch, partitions));
            if !text.is_empty() {
                let _ = writeln!(report, "{name}, order {seed}:\n{text}");
            }
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

#[test]
fn random_worlds_end_as_the_second_implementation_says() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("SEEDS and FIRST_SEED are numbers"))
    };
    let first = number("FIRST_SEED", 0);
    for seed in first..first + number("SEEDS", WORLDS) {
        let world = oracle::world(seed);
        let (batch, partitions) = SHAPES[seed as usize % SHAPES.len()];
        let fails = |world: &World| {
            let expected = world.judged();
            let text = complaint(&expected, &run(world, batch, partitions));
            if text.is_empty() {
                complaint(&expected, &run(&shuffled(world, seed), batch, partitions))
            } else {
                text
            }
        };
        if !fails(&world).is_empty() {
            let small = oracle::shrink(world, &|world| !fails(world).is_empty());
            panic!("seed {seed}:\n{}\n{}", fails(&small), small.to_ndjson());
        }
    }
}
