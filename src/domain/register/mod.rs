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
//! A settlement is looked at again when something is offered to it ([`lending`]), and when a grace is over ([`tick`]).
//!
//! The state before an upload is not kept a second time: what was asserted is computed again from the parts, which is
//! exact because it depends on them alone. What depends on the rule set as well, the alerts and the reasons of the
//! claim's lines, is remembered.
//!
//! Limits: a document keeps so many parts ([`room`](super::document::room)) and numbers so many findings
//! ([`FINDINGS_KEPT_MAX`]). What would add to a full one is refused. What replaces or takes back the whole document
//! is taken all the same; findings that are new then and find no room are not published, but hold or refuse their
//! lines of the claim like all others.

mod difference;
mod handling;
pub mod lending;
mod standing;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use self::difference::{Difference, Step};
use self::lending::{Lending, Offered};
use self::view::{View, number};
use super::Text;
use super::alert::{AlertBook, AlertChange, FINDINGS_KEPT_MAX, Occasion};
use super::amount::Money;
use super::claim::{Claim, ClaimPaid, Verdict};
use super::document::lending::{Offers, Windows, lend};
use super::document::live::{LINES_MAX, LiveDocument};
use super::document::merge::{Change, Document};
use super::document::observe::Spot;
use super::document::{DocumentKey, Kind, Reversal, Upload};
use super::finding::{self, Finding};
use super::handling::Book;
use super::horizon;
use super::observation::{CodeChange, Moment};
use super::outcome::UploadOutcome;
use super::rules::line::{Evaluation, evaluate};
use super::rules::ruleset::RuleSet;
use super::rules::{Action, RuleId};
use super::sender::{self, StandingChange};
use super::time::Timestamp;

/// Most single lines that are taken back under one alias: every document that comes to stand behind it is told of each.
pub const REVERSALS_OF_ALIAS_MAX: usize = 5_000;

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
    /// What it was offered, as a settlement or as an alias of settlements.
    pub lending: Lending,
    /// Of an alias, reversals that its members are still to be told of.
    pub untold: Vec<Reversal>,
    /// When a grace ends that a finding waits for.
    pub due: Option<Timestamp>,
    /// What people did about the claim.
    pub handling: Book,
    /// Whether nothing but reversals of it came so far.
    pub is_awaited: bool,
}

/// What of a published claim cannot be computed again from the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedClaim {
    /// When the settlement happened.
    pub occurred_at: Timestamp,
    /// Line rules that alerted of lines, held or refused them.
    pub reasons: LineReasons,
}

/// What is to be published after one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterEffects {
    /// How the upload is counted.
    pub outcome: UploadOutcome,
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
    /// What the document has to lend, when it changed.
    pub offered: Option<Offered>,
    /// What was paid for it, when that changed.
    pub paid: Option<ClaimPaid>,
    /// The amount of a payment whose claim is not there: metrics only.
    pub paid_unclaimed: Option<Money>,
    /// Rules with new findings whose action is `observe`: metrics only.
    pub observed: Vec<RuleId>,
    /// New findings that an allowance silences, with its reason: metrics and log only.
    pub allowed: Vec<(RuleId, Text)>,
    /// What its institution's counts say else than before.
    pub standing: Vec<StandingChange>,
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
    /// As many lines as may be are taken back under the alias, and this is another.
    Reversals,
    /// The claim keeps as many rulings of single lines as it may, and this is of another.
    Rulings,
    /// The claim keeps as many payments as it may, and this is another.
    Payments,
    /// The document is about a moment that may be forgotten elsewhere.
    Horizon,
}

impl Refusal {
    fn outcome(self) -> UploadOutcome {
        match self {
            Self::Parts | Self::Findings | Self::Reversals | Self::Rulings | Self::Payments => {
                UploadOutcome::NoRoom
            }
            Self::Horizon => UploadOutcome::TooLate,
        }
    }
}

impl RegisterEffects {
    fn refused(refusal: Refusal) -> Self {
        Self { refused: Some(refusal), ..Self::nothing(refusal.outcome()) }
    }

    fn nothing(outcome: UploadOutcome) -> Self {
        Self {
            outcome,
            refused: None,
            changed: false,
            meets_reversal: false,
            alerts: Vec::new(),
            changes: Vec::new(),
            claim: None,
            offered: None,
            paid: None,
            paid_unclaimed: None,
            observed: Vec::new(),
            allowed: Vec::new(),
            standing: Vec::new(),
            without_room: 0,
        }
    }

