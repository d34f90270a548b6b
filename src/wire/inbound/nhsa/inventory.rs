//! 3501 stocktake, 3502 stock change, 3503 purchase, 3504 return to the supplier.
//!
//! The batch number is the alias under which 3507 deletes a row. 3503 and 3504 carry no codes: their documents are
//! evidence without observations; which codes came in is 3502's matter. A negative count turns a stock change round; a
//! return to the supplier means less already.

use super::documents::{Identity, StockRow, of_rows};
use super::envelope::CHANGE_TYPE;
use super::row::{Count, Row};
use super::{Message, Outcome, joined};
use crate::domain::amount::Quantity;
use crate::domain::document::{Counterparty, Header, Kind};
use crate::wire::inbound::draft::{PersonAsSent, VersionDraft};
use crate::wire::inbound::notes::Leniency;
use crate::wire::inbound::reject::{Reject, Words};

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

const CHANGE_FORM: Words = Words::new("101 至 111 的库存变更类型", "a stock change type from 101 to 111");
const NOT_NEGATIVE: Words = Words::new("不小于 0 的数量", "a count of at least 0");

/// The stock changes: type, kind, and the type that a negative count makes of it.
const CHANGES: [(&str, Kind, &str); 11] = [
    ("101", Kind::TransferIn, "102"),
    ("102", Kind::TransferOut, "101"),
    ("103", Kind::GainIn, "104"),
    ("104", Kind::LossOut, "103"),
    ("105", Kind::Destroyed, "103"),
    ("106", Kind::OtherIn, "107"),
    ("107", Kind::OtherOut, "106"),
    ("108", Kind::PurchaseIn, "109"),
    ("109", Kind::PurchaseReturn, "108"),
    ("110", Kind::GiftIn, "111"),
    ("111", Kind::GiftReturn, "110"),
];

/// One document per row.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    let layout = match message.number {
        3501 => STOCKTAKE,
        3502 => CHANGE,
        _ => PURCHASE,
    };
    of_rows(message, |row| document(message, &layout, row))
}

fn document(message: &Message<'_>, layout: &Layout, stock: &StockRow<'_>) -> Result<VersionDraft, Reject> {
    let row = &stock.row;
    let occurred_at = row.required_moment(layout.time)?;
    let count = row.count(layout.count)?;
    let (kind, transaction) = kind(message.number, row, count, layout)?;
    let codes = if layout.has_codes { stock.codes.clone() } else { Vec::new() };
    let line = stock.line(quantity(kind, count), codes)?;
    let header = Header {
        counterparty: Counterparty {
            name: row.optional_name(&["spler_name"]),
            license: row.optional_id(&["spler_pmtno"]),
            delivery_note: row.optional_id(&["dynt_no"]),
            invoice: row.optional_id(&["purc_invo_no", "purc_invo_codg"]),
        },
        ..message.header(kind, occurred_at)
    };
    let identity = Identity {
        data_type: layout.data_type,
        batch: &stock.batch,
        transaction: &transaction,
        hilist: &stock.hilist,
        occurred_at,
        more: &[line.fee.as_ref().and_then(|fee| fee.lot.as_deref()).unwrap_or_default()],
    };
    let document_id =
        identity.document_id(&stock.codes, &PersonAsSent::default(), message.checks.pseudonymiser);
    Ok(VersionDraft {
        header: Some(header),
        lines: vec![line],
        aliases: vec![joined(&[layout.data_type, &stock.batch])],
        ..message.version(kind, document_id)
    })
}

/// How much the row is about; only where stock is counted may that be nothing.
fn quantity(kind: Kind, count: Option<Count>) -> Option<Quantity> {
    count.map(|count| count.size).filter(|size| kind == Kind::Stocktake || size.thousandths() > 0)
}

/// The kind of a row, and the transaction as part of its identity.
fn kind(number: u16, row: &Row<'_>, count: Option<Count>, layout: &Layout) -> Result<(Kind, String), Reject> {
    let is_negative = count.is_some_and(|count| count.is_negative);
    let kind = match number {
        3501 if !is_negative => Kind::Stocktake,
        3503 if !is_negative => Kind::PurchaseIn,
        3501 | 3503 => return Err(Reject::malformed(row.path(layout.count), NOT_NEGATIVE)),
        3504 => Kind::PurchaseReturn,
        _ => {
            let unknown = || Reject::malformed(row.path(&CHANGE_TYPE), CHANGE_FORM);
            let change = row.required_id(&CHANGE_TYPE)?;
            let find = |change: &str| CHANGES.iter().find(|(number, ..)| *number == change);
            let mut found = find(change.trim_start_matches('0')).ok_or_else(unknown)?;
            if is_negative {
                row.reading().notes.lenient(Leniency::NegativeCount);
                found = find(found.2).ok_or_else(unknown)?;
            }
            return Ok((found.1, format!("3502-{}", found.0)));
        }
    };
    Ok((kind, number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_count_turns_stock_in_to_stock_out_and_back() {
        for (number, kind, turned) in CHANGES {
            let other = CHANGES.iter().find(|(number, ..)| *number == turned);
            assert_ne!(other.map(|(_, kind, _)| kind.role()), Some(kind.role()), "{number}");
        }
    }
}
