//! 3505 sale, 3506 return of a sale.
//!
//! Like stock rows, told apart also by receipt and visit. A return does not say which document it gives back: the
//! original's number is the sender's own and not the one used here. A sale of a negative count is a return.

use super::documents::{Identity, StockRow, of_rows};
use super::fees::prescription;
use super::row::Row;
use super::{Message, Outcome, joined};
use crate::domain::document::particulars::Prescription;
use crate::domain::document::{Header, Kind};
use crate::wire::inbound::draft::{PersonAsSent, VersionDraft};
use crate::wire::inbound::notes::Leniency;
use crate::wire::inbound::reject::Reject;

/// The type of stock data of sales and their returns.
pub(super) const SALES_DATA_TYPE: &str = "4";

/// Certificates of those who prescribe and dispense.
const STAFF_CERTIFICATES: [[&str; 1]; 3] = [["phar_certno"], ["prsc_dr_certno"], ["phar_prac_cert_no"]];

/// One document per row.
pub(super) fn documents(message: &Message<'_>) -> Result<Outcome, Reject> {
    of_rows(message, |row| document(message, row))
}

fn document(message: &Message<'_>, stock: &StockRow<'_>) -> Result<VersionDraft, Reject> {
    let row = &stock.row;
    let occurred_at = row.required_moment(&["sel_retn_time"])?;
    let count = row.count(&["sel_retn_cnt"])?;
    let is_return = message.number == 3506 || count.is_some_and(|count| count.is_negative);
    if is_return && message.number == 3505 {
        row.reading().notes.lenient(Leniency::NegativeCount);
    }
    let (kind, transaction) =
        if is_return { (Kind::DispenseReturn, "3506") } else { (Kind::Dispense, "3505") };
    let quantity = count.map(|count| count.size).filter(|size| size.thousandths() > 0);
    let mut line = stock.line(quantity, stock.codes.clone())?;
    if let Some(fee) = &mut line.fee {
        fee.prescription = Prescription {
            prescriber_id: row.optional_id(&["prsc_dr_certno"]),
            pharmacist_id: row.optional_id(&["phar_certno"]),
            ..prescription(row)
        };
    }
    let person = person(row);
    let receipt = row.optional_id(&["rtal_docno"]);
    let header = Header {
        visit_id: row.optional_id(&["mdtrt_sn"]),
        settlement_id: row.optional_id(&["setl_id"]),
        ..message.header(kind, occurred_at)
    };
    let identity = Identity {
        data_type: SALES_DATA_TYPE,
        batch: &stock.batch,
        transaction,
        hilist: &stock.hilist,
        occurred_at,
        more: &[
            line.fee.as_ref().and_then(|fee| fee.lot.as_deref()).unwrap_or_default(),
            receipt.as_deref().unwrap_or_default(),
            header.visit_id.as_deref().unwrap_or_default(),
        ],
    };
    let document_id = identity.document_id(&stock.codes, &person, message.checks.pseudonymiser);
    Ok(VersionDraft {
        header: Some(header),
        person,
        lines: vec![line],
        aliases: vec![joined(&[SALES_DATA_TYPE, &stock.batch])],
        ..message.version(kind, document_id)
    })
}

/// The customer. A certificate that the row gives to its pharmacist or prescriber too is theirs.
fn person(row: &Row<'_>) -> PersonAsSent {
    let certificate = row.person(&["certno"]).filter(|certificate| {
        let is_theirs = |names: &[&'static str; 1]| {
            row.text(names).ok().flatten().is_some_and(|theirs| theirs.eq_ignore_ascii_case(certificate))
        };
        let is_staff = STAFF_CERTIFICATES.iter().any(is_theirs);
        if is_staff {
            row.reading().notes.lenient(Leniency::StaffCertificate);
        }
        !is_staff
    });
    PersonAsSent {
        number: row.person(&["psn_no"]).unwrap_or_default(),
        certificate: certificate.unwrap_or_default(),
    }
}
