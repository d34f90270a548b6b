//! One upload as its sender states it: what every form is read to, and what the steps behind the reader work on.
//!
//! A draft consists of the domain's own parts, so a value is read once and never written back to text. Two things may
//! not stand there yet and stand beside, as sent: persons, who leave intake only as pseudonyms, and codes, which
//! still need their normal form. Nothing is checked yet but that each value has the form of its kind.

use super::pseudonym::Pseudonymiser;
use super::reject::Reject;
use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::document::{
    CodesFacet, DocumentKey, FeeFacet, Header, LineVersion, Origin, Part, Reversal, Upload, Version,
};
use crate::domain::handling::Handling;
use crate::domain::time::Timestamp;
use crate::domain::trace_code;

/// Most codes that a sender may declare.
pub(super) const DECLARED_CODES_MAX: u32 = 1_000_000;

/// What a sender states in one upload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Draft {
    /// Parts of a document.
    Version(Box<VersionDraft>),
    /// What it takes back; nothing of a reversal needs another form.
    Reversal(Reversal),
    /// What people did about a claim; neither does anything of this.
    Handling(Box<Handling>),
}

/// Parts of a document as stated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VersionDraft {
    /// The document.
    pub key: DocumentKey,
    /// When its sender issued it.
    pub issued_at: Timestamp,
    /// Whether it replaces what was stamped earlier.
    pub full: bool,
    /// The header, when it carries one. Its person is nobody until there is a pseudonym.
    pub header: Option<Header>,
    /// The person of the header as sent.
    pub person: PersonAsSent,
    /// The lines, those without a facet included.
    pub lines: Vec<LineDraft>,
    /// Other identities under which the document can be named, in its institution and group.
    pub aliases: Vec<String>,
    /// Where it was read.
    pub origin: Origin,
}

/// A person as sent: never leaves intake.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct PersonAsSent {
    /// Person number; empty when there is none.
    pub number: String,
    /// Certificate number; empty when there is none.
    pub certificate: String,
}

/// One line as stated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LineDraft {
    /// The line's identity within the document.
    pub line_id: Text,
    /// Its fee facet, when the upload carries it.
    pub fee: Option<FeeFacet>,
    /// Its codes facet, when the upload carries it.
    pub codes: Option<CodesDraft>,
}

/// The codes of a line as scanned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CodesDraft {
    /// Every code, with the units taken out of its pack when they are said.
    pub scanned: Vec<(String, Option<Quantity>)>,
    /// 拆零, where it was said beside the codes.
    pub split: bool,
}

/// A draft whose codes have their normal form; its person is still as sent.
pub(super) struct Normalised {
    upload: Upload,
    person: PersonAsSent,
    aliases: Vec<DocumentKey>,
}

impl Normalised {
    /// An upload that names neither codes nor persons.
    fn as_stated(upload: Upload) -> Self {
        Self { upload, person: PersonAsSent::default(), aliases: Vec::new() }
    }
}

impl std::fmt::Debug for PersonAsSent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonAsSent").finish_non_exhaustive()
    }
}

impl Draft {
    /// A refusal of this draft, naming its document as far as it has a name.
    pub(super) fn refused(&self, reject: Reject) -> Reject {
        let (key, issued_at) = match self {
            Self::Version(version) => (&version.key, version.issued_at),
            Self::Reversal(reversal) => (&reversal.target, reversal.issued_at),
            Self::Handling(handling) => (&handling.claim, handling.issued_at),
        };
        reject.about(&key.institution_id, &key.document_id).issued(Some(issued_at))
    }
}

/// Gives every code its normal form and merges equal ones. Lines that carry nothing end here.
pub(super) fn normalise(draft: Draft) -> Normalised {
    let VersionDraft { key, issued_at, full, header, person, lines, aliases, origin } = match draft {
        Draft::Version(version) => *version,
        Draft::Reversal(reversal) => return Normalised::as_stated(Upload::Reversal(reversal)),
        Draft::Handling(handling) => return Normalised::as_stated(Upload::Handling(handling)),
    };
    let line = |line: LineDraft| LineVersion {
        line_id: line.line_id,
        fee: line.fee.map(Part::bare),
        codes: line.codes.map(|codes| Part::bare(facet(&codes))),
    };
    let carries = |line: &LineVersion| line.fee.is_some() || line.codes.is_some();
    let lines = lines.into_iter().map(line).filter(carries).collect();
    let alias = |alias: String| DocumentKey { document_id: alias.into(), ..key.clone() };
    let aliases = aliases.into_iter().map(alias).collect();
    let version = Version { key, issued_at, full, header: header.map(Part::bare), lines, origin };
    Normalised { upload: Upload::Version(Box::new(version)), person, aliases }
}

fn facet(codes: &CodesDraft) -> CodesFacet {
    let scans = codes.scanned.iter().filter_map(|(code, units)| Some((trace_code::read(code)?, *units)));
    CodesFacet { split: codes.split, ..CodesFacet::collect(scans) }
}

/// Puts the pseudonyms of its person in the place of the person, and those of staff in the place of identity cards.
pub(super) fn pseudonymise(
    normalised: Normalised,
    pseudonymiser: &Pseudonymiser,
) -> (Upload, Vec<DocumentKey>) {
    let Normalised { mut upload, person, aliases } = normalised;
    if let Upload::Version(version) = &mut upload {
        if let Some(Part { content: header, .. }) = &mut version.header {
            header.person = pseudonymiser.person(&person.number, &person.certificate);
            hide_staff(&mut header.operator_id, pseudonymiser);
        }
        for fee in version.lines.iter_mut().filter_map(|line| line.fee.as_mut()) {
            hide_staff(&mut fee.content.prescription.prescriber_id, pseudonymiser);
            hide_staff(&mut fee.content.prescription.pharmacist_id, pseudonymiser);
        }
    }
    (upload, aliases)
}

/// The id of someone of the staff: what looks like an identity card becomes a pseudonym.
fn hide_staff(id: &mut Option<Text>, pseudonymiser: &Pseudonymiser) {
    if let Some(pseudonym) = id.as_deref().and_then(|id| pseudonymiser.staff(id)) {
        *id = Some(pseudonym.to_string().into());
    }
}
