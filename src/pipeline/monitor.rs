//! The monitor: keeps the timeline of every code, evaluates the code rules, answers every settlement with a verdict.
//!
//! A code that waits for a grace has one timer, at the earliest moment that could change its findings. A tick that
//! moves time past no timer costs one look at the first of them.

use super::outputs::Outputs;
use super::tally::Tally;
use super::topics::{Topic, document_key_bytes};
use super::{StageName, moment};
use crate::domain::monitor::{self, CodeState, MonitorEffects};
use crate::domain::observation::CodeChange;
use crate::domain::time::Timestamp;
use crate::domain::{Text, horizon};
use crate::engine::context::Context;
use crate::engine::topology::StageRow;
use crate::engine::{Keyed, StageError, State};
use crate::store::StoreError;
use crate::telemetry::limit::Limit;
use crate::wire::entries::ClaimEntry;
use crate::wire::form::Writer;
use crate::wire::state;

/// The monitor stage.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// Most timers fired by one entry; the rest fires by the entries that follow it. Counts where the terms in force do
    /// not say.
    pub timers_per_entry_max: usize,
    /// How alerts are published.
    pub outputs: Outputs,
}

impl State for CodeState {
    fn encode(&self, writer: &mut Writer) {
        state::write_code(self, writer);
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

impl Keyed for Monitor {
    type Topic = Topic;
    type Tally = Tally;
    type Body = CodeChange;
    type State = CodeState;

    fn row(&self) -> &'static StageRow<Topic> {
        StageName::Monitor.row()
    }

    fn timers_per_entry_max(&self) -> usize {
        self.timers_per_entry_max
    }

    fn apply(&mut self, change: CodeChange, cx: &mut Context<'_, Self>) -> Result<(), StageError> {
        let (moment, rules) = (moment(cx), cx.terms());
        let state = cx.value(change.code.as_bytes())?;
        let effects = monitor::apply(state, &change, &moment, &rules);
        self.publish(effects, cx);
        Ok(())
    }

    /// Looks again at a code whose grace is over.
    fn wake(&mut self, key: &[u8], cx: &mut Context<'_, Self>) -> Result<(), StageError> {
        let code = std::str::from_utf8(key)
            .map_err(|error| StoreError::Unreadable(format!("the timer of a code is no text: {error}")))?;
        let (moment, rules) = (moment(cx), cx.terms());
        let effects = monitor::tick(cx.value(key)?, &Text::from(code), &moment, &rules);
        self.publish(effects, cx);
        Ok(())
    }
}

impl Monitor {
    fn publish(&self, effects: MonitorEffects, cx: &mut Context<'_, Self>) {
        cx.tally.limits_hit(Limit::ObservationsPerCode, effects.without_room);
        for alert in &effects.alerts {
            self.outputs.alert(alert, cx.out, cx.tally);
        }
        cx.tally.observed(&effects.observed);
        cx.tally.allowed(effects.allowed);
        for verdict in effects.verdicts {
            cx.out.send(&document_key_bytes(&verdict.key), ClaimEntry::Verdict(verdict));
        }
    }
}
