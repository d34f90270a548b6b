//! Canonical JSON ↔ the message [`pb::Upload`].
//!
//! Reading checks types only: absent, null and empty text are the same, unknown fields are passed over, and a
//! decimal may be text or a number (kept exactly, its exponent spelled out). Of a reversal only the fields that
//! make it one are read. What the values must be is [`super::validate`]'s matter.

use std::fmt;

use serde_json::{Map, Value};

use crate::wire::inbound::decimal;
use crate::wire::inbound::reject::Reject;
use crate::wire::pb;
use crate::wire::pb::upload::line::TraceCode;
use crate::wire::pb::upload::{Counterparty, Line, Returns, Reverses};

/// Kind of an upload that takes back.
pub const REVERSAL: &str = "reversal";

/// The message of a JSON object.
pub fn read(object: &Map<String, Value>) -> Result<pb::Upload, Reject> {
    let fields = Fields { object, place: Place::Upload };
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
        ..raw
    })
}

/// As much of the identity as can be read; for a refusal of the rest.
pub fn identity(object: &Map<String, Value>) -> pb::Upload {
    let fields = Fields { object, place: Place::Upload };
    pb::Upload {
        document_id: fields.text("document_id").unwrap_or_default(),
        institution_id: fields.text("institution_id").unwrap_or_default(),
        ..pb::Upload::default()
    }
}

fn read_reverses(fields: &Fields<'_>) -> Result<Reverses, Reject> {
    let line_id = match fields.object.get("line_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(line_id)) => Some(line_id.clone()),
        Some(_) => return Err(fields.malformed("line_id", "text")),
    };
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
    let read = |(index, line): (usize, &Value)| {
        let Value::Object(object) = line else {
            return Err(Reject::malformed(Place::Line(index), "an object"));
        };
        read_line(index, &Fields { object, place: Place::Line(index) })
    };
    upload.list("lines")?.unwrap_or_default().iter().enumerate().map(read).collect()
}

fn read_line(index: usize, fields: &Fields<'_>) -> Result<Line, Reject> {
    let codes = fields.list("trace_codes")?;
    let read = |(nth, code): (usize, &Value)| read_code(Place::Code(index, nth), code).transpose();
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
            .iter()
            .enumerate()
            .filter_map(read)
            .collect::<Result<_, _>>()?,
        trace_codes_present: codes.is_some(),
    })
}

/// A code; null is none.
fn read_code(place: Place, code: &Value) -> Result<Option<TraceCode>, Reject> {
    match code {
        Value::Null => Ok(None),
        Value::String(code) => Ok(Some(TraceCode { code: code.clone(), units: String::new() })),
        Value::Object(object) => {
            let fields = Fields { object, place };
            if matches!(object.get("code"), None | Some(Value::Null)) {
                return Err(Reject::missing(fields.path("code")));
            }
            Ok(Some(TraceCode { code: fields.text("code")?, units: fields.decimal("units")? }))
        }
        _ => Err(Reject::malformed(place, "text, or an object with `code`")),
    }
}

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
    object: &'a Map<String, Value>,
    place: Place,
}

impl<'a> Fields<'a> {
    /// The value of a field, unless it counts as absent.
    fn present(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn path(&self, name: &str) -> String {
        match self.place {
            Place::Upload => name.to_owned(),
            place => format!("{place}.{name}"),
        }
    }

    fn malformed(&self, name: &str, expected: &str) -> Reject {
        Reject::malformed(self.path(name), expected)
    }

    fn text(&self, name: &str) -> Result<String, Reject> {
        match self.present(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.malformed(name, "text")),
        }
    }

    fn decimal(&self, name: &str) -> Result<String, Reject> {
        match self.present(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(decimal::spell_out(&number.to_string())),
            Some(_) => Err(self.malformed(name, "a decimal, as text or as a number")),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Reject> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.malformed(name, "true or false")),
        }
    }

    fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Reject> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(self.malformed(name, "a list")),
        }
    }

    fn object(&self, name: &str, place: Place) -> Result<Option<Self>, Reject> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self { object, place })),
            Some(_) => Err(self.malformed(name, "an object")),
        }
    }
}

/// Canonical JSON of a message, on one line; what is empty is left out.
pub fn encode(upload: &pb::Upload) -> String {
    Value::Object(to_object(upload)).to_string()
}

/// Canonical JSON object of a message.
pub fn to_object(upload: &pb::Upload) -> Map<String, Value> {
    let mut object = Object::default();
    object.text("document_id", &upload.document_id);
    object.text("kind", &upload.kind);
    object.text("institution_id", &upload.institution_id);
    object.text("issued_at", &upload.issued_at);
    object.text("occurred_at", &upload.occurred_at);
    object.flag("partial", upload.partial);
    object.text("person_id", &upload.person_id);
    object.text("person_cert", &upload.person_cert);
    object.text("visit_id", &upload.visit_id);
    object.text("settlement_id", &upload.settlement_id);
    object.text("operator_id", &upload.operator_id);
    object.text("fund_amount", &upload.fund_amount);
    if let Some(counterparty) = &upload.counterparty {
        let mut nested = Object::default();
        nested.text("name", &counterparty.name);
        nested.text("license", &counterparty.license);
        nested.text("delivery_note", &counterparty.delivery_note);
        nested.text("invoice", &counterparty.invoice);
        object.value("counterparty", nested.into());
    }
    if let Some(returns) = &upload.returns {
        let mut nested = Object::default();
        nested.text("document_id", &returns.document_id);
        nested.text("line_id", &returns.line_id);
        object.value("returns", nested.into());
    }
    if let Some(reverses) = &upload.reverses {
        let mut nested = Object::default();
        nested.text("group", &reverses.group);
        nested.text("document_id", &reverses.document_id);
        if let Some(line_id) = &reverses.line_id {
            nested.value("line_id", line_id.as_str().into());
        }
        object.value("reverses", nested.into());
    }
    if !upload.lines.is_empty() {
        object.value("lines", upload.lines.iter().map(line_value).collect());
    }
    object.0
}

fn line_value(line: &Line) -> Value {
    let mut object = Object::default();
    object.text("line_id", &line.line_id);
    object.text("product_code", &line.product_code);
    object.text("product_name", &line.product_name);
    object.text("quantity", &line.quantity);
    object.flag("split", line.split);
    object.text("amount", &line.amount);
    object.text("fund_amount", &line.fund_amount);
    object.text("lot", &line.lot);
    object.text("expires_on", &line.expires_on);
    object.text("adjusts", &line.adjusts);
    if line.trace_codes_present || !line.trace_codes.is_empty() {
        object.value("trace_codes", line.trace_codes.iter().map(code_value).collect());
    }
    object.into()
}

fn code_value(code: &TraceCode) -> Value {
    if code.units.is_empty() {
        return code.code.as_str().into();
    }
    let mut object = Object::default();
    object.value("code", code.code.as_str().into());
    object.text("units", &code.units);
    object.into()
}

/// An object under construction.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn value(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.value(name, text.into());
        }
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.value(name, flag.into());
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
