//! The register: merges each upload into its document and publishes what changed.
//!
//! What stands behind an alias is kept and told by [`super::aliases`], what is lent by [`super::lending`].

use super::outputs::Outputs;
use super::tally::Tally;
use super::topics::{Topic, alias_key_bytes, document_key_bytes, document_of_key};
use super::{StageName, aliases, lending, moment, refusals, senders};
use crate::domain::document::{DocumentKey, Reversal, Upload};
use crate::domain::horizon;
use crate::domain::observation::CodeChange;
use crate::domain::outcome::UploadOutcome;
use crate::domain::register::lending::reconsider;
use crate::domain::register::{self, DocumentState, Refusal, RegisterEffects};
use crate::domain::sender::SenderState;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::context::Context;
use crate::engine::topology::StageRow;
use crate::engine::{Keyed, StageError, State};
use crate::store::StoreError;
use crate::telemetry::limit::Limit;
use crate::wire::entries::{ClaimEntry, DocumentEntry, Tick};
use crate::wire::form::Writer;
use crate::wire::state;

/// The register stage.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// Least progress of time that is passed on to the monitor.
    pub tick_observations: Millis,
    /// Least progress of the wall clock that is passed on to the adjudicator.
    pub tick_claims: Millis,
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the terms in force do
    /// not say.
    pub timers_per_entry_max: usize,
    /// Least time between two records of what an institution sends on a day.
    pub senders_every: Millis,
    /// How what leaves is published.
    pub outputs: Outputs,
}

/// What an entry of the `documents` topic is applied to.
pub(super) type Cx<'a> = Context<'a, Register>;

/// What is kept of a key: of a document (or alias), or of an institution and day.
#[derive(Clone, Debug, Default)]
pub struct RegisterState {
    /// Of a document.
    pub document: DocumentState,
    /// Of an institution and day; then there is no document.
    pub sender: Option<Box<SenderState>>,
}

impl State for RegisterState {
    fn encode(&self, writer: &mut Writer) {
        match &self.sender {
            Some(sender) => state::write_sender(sender, writer),
            None => state::write_document(&self.document, writer),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let decoded = if state::is_of_sender(bytes) {
            let sender = state::decode_sender(bytes).map(|sender| Some(Box::new(sender)));
            sender.map(|sender| Self { sender, ..Self::default() })
        } else {
            state::decode_document(bytes).map(|document| Self { document, sender: None })
        };
        decoded.map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    fn is_empty(&self) -> bool {
        self.sender.is_none() && self.document == DocumentState::default()
    }

    fn newest(&self) -> Option<Timestamp> {
        match &self.sender {
            Some(sender) => sender.newest,
            None => horizon::newest_of_document(&self.document),
        }
    }

    fn due(&self) -> Option<Timestamp> {
        self.sender.as_ref().map_or(self.document.due, |sender| sender.due)
    }
}

impl Keyed for Register {
    type Topic = Topic;
    type Tally = Tally;
    type Body = DocumentEntry;
    type State = RegisterState;

    fn row(&self) -> &'static StageRow<Topic> {
        StageName::Register.row()
    }

    fn timers_per_entry_max(&self) -> usize {
        self.timers_per_entry_max
    }

    fn apply(&mut self, body: DocumentEntry, cx: &mut Cx<'_>) -> Result<(), StageError> {
        match body {
            DocumentEntry::Upload(upload) => self.take(upload, cx),
            DocumentEntry::Forwarded { member, reversals } => self.reverse(&member, &reversals, cx),
            DocumentEntry::Alias { alias, member, received_at } => {
                aliases::add_member(self, &alias, member, received_at, cx)
            }
            DocumentEntry::Tell { alias } => aliases::tell(&alias, cx),
            DocumentEntry::ForwardPage { reversals, after } => {
                aliases::tell_members(&reversals, Some(&after), cx)
            }
            DocumentEntry::Borrows { alias, member, received_at } => {
                lending::borrow(&alias, member, received_at, cx)
            }
            DocumentEntry::Offered { alias, offer } => lending::keep(&alias, *offer, cx),
            DocumentEntry::LoanPage { alias, rest } => lending::go_on(&alias, rest, cx),
            DocumentEntry::Loan { member, alias, loan } => lending::receive(member, &alias, loan, cx),
            DocumentEntry::Reconsider { document } => {
                let (moment, rules) = (moment(cx), cx.terms());
                self.publish(&document, cx, |state| reconsider(state, &document, &moment, &rules))?;
                Ok(())
            }
            DocumentEntry::Received { sender, received } => senders::received(self, &sender, &received, cx),
        }
    }

    /// Looks again at a document whose grace is over, or publishes counts that changed.
    fn wake(&mut self, key: &[u8], cx: &mut Cx<'_>) -> Result<(), StageError> {
        if senders::wake(self, key, cx)? {
            return Ok(());
        }
        let document = document_of_key(key)
            .ok_or_else(|| StoreError::Unreadable("the timer of a document names none".into()))?;
        let (moment, rules) = (moment(cx), cx.terms());
        self.publish_of(key, &document, cx, |state| register::tick(state, &document, &moment, &rules))?;
        Ok(())
    }

    /// Passes time on behind the entries that it belongs to, when it moved far enough.
    fn time_passed(&mut self, cx: &mut Cx<'_>) {
        let (Some(now), wall) = (cx.now(), cx.wall()) else { return };
        let facts = cx.facts();
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
        let tick = Tick {
            source: format!("{}/{}", Topic::Documents.name(), cx.partition).into(),
            sources: cx.out.topology().partitions(Topic::Documents).unsigned_abs(),
            now,
            wall,
        };
        if to_monitor {
            cx.out.tick::<CodeChange>(&tick);
        }
        if to_adjudicate.is_some() {
            cx.out.tick::<ClaimEntry>(&tick);
        }
    }
}

impl Register {
    /// Merges one upload into the document, or alias, that it names. What arrives new under an alias is to be told.
    fn take(&self, upload: Upload, cx: &mut Cx<'_>) -> Result<(), StageError> {
        let outcome = self.merge(&upload, cx)?;
        if outcome == UploadOutcome::Duplicate {
            senders::duplicate(self, &upload, cx)?;
        }
        *cx.tally.merged.entry(outcome).or_default() += 1;
        if let (Upload::Reversal(reversal), UploadOutcome::Accepted) = (upload, outcome)
            && reversal.of_alias
        {
            let alias = reversal.target.clone();
            let untold = &mut cx.value(&alias_key_bytes(&alias))?.document.untold;
            untold.push(reversal);
            if untold.len() == 1 {
                cx.out.send(&document_key_bytes(&alias), DocumentEntry::Tell { alias });
            }
        }
        Ok(())
    }

