//! What one step changes of a document, as entries for the stages behind.

use std::collections::BTreeMap;

use super::PublishedClaim;
use super::lending::Offered;
use super::view::View;
use crate::domain::Text;
use crate::domain::claim::{Claim, ClaimChange, ClaimLine};
use crate::domain::document::lending::Offer;
use crate::domain::document::merge::Change;
use crate::domain::document::observe::Spot;
use crate::domain::document::{DocumentKey, Origin, Upload};
use crate::domain::observation::{Cause, CodeChange, Observation, What};
use crate::domain::rules::ruleset::RuleSet;

/// Why a document is looked at.
pub(super) struct Step<'a> {
    pub(super) key: &'a DocumentKey,
    /// The upload behind it; none when time alone passed.
    pub(super) origin: Option<&'a Origin>,
    pub(super) cause: Cause,
    /// What happened to a code that is only taken back by it.
    retracts: What,
    /// The hand-overs whose offers are new, and what happened to each.
    lenders: BTreeMap<Text, What>,
    /// Whether it is taken even where its findings have no room.
    pub(super) is_always_taken: bool,
}

impl<'a> Step<'a> {
    pub(super) fn of_upload(upload: &'a Upload, change: Change, is_whole: bool) -> Self {
        let (what, retracts) = match upload {
            _ if change == Change::Reference => (What::Reference, What::Reference),
            Upload::Version(_) | Upload::Handling(_) => (What::Asserted, What::Retracted),
            Upload::Reversal(_) => (What::Retracted, What::Retracted),
        };
        Self {
            key: upload.key(),
            origin: Some(upload.origin()),
            cause: Cause::of(upload.key().clone(), what),
            retracts,
            lenders: BTreeMap::new(),
            is_always_taken: is_whole,
        }
    }

    /// Something was offered to the settlement, or is offered no more: by `lenders`, of which `latest` came last.
    pub(super) fn of_offer(key: &'a DocumentKey, latest: &'a Offer, lenders: BTreeMap<Text, What>) -> Self {
        Self {
            key,
            origin: Some(&latest.origin),
            cause: Cause::of(latest.lender_key(&key.institution_id), latest.what()),
            retracts: What::Retracted,
            lenders,
            is_always_taken: true,
        }
    }

    /// Whether the document is looked at for what was offered to it alone.
    pub(super) fn is_of_offer(&self) -> bool {
        !self.lenders.is_empty()
    }

    /// Whether it is looked at for an upload.
    pub(super) fn is_of_upload(&self) -> bool {
        self.origin.is_some() && !self.is_of_offer()
    }

    pub(super) const fn of_time(key: &'a DocumentKey) -> Self {
        Self {
            key,
            origin: None,
            cause: Cause::TIME,
            retracts: What::Tick,
            lenders: BTreeMap::new(),
            is_always_taken: true,
        }
    }

    /// What happened to a code, and to which hand-over if the settlement looks at what it was offered: the first of those
    /// that lend it, or lent it, whose offer is new, else the one that came last.
    fn told_of<'o>(
        &self,
        is_asserted: bool,
        observed: impl Iterator<Item = &'o Observation>,
    ) -> (What, Option<Text>) {
        let lenders = observed.filter_map(|observation| observation.lent_from.as_ref());
        let named = lenders.filter_map(|from| self.lenders.get_key_value(&from.document_id)).next();
        match (named, &self.cause.document) {
            (Some((lender, what)), _) => (*what, Some(lender.clone())),
            (None, Some(latest)) if !self.lenders.is_empty() => {
                (self.cause.what, Some(latest.document_id.clone()))
            }
            _ if is_asserted => (self.cause.what, None),
            _ => (self.retracts, None),
        }
    }
}

/// Makes entries of differences.
pub(super) struct Difference<'a> {
    pub(super) step: &'a Step<'a>,
    pub(super) origin: &'a Origin,
    pub(super) rules: &'a RuleSet,
    pub(super) revision: u64,
    /// The newest reference version of the document's parts, before or after.
    pub(super) reference_version: u64,
}

/// A view with what is remembered beside it.
type Remembered<'a> = (&'a View, Option<&'a PublishedClaim>, &'a BTreeMap<Spot, u64>);

