//! JSON as it was written: repeated names and the text of numbers are kept.
//!
//! Senders glue their JSON together, so a name may stand twice in one object; a general reader keeps the last and loses
//! the other without a word. Numbers stay text, since binary fractions would change them.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::decimal;
use super::reject::{Reject, RejectReason};
use crate::domain::Text;

/// Under this name the parser hands over a number whose text it has kept.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// The members of an object, in their order.
pub(super) type Members = Vec<(Text, Json)>;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// A number as written.
    Number(Text),
    /// Text.
    Text(Text),
    /// A list.
    List(Vec<Json>),
    /// An object; a name may stand there several times.
    Object(Members),
}

impl Json {
    /// What the value says, alike for values that are equal: numbers by value, objects whatever the order of their
    /// members, of which equal ones count once.
    fn sense(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(number) => decimal::plain(number).unwrap_or_else(|| number.to_string()),
            Self::Text(text) => format!("{text:?}"),
            Self::List(list) => {
                let list: Vec<String> = list.iter().map(Self::sense).collect();
                format!("[{}]", list.join(","))
            }
            Self::Object(members) => {
                let member = |(name, value): &(Text, Self)| format!("{name:?}:{}", value.sense());
                let members: BTreeSet<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.into_iter().collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The members, when it is an object.
    pub(super) fn members(&self) -> Option<&Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }
}

/// Of several values the first of equal ones, in their order.
pub(super) fn distinct<T>(stated: Vec<T>, value: impl Fn(&T) -> &Json) -> Vec<T> {
    if stated.len() < 2 {
        return stated;
    }
    let mut said = BTreeSet::new();
    stated.into_iter().filter(|one| said.insert(value(one).sense())).collect()
}

/// The value of a payload. What is no JSON is refused with the place, and with the encoding or habit that it looks like;
/// the parser's own words could quote the input, its position cannot.
pub(super) fn parse(payload: &[u8]) -> Result<Json, Reject> {
    let refused = |en: String, zh: String| Reject::said(RejectReason::Unparseable, zh, en);
    if let Err(error) = std::str::from_utf8(payload) {
        if looks_like_utf16(payload) {
            return Err(utf16());
        }
        let byte = error.valid_up_to();
        return Err(refused(
            format!(
                "Not UTF-8 (from byte {byte} on), perhaps GBK; convert the text to UTF-8 before sending."
            ),
            format!("不是 UTF-8 编码（第 {byte} 字节起），可能是 GBK；请转成 UTF-8 后上传。"),
        ));
    }
    if looks_like_utf16(payload) {
        return Err(utf16());
    }
    if payload.ends_with(b"\0") {
        return Err(refused(
            "NUL bytes follow the message, as of a buffer that was not cut to length; cut them off before sending."
                .to_owned(),
            "报文末尾有 NUL 字节（缓冲区未按长度截断）；请去掉后上传。".to_owned(),
        ));
    }
    serde_json::from_slice(payload).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        refused(
            format!("Not valid JSON in UTF-8 (line {line}, column {column}); correct the sender."),
            format!("不是有效的 UTF-8 JSON（第 {line} 行第 {column} 列）；请修正上传程序。"),
        )
    })
}

fn utf16() -> Reject {
    Reject::said(
        RejectReason::Unparseable,
        "报文是 UTF-16 编码；请转成 UTF-8 后上传。",
        "The text is UTF-16; convert it to UTF-8 before sending.",
    )
}

/// A byte order mark of UTF-16, or a bracket of two bytes.
fn looks_like_utf16(payload: &[u8]) -> bool {
    matches!(payload, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..])
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
                Ok(Json::Bool(flag))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
                Ok(Json::Number(number.to_string().into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
                Ok(Json::Number(number.to_string().into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.into()))
            }

            fn visit_string<E>(self, text: String) -> Result<Json, E> {
                Ok(Json::Text(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(Json::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Members::new();
                while let Some((name, value)) = map.next_entry::<Text, Json>()? {
                    match value {
                        Json::Text(number) if members.is_empty() && name == NUMBER_TOKEN => {
                            return Ok(Json::Number(number));
                        }
                        value => members.push((name, value)),
                    }
                }
                Ok(Json::Object(members))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        parse(text.as_bytes()).unwrap_or(Json::Null)
    }

    #[test]
    fn repeated_names_and_the_text_of_numbers_are_kept() {
        let Json::Object(members) = json(r#"{"a":1.50,"a":null,"b":["x",12345678901234567890123,true]}"#)
        else {
            panic!("an object")
        };
        assert_eq!(members.len(), 3);
        assert_eq!(members.first().map(|member| &member.1), Some(&Json::Number("1.50".into())));
        let list = Json::List(vec![
            Json::Text("x".into()),
            Json::Number("12345678901234567890123".into()),
            Json::Bool(true),
        ]);
        assert_eq!(members.get(2).map(|member| &member.1), Some(&list));
    }

    #[test]
    fn values_are_equal_by_what_they_say() {
        for (one, two, equal) in [
            ("1.0", "1", true),
            ("1e1", "10.00", true),
            ("0.5", "5e-1", true),
            ("\"1\"", "1", false),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2,2],"a":1}"#, false),
            (r#"{"a":1,"b":2,"b":2.0}"#, r#"{"b":2,"a":1,"a":1}"#, true),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#, true),
            (r#"{"a":1,"a":2}"#, r#"{"a":1}"#, false),
            (r#"{"a":"b\":1"}"#, r#"{"a":"b","1":1}"#, false),
            (r#"["a,b"]"#, r#"["a","b"]"#, false),
        ] {
            let stated = distinct(vec![json(one), json(two)], |value| value);
            assert_eq!(stated.len() == 1, equal, "{one} {two}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_with_the_habit_that_it_looks_like() {
        for (payload, hint) in [
            (&b"{\"a\":\"\xCA\xD5\"}"[..], "GBK"),
            (b"\xFF\xFE{\0", "UTF-16"),
            (b"{\0}\0", "UTF-16"),
            (b"{}\0\0", "NUL"),
            (b"{\"a\":NaN}", "line 1"),
            (b"{\"a\":1,}", "line 1"),
        ] {
            let sentence = parse(payload).map_err(|reject| reject.sentence().to_owned());
            assert!(sentence.as_ref().is_err_and(|sentence| sentence.contains(hint)), "{sentence:?}");
        }
    }
}
