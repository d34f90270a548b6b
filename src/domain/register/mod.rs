//! The register: what one upload changes of everything that is published of its document.
//!
//! [`apply`] merges the upload, looks at the document before and after, and returns the difference: alerts of line
//! rules, observations asserted and retracted (one [`CodeChange`] per code, so that the timeline of a code sees an
//! upload in one step), the claim. An upload that changes nothing returns nothing.
//!
//! Revisions tell answers apart from answers to earlier questions: the document's revision grows with every upload that
//! publishes something, and an observation bears the revision at which it was last asserted. One that says the
//! same as before keeps it, so that its verdict need not be asked for again.
//!
//! The state before an upload is not kept a second time: what was asserted is computed again from the parts, which is
//! exact because it depends on them alone. What depends on the rule set as well, the alerts and the reasons of the
//! claim's lines, is remembered.
//!
//! Limits: a document keeps so many parts ([`room`](super::document::room)) and numbers so many findings
//! ([`FINDINGS_KEPT_MAX`]). What would add to a full one is refused. What replaces or takes back the whole document
//! is taken all the same; findings that are new then and find no room are not published, but hold or refuse their
//! lines of the claim like all others.

use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::alert::{AlertBook, AlertChange, FINDINGS_KEPT_MAX, Occasion};
use super::amount::Money;
use super::claim::{Claim, ClaimLine, Verdict};
use super::document::live::{LINES_MAX, LiveDocument};
use super::document::merge::{Change, Document, Outcome};
use super::document::observe::{Spot, observe};
use super::document::{DocumentKey, Kind, Upload};
use super::finding::{self, Finding};
use super::horizon;
use super::observation::{Cause, CodeChange, Moment, Observation, What};
use super::rules::line::evaluate;
use super::rules::ruleset::RuleSet;
use super::rules::{Action, RuleId};
use super::time::Timestamp;

/// Reasons of the lines of a claim, those without any left out.
pub type LineReasons = BTreeMap<Text, BTreeMap<RuleId, Verdict>>;

/// All that is kept of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentState {
    /// Its live parts and reversals.
    pub parts: Document,
    /// Grows with every upload that publishes something.
    pub revision: u64,
    /// Alerts of line rules.
    pub alerts: AlertBook,
    /// The live observations, each with the revision at which it was last asserted.
    pub asserted: BTreeMap<Spot, u64>,
    /// The claim last published, unless it was withdrawn.
    pub claim: Option<PublishedClaim>,
}

/// What of a published claim cannot be computed again from the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedClaim {
    /// When the settlement happened.
    pub occurred_at: Timestamp,
    /// Line rules that held or refused lines.
    pub reasons: LineReasons,
}

/// What is to be published after one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterEffects {
    /// How the upload is counted.
    pub outcome: Outcome,
    /// Why it was not taken, if it was not; then nothing changed and nothing is published.
    pub refused: Option<Refusal>,
    /// Whether the state changed and is to be written: it can even where nothing is published (a reversal that waits
    /// for its document).
    pub changed: bool,
    /// Whether a part and a reversal of it bear the same stamp.
    pub meets_reversal: bool,
    /// Changes of alerts, in order of their findings.
    pub alerts: Vec<AlertChange>,
    /// Changes of observations, one per code, in order of the codes.
    pub changes: Vec<CodeChange>,
    /// The claim, when it changed.
    pub claim: Option<Claim>,
    /// Rules with new findings whose action is `observe`: metrics only.
    pub observed: Vec<RuleId>,
    /// New findings that an allowance silences, with its reason: metrics and log only.
    pub allowed: Vec<(RuleId, Text)>,
    /// New findings that found no room and are not published, though they count for the claim: metrics only.
    pub without_room: usize,
}

/// Why an upload is not taken into its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The document keeps as many parts as it may, and this would add to them.
    Parts,
    /// The document published as many findings as it may, and this would add to them.
    Findings,
    /// The document is about a moment that may be forgotten elsewhere.
    Horizon,
}

impl Refusal {
    fn outcome(self) -> Outcome {
        match self {
            Self::Parts | Self::Findings => Outcome::NoRoom,
            Self::Horizon => Outcome::TooLate,
        }
    }
}

impl RegisterEffects {
    fn refused(refusal: Refusal) -> Self {
        Self { refused: Some(refusal), ..Self::nothing(refusal.outcome()) }
    }

    fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            refused: None,
            changed: false,
            meets_reversal: false,
            alerts: Vec::new(),
            changes: Vec::new(),
            claim: None,
            observed: Vec::new(),
            allowed: Vec::new(),
            without_room: 0,
        }
    }
}

/// What a document says at one time, as far as the parts alone decide.
#[derive(Default)]
struct View {
    observations: BTreeMap<Spot, Observation>,
    /// Lines and amounts of the claim, of a settlement.
    claimed: Option<Vec<(Text, Money)>>,
    reference_version: u64,
}

