//! The whole service on the memory twin, in one thread, from a seed: several workers of every stage that crash between
//! any two steps, rebalance, lose their sessions, see commits aborted or end unknown. Whatever happens, what is
//! published in the end is what the rules demand, with gapless revisions, and the same seed is the same run.
//!
//! `SEEDS=100000 cargo test --release --test simulation` runs more; `FIRST_SEED=…` begins elsewhere.

#[path = "../support/fold.rs"]
mod fold;
#[path = "../oracle/mod.rs"]
mod oracle;
mod province;

use oracle::shrink;
use province::Province;

/// Random worlds in one run, unless `SEEDS` says otherwise.
const WORLDS: u64 = 200;

#[test]
fn whatever_happens_the_answer_is_the_same() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("SEEDS and FIRST_SEED are numbers"))
    };
    let (first, seeds) = (number("FIRST_SEED", 0), number("SEEDS", WORLDS));
    let mut mishaps = province::Mishaps::default();
    for seed in first..first + seeds {
        let world = oracle::world(seed);
        let mut province = Province::new(seed, &world);
        province.run(&world);
        let complaint = province.complaint(&world.judged());
        mishaps.add(&province.mishaps);
        if !complaint.is_empty() {
            let fails = |world: &oracle::World| {
                let mut province = Province::new(seed, world);
                province.run(world);
                !province.complaint(&world.judged()).is_empty()
            };
            panic!(
                "seed {seed}: expected (-) and found (+) differ:\n{complaint}{}",
                shrink(world, &fails).to_ndjson()
            );
        }
    }
    assert!(mishaps.crashes > seeds && mishaps.lost > seeds, "hardly anything happened: {mishaps:?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let published = |seed| {
        let world = oracle::world(seed);
        let mut province = Province::new(seed, &world);
        province.run(&world);
        (province.published(), province.mishaps)
    };
    for seed in 0..5 {
        assert_eq!(published(seed), published(seed), "seed {seed}");
    }
}
