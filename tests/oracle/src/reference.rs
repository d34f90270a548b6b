//! Rules §1.4: dated reference records.

use serde_json::Value;

use super::clean::is_empty_character;
use super::code::{self, Code, Scan, all_digits, mod10_is_right};
use super::device_code;
use super::fields::decimal;
use super::moment::Day;

/// The reference log, applied.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    records: Vec<Record>,
}

#[derive(Debug)]
pub(crate) struct Record {
    kind: String,
    key: Vec<Option<String>>,
    valid_from: Option<Day>,
    valid_to: Option<Day>,
    fields: Value,
}

/// A product record as far as the rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// The catalogue code that the prefix stands for.
    pub product_code: Option<String>,
    /// "integer ≥ 1, default 1"
    pub packs_per_code: i128,
    /// "integer ≥ 1, absent = unknown"
    pub units_per_pack: Option<i128>,
}

/// The form of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Day,
    Bool,
    /// "integer ≥ 1"
    Integer,
    /// "decimal > 0, at most 3 places"
    Decimal,
    /// A prefix of codes.
    Prefix,
    /// A banned code.
    Scanned,
}

/// The key and the other fields of a type; none of an unknown type. (What only the patterns read is known to them
/// and nothing here, so its records are passed over.)
type Fields = &'static [(&'static str, Form)];

fn schema(kind: &str) -> Option<(Fields, Fields)> {
    Some(match kind {
        "product" => (
            &[("prefix", Form::Prefix)],
            &[
                ("product_code", Form::Text),
                ("name", Form::Text),
                ("packs_per_code", Form::Integer),
                ("units_per_pack", Form::Integer),
            ],
        ),
        "item" => (
            &[("product_code", Form::Text)],
            &[
                ("traceable", Form::Bool),
                ("watch", Form::Bool),
                ("watch_group", Form::Text),
                ("units_per_pack", Form::Integer),
                ("max_daily_units", Form::Decimal),
                ("max_days", Form::Integer),
            ],
        ),
        "institution" => (
            &[("institution_id", Form::Text)],
            &[
                ("name", Form::Text),
                ("region", Form::Text),
                ("tier", Form::Text),
                ("stock_uploaded_since", Form::Day),
                ("dispensing_uploaded_since", Form::Day),
                ("codes_in_settlement_since", Form::Day),
                ("coverage_since", Form::Day),
                ("practitioners_since", Form::Day),
                ("contract_from", Form::Day),
                ("successor_of", Form::Text),
            ],
        ),
        "exemption" => (&[("product_code", Form::Text), ("institution_id", Form::Text)], &[]),
        "no_code_stock" => (&[("institution_id", Form::Text), ("product_code", Form::Text)], &[]),
        "recall" => (&[("product_code", Form::Text), ("lot", Form::Text)], &[]),
        "banned_code" => (&[("code", Form::Scanned)], &[]),
        _ => return None,
    })
}

const COMMON: Fields = &[("valid_from", Form::Day), ("valid_to", Form::Day), ("deleted", Form::Bool)];

