//! Adjudicate: joins each claim with the verdicts on its codes, by revision, and publishes the decision.

use super::outputs::Outputs;
use super::tally::Tally;
use super::topics::{Topic, document_key_bytes};
use super::{StageName, moment};
use crate::domain::adjudicator::{self, ClaimState, Policy};
use crate::domain::claim::Decision;
use crate::domain::horizon;
use crate::domain::observation::Moment;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::engine::context::Context;
use crate::engine::topology::StageRow;
use crate::engine::{Keyed, StageError, State};
use crate::store::StoreError;
use crate::wire::entries::ClaimEntry;
use crate::wire::form::Writer;
use crate::wire::state;

/// The adjudicate stage.
#[derive(Clone, Debug)]
pub struct Adjudicate {
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the terms in force do
    /// not say.
    pub timers_per_entry_max: usize,
    /// How decisions are published.
    pub outputs: Outputs,
}

impl State for ClaimState {
    fn encode(&self, writer: &mut Writer) {
        state::write_claim(self, writer);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        state::decode_claim(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn newest(&self) -> Option<Timestamp> {
        horizon::newest_of_claim(self)
    }

    fn due(&self) -> Option<Timestamp> {
        self.deadline
    }
}

impl Keyed for Adjudicate {
    type Topic = Topic;
    type Tally = Tally;
    type Body = ClaimEntry;
    type State = ClaimState;

    fn row(&self) -> &'static StageRow<Topic> {
        StageName::Adjudicate.row()
    }

    fn timers_per_entry_max(&self) -> usize {
        self.timers_per_entry_max
    }

    /// Deadlines go by the wall clock.
    fn timer_clock(cx: &Context<'_, Self>) -> Option<Timestamp> {
        cx.wall()
    }

    fn apply(&mut self, body: ClaimEntry, cx: &mut Context<'_, Self>) -> Result<(), StageError> {
        match body {
            ClaimEntry::Claim(claim) => {
                let key = document_key_bytes(&claim.key);
                self.decide(&key, cx, |state, moment, rules, policy| {
                    adjudicator::claim(state, claim, moment, rules, policy)
                })
            }
            ClaimEntry::ClaimChange(change) => {
                let key = document_key_bytes(&change.key);
                self.decide(&key, cx, |state, moment, rules, policy| {
                    adjudicator::claim_change(state, change, moment, rules, policy)
                })
            }
            ClaimEntry::Verdict(verdict) => {
                let key = document_key_bytes(&verdict.key);
                self.decide(&key, cx, |state, moment, rules, policy| {
                    adjudicator::verdict(state, verdict, moment, rules, policy)
                })
            }
            ClaimEntry::Paid(paid) => {
                let key = document_key_bytes(&paid.key);
                self.decide(&key, cx, |state, moment, rules, policy| {
                    adjudicator::paid(state, paid.paid, moment, rules, policy)
                })
            }
        }
    }

    /// The deadline of a claim is over.
    fn wake(&mut self, key: &[u8], cx: &mut Context<'_, Self>) -> Result<(), StageError> {
        self.decide(key, cx, adjudicator::deadline)
    }
}

impl Adjudicate {
    fn decide(
        &self,
        key: &[u8],
        cx: &mut Context<'_, Self>,
        step: impl FnOnce(&mut ClaimState, &Moment, &RuleSet, &Policy) -> Option<Decision>,
    ) -> Result<(), StageError> {
        let (moment, rules) = (moment(cx), cx.terms());
        if let Some(decision) = step(cx.value(key)?, &moment, &rules, &rules.policy) {
            self.outputs.decision(&decision, cx.out, cx.tally);
        }
        Ok(())
    }
}
