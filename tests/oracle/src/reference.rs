//! Rules §1.4: dated reference records.

use serde_json::Value;

use super::code::{self, Scan};
use super::moment::Day;

/// The reference log, applied.
#[derive(Debug, Default)]
pub struct Reference {
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    kind: String,
    key: Vec<Option<String>>,
    valid_from: Option<Day>,
    valid_to: Option<Day>,
    fields: Value,
}

/// A product record as far as the rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The catalogue code that the prefix stands for.
    pub product_code: Option<String>,
    /// "integer ≥ 1, default 1"
    pub packs_per_code: i128,
    /// "integer ≥ 1, absent = unknown"
    pub units_per_pack: Option<i128>,
}

impl Reference {
    /// "The same key and `valid_from` again replaces, in the order of the reference log; with `deleted: true` it
    /// removes that record."
    pub fn new(log: &[Value]) -> Self {
        let mut records: Vec<Record> = Vec::new();
        for fields in log {
            let kind = text(fields, "type").unwrap_or_default();
            let key = key(&kind, fields);
            let (valid_from, valid_to) = (day(fields, "valid_from"), day(fields, "valid_to"));
            records.retain(|old| (&old.kind, &old.key, old.valid_from) != (&kind, &key, valid_from));
            if fields.get("deleted") != Some(&Value::Bool(true)) {
                records.push(Record { kind, key, valid_from, valid_to, fields: fields.clone() });
            }
        }
        Self { records }
    }

    /// "of several valid product, item or institution records of one key the one with the greatest `valid_from`
    /// (absent = smallest); of the others any valid one suffices"
    fn valid(&self, kind: &str, key: &[Option<&str>], on: Day) -> Option<&Value> {
        self.records
            .iter()
            .filter(|record| {
                record.kind == kind && record.key.iter().map(Option::as_deref).eq(key.iter().copied())
            })
            .filter(|record| record.valid_from.is_none_or(|from| from <= on))
            .filter(|record| record.valid_to.is_none_or(|to| on <= to))
            .max_by_key(|record| record.valid_from)
            .map(|record| &record.fields)
    }

    /// The product record of a prefix.
    pub fn product(&self, prefix: &str, on: Day) -> Option<Product> {
        let fields = self.valid("product", &[Some(prefix)], on)?;
        Some(Product {
            product_code: text(fields, "product_code"),
            packs_per_code: integer(fields, "packs_per_code").unwrap_or(1),
            units_per_pack: integer(fields, "units_per_pack"),
        })
    }

    /// Whether lines of a product need codes: "`item.traceable` if a record says so, else the product_code
    /// begins with X or Z".
    pub fn is_traceable(&self, product_code: &str, on: Day) -> bool {
        let said =
            self.valid("item", &[Some(product_code)], on).and_then(|item| item.get("traceable")?.as_bool());
        said.unwrap_or(product_code.starts_with(['X', 'Z']))
    }

    /// "neither an exemption nor a no_code_stock entry covers it"
    pub fn is_excused(&self, institution_id: &str, product_code: &str, on: Day) -> bool {
        let (institution, product) = (Some(institution_id), Some(product_code));
        self.valid("exemption", &[product, institution], on).is_some()
            || self.valid("exemption", &[product, None], on).is_some()
            || self.valid("no_code_stock", &[institution, product], on).is_some()
    }

    /// Whether a recall of (product_code, lot) is in force.
    pub fn is_recalled(&self, product_code: &str, lot: &str, on: Day) -> bool {
        self.valid("recall", &[Some(product_code), Some(lot)], on).is_some()
    }

    /// Whether a code, in normal form, is banned.
    pub fn is_banned(&self, code: &str, on: Day) -> bool {
        self.valid("banned_code", &[Some(code)], on).is_some()
    }

    /// "The region of an institution is its record's, else characters 2–7 of its id."
    pub fn region(&self, institution_id: &str, on: Day) -> String {
        let record = self.valid("institution", &[Some(institution_id)], on);
        record.and_then(|fields| text(fields, "region")).unwrap_or_else(|| institution_id[1..7].to_owned())
    }

    /// Whether the institution has uploaded its stock (or its dispensings) since that day or longer.
    pub fn has_uploaded(&self, what: &str, institution_id: &str, on: Day) -> bool {
        let record = self.valid("institution", &[Some(institution_id)], on);
        record.and_then(|fields| day(fields, what)).is_some_and(|since| since <= on)
    }
}

/// The key of a record; a banned code is known "in any scanned form", so its key is the normal form.
fn key(kind: &str, fields: &Value) -> Vec<Option<String>> {
    let names: &[&str] = match kind {
        "product" => &["prefix"],
        "item" => &["product_code"],
        "institution" => &["institution_id"],
        "exemption" => &["product_code", "institution_id"],
        "no_code_stock" => &["institution_id", "product_code"],
        "recall" => &["product_code", "lot"],
        "banned_code" => {
            let scanned = text(fields, "code").unwrap_or_default();
            return match code::scan(&scanned) {
                Some(Scan::Valid(code)) => vec![Some(code.normal)],
                Some(Scan::Invalid { text, .. }) => vec![Some(text)],
                None => vec![None],
            };
        }
        _ => &[],
    };
    names.iter().map(|name| text(fields, name)).collect()
}

fn text(fields: &Value, name: &str) -> Option<String> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn day(fields: &Value, name: &str) -> Option<Day> {
    Day::parse(&text(fields, name)?)
}

/// An integer, as a JSON number or as text.
fn integer(fields: &Value, name: &str) -> Option<i128> {
    match fields.get(name)? {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64().map(i128::from),
    }
}
