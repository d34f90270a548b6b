//! Uploads and the parts they are made of.

use super::{
    Numbered, TableReader, TableWriter, Wire, WireError, day, moment, money, paired_enums, quantity, read,
    read_all, read_optional, required, write_all,
};
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::lending::{Offer, OfferedLine};
use crate::domain::document::merge::Stamped;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::{Circumstances, Prescription, Service};
use crate::domain::document::{
    Adjusts, CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, LineVersion, Origin, Part,
    Parts, Person, Pseudonym, ReturnedSale, Reversal, Role, ScannedCode, Version,
};
use crate::domain::time::Day;
use crate::domain::trace_code::{Family, InvalidReason, Scan, TraceCode};
use crate::wire::pb_internal as pb;

paired_enums! {
    Group, pb::Group, "group" {
        Procurement = Procurement, Dispensing = Dispensing, Settlement = Settlement,
    }
    Kind, pb::Kind, "kind" {
        PurchaseIn = PurchaseIn, TransferIn = TransferIn, GiftIn = GiftIn, GainIn = GainIn, OtherIn = OtherIn,
        PurchaseReturn = PurchaseReturn, TransferOut = TransferOut, GiftReturn = GiftReturn,
        LossOut = LossOut, Destroyed = Destroyed, OtherOut = OtherOut, Stocktake = Stocktake,
        Dispense = Dispense, DispenseReturn = DispenseReturn, Settlement = Settlement,
    }
    Role, pb::Role, "role" {
        StockIn = StockIn, Dispensing = Dispensing, Settlement = Settlement, Return = Return,
        StockOut = StockOut,
    }
    Family, pb::Family, "family" {
        Drug20 = Drug20, Gs1 = Gs1, Ma = Ma, Hibc = Hibc, Maker = Maker,
    }
    Service, pb::Service, "service" {
        InPerson = InPerson, Online = Online,
    }
    InvalidReason, pb::InvalidReason, "invalid" {
        CheckDigit = CheckDigit, Placeholder = Placeholder, LogisticsLabel = LogisticsLabel,
        PartOfSet = PartOfSet, Rounded = Rounded, NotATraceCode = NotATraceCode, Barcode69 = Barcode69, Doubled = Doubled, Truncated = Truncated,
        Overlong = Overlong, Unrecognised = Unrecognised,
    }
}

impl Wire for DocumentKey {
    type Message = pb::DocumentKey;

    fn to_message(&self, table: &mut TableWriter) -> pb::DocumentKey {
        pb::DocumentKey {
            institution_id: table.text(&self.institution_id),
            group: self.group.number(),
            document_id: table.text(&self.document_id),
        }
    }

    fn from_message(message: &pb::DocumentKey, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            institution_id: table.text(message.institution_id, "document.institution_id")?,
            group: Group::required(message.group, "document.group")?,
            document_id: table.text(message.document_id, "document.document_id")?,
        })
    }
}

impl Wire for Pseudonym {
    type Message = pb::Pseudonym;

    fn to_message(&self, _: &mut TableWriter) -> pb::Pseudonym {
        pb::Pseudonym { key_id: self.key_id, digest: self.digest.to_vec() }
    }

    fn from_message(message: &pb::Pseudonym, _: &TableReader) -> Result<Self, WireError> {
        let digest = message.digest.as_slice().try_into();
        Ok(Self {
            key_id: message.key_id,
            digest: digest.map_err(|_| WireError::Field { field: "pseudonym.digest" })?,
        })
    }
}

impl Wire for Person {
    type Message = Option<pb::Person>;

    fn to_message(&self, table: &mut TableWriter) -> Option<pb::Person> {
        self.is_known().then(|| pb::Person {
            number: self.number.map(|number| number.to_message(table)),
            certificate: self.certificate.map(|certificate| certificate.to_message(table)),
        })
    }

    fn from_message(message: &Option<pb::Person>, table: &TableReader) -> Result<Self, WireError> {
        let Some(message) = message else {
            return Ok(Self::default());
        };
        Ok(Self {
            number: read_optional(&message.number, table)?,
            certificate: read_optional(&message.certificate, table)?,
        })
    }
}

impl Wire for Origin {
    type Message = pb::Origin;

    fn to_message(&self, table: &mut TableWriter) -> pb::Origin {
        pb::Origin {
            topic: table.text(&self.topic),
            partition: self.partition,
            offset: self.offset,
            received_at: self.received_at.unix_millis(),
        }
    }

