//! Uploads, and what is kept of documents.

use std::sync::Arc;

use super::{Form, Reader, WireError, Writer, alternatives, may_be_blank, sequences, structures};
use crate::domain::document::lending::{Offer, OfferedLine, Offers, Windows};
use crate::domain::document::merge::{Document, LineParts, ReversalStamp, Reversed, Stamped};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::{Circumstances, Prescription, Service};
use crate::domain::document::{
    Adjusts, CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, LineVersion, Origin, Part,
    Parts, Person, Pseudonym, ReturnedSale, Reversal, Role, ScannedCode, Upload, Version,
};
use crate::domain::register::lending::{Lending, Loan};
use crate::domain::register::{DocumentState, PublishedClaim};
use crate::domain::trace_code::{Family, InvalidReason, Scan, TraceCode};

alternatives! {
    Group { 1 Procurement, 2 Dispensing, 3 Settlement }
    Kind {
        1 PurchaseIn, 2 TransferIn, 3 GiftIn, 4 GainIn, 5 OtherIn, 6 PurchaseReturn, 7 TransferOut, 8 GiftReturn,
        9 LossOut, 10 Destroyed, 11 OtherOut, 12 Stocktake, 13 Dispense, 14 DispenseReturn, 15 Settlement,
    }
    Role { 1 StockIn, 2 Dispensing, 3 Settlement, 4 Return, 5 StockOut }
    Service { 1 InPerson, 2 Online }
    Family { 1 Drug20, 2 Gs1, 3 Ma, 4 Hibc, 5 Maker }
    InvalidReason {
        1 CheckDigit, 2 Barcode69, 3 Doubled, 4 Truncated, 5 Overlong, 6 Unrecognised, 7 Placeholder,
        8 LogisticsLabel, 9 PartOfSet, 10 Rounded, 11 NotATraceCode,
    }
    OccurredAt { 1 Moment { 0: moment }, 2 Day { 0: day } }
    Adjusts { 1 Line { 0: line_id }, 2 SameProduct }
    Scan { 1 Valid { 0: code }, 2 Invalid { text: text, reason: reason } }
    Upload { 1 Version { 0: version }, 2 Reversal { 0: reversal }, 3 Handling { 0: handling } }
}

structures! {
    DocumentKey { 0 institution_id, 1 group, 2 document_id }
    Person [may be blank] { 0 number, 1 certificate }
    Origin { 0 topic, 1 partition, 2 offset, 3 received_at }
    ReturnedSale { 0 document_id, 1 line_id }
    Counterparty [may be blank] { 0 name, 1 license, 2 delivery_note, 3 invoice }
    Header {
        0 kind, 1 occurred_at, 2 person, 3 visit_id, 4 settlement_id, 5 operator_id, 6 fund_amount, 7 counterparty,
        8 returns, 9 circumstances,
    }
    Circumstances [may be blank] {
        0 credential_type, 1 device_id, 2 operator_kind, 3 insured_region, 4 medical_type, 5 account_amount,
        6 service, 7 declared_codes, 8 declared_consumable_codes,
    }
    FeeFacet {
        0 product_code, 1 product_name, 2 quantity, 3 split, 4 amount, 5 fund_amount, 6 lot, 7 expires_on,
        8 adjusts, 9 prescription,
    }
    Prescription [may be blank] {
        0 rx_id, 1 rx_external, 2 prescriber_id, 3 pharmacist_id, 4 department_id, 5 days_supply,
    }
    CodesFacet { 0 scans, 1 split }
    ScannedCode { 0 scan, 1 units }
    TraceCode { 0 normal, 1 family, 2 prefix, 3 is_unit }
    LineVersion { 0 line_id, 1 fee, 2 codes }
    Version { 0 key, 1 issued_at, 2 full, 3 header, 4 lines, 5 origin }
    Parts { 0 header, 1 fee, 2 codes }
    Reversal { 0 target, 1 of_alias, 2 line_id, 3 parts, 4 issued_at, 5 origin }
    Offer { 0 lender, 1 revision, 2 time, 3 settlement_id, 4 visit_id, 5 lines, 6 origin }
    OfferedLine { 0 line_id, 1 product_code, 2 split, 3 codes }
    Loan { 0 offers, 1 is_overfull }
    Windows { 0 by_settlement, 1 by_visit }
    Lending [may be blank] { 0 offers, 1 waiting, 2 borrowers, 3 windows }
    Document { 0 full, 1 header, 2 lines, 3 reversed, 4 reversed_lines, 5 earlier_headers }
    LineParts { 0 fee, 1 codes }
    ReversalStamp { 0 issued_at, 1 origin }
    Reversed [may be blank] { 0 header, 1 fee, 2 codes }
    PublishedClaim { 0 occurred_at, 1 told_at, 2 reasons }
    DocumentState {
        0 parts, 1 revision, 2 alerts, 3 asserted, 4 claim, 5 lending, 6 untold, 7 due, 8 handling, 9 is_awaited,
        10 judged_by,
    }
}

sequences! {
    Part { 0 content, 1 reference }
    Stamped { 0 issued_at, 1 part, 2 origin }
}

impl Form for Pseudonym {
    fn write(&self, to: &mut Writer) {
        let Self { key_id, digest } = self;
        key_id.write(to);
        to.raw(digest);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let key_id = u32::read(from)?;
        let digest = from.raw(size_of::<[u8; 16]>())?;
        let digest = digest.try_into().map_err(|_| WireError::Field { field: "pseudonym.digest" })?;
        Ok(Self { key_id, digest })
    }
}

/// Who lends is said by the offer.
impl Form for Offers {
    may_be_blank!(when empty);

    fn write(&self, to: &mut Writer) {
        to.count(self.iter().count());
        self.iter().for_each(|offer| offer.write(to));
        self.overfull.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut offers: Self = Vec::<Arc<Offer>>::read(from)?.into_iter().map(Arc::unwrap_or_clone).collect();
        offers.overfull = Form::read(from)?;
        Ok(offers)
    }
}
