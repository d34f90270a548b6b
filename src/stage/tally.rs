//! Counts of what happened to inputs. Kept with the batch and added up only when it is committed, so that an
//! aborted batch counts nothing.

use std::collections::BTreeMap;

use crate::domain::alert::{AlertChange, Status};
use crate::domain::claim::{Decision, Verdict};
use crate::domain::document::merge::Outcome;
use crate::domain::rules::RuleId;

/// What happened, by closed names. The accounting that always holds:
/// records read = rejected + ignored + decoded, and
/// uploads derived = accepted + duplicate + superseded + in flight (0 at rest).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Input records read.
    pub read: u64,
    /// Input records refused as a whole, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Uploads refused beside others of the same record, by reason.
    pub rejected_uploads: BTreeMap<&'static str, u64>,
    /// Messages that report no fact, and control records.
    pub ignored: u64,
    /// Input records from which uploads were derived.
    pub decoded: u64,
    /// Uploads derived.
    pub derived: u64,
    /// Uploads that changed what is known.
    pub accepted: u64,
    /// Uploads that said what was known already.
    pub duplicate: u64,
    /// Uploads that newer ones have replaced.
    pub superseded: u64,
    /// Reversals passed on from an alias to the documents behind it.
    pub forwarded: u64,
    /// Alert revisions, by rule and status.
    pub alerts: BTreeMap<(RuleId, Status), u64>,
    /// Decision revisions, by verdict and whether provisional.
    pub decisions: BTreeMap<(Verdict, bool), u64>,
    /// Findings that act `observe`, by rule.
    pub observed: BTreeMap<RuleId, u64>,
    /// Limits that were hit, by name.
    pub limits: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts the outcome of an upload.
    pub fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Duplicate => self.duplicate += 1,
            Outcome::Superseded => self.superseded += 1,
        }
    }

    /// Counts an alert revision.
    pub fn alert(&mut self, change: &AlertChange) {
        *self.alerts.entry((change.finding.rule, change.status)).or_default() += 1;
    }

    /// Counts a decision revision.
    pub fn decision(&mut self, decision: &Decision) {
        *self.decisions.entry((decision.verdict, decision.provisional)).or_default() += 1;
    }

    /// Counts findings that act `observe`.
    pub fn observed(&mut self, rules: &[RuleId]) {
        for rule in rules {
            *self.observed.entry(*rule).or_default() += 1;
        }
    }

    /// Uploads derived and not yet merged.
    pub fn in_flight(&self) -> u64 {
        self.derived.saturating_sub(self.accepted + self.duplicate + self.superseded)
    }

    /// All refused records.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.ignored += other.ignored;
        self.decoded += other.decoded;
        self.derived += other.derived;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.forwarded += other.forwarded;
        add_counts(&mut self.rejected, &other.rejected);
        add_counts(&mut self.rejected_uploads, &other.rejected_uploads);
        add_counts(&mut self.alerts, &other.alerts);
        add_counts(&mut self.decisions, &other.decisions);
        add_counts(&mut self.observed, &other.observed);
        add_counts(&mut self.limits, &other.limits);
    }
}

fn add_counts<K: Copy + Ord>(sums: &mut BTreeMap<K, u64>, counts: &BTreeMap<K, u64>) {
    for (key, count) in counts {
        *sums.entry(*key).or_default() += count;
    }
}