    fn from_message(message: &pb::Origin, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            topic: table.text(message.topic, "origin.topic")?,
            partition: message.partition,
            offset: message.offset,
            received_at: moment(message.received_at),
        })
    }
}

impl Wire for ReturnedSale {
    type Message = pb::ReturnedSale;

    fn to_message(&self, table: &mut TableWriter) -> pb::ReturnedSale {
        pb::ReturnedSale {
            document_id: table.text(&self.document_id),
            line_id: table.optional(&self.line_id),
        }
    }

    fn from_message(message: &pb::ReturnedSale, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            document_id: table.text(message.document_id, "returns.document_id")?,
            line_id: table.optional(message.line_id, "returns.line_id")?,
        })
    }
}

/// The message of what says anything at all.
fn said<T: Wire + Default + PartialEq>(value: &T, table: &mut TableWriter) -> Option<T::Message> {
    (*value != T::default()).then(|| value.to_message(table))
}

impl Wire for Circumstances {
    type Message = pb::Circumstances;

    fn to_message(&self, table: &mut TableWriter) -> pb::Circumstances {
        pb::Circumstances {
            credential_type: table.optional(&self.credential_type),
            device_id: table.optional(&self.device_id),
            operator_kind: table.optional(&self.operator_kind),
            insured_region: table.optional(&self.insured_region),
            medical_type: table.optional(&self.medical_type),
            account_amount: self.account_amount.map(Money::fen),
            service: self.service.map_or(0, Numbered::number),
            declared_codes: self.declared_codes,
            declared_consumable_codes: self.declared_consumable_codes,
        }
    }

    fn from_message(message: &pb::Circumstances, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            credential_type: table.optional(message.credential_type, "circumstances.credential_type")?,
            device_id: table.optional(message.device_id, "circumstances.device_id")?,
            operator_kind: table.optional(message.operator_kind, "circumstances.operator_kind")?,
            insured_region: table.optional(message.insured_region, "circumstances.insured_region")?,
            medical_type: table.optional(message.medical_type, "circumstances.medical_type")?,
            account_amount: money(message.account_amount),
            service: match message.service {
                0 => None,
                number => Some(Service::required(number, "circumstances.service")?),
            },
            declared_codes: message.declared_codes,
            declared_consumable_codes: message.declared_consumable_codes,
        })
    }
}

impl Wire for Prescription {
    type Message = pb::Prescription;

    fn to_message(&self, table: &mut TableWriter) -> pb::Prescription {
        pb::Prescription {
            rx_id: table.optional(&self.rx_id),
            rx_external: self.rx_external,
            prescriber_id: table.optional(&self.prescriber_id),
            pharmacist_id: table.optional(&self.pharmacist_id),
            department_id: table.optional(&self.department_id),
            days_supply: self.days_supply.map(Quantity::thousandths),
        }
    }

    fn from_message(message: &pb::Prescription, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            rx_id: table.optional(message.rx_id, "prescription.rx_id")?,
            rx_external: message.rx_external,
            prescriber_id: table.optional(message.prescriber_id, "prescription.prescriber_id")?,
            pharmacist_id: table.optional(message.pharmacist_id, "prescription.pharmacist_id")?,
            department_id: table.optional(message.department_id, "prescription.department_id")?,
            days_supply: quantity(message.days_supply),
        })
    }
}

impl Wire for Part<Header> {
    type Message = pb::HeaderPart;

    fn to_message(&self, table: &mut TableWriter) -> pb::HeaderPart {
        let header = &self.content;
        let content = pb::Header {
            kind: header.kind.number(),
            occurred_at: header.moment().unix_millis(),
            is_day: header.occurred_at.is_day(),
            person: header.person.to_message(table),
            visit_id: table.optional(&header.visit_id),
            settlement_id: table.optional(&header.settlement_id),
            operator_id: table.optional(&header.operator_id),
            fund_amount: header.fund_amount.map(Money::fen),
            counterparty_name: table.optional(&header.counterparty.name),
            counterparty_license: table.optional(&header.counterparty.license),
            delivery_note: table.optional(&header.counterparty.delivery_note),
            invoice: table.optional(&header.counterparty.invoice),
            returns: header.returns.as_ref().map(|returns| returns.to_message(table)),
            circumstances: said(&header.circumstances, table),
        };
        pb::HeaderPart { content: Some(content), reference: Some(table.slice(&self.reference)) }
    }