    /// Whether anything of the document is told to anybody.
    fn is_published(&self) -> bool {
        !self.alerts.is_empty() || !self.changes.is_empty() || self.claim.is_some() || self.offered.is_some()
    }
}

/// Applies one upload to the state of its document.
pub fn apply(
    state: &mut DocumentState,
    upload: &Upload,
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    state.counting_reversals(upload, |state| merge(state, upload, moment, rules))
}

/// Applies a reversal to the state of the alias it names, behind which there are documents or none yet.
pub fn apply_to_alias(
    state: &mut DocumentState,
    (upload, has_members): (&Upload, bool),
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    if has_members { merge(state, upload, moment, rules) } else { apply(state, upload, moment, rules) }
}

fn merge(state: &mut DocumentState, upload: &Upload, moment: &Moment, rules: &RuleSet) -> RegisterEffects {
    if horizon::is_too_late(&state.parts, upload, moment.forgotten_before, rules.horizon) {
        return RegisterEffects::refused(Refusal::Horizon);
    }
    if is_one_reversal_too_many(&state.parts, upload) {
        return RegisterEffects::refused(Refusal::Reversals);
    }
    let is_whole = state.parts.is_replaced_by(upload);
    let parts_before = state.parts.clone();
    let merged = match upload {
        Upload::Version(version) => state.parts.merge(version),
        Upload::Reversal(reversal) => state.parts.reverse(reversal),
        Upload::Handling(handling) => return handling::handle(state, handling, upload, moment, rules),
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
    let step = Step::of_upload(upload, merged.change, is_whole);
    let offers = state.lending.offers.clone();
    if judge(state, (&parts_before, &offers), &step, moment, rules, &mut effects) {
        return effects;
    }
    state.parts = parts_before;
    RegisterEffects::refused(Refusal::Findings)
}

/// Applies reversals that an alias passed on to one of its documents, in one step. Refused, and nothing is changed, where
/// one of them may not fit: then they are to be applied one by one.
pub fn reverse_all(
    state: &mut DocumentState,
    reversals: &[Reversal],
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    let parts_before = state.parts.clone();
    let mut effects = RegisterEffects::nothing(UploadOutcome::Accepted);
    let mut last = None;
    for reversal in reversals {
        let upload = Upload::Reversal(reversal.clone());
        if horizon::is_too_late(&state.parts, &upload, moment.forgotten_before, rules.horizon) {
            state.parts = parts_before;
            return RegisterEffects::refused(Refusal::Horizon);
        }
        let merged = state.parts.reverse(reversal);
        effects.meets_reversal |= merged.meets_reversal;
        if merged.change != Change::Nothing {
            last = Some(upload);
        }
    }
    let Some(upload) = last else { return effects };
    effects.changed = true;
    let offers = state.lending.offers.clone();
    let step = Step::of_upload(&upload, Change::Content, false);
    if !state.parts.has_outgrown(&parts_before)
        && judge(state, (&parts_before, &offers), &step, moment, rules, &mut effects)
    {
        return effects;
    }
    state.parts = parts_before;
    RegisterEffects::refused(Refusal::Parts)
}

/// Whether the reversal is of a line under an alias that takes back as many lines as it may, this one not among them.
fn is_one_reversal_too_many(alias: &Document, upload: &Upload) -> bool {
    let Upload::Reversal(Reversal { of_alias: true, line_id: Some(line_id), .. }) = upload else {
        return false;
    };
    alias.reversed_lines.len() >= REVERSALS_OF_ALIAS_MAX && !alias.reversed_lines.contains_key(line_id)
}

/// Looks at a document again because time has passed.
pub fn tick(
    state: &mut DocumentState,
    key: &DocumentKey,
    moment: &Moment,
    rules: &RuleSet,
) -> RegisterEffects {
    let mut effects = RegisterEffects::nothing(UploadOutcome::Duplicate);
    effects.changed = true;
    let (parts, offers) = (state.parts.clone(), state.lending.offers.clone());
    judge(state, (&parts, &offers), &Step::of_time(key), moment, rules, &mut effects);
    effects
}

/// Compares what the document says with what it said before, by its parts and the offers to it of then, and notes
/// what there is to publish. False, and nothing is changed, when there is no room for what would be found.
fn judge(
    state: &mut DocumentState,
    (parts_before, offers_before): (&Document, &Offers),
    step: &Step<'_>,
    moment: &Moment,
    rules: &RuleSet,
    effects: &mut RegisterEffects,
) -> bool {
    let windows = rules.lending_windows();
    let windows_before = state.lending.windows.unwrap_or(windows);
    let live_before = live_and_lent(parts_before, step.key, offers_before, windows_before);
    let live = live_and_lent(&state.parts, step.key, &state.lending.offers, windows);
    let (before, after) = (
        View::of(live_before.as_ref(), &state.handling, windows_before),
        View::of(live.as_ref(), &state.handling, windows),
    );
    let (mut findings, due) = findings_of(live.as_ref(), moment.now, rules);
    let claim = live.as_ref().and_then(|live| published_claim(live, &findings));
    effects.without_room = drop_without_room(&mut findings, &state.alerts);
    if !step.is_always_taken
        && effects.without_room > without_room_before(live_before.as_ref(), state, effects, moment, rules)
    {
        return false;
    }
    let revision = next_revision(state, moment);

    effects.standing = sender::changes(
        &standing::of(parts_before, live_before.as_ref()),
        &standing::of(&state.parts, live.as_ref()),
    );
    (effects.observed, effects.allowed) = newly_observed(&findings, live_before.as_ref(), moment, rules);
    let headers =
        [parts_before, &state.parts].map(|parts| parts.header.as_ref().map(|header| &header.origin));
    let origin = step.origin.or(headers.into_iter().flatten().last());
    let asserted = number(&before, &after, &state.asserted, revision);
    if let Some(origin) = origin {
        let change = Difference { step, origin, rules, revision };
        effects.changes = change.codes((&before, &state.asserted), (&after, &asserted));
        effects.claim = change
            .claim((&before, state.claim.as_ref(), &state.asserted), (&after, claim.as_ref(), &asserted));
        effects.offered = change.offer(before.offer.as_ref(), after.offer.as_ref());
    }
    effects.alerts = state.alerts.diff(
        findings,
        &Occasion {
            code: None,
            cause: &step.cause,
            origin: step.origin,
            detected_at: moment.detected_at,
            ruleset: &rules.digest,
            reference_version: after.reference_version.max(before.reference_version),
        },
    );
    let takes_part = !state.lending.offers.is_empty() || after.offer.is_some();
    state.lending.windows = takes_part.then_some(windows);
    state.asserted = asserted;
    state.claim = claim;
    state.due = due;
    if effects.is_published() {
        state.revision = revision;
    }
    true
}

/// The number of what is published next. One that was forgotten goes on above what it may have had.
fn next_revision(state: &DocumentState, moment: &Moment) -> u64 {
    let last = match state.revision {
        0 => horizon::numbers_begin_after(moment.now, moment.forgotten_before),
        known => known,
    };
    last.saturating_add(1)
}

/// The live document with what is lent to it.
fn live_and_lent<'a>(
    parts: &'a Document,
    key: &'a DocumentKey,
    offers: &'a Offers,
    windows: Windows,
) -> Option<LiveDocument<'a>> {
    let mut live = parts.live(key)?;
    lend(&mut live, offers, windows);
    Some(live)
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
            Action::Observe => {}
            Action::Alert => add(&finding.subject.key.line_id, finding.rule, Verdict::Pay),
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
    moment: &Moment,
    rules: &RuleSet,
) -> usize {
    match effects.without_room {
        0 => 0,
        _ => drop_without_room(&mut findings_of(before, moment.now, rules).0, &state.alerts),
    }
}

/// What the line rules find, allowances applied, and when to look again.
fn findings_of(
    live: Option<&LiveDocument<'_>>,
    now: Option<Timestamp>,
    rules: &RuleSet,
) -> (Vec<Finding>, Option<Timestamp>) {
    let Evaluation { mut findings, next_due } =
        live.map(|live| evaluate(live, now, rules)).unwrap_or_default();
    rules.allow(&mut findings, None);
    (findings, next_due)
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
    moment: &Moment,
    rules: &RuleSet,
) -> (Vec<RuleId>, Vec<(RuleId, Text)>) {
    let observed: Vec<&Finding> =
        findings.iter().filter(|finding| finding.action == Action::Observe).collect();
    if observed.is_empty() {
        return Default::default();
    }
    let before = before.map(|before| evaluate(before, moment.now, rules)).unwrap_or_default();
    let known: BTreeSet<_> = before.findings.iter().map(Finding::key).collect();
    finding::counted(observed.into_iter().filter(|finding| !known.contains(&finding.key())))
}

#[cfg(test)]
mod tests;
