//! 2207 and 2304 settle a visit or a stay, 2102 a purchase in a pharmacy.
//!
//! A settlement states the header of the claim and, with `drug_trac_info`, the codes of the fee lines uploaded
//! before: a partial upload that leaves the fee facets alone. The request has no `setl_id`; it comes with the
//! response, where the stream has it, and so do the moment of the settlement and what the fund pays. An interim
//! 2304 settles the same document again. A 2102 brings everything at once: a full upload; a line of negative count in it
//! takes back the line that it names, codes and all.
//!
//! `trdn_flag` beside a code says that it was taken out of an opened pack. The fee line that could say so is another
//! message's part, which a settlement must leave alone (a part counts as a whole, so stating the flag there would wipe
//! product and quantity); so the flag goes with the codes, and the line is split when either part says so. Without it,
//! the second patient of a pack would be refused as a duplicate. One such code makes its whole line split.

use std::collections::{BTreeMap, BTreeSet};

use super::fees::{negative_line, product};
use super::row::Row;
use super::{DecodedUpload, Message, Outcome, codes, joined};
use crate::domain::document::{Kind, Parts, Upload};
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::Line;
use crate::wire::pb::upload::line::TraceCode;

/// A credential that is the number of the identity card.
const CERTIFICATE_CREDENTIAL: &str = "02";

const TRACE_NODE: [&str; 1] = ["drug_trac_info"];

/// What a settlement says of the codes of one fee line.
#[derive(Default)]
struct LineCodes {
    codes: Vec<TraceCode>,
    split: bool,
}

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
    let split: BTreeSet<String> =
        codes.iter().filter(|(_, line)| line.split).map(|(line_id, _)| line_id.clone()).collect();
    let line = |(line_id, line): (String, LineCodes)| Line {
        line_id,
        trace_codes: line.codes,
        trace_codes_present: true,
        ..Line::default()
    };
    let lines = codes.into_iter().map(line).collect();
    let raw = pb::Upload { document_id, partial: Some(true), visit_id, lines, ..header(message, &data)? };
    let document = message.document(raw, &aliases(message)?);
    Ok(Outcome::Documents(vec![document.map(|document| with_split_codes(document, &split))]))
}

/// The upload with 拆零 said beside the codes of these lines.
fn with_split_codes(mut decoded: DecodedUpload, split: &BTreeSet<String>) -> DecodedUpload {
    if let Upload::Version(version) = &mut decoded.upload {
        for line in version.lines.iter_mut().filter(|line| split.contains(&*line.line_id)) {
            if let Some(codes) = &mut line.codes {
                codes.content.split = true;
            }
        }
    }
    decoded
}

/// 2102.
pub(super) fn of_pharmacy(message: &Message<'_>) -> Result<Outcome, Reject> {
    let info = message.envelope.row(&["druginfo"])?;
    let document_id = message.msgid.clone().ok_or_else(|| Reject::missing("msgid"))?;
    let mut codes = codes_by_line(message)?;
    let mut lines = Vec::new();
    let mut taken_back = Vec::new();
    for row in message.rows(&["drugdetail", "drugdetailDetail"])? {
        let line_id = row.required(&["feedetl_sn"])?;
        let beside = codes.remove(&line_id).unwrap_or_default();
        if row.count(&["cnt"])?.is_some_and(|count| count.negative) {
            taken_back.push(negative_line(message, document_id.clone(), &row, Parts::ALL));
            continue;
        }
        let mut trace_codes = codes::of_row(&row)?;
        trace_codes.extend(beside.codes);
        let said = product(&row)?;
        let split = if beside.split { Some(true) } else { said.split };
        lines.push(Line { line_id, quantity: row.quantity(&["cnt"])?, split, trace_codes, ..said });
    }
    if !codes.is_empty() {
        return Err(Reject::malformed("input.drug_trac_info", "codes of fee lines that are in drugdetail"));
    }
    let raw = pb::Upload { document_id, lines, ..header(message, &info)? };
    let mut documents = vec![message.document(raw, &aliases(message)?)];
    documents.extend(taken_back);
    Ok(Outcome::Documents(documents))
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
fn codes_by_line(message: &Message<'_>) -> Result<BTreeMap<String, LineCodes>, Reject> {
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
    codes: &mut BTreeMap<String, LineCodes>,
) -> Result<(), Reject> {
    for row in super::envelope::objects(place, node, &[])? {
        let line_id = row.required(&["feedetl_sn"])?;
        let line = codes.entry(line_id).or_default();
        line.codes.extend(codes::of_row(&row)?);
        line.split |= row.flag(&["trdn_flag"])? == Some(true);
    }
    Ok(())
}
