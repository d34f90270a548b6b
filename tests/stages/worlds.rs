//! The examples and random worlds end as the rules demand, in every order
//! of arrival, whatever the batch sizes and the number of partitions.
//!
//! `SEEDS=5000 cargo test --release --test stages worlds` runs more worlds; `FIRST_SEED=…` begins elsewhere.

use std::fmt::Write as _;

use crate::support::cases;
use crate::support::local::{Ended, fed, shaped};
use oracle::World;
use oracle::world::dice::Dice;

/// Orders in which every example is tried, beside its own.
const EXAMPLE_ORDERS: u64 = 50;
/// Random worlds in one run, unless `SEEDS` says otherwise.
const WORLDS: u64 = 300;
/// Batch sizes and partition counts that must make no difference.
const SHAPES: [(usize, u16); 6] = [(1000, 1), (1, 1), (7, 2), (1000, 3), (1, 4), (7, 4)];

/// All stages after a world, at rest.
pub(crate) fn run(world: &World, batch_records_max: usize, partitions: u16) -> Ended {
    Ended::of(&mut fed(world, &shaped((batch_records_max, partitions))))
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

#[test]
fn every_example_ends_as_demanded_in_every_shape() {
    let mut report = String::new();
    for case in cases::examples() {
        let world = case.world();
        for (batch, partitions) in SHAPES {
            let text = run(&world, batch, partitions).complaint(&case.expected);
            if !text.is_empty() {
                let _ =
                    writeln!(report, "{}, batches of {batch}, {partitions} partitions:\n{text}", case.name());
            }
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

#[test]
fn every_example_ends_the_same_in_every_order() {
    let mut report = String::new();
    for case in cases::examples() {
        let world = case.world();
        for seed in 0..EXAMPLE_ORDERS {
            let (batch, partitions) = SHAPES[seed as usize % SHAPES.len()];
            let text = run(&shuffled(&world, seed), batch, partitions).complaint(&case.expected);
            if !text.is_empty() {
                let _ = writeln!(report, "{}, order {seed}:\n{text}", case.name());
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
        // Every other world as senders write it.
        let world = if seed % 2 == 1 { world.as_written() } else { world };
        let (batch, partitions) = SHAPES[seed as usize % SHAPES.len()];
        let fails = |world: &World| {
            let expected = world.judged();
            let complaint = |ended: Ended| ended.complaint(&expected) + &ended.miscount(world);
            let text = complaint(run(world, batch, partitions));
            if text.is_empty() { complaint(run(&shuffled(world, seed), batch, partitions)) } else { text }
        };
        if !fails(&world).is_empty() {
            let small = oracle::shrink(world, &|world| !fails(world).is_empty());
            panic!("seed {seed}:\n{}\n{}", fails(&small), small.to_ndjson());
        }
    }
}
