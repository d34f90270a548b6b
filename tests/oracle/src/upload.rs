//! Design §4(a): one upload in canonical JSON, read or refused.
//!
//! "Absent and null are the same; unknown fields are ignored"; "empty text is the same as absent". The order of
//! the checks decides only which reason is given when several hold, which nobody compares.

use std::collections::BTreeMap;

use serde_json::Value;

use super::code::{self, Code, Scan};
use super::json::{Fields, Json};
use super::moment::{DAY_MS, Day, Timestamp};
use super::ruling::{self, Ruling};

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
    /// The institution that sent it, or whose claim it is about.
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
    /// What an authorised person decided about a claim.
    Ruling(Ruling),
    /// What was paid for a claim; no verdict depends on it.
    Payment,
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
    /// When it happened: the moment that stands for the day, where a day is all that is known.
    pub occurred_at: Timestamp,
    /// Whether it was given as a day.
    pub is_day: bool,
    /// The header's text fields, by name (`returns.line_id`, `counterparty.invoice`, …).
    pub texts: BTreeMap<&'static str, String>,
    /// The header's numbers, by name: money in fen, declared numbers of codes.
    pub numbers: BTreeMap<&'static str, i128>,
}

/// The facet *fee* of a line.
#[derive(Clone, Debug, Default)]
pub struct Fee {
    /// The line's text fields, by name.
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
    /// Whether the prescription came from elsewhere.
    pub rx_external: bool,
    /// For how many days it is, in thousandths.
    pub days_supply: Option<i128>,
}

/// The facet *codes* of a line.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The valid codes, each once, with the sum (in thousandths) of the units given with them.
    pub valid: BTreeMap<Code, Option<i128>>,
    /// The invalid ones: text and reason, with their units likewise.
    pub invalid: BTreeMap<(String, &'static str), Option<i128>>,
}

impl Codes {
    /// Whether there is no code at all, valid or not.
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty() && self.invalid.is_empty()
    }
}

const GROUPS: [&str; 3] = ["procurement", "dispensing", "settlement"];
const HEADER_TEXTS: [&str; 9] = [
    "person_id",
    "person_cert",
    "visit_id",
    "settlement_id",
    "operator_id",
    "credential_type",
    "device_id",
    "operator_kind",
    "medical_type",
];
const COUNTERPARTY_TEXTS: [(&str, &str); 4] = [
    ("name", "counterparty.name"),
    ("license", "counterparty.license"),
    ("delivery_note", "counterparty.delivery_note"),
    ("invoice", "counterparty.invoice"),
];
/// The texts of a fee facet that are ids, of at most 64 characters.
const FEE_IDS: [&str; 5] = ["adjusts", "rx_id", "prescriber_id", "pharmacist_id", "department_id"];
const FEE_TEXTS: [&str; 3] = ["product_code", "product_name", "lot"];
const FEE_OTHERS: [&str; 7] =
    ["quantity", "split", "amount", "fund_amount", "expires_on", "rx_external", "days_supply"];
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

/// Reads an upload, or says why it is rejected; a text is one as it was written.
pub fn read(value: &Value) -> Result<Upload, Refusal> {
    match value {
        Value::String(text) => read_text(text),
        _ => read_json(&Json::from(value)),
    }
}

/// Reads an upload as it was written, fields that stand twice included.
pub fn read_text(text: &str) -> Result<Upload, Refusal> {
    read_json(&Json::parse(text).ok_or(Refusal::Unparseable)?)
}

fn read_json(json: &Json) -> Result<Upload, Refusal> {
    let Json::Object(fields) = json else { return Err(Refusal::Unparseable) };
    let fields = opened(fields)?;
    let document_id = fields.required_id("document_id")?;
    let kind = fields.text("kind")?.ok_or(Refusal::MissingField)?;
    let institution_id = fields.text("institution_id")?.ok_or(Refusal::MissingField)?;
    let issued_at = fields.time("issued_at")?.ok_or(Refusal::MissingField)?;
    let in_form = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if institution_id.len() != 12 || !institution_id.bytes().all(in_form) {
        return Err(Refusal::MalformedField);
    }
    in_range(issued_at)?;
    let content = match kind.as_str() {
        "reversal" => reversal(fields)?,
        "ruling" => Content::Ruling(ruling::read(fields, document_id)?),
        "payment" => payment(fields)?,
        _ => {
            let group = group_of(&kind).ok_or(Refusal::MalformedField)?;
            parts(fields, group, document_id, kind, issued_at)?
        }
    };
    Ok(Upload { institution_id, issued_at, content })
}

