//! How far back the service remembers, when it is told to forget.
//!
//! What is older than the horizon is forgotten as a whole: a code with all its observations, a document, a claim, once
//! the newest fact about it is that old by the time that the log carries. Judging by that time, two rebuilds forget the
//! same. What was forgotten stays so under a longer horizon, or none: each partition keeps how far it forgot.
//!
//! Nothing half-forgotten is judged:
//!
//! - An upload about a moment before the horizon is refused at intake ([`is_refused`]).
//! - One that does not say what moment it is about, a correction of lines or a reversal, is refused by the register when
//!   the header that the document has is before the horizon ([`is_too_late`]). So a document whose day is behind the
//!   horizon is closed: whatever is still remembered of it serves to say so.
//! - While a document can be changed, its day is within the horizon, so its codes and its claim are remembered; they are
//!   kept for longer than a document of the same facts. A document that was forgotten and begins anew gives its
//!   numbers from above those it gave before ([`numbers_begin_after`]): a claim that is remembered takes it for the
//!   newer one that it is.
//!
//! Limits: what was published about something forgotten stands as it is. A document that begins anew after its claim was
//! forgotten as well is decided from revision 1 on, and codes that it no longer names keep its old observation while other
//! documents keep them remembered.

use std::sync::Arc;

use super::adjudicator::ClaimState;
use super::document::Upload;
use super::document::merge::{Document, Reversed, Stamped};
use super::monitor::CodeState;
use super::register::DocumentState;
use super::time::{Millis, Timestamp};

/// State is kept for so much longer than uploads are accepted: uploads on their way still find it.
const SLACK: Millis = Millis::from_days(2);

/// Claims and codes are kept for so much longer than a document of the same facts: they lie in other partitions,
/// whose time may be ahead.
const OUTLIVES_ITS_DOCUMENT: Millis = Millis::from_days(2);

/// Whether an upload is about a moment that may be forgotten already, when it is received.
pub fn is_refused(upload: &Upload, horizon: Millis) -> bool {
    let about = moment_stated(upload).unwrap_or(upload.issued_at());
    about < upload.origin().received_at.minus(horizon)
}

/// Whether the document has, or is given, a day that may be forgotten already when the upload comes to it. Another day
/// does not open it again: what was said of the old one may be forgotten.
pub fn is_too_late(
    document: &Document,
    upload: &Upload,
    forgotten_before: Option<Timestamp>,
    horizon: Option<Millis>,
) -> bool {
    let received = horizon.map(|horizon| upload.origin().received_at.minus(horizon));
    let Some(remembered) = received.max(forgotten_before) else { return false };
    let known = document.header.as_ref().map(|header| header.part.content.moment());
    [known, moment_stated(upload)].into_iter().flatten().any(|about| about < remembered)
}

/// The number after which a document of which nothing is known numbers its revisions, once anything was forgotten:
/// seconds outrun the uploads of one document by far.
pub fn numbers_begin_after(now: Option<Timestamp>, forgotten_before: Option<Timestamp>) -> u64 {
    let seconds = now.filter(|_| forgotten_before.is_some()).map_or(0, |now| now.unix_millis() / 1000);
    u64::try_from(seconds).unwrap_or_default()
}

/// Whether the claims of the adjudicator still hold one that it was told of by an upload received at `told_at`, when it is
/// told of it again `now`: whatever the horizon, nothing that young is forgotten, and its time is never ahead of what it
/// is told.
pub fn remembers_claim(told_at: Timestamp, now: Option<Timestamp>) -> bool {
    now.is_none_or(|now| now <= told_at.plus(OUTLIVES_ITS_DOCUMENT).plus(SLACK))
}

/// State whose newest fact is older than this is forgotten.
pub fn forgets_before(now: Timestamp, horizon: Millis) -> Timestamp {
    now.minus(horizon).minus(SLACK)
}

/// The newest fact about a code, or when it was received.
pub fn newest_of_code(state: &CodeState) -> Option<Timestamp> {
    let of_observations = state.observations.iter().map(|known| known.time.max(known.origin.received_at));
    let newest = of_observations.max().max(state.emptied_at).max(state.due);
    newest.map(|newest| newest.plus(OUTLIVES_ITS_DOCUMENT))
}

/// The newest fact about a claim, or answer to it.
pub fn newest_of_claim(state: &ClaimState) -> Option<Timestamp> {
    let claimed = state.claim.as_ref().map(|claim| claim.occurred_at.max(claim.origin.received_at));
    let newest = claimed.max(state.answered_at).max(state.deadline);
    newest.map(|newest| newest.plus(OUTLIVES_ITS_DOCUMENT))
}

/// The newest fact about a document, or reversal of it.
pub fn newest_of_document(state: &DocumentState) -> Option<Timestamp> {
    let Document { full, header, lines, reversed, reversed_lines, earlier_headers: _ } = &state.parts;
    let occurred = header.as_ref().map(|header| header.part.content.moment());
    let of_lines = lines.values().filter_map(|line| received(&line.fee).max(received(&line.codes)));
    let of_reversals = reversed_lines.values().chain([reversed]).filter_map(newest_reversal);
    let of_lending = state.lending.offers.newest().max(state.lending.waiting.newest()).max(state.due);
    occurred
        .max(*full)
        .max(received(header))
        .max(of_lines.max())
        .max(of_reversals.max())
        .max(state.handling.newest())
        .max(of_lending)
}

/// When what the upload reports happened, if it says so.
fn moment_stated(upload: &Upload) -> Option<Timestamp> {
    match upload {
        Upload::Version(version) => version.header.as_ref().map(|header| header.content.moment()),
        Upload::Reversal(_) | Upload::Handling(_) => None,
    }
}

fn received<T>(part: &Option<Arc<Stamped<T>>>) -> Option<Timestamp> {
    part.as_ref().map(|part| part.issued_at.max(part.origin.received_at))
}

fn newest_reversal(reversed: &Reversed) -> Option<Timestamp> {
    let stamps = [&reversed.header, &reversed.fee, &reversed.codes];
    stamps.into_iter().flatten().map(|stamp| stamp.issued_at.max(stamp.origin.received_at)).max()
}
