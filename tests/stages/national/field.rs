//! What senders really write: the folders `tests/nhsa/field-*`, each a habit with its dirt told in `story.txt`, and
//! the folders `field-k*` the same kind of dirt at other places of the interface.
//!
//! `expected.json` was derived from the specification. Each of its runs takes the folder's messages, maybe only some,
//! and maybe *probes* behind them: documents of a shop of ours whose findings show what was read. A run names what is
//! compared and nothing else, so that identities which the service makes of rows do not stand there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tracewarden::domain::time::Timestamp;
use tracewarden::wire::inbound::moment;

use super::run::SHAPES;
use crate::support::cases::{self, values};
use crate::support::local::{Ended, shaped, start};
use crate::support::program::command;

const UPLOADS: &str = "uploads.ndjson";
const PROBES: &str = "probes.ndjson";

struct Folder {
    path: PathBuf,
    name: String,
    /// Lines as they were sent: not all are text in UTF-8.
    uploads: Vec<Vec<u8>>,
    reference: Vec<Value>,
    until: String,
    expected: Value,
}

impl Folder {
    fn read(path: PathBuf) -> Self {
        let text = |name: &str| fs::read_to_string(path.join(name)).expect("a folder is complete");
        let bytes = fs::read(path.join(UPLOADS)).expect("a folder has uploads");
        let lines = bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|byte| *byte == b'\n');
        Self {
            name: path.file_name().expect("a folder has a name").display().to_string(),
            uploads: lines.map(<[u8]>::to_vec).collect(),
            reference: values(&path.join("reference.ndjson")),
            until: text("until").trim().to_owned(),
            expected: serde_json::from_str(&text("expected.json")).expect("JSON"),
            path,
        }
    }

    /// What one run ends with, in its own order or backwards.
    fn ended(&self, run: &Value, shape: (usize, u16), is_backwards: bool) -> Ended {
        let wanted = |number: usize| match run["lines"].as_array() {
            Some(lines) => lines.iter().any(|line| line.as_u64() == Some(number as u64)),
            None => true,
        };
        let numbered = (1..).zip(&self.uploads).filter(|(number, _)| wanted(*number));
        let mut inputs: Vec<_> = numbered.map(|(number, line)| (UPLOADS, number, line.clone())).collect();
        let probes = run["probes"].as_array().into_iter().flatten();
        inputs.extend((1..).zip(probes).map(|(number, probe)| (PROBES, number, probe.to_string().into())));
        if is_backwards {
            inputs.reverse();
        }
        let more = run["reference"].as_array().into_iter().flatten();
        let reference: Vec<Value> = self.reference.iter().chain(more).cloned().collect();
        let mut local = start(&reference, &shaped(shape));
        for (file, number, payload) in inputs {
            local.feed(payload, file, number as u64).expect("an upload is taken in");
        }
        let until = run["until"].as_str().unwrap_or(&self.until);
        local.finish(moment::rfc3339(until)).expect("the run ends");
        Ended::of(&mut local)
    }
}

fn folders() -> Vec<Folder> {
    let folders = cases::folders("tests/nhsa").into_iter();
    folders.filter(|path| cases::is_field(path)).map(Folder::read).collect()
}

