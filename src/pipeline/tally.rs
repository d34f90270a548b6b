//! Counts of what happened to inputs, and of what was published because of them. Kept with the batch and added up only when
//! it is committed, so that an aborted batch counts nothing.

use std::collections::BTreeMap;

use super::meters;
use super::topics::Topic;
use crate::domain::Text;
use crate::domain::alert::{AlertChange, Status};
use crate::domain::amount::Money;
use crate::domain::claim::{Decision, Verdict};
use crate::domain::outcome::{
    IgnoredBecause, InputOutcome, Leniency, RejectReason, UploadOutcome, add_counts,
};
use crate::domain::rules::RuleId;
use crate::engine;
use crate::telemetry::limit::Limit;
use crate::wire::inbound::notes::Notes;

/// What happened, by closed names. The accounting that always holds:
/// records read = rejected + ignored + decoded, and
/// uploads derived = accepted + duplicate + superseded + without room + too late + in flight (0 at rest).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Input records read, by topic.
    pub read: BTreeMap<Topic, u64>,
    /// How they ended.
    pub inputs: BTreeMap<(Topic, InputOutcome), u64>,
    /// Why records were ignored.
    pub ignored: BTreeMap<IgnoredBecause, u64>,
    /// What was read leniently, by habit of senders.
    pub leniencies: BTreeMap<Leniency, u64>,
    /// Optional fields that could not be read and were left out, by name.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Uploads refused beside others of the same record, by reason.
    pub rejected_uploads: BTreeMap<RejectReason, u64>,
    /// Uploads derived, by topic.
    pub derived: BTreeMap<Topic, u64>,
    /// Ends of uploads.
    pub merged: BTreeMap<UploadOutcome, u64>,
    /// Reversals passed on from an alias to the documents behind it.
    pub forwarded: u64,
    /// Uploads and reversals of the same stamp that met in a document: with stamps of whole seconds, a new upload within
    /// the second of a cancellation ends cancelled.
    pub reversed_at_issue: u64,
    /// Alert revisions, by rule and status.
    pub alerts: BTreeMap<(RuleId, Status), u64>,
    /// Decision revisions, by verdict and whether provisional; those that withdraw are counted apart.
    pub decisions: BTreeMap<(Verdict, bool), u64>,
    /// Decisions withdrawn with their claim.
    pub decisions_withdrawn: u64,
    /// Money in published revisions of decisions, in fen, by the verdict of its line.
    pub decided_fen: BTreeMap<Verdict, u64>,
    /// Payments that came before their claim, or after it was taken back.
    pub payments_unclaimed: u64,
    /// Their sum in fen.
    pub payments_unclaimed_fen: u64,
    /// Findings that act `observe`, by rule.
    pub observed: BTreeMap<RuleId, u64>,
    /// Findings that an allowance silenced, by rule and its reason.
    pub allowed: BTreeMap<(RuleId, Text), u64>,
    /// Limits that were reached.
    pub limits: BTreeMap<Limit, u64>,
}

impl Tally {
    /// An input record was read.
    pub fn read(&mut self, topic: Topic) {
        *self.read.entry(topic).or_default() += 1;
    }

    /// It ended so.
    pub fn input(&mut self, topic: Topic, outcome: InputOutcome) {
        *self.inputs.entry((topic, outcome)).or_default() += 1;
    }

    /// It reports no fact.
    pub fn ignored(&mut self, topic: Topic, because: IgnoredBecause) {
        self.input(topic, InputOutcome::Ignored);
        *self.ignored.entry(because).or_default() += 1;
    }

    /// So was a record read.
    pub fn take_note(&mut self, notes: &Notes) {
        add_counts(&mut self.leniencies, &notes.leniencies);
        add_counts(&mut self.left_out, &notes.left_out);
    }

    /// An alert revision was published.
    pub fn alert(&mut self, change: &AlertChange) {
        *self.alerts.entry((change.finding.rule, change.status)).or_default() += 1;
    }

