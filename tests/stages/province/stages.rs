//! A province through the real stages on the memory broker, and what they published compared with its truth.

use tracewarden::config::Config;
use tracewarden::domain::time::Timestamp;
use tracewarden::evaluate::{Evaluation, Report, scans_in};
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::sim::{self, Parameters, Truth};

use crate::support::fold::Fold;
use oracle::Answer;

/// Uploads between two looks at what was published, so that memory holds no more.
const DRAIN_EVERY: u64 = 2_000;

/// What a province ended in.
pub(crate) struct Played {
    /// Compared with its truth.
    pub(crate) report: Report,
    /// Open alerts and standing decisions.
    pub(crate) answer: Answer,
    /// Codes that claims borrowed in the end.
    pub(crate) lent: u64,
    /// What is true of it.
    pub(crate) truth: Vec<Truth>,
}

/// Plays a province through the stages to its end, when every grace is over.
pub(crate) fn play(parameters: &Parameters) -> Played {
    let book = sim::book(parameters).expect("reference records are valid");
    let options = LocalOptions::from_config(&Config::default()).expect("the defaults are valid");
    let mut local = Local::new(&options, book).expect("the stages start");
    let (mut evaluation, mut fold) = (Evaluation::default(), Fold::default());
    let mut province = sim::uploads(parameters);
    let (mut line, mut truth) = (0, Vec::new());
    while let Some(upload) = province.next() {
        line += 1;
        truth.append(&mut province.take_truth());
        evaluation.scanned(scans_in(upload.json.as_bytes()).expect("an upload can be read"));
        local.feed(upload.json.into_bytes(), "uploads.ndjson", line).expect("an upload is taken in");
        if line.is_multiple_of(DRAIN_EVERY) {
            hand_over(&mut local, &mut evaluation, &mut fold);
        }
    }
    truth.append(&mut province.take_truth());
    evaluation.expect(truth.iter().cloned());
    local.finish(Some(Timestamp::from_unix_millis(parameters.until()))).expect("the run ends");
    hand_over(&mut local, &mut evaluation, &mut fold);
    assert_eq!(local.tally().in_flight(), 0, "seed {}: everything has come to rest", parameters.seed);
    assert!(fold.gaps.is_empty(), "seed {}: {:?}", parameters.seed, fold.gaps);
    Played { report: evaluation.report(), answer: fold.answer(), lent: fold.lent(), truth }
}

/// What was published since the last time. Nothing may be refused on the way.
fn hand_over(local: &mut Local, evaluation: &mut Evaluation, fold: &mut Fold) {
    for output in local.drain().expect("outputs are readable") {
        let payload = output.record.payload.unwrap_or_default();
        let json = std::str::from_utf8(&payload).expect("what is published is text");
        match output.topic {
            Topic::Alerts => {
                evaluation.alert(json).expect("an alert");
                fold.alert(&payload);
            }
            Topic::Decisions => {
                evaluation.decision(json).expect("a decision");
                fold.decision(&payload);
            }
            _ => panic!("refused: {json}"),
        }
    }
}
