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

use std::collections::BTreeMap;

use super::fees::fee;
use super::nodes::{self, Shape};
use super::row::Row;
use super::{Message, Outcome, codes, joined};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::Circumstances;
use crate::domain::document::{FeeFacet, Header, Kind};
use crate::wire::inbound::draft::{DECLARED_CODES_MAX, Draft, LineDraft, PersonAsSent, VersionDraft};
use crate::wire::inbound::json::Json;
use crate::wire::inbound::reject::{Reject, Words};

/// The request of a settlement.
const VISIT: Shape = Shape { nodes: &["data"], fields: &["mdtrt_id", "chrg_bchno", "psn_no", "setl_id"] };
const PURCHASE: Shape = Shape {
    nodes: &["druginfo"],
    fields: &["psn_no", "mdtrt_cert_type", "mdtrt_cert_no", "begntime", "med_type"],
};
const PURCHASE_LINES: Shape = Shape {
    nodes: &["drugdetail", "drugdetailDetail"],
    fields: &["feedetl_sn", "med_list_codg", "cnt", "det_item_fee_sumamt"],
};
/// Codes by fee line.
const TRACE: Shape = Shape { nodes: &[], fields: &["feedetl_sn", "drug_trac_codg", "drug_trac_code"] };

const OF_THESE_LINES: Words =
    Words::new("drugdetail 中费用明细的追溯码", "codes of fee lines that are in drugdetail");

/// A credential that is the number of the identity card.
const CERTIFICATE_CREDENTIAL: &str = "2";

const TRACE_NODE: [&str; 1] = ["drug_trac_info"];

/// What a settlement says of the codes of one fee line.
#[derive(Default)]
struct LineCodes {
    codes: Vec<String>,
    split: bool,
}

/// 2207 and 2304.
pub(super) fn of_visit(message: &Message<'_>) -> Result<Outcome, Reject> {
    let data = message.envelope.row(VISIT)?;
    let visit_id = data.required_id(&["mdtrt_id"])?;
    let document_id = if message.number == 2304 {
        joined(&[&visit_id])
    } else {
        joined(&[&visit_id, &data.required_number(&["chrg_bchno"])?])
    };
    let mut codes = codes_by_line(message)?;
    gather(&data, &mut codes)?;
    let line = |(line_id, line): (String, LineCodes)| LineDraft {
        line_id: line_id.into(),
        fee: None,
        codes: Some(codes::facet(line.codes, line.split)),
    };
    let (header, person) = header(message, &data)?;
    let version = VersionDraft {
        full: false,
        header: Some(Header { visit_id: Some(visit_id.into()), ..header }),
        person,
        lines: codes.into_iter().map(line).collect(),
        aliases: aliases(message)?,
        ..message.version(Kind::Settlement, document_id)
    };
    Ok(Outcome::Documents(vec![Ok(Draft::Version(Box::new(version)))]))
}

/// 2102.
pub(super) fn of_pharmacy(message: &Message<'_>) -> Result<Outcome, Reject> {
    let info = message.envelope.row(PURCHASE)?;
    let document_id = message.msgid.clone().ok_or_else(|| Reject::missing("msgid"))?;
    let mut codes = codes_by_line(message)?;
    let mut lines = Vec::new();
    for row in message.envelope.rows(PURCHASE_LINES)? {
        let line_id = row.required_number(&["feedetl_sn"])?;
        let beside = codes.remove(&line_id).unwrap_or_default();
        let mut codes = codes::of_row(&row)?;
        codes.extend(beside.codes);
        let said = fee(&row)?;
        let fee = FeeFacet { split: said.split || beside.split, ..said };
        let codes = Some(codes::facet(codes, false));
        lines.push(LineDraft { line_id: line_id.into(), fee: Some(fee), codes });
    }
    if !codes.is_empty() {
        return Err(Reject::malformed("input.drug_trac_info", OF_THESE_LINES));
    }
    let (header, person) = header(message, &info)?;
    let version = VersionDraft {
        header: Some(header),
        person,
        lines,
        aliases: aliases(message)?,
        ..message.version(Kind::Settlement, document_id)
    };
    Ok(Outcome::Documents(vec![Ok(Draft::Version(Box::new(version)))]))
}

