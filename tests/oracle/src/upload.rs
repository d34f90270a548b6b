//! Design §4(a): one upload in canonical JSON, read or refused.
//!
//! "Absent and null are the same; unknown fields are ignored"; "empty text is the same as absent". The order of
//! the checks decides only which reason is given when several hold, which nobody compares.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::code::{self, Code, Scan};
use super::moment::{DAY_MS, Day, Timestamp};

/// Why an upload is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a JSON object.
    Unparseable,
    /// A required field is absent.
    MissingField,
    /// A field has a wrong form.
    MalformedField,
    /// Longer or more than the limits.
    OverLimit,
    /// A time is not plausible.
    TimeOutOfRange,
}

/// An upload that is not rejected.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The institution that sent it.
    pub institution_id: String,
    /// The moment at which its sender issued it.
    pub issued_at: Timestamp,
    /// What it says.
    pub content: Content,
}

/// What an upload says.
#[derive(Clone, Debug)]
pub enum Content {
    /// A version of the parts of a document that it carries.
    Parts(Parts),
    /// A reversal of a document or of one of its lines.
    Reversal {
        /// The group of the target.
        group: String,
        /// The document_id of the target.
        document_id: String,
        /// The line of the target, or the whole document.
        line_id: Option<String>,
    },
}

/// The parts that an upload carries.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The group that its kind has.
    pub group: &'static str,
    /// The document's own id.
    pub document_id: String,
    /// Whether it replaces the document.
    pub is_full: bool,
    /// The header, when carried.
    pub header: Option<Header>,
    /// The facets carried, by line.
    pub lines: BTreeMap<String, (Option<Fee>, Option<Codes>)>,
}

/// The part *header*.
#[derive(Clone, Debug)]
pub struct Header {
    /// The kind of the document.
    pub kind: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The header's text fields, by name (`returns.line_id`, `counterparty.invoice`, …).
    pub texts: BTreeMap<&'static str, String>,
    /// What the fund is asked for, in fen.
    pub fund_fen: Option<i128>,
}

/// The facet *fee* of a line.
#[derive(Clone, Debug, Default)]
pub struct Fee {
    /// product_code, product_name and lot.
    pub texts: BTreeMap<&'static str, String>,
    /// Quantity in thousandths.
    pub quantity: Option<i128>,
    /// Whether the pack was opened.
    pub split: bool,
    /// The price of the line in fen.
    pub amount_fen: Option<i128>,
    /// What the fund is asked for, in fen.
    pub fund_fen: Option<i128>,
    /// The last day on which the product may be used.
    pub expires_on: Option<Day>,
}

/// The facet *codes* of a line.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The valid codes, each once, with the sum (in thousandths) of the units given with them.
    pub valid: BTreeMap<Code, Option<i128>>,
    /// The invalid ones: text and reason, with their units likewise.
    pub invalid: BTreeMap<(String, &'static str), Option<i128>>,
}

const GROUPS: [&str; 3] = ["procurement", "dispensing", "settlement"];
const HEADER_TEXTS: [&str; 5] = ["person_id", "person_cert", "visit_id", "settlement_id", "operator_id"];
const COUNTERPARTY_TEXTS: [(&str, &str); 4] = [
    ("name", "counterparty.name"),
    ("license", "counterparty.license"),
    ("delivery_note", "counterparty.delivery_note"),
    ("invoice", "counterparty.invoice"),
];
const FEE_KEYS: [&str; 8] =
    ["product_code", "product_name", "quantity", "split", "amount", "fund_amount", "lot", "expires_on"];
const ID_CHARACTERS_MAX: usize = 64;
const LINES_MAX: usize = 5_000;
const CODES_MAX: usize = 20_000;

/// The group of a kind (§1.3).
fn group_of(kind: &str) -> Option<&'static str> {
    match kind {
        "purchase_in" | "transfer_in" | "gift_in" | "gain_in" | "other_in" | "purchase_return"
        | "transfer_out" | "gift_return" | "loss_out" | "destroyed" | "other_out" | "stocktake" => {
            Some("procurement")
        }
        "dispense" | "dispense_return" => Some("dispensing"),
        "settlement" => Some("settlement"),
        _ => None,
    }
}

