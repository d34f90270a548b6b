//! The national interface's own messages: envelope, dirt and all, to uploads.
//!
//! One message becomes several drafts: one per document that its rows belong to, and one reversal per thing that it
//! takes back. They pass the same checks as a canonical upload; only identities are longer, because several of the
//! sender's numbers are joined. Refusals made while reading name the interface's field
//! (`input.selinfo[2].sel_retn_cnt`), those of the common checks the canonical one.
//!
//! Which message is read by whom, and which report no fact, stands in [`messages`].
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

pub mod messages;

pub use envelope::{Envelope, open};

use super::draft::{Draft, VersionDraft};
use super::intake::{IgnoredBecause, Read};
use super::reject::{Reject, RejectReason};
use super::validate::{self, Checks};
use crate::domain::Text;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::{DocumentKey, Group, Header, Kind, Parts, Reversal};
use crate::domain::time::Timestamp;
use messages::MessageKind;

/// Several of the sender's identifiers joined to one, in multiples of the limit of one.
pub(super) const JOINED_IDS_MAX: usize = 8;

type Documents = Vec<Result<Draft, Reject>>;

/// A message about to become documents.
struct Message<'a> {
    number: u16,
    envelope: &'a Envelope,
    msgid: Option<String>,
    operator_id: Option<Text>,
    institution_id: Text,
    issued_at: Timestamp,
    checks: Checks<'a>,
}

/// Reads one message.
pub(super) fn read(envelope: &Envelope, checks: &Checks<'_>) -> Read {
    let (number, name, kind) = match message_kind(envelope) {
        Ok(found) => found,
        Err(reject) => return Read::Drafts(vec![Err(reject)]),
    };
    let Some(read) = kind.read else {
        return Read::Ignored { message: name, because: IgnoredBecause::NoFact };
    };
    if envelope.has_failed() {
        return Read::Ignored { message: name, because: IgnoredBecause::FailedResponse };
    }
    match Message::new(number, envelope, *checks).and_then(|message| read(&message)) {
        Ok(Outcome::Documents(documents)) => Read::Drafts(documents),
        Ok(Outcome::Nothing) => Read::Ignored { message: name, because: IgnoredBecause::NoFact },
        Err(reject) => {
            let institution_id = envelope.head().text(&["fixmedins_code"]).ok().flatten();
            Read::Drafts(vec![Err(reject.about(&institution_id.unwrap_or_default(), ""))])
        }
    }
}

/// What a message becomes.
enum Outcome {
    Documents(Documents),
    /// It takes back a message that reported no fact.
    Nothing,
}

/// The number of the message, its name as sent, and what is known of it.
fn message_kind(envelope: &Envelope) -> Result<(u16, String, &'static MessageKind), Reject> {
    let name = envelope.head().required(&["infno"])?.to_ascii_uppercase();
    match messages::of_name(&name) {
        Some((number, kind)) => Ok((number, name, kind)),
        None => Err(Reject::of_field(
            RejectReason::UnknownMessage,
            "infno",
            "The message is none of the interface's that are known here; send it elsewhere, or ask for it.",
        )),
    }
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
        let operator_id = head.known_text(&["opter"])?;
        let institution_id = institution_id.into();
        Ok(Self { number, envelope, msgid, operator_id, institution_id, issued_at, checks })
    }

    /// A draft of a document of that kind, a full upload of nothing yet.
    fn version(&self, kind: Kind, document_id: String) -> VersionDraft {
        VersionDraft {
            key: self.key(kind.group(), document_id),
            issued_at: self.issued_at,
            full: true,
            header: None,
            person: Default::default(),
            lines: Vec::new(),
            aliases: Vec::new(),
            origin: self.checks.input.origin.clone(),
        }
    }

    /// A header of that kind and moment, by the operator of the message.
    fn header(&self, kind: Kind, occurred_at: OccurredAt) -> Header {
        Header {
            kind,
            occurred_at,
            person: Default::default(),
            visit_id: None,
            settlement_id: None,
            operator_id: self.operator_id.clone(),
            fund_amount: None,
            counterparty: Default::default(),
            returns: None,
        }
    }

    fn key(&self, group: Group, document_id: String) -> DocumentKey {
        DocumentKey { institution_id: self.institution_id.clone(), group, document_id: document_id.into() }
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
    fn reversal_of_alias(&self, group: Group, alias: String, line_id: Option<Text>, parts: Parts) -> Draft {
        Draft::Reversal(Reversal { of_alias: true, ..self.taken_back(group, alias, line_id, parts) })
    }

    /// A reversal of a document.
    fn reversal(&self, group: Group, document_id: String, line_id: Option<Text>, parts: Parts) -> Draft {
        Draft::Reversal(self.taken_back(group, document_id, line_id, parts))
    }

    fn taken_back(&self, group: Group, named: String, line_id: Option<Text>, parts: Parts) -> Reversal {
        Reversal {
            target: self.key(group, named),
            of_alias: false,
            line_id,
            parts,
            issued_at: self.issued_at,
            origin: self.checks.input.origin.clone(),
        }
    }
}
