//! Provinces of the usual size over seeds: how much of what was planted the stages find, and what they say besides.
//!
//! A few seeds by default; `SEEDS=20 cargo test --test stages seeds -- --nocapture` runs the twenty of the promise
//! and prints the table. A miss or an extra is a fault of the simulator, of its truth or of the stages, never noise:
//! whatever is random here comes from the seed.

use std::fmt::Write as _;

use tracewarden::evaluate::{Language, Report};
use tracewarden::sim::{Dirt, Fraud, Parameters};

use super::stages::play;

/// Seeds of each kind of province, unless `SEEDS` says otherwise.
const SEEDS: u64 = 2;
/// Rules that planted acts call for: all but those of wrong scans, and those without alerts or payment.
const RULES_OF_ACTS: usize = 16;
/// Statements of a dirty province that may be missed, and alerts that may be wrong: one in a thousand.
const SHARE_MIN: f64 = 0.999;
/// Alerts that nothing explains, of all scans of an honest province: two in ten thousand.
const UNEXPLAINED_OF_SCANS_MAX: f64 = 0.000_2;

fn seeds() -> std::ops::RangeInclusive<u64> {
    let number = |text: String| text.parse().expect("SEEDS is a number");
    1..=std::env::var("SEEDS").map_or(SEEDS, number)
}

/// Results of one kind of province, a line for each seed.
struct Table {
    text: String,
    faults: String,
}

impl Table {
    fn new(title: &str) -> Self {
        let heading =
            ["seed", "scans", "planted", "expected", "found", "extra", "passing", "recall", "precision"];
        let heading: String = heading.iter().map(|name| format!("{name:>10}")).collect();
        Self { text: format!("\n{title}\n{heading}\n"), faults: String::new() }
    }

    fn add(&mut self, seed: u64, report: &Report) {
        let planted: u64 = report.acts.values().map(|act| act.planted).sum();
        let (expected, found, extra) = sums(report);
        let scans = report.scans.unwrap_or_default();
        let passing = report.passing.len();
        let (recall, precision) = (share(found, expected), share(found, found + extra));
        let _ = writeln!(
            self.text,
            "{seed:>10}{scans:>10}{planted:>10}{expected:>10}{found:>10}{extra:>10}{passing:>10}{recall:>10.5}{precision:>10.5}"
        );
    }

    fn fault(&mut self, seed: u64, what: &str, report: &Report) {
        let details = report.details(Language::English, 5);
        let _ = writeln!(self.faults, "seed {seed}: {what}\n{}{details}", report.table(Language::English));
    }

    #[allow(clippy::print_stdout, reason = "the table is what --nocapture is for")]
    fn finish(self) {
        println!("{}", self.text);
        assert!(self.faults.is_empty(), "{}\n{}", self.text, self.faults);
    }
}

/// Statements expected, found, and alerts that the truth does not know, over all rules.
fn sums(report: &Report) -> (u64, u64, u64) {
    report.rules.values().fold((0, 0, 0), |(expected, found, extra), rule| {
        (expected + rule.expected, found + rule.found, extra + rule.unexplained)
    })
}

/// One of nothing: nothing was missed, nothing was wrong.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[test]
fn in_a_clean_province_every_rule_finds_all_and_nothing_else() {
    let mut table = Table::new("clean provinces with planted acts");
    for seed in seeds() {
        let parameters = Parameters { dirt: Dirt::none(), ..Parameters::demo(seed) };
        let report = play(&parameters).report;
        table.add(seed, &report);
        let exact = report.missed.is_empty() && report.unexplained.is_empty() && report.inexact.is_empty();
        if !exact || report.lines.expected != report.lines.found {
            table.fault(seed, "recall or precision below 1", &report);
        }
        if report.rules.len() < RULES_OF_ACTS {
            table.fault(seed, "some rules were not tried", &report);
        }
    }
    table.finish();
}

#[test]
fn in_a_dirty_province_no_more_than_one_in_a_thousand_is_missed_or_wrong() {
    let mut table = Table::new("dirty provinces with planted acts");
    for seed in seeds() {
        let report = play(&Parameters::demo(seed)).report;
        table.add(seed, &report);
        let (expected, found, extra) = sums(&report);
        if share(found, expected) < SHARE_MIN || share(found, found + extra) < SHARE_MIN {
            table.fault(seed, "recall or precision below 0.999", &report);
        }
        if !report.inexact.is_empty() {
            table.fault(seed, "another scope or counterpart than the truth's", &report);
        }
    }
    table.finish();
}

#[test]
fn in_an_honest_dirty_province_hardly_an_alert_is_not_explained_by_the_dirt() {
    let mut table = Table::new("honest dirty provinces");
    for seed in seeds() {
        let fraud = Fraud { acts_per_day: 0, ..Fraud::default() };
        let report = play(&Parameters { fraud, ..Parameters::demo(seed) }).report;
        table.add(seed, &report);
        let (_, _, extra) = sums(&report);
        let scans = report.scans.unwrap_or_default();
        if extra as f64 > scans as f64 * UNEXPLAINED_OF_SCANS_MAX {
            table.fault(seed, "too many alerts that nothing explains", &report);
        }
    }
    table.finish();
}
