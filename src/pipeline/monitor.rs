//! The monitor: keeps the timeline of every code, evaluates the code rules, answers every settlement with a verdict.
//!
//! A code that waits for a grace has one timer, at the earliest moment that could change its findings. A tick that
//! moves time past no timer costs one look at the first of them.

use super::{StageName, StageRow};
use crate::broker::Record;
use crate::domain::monitor::{self, CodeState, MonitorEffects};
use crate::domain::time::Timestamp;
use crate::domain::{Text, horizon};
use crate::engine::overlay::StateValue;
use crate::engine::{Context, Stage, StageError, unreadable};
use crate::store::StoreError;
use crate::telemetry::limit::Limit;
use crate::wire::log::entries::{self, ObservationEntry};
use crate::wire::state;

/// The monitor stage.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the rule set in force
    /// does not say.
    pub timers_per_entry_max: usize,
}

impl StateValue for CodeState {
    fn encode(&self) -> Vec<u8> {
        state::encode_code(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        state::decode_code(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    fn newest(&self) -> Option<Timestamp> {
        horizon::newest_of_code(self)
    }

    fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

impl Stage for Monitor {
    type Value = CodeState;

    fn row(&self) -> &'static StageRow {
        StageName::Monitor.row()
    }

    fn apply(&mut self, record: &Record, cx: &mut Context<'_, CodeState>) -> Result<(), StageError> {
        let payload = record.payload.as_deref().unwrap_or_default();
        for entry in entries::decode_observations(payload).map_err(|error| unreadable(record, error))? {
            match entry {
                ObservationEntry::Change(change) => {
                    let moment = cx.moment();
                    let rules = cx.state.facts().rules.clone();
                    judge(&change.code, cx, |state| monitor::apply(state, &change, &moment, &rules))?;
                }
                ObservationEntry::Tick(tick) => {
                    cx.state.facts().time_passes(&tick);
                    self.fire_timers(record.source.partition, cx)?;
                }
                ObservationEntry::FireMore => self.fire_timers(record.source.partition, cx)?,
                ObservationEntry::RuleSet(rules) => cx.state.facts().put_in_force(*rules),
            }
        }
        Ok(())
    }
}

impl Monitor {
    /// Looks again at the codes whose grace is over.
    fn fire_timers(&self, partition: i32, cx: &mut Context<'_, CodeState>) -> Result<(), StageError> {
        let moment = cx.moment();
        let rules = cx.state.facts().rules.clone();
        let are_more = cx.fire_timers(moment.now, self.timers_per_entry_max, |key, cx| {
            let code = std::str::from_utf8(key).map_err(|error| {
                StoreError::Unreadable(format!("the timer of a code is no text: {error}"))
            })?;
            let code = Text::from(code);
            judge(&code, cx, |state| monitor::tick(state, &code, &moment, &rules))
        })?;
        if are_more {
            cx.out.observation(ObservationEntry::FireMore, partition);
        }
        Ok(())
    }
}

/// Looks at a code, moves its timer, and publishes what follows.
fn judge(
    code: &Text,
    cx: &mut Context<'_, CodeState>,
    look: impl FnOnce(&mut CodeState) -> MonitorEffects,
) -> Result<(), StageError> {
    let state = cx.state.value(code.as_bytes())?;
    let before = state.due;
    let effects = look(state);
    cx.state.set_timer(code.as_bytes(), before, effects.due);
    publish(effects, cx);
    Ok(())
}

fn publish(effects: MonitorEffects, cx: &mut Context<'_, CodeState>) {
    cx.tally.limits_hit(Limit::ObservationsPerCode, effects.without_room);
    for alert in &effects.alerts {
        cx.out.alert(alert, cx.tally);
    }
    cx.tally.observed(&effects.observed);
    cx.tally.allowed(effects.allowed);
    for verdict in effects.verdicts {
        cx.out.verdict(verdict);
    }
}
