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

use super::draft::{Draft, normalise, pseudonymise};
use super::nhsa::medical::MedicalTypes;
use super::notes::{Notebook, Notes};
use super::pseudonym::Pseudonymiser;
use super::reject::{Reject, RejectReason, Words};
use super::route::Inlet;
use super::validate::{Checks, validate};
use super::{canonical, control, json, nhsa, wrapper};
use crate::domain::Text;
use crate::domain::document::{DocumentKey, Origin, Upload};
use crate::domain::outcome::IgnoredBecause;
use crate::domain::reference::{self, Book};
use crate::domain::time::Timestamp;

/// One record from outside.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The topic it was read from; none when the source holds all of them, as in a replay.
    pub inlet: Option<Inlet>,
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

/// What a record meets on its way in.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// What is accepted at most.
    pub limits: &'a Limits,
    /// Makes persons pseudonyms.
    pub pseudonymiser: &'a Pseudonymiser,
    /// What medical types of the national interface are called.
    pub medical_types: &'a MedicalTypes,
    /// Reference data, attached to every part.
    pub book: &'a Book,
}

/// What a reader makes of a record.
#[derive(Debug)]
pub(super) enum Read {
    /// Drafts, and refusals of what cannot be one, in the order of the message.
    Drafts(Vec<Result<Draft, Reject>>),
    /// See [`Decoded::Ignored`].
    Ignored {
        /// See there.
        message: String,
        /// See there.
        because: IgnoredBecause,
        /// See there.
        institution_id: Option<Text>,
    },
    /// See [`Decoded::Tick`].
    Tick(Timestamp),
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
        /// What was read leniently, and what was left out.
        notes: Notes,
    },
    /// A message that reports no fact.
    Ignored {
        /// Its number as sent: four digits and perhaps a letter.
        message: String,
        /// Why it counts as ignored.
        because: IgnoredBecause,
        /// Whose it is, when that could be read.
        institution_id: Option<Text>,
    },
    /// A control record: time is at least this.
    Tick {
        /// The moment.
        at: Timestamp,
    },
    /// Nothing could be used: why, at least one reason.
    Rejected(Vec<Reject>),
}

/// One upload and the other identities under which its document can be named.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedUpload {
    /// The upload.
    pub upload: Upload,
    /// Other identities of its document. Stated by every upload that is seen, and never withdrawn.
    pub aliases: Vec<DocumentKey>,
    /// How many different reference records its parts name.
    pub reference_records: usize,
}

impl Decoded {
    /// The outcome of a message made of several documents, each usable or not.
    fn collect(documents: impl IntoIterator<Item = Result<DecodedUpload, Reject>>, notes: Notes) -> Self {
        let (mut uploads, mut refused) = (Vec::new(), Vec::new());
        for document in documents {
            match document {
                Ok(upload) => uploads.push(upload),
                Err(reject) => refused.push(reject),
            }
        }
        if uploads.is_empty() { Self::Rejected(refused) } else { Self::Uploads { uploads, refused, notes } }
    }
}

/// The way of a record from bytes to uploads: it is decoded to drafts, and each draft is validated, normalised, stripped
/// of persons and given its reference data. Never fails otherwise than by a [`Decoded::Rejected`].
pub fn take_in(input: &Input<'_>, door: &Door<'_>) -> Decoded {
    let mut checks = Checks {
        input,
        limits: door.limits,
        pseudonymiser: door.pseudonymiser,
        medical_types: door.medical_types,
        document_id_characters_max: door.limits.id_characters_max,
    };
    let (drafts, notes) = match decode(&mut checks) {
        Ok((Read::Drafts(drafts), notes)) => (drafts, notes.into_notes()),
        Ok((Read::Ignored { message, because, institution_id }, _)) => {
            return Decoded::Ignored { message, because, institution_id };
        }
        Ok((Read::Tick(at), _)) => return Decoded::Tick { at },
        Err(reject) => return Decoded::Rejected(vec![reject]),
    };
    let uploads = drafts.into_iter().map(|draft| {
        let draft = validate(draft?, &checks)?;
        let normalised = normalise(draft);
        let (mut upload, aliases) = pseudonymise(normalised, door.pseudonymiser);
        let reference_records = reference::attach(&mut upload, door.book);
        Ok(DecodedUpload { upload, aliases, reference_records })
    });
    Decoded::collect(uploads, notes)
}

const EMPTY: Words = Words::new(
    "记录没有内容；撤销上传请用冲销单据，不要用空记录。",
    "The record has no payload; an upload is taken back by a reversal, not by a tombstone.",
);

/// The drafts of a record, whatever its form.
fn decode(checks: &mut Checks<'_>) -> Result<(Read, Notebook), Reject> {
    let Checks { input, limits, .. } = *checks;
    let bytes_max = limits.payload_bytes_max;
    if input.payload.len() > bytes_max {
        return Err(Reject::said(
            RejectReason::OverLimit,
            format!("记录超过上限 {bytes_max} 字节；请分次上传。"),
            format!("The record is larger than the limit of {bytes_max} bytes; send less at once."),
        ));
    }
    if input.payload.is_empty() {
        return Err(Reject::new(RejectReason::Unparseable, EMPTY));
    }
    let notes = Notebook::default();
    if control::is_tick(input.content_type) {
        return Ok((Read::Tick(control::decode_tick(input.payload)?), notes));
    }
    match Form::of(input.content_type, input.payload) {
        Form::Json(json) => decode_json(json, notes, checks),
        Form::Protobuf(message) => match wrapper::json_in_text(message) {
            Some(inside) => Err(wrapper::text_of_json(&inside)),
            None => Ok((Read::Drafts(vec![canonical::from_protobuf(message, input.origin)]), notes)),
        },
    }
}

fn decode_json(json: &[u8], notes: Notebook, checks: &mut Checks<'_>) -> Result<(Read, Notebook), Reject> {
    let members = wrapper::object(json::parse(json)?, &notes)?;
    let members = nhsa::unwrapped(members, &notes);
    if nhsa::is_message(&members) {
        checks.document_id_characters_max =
            checks.limits.id_characters_max.saturating_mul(nhsa::JOINED_IDS_MAX);
        let envelope = nhsa::Envelope::new(members, notes, checks.limits);
        let read = nhsa::read(&envelope, checks);
        return Ok((read, envelope.into_notebook()));
    }
    wrapper::refuse_unknown(&members)?;
    Ok((Read::Drafts(vec![canonical::from_json(&members, checks.input.origin)]), notes))
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
