//! What is put around an upload on its way: a structured `CloudEvent` is opened, every other wrapper is named, so that its
//! sender knows what to switch off.

use std::collections::BTreeSet;

use super::json::{self, Json, Members};
use super::notes::{Leniency, Notebook};
use super::reject::{Reject, RejectReason, Words};
use super::validate::is_institution_id;

/// Fields of which every canonical upload has one at least.
const CANONICAL: [&str; 6] = ["document_id", "kind", "institution_id", "issued_at", "occurred_at", "lines"];

/// What names the institution, in canonical uploads and in the interface's envelope.
const INSTITUTION: [&str; 2] = ["institutionid", "fixmedinscode"];
/// How deep inside a wrapper the institution is looked for.
const DEPTH_MAX: usize = 4;

const EVENT_WITHOUT_OBJECT: Words = Words::new(
    "CloudEvent 的 `data` 应为对象；请把上传内容作为 JSON 对象放入。",
    "The `data` of a CloudEvent must be an object; put the upload there as JSON, not as text or base64.",
);
const EVENT_IN_EVENT: Words = Words::new(
    "CloudEvent 里又是 CloudEvent；只打开一层，请去掉外层。",
    "A CloudEvent inside a CloudEvent: one is opened; take the outer one off.",
);
const CHANGE_EVENT: Words = Words::new(
    "这是 Debezium 变更事件；请先解包（ExtractNewRecordState）再发送。",
    "A Debezium envelope: unwrap it (ExtractNewRecordState) before sending.",
);
const CONNECT: Words = Words::new(
    "这是带 schema 的 Kafka Connect 报文；请关闭 schemas.enable，只发送 payload。",
    "A Kafka Connect record with its schema: switch schemas.enable off and send the payload alone.",
);
const ENCRYPTED: Words =
    Words::new("报文已加密；请先解密，发送明文。", "An encrypted body: decrypt it before sending.");
const WITHOUT_NUMBER: Words = Words::new(
    "医保接口报文缺少外层字段（infno 等），交易编号可能只在网址里；请连同 infno、fixmedins_code、inf_time 一起发送。",
    "A message of the interface without its envelope (its number is perhaps in the path only): send infno, \
     fixmedins_code and inf_time with it.",
);
const FRAME: Words = Words::new(
    "上传内容被包在另一层报文里；请去掉外层，直接发送。",
    "The upload is inside another frame; take the frame off and send what is inside.",
);
const TEXT: Words = Words::new(
    "整个报文是一段 JSON 文本（被序列化了两次）；请只序列化一次。",
    "The whole upload is JSON inside a JSON text: it was serialised twice; do that once.",
);
const NOT_AN_OBJECT: Words = Words::new("JSON 上传应为一个对象。", "An upload in JSON must be one object.");
const ARRAY: Words = Words::new(
    "JSON 数组不是上传；请每条上传单独发送一条记录。",
    "A JSON array is not an upload; send every upload as a record of its own.",
);

/// The object of a record, out of a structured `CloudEvent` when it is in one.
pub(super) fn object(json: Json, notes: &Notebook) -> Result<Members, Reject> {
    let members = match json {
        Json::Object(members) => members,
        list @ Json::List(_) => return Err(refusal(RejectReason::Unparseable, ARRAY, &list)),
        Json::Text(text) if is_json(&text) => return Err(text_of_json(&text)),
        _ => return Err(Reject::new(RejectReason::Unparseable, NOT_AN_OBJECT)),
    };
    if !is_event(&members) {
        return Ok(members);
    }
    notes.lenient(Leniency::Wrapped);
    match members.into_iter().find(|(name, _)| name == "data").map(|(_, data)| data) {
        Some(Json::Object(inside)) if is_event(&inside) => {
            Err(refusal(RejectReason::UnknownMessage, EVENT_IN_EVENT, &Json::Object(inside)))
        }
        Some(Json::Object(inside)) => Ok(inside),
        data => Err(refusal(RejectReason::Unparseable, EVENT_WITHOUT_OBJECT, &data.unwrap_or(Json::Null))),
    }
}

/// The JSON inside a payload without a form of its own that is a JSON text.
pub(super) fn json_in_text(payload: &[u8]) -> Option<String> {
    let payload = payload.trim_ascii();
    let is_text = payload.starts_with(b"\"") && payload.ends_with(b"\"");
    is_text.then(|| serde_json::from_slice(payload).ok()).flatten().filter(|text: &String| is_json(text))
}

/// The refusal of such a payload.
pub(super) fn text_of_json(inside: &str) -> Reject {
    refusal(RejectReason::UnknownMessage, TEXT, &Json::Text(inside.into()))
}

/// A refusal that names the institution of what is wrapped, where that can be read.
fn refusal(reason: RejectReason, words: Words, wrapped: &Json) -> Reject {
    Reject::new(reason, words).about(&institution_of(wrapped).unwrap_or_default(), "")
}