impl Reference {
    /// "The same key and `valid_from` again replaces, in the order of the reference log; with `deleted: true` it
    /// removes that record."
    pub(crate) fn new(log: &[Value]) -> Self {
        let mut records: Vec<Record> = Vec::new();
        for record in log.iter().filter_map(read) {
            records.retain(|old| {
                (&old.kind, &old.key, old.valid_from) != (&record.kind, &record.key, record.valid_from)
            });
            if record.fields["deleted"] != true {
                records.push(record);
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

    /// The product record of a code's prefix.
    pub(crate) fn product_of(&self, code: &Code, on: Day) -> Option<Product> {
        let fields = self.valid("product", &[Some(code.prefix.as_ref()?)], on)?;
        Some(Product {
            product_code: text(fields, "product_code"),
            packs_per_code: integer(fields, "packs_per_code").unwrap_or(1),
            units_per_pack: integer(fields, "units_per_pack"),
        })
    }

    /// Whether lines of a product need codes: "`item.traceable` if a record says so, else the product_code
    /// begins with X or Z".
    pub(crate) fn is_traceable(&self, product_code: &str, on: Day) -> bool {
        let said =
            self.valid("item", &[Some(product_code)], on).and_then(|item| item.get("traceable")?.as_bool());
        said.unwrap_or(product_code.starts_with(['X', 'Z']))
    }

    /// "neither an exemption nor a no_code_stock entry covers it"
    pub(crate) fn is_excused(&self, institution_id: &str, product_code: &str, on: Day) -> bool {
        let (institution, product) = (Some(institution_id), Some(product_code));
        self.valid("exemption", &[product, institution], on).is_some()
            || self.valid("exemption", &[product, None], on).is_some()
            || self.valid("no_code_stock", &[institution, product], on).is_some()
    }

    /// Whether a recall of (product_code, lot) is in force.
    pub(crate) fn is_recalled(&self, product_code: &str, lot: &str, on: Day) -> bool {
        self.valid("recall", &[Some(product_code), Some(lot)], on).is_some()
    }

    /// Whether a code, in normal form, is banned.
    pub(crate) fn is_banned(&self, code: &str, on: Day) -> bool {
        self.valid("banned_code", &[Some(code)], on).is_some()
    }

    /// "The region of an institution is its record's, else characters 2–7 of its id."
    pub(crate) fn region(&self, institution_id: &str, on: Day) -> String {
        let record = self.valid("institution", &[Some(institution_id)], on);
        record.and_then(|fields| text(fields, "region")).unwrap_or_else(|| institution_id[1..7].to_owned())
    }

    /// Whether the institution has uploaded something (its stock, its dispensings, the codes in the settlement)
    /// since that day or longer.
    pub(crate) fn has_uploaded(&self, what: &str, institution_id: &str, on: Day) -> bool {
        let record = self.valid("institution", &[Some(institution_id)], on);
        record.and_then(|fields| day(fields, what)).is_some_and(|since| since <= on)
    }
}

/// A record of the rules; nothing of one that is refused: "A prefix that can be no prefix …, a banned code that is
/// invalid, a value of the wrong form, an unknown field with a value: the record is refused … and changes nothing".
pub(crate) fn read(record: &Value) -> Option<Record> {
    let kind = cleaned(record.get("type")?.as_str()?);
    let (key, others) = schema(&kind)?;
    let mut fields = Value::default();
    for (name, value) in record.as_object()? {
        if name == "type" || value.is_null() || *value == "" {
            continue;
        }
        let known = key.iter().chain(others).chain(COMMON);
        let (_, form) = known.into_iter().find(|(known, _)| known == name)?;
        fields[name] = read_value(value, *form)?;
    }
    let key: Vec<Option<String>> = key.iter().map(|(name, _)| text(&fields, name)).collect();
    let may_lack = |at: usize| kind == "exemption" && at == 1;
    if key.iter().enumerate().any(|(at, part)| part.is_none() && !may_lack(at)) {
        return None;
    }
    let (valid_from, valid_to) = (day(&fields, "valid_from"), day(&fields, "valid_to"));
    Some(Record { kind, key, valid_from, valid_to, fields })
}

/// "Every text of a record is trimmed and cleaned of empty characters (§1.5)".
fn cleaned(text: &str) -> String {
    let full: String = text.chars().filter(|character| !is_empty_character(*character)).collect();
    full.trim().to_owned()
}

/// A value in its form; null of a text that is empty when cleaned.
fn read_value(value: &Value, form: Form) -> Option<Value> {
    let text = match value {
        Value::String(text) => cleaned(text),
        Value::Bool(_) if form == Form::Bool => return Some(value.clone()),
        // "a JSON number where a text is asked for is of the wrong form; a number may be given as decimal text"
        Value::Number(number) if matches!(form, Form::Integer | Form::Decimal) => number.to_string(),
        _ => return None,
    };
    if text.is_empty() {
        return Some(Value::Null);
    }
    let read = match form {
        Form::Text => text,
        Form::Day => Day::parse(&text)?.text(),
        Form::Bool => return None,
        Form::Integer => decimal(&text, 0, i128::from(i64::MAX)).filter(|number| *number >= 1)?.to_string(),
        Form::Decimal => decimal(&text, 3, i128::from(i64::MAX)).filter(|number| *number > 0)?.to_string(),
        Form::Prefix => prefix(&text)?,
        Form::Scanned => match code::scan(&text)? {
            Scan::Valid(code) => code.normal,
            Scan::Invalid { .. } => return None,
        },
    };
    Some(Value::String(read))
}

/// "7 digits, or GTIN-14 / UDI-DI"; "A prefix of 8, 12 or 13 digits is a GTIN: zeros before it make it 14."
fn prefix(text: &str) -> Option<String> {
    if all_digits(text) {
        let gtin = format!("{text:0>14}");
        return match text.len() {
            7 => Some(text.to_owned()),
            8 | 12 | 13 | 14 if mod10_is_right(&gtin) => Some(gtin),
            _ => None,
        };
    }
    device_code::prefix(text)
}

fn text(fields: &Value, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(str::to_owned)
}

fn day(fields: &Value, name: &str) -> Option<Day> {
    Day::parse(&text(fields, name)?)
}

fn integer(fields: &Value, name: &str) -> Option<i128> {
    text(fields, name)?.parse().ok()
}
