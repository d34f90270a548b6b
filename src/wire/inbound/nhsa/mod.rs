//! The national interface's own messages: envelope, dirt and all, to uploads.
//!
//! One message becomes several uploads: one per document that its rows belong to, and one reversal per thing that
//! it takes back. Each is brought to the canonical message first and passes the same checks as a canonical upload
//! ([`validate`]); only identities are longer, because several of the sender's numbers are joined.
//! Refusals made while reading name the interface's field (`input.selinfo[2].sel_retn_cnt`), those of the common
//! checks the canonical one.
//!
//! | messages | file |
//! |---|---|
//! | 3501–3504 stock | `inventory` |
//! | 3505, 3506 sales | `sales` |
//! | 2204, 2301, 2205, 2302 fee lines | `fees` |
//! | 2207, 2304, 2102 settlements | `settlement` |
//! | 3507, 2208, 2305, 2103, 2601 what takes back | `cancel` |
//!
//! A message whose response says that it failed reported no fact and is ignored; so is one that only asks.

mod cancel;
mod codes;
mod documents;
mod envelope;
mod fees;
mod inventory;
mod row;
mod sales;
mod settlement;

pub use envelope::{Envelope, open};

use super::canonical::{Checks, validate};
use super::intake::{Decoded, DecodedUpload, IgnoredBecause};
use super::reject::{Reject, RejectReason};
use crate::domain::document::{DocumentKey, Group, Parts, Upload};
use crate::domain::time::Timestamp;
use crate::wire::pb;

/// Numbers of messages that report no fact: queries, pre-settlements, registrations, sign-in, statistics.
const WITHOUT_FACT: [std::ops::RangeInclusive<u16>; 16] = [
    1101..=1999,
    2001..=2099,
    2101..=2101,
    2201..=2203,
    2206..=2206,
    2303..=2303,
    2401..=2499,
    2501..=2599,
    3101..=3199,
    3201..=3399,
    3401..=3499,
    3508..=3513,
    4101..=4999,
    5101..=5999,
    7101..=7999,
    9001..=9199,
];

/// Several of the sender's identifiers joined to one, in multiples of the limit of one.
const JOINED_IDS_MAX: usize = 8;

type Documents = Vec<Result<DecodedUpload, Reject>>;

/// A message about to become documents.
struct Message<'a> {
    number: u16,
    envelope: &'a Envelope,
    msgid: Option<String>,
    operator_id: String,
    institution_id: String,
    issued_at: Timestamp,
    checks: Checks<'a>,
}

/// Decodes one message.
pub fn decode(envelope: &Envelope, checks: &Checks<'_>) -> Decoded {
    let (number, name) = match message_number(envelope) {
        Ok(found) => found,
        Err(reject) => return Decoded::Rejected(vec![reject]),
    };
    if is_without_fact(number) {
        return Decoded::Ignored { message: name, because: IgnoredBecause::NoFact };
    }
    if envelope.has_failed() {
        return Decoded::Ignored { message: name, because: IgnoredBecause::FailedResponse };
    }
    let document_id_characters_max = checks.limits.id_characters_max.saturating_mul(JOINED_IDS_MAX);
    let checks = Checks { document_id_characters_max, ..*checks };
    let documents = Message::new(number, envelope, checks).and_then(|message| match number {
        3501..=3504 => inventory::documents(&message),
        3505 | 3506 => sales::documents(&message),
        3507 => cancel::stock_deletions(&message),
        2204 | 2301 => fees::documents(&message),
        2205 | 2302 => fees::cancellations(&message),
        2207 | 2304 => settlement::of_visit(&message),
        2102 => settlement::of_pharmacy(&message),
        2208 | 2305 | 2103 => cancel::settlement(&message),
        _ => cancel::by_message(&message),
    });
    match documents {
        Ok(Outcome::Documents(documents)) => Decoded::collect(documents),
        Ok(Outcome::Nothing) => Decoded::Ignored { message: name, because: IgnoredBecause::NoFact },
        Err(reject) => {
            let head = envelope.head();
            let institution_id = head.text(&["fixmedins_code"]).ok().flatten();
            let institution_id = institution_id.filter(|id| validate::is_institution_id(id)).map(Into::into);
            Decoded::Rejected(vec![Reject { institution_id, ..reject }])
        }
    }
}

/// What a message becomes.
enum Outcome {
    Documents(Documents),
    /// It takes back a message that reported no fact.
    Nothing,
}

