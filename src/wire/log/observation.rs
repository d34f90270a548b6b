//! Observations and what changes of them.

use std::sync::Arc;

use super::{
    Numbered, TableReader, TableWriter, Wire, WireError, day, moment, money, paired_enums, quantity, read,
    read_all, read_optional, write_all,
};
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::particulars::Surroundings;
use crate::domain::document::{Kind, Person, Role};
use crate::domain::observation::{CodeChange, LentFrom, Observation, ObservationKey, What};
use crate::domain::reference::Product;
use crate::domain::time::Day;
use crate::wire::pb_internal as pb;

paired_enums! {
    What, pb::What, "what" {
        Asserted = Asserted, Retracted = Retracted, Tick = Tick, Reference = Reference,
    }
}

impl Wire for ObservationKey {
    type Message = pb::ObservationKey;

    fn to_message(&self, table: &mut TableWriter) -> pb::ObservationKey {
        pb::ObservationKey {
            document: Some(self.document.to_message(table)),
            line_id: table.text(&self.line_id),
        }
    }

    fn from_message(message: &pb::ObservationKey, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            document: read(&message.document, "observation.document", table)?,
            line_id: table.text(message.line_id, "observation.line_id")?,
        })
    }
}

impl Wire for Product {
    type Message = pb::Product;

    fn to_message(&self, table: &mut TableWriter) -> pb::Product {
        pb::Product {
            product_code: table.optional(&self.product_code),
            name: table.optional(&self.name),
            packs_per_code: self.packs_per_code,
            units_per_pack: self.units_per_pack,
        }
    }

    fn from_message(message: &pb::Product, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            product_code: table.optional(message.product_code, "product.product_code")?,
            name: table.optional(message.name, "product.name")?,
            packs_per_code: message.packs_per_code,
            units_per_pack: message.units_per_pack,
        })
    }
}

impl Wire for LentFrom {
    type Message = pb::LentFrom;

    fn to_message(&self, table: &mut TableWriter) -> pb::LentFrom {
        pb::LentFrom { document_id: table.text(&self.document_id), line_id: table.text(&self.line_id) }
    }

    fn from_message(message: &pb::LentFrom, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            document_id: table.text(message.document_id, "lent_from.document_id")?,
            line_id: table.text(message.line_id, "lent_from.line_id")?,
        })
    }
}

impl Wire for Surroundings {
    type Message = pb::Surroundings;

    fn to_message(&self, table: &mut TableWriter) -> pb::Surroundings {
        pb::Surroundings {
            device_id: table.optional(&self.device_id),
            operator_kind: table.optional(&self.operator_kind),
            insured_region: table.optional(&self.insured_region),
            medical_type: table.optional(&self.medical_type),
            department_id: table.optional(&self.department_id),
            prescriber_id: table.optional(&self.prescriber_id),
            pharmacist_id: table.optional(&self.pharmacist_id),
            rx_id: table.optional(&self.rx_id),
            contract_from: self.contract_from.map(Day::days_since_epoch),
            successor_of: table.optional(&self.successor_of),
        }
    }

    fn from_message(message: &pb::Surroundings, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            device_id: table.optional(message.device_id, "surroundings.device_id")?,
            operator_kind: table.optional(message.operator_kind, "surroundings.operator_kind")?,
            insured_region: table.optional(message.insured_region, "surroundings.insured_region")?,
            medical_type: table.optional(message.medical_type, "surroundings.medical_type")?,
            department_id: table.optional(message.department_id, "surroundings.department_id")?,
            prescriber_id: table.optional(message.prescriber_id, "surroundings.prescriber_id")?,
            pharmacist_id: table.optional(message.pharmacist_id, "surroundings.pharmacist_id")?,
            rx_id: table.optional(message.rx_id, "surroundings.rx_id")?,
            contract_from: day(message.contract_from),
            successor_of: table.optional(message.successor_of, "surroundings.successor_of")?,
        })
    }
}

/// The message of what stood around a line, if anything did.
pub(super) fn write_surroundings(
    surroundings: Option<&Arc<Surroundings>>,
    table: &mut TableWriter,
) -> Option<pb::Surroundings> {
    surroundings.map(|surroundings| surroundings.to_message(table))
}

/// And back.
pub(super) fn read_surroundings(
    message: &Option<pb::Surroundings>,
    table: &TableReader,
) -> Result<Option<Arc<Surroundings>>, WireError> {
    Ok(read_optional::<Surroundings>(message, table)?.map(Arc::new))
}

