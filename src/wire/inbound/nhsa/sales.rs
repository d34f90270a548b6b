//! 3505 sale, 3506 return of a sale.
//!
//! Like stock rows, told apart also by receipt and visit. A return does not say which document it gives back: the
//! original's number is the sender's own and not the one used here.

use super::documents::{Drafts, stock_line, stock_rows};
use super::row::Row;
use super::{Message, Outcome, joined};
use crate::domain::document::{Header, Kind};
use crate::wire::inbound::draft::{PersonAsSent, VersionDraft};
use crate::wire::inbound::reject::Reject;

/// The type of stock data of sales and their returns.
pub(super) const SALES_DATA_TYPE: &str = "4";

/// One document per set of rows that nothing tells apart.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    let mut drafts = Drafts::default();
    for (row, codes) in stock_rows(message)? {
        drafts.add(document(message, &row, codes), true);
    }
    Ok(Outcome::Documents(drafts.finish(message)))
}

fn document(message: &Message<'_>, row: &Row<'_>, codes: Vec<String>) -> Result<VersionDraft, Reject> {
    let kind = if message.number == 3505 { Kind::Dispense } else { Kind::DispenseReturn };
    let batch = row.required(&["fixmedins_bchno"])?;
    let occurred_at = row.required_moment(&["sel_retn_time"])?;
    let line = stock_line(row, row.quantity(&["sel_retn_cnt"])?, codes)?;
    let visit_id = row.known_text(&["mdtrt_sn"])?;
    let document_id = joined(&[
        SALES_DATA_TYPE,
        &batch,
        &message.number.to_string(),
        &row.text(&["fixmedins_hilist_id", "fixmedins_hist_id"])?.unwrap_or_default(),
        &occurred_at.to_string(),
        line.fee.as_ref().and_then(|fee| fee.lot.as_deref()).unwrap_or_default(),
        &row.text(&["rtal_docno"])?.unwrap_or_default(),
        visit_id.as_deref().unwrap_or_default(),
    ]);
    let pharmacist = row.known_text(&["phar_prac_cert_no"])?;
    let header = Header {
        visit_id,
        settlement_id: row.known_text(&["setl_id"])?,
        operator_id: pharmacist.or_else(|| message.operator_id.clone()),
        ..message.header(kind, occurred_at.into())
    };
    let person = PersonAsSent {
        number: row.text(&["psn_no"])?.unwrap_or_default(),
        certificate: row.text(&["certno"])?.unwrap_or_default(),
    };
    Ok(VersionDraft {
        header: Some(header),
        person,
        lines: vec![line],
        aliases: vec![joined(&[SALES_DATA_TYPE, &batch])],
        ..message.version(kind, document_id)
    })
}
