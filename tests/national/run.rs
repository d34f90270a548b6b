//! A run of messages through all stages, and what it must keep in any case.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tracewarden::config::Config;
use tracewarden::domain::reference::Book;
use tracewarden::pipeline::tally::{InputOutcome, Tally};
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::wire::inbound::{moment, reference};

use crate::fold::Fold;
use oracle::Answer;
use oracle::world::dice::Dice;

/// Batch sizes and partition counts that must make no difference.
pub(crate) const SHAPES: [(usize, u16); 4] = [(1000, 1), (1, 1), (7, 3), (1000, 4)];

/// What a run ended with.
pub(crate) struct Ended {
    pub(crate) answer: Answer,
    pub(crate) dead_letters: Vec<Value>,
    pub(crate) gaps: Vec<String>,
    pub(crate) tally: Tally,
}

impl Ended {
    /// What is wrong with it, or nothing.
    pub(crate) fn complaint(&self, expected: &Answer) -> String {
        let mut text = expected.difference(&self.answer);
        for gap in &self.gaps {
            let _ = writeln!(text, "{gap}");
        }
        if let Some(wrong) = accounting_error(&self.tally) {
            let _ = writeln!(text, "{wrong}");
        }
        text
    }
}

/// The two equations that hold at rest.
fn accounting_error(tally: &Tally) -> Option<String> {
    let rejected = tally.inputs_total(|outcome| matches!(outcome, InputOutcome::Rejected(_)));
    let ignored = tally.inputs_total(|outcome| outcome == InputOutcome::Ignored);
    let decoded = tally.inputs_total(|outcome| outcome == InputOutcome::Decoded);
    let merged: u64 = tally.merged.values().sum();
    let holds = tally.read_total() == rejected + ignored + decoded && tally.derived_total() == merged;
    (!holds).then(|| format!("the accounting does not add up: {tally:?}"))
}

/// A local service with these reference records.
pub(crate) fn start(records: &[Value], (batch_records_max, partitions): (usize, u16)) -> Local {
    let mut book = Book::default();
    for record in records {
        book.apply(reference::from_json(record.to_string().as_bytes()).expect("reference records are valid"));
    }
    let options = LocalOptions {
        partitions,
        batch_records_max,
        ..LocalOptions::from_config(&Config::default()).expect("the defaults are valid")
    };
    Local::new(&options, book).expect("the stages start")
}

/// Runs messages to the end.
pub(crate) fn run(records: &[Value], messages: &[String], until: Option<&str>, shape: (usize, u16)) -> Ended {
    let mut local = start(records, shape);
    for (line, message) in (1..).zip(messages) {
        local.feed(message.clone().into_bytes(), "uploads.ndjson", line).expect("a message is taken in");
    }
    finish(local, until)
}

/// Lets everything come to rest and looks at what was published.
pub(crate) fn finish(mut local: Local, until: Option<&str>) -> Ended {
    let until = until.map(|until| moment::rfc3339(until).expect("until is a moment"));
    local.finish(until).expect("the run ends");
    let mut fold = Fold::default();
    let mut dead_letters = Vec::new();
    for output in local.drain().expect("outputs are readable") {
        let payload = output.record.payload.as_deref().unwrap_or_default();
        match output.topic {
            Topic::Alerts => fold.alert(payload),
            Topic::Decisions => fold.decision(payload),
            _ => dead_letters.push(dead_letter(payload)),
        }
    }
    // By partition they come in another order.
    dead_letters.sort_by_key(|letter| (letter["line"].as_u64(), letter["field"].to_string()));
    Ended { answer: fold.answer(), dead_letters, gaps: fold.gaps, tally: local.tally() }
}

/// What of a dead letter is compared.
pub(crate) fn dead_letter(payload: &[u8]) -> Value {
    let letter: Value = serde_json::from_slice(payload).expect("a dead letter is JSON");
    let sentence = letter["sentence"].as_str().unwrap_or_default();
    assert!(sentence.ends_with('.') && sentence.len() > 20, "no sentence for a human: {letter}");
    let line = match &letter["source"]["offset"] {
        Value::String(text) => text.parse().map_or(Value::Null, |line: u64| json!(line)),
        offset => offset.clone(),
    };
    json!({"line": line, "reason": letter["reason"], "field": letter["field"]})
}

/// The same messages in another order, some of them twice.
pub(crate) fn shuffled(messages: &[String], seed: u64) -> Vec<String> {
    let dice = &mut Dice::new(seed);
    let mut shuffled = messages.to_vec();
    for message in messages {
        if dice.chance(30) {
            shuffled.push(message.clone());
        }
    }
    dice.shuffle(&mut shuffled);
    shuffled
}

/// Every order of a few messages.
pub(crate) fn permutations(messages: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = messages.split_first() else {
        return vec![Vec::new()];
    };
    let insert = |order: Vec<String>| {
        let at = move |position: usize| {
            let mut order = order.clone();
            order.insert(position, first.clone());
            order
        };
        (0..=rest.len()).map(at)
    };
    permutations(rest).into_iter().flat_map(insert).collect()
}