/// The number of the message, and its name as sent: four digits and perhaps a letter for the variant.
fn message_number(envelope: &Envelope) -> Result<(u16, String), Reject> {
    let unknown = || {
        Reject::of_field(
            RejectReason::UnknownMessage,
            "infno",
            "The message is none of the interface's that are known here; send it elsewhere, or ask for it.",
        )
    };
    let name = envelope.head().required(&["infno"])?.to_ascii_uppercase();
    let number = numbered(&name).ok_or_else(unknown)?;
    let known = matches!(number, 2102..=2103 | 2204..=2205 | 2207..=2208 | 2301..=2302 | 2304..=2305 | 2601 | 3501..=3507);
    if known || is_without_fact(number) { Ok((number, name)) } else { Err(unknown()) }
}

/// The number in a message's name.
fn numbered(name: &str) -> Option<u16> {
    let digits = name.strip_suffix(|variant: char| variant.is_ascii_alphabetic()).unwrap_or(name);
    let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| valid)
}

fn is_without_fact(number: u16) -> bool {
    WITHOUT_FACT.iter().any(|range| range.contains(&number))
}

/// Identifiers joined by `/`, which is escaped inside them, so that different ones never join to the same.
fn joined(parts: &[&str]) -> String {
    let escaped: Vec<String> =
        parts.iter().map(|part| part.replace('%', "%25").replace('/', "%2F")).collect();
    escaped.join("/")
}

impl<'a> Message<'a> {
    fn new(number: u16, envelope: &'a Envelope, checks: Checks<'a>) -> Result<Self, Reject> {
        let head = envelope.head();
        let institution_id = head.required(&["fixmedins_code"])?;
        if !validate::is_institution_id(&institution_id) {
            return Err(Reject::malformed("fixmedins_code", "12 characters of A–Z and 0–9"));
        }
        let issued_at = match head.moment(&["inf_time"])? {
            Some(issued_at) => issued_at,
            None => checks.input.record_timestamp.ok_or_else(|| Reject::missing("inf_time"))?,
        };
        let msgid = head.text(&["msgid"])?;
        let id_characters_max = checks.limits.id_characters_max;
        if msgid.as_ref().is_some_and(|msgid| !validate::fits(msgid, id_characters_max)) {
            return Err(Reject::over_limit("msgid", id_characters_max, "characters"));
        }
        let operator_id = head.text_or_empty(&["opter"])?;
        Ok(Self { number, envelope, msgid, operator_id, institution_id, issued_at, checks })
    }

    /// The document of a canonical message, whose institution and moment of issue are the message's.
    fn document(&self, raw: pb::Upload, aliases: &[String]) -> Result<DecodedUpload, Reject> {
        let raw = pb::Upload {
            institution_id: self.institution_id.clone(),
            issued_at: self.issued_at.to_string(),
            ..raw
        };
        let identified = |reject| Reject {
            institution_id: Some(raw.institution_id.as_str().into()),
            document_id: Some(raw.document_id.as_str().into()),
            ..reject
        };
        let upload = validate::upload(&raw, &self.checks).map_err(identified)?;
        let Upload::Version(version) = &upload else {
            return Ok(DecodedUpload { upload, aliases: Vec::new() });
        };
        let alias = |document_id: &String| DocumentKey {
            document_id: document_id.as_str().into(),
            ..version.key.clone()
        };
        let aliases = aliases.iter().map(alias).collect();
        Ok(DecodedUpload { upload, aliases })
    }

    /// The rows of the message, under the first of the nodes that it has.
    fn rows(&self, nodes: &[&str]) -> Result<Vec<row::Row<'a>>, Reject> {
        self.envelope.rows_within(nodes, self.checks.limits.lines_max)
    }

    /// The alias under which 2601 names what this request stated.
    fn alias_of_request(&self) -> Vec<String> {
        self.msgid.iter().map(|msgid| joined(&["msg", msgid])).collect()
    }

    /// A reversal of all documents behind an alias.
    fn reversal_of_alias(
        &self,
        group: Group,
        alias: String,
        line_id: Option<String>,
        parts: Parts,
    ) -> Result<DecodedUpload, Reject> {
        let mut decoded = self.reversal(group, alias, line_id, parts)?;
        if let Upload::Reversal(reversal) = &mut decoded.upload {
            reversal.of_alias = true;
        }
        Ok(decoded)
    }

    /// A reversal of a document.
    fn reversal(
        &self,
        group: Group,
        document_id: String,
        line_id: Option<String>,
        parts: Parts,
    ) -> Result<DecodedUpload, Reject> {
        let raw = pb::Upload {
            document_id: document_id.clone(),
            kind: "reversal".to_owned(),
            reverses: Some(pb::upload::Reverses { group: group.name().to_owned(), document_id, line_id }),
            ..pb::Upload::default()
        };
        let mut decoded = self.document(raw, &[])?;
        if let Upload::Reversal(reversal) = &mut decoded.upload {
            reversal.parts = parts;
        }
        Ok(decoded)
    }
}
