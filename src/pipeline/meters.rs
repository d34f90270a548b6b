//! Records in metrics what a committed batch counted.

use super::tally::{InputOutcome, Tally};
use crate::domain::document::merge::Outcome;
use crate::telemetry::metrics::{self, UploadOutcome};

/// Records a committed batch.
pub(crate) fn record(tally: &Tally) {
    metrics::inputs_read(tally.read_total());
    for ((_, outcome), count) in &tally.inputs {
        match outcome {
            InputOutcome::Rejected(reason) => metrics::inputs_rejected(reason, *count),
            InputOutcome::Ignored => metrics::inputs_ignored(*count),
            InputOutcome::Decoded => metrics::inputs_decoded(*count),
        }
    }
    for (reason, count) in &tally.rejected_uploads {
        metrics::uploads_rejected(reason, *count);
    }
    metrics::uploads_derived(tally.derived_total());
    for (outcome, count) in &tally.merged {
        let outcome = match outcome {
            Outcome::Accepted => UploadOutcome::Accepted,
            Outcome::Duplicate => UploadOutcome::Duplicate,
            Outcome::Superseded => UploadOutcome::Superseded,
            Outcome::NoRoom => UploadOutcome::NoRoom,
            Outcome::TooLate => UploadOutcome::TooLate,
        };
        metrics::uploads(outcome, *count);
    }
    metrics::reversals_forwarded(tally.forwarded);
    metrics::reversed_at_issue(tally.reversed_at_issue);
    for ((rule, status), count) in &tally.alerts {
        metrics::alerts(*rule, *status, *count);
    }
    for (rule, count) in &tally.observed {
        metrics::findings_observed(*rule, *count);
    }
    for ((rule, reason), count) in &tally.allowed {
        metrics::findings_allowed(*rule, *count);
        tracing::info!(rule = rule.name(), %reason, count, "findings silenced by an allowance");
    }
    for ((verdict, provisional), count) in &tally.decisions {
        metrics::decisions(*verdict, *provisional, *count);
    }
    metrics::decisions_withdrawn(tally.decisions_withdrawn);
    for (limit, count) in &tally.limits {
        metrics::limits_hit(limit, *count);
    }
}
