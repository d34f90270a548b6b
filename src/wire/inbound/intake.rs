//! The one door for what comes from outside: bytes of a record in, uploads or a refusal out.
//!
//! The form is told by the content type, else by the first byte: JSON begins with `{`, `[` or a byte order mark,
//! a Confluent prefix with 0, and anything else is Protobuf. Neither of the three can be mistaken for another. A
//! JSON object with an `infno` (or the wrapper around one) is a message of the national interface, any other is
//! canonical. One record carries one upload or one message: a JSON array is refused.
//!
//! Accounting: every input ends in exactly one [`Decoded`]. A record counts as rejected when nothing of it could
//! be used, as decoded when at least one document could; refused documents of a decoded message are refusals of
//! their own beside it.
//!
//! Nothing here keeps state or reads a clock.

use serde_json::Value;

use super::canonical::{self, Checks};
use super::control;
use super::nhsa;
use super::pseudonym::Pseudonymiser;
use super::reject::{Reject, RejectReason};
use crate::domain::document::{DocumentKey, Group, Origin, Upload};
use crate::domain::time::Timestamp;

/// One record from outside.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The group of the topic it was read from; none when the source holds all groups, as in a replay.
    pub group: Option<Group>,
    /// The value of the `content-type` header.
    pub content_type: Option<&'a [u8]>,
    /// The payload.
    pub payload: &'a [u8],
    /// Where it was read.
    pub origin: &'a Origin,
    /// The record's timestamp, where it has one.
    pub record_timestamp: Option<Timestamp>,
}

/// How large an input may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a payload.
    pub payload_bytes_max: usize,
    /// Lines of an upload.
    pub lines_max: usize,
    /// Codes of an upload, all lines together.
    pub codes_max: usize,
    /// Characters of an identifier.
    pub id_characters_max: usize,
    /// Characters of a name or of one scanned code.
    pub text_characters_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 1 << 20,
            lines_max: 5_000,
            codes_max: 20_000,
            id_characters_max: 64,
            text_characters_max: 1_000,
        }
    }
}

/// What an input turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// Uploads, at least one; documents of the same message that had to be refused beside them.
    Uploads {
        /// What can be used, in the order of the message.
        uploads: Vec<DecodedUpload>,
        /// What cannot.
        refused: Vec<Reject>,
    },
    /// A message that reports no fact.
    Ignored {
        /// Its number as sent: four digits and perhaps a letter.
        message: String,
        /// Why it counts as ignored.
        because: IgnoredBecause,
    },
    /// A control record: time is at least this.
    Tick {
        /// The moment.
        at: Timestamp,
    },
    /// Nothing could be used: why, at least one reason.
    Rejected(Vec<Reject>),
}

/// Why a message counts as ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoredBecause {
    /// Messages of its number report no fact.
    NoFact,
    /// Its response says that the platform did not take it.
    FailedResponse,
}

/// One upload and the other identities under which its document can be named.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedUpload {
    /// The upload.
    pub upload: Upload,
    /// Other identities of its document. Stated by every upload that is seen, and never withdrawn.
    pub aliases: Vec<DocumentKey>,
}

impl Decoded {
    /// The outcome of a message made of several documents, each usable or not.
    pub(crate) fn collect(documents: impl IntoIterator<Item = Result<DecodedUpload, Reject>>) -> Self {
        let (mut uploads, mut refused) = (Vec::new(), Vec::new());
        for document in documents {
            match document {
                Ok(upload) => uploads.push(upload),
                Err(reject) => refused.push(reject),
            }
        }
        if uploads.is_empty() { Self::Rejected(refused) } else { Self::Uploads { uploads, refused } }
    }
}

/// Decodes one record. Never fails otherwise than by a [`Decoded::Rejected`].
pub fn decode(input: &Input<'_>, limits: &Limits, pseudonymiser: &Pseudonymiser) -> Decoded {
    if input.payload.len() > limits.payload_bytes_max {
        let sentence = format!(
            "The record is larger than the limit of {} bytes; send less at once.",
            limits.payload_bytes_max
        );
        return Decoded::Rejected(vec![Reject::new(RejectReason::OverLimit, sentence)]);
    }
    if input.payload.is_empty() {
        let sentence =
            "The record has no payload; an upload is taken back by a reversal, not by a tombstone.";
        return Decoded::Rejected(vec![Reject::new(RejectReason::Unparseable, sentence)]);
    }
    if control::is_tick(input.content_type) {
        return match control::decode_tick(input.payload) {
            Ok(at) => Decoded::Tick { at },
            Err(reject) => Decoded::Rejected(vec![reject]),
        };
    }
    let document_id_characters_max = limits.id_characters_max;
    let checks = Checks { input, limits, document_id_characters_max, pseudonymiser };
    match Form::of(input.content_type, input.payload) {
        Form::Json(json) => decode_json(json, &checks),
        Form::Protobuf(message) => Decoded::collect([canonical::from_protobuf(message, &checks)]),
    }
}

