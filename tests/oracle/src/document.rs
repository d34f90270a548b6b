//! Rules §1: documents, and what of them is live, computed from the whole set of uploads.

use std::collections::{BTreeMap, BTreeSet};

use super::adjustment::{self, Adjustment};
use super::code::Code;
use super::moment::Timestamp;
use super::upload::{Codes, Content, Fee, Header, Parts, Upload};

/// "(institution_id, group, document_id)"
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DocumentId {
    /// The institution whose document it is.
    pub institution_id: String,
    /// procurement, dispensing or settlement.
    pub group: String,
    /// The institution's own id of it.
    pub document_id: String,
}

/// A live document: "a document exists when its header is live".
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Its identity.
    pub id: DocumentId,
    /// Its live header.
    pub header: Header,
    /// The moment at which the header was issued.
    pub header_issued_at: Timestamp,
    /// Its live lines, in line order: by `line_id` as bytes; adjustments are none of them.
    pub lines: BTreeMap<String, Line>,
    /// Its live adjustments, in line order.
    pub adjustments: Vec<Adjustment>,
}

/// A live line: "a line exists when at least one of its facets is live".
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// The live fee facet; without one, product and quantity are unknown.
    pub fee: Fee,
    /// The moment at which the fee facet was issued.
    pub fee_issued_at: Option<Timestamp>,
    /// The codes of the live codes facet, and those lent to the line (§1.6).
    pub codes: Codes,
    /// The moment at which the codes facet was issued, or the latest of those whose codes are lent to it.
    pub codes_issued_at: Option<Timestamp>,
    /// The quantity before the adjustments, of a line that is *adjusted* (§1, point 6).
    pub quantity_before: Option<i128>,
    /// Which of the codes are lent (§1.6).
    pub lent: BTreeSet<Code>,
}

impl Document {
    /// A text field of the header.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.header.texts.get(name).map(String::as_str)
    }
}

impl Line {
    /// A text field of the fee facet.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fee.texts.get(name).map(String::as_str)
    }
}

/// A reversal that concerns one document: its stamp and the line that it takes back, or the whole.
type Reversal<'a> = (Timestamp, Option<&'a String>);

/// All live documents.
pub(crate) fn live(uploads: &[Upload]) -> Vec<Document> {
    let mut versions: BTreeMap<DocumentId, Vec<(Timestamp, &Parts)>> = BTreeMap::new();
    let mut reversals: BTreeMap<DocumentId, Vec<Reversal>> = BTreeMap::new();
    for upload in uploads {
        let institution_id = upload.institution_id.clone();
        match &upload.content {
            Content::Parts(parts) => {
                let (group, document_id) = (parts.group.to_owned(), parts.document_id.clone());
                let id = DocumentId { institution_id, group, document_id };
                versions.entry(id).or_default().push((upload.issued_at, parts));
            }
            // "A reversal concerns its own institution … and every reversal counts".
            Content::Reversal { group, document_id, line_id } => {
                let (group, document_id) = (group.clone(), document_id.clone());
                let id = DocumentId { institution_id, group, document_id };
                reversals.entry(id).or_default().push((upload.issued_at, line_id.as_ref()));
            }
            Content::Ruling(_) | Content::Payment => {}
        }
    }
    let none = Vec::new();
    versions
        .into_iter()
        .filter_map(|(id, versions)| live_document(&id, &versions, reversals.get(&id).unwrap_or(&none)))
        .collect()
}

