//! Uploads that are rejected, each next to one that is like it and is not.

use serde_json::{Value, json};

use super::episodes::{Episodes, write_time};
use crate::moment::{DAY_MS, Timestamp};

impl Episodes<'_> {
    /// A copy of some upload with one thing wrong with it (or, at a limit, just right).
    pub(super) fn spoil(&mut self) {
        let documents: Vec<Value> =
            self.uploads.iter().filter(|upload| upload["lines"].is_array()).cloned().collect();
        if documents.is_empty() {
            return;
        }
        let mut upload = self.dice.pick(&documents);
        if self.dice.chance(50) {
            upload["document_id"] = json!(format!("bad{}", self.uploads.len()));
        }
        match self.dice.below(8) {
            0 => self.leave_out(&mut upload),
            1 => self.misname(&mut upload),
            2 => self.mistime(&mut upload),
            3 | 4 => self.misstate_line(&mut upload),
            5 => self.misstate_codes(&mut upload),
            6 => self.mispart(&mut upload),
            _ => upload = self.misreverse(&upload),
        }
        self.uploads.push(upload);
    }

    fn leave_out(&mut self, upload: &mut Value) {
        let name =
            self.dice.pick(&["document_id", "kind", "institution_id", "issued_at", "occurred_at", "lines"]);
        upload["partial"] = json!(false);
        upload[name] = match name {
            "lines" => self.dice.pick(&[Value::Null, json!([])]),
            _ => self.dice.pick(&[Value::Null, json!("")]),
        };
    }

    fn misname(&mut self, upload: &mut Value) {
        let (name, value) = self.dice.pick(&[
            ("institution_id", "h37020300001"),
            ("institution_id", "H3702030001"),
            ("institution_id", "H370203000012"),
            ("kind", "sale"),
            ("kind", "Settlement"),
            ("insured_region", "37020"),
            ("service", "by_post"),
            ("declared_codes", "1000001"),
            ("account_amount", "1.001"),
            ("medical_type", "whatever"),
        ]);
        upload[name] = json!(value);
        if self.dice.chance(20) {
            upload["document_id"] = json!("X".repeat(65));
        }
    }

    /// Times without offset, that do not exist, or that are out of range; and the limits of the range.
    fn mistime(&mut self, upload: &mut Value) {
        let (name, value) = self.dice.pick(&[
            ("issued_at", "2026-03-04T00:00:00"),
            ("issued_at", "2026-02-30T00:00:00+08:00"),
            ("issued_at", "2026-03-04 00:00"),
            ("occurred_at", "2026-03-04"),
            ("occurred_at", "2026-02-30"),
            ("occurred_at", "2026-3-4"),
            ("occurred_at", "20260304"),
            ("occurred_at", "2014-12-31"),
            ("occurred_at", "2015-01-01"),
            ("issued_at", "2026-03-04"),
            ("occurred_at", "2014-12-31T23:59:59.9999+08:00"),
            ("occurred_at", "2015-01-01T00:00:00+08:00"),
            ("issued_at", "2014-06-01T00:00:00Z"),
        ]);
        if self.dice.chance(60) {
            upload[name] = json!(value);
            return;
        }
        // "issued_at earlier than occurred_at by more than 1 day", of a day: its beginning.
        let issued_at = upload["issued_at"].as_str().and_then(Timestamp::parse).unwrap_or(Timestamp(0));
        let occurred_at = Timestamp(issued_at.0 + DAY_MS + self.dice.between(0, 1));
        upload["occurred_at"] = json!(write_time(self.dice, occurred_at));
    }

    fn misstate_line(&mut self, upload: &mut Value) {
        let (name, value) = self.dice.pick(&[
            ("line_id", json!("")),
            ("line_id", json!("X".repeat(65))),
            ("quantity", json!("-1")),
            ("quantity", json!("0")),
            ("quantity", json!("1.0001")),
            ("quantity", json!("one")),
            ("quantity", json!("+5")),
            ("quantity", json!("1e3")),
            ("quantity", json!(".")),
            ("quantity", json!(".0")),
            ("quantity", json!("1.2.3")),
            ("quantity", json!("1000000000.001")),
            ("quantity", json!("1000000000")),
            ("amount", json!("1.001")),
            ("amount", json!("-1")),
            ("amount", json!("1000000000000.01")),
            ("fund_amount", json!("1,00")),
            ("split", json!("yes")),
            ("expires_on", json!("2026-02-30")),
            ("lot", json!(5)),
            ("adjusts", json!("X".repeat(65))),
            ("adjusts", json!(1)),
            ("days_supply", json!("0")),
            ("rx_external", json!("true")),
        ]);
        let Some(lines) = upload["lines"].as_array_mut() else { return };
        if self.dice.chance(10) {
            lines.extend(lines.first().cloned());
        } else if let Some(line) = lines.first_mut() {
            line[name] = value;
        }
    }

    fn misstate_codes(&mut self, upload: &mut Value) {
        let codes = self.dice.pick(&[
            json!("81000010000000000001"),
            json!([5]),
            json!([{ "code": 5 }]),
            json!([{ "code": "81000010000000000001", "units": "0" }]),
            json!([{ "code": "81000010000000000001", "units": "-2" }]),
            json!([{ "code": "81000010000000000001", "units": "0.0005" }]),
            json!([true]),
        ]);
        if upload["lines"][0].is_object() {
            upload["lines"][0]["trace_codes"] = codes;
        }
    }

    /// "A partial upload with header fields but no `occurred_at`, or one that carries nothing at all".
    fn mispart(&mut self, upload: &mut Value) {
        let Some(fields) = upload.as_object_mut() else { return };
        fields.remove("occurred_at");
        for name in [
            "person_id",
            "person_cert",
            "visit_id",
            "settlement_id",
            "operator_id",
            "fund_amount",
            "counterparty",
            "returns",
        ] {
            fields.remove(name);
        }
        fields.insert("partial".to_owned(), json!(true));
        match self.dice.below(4) {
            0 => drop(fields.insert("operator_id".to_owned(), json!("O2"))),
            1 => drop(fields.remove("lines")),
            2 => drop(fields.insert("lines".to_owned(), json!([{ "line_id": "2", "lot": "" }]))),
            _ => drop(fields.insert("partial".to_owned(), json!("true"))),
        }
    }

    fn misreverse(&mut self, upload: &Value) -> Value {
        let target = &upload["document_id"];
        let reverses = self.dice.pick(&[
            json!({ "group": "dispensing", "document_id": target, "line_id": "" }),
            json!({ "group": "settlement", "document_id": target, "line_id": "" }),
            json!({ "group": "settlements", "document_id": target }),
            json!({ "document_id": target }),
            json!({ "group": "dispensing" }),
            Value::Null,
        ]);
        json!({
            "document_id": "R9", "kind": "reversal", "institution_id": upload["institution_id"],
            "issued_at": "2026-03-20T00:00:00+08:00", "reverses": reverses,
        })
    }
}