fn decode_json(json: &[u8], checks: &Checks<'_>) -> Decoded {
    let object = match parse_object(json) {
        Ok(object) => object,
        Err(reject) => return Decoded::Rejected(vec![reject]),
    };
    match nhsa::open(object) {
        Ok(envelope) => nhsa::decode(&envelope, checks),
        Err(object) => Decoded::collect([canonical::from_json(&object, checks)]),
    }
}

fn parse_object(json: &[u8]) -> Result<serde_json::Map<String, Value>, Reject> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Err(Reject::new(
            RejectReason::Unparseable,
            "A JSON array is not an upload; send every upload as a record of its own.",
        )),
        Ok(_) => Err(Reject::new(RejectReason::Unparseable, "An upload in JSON must be one object.")),
        // The parser's own words could quote the input; its position cannot.
        Err(error) => Err(Reject::new(
            RejectReason::Unparseable,
            format!(
                "Not valid JSON in UTF-8 (line {}, column {}); correct the sender.",
                error.line(),
                error.column()
            ),
        )),
    }
}

/// The form of a payload, with what stands in front of it cut off.
#[derive(Debug, PartialEq, Eq)]
enum Form<'a> {
    Json(&'a [u8]),
    Protobuf(&'a [u8]),
}

impl<'a> Form<'a> {
    fn of(content_type: Option<&[u8]>, payload: &'a [u8]) -> Self {
        let (framed, body) = match payload {
            [0, _, _, _, _, body @ ..] => (true, body),
            whole => (false, whole),
        };
        let looks_like_json =
            matches!(body, [b'{' | b'[', ..] | [0xEF, 0xBB, 0xBF, ..] | [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..]);
        let says_protobuf = declares(content_type, "protobuf");
        if declares(content_type, "json") || (looks_like_json && !says_protobuf) {
            return Self::Json(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body));
        }
        Self::Protobuf(if framed { after_message_index(body).unwrap_or(payload) } else { body })
    }
}

/// Whether the content type's subtype is `format`, `x-format` or ends in `+format`, or `.format`.
fn declares(content_type: Option<&[u8]>, format: &str) -> bool {
    let Some(content_type) = content_type.and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.rsplit('/').next().unwrap_or_default();
    let last_word = subtype.rsplit(['+', '.', '-']).next().unwrap_or_default();
    last_word == format
}

/// What follows the Confluent message index, when it names the first message of its schema: the varint 0, or the
/// list of one 0 written out.
fn after_message_index(body: &[u8]) -> Option<&[u8]> {
    match body {
        [0, message @ ..] | [2, 0, message @ ..] => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_told_by_content_type_then_by_the_first_bytes() {
        let json = Some(&b"application/json; charset=utf-8"[..]);
        let protobuf = Some(&b"application/x-protobuf"[..]);
        let other = Some(&b"application/octet-stream"[..]);
        let cases = [
            (None, &b"{}"[..], Form::Json(b"{}")),
            (None, b"[]", Form::Json(b"[]")),
            (None, b"\xEF\xBB\xBF{}", Form::Json(b"{}")),
            (None, b"\x0A\x01A", Form::Protobuf(b"\x0A\x01A")),
            (None, b"", Form::Protobuf(b"")),
            (None, b"\0\0\0\0\x07\0\x0A\x01A", Form::Protobuf(b"\x0A\x01A")),
            (None, b"\0\0\0\0\x07\x02\0\x0A\x01A", Form::Protobuf(b"\x0A\x01A")),
            (None, b"\0\0\0\0\x07\x04\x02\0", Form::Protobuf(b"\0\0\0\0\x07\x04\x02\0")),
            (None, b"\0\0\0\0\x07{}", Form::Json(b"{}")),
            (json, b" {}", Form::Json(b" {}")),
            (protobuf, b"{}", Form::Protobuf(b"{}")),
            (other, b"{}", Form::Json(b"{}")),
            (Some(&b"\xFF"[..]), b"{}", Form::Json(b"{}")),
        ];
        for (content_type, payload, form) in cases {
            assert_eq!(Form::of(content_type, payload), form, "{payload:?}");
        }
    }
}
