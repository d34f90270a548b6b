//! Where an upload in a file belongs: for tools that publish files. It reads no more than that takes.

use super::canonical::json::{PAYMENT, RULING};
use super::json::{self, Json, Members};
use super::nhsa::messages;
use super::notes::Notebook;
use super::{nhsa, wrapper};
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

/// Reads the route of one upload in JSON; of anything else nothing can be told.
pub fn route(json: &[u8]) -> Route {
    let notes = Notebook::default();
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    match json::parse(json).and_then(|json| wrapper::object(json, &notes)) {
        Ok(members) => of(&nhsa::unwrapped(members, &notes)),
        // Why it cannot be read is for intake to say.
        Err(_) => Route::default(),
    }
}

fn of(members: &Members) -> Route {
    if nhsa::is_message(members) {
        let (message, institution_id) = nhsa::named(members);
        let message = message.and_then(|message| messages::of_name(&message));
        let inlet = message.map(|(_, message)| Inlet::Documents(message.topic));
        return Route { inlet, institution_id };
    }
    let text = |members: &Members, name: &str| match members.iter().find(|(found, _)| found == name) {
        Some((_, Json::Text(text))) => Some(text.to_string()),
        _ => None,
    };
    let kind = text(members, "kind").unwrap_or_default();
    let reversed = members.iter().find(|(name, _)| name == "reverses").and_then(|(_, value)| value.members());
    let reversed = reversed.and_then(|reverses| text(reverses, "group"));
    let inlet = match Kind::from_name(&kind) {
        Some(kind) => Some(Inlet::Documents(kind.group())),
        None if matches!(&*kind, RULING | PAYMENT) => Some(Inlet::Handling),
        None => reversed.as_deref().and_then(Group::from_name).map(Inlet::Documents),
    };
    Route { inlet, institution_id: text(members, "institution_id") }
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
