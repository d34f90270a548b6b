//! Canonical JSON to the message [`pb::Upload`].
//!
//! It checks types only: absent, null and empty text are the same, unknown fields are passed over, and a
//! decimal may be text or a number (kept exactly, its exponent spelled out). Of a reversal only the fields that
//! make it one are read. What the values must be is [`super::read`]'s matter.
//!
//! A name may stand twice in one object: null and empty text beside a value do not count, equal values count once, lists
//! are joined, and anything else contradicts itself.

use std::fmt;

use super::handling::NO_VERDICT;
use crate::wire::inbound::decimal;
use crate::wire::inbound::json::{self, Json, Members};
use crate::wire::inbound::reject::{Reject, Words};
use crate::wire::pb;
use crate::wire::pb::upload::line::TraceCode;
use crate::wire::pb::upload::{Counterparty, Line, Returns, Reverses};

/// Kind of an upload that takes back.
pub const REVERSAL: &str = "reversal";
/// Kind of an upload that says what somebody decided about a claim.
pub const RULING: &str = "ruling";
/// Kind of an upload that says what was paid for a claim.
pub const PAYMENT: &str = "payment";

/// The message of a JSON text: what an upload says, before anything of it is checked.
pub fn message(text: &str) -> Result<pb::Upload, Reject> {
    match json::parse(text.as_bytes())? {
        Json::Object(members) => read(&members),
        _ => Err(Reject::malformed("upload", OBJECT)),
    }
}

/// The message of a JSON object.
pub(super) fn read(members: &Members) -> Result<pb::Upload, Reject> {
    let fields = Fields { members, place: Place::Upload };
    let raw = pb::Upload {
        document_id: fields.text("document_id")?,
        kind: fields.text("kind")?,
        institution_id: fields.text("institution_id")?,
        issued_at: fields.text("issued_at")?,
        ..pb::Upload::default()
    };
    if raw.kind == REVERSAL {
        let reverses = fields.object("reverses", Place::Reverses)?.map(|fields| read_reverses(&fields));
        return Ok(pb::Upload { reverses: reverses.transpose()?, ..raw });
    }
    if raw.kind == RULING {
        return read_ruling(&fields, raw);
    }
    if raw.kind == PAYMENT {
        return Ok(pb::Upload {
            payment_id: fields.text("payment_id")?,
            amount: fields.decimal("amount")?,
            paid_on: fields.text("paid_on")?,
            recovered: fields.flag("recovered")?,
            withdrawn: fields.flag("withdrawn")?,
            ..raw
        });
    }
    Ok(pb::Upload {
        occurred_at: fields.text("occurred_at")?,
        partial: fields.flag("partial")?,
        person_id: fields.text("person_id")?,
        person_cert: fields.text("person_cert")?,
        visit_id: fields.text("visit_id")?,
        settlement_id: fields.text("settlement_id")?,
        operator_id: fields.text("operator_id")?,
        fund_amount: fields.decimal("fund_amount")?,
        counterparty: match fields.object("counterparty", Place::Counterparty)? {
            Some(fields) => Some(read_counterparty(&fields)?),
            None => None,
        },
        returns: match fields.object("returns", Place::Returns)? {
            Some(fields) => {
                Some(Returns { document_id: fields.text("document_id")?, line_id: fields.text("line_id")? })
            }
            None => None,
        },
        lines: read_lines(&fields)?,
        credential_type: fields.text("credential_type")?,
        device_id: fields.text("device_id")?,
        operator_kind: fields.text("operator_kind")?,
        insured_region: fields.text("insured_region")?,
        medical_type: fields.text("medical_type")?,
        account_amount: fields.decimal("account_amount")?,
        service: fields.text("service")?,
        declared_codes: fields.decimal("declared_codes")?,
        declared_consumable_codes: fields.decimal("declared_consumable_codes")?,
        ..raw
    })
}

/// As much of the identity as can be read; for a refusal of the rest.
pub(super) fn identity(members: &Members) -> pb::Upload {
    let fields = Fields { members, place: Place::Upload };
    // What cannot be read names nothing; why it cannot is the refusal that this belongs to.
    let readable = |name| fields.text(name).unwrap_or_default();
    pb::Upload {
        document_id: readable("document_id"),
        institution_id: readable("institution_id"),
        ..pb::Upload::default()
    }
}

