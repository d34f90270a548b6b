//! The envelope of a message: who sent it, when, which transaction it is; its `input` and, where the stream has
//! it, the response's `output` beside it.
//!
//! Dirt passed over: any case of the keys; a wrapper `baseData` + `bizData` around the envelope; `bizData`, `input`
//! or `output` as JSON inside text; the whole response in the place of its `output`.

use serde_json::{Map, Value};

use super::row::{Row, squash};
use crate::wire::inbound::reject::Reject;

/// One message of the national interface.
#[derive(Clone, Debug)]
pub struct Envelope {
    head: Map<String, Value>,
    input: Value,
    /// The whole response: `infcode` and `output`.
    response: Map<String, Value>,
    output: Value,
}

/// The message of a JSON object; the object back when it is none: it has no `infno`, or a `kind` as only canonical
/// uploads have.
pub fn open(object: Map<String, Value>) -> Result<Envelope, Map<String, Value>> {
    if object.contains_key("kind") {
        return Err(object);
    }
    let mut head = match key_of(&object, "bizdata") {
        Some(key) if key_of(&object, "infno").is_none() => match object.get(&key).cloned().map(unfold) {
            Some(Value::Object(inner)) => inner,
            _ => return Err(object),
        },
        _ => object,
    };
    if key_of(&head, "infno").is_none() {
        return Err(head);
    }
    let input = unfold(take(&mut head, "input"));
    let (response, output) = match unfold(take(&mut head, "output")) {
        Value::Object(mut response) if key_of(&response, "infcode").is_some() => {
            let output = unfold(take(&mut response, "output"));
            (response, output)
        }
        output => (Map::new(), output),
    };
    Ok(Envelope { head, input, response, output })
}

impl Envelope {
    /// The fields beside `input` and `output`.
    pub(super) fn head(&self) -> Row<'_> {
        Row::new("", &self.head)
    }

    /// Whether the response says that the platform did not take the message: then it reported no fact.
    pub(super) fn has_failed(&self) -> bool {
        let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
        let code = |object| Row::new("", object).text(&["infcode"]).ok().flatten();
        if code(&self.head).or_else(|| code(&self.response)).is_some_and(|code| !is_zero(&code)) {
            return true;
        }
        let Value::Object(output) = &self.output else {
            return false;
        };
        let Some(Value::Object(result)) = Row::new("", output).value(&["result"]) else {
            return false;
        };
        Row::new("", result).text(&["retRslt"]).ok().flatten().is_some_and(|code| is_zero(&code))
    }

    /// The objects of the first of the nodes that `input` has, the input itself when it is a list.
    fn rows(&self, nodes: &[&str]) -> Result<Vec<Row<'_>>, Reject> {
        match &self.input {
            Value::Object(input) => {
                let input = Row::new("input", input);
                let Some((name, node)) = input.entry(nodes) else {
                    return Err(Reject::missing(input.path(nodes)));
                };
                objects(&input.path(&[name]), node, nodes)
            }
            list @ Value::Array(_) => objects("input", list, nodes),
            _ => Err(Reject::missing("input")),
        }
    }

    /// The objects of the first of the nodes that `input` has: at least one, at most `rows_max`.
    pub(super) fn rows_within(&self, nodes: &[&str], rows_max: usize) -> Result<Vec<Row<'_>>, Reject> {
        let rows = self.rows(nodes)?;
        if rows.is_empty() {
            return Err(Reject::missing(format!("input.{}", nodes.first().copied().unwrap_or_default())));
        }
        if rows.len() > rows_max {
            return Err(Reject::over_limit("input", rows_max, "rows"));
        }
        Ok(rows)
    }

    /// The one object of a node of `input`.
    pub(super) fn row(&self, nodes: &[&str]) -> Result<Row<'_>, Reject> {
        let place = format!("input.{}", nodes.first().copied().unwrap_or_default());
        let mut rows = self.rows(nodes)?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => Err(Reject::missing(place)),
            (Some(_), Some(_)) => Err(Reject::malformed(place, "one object")),
        }
    }

    /// `input` itself.
    pub(super) fn input(&self) -> Option<Row<'_>> {
        self.input.as_object().map(|input| Row::new("input", input))
    }

    /// The settlement in the response, where the stream has it.
    pub(super) fn settlement(&self) -> Option<Row<'_>> {
        let output = Row::new("output", self.output.as_object()?);
        match output.value(&["setlinfo"])? {
            Value::Object(settlement) => Some(Row::new("output.setlinfo", settlement)),
            Value::Array(list) => list.first()?.as_object().map(|first| Row::new("output.setlinfo", first)),
            _ => None,
        }
    }
}

/// The objects of a node: a list, or one object; one that only wraps a node of the same names is opened.
pub(super) fn objects<'a>(place: &str, node: &'a Value, nodes: &[&str]) -> Result<Vec<Row<'a>>, Reject> {
    match node {
        Value::Object(object) => {
            let row = Row::new(place, object);
            match row.entry(nodes) {
                Some((name, Value::Array(inner))) => listed(&row.path(&[name]), inner),
                _ => Ok(vec![row]),
            }
        }
        Value::Array(list) => listed(place, list),
        _ => Err(Reject::malformed(place, "an object or a list of objects")),
    }
}

fn listed<'a>(place: &str, list: &'a [Value]) -> Result<Vec<Row<'a>>, Reject> {
    let row = |(index, value): (usize, &'a Value)| match value {
        Value::Object(object) if object.is_empty() => None,
        Value::Null => None,
        Value::Object(object) => Some(Ok(Row::new(format!("{place}[{index}]"), object))),
        _ => Some(Err(Reject::malformed(format!("{place}[{index}]"), "an object"))),
    };
    list.iter().enumerate().filter_map(row).collect()
}

/// The object's own spelling of a key.
fn key_of(object: &Map<String, Value>, squashed: &str) -> Option<String> {
    object.keys().find(|key| squash(key) == squashed).cloned()
}

fn take(object: &mut Map<String, Value>, squashed: &str) -> Value {
    key_of(object, squashed).and_then(|key| object.remove(&key)).unwrap_or_default()
}

/// JSON inside text, opened; anything else as it is.
fn unfold(value: Value) -> Value {
    match &value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or(value)
        }
        _ => value,
    }
}
