//! What a document adds to the counts of its institution: itself while it is live, or the reversals of it while nothing
//! else of it came.

use super::{DocumentState, RegisterEffects};
use crate::domain::document::Upload;
use crate::domain::document::live::LiveDocument;
use crate::domain::document::merge::{Document, Reversed};
use crate::domain::sender::{Standing, StandingChange, Standings, changes};
use crate::domain::time::Timestamp;

/// What the live document adds, or some lines of it, which has so many codes in all.
pub(super) fn of(parts: &Document, live: Option<&LiveDocument<'_>>, codes_sent: u64) -> Standings {
    let standing = live.map(|live| {
        let first_issued_at = parts.first_issued_at().unwrap_or(live.header.issued_at);
        (live.day(), Standing::of(live, first_issued_at, codes_sent))
    });
    standing.into_iter().collect()
}

/// What reversals add that wait for what they take back.
fn of_waiting(state: &DocumentState) -> Standings {
    let mut standings = Standings::new();
    if state.is_awaited {
        let Document { reversed, reversed_lines, .. } = &state.parts;
        for issued_at in reversed_lines.values().chain([reversed]).filter_map(issued_at) {
            standings.entry(issued_at.day()).or_default().reversals_waiting += 1;
        }
    }
    standings
}

/// When the newest of these reversals was issued.
fn issued_at(reversed: &Reversed) -> Option<Timestamp> {
    let stamps = [&reversed.header, &reversed.fee, &reversed.codes];
    stamps.into_iter().flatten().map(|stamp| stamp.issued_at).max()
}

impl DocumentState {
    /// Applies an upload, and adds to its effects what that does to the reversals that wait.
    pub(super) fn counting_reversals(
        &mut self,
        upload: &Upload,
        apply: impl FnOnce(&mut Self) -> RegisterEffects,
    ) -> RegisterEffects {
        let before = of_waiting(self);
        let is_unknown = self.parts == Document::default() && self.revision == 0;
        let mut effects = apply(self);
        if effects.refused.is_none() {
            match upload {
                Upload::Reversal(_) => self.is_awaited |= is_unknown,
                Upload::Version(_) => self.is_awaited = false,
                Upload::Handling(_) => {}
            }
        }
        effects.standing.extend(changes(&before, &of_waiting(self)));
        effects
    }

    /// A document came to stand behind the alias: the reversals under it wait no longer.
    pub fn found_member(&mut self) -> Vec<StandingChange> {
        let before = of_waiting(self);
        self.is_awaited = false;
        changes(&before, &of_waiting(self))
    }
}
