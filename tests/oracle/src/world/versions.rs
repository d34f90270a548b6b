//! The same documents again: corrections, partial uploads, reversals and repetitions, earlier, later and at once.

use serde_json::{Value, json};

use super::episodes::{Episodes, read_time, write_time};
use crate::moment::{HOUR_MS, Timestamp};

const HEADER: [&str; 18] = [
    "occurred_at",
    "person_id",
    "person_cert",
    "visit_id",
    "settlement_id",
    "operator_id",
    "fund_amount",
    "counterparty",
    "returns",
    "credential_type",
    "device_id",
    "operator_kind",
    "insured_region",
    "medical_type",
    "account_amount",
    "service",
    "declared_codes",
    "declared_consumable_codes",
];

/// The group of a kind, as a reversal names it.
fn group(kind: &str) -> &'static str {
    match kind {
        "settlement" => "settlement",
        "dispense" | "dispense_return" => "dispensing",
        _ => "procurement",
    }
}

fn time(upload: &Value, name: &str) -> Timestamp {
    read_time(&upload[name]).unwrap_or(Timestamp(0))
}

impl Episodes<'_> {
    /// Another version of a document, a reversal of one, or the same upload again.
    pub(super) fn happen_again(&mut self) {
        let Some(original) = self.original() else { return };
        match self.dice.below(10) {
            0 => self.uploads.push(original),
            1..=3 => self.correct(original),
            4..=6 => self.partial(original),
            7 => self.also_reverse_and_upload_again(original),
            _ => self.reverse(&original),
        }
    }

    fn original(&mut self) -> Option<Value> {
        let documents = self.uploads.iter().filter(|upload| upload["lines"].is_array()).cloned();
        let documents: Vec<Value> = documents.collect();
        if documents.is_empty() { None } else { Some(self.dice.pick(&documents)) }
    }

    /// The stamp of another version: the same (the canonical text decides), later or earlier.
    fn stamp(&mut self, original: &Value) -> String {
        let issued_at = time(original, "issued_at");
        let step = self.taste.grid_ms;
        let by = self.dice.pick(&[0, 0, 1, step, step, 2 * step, -1, -step, 48 * HOUR_MS]);
        // Not so early that the upload would be out of range: a tie is made instead.
        let earliest = time(original, "occurred_at").0 - 24 * HOUR_MS;
        let stamp = if issued_at.0 + by < earliest { issued_at.0 } else { issued_at.0 + by };
        write_time(self.dice, Timestamp(stamp))
    }

    fn correct(&mut self, original: Value) {
        let mut version = original;
        version["issued_at"] = json!(self.stamp(&version));
        self.change_header(&mut version);
        self.change_lines(&mut version);
        self.uploads.push(version);
    }

    fn change_header(&mut self, version: &mut Value) {
        if self.dice.chance(30) {
            let by = self.dice.pick(&[0, self.taste.grid_ms, -self.taste.grid_ms, 1]);
            let latest = time(version, "issued_at").0 + 24 * HOUR_MS;
            let moved = (time(version, "occurred_at").0 + by).min(latest);
            version["occurred_at"] = json!(self.write_when(Timestamp(moved)));
        }
        if self.dice.chance(15) {
            let kind = version["kind"].as_str().unwrap_or_default().to_owned();
            let kinds: &[&str] = match group(&kind) {
                "dispensing" => &["dispense", "dispense_return"],
                "procurement" => &["purchase_in", "transfer_in", "loss_out", "purchase_return", "stocktake"],
                _ => &["settlement"],
            };
            version["kind"] = json!(self.dice.pick(kinds));
        }
        if self.dice.chance(25) && group(version["kind"].as_str().unwrap_or_default()) != "procurement" {
            self.name_ids_and_person(version);
        }
        if self.dice.chance(10) {
            self.say_more(version);
        }
    }

    fn change_lines(&mut self, version: &mut Value) {
        let kind = version["kind"].as_str().unwrap_or_default().to_owned();
        let mut lines = version["lines"].as_array().cloned().unwrap_or_default();
        match self.dice.below(5) {
            0 if lines.len() > 1 => drop(lines.remove(0)),
            1 if lines.len() < 4 => {
                let line_id = self.line_id(&lines);
                lines.push(self.line(&kind, line_id));
            }
            2 if !lines.is_empty() && self.dice.chance(self.taste.refund_percent) => {
                let line_id = if lines.len() < 6 { self.line_id(&lines) } else { "3".to_owned() };
                lines.retain(|line| line["line_id"] != *line_id);
                let refund = if lines.is_empty() { None } else { Some(self.refund(&lines, line_id)) };
                lines.extend(refund);
            }
            2 | 3 if !lines.is_empty() => {
                let at = self.dice.below(lines.len());
                let line_id = lines[at]["line_id"].as_str().unwrap_or_default().to_owned();
                lines[at] = self.line(&kind, line_id);
            }
            _ => {}
        }
        version["lines"] = Value::Array(lines);
    }

    /// Some of the parts only: header, fee facets, codes facets, each or not.
    fn partial(&mut self, original: Value) {
        let mut version = original;
        version["issued_at"] = json!(self.stamp(&version));
        self.change_header(&mut version);
        self.change_lines(&mut version);
        version["partial"] = json!(true);
        let [with_header, with_fee, with_codes] = [50, 60, 60].map(|percent| self.dice.chance(percent));
        let Some(fields) = version.as_object_mut() else { return };
        if !with_header {
            fields.retain(|name, _| !HEADER.contains(&name.as_str()));
        }
        for line in fields.get_mut("lines").and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(facets) = line.as_object_mut() else { continue };
            facets.retain(|name, _| match name.as_str() {
                "line_id" => true,
                "trace_codes" => with_codes,
                _ => with_fee,
            });
            match self.dice.below(20) {
                0 => drop(facets.insert("split".to_owned(), json!(false))),
                1 => drop(facets.insert("trace_codes".to_owned(), json!([]))),
                2 => drop(facets.insert("lot".to_owned(), json!(""))),
                _ => {}
            }
        }
        if self.dice.chance(10) {
            drop(fields.remove("lines"));
        }
        self.uploads.push(version);
    }

    fn reverse(&mut self, target: &Value) {
        let mut reverses = json!({
            "group": group(target["kind"].as_str().unwrap_or_default()), "document_id": target["document_id"],
        });
        if self.dice.chance(35) {
            reverses["line_id"] = target["lines"][0]["line_id"].clone();
        } else if self.dice.chance(10) {
            reverses["line_id"] = self.dice.pick(&[json!("77"), Value::Null]);
        }
        let issued_at = self.stamp(target);
        // "every reversal counts, whatever its own document_id; its other fields are not read"
        let document_id = self.dice.pick(&["R1", "R2", "D1"]);
        let mut reversal = json!({
            "document_id": document_id, "kind": "reversal", "institution_id": target["institution_id"],
            "issued_at": issued_at, "reverses": reverses,
        });
        if self.dice.chance(10) {
            reversal["institution_id"] = json!(self.dice.pick(&self.taste.institutions));
        }
        if self.dice.chance(10) {
            reversal["occurred_at"] = json!("yesterday");
            reversal["lines"] = json!("none");
        }
        self.uploads.push(reversal);
    }

    fn also_reverse_and_upload_again(&mut self, original: Value) {
        self.reverse(&original);
        if self.dice.chance(50) {
            self.correct(original);
        } else {
            self.partial(original);
        }
    }
}
