//! Refused inputs on their way out, by `proto/tracewarden/v1/deadletter.proto`. They say where the input is and what
//! is wrong with it, and never repeat its bytes.

use super::{Event, parse_json};
use super::{Format, Message};
use crate::domain::Text;
use crate::domain::document::Origin;
use crate::domain::outcome::RejectReason;
use crate::domain::time::Timestamp;
use crate::wire::WireError;
use crate::wire::inbound::reject::Words;
use crate::wire::pb;

pub use crate::wire::pb::DeadLetter as DeadLetterMessage;

/// One refused input: the payload of a `deadletter` record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where the refused input is.
    pub origin: Origin,
    /// The record's key, when it can be read.
    pub record_key: Option<String>,
    /// Stable reason.
    pub reason: RejectReason,
    /// The field at fault, where there is one: `lines[2].quantity`.
    pub field: Option<String>,
    /// For a human: what is wrong and what to do.
    pub text: Words,
    /// The institution, when it could be read.
    pub institution_id: Option<Text>,
    /// The document, when it could be read.
    pub document_id: Option<Text>,
}

/// The record of a refused input. Its key is `topic/partition/offset`. One input may be refused in several places, which
/// the event's id tells apart.
pub fn encode(letter: &DeadLetter, format: Format) -> Message {
    let origin = &letter.origin;
    let key = format!("{}/{}/{}", origin.topic, origin.partition, origin.offset);
    let event = Event {
        id: format!(
            "{key}/{}/{}/{}",
            letter.reason.name(),
            letter.field.as_deref().unwrap_or_default(),
            letter.document_id.as_deref().unwrap_or_default()
        ),
        source: "/tracewarden/deadletter",
        kind: "tracewarden.deadletter".to_owned(),
        time: received_at(origin),
        subject: letter.reason.name(),
    };
    event.message(key.clone().into_bytes(), format.write(&message(letter)), format)
}

/// Reads the JSON form.
pub fn parse(json: &[u8]) -> Result<DeadLetterMessage, WireError> {
    parse_json(json, "dead letter")
}

/// The message of a refused input.
pub fn message(letter: &DeadLetter) -> DeadLetterMessage {
    let origin = &letter.origin;
    DeadLetterMessage {
        source: Some(pb::SourceRecord {
            topic: origin.topic.to_string(),
            partition: origin.partition,
            offset: origin.offset,
        }),
        reason: letter.reason.name().into(),
        field: letter.field.clone(),
        sentence: letter.text.en.to_string(),
        text: Some(pb::DeadLetterText { zh: letter.text.zh.to_string(), en: letter.text.en.to_string() }),
        institution_id: letter.institution_id.as_deref().map(Into::into),
        document_id: letter.document_id.as_deref().map(Into::into),
        received_at: received_at(origin).map(|moment| moment.to_string()),
        record_key: letter.record_key.clone(),
    }
}

/// When the input was received, where that is known: what has no stamp of its own is noted as of the epoch.
fn received_at(origin: &Origin) -> Option<Timestamp> {
    (origin.received_at != Timestamp::default()).then_some(origin.received_at)
}

#[cfg(test)]
mod tests;
