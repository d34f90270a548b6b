//! 2207 and 2304 settle a visit or a stay, 2102 a purchase in a pharmacy.
//!
//! A settlement states the header of the claim and, with `drug_trac_info`, the codes of the fee lines uploaded
//! before: a partial upload that leaves the fee facets alone. The request has no `setl_id`; it comes with the
//! response, where the stream has it, and so do the moment of the settlement and what the fund pays. An interim
//! 2304 settles the same document again. A 2102 brings everything at once: a full upload.

use std::collections::BTreeMap;

use super::fees::product;
use super::row::Row;
use super::{Message, Outcome, codes, joined};
use crate::domain::document::Kind;
use crate::wire::pb;
use crate::wire::pb::upload::Line;
use crate::wire::pb::upload::line::TraceCode;
use crate::wire::reject::Reject;

/// A credential that is the number of the identity card.
const CERTIFICATE_CREDENTIAL: &str = "02";

const TRACE_NODE: [&str; 1] = ["drug_trac_info"];

/// 2207 and 2304.
pub(super) fn of_visit(message: &Message<'_>) -> Result<Outcome, Reject> {
    let data = message.envelope.row(&["data"])?;
    let visit_id = data.required(&["mdtrt_id"])?;
    let document_id = if message.number == 2304 {
        joined(&[&visit_id])
    } else {
        joined(&[&visit_id, &data.required(&["chrg_bchno"])?])
    };
    let mut codes = codes_by_line(message)?;
    if let Some(inside) = data.value(&TRACE_NODE) {
        gather(&data.path(&TRACE_NODE), inside, &mut codes)?;
    }
    let line =
        |(line_id, trace_codes)| Line { line_id, trace_codes, trace_codes_present: true, ..Line::default() };
    let lines = codes.into_iter().map(line).collect();
    let raw = pb::Upload { document_id, partial: Some(true), visit_id, lines, ..header(message, &data)? };
    Ok(Outcome::Documents(vec![message.document(raw, &aliases(message)?)]))
}

/// 2102.
pub(super) fn of_pharmacy(message: &Message<'_>) -> Result<Outcome, Reject> {
    let info = message.envelope.row(&["druginfo"])?;
    let document_id = message.msgid.clone().ok_or_else(|| Reject::missing("msgid"))?;
    let mut codes = codes_by_line(message)?;
    let mut lines = Vec::new();
    for row in message.rows(&["drugdetail", "drugdetailDetail"])? {
        let line_id = row.required(&["feedetl_sn"])?;
        let mut trace_codes = codes::of_row(&row)?;
        trace_codes.extend(codes.remove(&line_id).unwrap_or_default());
        lines.push(Line { line_id, quantity: row.quantity(&["cnt"])?, trace_codes, ..product(&row)? });
    }
    if !codes.is_empty() {
        return Err(Reject::malformed("input.drug_trac_info", "codes of fee lines that are in drugdetail"));
    }
    let raw = pb::Upload { document_id, lines, ..header(message, &info)? };
    Ok(Outcome::Documents(vec![message.document(raw, &aliases(message)?)]))
}

/// The header of a claim: from the request, and from the response where there is one.
fn header(message: &Message<'_>, request: &Row<'_>) -> Result<pb::Upload, Reject> {
    let response = message.envelope.settlement();
    let of_response = |names: &[&str]| match &response {
        Some(response) => response.text(names),
        None => Ok(None),
    };
    let person_id = request.text(&["psn_no"])?.or(of_response(&["psn_no"])?);
    let person_cert = request.text(&["certno"])?.or(of_response(&["certno"])?).or(credential(request)?);
    let occurred_at = match &response {
        Some(response) => response.moment(&["setl_time"])?,
        None => None,
    };
    let fund_amount = match &response {
        Some(response) => response.yuan(&["fund_pay_sumamt"])?,
        None => String::new(),
    };
    Ok(pb::Upload {
        kind: Kind::Settlement.name().to_owned(),
        occurred_at: occurred_at.unwrap_or(message.issued_at).to_string(),
        person_id: person_id.unwrap_or_default(),
        person_cert: person_cert.unwrap_or_default(),
        visit_id: request.text(&["mdtrt_id"])?.or(of_response(&["mdtrt_id"])?).unwrap_or_default(),
        settlement_id: of_response(&["setl_id"])?.unwrap_or_default(),
        operator_id: message.operator_id.clone(),
        fund_amount,
        ..pb::Upload::default()
    })
}

/// The certificate number, when that is the credential presented.
fn credential(request: &Row<'_>) -> Result<Option<String>, Reject> {
    let kind = request.text(&["mdtrt_cert_type"])?;
    if kind.as_deref() == Some(CERTIFICATE_CREDENTIAL) { request.text(&["mdtrt_cert_no"]) } else { Ok(None) }
}

/// The settlement id, where the response is there, and the request's msgid.
fn aliases(message: &Message<'_>) -> Result<Vec<String>, Reject> {
    let mut aliases = message.alias_of_request();
    if let Some(response) = message.envelope.settlement()
        && let Some(settlement_id) = response.text(&["setl_id"])?
    {
        aliases.push(joined(&["setl", &settlement_id]));
    }
    Ok(aliases)
}

/// The codes of `input.drug_trac_info`, by fee line.
fn codes_by_line(message: &Message<'_>) -> Result<BTreeMap<String, Vec<TraceCode>>, Reject> {
    let mut codes = BTreeMap::new();
    if let Some(input) = message.envelope.input()
        && let Some(node) = input.value(&TRACE_NODE)
    {
        gather(&input.path(&TRACE_NODE), node, &mut codes)?;
    }
    Ok(codes)
}

fn gather(
    place: &str,
    node: &serde_json::Value,
    codes: &mut BTreeMap<String, Vec<TraceCode>>,
) -> Result<(), Reject> {
    for row in super::envelope::objects(place, node, &[])? {
        let line_id = row.required(&["feedetl_sn"])?;
        codes.entry(line_id).or_default().extend(codes::of_row(&row)?);
    }
    Ok(())
}
