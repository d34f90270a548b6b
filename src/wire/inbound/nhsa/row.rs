//! One object of a message, read tolerantly: what real senders write is rarely what the interface's tables say.
//!
//! Keys are compared without case, underscores and hyphens, so `MDTRT_SETL_TYPE`, `mdtrtSetlType` and
//! `mdtrt_setl_type` are one. Numbers may be text and text numbers; blank text, `无` and `null` mean absent. Where
//! a field has known misspellings, the reader names them all.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::time::Timestamp;
use crate::wire::inbound::reject::Reject;
use crate::wire::inbound::{decimal, moment};

/// Text that stands for nothing.
const PLACEHOLDERS: [&str; 4] = ["", "无", "null", "undefined"];

/// Most places that a count keeps; the interface allows four, and the fourth is cut off.
const COUNT_PLACES: usize = 3;

/// Text that states what a moment of the interface must be.
const BEIJING_FORM: &str = "Beijing time, like 2026-01-05 09:31:02";

/// One object of a message.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    place: String,
    fields: BTreeMap<String, &'a Value>,
}

/// A count with its sign: a negative one takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Below zero.
    pub(super) negative: bool,
    /// The count without its sign, a canonical quantity; empty when it is zero.
    pub(super) quantity: String,
}

/// A key without what senders disagree about.
pub(super) fn squash(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// A value that is there but says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => PLACEHOLDERS.contains(&text.trim()),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

impl<'a> Row<'a> {
    /// The object at a place of the message, which refusals name. Of keys that differ only in spelling, one that
    /// says something counts.
    pub(super) fn new(place: impl Into<String>, object: &'a Map<String, Value>) -> Self {
        let mut fields = BTreeMap::new();
        for (key, value) in object.iter().filter(|(_, value)| !is_empty(value)) {
            fields.entry(squash(key)).or_insert(value);
        }
        Self { place: place.into(), fields }
    }

    /// The first of the named fields that says something.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'a Value> {
        self.entry(names).map(|(_, value)| value)
    }

    /// The first of the named fields that says something, with its proper name.
    pub(super) fn entry<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &'a Value)> {
        names.iter().find_map(|name| Some((*name, *self.fields.get(&squash(name))?)))
    }

    /// Where a field stands, by its proper name.
    pub(super) fn path(&self, names: &[&str]) -> String {
        let name = names.first().copied().unwrap_or_default();
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// The text of a field, a number as it is written.
    pub(super) fn text(&self, names: &[&str]) -> Result<Option<String>, Reject> {
        match self.value(names) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(Value::Number(number)) => Ok(Some(decimal::spell_out(&number.to_string()))),
            Some(Value::Bool(flag)) => Ok(Some(u8::from(*flag).to_string())),
            Some(_) => Err(Reject::malformed(self.path(names), "text or a number")),
        }
    }

    /// The text of a field, empty when it is absent.
    pub(super) fn text_or_empty(&self, names: &[&str]) -> Result<String, Reject> {
        self.text(names).map(Option::unwrap_or_default)
    }

    /// The text of a field that must be there.
    pub(super) fn required(&self, names: &[&str]) -> Result<String, Reject> {
        self.text(names)?.ok_or_else(|| Reject::missing(self.path(names)))
    }

    /// A moment in Beijing time.
    pub(super) fn moment(&self, names: &[&str]) -> Result<Option<Timestamp>, Reject> {
        self.text(names)?
            .map(|text| {
                moment::beijing(&text).ok_or_else(|| Reject::malformed(self.path(names), BEIJING_FORM))
            })
            .transpose()
    }

    /// A moment that must be there.
    pub(super) fn required_moment(&self, names: &[&str]) -> Result<Timestamp, Reject> {
        self.moment(names)?.ok_or_else(|| Reject::missing(self.path(names)))
    }

    /// A day in canonical text, empty when it is absent.
    pub(super) fn day(&self, names: &[&str]) -> Result<String, Reject> {
        let Some(text) = self.text(names)? else {
            return Ok(String::new());
        };
        let day = moment::beijing_day(&text);
        day.map(|day| day.to_string()).ok_or_else(|| Reject::malformed(self.path(names), moment::DAY_FORM))
    }

    /// A count with its sign.
    pub(super) fn count(&self, names: &[&str]) -> Result<Option<Count>, Reject> {
        let Some(text) = self.text(names)? else {
            return Ok(None);
        };
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, text.strip_prefix('+').unwrap_or(&text)),
        };
        let magnitude = cut(magnitude, COUNT_PLACES);
        match decimal::scaled(&magnitude, COUNT_PLACES) {
            Some(0) => Ok(Some(Count { negative: false, quantity: String::new() })),
            Some(_) if decimal::quantity(&magnitude).is_some() => {
                Ok(Some(Count { negative, quantity: magnitude }))
            }
            _ => Err(Reject::malformed(self.path(names), "a decimal of at most 10^9")),
        }
    }

    /// The count without its sign as a canonical quantity; empty when it is absent or zero.
    pub(super) fn quantity(&self, names: &[&str]) -> Result<String, Reject> {
        Ok(self.count(names)?.map(|count| count.quantity).unwrap_or_default())
    }

    /// An amount of money in canonical text, empty when it is absent.
    pub(super) fn yuan(&self, names: &[&str]) -> Result<String, Reject> {
        let text = self.text_or_empty(names)?;
        if text.is_empty() || decimal::money(&text).is_some() {
            return Ok(text);
        }
        Err(Reject::malformed(self.path(names), decimal::MONEY_FORM))
    }

    /// A yes-or-no field: 1 is yes, anything else no, absence neither.
    pub(super) fn flag(&self, names: &[&str]) -> Result<Option<bool>, Reject> {
        Ok(self.text(names)?.map(|text| text == "1" || text == "true"))
    }
}

/// A decimal with its places beyond `places` cut off.
fn cut(text: &str, places: usize) -> String {
    match text.split_once('.') {
        Some((whole, fraction)) => {
            let kept = fraction.get(..places).unwrap_or(fraction);
            let rest_is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
            if rest_is_digits { format!("{whole}.{kept}") } else { text.to_owned() }
        }
        None => text.to_owned(),
    }
}