/// "A structured-mode CloudEvent (JSON with `specversion` and `data`) is opened once; `data` that is no object is
/// `unparseable`."
fn opened(fields: &Fields) -> Result<&Fields, Refusal> {
    if !fields.has("specversion") || !fields.has("data") {
        return Ok(fields);
    }
    match fields.get("data")? {
        Some(Json::Object(data)) => Ok(data),
        _ => Err(Refusal::Unparseable),
    }
}

/// "its other fields are not read; an empty `line_id` is malformed"
fn reversal(fields: &Fields) -> Result<Content, Refusal> {
    let target = fields.object("reverses")?.ok_or(Refusal::MissingField)?;
    let group = target.text("group")?.ok_or(Refusal::MissingField)?;
    let document_id = target.required_id("document_id")?;
    if !GROUPS.contains(&group.as_str()) || target.is_empty_text("line_id") {
        return Err(Refusal::MalformedField);
    }
    Ok(Content::Reversal { group, document_id, line_id: target.id("line_id")? })
}

/// "Required of a payment: payment_id, amount, paid_on, issued_at."
fn payment(fields: &Fields) -> Result<Content, Refusal> {
    fields.required_id("payment_id")?;
    fields.money("amount")?.ok_or(Refusal::MissingField)?;
    fields.day("paid_on")?.ok_or(Refusal::MissingField)?;
    fields.boolean("recovered")?;
    fields.boolean("withdrawn")?;
    Ok(Content::Payment)
}

fn parts(
    fields: &Fields,
    group: &'static str,
    document_id: String,
    kind: String,
    issued_at: Timestamp,
) -> Result<Content, Refusal> {
    let is_full = !fields.boolean("partial")?;
    let lines = lines(fields, is_full, kind == "stocktake")?;
    let header = header(fields, kind, issued_at)?;
    let carries_nothing = lines.values().all(|(fee, codes)| fee.is_none() && codes.is_none());
    if is_full && (header.is_none() || lines.is_empty()) || header.is_none() && carries_nothing {
        return Err(Refusal::MissingField);
    }
    Ok(Content::Parts(Parts { group, document_id, is_full, header, lines }))
}

/// The header, carried when there is `occurred_at`. "A partial upload with header fields but no `occurred_at` …
/// is rejected"; a full one needs `occurred_at` anyway.
fn header(fields: &Fields, kind: String, issued_at: Timestamp) -> Result<Option<Header>, Refusal> {
    let texts = header_texts(fields)?;
    let mut numbers = BTreeMap::new();
    for name in ["fund_amount", "account_amount"] {
        numbers.extend(fields.money(name)?.map(|fen| (name, fen)));
    }
    for name in ["declared_codes", "declared_consumable_codes"] {
        numbers.extend(fields.whole(name)?.map(|count| (name, count)));
    }
    let Some(text) = fields.text("occurred_at")? else {
        let has_fields = !texts.is_empty() || !numbers.is_empty();
        return if has_fields { Err(Refusal::MissingField) } else { Ok(None) };
    };
    let day = Day::parse(&text);
    let beginning = match day {
        Some(day) => day.beginning(),
        None => Timestamp::parse(&text).ok_or(Refusal::MalformedField)?,
    };
    in_range(beginning)?;
    if issued_at.0 < beginning.0 - DAY_MS {
        return Err(Refusal::TimeOutOfRange);
    }
    let occurred_at = Timestamp(beginning.0 + day.map_or(0, |_| moment_of_day_ms(&kind)));
    Ok(Some(Header { kind, occurred_at, is_day: day.is_some(), texts, numbers }))
}

/// "Its moment is 00:00:00.000 for stock in and stocktake, 23:59:59.000 for dispense and settlement, 23:59:59.998
/// for dispense_return, 23:59:59.999 for stock out".
fn moment_of_day_ms(kind: &str) -> i64 {
    match kind {
        "purchase_in" | "transfer_in" | "gift_in" | "gain_in" | "other_in" | "stocktake" => 0,
        "dispense" | "settlement" => DAY_MS - 1_000,
        "dispense_return" => DAY_MS - 2,
        _ => DAY_MS - 1,
    }
}