/// The institution that a wrapper or something inside it names: the outermost that is one; none where several are named
/// equally deep.
fn institution_of(wrapped: &Json) -> Option<String> {
    let mut level = vec![wrapped.clone()];
    for _ in 0..DEPTH_MAX {
        let mut named = BTreeSet::new();
        let mut inside = Vec::new();
        for value in level {
            match value {
                Json::Object(members) => members.into_iter().for_each(|(name, value)| match value {
                    Json::Text(text) if INSTITUTION.contains(&super::nhsa::squash(&name).as_str()) => {
                        named.extend(Some(text.trim().to_owned()).filter(|text| is_institution_id(text)));
                    }
                    value => inside.push(value),
                }),
                Json::List(list) => inside.extend(list),
                Json::Text(text) if is_json(&text) => inside.extend(json::parse(text.as_bytes()).ok()),
                _ => {}
            }
        }
        if !named.is_empty() {
            return named.pop_first().filter(|_| named.is_empty());
        }
        level = inside;
    }
    None
}

/// Refuses an object that is no upload but a wrapper around one, or around nothing that can be read.
pub(super) fn refuse_unknown(members: &Members) -> Result<(), Reject> {
    let has = |names: &[&str]| members.iter().any(|(name, _)| names.contains(&name.as_str()));
    if has(&CANONICAL) {
        return Ok(());
    }
    let object =
        |name: &str| members.iter().find(|(found, _)| found == name).and_then(|(_, value)| value.members());
    let is_change = |members: &Members| {
        let names = ["before", "after", "op"];
        names.iter().filter(|name| members.iter().any(|(found, _)| found == *name)).count() > 1
    };
    let is_encrypted = members.iter().any(|(name, _)| {
        let name = name.to_ascii_lowercase().replace('_', "");
        ["encdata", "encrypt", "cipher", "enctype", "encbody"].iter().any(|word| name.contains(word))
    });
    let words = if is_change(members) || object("payload").is_some_and(is_change) {
        CHANGE_EVENT
    } else if has(&["schema"]) && has(&["payload"]) {
        CONNECT
    } else if is_encrypted {
        ENCRYPTED
    } else if has(&["input"]) {
        WITHOUT_NUMBER
    } else if members.iter().any(|(_, value)| holds_upload(value)) {
        FRAME
    } else {
        return Ok(());
    };
    Err(refusal(RejectReason::UnknownMessage, words, &Json::Object(members.clone())))
}

/// Whether a member of a frame is an upload, or JSON text that may be one.
fn holds_upload(value: &Json) -> bool {
    match value {
        Json::Object(members) => {
            super::nhsa::is_message(members)
                || members.iter().any(|(name, _)| CANONICAL.contains(&name.as_str()))
        }
        Json::Text(text) => is_json(text),
        _ => false,
    }
}

fn is_event(members: &Members) -> bool {
    let has = |name: &str| members.iter().any(|(found, _)| found == name);
    has("specversion") && has("data")
}

/// Whether the text is a JSON object or list.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Members, Reject> {
        object(super::super::json::parse(text.as_bytes())?, &Notebook::default())
    }

    #[test]
    fn a_cloud_event_is_opened_once() {
        let inside = members(r#"{"specversion":"1.0","id":"1","data":{"kind":"reversal"}}"#);
        assert!(inside.is_ok_and(|members| members.iter().any(|(name, _)| name == "kind")));
        let reason = |text| members(text).map_err(|reject| reject.reason);
        assert_eq!(reason(r#"{"specversion":"1.0","data":"{}"}"#), Err(RejectReason::Unparseable));
        let twice = r#"{"specversion":"1.0","data":{"specversion":"1.0","data":{}}}"#;
        assert_eq!(reason(twice), Err(RejectReason::UnknownMessage));
    }

    #[test]
    fn other_wrappers_are_named() {
        for (text, hint) in [
            (r#"{"before":null,"after":{"infno":"3505"},"op":"c"}"#, Some("Debezium")),
            (r#"{"schema":{},"payload":{"before":null,"after":{}}}"#, Some("Debezium")),
            (r#"{"schema":{},"payload":{"infno":"3505"}}"#, Some("Kafka Connect")),
            (r#"{"encType":"SM4","encData":"AB"}"#, Some("encrypted")),
            (r#"{"erp_order_no":"1","input":{"selinfo":[]}}"#, Some("without its envelope")),
            (r#"{"body":{"infno":"3505"}}"#, Some("frame")),
            (r#"{"message":"{\"kind\":\"dispense\"}"}"#, Some("frame")),
            (r#"{"kind":"dispense","body":{"kind":"dispense"}}"#, None),
            ("{}", None),
        ] {
            let refused = members(text).and_then(|members| refuse_unknown(&members));
            let sentence = refused.err().map(|reject| reject.sentence().to_owned());
            match hint {
                Some(hint) => assert!(sentence.as_ref().is_some_and(|said| said.contains(hint)), "{text}"),
                None => assert_eq!(sentence, None, "{text}"),
            }
        }
    }
}
