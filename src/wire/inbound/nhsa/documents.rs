//! Rows gathered into documents: rows of the same document are its lines, in their order.

use std::collections::BTreeMap;

use super::Message;
use super::codes;
use super::row::Row;
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::Line;

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

/// A document under construction: its header and the lines so far, or why it is refused.
type Draft = Result<(pb::Upload, Vec<String>), Reject>;

/// Documents of a message, in order of first appearance.
#[derive(Default)]
pub(super) struct Drafts {
    order: Vec<Draft>,
    index: BTreeMap<String, usize>,
}

impl Drafts {
    /// Adds a row: a document with one line and its aliases. To a document already there it adds the line, under
    /// the next number when `numbered`.
    pub(super) fn add(&mut self, row: Draft, numbered: bool) {
        let (mut upload, aliases) = match row {
            Ok(row) => row,
            Err(reject) => {
                self.order.push(Err(reject));
                return;
            }
        };
        let position = self.index.get(&upload.document_id).copied();
        let existing = position.and_then(|position| self.order.get_mut(position));
        let (lines, new) = match existing {
            Some(Ok((first, _))) => (&mut first.lines, upload.lines),
            _ => {
                number_lines(&mut upload.lines, 0, numbered);
                self.index.insert(upload.document_id.clone(), self.order.len());
                self.order.push(Ok((upload, aliases)));
                return;
            }
        };
        let before = lines.len();
        lines.extend(new);
        number_lines(lines.get_mut(before..).unwrap_or_default(), before, numbered);
    }

    /// The documents, checked.
    pub(super) fn finish(self, message: &Message<'_>) -> super::Documents {
        let check = |draft: Draft| draft.and_then(|(upload, aliases)| message.document(upload, &aliases));
        let identified = |reject: Reject| Reject {
            institution_id: Some(message.institution_id.as_str().into()),
            ..reject
        };
        self.order.into_iter().map(|draft| check(draft).map_err(identified)).collect()
    }
}

fn number_lines(lines: &mut [Line], before: usize, numbered: bool) {
    if numbered {
        for (line, number) in lines.iter_mut().zip(before + 1..) {
            line.line_id = number.to_string();
        }
    }
}

/// The rows of a stock or sales message with the codes of each. A node of codes beside the rows belongs to the
/// only row; beside several nobody can say to which.
pub(super) fn stock_rows<'a>(
    message: &Message<'a>,
) -> Result<Vec<(Row<'a>, Vec<pb::upload::line::TraceCode>)>, Reject> {
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

/// What all rows of stock and sales say of a line.
pub(super) fn stock_line(
    row: &Row<'_>,
    count: &[&str],
    trace_codes: Vec<pb::upload::line::TraceCode>,
) -> Result<Line, Reject> {
    Ok(Line {
        product_code: row.text_or_empty(&["med_list_codg"])?,
        product_name: row.text_or_empty(&["fixmedins_hilist_name", "fixmedins_hist_name"])?,
        quantity: row.quantity(count)?,
        split: row.flag(&["trdn_flag"])?,
        lot: row.text_or_empty(&["manu_lotnum"])?,
        expires_on: row.day(&["expy_end"])?,
        trace_codes,
        ..Line::default()
    })
}
