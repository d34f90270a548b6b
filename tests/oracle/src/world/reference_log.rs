//! The reference log of a world: dated, replaced and removed records, gaps and refused records included.

use serde_json::{Value, json};

use super::codes::{DRUG_PREFIXES, GTIN, GTIN_8, GTIN_12, HIBC_PRIMARY, MA_DI};
use super::dice::Dice;
use crate::moment::Day;

/// Product codes: traceable by their letter (X, Z) and not (C).
pub(super) const PRODUCTS: [&str; 5] = ["XA01", "XB02", "ZC03", "XD04", UNTRACEABLE];
/// The one that needs no codes, unless a record says otherwise.
pub(super) const UNTRACEABLE: &str = "CE05";

/// A few institutions of two regions.
pub(super) fn institutions(dice: &mut Dice) -> Vec<String> {
    let count = dice.between(1, 4);
    (1..=count).map(|n| format!("{}{:05}", dice.pick(&["H370203", "P370203", "P110105"]), n)).collect()
}

/// The reference log of a world that begins on a day.
pub(super) fn log(dice: &mut Dice, institutions: &[String], first_day: Day) -> Vec<Value> {
    let mut making = Making { dice, first_day, log: Vec::new() };
    for prefix in &DRUG_PREFIXES[..4] {
        making.products(prefix);
    }
    for prefix in [GTIN, GTIN_12, GTIN_8, MA_DI, HIBC_PRIMARY] {
        if making.dice.chance(75) {
            making.products(prefix);
        }
    }
    for institution_id in institutions {
        for _ in 0..making.dice.pick(&[0, 1, 1, 1, 2]) {
            making.institution(institution_id);
        }
    }
    for _ in 0..making.dice.between(0, 9) {
        making.other(institutions);
    }
    for _ in 0..making.dice.pick(&[0, 0, 1, 2]) {
        let mut again = making.dice.pick(&making.log);
        again["deleted"] = json!(true);
        making.log.push(again);
    }
    for _ in 0..making.dice.pick(&[0, 0, 1, 3]) {
        making.mistaken(institutions);
    }
    making.log
}

/// The log while it is made.
struct Making<'a> {
    dice: &'a mut Dice,
    first_day: Day,
    log: Vec<Value>,
}

