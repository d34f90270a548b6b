//! The register: merges each upload into its document and publishes what changed.
//!
//! An alias is an entry at its own partition. A reversal that arrives under it is kept there and goes on to all
//! documents behind it, a page at a time; a document that comes to stand behind it later is told of every reversal
//! kept. So it does not matter which came first. Reversals that come close upon each other are told together: the
//! cancelled lines of a long document would otherwise make each document behind the alias be judged once for every one
//! of them. What a hand-over lends takes the same way ([`super::lending`]). Aliases are a key space of their own: a
//! document may be called like one.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::lending;
use super::topics::{Topic, Topology, alias_key_bytes, document_key_bytes};
use super::{StageName, StageRow};
use crate::broker::Record;
use crate::domain::alert::FINDINGS_KEPT_MAX;
use crate::domain::document::room::PARTS_KEPT_MAX;
use crate::domain::document::{DocumentKey, Group, Reversal, Upload};
use crate::domain::handling::{LINE_RULINGS_MAX, PAYMENTS_MAX};
use crate::domain::horizon;
use crate::domain::outcome::{RejectReason, UploadOutcome};
use crate::domain::register::{self, DocumentState, REVERSALS_OF_ALIAS_MAX, Refusal, RegisterEffects};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::outbox::Outbox;
use crate::engine::overlay::{Space, StateValue};
use crate::engine::{Context, Stage, StageError, unreadable};
use crate::store::StoreError;
use crate::telemetry::limit::Limit;
use crate::wire::log::entries::{self, ClaimEntry, DocumentEntry, ObservationEntry, Tick};
use crate::wire::outbound::deadletter::DeadLetter;
use crate::wire::state;

/// Documents told of a reversal by one entry; the rest is told by the entries that follow it.
pub(super) const FORWARD_PAGE: usize = 500;

/// The register stage.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// Least progress of time that is passed on to the monitor.
    pub tick_observations: Millis,
    /// Least progress of the wall clock that is passed on to the adjudicator.
    pub tick_claims: Millis,
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the rule set in force
    /// does not say.
    pub timers_per_entry_max: usize,
}

