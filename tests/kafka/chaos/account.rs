//! What must have come out: the same uploads through the same stages in memory, and what became of each input.

use std::collections::BTreeMap;

use serde_json::Value;
use tracewarden::domain::time::Timestamp;
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::Local;

use super::feed::Sent;
use crate::support::fold::Fold;
use crate::support::local;
use crate::support::watcher::Watcher;
use oracle::Answer;

/// Uploads fed between two looks at what came out.
const DRAIN_EVERY: usize = 1_000;

/// What uploads end in, when nothing goes wrong.
pub(crate) struct Expected {
    pub(crate) answer: Answer,
    /// How often each kind of dead letter came: without its source, which is another one in a file.
    dead_letters: BTreeMap<String, usize>,
    /// The time of its end.
    pub(crate) now: Timestamp,
}

impl Expected {
    /// Runs all stages in memory, as `replay` does.
    pub(crate) fn of(references: &[Value], sent: &Sent) -> Self {
        let mut local = local::start(references, &local::options(""));
        let (mut fold, mut dead_letters) = (Fold::default(), Vec::new());
        for (index, upload) in sent.uploads.iter().enumerate() {
            local.feed(upload.clone().into_bytes(), "sent", index as u64 + 1).unwrap();
            if index % DRAIN_EVERY == 0 {
                drain(&mut local, &mut fold, &mut dead_letters);
            }
        }
        local.finish(Some(sent.end)).unwrap();
        drain(&mut local, &mut fold, &mut dead_letters);
        let now = local.now().expect("time has come to its end");
        Self { answer: fold.answer(), dead_letters: count(&dead_letters), now }
    }

    /// What is wrong with what a reader of the outputs has seen; nothing when all is well.
    pub(crate) fn complaints(&self, watcher: &Watcher) -> Vec<String> {
        let mut complaints = watcher.gaps().to_vec();
        let difference = self.answer.difference(&watcher.answer());
        if !difference.is_empty() {
            complaints.push(format!("expected (-) and found (+) differ:\n{difference}"));
        }
        let dead_letters = count(&watcher.dead_letters);
        if dead_letters != self.dead_letters {
            complaints
                .push(format!("dead letters: expected {:?}, found {dead_letters:?}", self.dead_letters));
        }
        let (lost, doubled) = watcher.lost_and_doubled();
        complaints.extend(lost.iter().map(|input| format!("nothing came of {input}")));
        complaints.extend(doubled.iter().map(|input| format!("taken in more than once: {input}")));
        complaints
    }

    /// How many alerts are open and claims decided at the end.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.answer.alerts.len(), self.answer.decisions.len())
    }
}

fn drain(local: &mut Local, fold: &mut Fold, dead_letters: &mut Vec<Value>) {
    for output in local.drain().unwrap() {
        let payload = output.record.payload.as_deref().unwrap_or_default();
        match output.topic {
            Topic::Alerts => fold.alert(payload),
            Topic::Decisions => fold.decision(payload),
            _ => dead_letters.push(serde_json::from_slice(payload).expect("a dead letter is JSON")),
        }
    }
}

fn count(dead_letters: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for letter in dead_letters {
        let said = ["reason", "field", "institution_id", "document_id", "sentence"]
            .map(|name| letter[name].to_string());
        *counts.entry(said.join(" ")).or_default() += 1;
    }
    counts
}