impl View {
    fn of(document: Option<&LiveDocument<'_>>) -> Self {
        let Some(document) = document else {
            return Self::default();
        };
        let lines = document.lines.iter().take(LINES_MAX);
        let claimed = lines.map(|line| (line.line_id.clone(), line.claimed.unwrap_or_default())).collect();
        Self {
            observations: observe(document),
            claimed: (document.kind() == Kind::Settlement).then_some(claimed),
            reference_version: document.reference_version(),
        }
    }

    /// The lines of the claim as published.
    fn claim_lines(&self, reasons: &LineReasons, asserted: &BTreeMap<Spot, u64>) -> Vec<ClaimLine> {
        let line = |(line_id, amount): &(Text, Money)| ClaimLine {
            line_id: line_id.clone(),
            amount: *amount,
            reasons: reasons.get(line_id).cloned().unwrap_or_default(),
            awaits: asserted
                .range((line_id.clone(), Text::default())..)
                .take_while(|((line, _), _)| line == line_id)
                .map(|((_, code), revision)| (code.clone(), *revision))
                .collect(),
        };
        self.claimed.iter().flatten().map(line).collect()
    }
}

/// Applies one upload to the state of its document, or a reversal to the state of the alias it names.
pub fn apply(
    state: &mut DocumentState,
    upload: &Upload,
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    if horizon::is_too_late(&state.parts, upload, moment.forgotten_before, rules.horizon) {
        return RegisterEffects::refused(Refusal::Horizon);
    }
    let key = upload.key();
    let is_whole = state.parts.is_replaced_by(upload);
    let parts_before = state.parts.clone();
    let merged = match upload {
        Upload::Version(version) => state.parts.merge(version),
        Upload::Reversal(reversal) => state.parts.reverse(reversal),
    };
    if !is_whole && state.parts.has_outgrown(&parts_before) {
        state.parts = parts_before;
        return RegisterEffects::refused(Refusal::Parts);
    }
    let mut effects = RegisterEffects::nothing(merged.outcome);
    effects.changed = merged.change != Change::Nothing;
    effects.meets_reversal = merged.meets_reversal;
    if !effects.changed {
        return effects;
    }
    let live_before = parts_before.live(key);
    let live = state.parts.live(key);
    let (before, after) = (View::of(live_before.as_ref()), View::of(live.as_ref()));
    let mut findings = findings_of(live.as_ref(), rules);
    let claim = live.as_ref().and_then(|live| published_claim(live, &findings));
    effects.without_room = drop_without_room(&mut findings, &state.alerts);
    if !is_whole && effects.without_room > without_room_before(live_before.as_ref(), state, &effects, rules) {
        state.parts = parts_before;
        return RegisterEffects::refused(Refusal::Findings);
    }
    let input = Input { key, upload, rules, change: merged.change };
    let last_revision = match state.revision {
        0 => horizon::numbers_begin_after(moment.now, moment.forgotten_before),
        known => known,
    };
    let revision = last_revision.saturating_add(1);

    (effects.observed, effects.allowed) = newly_observed(&findings, live_before.as_ref(), rules);
    let asserted = number(&before, &after, &state.asserted, revision);
    effects.changes = input.code_changes(&state.asserted, &asserted, &after, revision);
    effects.claim = input.claim_change(
        (&before, state.claim.as_ref(), &state.asserted),
        (&after, claim.as_ref(), &asserted),
        revision,
    );
    let cause = Cause::of(key.clone(), input.what(false));
    effects.alerts = state.alerts.diff(
        findings,
        &Occasion {
            code: None,
            cause: &cause,
            origin: Some(upload.origin()),
            detected_at: moment.detected_at,
            ruleset: &rules.digest,
            reference_version: after.reference_version.max(before.reference_version),
        },
    );
    state.asserted = asserted;
    state.claim = claim;
    if !effects.alerts.is_empty() || !effects.changes.is_empty() || effects.claim.is_some() {
        state.revision = revision;
    }
    effects
}

/// Observations now, each with the revision it was last asserted at: this one when it is new or says something else.
fn number(before: &View, after: &View, asserted: &BTreeMap<Spot, u64>, revision: u64) -> BTreeMap<Spot, u64> {
    let numbered = after.observations.iter().map(|(spot, observation)| {
        let unchanged =
            before.observations.get(spot).is_some_and(|known| observation.says_the_same_as(known));
        let kept = asserted.get(spot).copied().filter(|_| unchanged);
        (spot.clone(), kept.unwrap_or(revision))
    });
    numbered.collect()
}

/// What there is to remember of the claim, when the document is a live settlement.
fn published_claim(live: &LiveDocument<'_>, findings: &[Finding]) -> Option<PublishedClaim> {
    if live.kind() != Kind::Settlement {
        return None;
    }
    let mut reasons = LineReasons::new();
    let mut add = |line_id: &Text, rule: RuleId, verdict: Verdict| {
        let known = reasons.entry(line_id.clone()).or_default().entry(rule).or_default();
        *known = verdict.max(*known);
    };
    if live.is_over_limit() {
        for line in live.lines.iter().take(LINES_MAX) {
            add(line.line_id, RuleId::OverLimit, Verdict::Hold);
        }
    }
    for finding in findings {
        match finding.action {
            Action::Observe | Action::Alert => {}
            Action::Hold => add(&finding.subject.key.line_id, finding.rule, Verdict::Hold),
            Action::Refuse => add(&finding.subject.key.line_id, finding.rule, Verdict::Refuse),
        }
    }
    Some(PublishedClaim { occurred_at: live.header.part.content.moment(), reasons })
}