impl Making<'_> {
    fn products(&mut self, prefix: &str) {
        for _ in 0..self.dice.pick(&[1, 1, 1, 2]) {
            let mut record = json!({ "type": "product", "prefix": self.shortened(prefix), "name": "药" });
            if self.dice.chance(90) {
                record["product_code"] = json!(self.dice.pick(&PRODUCTS[..4]));
            }
            if prefix == "8100002" || prefix == "8100004" || self.dice.chance(5) {
                record["packs_per_code"] = self.dice.pick(&[json!(2), json!(3), json!("5")]);
            }
            let units_known = !["8100003", "8100004"].contains(&prefix) || self.dice.chance(10);
            if units_known && self.dice.chance(90) {
                record["units_per_pack"] =
                    self.dice.pick(&[json!(1), json!("2"), json!(3), json!("7"), json!(10)]);
            }
            self.push_dated(record);
        }
    }

    /// A GTIN as it stands on the box: "A prefix of 8, 12 or 13 digits is a GTIN: zeros before it make it 14."
    fn shortened(&mut self, prefix: &str) -> String {
        if prefix.len() != 14 {
            return prefix.to_owned();
        }
        let forms = [prefix, &prefix[1..], &prefix[2..], &prefix[6..]];
        let form = self.dice.pick(&forms);
        let is_whole = form.trim_start_matches('0') == prefix.trim_start_matches('0');
        if is_whole { form.to_owned() } else { prefix.to_owned() }
    }

    fn institution(&mut self, institution_id: &str) {
        let mut record =
            json!({ "type": "institution", "institution_id": institution_id, "name": "药店", "tier": "2" });
        if self.dice.chance(40) {
            record["region"] = json!(self.dice.pick(&["370203", "110105", "999999"]));
        }
        for (field, percent) in [
            ("stock_uploaded_since", 80),
            ("dispensing_uploaded_since", 80),
            ("codes_in_settlement_since", 20),
            ("coverage_since", 5),
        ] {
            if self.dice.chance(percent) {
                let days = self.dice.pick(&[-59, -59, 0, 2, 4]);
                record[field] = json!(self.first_day.later(days).text());
            }
        }
        self.push_dated(record);
    }

    fn other(&mut self, institutions: &[String]) {
        let product_code = self.dice.pick(&PRODUCTS);
        let institution_id = self.dice.pick(institutions);
        let lot = self.dice.pick(&["L1", "L2", "L9"]);
        let record = match self.dice.below(6) {
            0 => json!({
                "type": "item", "product_code": product_code, "traceable": self.dice.chance(70), "watch": false,
                "max_daily_units": self.dice.pick(&[Value::Null, json!("1.5")]),
            }),
            1 if self.dice.chance(20) => json!({ "type": "exemption", "product_code": product_code }),
            1 => {
                json!({ "type": "exemption", "product_code": product_code, "institution_id": institution_id })
            }
            2 => json!({
                "type": "no_code_stock", "product_code": product_code, "institution_id": institution_id,
            }),
            3 | 4 => json!({ "type": "recall", "product_code": product_code, "lot": lot }),
            _ => {
                json!({ "type": "banned_code", "code": super::codes::package(self.dice).scanned(self.dice, 20) })
            }
        };
        self.push_dated(record);
    }

    /// A record that is refused (another one of the same key, were it taken, would change answers), or seldom one that
    /// only looks so.
    fn mistaken(&mut self, institutions: &[String]) {
        let institution_id = self.dice.pick(institutions);
        let since = self.first_day.later(-59).text();
        let mut record = self.dice.pick(&[
            json!({ "type": "product", "prefix": "6901234567893", "product_code": "XB02" }),
            json!({ "type": "product", "prefix": "81000", "product_code": "XB02" }),
            json!({ "type": "product", "prefix": 8_100_001, "product_code": "XB02" }),
            json!({ "type": "product", "prefix": "8100001", "product_code": "XB02", "packs_per_code": 0 }),
            json!({ "type": "product", "prefix": "8100001", "product_code": "XB02", "units_per_pack": "1.5" }),
            json!({ "type": "product", "prefix": "8100001", "product_code": "XB02", "units": 3 }),
            json!({ "type": "product", "prefix": "8100001", "product_code": "XB02", "units": "" }),
            json!({ "type": "item", "product_code": "XA01", "traceable": "false" }),
            json!({ "type": "item", "product_code": "CE05", "traceable": 1 }),
            json!({ "type": "exemption", "product_code": "XA01", "reason": "x" }),
            json!({ "type": "recall", "product_code": "XA01", "lot": "L1", "valid_from": "2026-02-30" }),
            json!({ "type": "recall", "product_code": "XA01", "lots": "L1" }),
            json!({ "type": "no_code_stock", "product_code": "XA01", "institution_id": 1 }),
            json!({ "type": "banned", "code": "81000010000000000001" }),
            json!({ "type": "banned_code", "code": "8100001000000000000" }),
            json!({ "type": "institution", "institution_id": institution_id, "tier": 1, "region": "999999" }),
            json!({
                "type": "institution", "institution_id": institution_id, "region": "999999",
                "codes_in_settlements_since": since,
            }),
            json!({ "type": "neighbours", "region_a": "3702", "region_b": "1101" }),
        ]);
        if self.dice.chance(15) {
            record = self.dice.pick(&self.log);
            record["deleted"] = json!(true);
            record["remark"] = json!("removed, were it not for this");
        }
        self.log.push(record);
    }

    /// Adds a record, dated at times; and at times as somebody pasted it.
    fn push_dated(&mut self, mut record: Value) {
        if self.dice.chance(20) {
            record["valid_from"] = json!(self.first_day.later(self.dice.pick(&[-59, 0, 1, 2, 4])).text());
        }
        if self.dice.chance(12) {
            record["valid_to"] = json!(self.first_day.later(self.dice.pick(&[0, 1, 2, 5])).text());
        }
        if self.dice.chance(8) {
            let name =
                self.dice.pick(&["prefix", "product_code", "institution_id", "region", "lot", "valid_from"]);
            if let Some(text) = record[name].as_str().map(str::to_owned) {
                let before = self.dice.pick(&["", " ", "\u{A0}", "\u{FEFF}"]);
                record[name] =
                    json!(format!("{before}{text}{}", self.dice.pick(&["", "\u{200B}", " ", "\u{AD} "])));
            }
        }
        self.log.push(record);
    }
}
