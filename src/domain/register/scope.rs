//! Which lines of a document a step looks at.
//!
//! A settlement of thousands of lines may be lent to by hundreds of hand-overs, one after another. Each of them changes a
//! few lines; looking at all of them every time would cost the square of it. So where nothing else changed, only the lines
//! that borrow otherwise than before are looked at, with all lines that a rule could compare them with: those that carry
//! the same codes. That these lines alone were the document makes no difference to what is found of them.
//!
//! It is an economy and no rule: what is published is what looking at all lines would publish, to the last entry. Wherever
//! that is not certain, they all are looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::Step;
use super::{DocumentState, PublishedClaim};
use crate::domain::Text;
use crate::domain::alert::{AlertBook, FINDINGS_KEPT_MAX};
use crate::domain::document::DocumentKey;
use crate::domain::document::live::{LiveDocument, LiveLine};
use crate::domain::document::observe::Spot;
use crate::domain::horizon;
use crate::domain::observation::Moment;
use crate::domain::rules::line::{self, FINDINGS_PER_LINE_MAX};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;

/// Which lines a step looks at.
pub(super) enum Scope {
    /// All of them.
    Document,
    /// Some lines of a settlement; nothing changed but what these borrow.
    Lines(BTreeSet<Text>),
}

/// What is remembered of the lines in a scope.
pub(super) struct Known {
    pub(super) asserted: BTreeMap<Spot, u64>,
    pub(super) claim: Option<PublishedClaim>,
    pub(super) alerts: AlertBook,
}

impl Known {
    /// Whether the adjudicator remembers all of the claim, so that it can be told of changes.
    pub(super) fn is_claim_remembered(&self, now: Option<Timestamp>) -> bool {
        self.claim.as_ref().is_some_and(|claim| horizon::remembers_claim(claim.told_at, now))
    }
}

impl Scope {
    /// Of a document whose parts are as they were.
    pub(super) fn of(
        (before, live): (&LiveDocument<'_>, &LiveDocument<'_>),
        state: &DocumentState,
        step: &Step<'_>,
        moment: &Moment,
        rules: &RuleSet,
    ) -> Self {
        let is_limited = before.is_over_limit() || live.is_over_limit();
        if is_limited || !step.is_of_offer() || !stands(state, live.lines.len(), moment, rules) {
            return Self::Document;
        }
        let otherwise = before.lines.iter().zip(&live.lines).enumerate();
        let otherwise = otherwise.filter(|(_, (before, now))| !now.borrows_like(before));
        let changed = otherwise.map(|(place, _)| place).collect();
        let line_ids = sharing_codes(&live.lines, changed).into_iter();
        Self::Lines(
            line_ids.filter_map(|place| live.lines.get(place)).map(|line| line.line_id.clone()).collect(),
        )
    }

    pub(super) const fn is_document(&self) -> bool {
        matches!(self, Self::Document)
    }

    /// The document as if it had no other lines.
    pub(super) fn cut<'a>(&self, live: Option<LiveDocument<'a>>) -> Option<LiveDocument<'a>> {
        match self {
            Self::Document => live,
            Self::Lines(lines) => live.map(|live| live.only(lines)),
        }
    }

    /// Takes what is remembered of its lines out of the state.
    pub(super) fn take_out(&self, state: &mut DocumentState, key: &DocumentKey) -> Known {
        let Self::Lines(lines) = self else {
            return Known {
                asserted: std::mem::take(&mut state.asserted),
                claim: state.claim.take(),
                alerts: std::mem::take(&mut state.alerts),
            };
        };
        let claim = state.claim.as_mut().map(|claim| PublishedClaim {
            reasons: lines.iter().filter_map(|line_id| claim.reasons.remove_entry(line_id)).collect(),
            ..*claim
        });
        let keys = lines.iter().flat_map(|line_id| line::finding_keys(key, line_id));
        Known { asserted: take_spots(&mut state.asserted, lines), claim, alerts: state.alerts.take_out(keys) }
    }

    /// The inverse of [`Scope::take_out`], with what is now to be remembered.
    pub(super) fn put_back(&self, known: Known, state: &mut DocumentState) {
        if self.is_document() {
            (state.asserted, state.claim, state.alerts) = (known.asserted, known.claim, known.alerts);
            return;
        }
        state.asserted.extend(known.asserted);
        state.alerts.put_back(known.alerts);
        if let (Some(claim), Some(of_lines)) = (&mut state.claim, known.claim) {
            claim.told_at = of_lines.told_at;
            claim.reasons.extend(of_lines.reasons);
        }
    }
}

/// Whether all that is remembered of lines that borrow as before is as it would be found now: by the same rules, no grace
/// over since, nothing left out for want of room; and the adjudicator remembers the rest of the claim.
fn stands(state: &DocumentState, lines: usize, moment: &Moment, rules: &RuleSet) -> bool {
    let is_grace_over = state.due.zip(moment.now).is_some_and(|(due, now)| due <= now);
    let findings = lines.saturating_mul(FINDINGS_PER_LINE_MAX).saturating_add(state.alerts.published.len());
    let is_remembered =
        state.claim.as_ref().is_some_and(|claim| horizon::remembers_claim(claim.told_at, moment.now));
    state.judged_by.as_ref() == Some(&rules.digest)
        && !is_grace_over
        && findings <= FINDINGS_KEPT_MAX
        && is_remembered
}

/// The lines at these places, and all that share a code of their own with them, directly or over others. A code that is
/// lent is on one line only.
fn sharing_codes(lines: &[LiveLine<'_>], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    let has_own = |place: &usize| lines.get(*place).is_some_and(|line| !line.own_scans().is_empty());
    if !places.iter().any(has_own) {
        return places;
    }
    let mut carriers: BTreeMap<&Text, Vec<usize>> = BTreeMap::new();
    for (place, line) in lines.iter().enumerate() {
        for scanned in line.own_scans() {
            carriers.entry(scanned.scan.text()).or_default().push(place);
        }
    }
    let mut to_follow: Vec<usize> = places.iter().copied().collect();
    while let Some(line) = to_follow.pop().and_then(|place| lines.get(place)) {
        for scanned in line.own_scans() {
            // Whoever comes by a code first follows it to all that carry it.
            let carriers = carriers.remove(scanned.scan.text()).unwrap_or_default();
            to_follow.extend(carriers.into_iter().filter(|place| places.insert(*place)));
        }
    }
    places
}

fn take_spots(asserted: &mut BTreeMap<Spot, u64>, lines: &BTreeSet<Text>) -> BTreeMap<Spot, u64> {
    let mut taken = BTreeMap::new();
    for line_id in lines {
        let of_line = asserted.range((line_id.clone(), Text::default())..);
        let spots: Vec<Spot> =
            of_line.map(|(spot, _)| spot.clone()).take_while(|(line, _)| line == line_id).collect();
        taken.extend(spots.into_iter().filter_map(|spot| asserted.remove_entry(&spot)));
    }
    taken
}