/// Reads an upload, or says why it is rejected.
pub fn read(value: &Value) -> Result<Upload, Refusal> {
    let fields = value.as_object().ok_or(Refusal::Unparseable)?;
    let document_id = id(fields, "document_id")?.ok_or(Refusal::MissingField)?;
    let kind = text(fields, "kind")?.ok_or(Refusal::MissingField)?;
    let institution_id = text(fields, "institution_id")?.ok_or(Refusal::MissingField)?;
    let issued_at = time(fields, "issued_at")?.ok_or(Refusal::MissingField)?;
    let in_form = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if institution_id.len() != 12 || !institution_id.bytes().all(in_form) {
        return Err(Refusal::MalformedField);
    }
    in_range(issued_at)?;
    let content = if kind == "reversal" {
        reversal(fields)?
    } else {
        let group = group_of(&kind).ok_or(Refusal::MalformedField)?;
        parts(fields, group, document_id, kind, issued_at)?
    };
    Ok(Upload { institution_id, issued_at, content })
}

/// "its other fields are not read; an empty `line_id` is malformed"
fn reversal(fields: &Map<String, Value>) -> Result<Content, Refusal> {
    let target = object(fields, "reverses")?.ok_or(Refusal::MissingField)?;
    let group = text(target, "group")?.ok_or(Refusal::MissingField)?;
    let document_id = id(target, "document_id")?.ok_or(Refusal::MissingField)?;
    if !GROUPS.contains(&group.as_str()) || target.get("line_id").is_some_and(|line_id| line_id == "") {
        return Err(Refusal::MalformedField);
    }
    Ok(Content::Reversal { group, document_id, line_id: id(target, "line_id")? })
}

fn parts(
    fields: &Map<String, Value>,
    group: &'static str,
    document_id: String,
    kind: String,
    issued_at: Timestamp,
) -> Result<Content, Refusal> {
    let is_full = !boolean(fields, "partial")?;
    let header = header(fields, kind, issued_at)?;
    let lines = lines(fields, is_full)?;
    let carries_nothing = lines.values().all(|(fee, codes)| fee.is_none() && codes.is_none());
    if is_full && (header.is_none() || lines.is_empty()) || header.is_none() && carries_nothing {
        return Err(Refusal::MissingField);
    }
    Ok(Content::Parts(Parts { group, document_id, is_full, header, lines }))
}

/// The header, carried when there is `occurred_at`. "A partial upload with header fields but no `occurred_at` …
/// is rejected"; a full one needs `occurred_at` anyway.
fn header(
    fields: &Map<String, Value>,
    kind: String,
    issued_at: Timestamp,
) -> Result<Option<Header>, Refusal> {
    let mut texts = BTreeMap::new();
    for name in HEADER_TEXTS {
        let mut value = id(fields, name)?;
        if name.starts_with("person_") {
            // "Person identifiers are trimmed and upper-cased before anything else."
            value = value.map(|text| text.trim().to_uppercase()).filter(|text| !text.is_empty());
        }
        texts.extend(value.map(|value| (name, value)));
    }
    if let Some(counterparty) = object(fields, "counterparty")? {
        for (field, name) in COUNTERPARTY_TEXTS {
            texts.extend(text(counterparty, field)?.map(|value| (name, value)));
        }
    }
    if let Some(returns) = object(fields, "returns")? {
        let document_id = id(returns, "document_id")?.ok_or(Refusal::MissingField)?;
        texts.insert("returns.document_id", document_id);
        texts.extend(id(returns, "line_id")?.map(|value| ("returns.line_id", value)));
    }
    let fund_fen = money(fields, "fund_amount")?;
    let Some(occurred_at) = time(fields, "occurred_at")? else {
        let has_fields = !texts.is_empty() || fund_fen.is_some();
        return if has_fields { Err(Refusal::MissingField) } else { Ok(None) };
    };
    in_range(occurred_at)?;
    if issued_at.0 < occurred_at.0 - DAY_MS {
        return Err(Refusal::TimeOutOfRange);
    }
    Ok(Some(Header { kind, occurred_at, texts, fund_fen }))
}

/// "before 2015-01-01 Beijing time"
fn in_range(time: Timestamp) -> Result<(), Refusal> {
    let first = Timestamp::parse("2015-01-01T00:00:00+08:00").ok_or(Refusal::TimeOutOfRange)?;
    if time < first { Err(Refusal::TimeOutOfRange) } else { Ok(()) }
}

type Lines = BTreeMap<String, (Option<Fee>, Option<Codes>)>;

fn lines(fields: &Map<String, Value>, is_full: bool) -> Result<Lines, Refusal> {
    let mut lines = Lines::new();
    let mut codes_total = 0;
    let mut seen = BTreeSet::new();
    for line in array(fields, "lines")? {
        let line = line.as_object().ok_or(Refusal::MalformedField)?;
        let line_id = id(line, "line_id")?.ok_or(Refusal::MissingField)?;
        if !seen.insert(line_id.clone()) {
            return Err(Refusal::MalformedField);
        }
        let fee = fee(line)?;
        let codes = codes(line, &mut codes_total)?;
        // "a facet when one of its keys is present with a value other than null or empty text"; a full upload
        // carries "both facets of each of its lines, empty where it says nothing".
        let carries_fee = is_full || FEE_KEYS.iter().any(|key| present(line, key).is_some());
        let carries_codes = is_full || present(line, "trace_codes").is_some();
        lines.insert(line_id, (carries_fee.then_some(fee), carries_codes.then_some(codes)));
    }
    if lines.len() > LINES_MAX || codes_total > CODES_MAX {
        return Err(Refusal::OverLimit);
    }
    Ok(lines)
}