    /// Merges one upload into the document (or alias) that it names, and publishes what changed.
    fn merge(&self, upload: &Upload, cx: &mut Cx<'_>) -> Result<UploadOutcome, StageError> {
        let (moment, rules) = (moment(cx), cx.terms());
        let effects = match upload {
            Upload::Reversal(Reversal { of_alias: true, target, .. }) => {
                let upload = (upload, aliases::has_members(target, cx)?);
                self.publish_of(&alias_key_bytes(target), target, cx, |state| {
                    register::apply_to_alias(state, upload, &moment, &rules)
                })?
            }
            _ => self.publish(upload.key(), cx, |state| register::apply(state, upload, &moment, &rules))?,
        };
        if let Some(refusal) = effects.refused {
            self.refuse(upload, refusal, cx)?;
        }
        Ok(effects.outcome)
    }

    /// Takes reversals that an alias passed on, in one step; one by one where that does not fit.
    fn reverse(
        &self,
        member: &DocumentKey,
        reversals: &[Reversal],
        cx: &mut Cx<'_>,
    ) -> Result<(), StageError> {
        let (moment, rules) = (moment(cx), cx.terms());
        let effects =
            self.publish(member, cx, |state| register::reverse_all(state, reversals, &moment, &rules))?;
        if effects.refused.is_some() {
            for reversal in reversals {
                self.merge(&Upload::Reversal(reversal.clone()), cx)?;
            }
        }
        Ok(())
    }

    /// Looks at a document, moves its timer, and publishes what follows, which is given back.
    fn publish(
        &self,
        document: &DocumentKey,
        cx: &mut Cx<'_>,
        look: impl FnOnce(&mut DocumentState) -> RegisterEffects,
    ) -> Result<RegisterEffects, StageError> {
        self.publish_of(&document_key_bytes(document), document, cx, look)
    }

    fn publish_of(
        &self,
        key: &[u8],
        named: &DocumentKey,
        cx: &mut Cx<'_>,
        look: impl FnOnce(&mut DocumentState) -> RegisterEffects,
    ) -> Result<RegisterEffects, StageError> {
        let mut effects = look(&mut cx.value(key)?.document);
        senders::stand(self, &named.institution_id, &effects.standing, cx)?;
        cx.tally.limits_hit(Limit::DocumentFindings, effects.without_room);
        cx.tally.reversed_at_issue += u64::from(effects.meets_reversal);
        for alert in std::mem::take(&mut effects.alerts) {
            self.outputs.alert(&alert, cx.out, cx.tally);
        }
        cx.tally.observed(&effects.observed);
        cx.tally.allowed(std::mem::take(&mut effects.allowed));
        for change in std::mem::take(&mut effects.changes) {
            cx.out.send(change.code.clone().as_bytes(), change);
        }
        if let Some(claim) = effects.claim.take() {
            cx.out.send(&document_key_bytes(&claim.key), ClaimEntry::Claim(claim));
        }
        if let Some(change) = effects.claim_change.take() {
            cx.out.send(&document_key_bytes(&change.key), ClaimEntry::ClaimChange(change));
        }
        if let Some(paid) = effects.paid.take() {
            cx.out.send(&document_key_bytes(&paid.key), ClaimEntry::Paid(paid));
        }
        if let Some(amount) = effects.paid_unclaimed {
            cx.tally.paid_unclaimed(amount);
        }
        if let Some(offered) = effects.offered.take() {
            lending::send(offered, cx);
        }
        if let Some(borrower) = effects.borrows.take() {
            lending::ask(borrower, named, cx);
        }
        Ok(effects)
    }

    /// Says of an upload that its document does not take it, and why.
    fn refuse(&self, upload: &Upload, refusal: Refusal, cx: &mut Cx<'_>) -> Result<(), StageError> {
        if let Some(limit) = refusals::limit(refusal) {
            cx.tally.limit(limit);
        }
        let letter = refusals::letter(upload, refusal);
        self.outputs.dead_letter(&letter, cx.out);
        senders::rejected(self, upload, letter.reason, cx)
    }
}
