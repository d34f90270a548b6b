//! Where an upload in a file belongs: for tools that publish files. It reads no more than that takes.

use super::json::{self, Json, Members};
use super::nhsa::messages;
use super::notes::Notebook;
use super::{nhsa, wrapper};
use crate::domain::document::{Group, Kind};

/// Which input topic an upload goes to, and by whom it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The group of documents, when it can be told.
    pub group: Option<Group>,
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
        let group = message.and_then(|message| messages::of_name(&message)).map(|(_, message)| message.topic);
        return Route { group, institution_id };
    }
    let text = |members: &Members, name: &str| match members.iter().find(|(found, _)| found == name) {
        Some((_, Json::Text(text))) => Some(text.clone()),
        _ => None,
    };
    let reversed = members.iter().find(|(name, _)| name == "reverses").and_then(|(_, value)| value.members());
    let reversed = reversed.and_then(|reverses| text(reverses, "group"));
    let group = match text(members, "kind").as_deref().and_then(Kind::from_name) {
        Some(kind) => Some(kind.group()),
        None => reversed.as_deref().and_then(Group::from_name),
    };
    Route { group, institution_id: text(members, "institution_id") }
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
            (r#"{"infno":"2304A"}"#, Some(Group::Settlement)),
            (r#"{"infno":"9952"}"#, None),
            (r#"{"kind":7}"#, None),
            ("not json", None),
        ] {
            assert_eq!(route(json.as_bytes()).group, group, "{json}");
        }
    }
}
