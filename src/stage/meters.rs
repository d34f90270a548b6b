//! Metrics of one worker: handles made once, fed with what was committed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::tally::{InputOutcome, Tally};
use super::topology::Topic;
use crate::domain::document::merge::Outcome;
use crate::domain::time::Timestamp;
use crate::telemetry::metrics::{
    DecisionMetrics, FindingMetrics, InputMetrics, LimitMetrics, StageMetrics, UploadMetrics, UploadOutcome,
};

/// Handles of everything that a worker measures.
pub(super) struct Meters {
    pub(super) stage: StageMetrics,
    uploads: UploadMetrics,
    findings: FindingMetrics,
    decisions: DecisionMetrics,
    limits: LimitMetrics,
    inputs: BTreeMap<Topic, InputMetrics>,
}

impl Meters {
    pub(super) fn new(stage: &'static str) -> Self {
        Self {
            stage: StageMetrics::new(stage),
            uploads: UploadMetrics::new(),
            findings: FindingMetrics::new(),
            decisions: DecisionMetrics::new(),
            limits: LimitMetrics::default(),
            inputs: Topic::INPUTS.map(|topic| (topic, InputMetrics::new(topic.name()))).into(),
        }
    }

    /// Counts a committed batch.
    pub(super) fn committed(&mut self, tally: &Tally, wall: Timestamp) {
        for ((topic, outcome), count) in &tally.inputs {
            let Some(input) = self.inputs.get_mut(topic) else { continue };
            let uploads = tally.derived.get(topic).copied().unwrap_or_default();
            match outcome {
                InputOutcome::Rejected(reason) => input.rejected(reason, *count),
                InputOutcome::Ignored => input.ignored(*count),
                InputOutcome::Decoded => input.decoded(*count, uploads),
            }
        }
        for (outcome, count) in &tally.merged {
            let outcome = match outcome {
                Outcome::Accepted => UploadOutcome::Accepted,
                Outcome::Duplicate => UploadOutcome::Duplicate,
                Outcome::Superseded => UploadOutcome::Superseded,
            };
            self.uploads.merged(outcome, *count);
        }
        for ((rule, status), count) in &tally.alerts {
            self.findings.alert(*rule, *status, *count);
        }
        for (rule, count) in &tally.observed {
            self.findings.observed(*rule, *count);
        }
        for ((verdict, provisional), count) in &tally.decisions {
            self.decisions.decided(*verdict, *provisional, *count);
        }
        self.decisions.withdrawn(tally.decisions_withdrawn);
        for received_at in &tally.alerts_received_at {
            self.findings.delay(delay(*received_at, wall));
        }
        for received_at in &tally.decisions_received_at {
            self.decisions.delay(delay(*received_at, wall));
        }
        for (limit, count) in &tally.limits {
            self.limits.hit(limit, *count);
        }
    }
}

fn delay(received_at: Timestamp, wall: Timestamp) -> Duration {
    if wall > received_at { Duration::from_millis(wall.distance(received_at).get()) } else { Duration::ZERO }
}
