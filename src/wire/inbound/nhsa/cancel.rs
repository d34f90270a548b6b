//! What takes back: 3507 deletes stock data, 2208, 2305 and 2103 cancel a settlement, 2601 reverses a request.
//!
//! Each names its target by an alias, so it reaches every document behind it, whichever came first.

use super::envelope::BATCH;
use super::nodes::Shape;
use super::row::Row;
use super::sales::SALES_DATA_TYPE;
use super::{Message, Outcome, joined, messages};
use crate::domain::document::{Group, Parts};
use crate::wire::inbound::reject::{Reject, RejectReason, Words};

const DELETIONS: Shape =
    Shape { nodes: &["data", "goodDetail"], fields: &["fixmedins_bchno", "inv_data_type"] };
const SETTLEMENT: Shape = Shape { nodes: &["data", "druginfo"], fields: &["setl_id", "mdtrt_id", "psn_no"] };
const REQUEST: Shape = Shape { nodes: &["data"], fields: &["omsgid", "oinfno", "psn_no"] };

const DATA_TYPE_FORM: Words = Words::new("1 至 4 的进销存数据类型", "a type of stock data from 1 to 4");
const MESSAGE_FORM: Words = Words::new("交易编号", "the number of a message");
const NOT_REVERSED: Words = Words::new(
    "冲正或进销存交易不能再冲正；请重新上传正确的数据。",
    "A reversal or a stock message cannot be reversed; upload the facts again instead.",
);

/// 3507: deletes the batch of a type of stock data.
pub(super) fn stock_deletions(message: &Message<'_>) -> Result<Outcome, Reject> {
    let rows = message.envelope.rows(DELETIONS)?;
    let delete = |row: &Row<'_>| {
        const TYPE: [&str; 1] = ["inv_data_type"];
        let data_type = row.required_id(&TYPE)?;
        let data_type = data_type.trim_start_matches('0');
        let group = match data_type {
            "1" | "2" | "3" => Group::Procurement,
            SALES_DATA_TYPE => Group::Dispensing,
            _ => return Err(Reject::malformed(row.path(&TYPE), DATA_TYPE_FORM)),
        };
        let alias = joined(&[data_type, &row.required_id(&BATCH)?]);
        Ok(message.reversal_of_alias(group, alias, None, Parts::ALL))
    };
    Ok(Outcome::Documents(rows.iter().map(delete).collect()))
}

/// 2208, 2305 and 2103: cancel a settlement; its fee lines stay.
pub(super) fn settlement(message: &Message<'_>) -> Result<Outcome, Reject> {
    let data = message.envelope.row(SETTLEMENT)?;
    let alias = joined(&["setl", &data.required_id(&["setl_id"])?]);
    let reversal = message.reversal_of_alias(Group::Settlement, alias, None, Parts::HEADER_AND_CODES);
    Ok(Outcome::Documents(vec![Ok(reversal)]))
}

/// 2601: reverses a request whose outcome its sender does not know, taking back what that request stated.
pub(super) fn by_message(message: &Message<'_>) -> Result<Outcome, Reject> {
    const ORIGINAL: [&str; 1] = ["oinfno"];
    let data = message.envelope.row(REQUEST)?;
    let (original, kind) = messages::of_name(&data.required_id(&ORIGINAL)?.to_ascii_uppercase())
        .ok_or_else(|| Reject::malformed(data.path(&ORIGINAL), MESSAGE_FORM))?;
    let parts = match original {
        2207 | 2304 => Parts::HEADER_AND_CODES,
        2204 | 2301 => Parts::FEE,
        2102 => Parts::ALL,
        _ if kind.read.is_none() => return Ok(Outcome::Nothing),
        _ => {
            return Err(Reject::of_field(
                RejectReason::UnsupportedReversal,
                data.path(&ORIGINAL),
                NOT_REVERSED,
            ));
        }
    };
    let alias = joined(&["msg", &data.required_id(&["omsgid"])?]);
    Ok(Outcome::Documents(vec![Ok(message.reversal_of_alias(Group::Settlement, alias, None, parts))]))
}
