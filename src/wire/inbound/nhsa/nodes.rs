//! The nodes of a message: rows and lists in all the shapes in which they are sent.
//!
//! JSON inside text is opened at every name that is a node, up to three times wrapped ([`opened`]). A list may be one
//! object, an object with number keys or hold lists; a node may stand twice, or under several names: all rows are read
//! ([`rows`]).

use super::row::{Reading, Row, is_empty, squash};
use crate::domain::Text;
use crate::wire::inbound::json::{self, Json, Members};
use crate::wire::inbound::notes::{Leniency, Notebook};
use crate::wire::inbound::reject::{Reject, Words};

/// How often a node may be wrapped in text.
const WRAPPED_MAX: usize = 3;

/// Names under which an object or a list stands, squashed.
const NODES: [&str; 23] = [
    "bizdata",
    "input",
    "output",
    "result",
    "data",
    "setlinfo",
    "druginfo",
    "drugdetail",
    "drugdetaildetail",
    "drugtracinfo",
    "drugtraccodg",
    "drugtraccode",
    "invinfo",
    "invinfodetail",
    "purcinfo",
    "purcinfodetail",
    "selinfo",
    "selinfodetail",
    "gooddetail",
    "feedetail",
    "feedetaildetail",
    "feedetl",
    "response",
];

/// How lists of rows that the platform did not take are called: `invinfoErrDetail` and its like, squashed.
pub(super) const FAILED_ROWS: &str = "errdetail";

const ROWS: Words = Words::new("对象或对象列表", "an object or a list of objects");
const KNOWN: Words = Words::new(
    "含本交易字段的行，而其中没有一个已知字段",
    "rows with fields of this message; none of its fields is known",
);

/// The value with every node below it opened that is JSON inside text.
pub(super) fn opened(value: Json, is_node: bool, notes: &Notebook) -> Json {
    match value {
        Json::Text(text) if is_node => match unfolded(&text) {
            Some(inside) => {
                notes.lenient(Leniency::JsonInText);
                opened(inside, true, notes)
            }
            None => Json::Text(text),
        },
        Json::List(list) => Json::List(list.into_iter().map(|value| opened(value, is_node, notes)).collect()),
        Json::Object(members) => {
            let member = |(name, value): (Text, Json)| {
                let is_node = is_node_name(&name) || (is_node && is_number(&name));
                let value = opened(value, is_node, notes);
                (name, value)
            };
            Json::Object(members.into_iter().map(member).collect())
        }
        other => other,
    }
}

fn is_node_name(name: &str) -> bool {
    let name = squash(name);
    NODES.contains(&name.as_str()) || name.ends_with(FAILED_ROWS)
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The object or list inside a text.
fn unfolded(text: &str) -> Option<Json> {
    let mut text = text.trim().to_owned();
    for _ in 0..WRAPPED_MAX {
        if !text.starts_with(['{', '[', '"']) {
            return None;
        }
        match serde_json::from_str(&text) {
            Ok(Json::Text(inside)) => text = inside.trim().to_owned(),
            Ok(inside @ (Json::List(_) | Json::Object(_))) => return Some(inside),
            // No JSON: a name in brackets, perhaps. It stays the text that it is.
            Ok(_) | Err(_) => return None,
        }
    }
    None
}

/// Whether the object stands for a list: its keys are numbers.
pub(super) fn is_list_of_numbers(members: &Members) -> bool {
    !members.is_empty() && members.iter().all(|(name, _)| is_number(name))
}

/// The values of a node that is stated several times, equal ones once.
pub(super) fn distinct<'a>(stated: Vec<(String, &'a Json)>, notes: &Notebook) -> Vec<(String, &'a Json)> {
    if stated.len() > 1 {
        notes.lenient(Leniency::Repeated);
    }
    json::distinct(stated, |(_, value)| value)
}

/// What a node of rows may look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Names under which rows stand; an object that only holds one of them is opened.
    pub(super) nodes: &'static [&'static str],
    /// Names by which a row is known as one.
    pub(super) fields: &'static [&'static str],
}

/// Adds the rows of a node.
pub(super) fn rows<'a>(
    place: &str,
    node: &'a Json,
    shape: Shape,
    reading: Reading<'a>,
    found: &mut Vec<Row<'a>>,
) -> Result<(), Reject> {
    if is_empty(node) {
        return Ok(());
    }
    match node {
        Json::List(list) => {
            for (index, element) in list.iter().enumerate() {
                if matches!(element, Json::List(_)) {
                    reading.notes.lenient(Leniency::ListForm);
                }
                rows(&format!("{place}[{index}]"), element, shape, reading, found)?;
            }
            Ok(())
        }
        Json::Object(members) if is_list_of_numbers(members) => {
            reading.notes.lenient(Leniency::ListForm);
            let element = |(name, element): &'a (Text, Json)| {
                rows(&format!("{place}.{name}"), element, shape, reading, found)
            };
            members.iter().try_for_each(element)
        }
        Json::Object(members) => {
            let row = Row::new(place, members, reading);
            let inside = row.nodes(shape.nodes);
            if !inside.is_empty() {
                let inside = distinct(inside, reading.notes);
                return inside
                    .into_iter()
                    .try_for_each(|(place, node)| rows(&place, node, shape, reading, found));
            }
            if !row.has_any(shape.fields) {
                return Err(Reject::malformed(place, KNOWN));
            }
            found.push(row);
            Ok(())
        }
        _ => Err(Reject::malformed(place, ROWS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap_or(Json::Null)
    }

    #[test]
    fn json_in_text_is_opened_at_nodes_up_to_three_times_wrapped() {
        let notes = Notebook::default();
        let plain = json(r#"{"selinfo":[{"a":"[1]"}]}"#);
        let once = serde_json::to_string(r#"[{"a":"[1]"}]"#).unwrap_or_default();
        let twice = serde_json::to_string(&once).unwrap_or_default();
        let thrice = serde_json::to_string(&twice).unwrap_or_default();
        let four_times = serde_json::to_string(&thrice).unwrap_or_default();
        for (text, is_opened) in [(&once, true), (&twice, true), (&thrice, true), (&four_times, false)] {
            let node = json(&format!(r#"{{"selinfo":{text}}}"#));
            assert_eq!(opened(node, false, &notes) == plain, is_opened, "{text}");
        }
    }
}
