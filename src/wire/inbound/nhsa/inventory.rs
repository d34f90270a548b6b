//! 3501 stocktake, 3502 stock change, 3503 purchase, 3504 return to the supplier.
//!
//! Senders reuse `fixmedins_bchno` carelessly, so a document is named by everything that tells rows apart; the
//! batch number is its alias, under which 3507 deletes it. 3503 and 3504 carry no codes: their documents are
//! evidence without observations; which codes came in is 3502's matter.

use super::documents::{Drafts, stock_line, stock_rows};
use super::row::Row;
use super::{Message, Outcome, joined};
use crate::domain::document::Kind;
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::Counterparty;
use crate::wire::pb::upload::line::TraceCode;

/// Where each transaction keeps its moment, its count and its type of stock data.
struct Layout {
    data_type: &'static str,
    time: &'static [&'static str],
    count: &'static [&'static str],
    has_codes: bool,
}

const STOCKTAKE: Layout = Layout { data_type: "1", time: &["invdate"], count: &["inv_cnt"], has_codes: true };
const CHANGE: Layout = Layout { data_type: "2", time: &["inv_chg_time"], count: &["cnt"], has_codes: true };
const PURCHASE: Layout =
    Layout { data_type: "3", time: &["purc_retn_stoin_time"], count: &["purc_retn_cnt"], has_codes: false };

/// One document per set of rows that nothing tells apart.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    let layout = match message.number {
        3501 => STOCKTAKE,
        3502 => CHANGE,
        _ => PURCHASE,
    };
    let mut drafts = Drafts::default();
    for (row, codes) in stock_rows(message)? {
        drafts.add(document(message, &layout, &row, codes), true);
    }
    Ok(Outcome::Documents(drafts.finish(message)))
}

fn document(
    message: &Message<'_>,
    layout: &Layout,
    row: &Row<'_>,
    codes: Vec<TraceCode>,
) -> Result<(pb::Upload, Vec<String>), Reject> {
    let batch = row.required(&["fixmedins_bchno"])?;
    let occurred_at = row.required_moment(layout.time)?.to_string();
    let line = stock_line(row, layout.count, if layout.has_codes { codes } else { Vec::new() })?;
    let (kind, transaction) = kind(message.number, row)?;
    let hilist_id = row.text_or_empty(&["fixmedins_hilist_id", "fixmedins_hist_id"])?;
    let parts = [layout.data_type, &batch, &transaction, &hilist_id, &occurred_at, &line.lot];
    let upload = pb::Upload {
        document_id: joined(&parts),
        kind: kind.name().to_owned(),
        occurred_at,
        operator_id: message.operator_id.clone(),
        counterparty: Some(Counterparty {
            name: row.text_or_empty(&["spler_name"])?,
            license: row.text_or_empty(&["spler_pmtno"])?,
            delivery_note: row.text_or_empty(&["dynt_no"])?,
            invoice: row.text_or_empty(&["purc_invo_no", "purc_invo_codg"])?,
        }),
        lines: vec![line],
        ..pb::Upload::default()
    };
    Ok((upload, vec![joined(&[layout.data_type, &batch])]))
}

/// The kind of a row, and the transaction as part of its identity.
fn kind(number: u16, row: &Row<'_>) -> Result<(Kind, String), Reject> {
    const TYPE: [&str; 1] = ["inv_chg_type"];
    let kind = match number {
        3501 => Kind::Stocktake,
        3503 => Kind::PurchaseIn,
        3504 => Kind::PurchaseReturn,
        _ => {
            let change = row.required(&TYPE)?;
            let kind = kind_of_change(&change)
                .ok_or_else(|| Reject::malformed(row.path(&TYPE), "a stock change type from 101 to 111"))?;
            return Ok((kind, format!("3502-{change}")));
        }
    };
    Ok((kind, number.to_string()))
}

/// The kind of a stock change type.
fn kind_of_change(change: &str) -> Option<Kind> {
    Some(match change {
        "101" => Kind::TransferIn,
        "102" => Kind::TransferOut,
        "103" => Kind::GainIn,
        "104" => Kind::LossOut,
        "105" => Kind::Destroyed,
        "106" => Kind::OtherIn,
        "107" => Kind::OtherOut,
        "108" => Kind::PurchaseIn,
        "109" => Kind::PurchaseReturn,
        "110" => Kind::GiftIn,
        "111" => Kind::GiftReturn,
        _ => return None,
    })
}
