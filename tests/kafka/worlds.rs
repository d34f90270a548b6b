//! Worlds with known answers: the examples, and a simulated province judged by the same stages in memory.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tracewarden::config::Config;
use tracewarden::domain::reference::Book;
use tracewarden::domain::time::Timestamp;
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::sim::{self, Dirt, Fraud, Parameters};
use tracewarden::wire::inbound::{moment, reference};

use crate::fold::Fold;
use oracle::Answer;

/// Reference data, uploads in the order of sending, and what they end in.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) reference: Vec<Value>,
    pub(crate) uploads: Vec<String>,
    /// The time at which it ends.
    pub(crate) now: Timestamp,
    pub(crate) expected: Answer,
}

/// All examples, by name.
pub(crate) fn examples() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the examples are there").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| example(path)).collect()
}

fn example(path: &Path) -> Case {
    let text = |name: &str| fs::read_to_string(path.join(name)).expect("an example is complete");
    let reference: Vec<Value> =
        text("reference.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let uploads: Vec<String> = text("uploads.ndjson").lines().map(str::to_owned).collect();
    let until = moment::rfc3339(text("until").trim());
    let (now, _) = in_memory(&reference, &uploads, until);
    Case {
        name: path.file_name().unwrap().display().to_string(),
        expected: Answer::from_json(&serde_json::from_str(&text("expected.json")).unwrap()),
        reference,
        uploads,
        now,
    }
}

/// A province of two weeks, with acts planted in the first days of it, and late, repeated and corrected uploads. In less
/// time than that no act could end, so none would begin.
pub(crate) fn province() -> Case {
    let mut parameters = Parameters::demo(7);
    parameters.institutions = 20;
    parameters.codes_per_day = 60;
    parameters.days = 14;
    parameters.products = 20;
    parameters.fraud = Fraud { acts_per_day: 10, packs_per_act_max: 3 };
    parameters.dirt =
        Dirt { issued_late_ppm: 100_000, held_up_ppm: 100_000, deleted_ppm: 30_000, ..Dirt::usual() };
    case_of("province", &parameters)
}

/// A simulated province by name.
pub(crate) fn case_of(name: &str, parameters: &Parameters) -> Case {
    let reference: Vec<Value> =
        sim::reference(parameters).map(|record| serde_json::from_str(&record).unwrap()).collect();
    let uploads: Vec<String> = sim::uploads(parameters).map(|upload| upload.json).collect();
    let until = Timestamp::from_unix_millis(parameters.until());
    let (now, expected) = in_memory(&reference, &uploads, Some(until));
    Case { name: name.to_owned(), reference, uploads, now, expected }
}

/// Where the same stages end in memory: when, and with what.
fn in_memory(reference: &[Value], uploads: &[String], until: Option<Timestamp>) -> (Timestamp, Answer) {
    let mut book = Book::default();
    for record in reference {
        book.apply(reference::from_json(record.to_string().as_bytes()).expect("reference records are valid"));
    }
    let options = LocalOptions::from_config(&Config::default()).unwrap();
    let mut local = Local::new(&options, book).unwrap();
    for (line, upload) in (1..).zip(uploads) {
        local.feed(upload.clone().into_bytes(), "uploads.ndjson", line).unwrap();
    }
    local.finish(until).unwrap();
    let mut fold = Fold::default();
    for output in local.drain().unwrap() {
        let payload = output.record.payload.as_deref().unwrap_or_default();
        match output.topic {
            Topic::Alerts => fold.alert(payload),
            Topic::Decisions => fold.decision(payload),
            _ => {}
        }
    }
    (local.now().expect("some upload is accepted"), fold.answer())
}
