//! The whole service on the memory twin, in one thread, from a seed: several workers of every stage that crash between
//! any two steps, rebalance, lose their sessions, see commits aborted or end unknown. Whatever happens, what is
//! published in the end is what the rules demand, with gapless revisions, and the same seed is the same run.
//!
//! The worlds are of all kinds, and besides such in which claims borrow codes, or are ruled on, all the time.
//!
//! `SEEDS=100000 cargo test --release --test stages simulation -- --nocapture` runs more; `FIRST_SEED=…` begins elsewhere.

pub(crate) mod province;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{panic, thread};

use oracle::{Theme, shrink, themed};
use province::{Mishaps, Province};

/// Random worlds in one run, unless `SEEDS` says otherwise.
const WORLDS: u64 = 200;
/// The same of worlds with a theme.
const THEMED_WORLDS: u64 = 100;

#[test]
fn whatever_happens_the_answer_is_the_same() {
    soak(Theme::Anything, WORLDS);
}

#[test]
fn whatever_happens_claims_borrow_the_same_codes() {
    soak(Theme::Lending, THEMED_WORLDS);
}

#[test]
fn whatever_happens_rulings_count_for_what_was_claimed_before_them() {
    soak(Theme::Handling, THEMED_WORLDS);
}

fn soak(theme: Theme, worlds: u64) {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("SEEDS and FIRST_SEED are numbers"))
    };
    let (first, seeds) = (number("FIRST_SEED", 0), number("SEEDS", worlds));
    let (started, next) = (Instant::now(), AtomicU64::new(first));
    // Each run has one thread; they share nothing but the next seed.
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mishaps = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut mishaps = Mishaps::default();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + seeds {
                            return mishaps;
                        }
                        mishaps.add(&run(theme, seed));
                    }
                })
            })
            .collect();
        let mut all = Mishaps::default();
        for worker in workers {
            match worker.join() {
                Ok(mishaps) => all.add(&mishaps),
                Err(complaint) => panic::resume_unwind(complaint),
            }
        }
        all
    });
    assert!(mishaps.crashes > seeds && mishaps.lost > seeds, "hardly anything happened: {mishaps:?}");
    report(theme, seeds, started.elapsed(), &mishaps);
}

/// One run; what went wrong in it without harm.
fn run(theme: Theme, seed: u64) -> Mishaps {
    let world = themed(seed, theme);
    let mut province = Province::new(seed, &world);
    province.run(&world);
    let complaint = province.complaint(&world.judged());
    if !complaint.is_empty() {
        let fails = |world: &oracle::World| {
            let mut province = Province::new(seed, world);
            province.run(world);
            !province.complaint(&world.judged()).is_empty()
        };
        let smallest = shrink(world, &fails).to_ndjson();
        panic!("{theme:?}, seed {seed}: expected (-) and found (+) differ:\n{complaint}{smallest}");
    }
    province.mishaps
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture: what a soak ran")]
fn report(theme: Theme, seeds: u64, elapsed: Duration, mishaps: &Mishaps) {
    let a_minute = seeds as f64 / elapsed.as_secs_f64() * 60.0;
    println!(
        "{theme:?}: {seeds} runs in {:.1} s, {a_minute:.0} a minute: {mishaps:?}",
        elapsed.as_secs_f64()
    );
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
