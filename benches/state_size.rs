//! How many bytes state takes: per key on disk after compaction, and by field of the encoded values.
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

/// `message.field = number cardinality kind`, one a line.
const FIELDS: &str = include_str!(concat!(env!("OUT_DIR"), "/field-numbers.txt"));
const PACKAGE: &str = "tracewarden.internal.v1.";
/// A package that was stocked, handed over and settled, without a finding.
const FULL_LIFE: &str = "values of  3 observations";
const PAGE: usize = 10_000;
/// Fields shown of each value.
const FIELDS_SHOWN: usize = 28;

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
    let folder = StateFolder::new(root.path(), 64 << 20, 64 << 20);
    run_province(&parameters, &folder)?;
    let schema = Schema::read();
    for (topic, message) in
        [("documents", "DocumentState"), ("observations", "CodeState"), ("claims", "ClaimState")]
    {
        let (store, _) = folder.open(topic, 0, i64::MAX)?;
        store.compact()?;
        let (mut lives, _) = folder.open(&format!("{topic}.lives"), 0, 0)?;
        report(topic, message, &store, &mut lives, &schema)?;
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
fn report(
    topic: &str,
    message: &str,
    store: &DiskStore,
    lives: &mut DiskStore,
    schema: &Schema,
) -> Outcome<()> {
    let mut spaces: BTreeMap<u8, Sizes> = BTreeMap::new();
    let mut by_shape: BTreeMap<String, Sizes> = BTreeMap::new();
    let mut fields: BTreeMap<String, u64> = BTreeMap::new();
    let mut from: Bound<Vec<u8>> = Bound::Unbounded;
    loop {
        let page = store.range(from.as_ref().map(Vec::as_slice), Bound::Unbounded, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        let last = last.clone();
        let mut full_lives = Batch::default();
        for (key, value) in page {
            let space = key.first().copied().unwrap_or_default();
            spaces.entry(space).or_default().add(&key, &value);
            if let (1, Some((_, content))) = (space, value.split_first()) {
                schema.count(message, content, message, &mut fields);
                let shape = shape(message, content);
                by_shape.entry(shape.clone()).or_default().add(&key, &value);
                if shape == FULL_LIFE {
                    full_lives.changes.push((key, Some(value)));
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
    let mut fields: Vec<(String, u64)> = fields.into_iter().collect();
    fields.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    println!("  mean bytes of a value by field, tag and length included:");
    for (field, bytes) in fields.iter().take(FIELDS_SHOWN) {
        println!("  {:>9.2}  {field}", *bytes as f64 / values.max(1) as f64);
    }
    Ok(())
}

/// Kinds of values that are told apart: codes by their observations, and whether there was ever an alert.
fn shape(message: &str, content: &[u8]) -> String {
    if message != "CodeState" {
        return "values, all".to_owned();
    }
    let mut observations = 0;
    let mut alerts = "";
    for field in Fields(content) {
        if let (7, Some(columns)) = (field.number, field.content) {
            // The kinds are one byte each.
            let kinds = Fields(columns).find(|column| column.number == 1).and_then(|column| column.content);
            observations = kinds.map_or(0, <[u8]>::len);
        }
        if field.number == 3 {
            alerts = ", with alerts";
        }
    }
    format!("values of {:>2} observations{alerts}", observations.min(9))
}

/// The names of fields, and the messages that they hold.
struct Schema(BTreeMap<(String, u32), (String, String)>);

impl Schema {
    fn read() -> Self {
        let field = |line: &str| {
            let (path, rest) = line.strip_prefix(PACKAGE)?.split_once(" = ")?;
            let (message, name) = path.rsplit_once('.')?;
            let mut words = rest.split(' ');
            let number = words.next()?.parse().ok()?;
            let kind = words.nth(1)?;
            Some(((message.to_owned(), number), (name.to_owned(), kind.to_owned())))
        };
        Self(FIELDS.lines().filter_map(field).collect())
    }

    /// Adds the bytes of every field of a message: of one that holds a message only what its own fields do not.
    fn count(&self, message: &str, content: &[u8], path: &str, fields: &mut BTreeMap<String, u64>) {
        for field in Fields(content) {
            let Some((name, kind)) = self.0.get(&(message.to_owned(), field.number)) else { continue };
            let path = format!("{path}.{name}");
            let inner = kind.strip_prefix(PACKAGE).filter(|_| field.content.is_some());
            let own = match (inner, field.content) {
                (Some(inner), Some(content)) => {
                    self.count(inner, content, &path, fields);
                    field.bytes - content.len()
                }
                _ => field.bytes,
            };
            *fields.entry(path).or_default() += own as u64;
        }
    }
}

/// One field as it is encoded.
struct Field<'a> {
    number: u32,
    bytes: usize,
    content: Option<&'a [u8]>,
}

/// The fields of an encoded message.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let before = self.0.len();
        let tag = varint(&mut self.0)?;
        let content = match tag & 7 {
            0 => varint(&mut self.0).map(|_| None)?,
            1 => self.0.split_off(..8).map(|_| None)?,
            5 => self.0.split_off(..4).map(|_| None)?,
            _ => {
                let length = usize::try_from(varint(&mut self.0)?).ok()?;
                Some(self.0.split_off(..length)?)
            }
        };
        Some(Field { number: (tag >> 3) as u32, bytes: before - self.0.len(), content })
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