    fn from_message(message: &pb::HeaderPart, table: &TableReader) -> Result<Self, WireError> {
        let header = required(&message.content, "header.content")?;
        let occurred_at = moment(header.occurred_at);
        let content = Header {
            kind: Kind::required(header.kind, "header.kind")?,
            occurred_at: match header.is_day {
                true => OccurredAt::Day(occurred_at.day()),
                false => OccurredAt::Moment(occurred_at),
            },
            person: Person::from_message(&header.person, table)?,
            visit_id: table.optional(header.visit_id, "header.visit_id")?,
            settlement_id: table.optional(header.settlement_id, "header.settlement_id")?,
            operator_id: table.optional(header.operator_id, "header.operator_id")?,
            fund_amount: money(header.fund_amount),
            counterparty: Counterparty {
                name: table.optional(header.counterparty_name, "header.counterparty_name")?,
                license: table.optional(header.counterparty_license, "header.counterparty_license")?,
                delivery_note: table.optional(header.delivery_note, "header.delivery_note")?,
                invoice: table.optional(header.invoice, "header.invoice")?,
            },
            returns: read_optional(&header.returns, table)?,
            circumstances: read_optional(&header.circumstances, table)?.unwrap_or_default(),
        };
        Ok(Self { content, reference: table.slice(&message.reference)? })
    }
}

impl Wire for Part<FeeFacet> {
    type Message = pb::FeePart;

    fn to_message(&self, table: &mut TableWriter) -> pb::FeePart {
        let fee = &self.content;
        let content = pb::FeeFacet {
            product_code: table.optional(&fee.product_code),
            product_name: table.optional(&fee.product_name),
            quantity: fee.quantity.map(Quantity::thousandths),
            split: fee.split,
            amount: fee.amount.map(Money::fen),
            fund_amount: fee.fund_amount.map(Money::fen),
            lot: table.optional(&fee.lot),
            expires_on: fee.expires_on.map(Day::days_since_epoch),
            adjusts: table.optional(&fee.adjusts.as_ref().map(Adjusts::text)),
            prescription: said(&fee.prescription, table),
        };
        pb::FeePart { content: Some(content), reference: Some(table.slice(&self.reference)) }
    }

    fn from_message(message: &pb::FeePart, table: &TableReader) -> Result<Self, WireError> {
        let fee = required(&message.content, "fee.content")?;
        let content = FeeFacet {
            product_code: table.optional(fee.product_code, "fee.product_code")?,
            product_name: table.optional(fee.product_name, "fee.product_name")?,
            quantity: quantity(fee.quantity),
            split: fee.split,
            amount: money(fee.amount),
            fund_amount: money(fee.fund_amount),
            lot: table.optional(fee.lot, "fee.lot")?,
            expires_on: day(fee.expires_on),
            adjusts: table.optional(fee.adjusts, "fee.adjusts")?.map(Adjusts::from_text),
            prescription: read_optional(&fee.prescription, table)?.unwrap_or_default(),
        };
        Ok(Self { content, reference: table.slice(&message.reference)? })
    }
}

impl Wire for Part<CodesFacet> {
    type Message = pb::CodesPart;

    fn to_message(&self, table: &mut TableWriter) -> pb::CodesPart {
        pb::CodesPart {
            scans: write_all(&self.content.scans, table),
            split: self.content.split,
            reference: Some(table.slice(&self.reference)),
        }
    }

    fn from_message(message: &pb::CodesPart, table: &TableReader) -> Result<Self, WireError> {
        let content = CodesFacet { scans: read_all(&message.scans, table)?, split: message.split };
        Ok(Self { content, reference: table.slice(&message.reference)? })
    }
}

impl Wire for ScannedCode {
    type Message = pb::ScannedCode;

    fn to_message(&self, table: &mut TableWriter) -> pb::ScannedCode {
        let mut message = pb::ScannedCode {
            text: table.text(self.scan.text()),
            units: self.units.map(Quantity::thousandths),
            ..Default::default()
        };
        match &self.scan {
            Scan::Valid(code) => {
                message.family = code.family.number();
                message.prefix = table.optional(&code.prefix);
                message.is_unit = code.is_unit;
            }
            Scan::Invalid { reason, .. } => message.invalid = reason.number(),
        }
        message
    }