#[test]
fn what_senders_really_write_is_read_as_it_is_meant() {
    let mut report = String::new();
    for folder in folders() {
        let runs = folder.expected["runs"].as_array().expect("a folder has runs");
        assert!(!runs.is_empty(), "{} demands nothing", folder.name);
        for (run, shape) in runs.iter().zip(SHAPES.iter().cycle()) {
            for is_backwards in [false, true] {
                let complaint = complaint(run, &folder.ended(run, *shape, is_backwards));
                if !complaint.is_empty() {
                    let what = run["what"].as_str().unwrap_or("all of it");
                    let order = if is_backwards { ", backwards" } else { "" };
                    let _ = writeln!(report, "{}: {what}{order}:\n{complaint}", folder.name);
                }
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn a_reference_record_that_can_never_match_is_refused_with_line_and_field() {
    let mut refused = 0;
    for folder in folders() {
        for demand in folder.expected["refused_reference"].as_array().into_iter().flatten() {
            let home = tempfile::tempdir().expect("a folder");
            let mut text = fs::read_to_string(folder.path.join("reference.ndjson")).expect("reference");
            let line = text.lines().count() + 1;
            let _ = writeln!(text, "{}", demand["record"]);
            fs::write(home.path().join("reference.ndjson"), text).expect("it is writable");
            fs::copy(folder.path.join(UPLOADS), home.path().join(UPLOADS)).expect("it is writable");
            let words =
                format!("replay {UPLOADS} --reference reference.ndjson --until {} --out out", folder.until);
            let output = command(home.path(), &words).output().expect("the program runs");
            let said = [output.stdout, output.stderr]
                .map(|said| String::from_utf8_lossy(&said).into_owned())
                .concat();
            let field = demand["field"].as_str().expect("a field");
            let names = |said: &str| {
                let words: Vec<&str> = said.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
                words.contains(&line.to_string().as_str()) && words.contains(&field)
            };
            assert!(said.lines().any(names), "{} with line {line}, {field}: {said}", demand["record"]);
            refused += 1;
        }
    }
    assert!(refused >= 3, "only {refused} records to refuse");
}

/// What is wrong with a run, or nothing.
fn complaint(run: &Value, ended: &Ended) -> String {
    let mut text = ended.faults();
    if let Some(wanted) = run["alerts"].as_array() {
        let looked_at = &run["looked_at"];
        let is_looked_at = |alert: &&Value| {
            has(looked_at, "rule", &alert["rule"])
                && has(looked_at, "institution_id", &alert["subject"]["institution_id"])
        };
        compare_alerts(wanted, ended.open_alerts.iter().filter(is_looked_at).collect(), &mut text);
    }
    if let Some(wanted) = run["decisions"].as_array() {
        compare_decisions(wanted, &ended.decisions, &mut text);
    }
    compare_dead_letters(run["dead_letters"].as_array(), &ended.dead_letters, &mut text);
    text
}

/// Each alert demanded stands for another one that is open, and all that are open are demanded.
fn compare_alerts(wanted: &[Value], mut open: Vec<&Value>, text: &mut String) {
    for demand in wanted {
        match open.iter().position(|alert| fits(demand, alert)) {
            Some(index) => drop(open.swap_remove(index)),
            None => drop(writeln!(text, "- {demand}")),
        }
    }
    for alert in open {
        let _ = writeln!(
            text,
            "+ {} {} {} on {} against {}",
            alert["rule"], alert["action"], alert["code"], alert["subject"], alert["counterpart"]
        );
    }
}

fn fits(demand: &Value, alert: &Value) -> bool {
    let demands = demand.as_object().expect("a demand is an object");
    demands.iter().all(|(name, value)| match name.as_str() {
        "subject" | "counterpart" => side_fits(value, &alert[name]),
        "invalid" => {
            let one_of = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            one_of.iter().any(|reason| holds(&alert["attributes"], reason))
        }
        "shortfall" => plain(&alert["attributes"]["shortfall"]) == plain(value),
        _ => alert[name] == *value,
    })
}

fn side_fits(demand: &Value, side: &Value) -> bool {
    let demands = demand.as_object().expect("a side is an object");
    demands.iter().all(|(name, value)| match (name.as_str(), value.as_str(), side[name].as_str()) {
        ("occurred_at", Some(demanded), Some(shown)) => is_same_time(demanded, shown),
        _ => side[name] == *value,
    })
}

/// A document that is known to the day is shown as the day, or as the moment that stands for it.
fn is_same_time(demanded: &str, shown: &str) -> bool {
    let moment_of = |text: &str| -> Option<Timestamp> { moment::rfc3339(text) };
    match moment_of(demanded) {
        Some(moment) => moment_of(shown) == Some(moment),
        None => shown.starts_with(demanded),
    }
}

/// Whether a value stands anywhere inside another.
fn holds(value: &Value, wanted: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(|inner| holds(inner, wanted)),
        Value::Array(list) => list.iter().any(|inner| holds(inner, wanted)),
        value => value == wanted,
    }
}

/// A decimal without what does not count.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn has(demand: &Value, name: &str, value: &Value) -> bool {
    demand[name].is_null() || demand[name] == *value
}

fn compare_decisions(wanted: &[Value], decisions: &[Value], text: &mut String) {
    let wanted: Vec<String> = wanted.iter().map(Value::to_string).collect();
    let found: Vec<String> = decisions.iter().map(Value::to_string).collect();
    for missing in wanted.iter().filter(|one| !found.contains(one)) {
        let _ = writeln!(text, "- {missing}");
    }
    for beyond in found.iter().filter(|one| !wanted.contains(one)) {
        let _ = writeln!(text, "+ {beyond}");
    }
}

/// No probe may be refused; of the messages those, and only those, that are demanded, where anything is.
fn compare_dead_letters(wanted: Option<&Vec<Value>>, letters: &[Value], text: &mut String) {
    let mut by_line: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for letter in letters {
        let line = &letter["source"]["offset"];
        let line = line.as_u64().or_else(|| line.as_str()?.parse().ok()).expect("a letter names its line");
        if letter["source"]["topic"].as_str().is_some_and(|topic| topic.ends_with(PROBES)) {
            let _ = writeln!(text, "a probe was refused: {letter}");
        } else {
            by_line.entry(line).or_default().push(letter);
        }
    }
    let Some(wanted) = wanted else { return };
    for demand in wanted {
        let letters = by_line.remove(&demand["line"].as_u64().expect("a line")).unwrap_or_default();
        let reasons = demand["reason"].as_array().cloned().unwrap_or_else(|| vec![demand["reason"].clone()]);
        let is_right = |letter: &&Value| {
            reasons.contains(&letter["reason"]) && has(demand, "institution_id", &letter["institution_id"])
        };
        if letters.is_empty() || !letters.iter().all(is_right) {
            let _ = writeln!(text, "- dead letter {demand}, found {letters:?}");
        }
    }
    for letter in by_line.values().flatten() {
        let _ = writeln!(text, "+ dead letter {letter}");
    }
}
