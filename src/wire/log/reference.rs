//! Reference records.

use super::{TableReader, TableWriter, Wire, WireError, day};
use crate::domain::reference::{Institution, Item, Key, Product, Record, Value};
use crate::domain::time::Day;
use crate::wire::pb_internal as pb;
use crate::wire::pb_internal::reference_record::About;

impl Wire for Record {
    type Message = pb::ReferenceRecord;

    fn to_message(&self, table: &mut TableWriter) -> pb::ReferenceRecord {
        let mut message = pb::ReferenceRecord {
            valid_from: self.valid_from.map(Day::days_since_epoch),
            valid_to: self.valid_to.map(Day::days_since_epoch),
            ..Default::default()
        };
        write_key(&self.key, &mut message, table);
        write_value(&self.value, &mut message, table);
        message
    }

    fn from_message(message: &pb::ReferenceRecord, table: &TableReader) -> Result<Self, WireError> {
        let key = read_key(message, table)?;
        let value = read_value(&key, message, table)?;
        Ok(Self { key, valid_from: day(message.valid_from), valid_to: day(message.valid_to), value })
    }
}

fn write_key(key: &Key, message: &mut pb::ReferenceRecord, table: &mut TableWriter) {
    let about = match key {
        Key::Product { prefix } => {
            message.prefix = table.text(prefix);
            About::Product
        }
        Key::Item { product_code } => {
            message.product_code = table.text(product_code);
            About::Item
        }
        Key::Institution { institution_id } => {
            message.institution_id = table.text(institution_id);
            About::Institution
        }
        Key::Exemption { product_code, institution_id } => {
            message.product_code = table.text(product_code);
            message.institution_id = table.optional(institution_id);
            About::Exemption
        }
        Key::NoCodeStock { institution_id, product_code } => {
            message.product_code = table.text(product_code);
            message.institution_id = table.text(institution_id);
            About::NoCodeStock
        }
        Key::Recall { product_code, lot } => {
            message.product_code = table.text(product_code);
            message.lot = table.text(lot);
            About::Recall
        }
        Key::BannedCode { code } => {
            message.code = table.text(code);
            About::BannedCode
        }
    };
    message.about = about as i32;
}

fn write_value(value: &Value, message: &mut pb::ReferenceRecord, table: &mut TableWriter) {
    match value {
        Value::Product(product) => {
            message.product_code = table.optional(&product.product_code);
            message.name = table.optional(&product.name);
            message.packs_per_code = product.packs_per_code;
            message.units_per_pack = product.units_per_pack;
        }
        Value::Item(item) => {
            message.traceable = item.traceable;
            message.watch = item.watch;
        }
        Value::Institution(institution) => {
            message.name = table.optional(&institution.name);
            message.region = table.optional(&institution.region);
            message.tier = table.optional(&institution.tier);
            message.stock_uploaded_since = institution.stock_uploaded_since.map(Day::days_since_epoch);
            message.dispensing_uploaded_since =
                institution.dispensing_uploaded_since.map(Day::days_since_epoch);
            message.codes_in_settlement_since =
                institution.codes_in_settlement_since.map(Day::days_since_epoch);
            message.contract_from = institution.contract_from.map(Day::days_since_epoch);
            message.successor_of = table.optional(&institution.successor_of);
        }
        Value::Present => {}
    }
}

fn read_key(message: &pb::ReferenceRecord, table: &TableReader) -> Result<Key, WireError> {
    let product_code = || table.text(message.product_code, "reference.product_code");
    let institution_id = || table.text(message.institution_id, "reference.institution_id");
    let unknown = WireError::Field { field: "reference.about" };
    Ok(match About::try_from(message.about).map_err(|_| unknown.clone())? {
        About::Unspecified => return Err(unknown),
        About::Product => Key::Product { prefix: table.text(message.prefix, "reference.prefix")? },
        About::Item => Key::Item { product_code: product_code()? },
        About::Institution => Key::Institution { institution_id: institution_id()? },
        About::Exemption => Key::Exemption {
            product_code: product_code()?,
            institution_id: table.optional(message.institution_id, "reference.institution_id")?,
        },
        About::NoCodeStock => {
            Key::NoCodeStock { institution_id: institution_id()?, product_code: product_code()? }
        }
        About::Recall => {
            Key::Recall { product_code: product_code()?, lot: table.text(message.lot, "reference.lot")? }
        }
        About::BannedCode => Key::BannedCode { code: table.text(message.code, "reference.code")? },
    })
}

fn read_value(key: &Key, message: &pb::ReferenceRecord, table: &TableReader) -> Result<Value, WireError> {
    Ok(match key {
        Key::Product { .. } => Value::Product(Product {
            product_code: table.optional(message.product_code, "reference.product_code")?,
            name: table.optional(message.name, "reference.name")?,
            packs_per_code: message.packs_per_code,
            units_per_pack: message.units_per_pack,
        }),
        Key::Item { .. } => Value::Item(Item { traceable: message.traceable, watch: message.watch }),
        Key::Institution { .. } => Value::Institution(Institution {
            name: table.optional(message.name, "reference.name")?,
            region: table.optional(message.region, "reference.region")?,
            tier: table.optional(message.tier, "reference.tier")?,
            stock_uploaded_since: day(message.stock_uploaded_since),
            dispensing_uploaded_since: day(message.dispensing_uploaded_since),
            codes_in_settlement_since: day(message.codes_in_settlement_since),
            contract_from: day(message.contract_from),
            successor_of: table.optional(message.successor_of, "reference.successor_of")?,
        }),
        Key::Exemption { .. } | Key::NoCodeStock { .. } | Key::Recall { .. } | Key::BannedCode { .. } => {
            Value::Present
        }
    })
}
