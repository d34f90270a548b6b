//! Where an upload in a file belongs: for tools that publish files. It reads no more than that takes.

use serde::Deserialize;

use super::canonical::json::{PAYMENT, RULING};
use super::nhsa::messages;
use crate::domain::document::{Group, Kind};

/// An input topic, by what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inlet {
    /// Documents of a group.
    Documents(Group),
    /// What people did about claims.
    Handling,
}

impl Inlet {
    /// The name of the topic.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documents(group) => group.name(),
            Self::Handling => "handling",
        }
    }
}

/// Which input topic an upload goes to, and by whom it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The topic, when it can be told.
    pub inlet: Option<Inlet>,
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
        let message = messages::of_name(&infno.to_ascii_uppercase());
        let inlet = message.map(|(_, message)| Inlet::Documents(message.topic));
        return Route { inlet, institution_id: text(&head.fixmedins_code) };
    }
    let kind = text(&head.kind).unwrap_or_default();
    let reversed = head.reverses.as_ref().and_then(|reverses| text(&reverses.group));
    let inlet = match Kind::from_name(&kind) {
        Some(kind) => Some(Inlet::Documents(kind.group())),
        None if matches!(&*kind, RULING | PAYMENT) => Some(Inlet::Handling),
        None => reversed.as_deref().and_then(Group::from_name).map(Inlet::Documents),
    };
    Route { inlet, institution_id: text(&head.institution_id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_of_every_form_find_their_topic() {
        for (json, inlet) in [
            (r#"{"kind":"ruling","institution_id":"P1"}"#, Some(Inlet::Handling)),
            (r#"{"kind":"payment"}"#, Some(Inlet::Handling)),
            (r#"{"kind":"dispense","institution_id":"P1"}"#, Some(Inlet::Documents(Group::Dispensing))),
            (
                r#"{"kind":"reversal","reverses":{"group":"settlement"}}"#,
                Some(Inlet::Documents(Group::Settlement)),
            ),
            (r#"{"infno":"3502A"}"#, Some(Inlet::Documents(Group::Procurement))),
            (r#"{"infno":3505}"#, Some(Inlet::Documents(Group::Dispensing))),
            (r#"{"baseData":{},"bizData":{"infno":"2207"}}"#, Some(Inlet::Documents(Group::Settlement))),
            (r#"{"infno":"2304A"}"#, Some(Inlet::Documents(Group::Settlement))),
            (r#"{"infno":"9952"}"#, None),
            (r#"{"kind":7}"#, None),
            ("not json", None),
        ] {
            assert_eq!(route(json.as_bytes()).inlet, inlet, "{json}");
        }
    }
}
