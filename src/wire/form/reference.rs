//! Reference records, as they travel with the parts that are judged by them.

use super::{Form, Reader, WireError, Writer, alternatives, structures};
use crate::domain::reference::{Institution, Item, Key, Product, Record, Slice, Value};

alternatives! {
    Key {
        1 Product { prefix: prefix },
        2 Item { product_code: product_code },
        3 Institution { institution_id: institution_id },
        4 Exemption { product_code: product_code, institution_id: institution_id },
        5 NoCodeStock { institution_id: institution_id, product_code: product_code },
        6 Recall { product_code: product_code, lot: lot },
        7 BannedCode { code: code },
    }
    Value { 1 Product { 0: product }, 2 Item { 0: item }, 3 Institution { 0: institution }, 4 Present }
}

structures! {
    Product { 0 product_code, 1 name, 2 packs_per_code, 3 units_per_pack }
    Item [may be blank] { 0 traceable, 1 watch }
    Institution [may be blank] {
        0 name, 1 region, 2 tier, 3 stock_uploaded_since, 4 dispensing_uploaded_since,
        5 codes_in_settlement_since, 6 contract_from, 7 successor_of,
    }
    Record { 0 key, 1 valid_from, 2 valid_to, 3 value }
}

impl Form for Slice {
    fn write(&self, to: &mut Writer) {
        self.version.write(to);
        to.count(self.records().len());
        self.records().iter().for_each(|record| to.record(record));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let version = Form::read(from)?;
        let records: Result<Vec<_>, _> = (0..from.count()?).map(|_| from.record()).collect();
        Ok(Self::new(version, records?))
    }
}
