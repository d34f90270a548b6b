//! Rows of stock and sales, each a document of one line, and rows gathered into documents of several lines.
//!
//! Senders fill the batch number with a lot number, a number of the upload, a receipt: different boxes and customers
//! repeat it. So a row is named by all that tells it apart from others ([`Identity`]), its codes among them: sent again it
//! is a duplicate, and another box is another row. Who corrects a row deletes it (3507) first.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::Message;
use super::codes;
use super::envelope::{BATCH, HILIST};
use super::nodes::Shape;
use super::row::Row;
use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::document::FeeFacet;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::trace_code;
use crate::wire::inbound::draft::{Draft, LineDraft, PersonAsSent, VersionDraft};
use crate::wire::inbound::notes::Leniency;
use crate::wire::inbound::pseudonym::Pseudonymiser;
use crate::wire::inbound::reject::{Reject, Words};

/// Rows of stock and sales; senders confuse the names of their nodes.
const STOCK: Shape = Shape {
    nodes: &[
        "invinfo",
        "invinfoDetail",
        "purcinfo",
        "purcinfoDetail",
        "selinfo",
        "selinfoDetail",
        "goodDetail",
    ],
    fields: &[
        "fixmedins_bchno",
        "fixmedins_hilist_id",
        "fixmedins_hist_id",
        "fixmedins_hilist_name",
        "med_list_codg",
        "inv_chg_type",
        "invdate",
        "inv_chg_time",
        "purc_retn_stoin_time",
        "sel_retn_time",
        "inv_cnt",
        "cnt",
        "purc_retn_cnt",
        "sel_retn_cnt",
    ],
};

const BESIDE_ONE_ROW: Words = Words::new("写在所属的行内", "inside the row that the codes belong to");

/// Bytes of the digest of a row's codes.
const DIGEST_BYTES: usize = 16;

/// What tells a row of stock or sales from others.
pub(super) struct Identity<'a> {
    /// The type of stock data, under which 3507 names the batch too.
    pub(super) data_type: &'a str,
    /// fixmedins_bchno.
    pub(super) batch: &'a str,
    /// The transaction, with the type of change.
    pub(super) transaction: &'a str,
    /// fixmedins_hilist_id.
    pub(super) hilist: &'a str,
    /// When it happened: the moment or day, however written.
    pub(super) occurred_at: OccurredAt,
    /// Lot, and of sales receipt and visit.
    pub(super) more: &'a [&'a str],
}

impl Identity<'_> {
    /// The row's document number: all of it, and behind it what says which box, or which customer.
    pub(super) fn document_id(
        &self,
        codes: &[String],
        person: &PersonAsSent,
        pseudonymiser: &Pseudonymiser,
    ) -> String {
        let occurred_at = self.occurred_at.to_string();
        let which = digest(codes.iter().map(String::as_str)).or_else(|| {
            let person = pseudonymiser.person(&person.number, &person.certificate);
            person.number.or(person.certificate).map(|pseudonym| pseudonym.to_string())
        });
        let known = [self.data_type, self.batch, self.transaction, self.hilist, &occurred_at];
        let which = which.unwrap_or_default();
        let parts: Vec<&str> = known.iter().chain(self.more).copied().chain([which.as_str()]).collect();
        super::joined(&parts)
    }
}

/// A digest of a row's codes in their normal forms, whatever their order; none without codes.
pub fn digest<'a>(codes: impl Iterator<Item = &'a str>) -> Option<String> {
    let normal: BTreeSet<Text> =
        codes.filter_map(|code| Some(trace_code::read(code)?.text().clone())).collect();
    if normal.is_empty() {
        return None;
    }
    let mut hash = Sha256::new();
    for code in &normal {
        hash.update(code.as_bytes());
        hash.update(b"\n");
    }
    Some(hex::encode(hash.finalize()).chars().take(2 * DIGEST_BYTES).collect())
}