impl Difference<'_> {
    pub(super) fn codes(
        &self,
        (view_before, before): (&View, &BTreeMap<Spot, u64>),
        (after, asserted): (&View, &BTreeMap<Spot, u64>),
    ) -> Vec<CodeChange> {
        let mut by_code: BTreeMap<&Text, (Vec<Text>, Vec<Observation>)> = BTreeMap::new();
        for spot @ (line_id, code) in before.keys() {
            if !asserted.contains_key(spot) {
                by_code.entry(code).or_default().0.push(line_id.clone());
            }
        }
        for (spot, observation) in &after.observations {
            if asserted.get(spot) == Some(&self.revision) {
                let observation = Observation { revision: self.revision, ..observation.as_ref().clone() };
                by_code.entry(&spot.1).or_default().1.push(observation);
            }
        }
        let change = |(code, (retracted, asserted)): (&Text, (Vec<Text>, Vec<Observation>))| {
            let gone = retracted.iter().map(|line_id: &Text| (line_id.clone(), code.clone()));
            let gone: Vec<&Observation> =
                gone.filter_map(|spot| view_before.observations.get(&spot)).map(AsRef::as_ref).collect();
            let observed = asserted.iter().chain(gone);
            let (what, lender) = self.step.told_of(!asserted.is_empty(), observed);
            CodeChange {
                code: code.clone(),
                document: self.step.key.clone(),
                document_revision: self.revision,
                what,
                lender,
                retracted,
                asserted,
                origin: self.origin.clone(),
            }
        };
        by_code.into_iter().map(change).collect()
    }

    /// The claim when it says something else than before, or is gone.
    pub(super) fn claim(
        &self,
        (view_before, claim_before, asserted_before): Remembered<'_>,
        (view, claim, asserted): Remembered<'_>,
    ) -> Option<Claim> {
        let lines = claim.map(|claim| view.claim_lines(&claim.reasons, asserted)).unwrap_or_default();
        if let (Some(claim), Some(before)) = (claim, claim_before)
            && claim.occurred_at == before.occurred_at
            && view_before.claim_lines(&before.reasons, asserted_before) == lines
        {
            return None;
        }
        Some(Claim {
            key: self.step.key.clone(),
            revision: self.revision,
            withdrawn: claim.is_none(),
            occurred_at: claim.or(claim_before)?.occurred_at,
            lines,
            ruleset: self.rules.digest.clone(),
            reference_version: self.reference_version,
            origin: self.origin.clone(),
        })
    }

    /// The lines of a claim that say something else than before, of views of the same lines.
    pub(super) fn claim_lines(
        &self,
        (view_before, claim_before, asserted_before): Remembered<'_>,
        (view, claim, asserted): Remembered<'_>,
    ) -> Option<ClaimChange> {
        let before = view_before.claim_lines(&claim_before?.reasons, asserted_before);
        let lines = view.claim_lines(&claim?.reasons, asserted).into_iter().zip(before);
        let lines: Vec<ClaimLine> =
            lines.filter_map(|(line, before)| (line != before).then_some(line)).collect();
        (!lines.is_empty()).then(|| ClaimChange {
            key: self.step.key.clone(),
            revision: self.revision,
            lines,
            ruleset: self.rules.digest.clone(),
            reference_version: self.reference_version,
            origin: self.origin.clone(),
        })
    }

    /// What the document has to lend, when that is something else than before. It goes to all who heard of it before, too.
    pub(super) fn offer(&self, before: Option<&Offer>, after: Option<&Offer>) -> Option<Offered> {
        let is_unchanged = match (before, after) {
            (None, None) => true,
            (Some(before), Some(after)) => before.says_the_same_as(after),
            _ => false,
        };
        if is_unchanged {
            return None;
        }
        let institution_id = &self.step.key.institution_id;
        let mut aliases: Vec<DocumentKey> =
            before.into_iter().chain(after).flat_map(|offer| offer.aliases(institution_id)).collect();
        aliases.sort_unstable();
        aliases.dedup();
        let offer = after.cloned().or_else(|| before.map(Offer::withdrawn))?;
        Some(Offered {
            offer: Offer { revision: self.revision, origin: self.origin.clone(), ..offer },
            aliases,
        })
    }
}
