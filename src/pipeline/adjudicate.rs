//! Adjudicate: joins each claim with the verdicts on its codes, by revision, and publishes the decision.

use super::topics::document_key_bytes;
use super::{StageName, StageRow};
use crate::broker::Record;
use crate::domain::adjudicator::{self, ClaimState, Policy};
use crate::domain::claim::Decision;
use crate::domain::horizon;
use crate::domain::time::Timestamp;
use crate::engine::overlay::StateValue;
use crate::engine::{Context, Stage, StageError, unreadable};
use crate::store::StoreError;
use crate::wire::log::entries::{self, ClaimEntry};
use crate::wire::state;

/// The adjudicate stage.
#[derive(Clone, Debug)]
pub struct Adjudicate {
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the rule set in force
    /// does not say.
    pub timers_per_entry_max: usize,
}

impl StateValue for ClaimState {
    fn encode(&self) -> Vec<u8> {
        state::encode_claim(self)
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

impl Stage for Adjudicate {
    type Value = ClaimState;

    fn row(&self) -> &'static StageRow {
        StageName::Adjudicate.row()
    }

    fn apply(&mut self, record: &Record, cx: &mut Context<'_, ClaimState>) -> Result<(), StageError> {
        let payload = record.payload.as_deref().unwrap_or_default();
        for entry in entries::decode_claims(payload).map_err(|error| unreadable(record, error))? {
            match entry {
                ClaimEntry::Claim(claim) => {
                    let key = document_key_bytes(&claim.key);
                    self.decide(&key, cx, |state, moment, rules, policy| {
                        adjudicator::claim(state, *claim, moment, rules, policy)
                    })?;
                }
                ClaimEntry::Verdict(verdict) => {
                    let key = document_key_bytes(&verdict.key);
                    self.decide(&key, cx, |state, moment, rules, policy| {
                        adjudicator::verdict(state, *verdict, moment, rules, policy)
                    })?;
                }
                ClaimEntry::Paid(paid) => {
                    let key = document_key_bytes(&paid.key);
                    self.decide(&key, cx, |state, moment, rules, policy| {
                        adjudicator::paid(state, paid.paid, moment, rules, policy)
                    })?;
                }
                ClaimEntry::Tick(tick) => {
                    cx.state.facts().time_passes(&tick);
                    self.fire_timers(record.source.partition, cx)?;
                }
                ClaimEntry::FireMore => self.fire_timers(record.source.partition, cx)?,
                ClaimEntry::RuleSet(rules) => cx.state.facts().put_in_force(*rules),
            }
        }
        Ok(())
    }
}

impl Adjudicate {
    fn decide(
        &self,
        key: &[u8],
        cx: &mut Context<'_, ClaimState>,
        step: impl FnOnce(
            &mut ClaimState,
            &crate::domain::observation::Moment,
            &crate::domain::rules::ruleset::RuleSet,
            &Policy,
        ) -> Option<Decision>,
    ) -> Result<(), StageError> {
        let moment = cx.moment();
        let rules = cx.state.facts().rules.clone();
        let state = cx.state.value(key)?;
        let before = state.deadline;
        let decision = step(state, &moment, &rules, &rules.policy);
        let deadline = state.deadline;
        cx.state.set_timer(key, before, deadline);
        if let Some(decision) = decision {
            cx.tally.decision(&decision);
            cx.out.decision(&decision);
        }
        Ok(())
    }

    /// Fires the deadlines that the wall clock has passed.
    fn fire_timers(&self, partition: i32, cx: &mut Context<'_, ClaimState>) -> Result<(), StageError> {
        let wall = cx.moment().wall;
        let are_more = cx.fire_timers(wall, self.timers_per_entry_max, |key, cx| {
            self.decide(key, cx, adjudicator::deadline)
        })?;
        if are_more {
            cx.out.claim_entry(ClaimEntry::FireMore, partition);
        }
        Ok(())
    }
}
