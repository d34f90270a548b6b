//! 3505 sale, 3506 return of a sale.
//!
//! Like stock rows, told apart also by receipt and visit. A return does not say which document it gives back: the
//! original's number is the sender's own and not the one used here.

use super::documents::{Drafts, stock_line, stock_rows};
use super::row::Row;
use super::{Message, Outcome, joined};
use crate::domain::document::Kind;
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::line::TraceCode;

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

fn document(
    message: &Message<'_>,
    row: &Row<'_>,
    codes: Vec<TraceCode>,
) -> Result<(pb::Upload, Vec<String>), Reject> {
    let kind = if message.number == 3505 { Kind::Dispense } else { Kind::DispenseReturn };
    let batch = row.required(&["fixmedins_bchno"])?;
    let occurred_at = row.required_moment(&["sel_retn_time"])?.to_string();
    let line = stock_line(row, &["sel_retn_cnt"], codes)?;
    let visit_id = row.text_or_empty(&["mdtrt_sn"])?;
    let parts = [
        SALES_DATA_TYPE,
        &batch,
        &message.number.to_string(),
        &row.text_or_empty(&["fixmedins_hilist_id", "fixmedins_hist_id"])?,
        &occurred_at,
        &line.lot,
        &row.text_or_empty(&["rtal_docno"])?,
        &visit_id,
    ];
    let pharmacist = row.text(&["phar_prac_cert_no"])?;
    let upload = pb::Upload {
        document_id: joined(&parts),
        kind: kind.name().to_owned(),
        occurred_at,
        person_id: row.text_or_empty(&["psn_no"])?,
        person_cert: row.text_or_empty(&["certno"])?,
        visit_id,
        settlement_id: row.text_or_empty(&["setl_id"])?,
        operator_id: pharmacist.unwrap_or_else(|| message.operator_id.clone()),
        lines: vec![line],
        ..pb::Upload::default()
    };
    Ok((upload, vec![joined(&[SALES_DATA_TYPE, &batch])]))
}
