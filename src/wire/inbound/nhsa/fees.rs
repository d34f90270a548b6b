//! 2204 and 2301 fee lines of a visit or a stay, 2205 and 2302 their cancellation.
//!
//! Fee lines come before the settlement that they belong to: a partial upload of fee facets without header, not yet
//! a claim. A line with a negative count says how much less was sold: an adjustment of the line that it names, else of
//! lines of the same product.

use super::documents::Drafts;
use super::nodes::Shape;
use super::row::Row;
use super::{Message, Outcome, joined};
use crate::domain::Text;
use crate::domain::document::particulars::Prescription;
use crate::domain::document::{Adjusts, FeeFacet, Group, Kind, Parts};
use crate::wire::inbound::draft::{LineDraft, VersionDraft};
use crate::wire::inbound::notes::Leniency;
use crate::wire::inbound::reject::Reject;

/// Stands for all lines, or all batches, in a cancellation.
const ALL: &str = "0000";

const FEES: Shape = Shape {
    nodes: &["feedetail", "feedetailDetail", "feedetl"],
    fields: &["feedetl_sn", "mdtrt_id", "chrg_bchno", "med_list_codg", "cnt", "det_item_fee_sumamt"],
};
const CANCELLATIONS: Shape =
    Shape { nodes: &["data", "feedetail"], fields: &["mdtrt_id", "chrg_bchno", "feedetl_sn", "psn_no"] };

/// Fee lines.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    let mut drafts = Drafts::default();
    message.envelope.rows(FEES)?.iter().for_each(|row| drafts.add(fee_line(message, row)));
    Ok(Outcome::Documents(drafts.finish()))
}

fn fee_line(message: &Message<'_>, row: &Row<'_>) -> Result<VersionDraft, Reject> {
    let visit_id = row.required_id(&["mdtrt_id"])?;
    let mut aliases = message.alias_of_request();
    if message.number == 2204 {
        aliases.push(joined(&["visit", &visit_id]));
    }
    let line_id = row.required_number(&["feedetl_sn"])?.into();
    let lines = vec![LineDraft { line_id, fee: Some(fee(row)?), codes: None }];
    let document_id = document_id(message.number, row)?;
    Ok(VersionDraft { full: false, lines, aliases, ..message.version(Kind::Settlement, document_id) })
}

/// What a fee line says of its product, its quantity and its money.
pub(super) fn fee(row: &Row<'_>) -> Result<FeeFacet, Reject> {
    // Nothing here goes by the moment of the fee, but a line whose moment is nonsense is not to be trusted.
    row.moment(&["fee_ocur_time"])?;
    let count = row.count(&["cnt"])?;
    let adjusts = match count {
        Some(count) if count.is_negative => {
            row.reading().notes.lenient(Leniency::NegativeCount);
            let original = row.id(&["init_feedetl_sn"])?;
            Some(original.map_or(Adjusts::SameProduct, |original| Adjusts::Line(original.into())))
        }
        _ => None,
    };
    let is_adjustment = adjusts.is_some();
    let amount = row.yuan(&["det_item_fee_sumamt"])?;
    if let Some((true, _)) = amount
        && !is_adjustment
    {
        return Err(Reject::malformed(
            row.path(&["det_item_fee_sumamt"]),
            crate::wire::inbound::decimal::MONEY_FORM,
        ));
    }
    Ok(FeeFacet {
        product_code: row.id(&["med_list_codg", "med_list_cod"])?.map(Text::from),
        product_name: row.optional_name(&["medins_list_name", "prodname", "hilist_name"]),
        quantity: count.map(|count| count.size).filter(|size| size.thousandths() > 0),
        split: row.flag(&["trdn_flag"])?.unwrap_or(false),
        amount: amount.map(|(_, amount)| amount),
        adjusts,
        prescription: Prescription {
            prescriber_id: row.optional_id(&["bilg_dr_codg"]),
            department_id: row.optional_id(&["bilg_dept_codg"]),
            ..prescription(row)
        },
        ..FeeFacet::default()
    })
}

/// What rows of every kind say of their prescription.
pub(super) fn prescription(row: &Row<'_>) -> Prescription {
    Prescription {
        rx_id: row.optional_id(&["rxno"]),
        rx_external: row.optional_flag(&["rx_circ_flag"]).unwrap_or(false),
        days_supply: row.optional_quantity(&["prd_days"]),
        ..Prescription::default()
    }
}

/// The document of a fee line: the batch of a visit (2204), the stay (2301).
fn document_id(number: u16, row: &Row<'_>) -> Result<String, Reject> {
    let visit_id = row.required_id(&["mdtrt_id"])?;
    if number == 2301 {
        return Ok(joined(&[&visit_id]));
    }
    Ok(joined(&[&visit_id, &row.required_number(&["chrg_bchno"])?]))
}

/// Cancellations of fee lines.
pub(super) fn cancellations(message: &Message<'_>) -> Result<Outcome, Reject> {
    let rows = message.envelope.rows(CANCELLATIONS)?;
    let cancel = |row: &Row<'_>| {
        let (target, line_id) = cancelled(message.number, row)?;
        Ok(match target {
            Target::Document(id) => message.reversal(Group::Settlement, id, line_id, Parts::FEE),
            Target::Alias(alias) => message.reversal_of_alias(Group::Settlement, alias, line_id, Parts::FEE),
        })
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
fn cancelled(number: u16, row: &Row<'_>) -> Result<(Target, Option<Text>), Reject> {
    let visit_id = row.required_id(&["mdtrt_id"])?;
    let line_id = row.row_number(&["feedetl_sn"])?;
    let named_line = line_id.as_deref().filter(|line| *line != ALL).map(Text::from);
    if number == 2302 {
        if line_id.is_none() {
            return Err(Reject::missing(row.path(&["feedetl_sn"])));
        }
        return Ok((Target::Document(joined(&[&visit_id])), named_line));
    }
    match row.row_number(&["chrg_bchno"])? {
        Some(batch) if batch != ALL => Ok((Target::Document(joined(&[&visit_id, &batch])), named_line)),
        None if line_id.is_none() => Err(Reject::missing(row.path(&["chrg_bchno"]))),
        Some(_) | None => Ok((Target::Alias(joined(&["visit", &visit_id])), named_line)),
    }
}