fn header_texts(fields: &Fields) -> Result<BTreeMap<&'static str, String>, Refusal> {
    let mut texts = BTreeMap::new();
    for name in HEADER_TEXTS {
        let mut value = fields.id(name)?;
        if name.starts_with("person_") {
            // "Person identifiers are trimmed and upper-cased before anything else."
            value = value.map(|text| text.trim().to_uppercase()).filter(|text| !text.is_empty());
        }
        texts.extend(value.map(|value| (name, value)));
    }
    if let Some(region) = fields.id("insured_region")? {
        if region.len() != 6 || !region.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::MalformedField);
        }
        texts.insert("insured_region", region);
    }
    if let Some(service) = fields.text("service")? {
        if !["in_person", "online"].contains(&service.as_str()) {
            return Err(Refusal::MalformedField);
        }
        texts.insert("service", service);
    }
    if let Some(counterparty) = fields.object("counterparty")? {
        for (field, name) in COUNTERPARTY_TEXTS {
            texts.extend(counterparty.text(field)?.map(|value| (name, value)));
        }
    }
    if let Some(returns) = fields.object("returns")? {
        texts.insert("returns.document_id", returns.required_id("document_id")?);
        texts.extend(returns.id("line_id")?.map(|value| ("returns.line_id", value)));
    }
    Ok(texts)
}

/// "before 2015-01-01 Beijing time"
fn in_range(time: Timestamp) -> Result<(), Refusal> {
    let first = Timestamp::parse("2015-01-01T00:00:00+08:00").ok_or(Refusal::TimeOutOfRange)?;
    if time < first { Err(Refusal::TimeOutOfRange) } else { Ok(()) }
}

type Lines = BTreeMap<String, (Option<Fee>, Option<Codes>)>;

fn lines(fields: &Fields, is_full: bool, is_stocktake: bool) -> Result<Lines, Refusal> {
    let mut lines = Lines::new();
    let mut codes_total = 0;
    for line in fields.joined("lines")? {
        let Json::Object(line) = line else { return Err(Refusal::MalformedField) };
        let line_id = line.required_id("line_id")?;
        let fee = fee(line, is_stocktake)?;
        let codes = codes(line, &mut codes_total)?;
        // "a facet when one of its keys is present with a value other than null or empty text"; a full upload
        // carries "both facets of each of its lines, empty where it says nothing".
        let fee_keys = FEE_IDS.iter().chain(&FEE_TEXTS).chain(&FEE_OTHERS);
        let carries_fee = is_full || fee_keys.into_iter().any(|key| line.has(key));
        let carries_codes = is_full || line.has("trace_codes");
        let facets = (carries_fee.then_some(fee), carries_codes.then_some(codes));
        if lines.insert(line_id, facets).is_some() {
            return Err(Refusal::MalformedField);
        }
    }
    if lines.len() > LINES_MAX || codes_total > CODES_MAX {
        return Err(Refusal::OverLimit);
    }
    Ok(lines)
}

fn fee(line: &Fields, is_stocktake: bool) -> Result<Fee, Refusal> {
    let mut texts = BTreeMap::new();
    for name in FEE_IDS {
        texts.extend(line.id(name)?.map(|value| (name, value)));
    }
    for name in FEE_TEXTS {
        texts.extend(line.text(name)?.map(|value| (name, value)));
    }
    Ok(Fee {
        texts,
        quantity: line.quantity("quantity", is_stocktake)?,
        split: line.boolean("split")?,
        amount_fen: line.money("amount")?,
        fund_fen: line.money("fund_amount")?,
        expires_on: line.day("expires_on")?,
        rx_external: line.boolean("rx_external")?,
        days_supply: line.quantity("days_supply", false)?,
    })
}

/// "A code is text or an object with `code`"; equal ones merged, "`units` given with them add up".
fn codes(line: &Fields, codes_total: &mut usize) -> Result<Codes, Refusal> {
    let mut codes = Codes::default();
    for entry in line.joined("trace_codes")? {
        *codes_total += 1;
        let (scanned, units) = match entry {
            Json::Text(scanned) => (scanned.clone(), None),
            Json::Object(fields) => {
                (fields.text("code")?.ok_or(Refusal::MissingField)?, fields.quantity("units", false)?)
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