/// One row of stock or sales with its codes.
pub(super) struct StockRow<'a> {
    pub(super) row: Row<'a>,
    pub(super) codes: Vec<String>,
    pub(super) batch: String,
    pub(super) hilist: String,
}

/// The rows of a stock or sales message that the platform took, each as a document, or why it is none. A node of codes
/// beside the rows belongs to the only row; beside several nobody can say to which.
pub(super) fn of_rows<'a>(
    message: &'a Message<'a>,
    document: impl Fn(&StockRow<'a>) -> Result<VersionDraft, Reject>,
) -> Result<super::Outcome, Reject> {
    let rows = message.envelope.rows(STOCK)?;
    let mut beside = codes::beside(message.envelope.input().as_ref())?;
    if !beside.is_empty() && rows.len() > 1 {
        return Err(Reject::malformed("input.drugtracinfo", BESIDE_ONE_ROW));
    }
    let mut documents = Vec::with_capacity(rows.len());
    for row in rows {
        if message.envelope.has_refused(&row) {
            message.envelope.reading().notes.lenient(Leniency::RefusedRow);
            continue;
        }
        let read = stock_row(row, std::mem::take(&mut beside)).and_then(|row| document(&row));
        documents.push(read.map(|version| Draft::Version(Box::new(version))));
    }
    Ok(if documents.is_empty() { super::Outcome::Refused } else { super::Outcome::Documents(documents) })
}

fn stock_row(row: Row<'_>, beside: Vec<String>) -> Result<StockRow<'_>, Reject> {
    let mut codes = codes::of_row(&row)?;
    if codes.is_empty() {
        codes = beside;
    }
    let (batch, hilist) = (row.required_id(&BATCH)?, row.id(&HILIST)?.unwrap_or_default());
    Ok(StockRow { row, codes, batch, hilist })
}

impl StockRow<'_> {
    /// The one line of the row.
    pub(super) fn line(&self, quantity: Option<Quantity>, codes: Vec<String>) -> Result<LineDraft, Reject> {
        let row = &self.row;
        let fee = FeeFacet {
            product_code: row.optional_id(&["med_list_codg"]),
            product_name: row.optional_name(&["fixmedins_hilist_name", "fixmedins_hist_name"]),
            quantity,
            split: row.flag(&["trdn_flag"])?.unwrap_or(false),
            lot: row.optional_id(&["manu_lotnum"]),
            expires_on: row.optional_day(&["expy_end"]),
            ..FeeFacet::default()
        };
        Ok(LineDraft { line_id: "1".into(), fee: Some(fee), codes: Some(codes::facet(codes, false)) })
    }
}

/// Documents of a message whose rows are lines, in order of first appearance.
#[derive(Default)]
pub(super) struct Drafts {
    order: Vec<Result<VersionDraft, Reject>>,
    index: BTreeMap<Text, usize>,
}

impl Drafts {
    /// Adds a row: a document with one line, or why it is refused. To a document already there it adds the line.
    pub(super) fn add(&mut self, row: Result<VersionDraft, Reject>) {
        let document = match row {
            Ok(row) => row,
            Err(reject) => {
                self.order.push(Err(reject));
                return;
            }
        };
        let position = self.index.get(&document.key.document_id).copied();
        let existing = position.and_then(|position| self.order.get_mut(position));
        if let Some(Ok(first)) = existing {
            first.lines.extend(document.lines);
        } else {
            self.index.insert(document.key.document_id.clone(), self.order.len());
            self.order.push(Ok(document));
        }
    }

    /// The documents.
    pub(super) fn finish(self) -> super::Documents {
        self.order.into_iter().map(|row| row.map(|version| Draft::Version(Box::new(version)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_known_by_its_codes_in_any_order_and_form() {
        let (one, two) = ("81773220288616423835", "81773220288616423836");
        let spaced = " ８1773220288616423835";
        assert_eq!(digest([one, two].into_iter()), digest([two, spaced, one].into_iter()));
        assert_ne!(digest([one].into_iter()), digest([two].into_iter()));
        assert_eq!(digest(["  "].into_iter()), None);
    }
}