/// A ruling; of one that takes an earlier one back the rules are not read.
fn read_ruling(fields: &Fields<'_>, raw: pb::Upload) -> Result<pb::Upload, Reject> {
    let verdict = fields.text("verdict")?;
    let rules = if verdict == NO_VERDICT { None } else { fields.list("rules")? };
    let rules = rules.unwrap_or_default().into_iter().map(|rule| match rule {
        Json::Text(rule) => Ok(rule.to_string()),
        _ => Err(fields.malformed("rules", RULES)),
    });
    Ok(pb::Upload {
        line_id: read_line_id(fields)?,
        rules: rules.collect::<Result<_, _>>()?,
        ruled_by: fields.text("ruled_by")?,
        basis: fields.text("basis")?,
        verdict,
        ..raw
    })
}

/// A line's id that may be absent, but not empty: that would not mean the whole document.
fn read_line_id(fields: &Fields<'_>) -> Result<Option<String>, Reject> {
    match fields.stated("line_id")? {
        None => Ok(None),
        Some(Json::Text(line_id)) => Ok(Some(line_id.to_string())),
        Some(_) => Err(fields.malformed("line_id", TEXT)),
    }
}

fn read_reverses(fields: &Fields<'_>) -> Result<Reverses, Reject> {
    let line_id = read_line_id(fields)?;
    Ok(Reverses { group: fields.text("group")?, document_id: fields.text("document_id")?, line_id })
}

fn read_counterparty(fields: &Fields<'_>) -> Result<Counterparty, Reject> {
    Ok(Counterparty {
        name: fields.text("name")?,
        license: fields.text("license")?,
        delivery_note: fields.text("delivery_note")?,
        invoice: fields.text("invoice")?,
    })
}

fn read_lines(upload: &Fields<'_>) -> Result<Vec<Line>, Reject> {
    let read = |(index, line): (usize, &Json)| {
        let Json::Object(members) = line else {
            return Err(Reject::malformed(Place::Line(index), OBJECT));
        };
        read_line(index, &Fields { members, place: Place::Line(index) })
    };
    upload.list("lines")?.unwrap_or_default().into_iter().enumerate().map(read).collect()
}

fn read_line(index: usize, fields: &Fields<'_>) -> Result<Line, Reject> {
    let codes = fields.list("trace_codes")?;
    let trace_codes_present = codes.is_some();
    let read = |(nth, code): (usize, &Json)| read_code(Place::Code(index, nth), code).transpose();
    Ok(Line {
        line_id: fields.text("line_id")?,
        product_code: fields.text("product_code")?,
        product_name: fields.text("product_name")?,
        quantity: fields.decimal("quantity")?,
        split: fields.flag("split")?,
        amount: fields.decimal("amount")?,
        fund_amount: fields.decimal("fund_amount")?,
        lot: fields.text("lot")?,
        expires_on: fields.text("expires_on")?,
        adjusts: fields.text("adjusts")?,
        trace_codes: codes
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .filter_map(read)
            .collect::<Result<_, _>>()?,
        trace_codes_present,
        rx_id: fields.text("rx_id")?,
        rx_external: fields.flag("rx_external")?,
        prescriber_id: fields.text("prescriber_id")?,
        pharmacist_id: fields.text("pharmacist_id")?,
        department_id: fields.text("department_id")?,
        days_supply: fields.decimal("days_supply")?,
    })
}

/// A code; null is none.
fn read_code(place: Place, code: &Json) -> Result<Option<TraceCode>, Reject> {
    match code {
        Json::Null => Ok(None),
        Json::Text(code) => Ok(Some(TraceCode { code: code.to_string(), units: String::new() })),
        Json::Object(members) => {
            let fields = Fields { members, place };
            let Some(code) = fields.stated("code")? else {
                return Err(Reject::missing(fields.path("code")));
            };
            let Json::Text(code) = code else { return Err(fields.malformed("code", TEXT)) };
            Ok(Some(TraceCode { code: code.to_string(), units: fields.decimal("units")? }))
        }
        _ => Err(Reject::malformed(place, CODE)),
    }
}