fn fee(line: &Map<String, Value>) -> Result<Fee, Refusal> {
    let mut texts = BTreeMap::new();
    for name in ["product_code", "product_name", "lot"] {
        texts.extend(text(line, name)?.map(|value| (name, value)));
    }
    let expires_on = match text(line, "expires_on")? {
        Some(day) => Some(Day::parse(&day).ok_or(Refusal::MalformedField)?),
        None => None,
    };
    Ok(Fee {
        texts,
        quantity: quantity(line, "quantity")?,
        split: boolean(line, "split")?,
        amount_fen: money(line, "amount")?,
        fund_fen: money(line, "fund_amount")?,
        expires_on,
    })
}

/// "A code is text or an object with `code`"; equal ones merged, "`units` given with them add up".
fn codes(line: &Map<String, Value>, codes_total: &mut usize) -> Result<Codes, Refusal> {
    let mut codes = Codes::default();
    for entry in array(line, "trace_codes")? {
        *codes_total += 1;
        let (scanned, units) = match entry {
            Value::String(scanned) => (scanned.clone(), None),
            Value::Object(fields) => {
                (text(fields, "code")?.ok_or(Refusal::MissingField)?, quantity(fields, "units")?)
            }
            _ => return Err(Refusal::MalformedField),
        };
        let sum = match code::scan(&scanned) {
            None => continue,
            Some(Scan::Valid(code)) => codes.valid.entry(code).or_default(),
            Some(Scan::Invalid { text, reason }) => codes.invalid.entry((text, reason)).or_default(),
        };
        if let Some(units) = units {
            *sum = Some(sum.unwrap_or(0) + units);
        }
    }
    Ok(codes)
}

/// A field that is there: neither absent nor null nor empty text.
fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null() && *value != "")
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match present(fields, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::MalformedField),
    }
}

fn id(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    let id = text(fields, name)?;
    let is_long = id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARACTERS_MAX);
    if is_long { Err(Refusal::OverLimit) } else { Ok(id) }
}

fn boolean(fields: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match present(fields, name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Refusal::MalformedField),
    }
}

fn object<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
    match present(fields, name) {
        None => Ok(None),
        Some(Value::Object(value)) => Ok(Some(value)),
        Some(_) => Err(Refusal::MalformedField),
    }
}

fn array<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], Refusal> {
    match present(fields, name) {
        None => Ok(&[]),
        Some(Value::Array(values)) => Ok(values),
        Some(_) => Err(Refusal::MalformedField),
    }
}

fn time(fields: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match text(fields, name)? {
        None => Ok(None),
        Some(text) => Timestamp::parse(&text).map(Some).ok_or(Refusal::MalformedField),
    }
}

/// "Quantity and units: decimal, > 0, at most 3 places, ≤ 10^9 (text, or a JSON number)", in thousandths.
fn quantity(fields: &Map<String, Value>, name: &str) -> Result<Option<i128>, Refusal> {
    let quantity = decimal(fields, name, 3, 1_000_000_000)?;
    if quantity == Some(0) { Err(Refusal::MalformedField) } else { Ok(quantity) }
}

/// "Money: decimal yuan, ≥ 0, at most 2 places, ≤ 10^12", in fen.
fn money(fields: &Map<String, Value>, name: &str) -> Result<Option<i128>, Refusal> {
    decimal(fields, name, 2, 1_000_000_000_000)
}

/// A decimal as an integer in units of its last place; "trailing zeros do not count".
fn decimal(
    fields: &Map<String, Value>,
    name: &str,
    places: usize,
    greatest: i128,
) -> Result<Option<i128>, Refusal> {
    let text = match present(fields, name) {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(Refusal::MalformedField),
    };
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(Refusal::MalformedField),
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (text.as_str(), ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > places {
        return Err(Refusal::MalformedField);
    }
    let number: i128 = format!("{whole}{fraction:0<places$}").parse().map_err(|_| Refusal::MalformedField)?;
    if number > greatest * 10_i128.pow(places as u32) {
        return Err(Refusal::MalformedField);
    }
    Ok(Some(number))
}
