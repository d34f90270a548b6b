//! What takes back: 3507 deletes stock data, 2208, 2305 and 2103 cancel a settlement, 2601 reverses a request.
//!
//! Each names its target by an alias, so it reaches every document behind it, whichever came first.

use super::sales::SALES_DATA_TYPE;
use super::{Message, Outcome, is_without_fact, joined, numbered};
use crate::domain::document::{Group, Parts};
use crate::wire::inbound::reject::{Reject, RejectReason};

/// 3507: deletes the batch of a type of stock data.
pub(super) fn stock_deletions(message: &Message<'_>) -> Result<Outcome, Reject> {
    let rows = message.rows(&["data", "goodDetail"])?;
    let delete = |row: &super::row::Row<'_>| {
        const TYPE: [&str; 1] = ["inv_data_type"];
        let data_type = row.required(&TYPE)?;
        let data_type = data_type.trim_start_matches('0');
        let group = match data_type {
            "1" | "2" | "3" => Group::Procurement,
            SALES_DATA_TYPE => Group::Dispensing,
            _ => return Err(Reject::malformed(row.path(&TYPE), "a type of stock data from 1 to 4")),
        };
        let alias = joined(&[data_type, &row.required(&["fixmedins_bchno"])?]);
        message.reversal_of_alias(group, alias, None, Parts::ALL)
    };
    Ok(Outcome::Documents(rows.iter().map(delete).collect()))
}

/// 2208, 2305 and 2103: cancel a settlement; its fee lines stay.
pub(super) fn settlement(message: &Message<'_>) -> Result<Outcome, Reject> {
    let data = message.envelope.row(&["data", "druginfo"])?;
    let alias = joined(&["setl", &data.required(&["setl_id"])?]);
    let reversal = message.reversal_of_alias(Group::Settlement, alias, None, Parts::HEADER_AND_CODES);
    Ok(Outcome::Documents(vec![reversal]))
}

/// 2601: reverses a request whose outcome its sender does not know, taking back what that request stated.
pub(super) fn by_message(message: &Message<'_>) -> Result<Outcome, Reject> {
    const ORIGINAL: [&str; 1] = ["oinfno"];
    let data = message.envelope.row(&["data"])?;
    let original = numbered(&data.required(&ORIGINAL)?.to_ascii_uppercase())
        .ok_or_else(|| Reject::malformed(data.path(&ORIGINAL), "the number of a message"))?;
    let parts = match original {
        2207 | 2304 => Parts::HEADER_AND_CODES,
        2204 | 2301 => Parts::FEE,
        2102 => Parts::ALL,
        other if is_without_fact(other) => return Ok(Outcome::Nothing),
        _ => {
            let sentence =
                "A reversal or a stock message cannot be reversed; upload the facts again instead.";
            return Err(Reject::of_field(RejectReason::UnsupportedReversal, data.path(&ORIGINAL), sentence));
        }
    };
    let alias = joined(&["msg", &data.required(&["omsgid"])?]);
    Ok(Outcome::Documents(vec![message.reversal_of_alias(Group::Settlement, alias, None, parts)]))
}
