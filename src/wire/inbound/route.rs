//! Where an upload in a file belongs: for tools that publish files. It reads no more than that takes.

use serde::Deserialize;

use crate::domain::document::{Group, Kind};

/// Which input topic an upload goes to, and by whom it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The group of documents, when it can be told.
    pub group: Option<Group>,
    /// The institution, when it can be told.
    pub institution_id: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    kind: Option<serde_json::Value>,
    institution_id: Option<serde_json::Value>,
    reverses: Option<Reverses>,
    infno: Option<serde_json::Value>,
    fixmedins_code: Option<serde_json::Value>,
    #[serde(rename = "bizData")]
    wrapped: Option<Box<Head>>,
}

#[derive(Deserialize)]
struct Reverses {
    group: Option<serde_json::Value>,
}

/// Reads the route of one upload in JSON; of anything else nothing can be told.
pub fn route(json: &[u8]) -> Route {
    match serde_json::from_slice::<Head>(json) {
        Ok(Head { wrapped: Some(head), .. }) => of(&head),
        Ok(head) => of(&head),
        Err(_) => Route::default(),
    }
}

fn of(head: &Head) -> Route {
    let text = |value: &Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    if let Some(infno) = text(&head.infno) {
        return Route { group: Some(group_of_message(&infno)), institution_id: text(&head.fixmedins_code) };
    }
    let kind = text(&head.kind).unwrap_or_default();
    let reversed = head.reverses.as_ref().and_then(|reverses| text(&reverses.group));
    let group = match Kind::from_name(&kind) {
        Some(kind) => Some(kind.group()),
        None => reversed.as_deref().and_then(Group::from_name),
    };
    Route { group, institution_id: text(&head.institution_id) }
}

/// 3501–3504 and 3507 report stock, 3505 and 3506 sales, everything else settlements.
fn group_of_message(infno: &str) -> Group {
    match infno.get(..4) {
        Some("3505" | "3506") => Group::Dispensing,
        Some(number) if number.starts_with("35") => Group::Procurement,
        _ => Group::Settlement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_of_every_form_find_their_topic() {
        for (json, group) in [
            (r#"{"kind":"dispense","institution_id":"P1"}"#, Some(Group::Dispensing)),
            (r#"{"kind":"reversal","reverses":{"group":"settlement"}}"#, Some(Group::Settlement)),
            (r#"{"infno":"3502A"}"#, Some(Group::Procurement)),
            (r#"{"infno":3505}"#, Some(Group::Dispensing)),
            (r#"{"baseData":{},"bizData":{"infno":"2207"}}"#, Some(Group::Settlement)),
            (r#"{"kind":7}"#, None),
            ("not json", None),
        ] {
            assert_eq!(route(json.as_bytes()).group, group, "{json}");
        }
    }
}
