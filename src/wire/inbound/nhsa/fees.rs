//! 2204 and 2301 fee lines of a visit or a stay, 2205 and 2302 their cancellation.
//!
//! Fee lines come before the settlement that they belong to: a partial upload of fee facets without header, not yet
//! a claim. A line with a negative count takes back the line that it names.

use super::documents::Drafts;
use super::row::{Count, Row};
use super::{DecodedUpload, Message, Outcome, joined};
use crate::domain::document::{Group, Kind, Parts};
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::Line;

/// Stands for all lines, or all batches, in a cancellation.
const ALL: &str = "0000";

const FEE_NODES: [&str; 4] = ["feedetail", "feedetailDetail", "feedetl", "data"];
const CANCEL_NODES: [&str; 2] = ["data", "feedetail"];

/// Fee lines.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    let rows = message.rows(&FEE_NODES)?;
    let mut drafts = Drafts::default();
    let mut reversals = Vec::new();
    for row in &rows {
        match row.count(&["cnt"]) {
            Ok(Some(count)) if count.negative => reversals.push(
                document_id(message.number, row)
                    .and_then(|document| negative_line(message, document, row, Parts::FEE)),
            ),
            Ok(count) => drafts.add(fee_line(message, row, count), false),
            Err(reject) => drafts.add(Err(reject), false),
        }
    }
    let mut documents = drafts.finish(message);
    documents.extend(reversals);
    Ok(Outcome::Documents(documents))
}

fn fee_line(
    message: &Message<'_>,
    row: &Row<'_>,
    count: Option<Count>,
) -> Result<(pb::Upload, Vec<String>), Reject> {
    let visit_id = row.required(&["mdtrt_id"])?;
    let mut aliases = message.alias_of_request();
    if message.number == 2204 {
        aliases.push(joined(&["visit", &visit_id]));
    }
    let line = Line {
        line_id: row.required(&["feedetl_sn"])?,
        quantity: count.map(|count| count.quantity).unwrap_or_default(),
        ..product(row)?
    };
    let upload = pb::Upload {
        document_id: document_id(message.number, row)?,
        kind: Kind::Settlement.name().to_owned(),
        partial: Some(true),
        lines: vec![line],
        ..pb::Upload::default()
    };
    Ok((upload, aliases))
}

/// What a fee line says of its product and its money.
pub(super) fn product(row: &Row<'_>) -> Result<Line, Reject> {
    Ok(Line {
        product_code: row.text_or_empty(&["med_list_codg", "med_list_cod"])?,
        product_name: row.text_or_empty(&["medins_list_name", "prodname", "hilist_name"])?,
        split: row.flag(&["trdn_flag"])?,
        amount: row.yuan(&["det_item_fee_sumamt"])?,
        ..Line::default()
    })
}

/// The document of a fee line: the batch of a visit (2204), the stay (2301).
fn document_id(number: u16, row: &Row<'_>) -> Result<String, Reject> {
    let visit_id = row.required(&["mdtrt_id"])?;
    if number == 2301 {
        return Ok(joined(&[&visit_id]));
    }
    Ok(joined(&[&visit_id, &row.required(&["chrg_bchno"])?]))
}

/// A line of negative count: takes back parts of the line that it names, else of its own number.
pub(super) fn negative_line(
    message: &Message<'_>,
    document_id: String,
    row: &Row<'_>,
    parts: Parts,
) -> Result<DecodedUpload, Reject> {
    let line_id = row.required(&["init_feedetl_sn", "feedetl_sn"])?;
    message.reversal(Group::Settlement, document_id, Some(line_id), parts)
}

/// Cancellations of fee lines.
pub(super) fn cancellations(message: &Message<'_>) -> Result<Outcome, Reject> {
    let rows = message.rows(&CANCEL_NODES)?;
    let cancel = |row: &Row<'_>| {
        let (target, line_id) = cancelled(message.number, row)?;
        match target {
            Target::Document(id) => message.reversal(Group::Settlement, id, line_id, Parts::FEE),
            Target::Alias(alias) => message.reversal_of_alias(Group::Settlement, alias, line_id, Parts::FEE),
        }
    };
    Ok(Outcome::Documents(rows.iter().map(cancel).collect()))
}

/// What a row names.
enum Target {
    /// One document.
    Document(String),
    /// All documents of a visit.
    Alias(String),
}

/// The document, or alias, and the line that a row cancels.
fn cancelled(number: u16, row: &Row<'_>) -> Result<(Target, Option<String>), Reject> {
    let visit_id = row.required(&["mdtrt_id"])?;
    let line_id = row.text(&["feedetl_sn"])?;
    let named_line = line_id.clone().filter(|line| line != ALL);
    if number == 2302 {
        if line_id.is_none() {
            return Err(Reject::missing(row.path(&["feedetl_sn"])));
        }
        return Ok((Target::Document(joined(&[&visit_id])), named_line));
    }
    let batch = row.text(&["chrg_bchno"])?;
    match batch.filter(|batch| batch != ALL) {
        Some(batch) => Ok((Target::Document(joined(&[&visit_id, &batch])), named_line)),
        None if row.value(&["chrg_bchno"]).is_none() && line_id.is_none() => {
            Err(Reject::missing(row.path(&["chrg_bchno"])))
        }
        None => Ok((Target::Alias(joined(&["visit", &visit_id])), named_line)),
    }
}