/// How many findings had no room before the upload: it is refused only if it adds to them.
fn without_room_before(
    before: Option<&LiveDocument<'_>>,
    state: &DocumentState,
    effects: &RegisterEffects,
    rules: &RuleSet,
) -> usize {
    match effects.without_room {
        0 => 0,
        _ => drop_without_room(&mut findings_of(before, rules), &state.alerts),
    }
}

/// What the line rules find, allowances applied.
fn findings_of(live: Option<&LiveDocument<'_>>, rules: &RuleSet) -> Vec<Finding> {
    let mut findings = live.map(|live| evaluate(live, rules)).unwrap_or_default();
    rules.allow(&mut findings, None);
    findings
}

/// Drops the alerts that were never published and that the book has no room for; how many.
fn drop_without_room(findings: &mut Vec<Finding>, book: &AlertBook) -> usize {
    let mut room = FINDINGS_KEPT_MAX.saturating_sub(book.published.len());
    let before = findings.len();
    if before <= room {
        return 0;
    }
    findings.retain(|finding| {
        if !finding.is_alert() || book.published.contains_key(&finding.key()) {
            return true;
        }
        let has_room = room > 0;
        room = room.saturating_sub(1);
        has_room
    });
    before.saturating_sub(findings.len())
}

/// What to count of the findings that only observe and were not there before, those that are silenced apart.
fn newly_observed(
    findings: &[Finding],
    before: Option<&LiveDocument<'_>>,
    rules: &RuleSet,
) -> (Vec<RuleId>, Vec<(RuleId, Text)>) {
    let observed: Vec<&Finding> =
        findings.iter().filter(|finding| finding.action == Action::Observe).collect();
    if observed.is_empty() {
        return Default::default();
    }
    let known: BTreeSet<_> =
        before.map(|before| evaluate(before, rules)).unwrap_or_default().iter().map(Finding::key).collect();
    finding::counted(observed.into_iter().filter(|finding| !known.contains(&finding.key())))
}

/// One upload on its way through the register.
struct Input<'a> {
    key: &'a DocumentKey,
    upload: &'a Upload,
    rules: &'a RuleSet,
    change: Change,
}

/// A view with what is remembered beside it.
type Remembered<'a> = (&'a View, Option<&'a PublishedClaim>, &'a BTreeMap<Spot, u64>);

impl Input<'_> {
    /// What happened to the document, as far as one change of it goes.
    fn what(&self, only_retracts: bool) -> What {
        match self.upload {
            _ if self.change == Change::Reference => What::Reference,
            Upload::Version(_) if !only_retracts => What::Asserted,
            _ => What::Retracted,
        }
    }

    fn code_changes(
        &self,
        before: &BTreeMap<Spot, u64>,
        asserted: &BTreeMap<Spot, u64>,
        after: &View,
        revision: u64,
    ) -> Vec<CodeChange> {
        let mut by_code: BTreeMap<&Text, (Vec<Text>, Vec<Observation>)> = BTreeMap::new();
        for spot @ (line_id, code) in before.keys() {
            if !asserted.contains_key(spot) {
                by_code.entry(code).or_default().0.push(line_id.clone());
            }
        }
        for (spot, observation) in &after.observations {
            if asserted.get(spot) == Some(&revision) {
                let observation = Observation { revision, ..observation.clone() };
                by_code.entry(&spot.1).or_default().1.push(observation);
            }
        }
        let change = |(code, (retracted, asserted)): (&Text, (Vec<Text>, Vec<Observation>))| CodeChange {
            code: code.clone(),
            document: self.key.clone(),
            document_revision: revision,
            what: self.what(asserted.is_empty()),
            retracted,
            asserted,
            origin: self.upload.origin().clone(),
        };
        by_code.into_iter().map(change).collect()
    }

    /// The claim when it says something else than before, or is gone.
    fn claim_change(
        &self,
        (view_before, claim_before, asserted_before): Remembered<'_>,
        (view, claim, asserted): Remembered<'_>,
        revision: u64,
    ) -> Option<Claim> {
        let lines = claim.map(|claim| view.claim_lines(&claim.reasons, asserted)).unwrap_or_default();
        if let (Some(claim), Some(before)) = (claim, claim_before)
            && claim.occurred_at == before.occurred_at
            && view_before.claim_lines(&before.reasons, asserted_before) == lines
        {
            return None;
        }
        Some(Claim {
            key: self.key.clone(),
            revision,
            withdrawn: claim.is_none(),
            occurred_at: claim.or(claim_before)?.occurred_at,
            lines,
            ruleset: self.rules.digest.clone(),
            reference_version: view.reference_version.max(view_before.reference_version),
            origin: self.upload.origin().clone(),
        })
    }
}

#[cfg(test)]
mod tests;
