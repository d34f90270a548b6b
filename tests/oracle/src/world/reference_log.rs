//! The reference log of a world: dated, replaced and removed records, gaps included.

use serde_json::{Value, json};

use super::codes::{DRUG_PREFIXES, GTIN, HIBC_PRIMARY, MA_DI};
use super::dice::Dice;

/// Product codes: traceable by their letter (X, Z) and not (C).
pub(super) const PRODUCTS: [&str; 5] = ["XA01", "XB02", "ZC03", "XD04", "CE05"];

/// A few institutions of two regions.
pub(super) fn institutions(dice: &mut Dice) -> Vec<String> {
    let count = dice.between(1, 4);
    (1..=count).map(|n| format!("{}{:05}", dice.pick(&["H370203", "P370203", "P110105"]), n)).collect()
}

/// The product code that a prefix stands for in a world; all worlds agree on the latest record only by chance.
pub(super) fn log(dice: &mut Dice, institutions: &[String]) -> Vec<Value> {
    let mut log = Vec::new();
    for prefix in &DRUG_PREFIXES[..4] {
        products(dice, prefix, &mut log);
    }
    for prefix in [GTIN, MA_DI, HIBC_PRIMARY] {
        if dice.chance(75) {
            products(dice, prefix, &mut log);
        }
    }
    for institution_id in institutions {
        for _ in 0..dice.pick(&[0, 1, 1, 1, 2]) {
            log.push(institution(dice, institution_id));
        }
    }
    for _ in 0..dice.between(0, 9) {
        log.push(other(dice, institutions));
    }
    for _ in 0..dice.pick(&[0, 0, 1, 2]) {
        let mut again = dice.pick(&log);
        again["deleted"] = json!(true);
        log.push(again);
    }
    log
}

fn products(dice: &mut Dice, prefix: &str, log: &mut Vec<Value>) {
    for _ in 0..dice.pick(&[1, 1, 1, 2]) {
        let mut record = json!({ "type": "product", "prefix": prefix, "name": "药" });
        if dice.chance(90) {
            record["product_code"] = json!(dice.pick(&PRODUCTS[..4]));
        }
        if prefix == "8100002" || prefix == "8100004" || dice.chance(5) {
            record["packs_per_code"] = dice.pick(&[json!(2), json!(3), json!("5")]);
        }
        let units_known = !["8100003", "8100004"].contains(&prefix) || dice.chance(10);
        if units_known && dice.chance(90) {
            record["units_per_pack"] = dice.pick(&[json!(1), json!("2"), json!(3), json!("7"), json!(10)]);
        }
        log.push(dated(dice, record));
    }
}

fn institution(dice: &mut Dice, institution_id: &str) -> Value {
    let mut record =
        json!({ "type": "institution", "institution_id": institution_id, "name": "药店", "tier": "2" });
    if dice.chance(40) {
        record["region"] = json!(dice.pick(&["370203", "110105", "999999"]));
    }
    for field in ["stock_uploaded_since", "dispensing_uploaded_since"] {
        if dice.chance(80) {
            record[field] =
                json!(dice.pick(&["2026-01-01", "2026-01-01", "2026-03-01", "2026-03-03", "2026-03-05"]));
        }
    }
    dated(dice, record)
}

fn other(dice: &mut Dice, institutions: &[String]) -> Value {
    let product_code = dice.pick(&PRODUCTS);
    let institution_id = dice.pick(institutions);
    let record = match dice.below(6) {
        0 => {
            json!({ "type": "item", "product_code": product_code, "traceable": dice.chance(70), "watch": false })
        }
        1 if dice.chance(20) => json!({ "type": "exemption", "product_code": product_code }),
        1 => json!({ "type": "exemption", "product_code": product_code, "institution_id": institution_id }),
        2 => {
            json!({ "type": "no_code_stock", "product_code": product_code, "institution_id": institution_id })
        }
        3 | 4 => {
            json!({ "type": "recall", "product_code": product_code, "lot": dice.pick(&["L1", "L2", "L9"]) })
        }
        _ => {
            let package = super::codes::package(dice);
            json!({ "type": "banned_code", "code": package.scanned(dice) })
        }
    };
    dated(dice, record)
}

fn dated(dice: &mut Dice, mut record: Value) -> Value {
    if dice.chance(20) {
        record["valid_from"] =
            json!(dice.pick(&["2026-01-01", "2026-03-01", "2026-03-02", "2026-03-03", "2026-03-05"]));
    }
    if dice.chance(12) {
        record["valid_to"] = json!(dice.pick(&["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-06"]));
    }
    record
}
