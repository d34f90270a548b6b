//! How many bytes state takes: per key on disk after compaction, and by kind of value.
//!
//! A simulated province goes through all stages with its state on disk; then the stores are compacted and read.
//! `CODES_PER_DAY=20000 DAYS=10 cargo bench --bench state_size` for a larger one.

#![expect(clippy::print_stdout, reason = "its result is a table")]

use std::collections::BTreeMap;
use std::ops::Bound;

use tracewarden::config::Config;
use tracewarden::domain::time::Timestamp;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::run::state::StateHome;
use tracewarden::sim::{self, Parameters};
use tracewarden::store::disk::DiskStore;
use tracewarden::store::folder::StateFolder;
use tracewarden::store::{Batch, Rows, Store};
use tracewarden::wire::state;

/// A package that was stocked, handed over and settled, without a finding.
const FULL_LIFE: &str = "values of  3 observations";
const PAGE: usize = 10_000;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let number = |name: &str, default: u32| match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is no number")),
        Err(_) => Ok(default),
    };
    let parameters = Parameters {
        days: number("DAYS", 6)?,
        codes_per_day: number("CODES_PER_DAY", 2_000)?,
        ..Parameters::demo(1)
    };
    let root = tempfile::tempdir()?;
    let folder = StateFolder::new(root.path(), 64 << 20);
    run_province(&parameters, &folder)?;
    for topic in ["documents", "observations", "claims"] {
        let (store, _) = folder.open(topic, 0, i64::MAX)?;
        store.compact()?;
        let (mut lives, _) = folder.open(&format!("{topic}.lives"), 0, 0)?;
        report(topic, &store, &mut lives)?;
    }
    Ok(())
}

fn run_province(parameters: &Parameters, folder: &StateFolder) -> Outcome<()> {
    let state = StateHome::Disk(folder.clone());
    let options = LocalOptions { state, ..LocalOptions::from_config(&Config::default())? };
    let mut local = Local::new(&options, sim::book(parameters)?)?;
    for (line, upload) in (1..).zip(sim::uploads(parameters)) {
        local.feed(upload.json.into_bytes(), "province", line)?;
        if line.is_multiple_of(1000) {
            local.drain()?;
        }
    }
    local.finish(Some(Timestamp::from_unix_millis(parameters.until())))?;
    Ok(())
}

/// Counts of one kind of thing.
#[derive(Default)]
struct Sizes {
    count: u64,
    key_bytes: u64,
    value_bytes: u64,
}

impl Sizes {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.count += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
    }

    fn line(&self, name: &str) -> String {
        let mean = |bytes: u64| bytes as f64 / self.count.max(1) as f64;
        let (key, value) = (mean(self.key_bytes), mean(self.value_bytes));
        format!("  {name:<34} {:>8} rows  key {key:>6.1} B  value {value:>7.1} B", self.count)
    }
}

/// Prints what a store holds; codes with a full life of three observations are also written to a store of their own.
fn report(topic: &str, store: &DiskStore, lives: &mut DiskStore) -> Outcome<()> {
    let mut spaces: BTreeMap<u8, Sizes> = BTreeMap::new();
    let mut by_shape: BTreeMap<String, Sizes> = BTreeMap::new();
    let mut from: Bound<Vec<u8>> = Bound::Unbounded;
    loop {
        let page = store.range(from.as_ref().map(Vec::as_slice), Bound::Unbounded, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        let last = last.clone();
        let mut full_lives = Batch::default();
        for (key, value) in page {
            let space = key.first().copied().unwrap_or_default();
            spaces.entry(space).or_default().add(&key, &value);
            if space == 1 {
                let shape = shape(topic, &value)?;
                by_shape.entry(shape.clone()).or_default().add(&key, &value);
                if shape == FULL_LIFE {
                    full_lives.changes.push((key.into(), Some(value.into())));
                }
            }
        }
        lives.write(full_lives)?;
        from = Bound::Excluded(last);
    }
    let values = spaces.get(&1).map_or(0, |sizes| sizes.count);
    let per_value = store.table_bytes() as f64 / values.max(1) as f64;
    println!("\n{topic}: {values} values, {per_value:.1} B each on disk, everything included");
    for (space, name) in [(0, "facts"), (1, "values"), (2, "timers"), (3, "members of aliases")] {
        if let Some(sizes) = spaces.get(&space) {
            println!("{}", sizes.line(name));
        }
    }
    for (shape, sizes) in &by_shape {
        println!("{}", sizes.line(shape));
    }
    if let Some(sizes) = by_shape.get(FULL_LIFE) {
        lives.compact()?;
        let each = lives.table_bytes() as f64 / sizes.count as f64;
        println!("  {FULL_LIFE} alone: {each:.1} B each on disk, everything included");
    }
    Ok(())
}

/// Kinds of values that are told apart: codes by their observations, and whether there was ever an alert.
fn shape(topic: &str, value: &[u8]) -> Outcome<String> {
    if topic != "observations" {
        return Ok("values, all".to_owned());
    }
    let code = state::decode_code(value)?;
    let alerts = if code.alerts.is_empty() { "" } else { ", with alerts" };
    Ok(format!("values of {:>2} observations{alerts}", code.observations.len().min(9)))
}