/// The header of a claim and its person: from the request, and from the response where there is one.
fn header(message: &Message<'_>, request: &Row<'_>) -> Result<(Header, PersonAsSent), Reject> {
    let response = message.envelope.settlement();
    let of_response = |names: &[&'static str]| response.as_ref().and_then(|response| response.person(names));
    let number = request.person(&["psn_no"]).or_else(|| of_response(&["psn_no"]));
    let certificate = request.person(&["certno"]).or_else(|| of_response(&["certno"]));
    let (settled_at, settlement_id, fund_amount) = match &response {
        Some(response) => (
            response.moment(&["setl_time"])?,
            response.id(&["setl_id"])?,
            response.optional_yuan(&["fund_pay_sumamt"]),
        ),
        None => (None, None, None),
    };
    let visit_id = match (request.id(&["mdtrt_id"])?, &response) {
        (None, Some(response)) => response.id(&["mdtrt_id"])?,
        (visit_id, _) => visit_id,
    };
    let occurred_at = settled_at.unwrap_or(OccurredAt::Moment(message.issued_at));
    let header = message.header(Kind::Settlement, occurred_at);
    let med_type = request.optional_id(&["med_type"]);
    let circumstances = Circumstances {
        credential_type: request.optional_id(&["mdtrt_cert_type"]),
        medical_type: Some(message.checks.medical_types.of(message.number, med_type.as_deref())),
        account_amount: response.as_ref().and_then(|response| response.optional_yuan(&["acct_pay"])),
        declared_codes: request.optional_whole(&["minpacunt_drug_trac_cnt"], DECLARED_CODES_MAX),
        declared_consumable_codes: request.optional_whole(&["mcs_trac_cnt"], DECLARED_CODES_MAX),
        ..header.circumstances
    };
    let header = Header {
        visit_id: visit_id.map(Into::into),
        settlement_id: settlement_id.map(Into::into),
        fund_amount,
        circumstances,
        ..header
    };
    let person = PersonAsSent {
        number: number.unwrap_or_default(),
        certificate: certificate.or_else(|| credential(request)).unwrap_or_default(),
    };
    Ok((header, person))
}

/// The certificate number, when that is the credential presented.
fn credential(request: &Row<'_>) -> Option<String> {
    let kind = request.optional_id(&["mdtrt_cert_type"])?;
    let is_certificate = kind.trim_start_matches('0') == CERTIFICATE_CREDENTIAL;
    if is_certificate { request.person(&["mdtrt_cert_no"]) } else { None }
}

/// The settlement id, where the response is there, and the request's msgid.
fn aliases(message: &Message<'_>) -> Result<Vec<String>, Reject> {
    let mut aliases = message.alias_of_request();
    if let Some(response) = message.envelope.settlement()
        && let Some(settlement_id) = response.id(&["setl_id"])?
    {
        aliases.push(joined(&["setl", &settlement_id]));
    }
    Ok(aliases)
}

/// The codes of `input.drug_trac_info`, by fee line.
fn codes_by_line(message: &Message<'_>) -> Result<BTreeMap<String, LineCodes>, Reject> {
    let mut codes = BTreeMap::new();
    if let Some(input) = message.envelope.input() {
        gather(&input, &mut codes)?;
    }
    Ok(codes)
}

/// Adds the codes of an object's node of codes.
fn gather(row: &Row<'_>, codes: &mut BTreeMap<String, LineCodes>) -> Result<(), Reject> {
    for (place, node) in nodes::distinct(row.nodes(&TRACE_NODE), row.reading().notes) {
        if !matches!(node, Json::List(_) | Json::Object(_)) {
            return Err(Reject::malformed(place, OF_THESE_LINES));
        }
        let mut rows = Vec::new();
        nodes::rows(&place, node, TRACE, row.reading(), &mut rows)?;
        for row in rows {
            let line = codes.entry(row.required_number(&["feedetl_sn"])?).or_default();
            line.codes.extend(codes::of_row(&row)?);
            line.split |= row.flag(&["trdn_flag"])? == Some(true);
        }
    }
    Ok(())
}