/// What values must be.
const TEXT: Words = Words::new("文本", "text");
const OBJECT: Words = Words::new("对象", "an object");
const LIST: Words = Words::new("列表", "a list");
const RULES: Words = Words::new("规则名称的列表", "a list of rules by their names");
const FLAG: Words = Words::new(" true 或 false", "true or false");
const DECIMAL: Words = Words::new("小数（文本或数字）", "a decimal, as text or as a number");
const CODE: Words = Words::new("文本或含 `code` 的对象", "text, or an object with `code`");
const ONCE: Words =
    Words::new("同一对象内只出现一次（或各次相同）的字段", "stated once in its object, or each time alike");

/// Where in the upload a field stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    Upload,
    Counterparty,
    Returns,
    Reverses,
    Line(usize),
    Code(usize, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload => Ok(()),
            Self::Counterparty => f.write_str("counterparty"),
            Self::Returns => f.write_str("returns"),
            Self::Reverses => f.write_str("reverses"),
            Self::Line(line) => write!(f, "lines[{line}]"),
            Self::Code(line, code) => write!(f, "lines[{line}].trace_codes[{code}]"),
        }
    }
}

/// The fields of one object, by name.
struct Fields<'a> {
    members: &'a Members,
    place: Place,
}

impl<'a> Fields<'a> {
    /// What is stated under a name: absent, null and empty text do not count.
    fn said(&self, name: &str) -> impl Iterator<Item = &'a Json> {
        let says_something = |value: &&Json| match value {
            Json::Null => false,
            Json::Text(text) => !text.is_empty(),
            _ => true,
        };
        self.members
            .iter()
            .filter(move |(found, _)| found == name)
            .map(|(_, value)| value)
            .filter(says_something)
    }

    /// The same without what was said before.
    fn all(&self, name: &str) -> Vec<&'a Json> {
        json::distinct(self.said(name).collect(), |value| value)
    }

    /// The value of a field, unless it counts as absent.
    fn present(&self, name: &str) -> Result<Option<&'a Json>, Reject> {
        let mut said = self.said(name);
        match (said.next(), said.next()) {
            (first, None) => Ok(first),
            (first, Some(_)) if self.all(name).len() == 1 => Ok(first),
            _ => Err(self.malformed(name, ONCE)),
        }
    }

    /// The value of a field of which empty text says something.
    fn stated(&self, name: &str) -> Result<Option<&'a Json>, Reject> {
        let empty = self
            .members
            .iter()
            .find(|(found, value)| found == name && matches!(value, Json::Text(text) if text.is_empty()));
        Ok(self.present(name)?.or(empty.map(|(_, value)| value)))
    }

    fn path(&self, name: &str) -> String {
        match self.place {
            Place::Upload => name.to_owned(),
            place => format!("{place}.{name}"),
        }
    }

    fn malformed(&self, name: &str, expected: Words) -> Reject {
        Reject::malformed(self.path(name), expected)
    }

    fn text(&self, name: &str) -> Result<String, Reject> {
        match self.present(name)? {
            None => Ok(String::new()),
            Some(Json::Text(text)) => Ok(text.to_string()),
            Some(_) => Err(self.malformed(name, TEXT)),
        }
    }

    fn decimal(&self, name: &str) -> Result<String, Reject> {
        match self.present(name)? {
            None => Ok(String::new()),
            Some(Json::Text(text)) => Ok(text.to_string()),
            Some(Json::Number(number)) => Ok(decimal::spell_out(number)),
            Some(_) => Err(self.malformed(name, DECIMAL)),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Reject> {
        match self.present(name)? {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.malformed(name, FLAG)),
        }
    }

    /// The elements of a list; of a name that stands twice the elements of all its lists.
    fn list(&self, name: &str) -> Result<Option<Vec<&'a Json>>, Reject> {
        let stated = self.all(name);
        if stated.is_empty() {
            return Ok(None);
        }
        let mut elements = Vec::new();
        for value in &stated {
            match value {
                Json::List(list) => elements.extend(list),
                _ if stated.len() > 1 => return Err(self.malformed(name, ONCE)),
                _ => return Err(self.malformed(name, LIST)),
            }
        }
        Ok(Some(elements))
    }

    fn object(&self, name: &str, place: Place) -> Result<Option<Self>, Reject> {
        match self.present(name)? {
            None => Ok(None),
            Some(Json::Object(members)) => Ok(Some(Self { members, place })),
            Some(_) => Err(self.malformed(name, OBJECT)),
        }
    }
}