impl Wire for Observation {
    type Message = pb::Observation;

    fn to_message(&self, table: &mut TableWriter) -> pb::Observation {
        pb::Observation {
            key: Some(self.key.to_message(table)),
            kind: self.kind.number(),
            role: self.role.number(),
            time: self.time.unix_millis(),
            is_day: self.is_day,
            codes_issued_at: self.codes_issued_at.unix_millis(),
            split: self.split,
            quantity: self.quantity.map(Quantity::thousandths),
            quantity_before: self.quantity_before.map(Quantity::thousandths),
            units: self.units.map(Quantity::thousandths),
            codes_on_line: self.codes_on_line,
            product_code: table.optional(&self.product_code),
            product_name: table.optional(&self.product_name),
            product: self.product.as_ref().map(|product| product.to_message(table)),
            person: self.person.to_message(table),
            visit_id: table.optional(&self.visit_id),
            settlement_id: table.optional(&self.settlement_id),
            returns: self.returns.as_ref().map(|returns| returns.to_message(table)),
            lent_from: self.lent_from.as_ref().map(|lent_from| lent_from.to_message(table)),
            surroundings: write_surroundings(self.surroundings.as_ref(), table),
            has_papers: self.has_papers,
            region: table.text(&self.region),
            tier: table.optional(&self.tier),
            stock_uploaded_since: self.stock_uploaded_since.map(Day::days_since_epoch),
            dispensing_uploaded_since: self.dispensing_uploaded_since.map(Day::days_since_epoch),
            fund_amount: self.fund_amount.map(Money::fen),
            revision: self.revision,
            reference_version: self.reference_version,
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::Observation, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            key: read(&message.key, "observation.key", table)?,
            kind: Kind::required(message.kind, "observation.kind")?,
            role: Role::required(message.role, "observation.role")?,
            time: moment(message.time),
            is_day: message.is_day,
            codes_issued_at: moment(message.codes_issued_at),
            split: message.split,
            quantity: quantity(message.quantity),
            quantity_before: quantity(message.quantity_before),
            units: quantity(message.units),
            codes_on_line: message.codes_on_line,
            product_code: table.optional(message.product_code, "observation.product_code")?,
            product_name: table.optional(message.product_name, "observation.product_name")?,
            product: read_optional(&message.product, table)?,
            person: Person::from_message(&message.person, table)?,
            visit_id: table.optional(message.visit_id, "observation.visit_id")?,
            settlement_id: table.optional(message.settlement_id, "observation.settlement_id")?,
            returns: read_optional(&message.returns, table)?,
            lent_from: read_optional(&message.lent_from, table)?,
            surroundings: read_surroundings(&message.surroundings, table)?,
            has_papers: message.has_papers,
            region: table.text(message.region, "observation.region")?,
            tier: table.optional(message.tier, "observation.tier")?,
            stock_uploaded_since: day(message.stock_uploaded_since),
            dispensing_uploaded_since: day(message.dispensing_uploaded_since),
            fund_amount: money(message.fund_amount),
            revision: message.revision,
            reference_version: message.reference_version,
            origin: read(&message.origin, "observation.origin", table)?,
        })
    }
}

impl Wire for CodeChange {
    type Message = pb::CodeChange;

    fn to_message(&self, table: &mut TableWriter) -> pb::CodeChange {
        pb::CodeChange {
            code: table.text(&self.code),
            document: Some(self.document.to_message(table)),
            document_revision: self.document_revision,
            what: self.what.number(),
            lender: table.optional(&self.lender),
            retracted: self.retracted.iter().map(|line_id| table.text(line_id)).collect(),
            asserted: write_all(&self.asserted, table),
            origin: Some(self.origin.to_message(table)),
        }
    }

    fn from_message(message: &pb::CodeChange, table: &TableReader) -> Result<Self, WireError> {
        let retracted = message.retracted.iter().map(|line| table.text(*line, "change.retracted"));
        Ok(Self {
            code: table.text(message.code, "change.code")?,
            document: read(&message.document, "change.document", table)?,
            document_revision: message.document_revision,
            what: What::required(message.what, "change.what")?,
            lender: table.optional(message.lender, "change.lender")?,
            retracted: retracted.collect::<Result<_, _>>()?,
            asserted: read_all(&message.asserted, table)?,
            origin: read(&message.origin, "change.origin", table)?,
        })
    }
}
