//! What the bureau writes: rulings of claims, before, between and after their versions, and payments.

use serde_json::{Value, json};

use super::episodes::{Episodes, read_time, write_time};
use crate::moment::{DAY_MS, Timestamp};

/// The rules that hold or refuse lines, and some that do not.
const RULES: [&str; 16] = [
    "no_code",
    "short_codes",
    "invalid_code",
    "swap",
    "repeated_in_document",
    "banned",
    "duplicate_settlement",
    "resale",
    "over_split",
    "held_elsewhere",
    "sold_after_stock_out",
    "person_mismatch",
    "settled_not_dispensed",
    "not_purchased",
    "unknown_product",
    "overused_code",
];

impl Episodes<'_> {
    /// A ruling or a payment of some claim; at times one that is no claim.
    pub(super) fn handle(&mut self) {
        let claims: Vec<Value> =
            self.uploads.iter().filter(|upload| upload["kind"] == "settlement").cloned().collect();
        if claims.is_empty() {
            return;
        }
        let claim = self.dice.pick(&claims);
        let handling = if self.dice.chance(85) { self.ruling(&claim) } else { self.payment(&claim) };
        self.uploads.push(handling);
        if self.dice.chance(30) {
            self.change_afterwards(&claim);
        }
        if self.dice.chance(15) {
            let again = self.ruling(&claim);
            self.uploads.push(again);
        }
    }

    /// A stamp around those of the claim's versions: exactly theirs, a millisecond beside, earlier, later.
    fn stamp_of_handling(&mut self, claim: &Value) -> String {
        let issued_at = read_time(&claim["issued_at"]).unwrap_or(Timestamp(0));
        let by = self.dice.pick(&[0, 0, 1, -1, self.taste.grid_ms, 3 * DAY_MS, 9 * DAY_MS, -DAY_MS]);
        write_time(self.dice, Timestamp(issued_at.0 + by))
    }

    /// One part of the claim again, at the stamp of a ruling or a little beside it: "whoever changes or repeats a
    /// claim afterwards is judged anew".
    fn change_afterwards(&mut self, claim: &Value) {
        let Some(ruling) = self.uploads.last().cloned() else { return };
        let issued_at = read_time(&ruling["issued_at"]).unwrap_or(Timestamp(0));
        let stamp = Timestamp(issued_at.0 + self.dice.pick(&[0, 1, -1, self.taste.grid_ms]));
        let mut version = json!({
            "kind": "settlement", "institution_id": claim["institution_id"], "document_id": claim["document_id"],
            "issued_at": write_time(self.dice, stamp), "partial": true,
        });
        let lines = claim["lines"].as_array().cloned().unwrap_or_default();
        let line = lines.get(self.dice.below(lines.len())).cloned().unwrap_or(json!({ "line_id": "1" }));
        match self.dice.below(4) {
            0 => version["occurred_at"] = claim["occurred_at"].clone(),
            1 => {
                let mut fee = line;
                fee.as_object_mut().map(|fields| fields.remove("trace_codes"));
                version["lines"] = json!([fee]);
            }
            2 => {
                let codes = line["trace_codes"].clone();
                version["lines"] = json!([{ "line_id": line["line_id"], "trace_codes": codes }]);
            }
            _ => {
                version["lines"] = json!([{
                    "line_id": "R", "adjusts": line["line_id"], "amount": "0.01", "fund_amount": "0.01",
                }]);
            }
        }
        self.uploads.push(version);
    }

    fn ruling(&mut self, claim: &Value) -> Value {
        let mut ruling = json!({
            "kind": "ruling", "institution_id": claim["institution_id"], "document_id": claim["document_id"],
            "verdict": self.dice.pick(&["pay", "pay", "pay", "pay", "hold", "refuse", "none"]),
            "rules": self.rules(), "issued_at": self.stamp_of_handling(claim),
            "ruled_by": self.dice.pick(&["医保局甲", "医保局乙"]), "basis": self.dice.pick(&["复核", "A-17"]),
        });
        if self.dice.chance(45) {
            let lines = claim["lines"].as_array().cloned().unwrap_or_default();
            let line_id = lines.get(self.dice.below(lines.len())).map(|line| line["line_id"].clone());
            ruling["line_id"] = line_id.unwrap_or(json!("1"));
        }
        if self.dice.chance(8) {
            self.misrule(&mut ruling);
        }
        ruling
    }

    fn rules(&mut self) -> Value {
        if self.dice.chance(30) {
            return json!(RULES);
        }
        let count = self.dice.between(0, 4);
        let rules: Vec<&str> = (0..count).map(|_| self.dice.pick(&RULES)).collect();
        json!(rules)
    }

    /// What makes a ruling malformed, and what does not.
    fn misrule(&mut self, ruling: &mut Value) {
        let (name, value) = self.dice.pick(&[
            ("rules", json!(["no_such_rule"])),
            ("rules", json!([""])),
            ("rules", json!("no_code")),
            ("rules", json!([])),
            ("rules", json!(["growth", "overused_party"])),
            ("rules", Value::Null),
            ("line_id", json!("")),
            ("line_id", Value::Null),
            ("verdict", json!("paid")),
            ("verdict", json!("")),
            ("ruled_by", json!("")),
            ("basis", Value::Null),
            ("issued_at", json!("2026-03-04")),
        ]);
        ruling[name] = value;
    }

    fn payment(&mut self, claim: &Value) -> Value {
        let mut payment = json!({
            "kind": "payment", "institution_id": claim["institution_id"], "document_id": claim["document_id"],
            "payment_id": self.dice.pick(&["B1", "批3"]), "amount": self.dice.pick(&[json!("7"), json!(3), json!("0")]),
            "paid_on": self.taste.first_day.later(self.dice.between(0, 40)).text(),
            "issued_at": self.stamp_of_handling(claim),
        });
        if self.dice.chance(30) {
            let (name, value) = self.dice.pick(&[
                ("recovered", json!(true)),
                ("withdrawn", json!(true)),
                ("amount", json!("-1")),
                ("paid_on", json!("2026-02-30")),
                ("payment_id", json!("")),
            ]);
            payment[name] = value;
        }
        payment
    }
}
