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
/// known of their lines, but no new ones where there would be more than `at_most` then. Lines that are not there are
/// ignored. Whether there was room.
pub fn amend(
    observations: &mut Vec<Observation>,
    document: &DocumentKey,
    retracted: &[Text],
    asserted: &[Observation],
    at_most: usize,
) -> bool {
    let own = asserted.iter().filter(|observation| observation.key.document == *document);
    let lines: BTreeSet<&str> =
        retracted.iter().map(AsRef::as_ref).chain(own.clone().map(|o| o.key.line_id.as_ref())).collect();
    let mut replaced: BTreeSet<Text> = BTreeSet::new();
    observations.retain(|known| {
        let goes = known.key.document == *document && lines.contains(known.key.line_id.as_str());
        if goes {
            replaced.insert(known.key.line_id.clone());
        }
        !goes
    });
    let has_room = observations.len().saturating_add(asserted.len()) <= at_most;
    // One more, or two: room for four at once, as a vector makes by itself, would be most of what is held of codes.
    observations.reserve_exact(asserted.len());
    observations.extend(own.filter(|o| has_room || replaced.contains(&o.key.line_id)).cloned());
    sort(observations);
    has_room
}
