//! What the stages publish for others to read, in the form that is configured.

use super::tally::Tally;
use super::topics::Topic;
use crate::broker::Header;
use crate::domain::alert::AlertChange;
use crate::domain::claim::Decision;
use crate::engine::outbox::Outbox;
use crate::telemetry::limit::Limit;
use crate::wire::outbound::deadletter::{self, DeadLetter};
use crate::wire::outbound::{alert, decision, sender};
use crate::wire::{Format, Message};

/// A larger alert is published with less evidence and fewer of the codes concerned, and says so.
const ALERT_BYTES_MAX: usize = 1 << 20;

/// Publishes alerts, decisions and dead letters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outputs {
    /// How they are written.
    pub format: Format,
}

impl Outputs {
    /// A revision of an alert.
    pub fn alert(self, change: &AlertChange, out: &mut Outbox<Topic>, tally: &mut Tally) {
        tally.alert(change);
        if out.is_muted() {
            return;
        }
        let mut message = alert::encode(change, self.format);
        if message.payload.len() > ALERT_BYTES_MAX {
            tally.limit(Limit::AlertBytes);
            message = alert::encode(&change.cut_short(), self.format);
        }
        publish(Topic::Alerts, message, out);
    }

    /// A revision of a decision.
    pub fn decision(self, decision: &Decision, out: &mut Outbox<Topic>, tally: &mut Tally) {
        tally.decision(decision);
        if !out.is_muted() {
            publish(Topic::Decisions, decision::encode(decision, self.format), out);
        }
    }

    /// A refused input.
    pub fn dead_letter(self, letter: &DeadLetter, out: &mut Outbox<Topic>) {
        if !out.is_muted() {
            publish(Topic::Deadletter, deadletter::encode(letter, self.format), out);
        }
    }

    /// What an institution sends on a day.
    pub fn sender_day(self, published: &sender::Published<'_>, out: &mut Outbox<Topic>) {
        if !out.is_muted() {
            publish(Topic::Senders, sender::encode(published, self.format), out);
        }
    }
}

fn publish(topic: Topic, message: Message, out: &mut Outbox<Topic>) {
    let headers = message.headers.into_iter().map(|(name, value)| Header { name, value });
    out.publish(topic, message.key, message.payload, headers.collect());
}
