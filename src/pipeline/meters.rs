//! Records in metrics what a committed batch counted.

use super::tally::Tally;
use crate::domain::outcome::InputOutcome;
use crate::telemetry::metrics;

/// Records a committed batch.
pub(super) fn record(tally: &Tally) {
    metrics::INPUTS_READ.add((), tally.read_total());
    for ((_, outcome), count) in &tally.inputs {
        match outcome {
            InputOutcome::Rejected(reason) => metrics::INPUTS_REJECTED.add(*reason, *count),
            // Counted below, by cause.
            InputOutcome::Ignored => {}
            InputOutcome::Decoded => metrics::INPUTS_DECODED.add((), *count),
        }
    }
    for (cause, count) in &tally.ignored {
        metrics::INPUTS_IGNORED.add(*cause, *count);
    }
    for (leniency, count) in &tally.leniencies {
        metrics::READ_LENIENTLY.add(*leniency, *count);
    }
    for (field, count) in &tally.left_out {
        metrics::FIELDS_LEFT_OUT.add([field], *count);
    }
    for (reason, count) in &tally.rejected_uploads {
        metrics::UPLOADS_REJECTED.add(*reason, *count);
    }
    metrics::UPLOADS_DERIVED.add((), tally.derived_total());
    for (outcome, count) in &tally.merged {
        metrics::UPLOADS.add(*outcome, *count);
    }
    metrics::REVERSALS_FORWARDED.add((), tally.forwarded);
    metrics::REVERSED_AT_ISSUE.add((), tally.reversed_at_issue);
    for (revision, count) in &tally.alerts {
        metrics::ALERTS.add(*revision, *count);
    }
    for (rule, count) in &tally.observed {
        metrics::FINDINGS_OBSERVED.add(*rule, *count);
    }
    for ((rule, reason), count) in &tally.allowed {
        metrics::FINDINGS_ALLOWED.add(*rule, *count);
        tracing::info!(rule = rule.name(), %reason, count, "findings silenced by an allowance");
    }
    for (decision, count) in &tally.decisions {
        metrics::DECISIONS.add(*decision, *count);
    }
    metrics::DECISIONS_WITHDRAWN.add((), tally.decisions_withdrawn);
    for (verdict, fen) in &tally.decided_fen {
        metrics::DECIDED_FEN.add(*verdict, *fen);
    }
    metrics::PAYMENTS_UNCLAIMED.add((), tally.payments_unclaimed);
    metrics::PAYMENTS_UNCLAIMED_FEN.add((), tally.payments_unclaimed_fen);
    for (limit, count) in &tally.limits {
        metrics::LIMITS_HIT.add(*limit, *count);
    }
}
