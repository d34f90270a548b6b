//! Design §3, `senders`: what stands of each institution's documents on each day.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, DocumentId};
use super::line_rules::needs_codes;
use super::moment::{DAY_MS, HOUR_MS, Timestamp};
use super::reference::Reference;
use super::upload::{Content, Upload};

/// Counts by name, of each (institution, day); those that are 0 left out.
pub type Standing = BTreeMap<(String, String), BTreeMap<&'static str, u64>>;

const LATE_MS: i64 = 48 * HOUR_MS;

/// What stands in the end.
pub(crate) fn standing(uploads: &[Upload], documents: &[Document], reference: &Reference) -> Standing {
    let mut standing = Standing::new();
    let mut count_many = |institution_id: &String, day: String, name, many: u64| {
        if many > 0 {
            *standing.entry((institution_id.clone(), day)).or_default().entry(name).or_default() += many;
        }
    };
    for document in documents.iter().filter(|document| document.header.kind == "settlement") {
        let (institution_id, day) = (&document.id.institution_id, document.header.occurred_at.day());
        let numbers = ["declared_codes", "declared_consumable_codes"];
        let declared = numbers.iter().filter_map(|name| document.header.numbers.get(name));
        let declared: u64 = declared.map(|number| u64::try_from(*number).unwrap_or_default()).sum();
        let codes = document.lines.values().map(|line| line.codes.valid.len() + line.codes.invalid.len());
        let sent = codes.sum::<usize>() as u64;
        count_many(institution_id, day.text(), "codes_declared", declared);
        count_many(institution_id, day.text(), "codes_not_sent", declared.saturating_sub(sent));
        let is_numbered = document.text("settlement_id").or(document.text("visit_id")).is_some();
        let waits = document
            .lines
            .values()
            .any(|line| line.codes.is_empty() && needs_codes(reference, document, line, day));
        count_many(institution_id, day.text(), "claims_without_number", u64::from(!is_numbered && waits));
    }
    let mut count = |institution_id: &String, day: String, name| count_many(institution_id, day, name, 1);
    for document in documents {
        let (institution_id, day) = (&document.id.institution_id, document.header.occurred_at.day());
        count(institution_id, day.text(), "documents");
        if is_late(document, uploads) {
            count(institution_id, day.text(), "documents_late");
        }
        let lines = document.lines.values().filter(|line| {
            document.header.kind == "settlement" && needs_codes(reference, document, line, day)
        });
        for line in lines {
            count(institution_id, day.text(), "lines_need_codes");
            let own = line.codes.valid.keys().filter(|code| !line.lent.contains(*code)).count();
            if !line.codes.valid.is_empty() {
                count(institution_id, day.text(), "lines_with_code");
                if own == 0 {
                    count(institution_id, day.text(), "lines_with_lent_code_only");
                }
            }
        }
    }
    for (institution_id, issued_at) in waiting(uploads) {
        count(&institution_id, issued_at.day().text(), "reversals_waiting");
    }
    standing
}

/// "late = the least issued_at of all header versions that no reversal took back (superseded ones too) > the live
/// occurred_at (given as a day: the end of that day) + 48 h"
fn is_late(document: &Document, uploads: &[Upload]) -> bool {
    let of_institution =
        || uploads.iter().filter(|upload| upload.institution_id == document.id.institution_id);
    let taken_back = of_institution().filter_map(|upload| match &upload.content {
        Content::Reversal { group, document_id, line_id: None }
            if *group == document.id.group && *document_id == document.id.document_id =>
        {
            Some(upload.issued_at)
        }
        _ => None,
    });
    let taken_back = taken_back.max();
    let issued = of_institution().filter_map(|upload| match &upload.content {
        Content::Parts(parts)
            if parts.header.is_some()
                && parts.group == document.id.group
                && parts.document_id == document.id.document_id =>
        {
            Some(upload.issued_at)
        }
        _ => None,
    });
    let first = issued.filter(|issued_at| Some(*issued_at) > taken_back).min();
    let header = &document.header;
    let over =
        if header.is_day { header.occurred_at.day().beginning().0 + DAY_MS } else { header.occurred_at.0 };
    first.is_some_and(|first| first.0 > over + LATE_MS)
}

/// Reversals of what never came: of a document the newest of the whole, and of each line the newest that is newer.
fn waiting(uploads: &[Upload]) -> Vec<(String, Timestamp)> {
    let mut known = BTreeSet::new();
    let mut reversals: BTreeMap<DocumentId, BTreeMap<Option<String>, Timestamp>> = BTreeMap::new();
    for upload in uploads {
        let id = |group: &str, document_id: &str| DocumentId {
            institution_id: upload.institution_id.clone(),
            group: group.to_owned(),
            document_id: document_id.to_owned(),
        };
        match &upload.content {
            Content::Parts(parts) => {
                known.insert(id(parts.group, &parts.document_id));
            }
            Content::Reversal { group, document_id, line_id } => {
                let of_document = reversals.entry(id(group, document_id)).or_default();
                let newest = of_document.entry(line_id.clone()).or_insert(upload.issued_at);
                *newest = upload.issued_at.max(*newest);
            }
            Content::Ruling(_) | Content::Payment => {}
        }
    }
    let mut waiting = Vec::new();
    for (id, stamps) in reversals.into_iter().filter(|(id, _)| !known.contains(id)) {
        let whole = stamps.get(&None).copied();
        for (line_id, stamp) in stamps {
            if line_id.is_none() || Some(stamp) > whole {
                waiting.push((id.institution_id.clone(), stamp));
            }
        }
    }
    waiting
}
