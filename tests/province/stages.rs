//! A province through the real stages on the memory broker, and what they published compared with its truth.

use serde_json::Value;
use tracewarden::config::Config;
use tracewarden::domain::reference::Book;
use tracewarden::domain::time::Timestamp;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::sim::evaluate::{Evaluation, Report};
use tracewarden::sim::{self, Parameters};
use tracewarden::stage::topology::Topic;
use tracewarden::wire::reference;

/// Uploads between two looks at what was published, so that memory holds no more.
const DRAIN_EVERY: u64 = 2_000;

/// Plays a province through the stages to its end, when every grace is over.
pub(crate) fn played(parameters: &Parameters) -> Report {
    let mut book = Book::default();
    for record in sim::reference(parameters) {
        book.apply(reference::from_json(record.as_bytes()).expect("reference records are valid"));
    }
    let options = LocalOptions::from_config(&Config::default()).expect("the defaults are valid");
    let mut local = Local::new(&options, book).expect("the stages start");
    let mut evaluation = Evaluation::default();
    let mut province = sim::uploads(parameters);
    let mut line = 0;
    while let Some(upload) = province.next() {
        line += 1;
        evaluation.expect(province.take_truth());
        evaluation.scanned(scans(&upload.json));
        local.feed(upload.json.into_bytes(), "uploads.ndjson", line).expect("an upload is taken in");
        if line.is_multiple_of(DRAIN_EVERY) {
            hand_over(&mut local, &mut evaluation);
        }
    }
    evaluation.expect(province.take_truth());
    local.finish(Some(Timestamp::from_unix_millis(parameters.until()))).expect("the run ends");
    hand_over(&mut local, &mut evaluation);
    assert_eq!(local.tally().in_flight(), 0, "seed {}: everything has come to rest", parameters.seed);
    evaluation.report()
}

/// What was published since the last time, to the evaluation. Nothing may be refused on the way.
fn hand_over(local: &mut Local, evaluation: &mut Evaluation) {
    for output in local.drain().expect("outputs are readable") {
        let payload = output.record.payload.unwrap_or_default();
        let json = std::str::from_utf8(&payload).expect("what is published is text");
        match output.topic {
            Topic::Alerts => evaluation.alert(json).expect("an alert"),
            Topic::Decisions => evaluation.decision(json).expect("a decision"),
            _ => panic!("refused: {json}"),
        }
    }
}

/// Codes on the lines of an upload.
fn scans(upload: &str) -> u64 {
    let upload: Value = serde_json::from_str(upload).expect("an upload is JSON");
    let lines = upload["lines"].as_array().into_iter().flatten();
    lines.filter_map(|line| line["trace_codes"].as_array()).map(|codes| codes.len() as u64).sum()
}
