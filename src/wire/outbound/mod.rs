//! What alerts, decisions, dead letters and counts of senders have in common on their way out: two formats and an envelope.
//!
//! The envelope is CloudEvents 1.0 in the binary mode of its Kafka binding: the payload is the event's data, and
//! `ce_…` headers say what it is. `ce_source` and `ce_id` together are unique, so a reader that saw a record twice
//! can tell.

pub mod alert;
pub mod deadletter;
pub mod decision;
pub mod sender;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::time::Timestamp;
use crate::wire::WireError;

/// How outbound records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON, for people and for most consumers.
    #[default]
    Json,
    /// Protobuf by `proto/tracewarden/v1`: the same fields with the same values.
    Protobuf,
}

/// A record for an outside topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Records about the same thing have the same key, so that a compacted reader keeps the newest.
    pub key: Vec<u8>,
    /// The event's data.
    pub payload: Vec<u8>,
    /// The envelope, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What the envelope says of an event.
pub(super) struct Event<'a> {
    /// What is unique among the events of the source.
    pub(super) id: String,
    /// The part of the installation that speaks.
    pub(super) source: &'static str,
    /// What kind of event it is.
    pub(super) kind: String,
    /// When it came to be, where that is known.
    pub(super) time: Option<Timestamp>,
    /// What it is about.
    pub(super) subject: &'a str,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Json, Self::Protobuf];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Protobuf => "protobuf",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The value of the `content-type` header.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/protobuf",
        }
    }

    /// Writes the event's data.
    pub(super) fn write(self, data: &(impl Serialize + prost::Message)) -> Vec<u8> {
        match self {
            Self::Json => json_of(data, 0),
            Self::Protobuf => data.encode_to_vec(),
        }
    }
}

/// The JSON form of some data, in about so many bytes.
pub(super) fn json_of(data: &impl Serialize, bytes: usize) -> Vec<u8> {
    let mut json = Vec::with_capacity(bytes);
    // Strings, numbers, lists and structs always have one.
    serde_json::to_writer(&mut json, data).map_or_else(|_| Vec::new(), |()| json)
}

impl Event<'_> {
    /// The record, of data in that format.
    pub(super) fn message(self, key: Vec<u8>, payload: Vec<u8>, format: Format) -> Message {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let mut headers = vec![
            header("ce_specversion", "1.0"),
            header("ce_id", &self.id),
            header("ce_source", self.source),
            header("ce_type", &self.kind),
        ];
        headers.extend(self.time.map(|time| header("ce_time", &time.to_string())));
        headers.push(header("ce_subject", self.subject));
        headers.push(header("content-type", format.content_type()));
        Message { key, payload, headers }
    }
}

/// The JSON form of a message of ours as it was published, whatever its format. `content_type` is the header of that
/// name; without one it is taken for JSON.
pub(super) fn json_form<T: Serialize + prost::Message + Default>(
    payload: &[u8],
    content_type: Option<&[u8]>,
    expected: &'static str,
) -> Result<Vec<u8>, WireError> {
    if content_type != Some(Format::Protobuf.content_type().as_bytes()) {
        return Ok(payload.to_vec());
    }
    let message =
        T::decode(payload).map_err(|error| WireError::Malformed { expected, detail: error.to_string() })?;
    Ok(Format::Json.write(&message))
}

/// Reads the JSON form of a message of ours.
pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8], expected: &'static str) -> Result<T, WireError> {
    serde_json::from_slice(bytes)
        .map_err(|error| WireError::Malformed { expected, detail: error.to_string() })
}
