//! What a document says at one time, as far as its parts and what it borrows decide: the register publishes differences
//! of it.

use std::collections::BTreeMap;

use super::LineReasons;
use crate::domain::Text;
use crate::domain::amount::Money;
use crate::domain::claim::{ClaimLine, LentTo};
use crate::domain::document::Kind;
use crate::domain::document::lending::{Offer, Windows};
use crate::domain::document::live::{LINES_MAX, LiveDocument, LiveLine};
use crate::domain::document::observe::{Spot, observe};
use crate::domain::handling::{Book, LineRuling};
use crate::domain::observation::Observation;

/// What a document says at one time.
#[derive(Default)]
pub(super) struct View {
    pub(super) observations: BTreeMap<Spot, Box<Observation>>,
    /// Lines of the claim, of a settlement.
    pub(super) claimed: Option<Vec<Claimed>>,
    /// What it has to lend, of a hand-over.
    pub(super) offer: Option<Offer>,
}

/// A line of a claim, as far as it follows from the document and what people did about it.
pub(super) struct Claimed {
    line_id: Text,
    amount: Money,
    ruling: Option<LineRuling>,
    lent: Vec<LentTo>,
}

impl View {
    pub(super) fn of(document: Option<&LiveDocument<'_>>, handling: &Book, windows: Windows) -> Self {
        let Some(document) = document else {
            return Self::default();
        };
        let lines = || document.lines.iter().take(LINES_MAX);
        let claimed = || lines().map(|line| Claimed::of(line, handling.on(document, line))).collect();
        Self {
            observations: observe(document),
            claimed: (document.kind() == Kind::Settlement).then(claimed),
            offer: Offer::of(document, windows),
        }
    }

    /// The lines of the claim as published.
    pub(super) fn claim_lines(
        &self,
        reasons: &LineReasons,
        asserted: &BTreeMap<Spot, u64>,
    ) -> Vec<ClaimLine> {
        let line = |Claimed { line_id, amount, ruling, lent }: &Claimed| ClaimLine {
            line_id: line_id.clone(),
            amount: *amount,
            reasons: reasons.get(line_id).cloned().unwrap_or_default(),
            ruling: ruling.clone(),
            awaits: asserted
                .range((line_id.clone(), Text::default())..)
                .take_while(|((line, _), _)| line == line_id)
                .map(|((_, code), revision)| (code.clone(), *revision))
                .collect(),
            lent: lent.clone(),
        };
        self.claimed.iter().flatten().map(line).collect()
    }
}

impl Claimed {
    fn of(line: &LiveLine<'_>, ruling: Option<LineRuling>) -> Self {
        let lent = line.lent().iter().map(|lent| LentTo {
            code: lent.scanned.scan.text().clone(),
            document_id: lent.lender.clone(),
            line_id: lent.line.line_id.clone(),
        });
        Self {
            line_id: line.line_id.clone(),
            amount: line.claimed.unwrap_or_default(),
            ruling,
            lent: lent.collect(),
        }
    }
}

/// Observations now, each with the revision it was last asserted at: this one when it is new or says something else.
pub(super) fn number(
    before: &View,
    after: &View,
    asserted: &BTreeMap<Spot, u64>,
    revision: u64,
) -> BTreeMap<Spot, u64> {
    let numbered = after.observations.iter().map(|(spot, observation)| {
        let unchanged =
            before.observations.get(spot).is_some_and(|known| observation.says_the_same_as(known));
        let kept = asserted.get(spot).copied().filter(|_| unchanged);
        (spot.clone(), kept.unwrap_or(revision))
    });
    numbered.collect()
}