impl StateValue for DocumentState {
    fn encode(&self) -> Vec<u8> {
        state::encode_document(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        state::decode_document(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    fn newest(&self) -> Option<Timestamp> {
        horizon::newest_of_document(self)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

impl Stage for Register {
    type Value = DocumentState;

    fn row(&self) -> &'static StageRow {
        StageName::Register.row()
    }

    fn apply(&mut self, record: &Record, cx: &mut Context<'_, DocumentState>) -> Result<(), StageError> {
        let payload = record.payload.as_deref().unwrap_or_default();
        for entry in entries::decode_documents(payload).map_err(|error| unreadable(record, error))? {
            match entry {
                DocumentEntry::Upload(upload) => take(*upload, cx)?,
                DocumentEntry::Alias { alias, member, received_at } => {
                    add_member(&alias, member, received_at, cx)?;
                }
                DocumentEntry::Forwarded { member, reversals } => reverse(&member, &reversals, cx)?,
                DocumentEntry::Tell { alias } => tell(&alias, cx)?,
                DocumentEntry::ForwardPage { reversals, after } => {
                    tell_members(&reversals, Some(&after), cx)?;
                }
                DocumentEntry::Offered { alias, offer } => lending::keep(&alias, *offer, cx)?,
                DocumentEntry::LoanPage { alias, rest } => lending::go_on(&alias, rest, cx)?,
                DocumentEntry::Loan { member, alias, loan } => lending::receive(member, &alias, loan, cx)?,
                DocumentEntry::Reconsider { document } => lending::look_again(&document, cx)?,
                DocumentEntry::Tick(tick) => {
                    cx.state.facts().time_passes(&tick);
                    self.fire_timers(record.source.partition, cx)?;
                    self.pass_time_on(record.source.partition, cx);
                }
                DocumentEntry::FireMore => self.fire_timers(record.source.partition, cx)?,
                DocumentEntry::RuleSet(rules) => cx.state.facts().put_in_force(*rules),
            }
        }
        Ok(())
    }
}

/// Merges one upload into the document, or alias, that it names. What arrives new under an alias is to be told.
fn take(upload: Upload, cx: &mut Context<'_, DocumentState>) -> Result<(), StageError> {
    let outcome = merge(&upload, cx)?;
    *cx.tally.merged.entry(outcome).or_default() += 1;
    if let (Upload::Reversal(reversal), UploadOutcome::Accepted) = (upload, outcome)
        && reversal.of_alias
    {
        let alias = reversal.target.clone();
        let untold = &mut cx.state.value(&alias_key_bytes(&alias))?.untold;
        untold.push(reversal);
        if untold.len() == 1 {
            let partition = cx.out.document_partition(&alias);
            cx.out.document(DocumentEntry::Tell { alias }, partition);
        }
    }
    Ok(())
}

/// Merges one upload into the document (or alias) that it names, and publishes what changed.
fn merge(upload: &Upload, cx: &mut Context<'_, DocumentState>) -> Result<UploadOutcome, StageError> {
    let moment = cx.moment();
    let rules = cx.state.facts().rules.clone();
    let apply = |state: &mut DocumentState| register::apply(state, upload, &moment, &rules);
    let effects = match upload {
        Upload::Reversal(reversal) if reversal.of_alias => {
            publish_of(&alias_key_bytes(&reversal.target), cx, apply)?
        }
        upload => publish(upload.key(), cx, apply)?,
    };
    if let Some(refusal) = effects.refused {
        refuse(upload, refusal, cx);
    }
    Ok(effects.outcome)
}

/// Takes reversals that an alias passed on, in one step; one by one where that does not fit.
fn reverse(
    member: &DocumentKey,
    reversals: &[Reversal],
    cx: &mut Context<'_, DocumentState>,
) -> Result<(), StageError> {
    let moment = cx.moment();
    let rules = cx.state.facts().rules.clone();
    let effects = publish(member, cx, |state| register::reverse_all(state, reversals, &moment, &rules))?;
    if effects.refused.is_some() {
        for reversal in reversals {
            merge(&Upload::Reversal(reversal.clone()), cx)?;
        }
    }
    Ok(())
}

/// Looks at a document, moves its timer, and publishes what follows, which is given back.
pub(super) fn publish(
    document: &DocumentKey,
    cx: &mut Context<'_, DocumentState>,
    look: impl FnOnce(&mut DocumentState) -> RegisterEffects,
) -> Result<RegisterEffects, StageError> {
    publish_of(&document_key_bytes(document), cx, look)
}

fn publish_of(
    key: &[u8],
    cx: &mut Context<'_, DocumentState>,
    look: impl FnOnce(&mut DocumentState) -> RegisterEffects,
) -> Result<RegisterEffects, StageError> {
    let state = cx.state.value(key)?;
    let before = state.due;
    let mut effects = look(state);
    let due = state.due;
    cx.state.set_timer(key, before, due);
    cx.tally.limits_hit(Limit::DocumentFindings, effects.without_room);
    cx.tally.reversed_at_issue += u64::from(effects.meets_reversal);
    for alert in std::mem::take(&mut effects.alerts) {
        cx.out.alert(&alert, cx.tally);
    }
    cx.tally.observed(&effects.observed);
    cx.tally.allowed(std::mem::take(&mut effects.allowed));
    for change in std::mem::take(&mut effects.changes) {
        cx.out.change(change);
    }
    if let Some(claim) = effects.claim.take() {
        cx.out.claim(claim);
    }
    if let Some(paid) = effects.paid.take() {
        cx.out.paid(paid);
    }
    if let Some(amount) = effects.paid_unclaimed {
        cx.tally.paid_unclaimed(amount);
    }
    if let Some(offered) = effects.offered.take() {
        lending::send(offered, cx);
    }
    Ok(effects)
}

/// Says of an upload that its document does not take it, and why.
fn refuse(upload: &Upload, refusal: Refusal, cx: &mut Context<'_, DocumentState>) {
    const INSTEAD: &str = "replace the document by one full upload, take it back as a whole, or report under another document id.";
    let (reason, sentence) = match refusal {
        Refusal::Parts => {
            cx.tally.limit(Limit::DocumentParts);
            let kept = "lines, codes and reversed lines";
            let sentence = format!(
                "The document keeps at most {PARTS_KEPT_MAX} {kept}, and this upload adds to them; {INSTEAD}"
            );
            (RejectReason::OverLimit, sentence)
        }
        Refusal::Reversals => {
            cx.tally.limit(Limit::ReversalsPerAlias);
            let sentence = format!(
                "At most {REVERSALS_OF_ALIAS_MAX} single lines are taken back under one number, and this reversal is of \
                 another; take back the document as a whole."
            );
            (RejectReason::OverLimit, sentence)
        }
        Refusal::Rulings => {
            cx.tally.limit(Limit::LineRulings);
            let sentence = format!(
                "A claim keeps at most {LINE_RULINGS_MAX} rulings of single lines, and this is of another line; rule \
                 about the claim as a whole."
            );
            (RejectReason::OverLimit, sentence)
        }
        Refusal::Payments => {
            cx.tally.limit(Limit::ClaimPayments);
            let sentence = format!(
                "A claim keeps at most {PAYMENTS_MAX} payments, those withdrawn among them, and this is another; report \
                 the sum under a payment_id that is known."
            );
            (RejectReason::OverLimit, sentence)
        }
        Refusal::Horizon => {
            let sentence = "This document is about a moment that is forgotten by store.horizon_days; it can no longer \
                            be corrected or reversed.";
            (RejectReason::TimeOutOfRange, sentence.to_owned())
        }
        Refusal::Findings => {
            cx.tally.limit(Limit::DocumentFindings);
            let sentence = format!(
                "At most {FINDINGS_KEPT_MAX} findings are published of one document, those withdrawn among them, and \
                 this upload adds to them; {INSTEAD}"
            );
            (RejectReason::OverLimit, sentence)
        }
    };
    let key = upload.key();
    cx.out.dead_letter(&DeadLetter {
        origin: upload.origin().clone(),
        reason,
        field: None,
        sentence,
        institution_id: Some(key.institution_id.clone()),
        document_id: Some(key.document_id.clone()),
    });
}

/// Takes note of a document behind an alias and tells it of every reversal that the alias keeps.
fn add_member(
    alias: &DocumentKey,
    member: DocumentKey,
    received_at: Timestamp,
    cx: &mut Context<'_, DocumentState>,
) -> Result<(), StageError> {
    let row = member_row(alias, Some(&member));
    // In a replay the record is written before its upload moves time.
    if !cx.state.note_member(row, received_at.max(cx.written_at))? {
        return Ok(());
    }
    let state = cx.state.value(&alias_key_bytes(alias))?;
    let mut kept = state.parts.reversals(alias);
    // Of those not told yet it will hear with all the others.
    let untold: BTreeSet<_> = state.untold.iter().map(|told| (&told.line_id, told.issued_at)).collect();
    kept.retain(|reversal| !untold.contains(&(&reversal.line_id, reversal.issued_at)));
    forward(&kept, member.clone(), cx);
    lending::join(alias, member, cx)
}

/// Tells the documents behind an alias of the reversals that arrived under it since that was done last.
fn tell(alias: &DocumentKey, cx: &mut Context<'_, DocumentState>) -> Result<(), StageError> {
    let untold = std::mem::take(&mut cx.state.value(&alias_key_bytes(alias))?.untold);
    tell_members(&untold, None, cx)
}

/// Passes reversals on to one page of the documents behind the alias that they name.
fn tell_members(
    reversals: &[Reversal],
    after: Option<&DocumentKey>,
    cx: &mut Context<'_, DocumentState>,
) -> Result<(), StageError> {
    let Some(alias) = reversals.first().map(|reversal| reversal.target.clone()) else { return Ok(()) };
    let page = members_after(&alias, after, FORWARD_PAGE, cx)?;
    for member in &page {
        forward(reversals, member.clone(), cx);
    }
    if let (Some(after), true) = (page.last(), page.len() == FORWARD_PAGE) {
        let partition = cx.out.document_partition(&alias);
        let page = DocumentEntry::ForwardPage { reversals: reversals.to_vec(), after: after.clone() };
        cx.out.document(page, partition);
    }
    Ok(())
}

/// The documents behind an alias that follow one of them, so many at most.
pub(super) fn members_after(
    alias: &DocumentKey,
    after: Option<&DocumentKey>,
    at_most: usize,
    cx: &mut Context<'_, DocumentState>,
) -> Result<Vec<DocumentKey>, StageError> {
    let from = member_row(alias, after);
    let from = if after.is_some() { Bound::Excluded(&*from) } else { Bound::Included(&*from) };
    let end = members_end(alias);
    let rows = cx.state.members(from, Bound::Excluded(&end), at_most)?;
    Ok(rows.iter().filter_map(|row| member_of_row(alias, row)).collect())
}

fn forward(reversals: &[Reversal], member: DocumentKey, cx: &mut Context<'_, DocumentState>) {
    if reversals.is_empty() {
        return;
    }
    cx.tally.forwarded += reversals.len() as u64;
    let partition = cx.out.document_partition(&member);
    let addressed = reversals.iter().map(|reversal| Reversal {
        target: member.clone(),
        of_alias: false,
        ..reversal.clone()
    });
    let reversals = addressed.collect();
    cx.out.document(DocumentEntry::Forwarded { member, reversals }, partition);
}

/// Rows of the member space: length of the alias, alias, member. The length keeps an alias apart from a longer
/// one that begins with it.
fn member_row(alias: &DocumentKey, member: Option<&DocumentKey>) -> Vec<u8> {
    let alias = document_key_bytes(alias);
    let member = member.map(document_key_bytes).unwrap_or_default();
    Space::Member.key(&[&length_prefix(&alias), &alias, &member])
}

fn members_end(alias: &DocumentKey) -> Vec<u8> {
    let alias = document_key_bytes(alias);
    // Members begin with an institution id of capitals and digits: nothing of the alias sorts after 0xFF.
    Space::Member.key(&[&length_prefix(&alias), &alias, &[0xFF]])
}

fn length_prefix(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()
}

fn member_of_row(alias: &DocumentKey, row: &[u8]) -> Option<DocumentKey> {
    document_of_key(row.get(member_row(alias, None).len()..)?)
}

/// The document of [`document_key_bytes`].
fn document_of_key(bytes: &[u8]) -> Option<DocumentKey> {
    let institution_end = bytes.iter().position(|byte| *byte == 0)?;
    let (institution, rest) = bytes.split_at(institution_end);
    let group = Group::ALL.into_iter().find(|group| Some(&(*group as u8)) == rest.get(1))?;
    Some(DocumentKey {
        institution_id: std::str::from_utf8(institution).ok()?.into(),
        group,
        document_id: std::str::from_utf8(rest.get(2..)?).ok()?.into(),
    })
}

impl Register {
    /// Looks again at the documents whose grace is over.
    fn fire_timers(&self, partition: i32, cx: &mut Context<'_, DocumentState>) -> Result<(), StageError> {
        let moment = cx.moment();
        let rules = cx.state.facts().rules.clone();
        let are_more = cx.fire_timers(moment.now, self.timers_per_entry_max, |key, cx| {
            let document = document_of_key(key)
                .ok_or_else(|| StoreError::Unreadable("the timer of a document names none".into()))?;
            publish_of(key, cx, |state| register::tick(state, &document, &moment, &rules))?;
            Ok(())
        })?;
        if are_more {
            cx.out.document(DocumentEntry::FireMore, partition);
        }
        Ok(())
    }

    /// Passes time on behind the entries that it belongs to, when it moved far enough.
    fn pass_time_on(&self, partition: i32, cx: &mut Context<'_, DocumentState>) {
        let facts = cx.state.facts();
        let Some(now) = facts.watermark.now() else { return };
        let wall = facts.watermark.wall;
        let moved = |before: Option<Timestamp>, now: Timestamp, least: Millis| {
            before.is_none_or(|before| now > before && now.distance(before) >= least)
        };
        let to_monitor = moved(facts.passed_on, now, self.tick_observations);
        let to_adjudicate = wall.filter(|wall| moved(facts.wall_passed_on, *wall, self.tick_claims));
        if to_monitor {
            facts.passed_on = Some(now);
        }
        if to_adjudicate.is_some() {
            facts.wall_passed_on = to_adjudicate;
        }
        let tick = tick_of(Topic::Documents, partition, cx.out.topology(), now, wall);
        if to_monitor {
            tick_observations(&tick, cx.out);
        }
        if to_adjudicate.is_some() {
            tick_claims(&tick, cx.out);
        }
    }
}

/// The word of one partition of an internal topic.
fn tick_of(
    topic: Topic,
    partition: i32,
    topology: &Topology,
    now: Timestamp,
    wall: Option<Timestamp>,
) -> Tick {
    Tick {
        source: format!("{}/{partition}", topic.name()).into(),
        sources: topology.partitions(topic).unsigned_abs(),
        now,
        wall,
    }
}

fn tick_observations(tick: &Tick, out: &mut Outbox) {
    for partition in 0..out.topology().partitions(Topic::Observations) {
        out.observation(ObservationEntry::Tick(tick.clone()), partition);
    }
}

fn tick_claims(tick: &Tick, out: &mut Outbox) {
    for partition in 0..out.topology().partitions(Topic::Claims) {
        out.claim_entry(ClaimEntry::Tick(tick.clone()), partition);
    }
}