    /// A decision revision was published.
    pub fn decision(&mut self, decision: &Decision) {
        if decision.withdrawn {
            self.decisions_withdrawn += 1;
        } else {
            *self.decisions.entry((decision.verdict, decision.provisional)).or_default() += 1;
            for line in &decision.lines {
                *self.decided_fen.entry(line.verdict).or_default() += line.amount.fen().unsigned_abs();
            }
        }
    }

    /// A payment has no claim.
    pub fn paid_unclaimed(&mut self, amount: Money) {
        self.payments_unclaimed += 1;
        self.payments_unclaimed_fen += amount.fen().unsigned_abs();
    }

    /// Findings that act `observe`.
    pub fn observed(&mut self, rules: &[RuleId]) {
        for rule in rules {
            *self.observed.entry(*rule).or_default() += 1;
        }
    }

    /// Findings that an allowance silenced.
    pub fn allowed(&mut self, findings: Vec<(RuleId, Text)>) {
        for finding in findings {
            *self.allowed.entry(finding).or_default() += 1;
        }
    }

    /// A limit was reached.
    pub fn limit(&mut self, limit: Limit) {
        self.limits_hit(limit, 1);
    }

    /// A limit was reached so many times; perhaps not at all.
    pub fn limits_hit(&mut self, limit: Limit, times: usize) {
        if times > 0 {
            *self.limits.entry(limit).or_default() += u64::try_from(times).unwrap_or(u64::MAX);
        }
    }

    /// All records read.
    pub fn read_total(&self) -> u64 {
        self.read.values().sum()
    }

    /// All records whose end `is` so.
    pub fn inputs_total(&self, is: impl Fn(InputOutcome) -> bool) -> u64 {
        self.inputs.iter().filter(|((_, outcome), _)| is(*outcome)).map(|(_, count)| count).sum()
    }

    /// All uploads derived.
    pub fn derived_total(&self) -> u64 {
        self.derived.values().sum()
    }

    /// Uploads that ended so.
    pub fn merged_as(&self, outcome: UploadOutcome) -> u64 {
        self.merged.get(&outcome).copied().unwrap_or_default()
    }

    /// Uploads derived and not yet merged.
    pub fn in_flight(&self) -> u64 {
        self.derived_total().saturating_sub(self.merged.values().sum())
    }
}

impl engine::Tally for Tally {
    fn add(&mut self, other: &Self) {
        // Taken apart, so that a new count can't be forgotten here.
        let Self {
            forwarded,
            reversed_at_issue,
            decisions_withdrawn,
            payments_unclaimed,
            payments_unclaimed_fen,
            decided_fen,
            read,
            inputs,
            ignored,
            leniencies,
            left_out,
            rejected_uploads,
            derived,
            merged,
            alerts,
            decisions,
            observed,
            allowed,
            limits,
        } = other;
        self.forwarded += forwarded;
        self.reversed_at_issue += reversed_at_issue;
        self.decisions_withdrawn += decisions_withdrawn;
        self.payments_unclaimed += payments_unclaimed;
        self.payments_unclaimed_fen += payments_unclaimed_fen;
        add_counts(&mut self.decided_fen, decided_fen);
        add_counts(&mut self.read, read);
        add_counts(&mut self.inputs, inputs);
        add_counts(&mut self.ignored, ignored);
        add_counts(&mut self.leniencies, leniencies);
        add_counts(&mut self.left_out, left_out);
        add_counts(&mut self.rejected_uploads, rejected_uploads);
        add_counts(&mut self.derived, derived);
        add_counts(&mut self.merged, merged);
        add_counts(&mut self.alerts, alerts);
        add_counts(&mut self.decisions, decisions);
        add_counts(&mut self.observed, observed);
        add_counts(&mut self.allowed, allowed);
        add_counts(&mut self.limits, limits);
    }

    fn record(&self) {
        meters::record(self);
    }

    fn timers_wait(&mut self) {
        self.limit(Limit::TimersPerEntry);
    }
}
