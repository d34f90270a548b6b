//! Design §4(a): reading the fields of one object, strictly, each by its form.

use super::json::{Fields, Json};
use super::moment::{Day, Timestamp};
use super::upload::Refusal;

const ID_CHARACTERS_MAX: usize = 64;

impl Fields {
    /// The value of a known field: "A known field name twice in one object: null and empty text beside a value do
    /// not count, equal JSON values count once …, anything else is `malformed_field`."
    pub(crate) fn get(&self, name: &str) -> Result<Option<&Json>, Refusal> {
        match self.different(name)[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(Refusal::MalformedField),
        }
    }

    /// The values that a name has, absent ones aside and equal ones once.
    fn different(&self, name: &str) -> Vec<&Json> {
        let mut values: Vec<&Json> = Vec::new();
        for (_, value) in self.0.iter().filter(|(field, value)| field == name && !value.is_absent()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// Whether a field is there with a value "other than null or empty text".
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, value)| field == name && !value.is_absent())
    }

    /// Whether a field is there as empty text, and with no value.
    pub(crate) fn is_empty_text(&self, name: &str) -> bool {
        let is_empty = |value: &Json| matches!(value, Json::Text(text) if text.is_empty());
        !self.has(name) && self.0.iter().any(|(field, value)| field == name && is_empty(value))
    }

    /// A list of lines or codes: "lists of lines or codes are joined".
    pub(crate) fn joined(&self, name: &str) -> Result<Vec<&Json>, Refusal> {
        let mut all = Vec::new();
        for value in self.different(name) {
            match value {
                Json::List(values) => all.extend(values),
                _ => return Err(Refusal::MalformedField),
            }
        }
        Ok(all)
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let Some(value) = self.get(name)? else { return Ok(Vec::new()) };
        let Json::List(values) = value else { return Err(Refusal::MalformedField) };
        let text = |value: &Json| match value {
            Json::Text(text) => Ok(text.clone()),
            _ => Err(Refusal::MalformedField),
        };
        values.iter().map(text).collect()
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.get(name)? {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::MalformedField),
        }
    }

    /// "64 characters an id"
    pub(crate) fn id(&self, name: &str) -> Result<Option<String>, Refusal> {
        let id = self.text(name)?;
        let is_long = id.as_ref().is_some_and(|id| id.chars().count() > ID_CHARACTERS_MAX);
        if is_long { Err(Refusal::OverLimit) } else { Ok(id) }
    }

    /// An id that must be there.
    pub(crate) fn required_id(&self, name: &str) -> Result<String, Refusal> {
        self.id(name)?.ok_or(Refusal::MissingField)
    }

    /// A boolean; absent is false.
    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name)? {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(Refusal::MalformedField),
        }
    }

    /// An object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<&Fields>, Refusal> {
        match self.get(name)? {
            None => Ok(None),
            Some(Json::Object(fields)) => Ok(Some(fields)),
            Some(_) => Err(Refusal::MalformedField),
        }
    }

    /// "Times are RFC 3339 with an offset."
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let read = |text: String| Timestamp::parse(&text).ok_or(Refusal::MalformedField);
        self.text(name)?.map(read).transpose()
    }

    /// A day, `YYYY-MM-DD`.
    pub(crate) fn day(&self, name: &str) -> Result<Option<Day>, Refusal> {
        let read = |text: String| Day::parse(&text).ok_or(Refusal::MalformedField);
        self.text(name)?.map(read).transpose()
    }

    /// "Quantity and units: decimal, > 0 (on a stocktake line ≥ 0), at most 3 places, ≤ 10^9", in thousandths.
    pub(crate) fn quantity(&self, name: &str, may_be_zero: bool) -> Result<Option<i128>, Refusal> {
        let quantity = self.decimal(name, 3, 1_000_000_000)?;
        if quantity == Some(0) && !may_be_zero { Err(Refusal::MalformedField) } else { Ok(quantity) }
    }

    /// "Money: decimal yuan, ≥ 0, at most 2 places, ≤ 10^12", in fen.
    pub(crate) fn money(&self, name: &str) -> Result<Option<i128>, Refusal> {
        self.decimal(name, 2, 1_000_000_000_000)
    }

    /// "whole numbers 0 to 10^6"
    pub(crate) fn whole(&self, name: &str) -> Result<Option<i128>, Refusal> {
        self.decimal(name, 0, 1_000_000)
    }

    /// A decimal, "(text, or a JSON number)", as an integer in units of its last place; "trailing zeros do not
    /// count"; "strict, except `.5` and `5.`".
    fn decimal(&self, name: &str, places: usize, greatest: i128) -> Result<Option<i128>, Refusal> {
        let text = match self.get(name)? {
            None => return Ok(None),
            Some(Json::Text(text) | Json::Number(text)) => text,
            Some(_) => return Err(Refusal::MalformedField),
        };
        decimal(text, places, greatest).map(Some).ok_or(Refusal::MalformedField)
    }
}

/// A decimal of digits and at most one point, with a digit on one side of it at least.
pub(crate) fn decimal(text: &str, places: usize, greatest: i128) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return None;
    }
    let number: i128 = format!("0{whole}{fraction:0<places$}").parse().ok()?;
    let places = u32::try_from(places).ok()?;
    (number <= greatest * 10_i128.pow(places)).then_some(number)
}
