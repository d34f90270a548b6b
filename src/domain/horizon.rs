//! How far back the service remembers, when it is told to forget.
//!
//! What is older than the horizon is forgotten as a whole: a code with all its observations, a document, a claim, once
//! the newest fact about it is that old by the time that the log carries. Uploads about moments before the horizon
//! are refused at intake, so that nothing half-forgotten is judged: whatever is accepted is younger than what was
//! forgotten. Judging by the time in the log, two rebuilds forget the same.

use super::adjudicator::ClaimState;
use super::document::Upload;
use super::document::merge::{Document, Reversed, Stamped};
use super::monitor::CodeState;
use super::register::DocumentState;
use super::time::{Millis, Timestamp};

/// State is kept for so much longer than uploads are accepted: uploads on their way still find it.
const SLACK: Millis = Millis::from_days(2);

/// A document is kept for so much longer than its claim and its observations, whose numbers it gives.
const OUTLIVES_ITS_CLAIM: Millis = Millis::from_days(2);

/// Whether an upload is about a moment that may be forgotten already, when it is received.
pub fn is_refused(upload: &Upload, horizon: Millis) -> bool {
    let about = match upload {
        Upload::Version(version) => {
            version.header.as_ref().map_or(version.issued_at, |header| header.content.occurred_at)
        }
        Upload::Reversal(reversal) => reversal.issued_at,
    };
    about < upload.origin().received_at.minus(horizon)
}

/// State whose newest fact is older than this is forgotten.
pub fn forgets_before(now: Timestamp, horizon: Millis) -> Timestamp {
    now.minus(horizon).minus(SLACK)
}

/// The newest fact about a code.
pub fn newest_of_code(state: &CodeState) -> Option<Timestamp> {
    let observed = state.observations.iter().map(|observation| observation.time).max();
    observed.max(state.emptied_at).max(state.due)
}

/// The newest fact about a claim.
pub fn newest_of_claim(state: &ClaimState) -> Option<Timestamp> {
    let claimed = state.claim.as_ref().map(|claim| claim.occurred_at.max(claim.origin.received_at));
    claimed.max(state.deadline)
}

/// The newest fact about a document, or reversal of it.
pub fn newest_of_document(state: &DocumentState) -> Option<Timestamp> {
    let Document { full, header, lines, reversed, reversed_lines } = &state.parts;
    let occurred = header.as_ref().map(|header| header.part.content.occurred_at);
    let of_lines = lines.values().filter_map(|line| received(&line.fee).max(received(&line.codes)));
    let of_reversals = reversed_lines.values().chain([reversed]).filter_map(newest_reversal);
    let newest = occurred.max(*full).max(received(header)).max(of_lines.max()).max(of_reversals.max());
    newest.map(|newest| newest.plus(OUTLIVES_ITS_CLAIM))
}

fn received<T>(part: &Option<Stamped<T>>) -> Option<Timestamp> {
    part.as_ref().map(|part| part.issued_at.max(part.origin.received_at))
}

fn newest_reversal(reversed: &Reversed) -> Option<Timestamp> {
    let stamps = [&reversed.header, &reversed.fee, &reversed.codes];
    stamps.into_iter().flatten().map(|stamp| stamp.issued_at.max(stamp.origin.received_at)).max()
}