fn live_document(
    id: &DocumentId,
    versions: &[(Timestamp, &Parts)],
    reversals: &[Reversal],
) -> Option<Document> {
    // "A reversal with issued_at = r takes back every part of its target stamped ≤ r: the whole document, or
    // with line_id that line."
    let taken_back = |stamp: Timestamp, line: Option<&String>| {
        reversals.iter().any(|(r, target)| stamp <= *r && (target.is_none() || *target == line))
    };
    // "line parts stamped earlier than the newest full upload are dead"
    let newest_full = versions.iter().filter(|(_, parts)| parts.is_full).map(|(stamp, _)| *stamp).max();
    let line_part_lives = |stamp: Timestamp, line: &String| {
        newest_full.is_none_or(|full| stamp >= full) && !taken_back(stamp, Some(line))
    };
    let headers = versions.iter().filter_map(|(stamp, parts)| parts.header.as_ref().map(|h| (*stamp, h)));
    let (header_issued_at, header) =
        greatest(headers.filter(|(stamp, _)| !taken_back(*stamp, None)), header_text)?;

    let line_ids: BTreeSet<&String> = versions.iter().flat_map(|(_, parts)| parts.lines.keys()).collect();
    let mut lines = BTreeMap::new();
    for line_id in line_ids {
        let carried = || {
            let all = versions.iter().filter_map(|(stamp, parts)| Some((*stamp, parts.lines.get(line_id)?)));
            all.filter(|(stamp, _)| line_part_lives(*stamp, line_id))
        };
        let fee = greatest(carried().filter_map(|(stamp, line)| Some((stamp, line.0.as_ref()?))), fee_text);
        let codes =
            greatest(carried().filter_map(|(stamp, line)| Some((stamp, line.1.as_ref()?))), codes_text);
        if fee.is_some() || codes.is_some() {
            let line = Line {
                fee: fee.map(|(_, fee)| fee.clone()).unwrap_or_default(),
                fee_issued_at: fee.map(|(stamp, _)| stamp),
                codes: codes.map(|(_, codes)| codes.clone()).unwrap_or_default(),
                codes_issued_at: codes.map(|(stamp, _)| stamp),
                ..Line::default()
            };
            lines.insert(line_id.clone(), line);
        }
    }
    let adjustments = adjustment::act(&mut lines);
    Some(Document { id: id.clone(), header: header.clone(), header_issued_at, lines, adjustments })
}

/// "Of several versions of the same part the greatest (`issued_at`, canonical text) counts."
fn greatest<'a, T>(
    versions: impl Iterator<Item = (Timestamp, &'a T)>,
    canonical: fn(&T) -> String,
) -> Option<(Timestamp, &'a T)> {
    versions.max_by_key(|(stamp, part)| (*stamp, canonical(part)))
}

/// "the part's present fields as `name=value` lines … All lines sorted, joined by LF. Inside names and values
/// `\`, LF and TAB are written `\\`, `\n`, `\t`." (Persons stand here as themselves, not as pseudonyms.)
pub(crate) fn canonical(fields: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut lines: Vec<String> =
        fields.into_iter().map(|(name, value)| format!("{name}={}", escape(&value))).collect();
    lines.sort();
    lines.join("\n")
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

fn header_text(header: &Header) -> String {
    let mut fields: Vec<_> = header.texts.iter().map(|(name, value)| (*name, value.clone())).collect();
    fields.push(("kind", header.kind.clone()));
    // "Its canonical text is the day."
    let occurred_at =
        if header.is_day { header.occurred_at.day().text() } else { header.occurred_at.0.to_string() };
    fields.push(("occurred_at", occurred_at));
    fields.extend(header.numbers.iter().map(|(name, number)| (*name, number.to_string())));
    canonical(fields)
}

fn fee_text(fee: &Fee) -> String {
    let mut fields: Vec<_> = fee.texts.iter().map(|(name, value)| (*name, value.clone())).collect();
    fields.extend(fee.quantity.map(|thousandths| ("quantity", thousandths.to_string())));
    fields.extend(fee.split.then(|| ("split", "true".to_owned())));
    fields.extend(fee.amount_fen.map(|fen| ("amount", fen.to_string())));
    fields.extend(fee.fund_fen.map(|fen| ("fund_amount", fen.to_string())));
    fields.extend(fee.expires_on.map(|day| ("expires_on", day.text())));
    fields.extend(fee.rx_external.then(|| ("rx_external", "true".to_owned())));
    fields.extend(fee.days_supply.map(|thousandths| ("days_supply", thousandths.to_string())));
    canonical(fields)
}

/// "codes as one line each, `trace_codes=CODE` or with units `trace_codes=CODE<TAB>UNITS`"
fn codes_text(codes: &Codes) -> String {
    let valid = codes.valid.iter().map(|(code, units)| (code.normal.as_str(), units));
    let invalid = codes.invalid.iter().map(|((text, _), units)| (text.as_str(), units));
    let mut lines: Vec<String> = valid
        .chain(invalid)
        .map(|(code, units)| match units {
            Some(units) => format!("trace_codes={}\t{units}", escape(code)),
            None => format!("trace_codes={}", escape(code)),
        })
        .collect();
    lines.sort();
    lines.join("\n")
}
