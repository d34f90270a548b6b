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
pub mod medical;
mod nodes;
mod row;
mod sales;
mod settlement;

pub mod messages;

pub use documents::digest;
pub(super) use envelope::{Envelope, is_message, unwrapped};
pub(super) use row::squash;

use super::draft::{Draft, VersionDraft};
use super::intake::{Limits, Read};
use super::json::Members;
use super::notes::Notebook;
use super::reject::{Reject, RejectReason, Words};
use super::validate::{self, Checks};
use crate::domain::Text;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::Circumstances;
use crate::domain::document::{DocumentKey, Group, Header, Kind, Parts, Reversal};
use crate::domain::outcome::IgnoredBecause;
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
    operator_kind: Option<Text>,
    device_id: Option<Text>,
    insured_region: Option<Text>,
    institution_id: Text,
    issued_at: Timestamp,
    checks: Checks<'a>,
}

/// Reads one message.
pub(super) fn read(envelope: &Envelope, checks: &Checks<'_>) -> Read {
    let institution_id = envelope.institution_id();
    let issued_at = envelope.issued_at();
    let refused = |reject: Reject| reject.about(&institution_id, "").issued(issued_at);
    let (number, name, kind) = match message_kind(envelope) {
        Ok(found) => found,
        Err(reject) => return Read::Drafts(vec![Err(refused(reject))]),
    };
    let ignored = |because| Read::Ignored {
        message: name.clone(),
        because,
        institution_id: validate::is_institution_id(&institution_id).then(|| institution_id.as_str().into()),
    };
    let Some(read) = kind.read else {
        return ignored(IgnoredBecause::NoFact);
    };
    if envelope.has_failed() {
        return ignored(IgnoredBecause::RefusedByPlatform);
    }
    match Message::new(number, envelope, *checks).and_then(|message| read(&message)) {
        Ok(Outcome::Documents(documents)) => {
            Read::Drafts(documents.into_iter().map(|draft| draft.map_err(refused)).collect())
        }
        Ok(Outcome::Nothing) => ignored(IgnoredBecause::NoFact),
        Ok(Outcome::Refused) => ignored(IgnoredBecause::RefusedByPlatform),
        Err(reject) => Read::Drafts(vec![Err(refused(reject))]),
    }
}

/// The number of a message as sent, and its institution, as far as they can be read.
pub(super) fn named(members: &Members) -> (Option<String>, Option<String>) {
    let (notes, limits) = (Notebook::default(), Limits::default());
    let head = row::Row::new("", members, row::Reading { notes: &notes, limits: &limits });
    let text = |names: &[&'static str]| head.id(names).ok().flatten();
    (text(&["infno"]).map(|name| name.to_ascii_uppercase()), text(&["fixmedins_code"]))
}

/// What a message becomes.
enum Outcome {
    Documents(Documents),
    /// It takes back a message that reported no fact.
    Nothing,
    /// The platform took none of its rows.
    Refused,
}

const UNKNOWN: Words = Words::new(
    "交易编号不在本系统所知之列；请发往别处，或申请支持。",
    "The message is none of the interface's that are known here; send it elsewhere, or ask for it.",
);

/// The number of the message, its name as sent, and what is known of it.
fn message_kind(envelope: &Envelope) -> Result<(u16, String, &'static MessageKind), Reject> {
    let name = envelope.head().required_id(&["infno"])?.to_ascii_uppercase();
    match messages::of_name(&name) {
        Some((number, kind)) => Ok((number, name, kind)),
        None => Err(Reject::of_field(RejectReason::UnknownMessage, "infno", UNKNOWN)),
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
        let institution_id = head.required_id(&["fixmedins_code"])?;
        if !validate::is_institution_id(&institution_id) {
            return Err(Reject::malformed("fixmedins_code", validate::INSTITUTION_FORM));
        }
        let issued_at = match head.moment(&["inf_time"])? {
            Some(issued_at) => issued_at.earliest(),
            None => checks.input.record_timestamp.ok_or_else(|| Reject::missing("inf_time"))?,
        };
        Ok(Self {
            number,
            envelope,
            msgid: head.id(&["msgid"])?,
            operator_id: head.optional_id(&["opter"]),
            operator_kind: head.optional_id(&["opter_type"]),
            device_id: head.optional_id(&["dev_no"]),
            insured_region: head.optional_region(&["insuplc_admdvs"]),
            institution_id: institution_id.into(),
            issued_at,
            checks,
        })
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
            circumstances: Circumstances {
                device_id: self.device_id.clone(),
                operator_kind: self.operator_kind.clone(),
                insured_region: self.insured_region.clone().filter(|_| kind.group() != Group::Procurement),
                ..Circumstances::default()
            },
        }
    }

    fn key(&self, group: Group, document_id: String) -> DocumentKey {
        DocumentKey { institution_id: self.institution_id.clone(), group, document_id: document_id.into() }
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
