//! The order of a timeline, and changes of it that keep it.
//!
//! Kept sorted rather than in a tree: timelines are short, read as a whole, and stored as a list.

use std::collections::BTreeSet;

use crate::domain::Text;
use crate::domain::document::DocumentKey;
use crate::domain::observation::Observation;

/// Puts observations in the order of the rules: (time, rank, institution, group, document, line).
pub fn sort(observations: &mut [Observation]) {
    observations.sort_by(|a, b| a.order().cmp(&b.order()));
}

/// Takes the observations of `document`'s lines in `retracted` out and puts `asserted` in, in place of what was
/// known of their lines. Lines that are not there are ignored.
pub fn amend(
    observations: &mut Vec<Observation>,
    document: &DocumentKey,
    retracted: &[Text],
    asserted: &[Observation],
) {
    let own = asserted.iter().filter(|observation| observation.key.document == *document);
    let lines: BTreeSet<&str> =
        retracted.iter().map(AsRef::as_ref).chain(own.clone().map(|o| o.key.line_id.as_ref())).collect();
    observations
        .retain(|known| known.key.document != *document || !lines.contains(known.key.line_id.as_ref()));
    observations.extend(own.cloned());
    sort(observations);
}
