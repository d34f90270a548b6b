//! The reference data of the simulated province, as NDJSON records: products, items, institutions, exemptions,
//! stock without codes, recalls.

use serde::Serialize;

use super::document::Lot;
use super::places::{Institution, REGIONS, World};
use crate::domain::time::Day;

/// One record. Absent fields are not written.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Record<'a> {
    Product {
        prefix: &'a str,
        product_code: &'a str,
        name: &'a str,
        packs_per_code: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        units_per_pack: Option<u32>,
    },
    Item {
        product_code: &'a str,
        traceable: bool,
    },
    Institution {
        institution_id: &'a str,
        name: &'a str,
        region: &'a str,
        tier: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        stock_uploaded_since: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dispensing_uploaded_since: Option<String>,
    },
    Exemption {
        product_code: &'a str,
        institution_id: &'a str,
    },
    NoCodeStock {
        institution_id: &'a str,
        product_code: &'a str,
        valid_to: String,
    },
    Recall {
        product_code: &'a str,
        lot: String,
    },
}

/// All records of a world.
pub(super) fn records(world: World) -> impl Iterator<Item = String> {
    let products = world.catalogue.products.len() as u32;
    let institutions = world.institutions.len() as u32;
    let of_products = (0..products).map(|index| (index, None));
    let of_institutions = (0..institutions).map(|index| (index, Some(())));
    of_products.chain(of_institutions).flat_map(move |(index, place)| match place {
        None => product_records(&world, index),
        Some(()) => institution_records(&world, index),
    })
}

fn product_records(world: &World, index: u32) -> Vec<String> {
    let product = world.catalogue.get(index);
    let product_code = product.code.as_str();
    let mut records = Vec::new();
    if product.mapped && product.has_codes() {
        records.push(text(&Record::Product {
            prefix: &product.prefix,
            product_code,
            name: &product.name,
            packs_per_code: product.packs_per_code,
            units_per_pack: product.units_per_pack,
        }));
    }
    if let Some(traceable) = product.traceable {
        records.push(text(&Record::Item { product_code, traceable }));
    }
    if world.catalogue.plain.binary_search(&index).is_ok() {
        let month = world.parameters.first_day.days_since_epoch() / 30;
        let lot = Lot::Recalled(u16::try_from(month).unwrap_or(u16::MAX)).to_string();
        records.push(text(&Record::Recall { product_code, lot }));
    }
    records
}

/// Institutions that upload stock or dispensing have done so for this long when the province begins.
const UPLOADED_BEFORE_DAYS: i32 = 188;

fn institution_records(world: &World, index: u32) -> Vec<String> {
    let place = world.institution(index);
    let (region, _) = REGIONS[place.region % REGIONS.len()];
    // Half a year before the first upload, when uploading became a duty: the past counts as known.
    let first_day = world.parameters.first_day.days_since_epoch();
    let since = Day::from_days_since_epoch(first_day.saturating_sub(UPLOADED_BEFORE_DAYS)).to_string();
    let mut records = vec![text(&Record::Institution {
        institution_id: &place.id,
        name: &place.name,
        region,
        tier: tier(place),
        stock_uploaded_since: place.uploads_stock.then(|| since.clone()),
        dispensing_uploaded_since: place.uploads_dispensing.then(|| since.clone()),
    })];
    for product in 0..world.catalogue.products.len() as u32 {
        let product_code = world.catalogue.get(product).code.as_str();
        if world.exempt(index, product) {
            records.push(text(&Record::Exemption { product_code, institution_id: &place.id }));
        }
        if world.has_no_code_stock(index, product) {
            let valid_to = world.no_code_stock_until().to_string();
            records.push(text(&Record::NoCodeStock { institution_id: &place.id, product_code, valid_to }));
        }
    }
    records
}

fn tier(place: &Institution) -> &'static str {
    if place.hospital { "2" } else { "pharmacy" }
}

/// Structures of text and numbers always have a JSON form.
fn text(record: &Record<'_>) -> String {
    serde_json::to_string(record).unwrap_or_default()
}
