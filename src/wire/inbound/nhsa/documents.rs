//! Rows gathered into documents: rows of the same document are its lines, in their order.

use std::collections::BTreeMap;

use super::Message;
use super::codes;
use super::row::Row;
use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::document::FeeFacet;
use crate::wire::inbound::draft::{Draft, LineDraft, VersionDraft};
use crate::wire::inbound::reject::Reject;

/// Nodes under which stock and sales rows are sent; senders confuse them.
pub(super) const ROW_NODES: [&str; 8] = [
    "invinfo",
    "invinfoDetail",
    "purcinfo",
    "purcinfoDetail",
    "selinfo",
    "selinfoDetail",
    "goodDetail",
    "data",
];

/// Documents of a message, in order of first appearance.
#[derive(Default)]
pub(super) struct Drafts {
    order: Vec<Result<VersionDraft, Reject>>,
    index: BTreeMap<Text, usize>,
}

impl Drafts {
    /// Adds a row: a document with one line, or why it is refused. To a document already there it adds the line,
    /// under the next number when `numbered`.
    pub(super) fn add(&mut self, row: Result<VersionDraft, Reject>, numbered: bool) {
        let mut document = match row {
            Ok(row) => row,
            Err(reject) => {
                self.order.push(Err(reject));
                return;
            }
        };
        let position = self.index.get(&document.key.document_id).copied();
        let existing = position.and_then(|position| self.order.get_mut(position));
        let (lines, new) = match existing {
            Some(Ok(first)) => (&mut first.lines, document.lines),
            _ => {
                number_lines(&mut document.lines, 0, numbered);
                self.index.insert(document.key.document_id.clone(), self.order.len());
                self.order.push(Ok(document));
                return;
            }
        };
        let before = lines.len();
        lines.extend(new);
        number_lines(lines.get_mut(before..).unwrap_or_default(), before, numbered);
    }

    /// The documents; a refused row names its institution.
    pub(super) fn finish(self, message: &Message<'_>) -> super::Documents {
        let draft = |row: Result<VersionDraft, Reject>| match row {
            Ok(version) => Ok(Draft::Version(Box::new(version))),
            Err(reject) => Err(reject.about(&message.institution_id, "")),
        };
        self.order.into_iter().map(draft).collect()
    }
}

fn number_lines(lines: &mut [LineDraft], before: usize, numbered: bool) {
    if numbered {
        for (line, number) in lines.iter_mut().zip(before + 1..) {
            line.line_id = number.to_string().into();
        }
    }
}

/// The rows of a stock or sales message with the codes of each. A node of codes beside the rows belongs to the
/// only row; beside several nobody can say to which.
pub(super) fn stock_rows<'a>(message: &Message<'a>) -> Result<Vec<(Row<'a>, Vec<String>)>, Reject> {
    let rows = message.rows(&ROW_NODES)?;
    let input = message.envelope.input();
    let mut beside = codes::beside(input.as_ref())?;
    if !beside.is_empty() && rows.len() > 1 {
        return Err(Reject::malformed("input.drugtracinfo", "inside the row that the codes belong to"));
    }
    let with_codes = |row: Row<'a>| {
        let mut codes = codes::of_row(&row)?;
        if codes.is_empty() {
            codes = std::mem::take(&mut beside);
        }
        Ok((row, codes))
    };
    rows.into_iter().map(with_codes).collect()
}

/// The one line of a row of stock or sales.
pub(super) fn stock_line(
    row: &Row<'_>,
    quantity: Option<Quantity>,
    codes: Vec<String>,
) -> Result<LineDraft, Reject> {
    let fee = FeeFacet {
        product_code: row.known_text(&["med_list_codg"])?,
        product_name: row.known_text(&["fixmedins_hilist_name", "fixmedins_hist_name"])?,
        quantity,
        split: row.flag(&["trdn_flag"])?.unwrap_or(false),
        lot: row.known_text(&["manu_lotnum"])?,
        expires_on: row.day(&["expy_end"])?,
        ..FeeFacet::default()
    };
    Ok(LineDraft { line_id: Text::default(), fee: Some(fee), codes: Some(codes::facet(codes, false)) })
}