    fn from_message(message: &pb::ScannedCode, table: &TableReader) -> Result<Self, WireError> {
        let text = table.text(message.text, "code.text")?;
        let scan = match InvalidReason::from_number(message.invalid)? {
            Some(reason) => Scan::Invalid { text, reason },
            None => Scan::Valid(TraceCode {
                normal: text,
                family: Family::required(message.family, "code.family")?,
                prefix: table.optional(message.prefix, "code.prefix")?,
                is_unit: message.is_unit,
            }),
        };
        Ok(Self { scan, units: quantity(message.units) })
    }
}

impl Wire for Offer {
    type Message = pb::Offer;

    fn to_message(&self, table: &mut TableWriter) -> pb::Offer {
        pb::Offer {
            lender: table.text(&self.lender),
            revision: self.revision,
            time: self.time.unix_millis(),
            settlement_id: table.optional(&self.settlement_id),
            visit_id: table.optional(&self.visit_id),
            lines: write_all(&self.lines, table),
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::Offer, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            lender: table.text(message.lender, "offer.lender")?,
            revision: message.revision,
            time: moment(message.time),
            settlement_id: table.optional(message.settlement_id, "offer.settlement_id")?,
            visit_id: table.optional(message.visit_id, "offer.visit_id")?,
            lines: read_all(&message.lines, table)?,
            origin: read(&message.origin, "offer.origin", table)?,
        })
    }
}

impl Wire for OfferedLine {
    type Message = pb::OfferedLine;

    fn to_message(&self, table: &mut TableWriter) -> pb::OfferedLine {
        pb::OfferedLine {
            line_id: table.text(&self.line_id),
            product_code: table.text(&self.product_code),
            split: self.split,
            codes: Some(self.codes.part.to_message(table)),
            issued_at: self.codes.issued_at.unix_millis(),
            origin: Some(self.codes.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::OfferedLine, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            line_id: table.text(message.line_id, "offered_line.line_id")?,
            product_code: table.text(message.product_code, "offered_line.product_code")?,
            split: message.split,
            codes: Stamped {
                issued_at: moment(message.issued_at),
                part: read(&message.codes, "offered_line.codes", table)?,
                origin: read(&message.origin, "offered_line.origin", table)?,
            },
        })
    }
}

impl Wire for LineVersion {
    type Message = pb::StoredLine;

    fn to_message(&self, table: &mut TableWriter) -> pb::StoredLine {
        pb::StoredLine {
            line_id: table.text(&self.line_id),
            fee: self.fee.as_ref().map(|part| part.to_message(table)),
            codes: self.codes.as_ref().map(|part| part.to_message(table)),
        }
    }

    fn from_message(message: &pb::StoredLine, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            line_id: table.text(message.line_id, "line.line_id")?,
            fee: read_optional(&message.fee, table)?,
            codes: read_optional(&message.codes, table)?,
        })
    }
}

impl Wire for Version {
    type Message = pb::StoredVersion;

    fn to_message(&self, table: &mut TableWriter) -> pb::StoredVersion {
        pb::StoredVersion {
            key: Some(self.key.to_message(table)),
            issued_at: self.issued_at.unix_millis(),
            full: self.full,
            header: self.header.as_ref().map(|part| part.to_message(table)),
            lines: write_all(&self.lines, table),
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::StoredVersion, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "version.key", table)?,
            issued_at: moment(message.issued_at),
            full: message.full,
            header: read_optional(&message.header, table)?,
            lines: read_all(&message.lines, table)?,
            origin: read(&message.origin, "version.origin", table)?,
        })
    }
}

impl Wire for Reversal {
    type Message = pb::StoredReversal;

    fn to_message(&self, table: &mut TableWriter) -> pb::StoredReversal {
        pb::StoredReversal {
            target: Some(self.target.to_message(table)),
            of_alias: self.of_alias,
            line_id: table.optional(&self.line_id),
            header: self.parts.header,
            fee: self.parts.fee,
            codes: self.parts.codes,
            issued_at: self.issued_at.unix_millis(),
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::StoredReversal, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            target: read(&message.target, "reversal.target", table)?,
            of_alias: message.of_alias,
            line_id: table.optional(message.line_id, "reversal.line_id")?,
            parts: Parts { header: message.header, fee: message.fee, codes: message.codes },
            issued_at: moment(message.issued_at),
            origin: read(&message.origin, "reversal.origin", table)?,
        })
    }
}
