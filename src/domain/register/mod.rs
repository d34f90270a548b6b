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
mod judge;
pub mod lending;
mod scope;
mod standing;
mod view;

use std::collections::BTreeMap;

use self::difference::Step;
use self::judge::{Before, judge};
use self::lending::{Borrower, Lending, Offered};
use super::Text;
use super::alert::{AlertBook, AlertChange};
use super::amount::Money;
use super::claim::{Claim, ClaimChange, ClaimPaid, Verdict};
use super::document::merge::{Change, Document};
use super::document::observe::Spot;
use super::document::{DocumentKey, Reversal, Upload};
use super::handling::Book;
use super::horizon;
use super::observation::{CodeChange, Moment};
use super::outcome::UploadOutcome;
use super::rules::RuleId;
use super::rules::ruleset::RuleSet;
use super::sender::StandingChange;
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
    /// Of a settlement: digest of the rule set that all of it was judged by last.
    pub judged_by: Option<Text>,
}

/// What of a published claim cannot be computed again from the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedClaim {
    /// When the settlement happened.
    pub occurred_at: Timestamp,
    /// When the upload was received by which it was last told of.
    pub told_at: Timestamp,
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
    /// The lines of the claim that changed, where its parts did not: by what is offered to it, or by time.
    pub claim_change: Option<ClaimChange>,
    /// What the document has to lend, when it changed.
    pub offered: Option<Offered>,
    /// Where it wants to hear of what is offered, of a settlement that borrows.
    pub borrows: Option<Borrower>,
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
            claim_change: None,
            offered: None,
            borrows: None,
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
        !self.alerts.is_empty() || !self.changes.is_empty() || self.tells_claim() || self.offered.is_some()
    }

    fn tells_claim(&self) -> bool {
        self.claim.is_some() || self.claim_change.is_some()
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
    let merged = match upload {
        Upload::Version(version) => state.parts.weigh(version),
        Upload::Reversal(reversal) => state.parts.weigh_reversal(reversal),
        Upload::Handling(handling) => return handling::handle(state, handling, upload, moment, rules),
    };
    let mut effects = RegisterEffects::nothing(merged.outcome);
    effects.changed = merged.change != Change::Nothing;
    effects.meets_reversal = merged.meets_reversal;
    if !effects.changed {
        return effects;
    }
    let is_whole = state.parts.is_replaced_by(upload);
    let parts_before = state.parts.clone();
    state.parts.take(upload);
    if !is_whole && state.parts.has_outgrown(&parts_before) {
        state.parts = parts_before;
        return RegisterEffects::refused(Refusal::Parts);
    }
    let step = Step::of_upload(upload, merged.change, is_whole);
    if judge(state, Before::of_parts(&parts_before), &step, moment, rules, &mut effects) {
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
    let mut effects = RegisterEffects::nothing(UploadOutcome::Accepted);
    let (mut parts_before, mut last) = (None, None);
    for reversal in reversals {
        let upload = Upload::Reversal(reversal.clone());
        if horizon::is_too_late(&state.parts, &upload, moment.forgotten_before, rules.horizon) {
            state.parts = parts_before.unwrap_or_else(|| std::mem::take(&mut state.parts));
            return RegisterEffects::refused(Refusal::Horizon);
        }
        let merged = state.parts.weigh_reversal(reversal);
        effects.meets_reversal |= merged.meets_reversal;
        if merged.change != Change::Nothing {
            parts_before.get_or_insert_with(|| state.parts.clone());
            state.parts.reverse(reversal);
            last = Some(upload);
        }
    }
    let (Some(parts_before), Some(upload)) = (parts_before, last) else { return effects };
    effects.changed = true;
    let step = Step::of_upload(&upload, Change::Content, false);
    if !state.parts.has_outgrown(&parts_before)
        && judge(state, Before::of_parts(&parts_before), &step, moment, rules, &mut effects)
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
    judge(state, Before::default(), &Step::of_time(key), moment, rules, &mut effects);
    effects
}

/// The number of what is published next. One that was forgotten goes on above what it may have had.
fn next_revision(state: &DocumentState, moment: &Moment) -> u64 {
    let last = match state.revision {
        0 => horizon::numbers_begin_after(moment.now, moment.forgotten_before),
        known => known,
    };
    last.saturating_add(1)
}

#[cfg(test)]
mod tests;
