//! Reference records: JSON, NDJSON or Protobuf as [`Entry`], and the keys of the compacted topic `reference`.
//!
//! All forms go through the generated message [`ReferenceRecord`] and are checked once, a deletion as any other. Which
//! fields a record has depends on its type ([`fields`]). Texts are cleaned, a product's prefix and a banned code kept
//! in normal form. What can never match, or would be lost without a word, is refused: an unknown field, a value of
//! the wrong form, a prefix or code that is none.
//!
//! Records that only rules about persons and institutions read are known and kept in the topic; they change nothing
//! of the book.
//!
//! The key of the topic is a JSON list of type, key and valid_from, so that a person can read it, a compacted
//! topic keeps the newest record of each, and a tombstone says what it deletes without a payload.

mod fields;
mod forms;

use prost::Message;
use serde_json::Value;

use self::fields::{TYPES, Type, cleaned, texts, type_of};
use self::forms::day;
use super::reject::{CHARACTERS, Reject, RejectReason, Words};
use crate::domain::Text;
use crate::domain::reference::{Change, Institution, Item, Key, Product, Record, Value as Content};
use crate::domain::trace_code::{self, Scan};
use crate::wire::pb::ReferenceRecord;

/// Characters of a key's part.
const ID_CHARACTERS_MAX: usize = 64;

/// A record, checked and cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    message: ReferenceRecord,
    change: Option<Change>,
}

impl Entry {
    /// What it changes of the reference data that line and code rules read; none, when it is of another kind.
    pub fn into_change(self) -> Option<Change> {
        self.change
    }

    /// The key of its record in the compacted topic: `["recall","XA01","L9","2026-01-01"]`, the last null when the
    /// record has no `valid_from`, and so are parts of the key that it does not name.
    pub fn topic_key(&self) -> Vec<u8> {
        let fields = fields::present(&self.message);
        let part = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let own = TYPES.iter().find(|known| known.name == self.message.r#type);
        let names = ["type"].iter().chain(own.map(|own| own.key).unwrap_or_default()).chain(&["valid_from"]);
        Value::Array(names.map(|name| part(name)).collect()).to_string().into_bytes()
    }

    /// The payload of its record in the topic: JSON on one line; none for a deletion.
    pub fn topic_payload(&self) -> Option<Vec<u8>> {
        let json = || Value::Object(fields::present(&self.message)).to_string().into_bytes();
        (!self.message.deleted).then(json)
    }
}

const NEITHER: Words = Words::new(
    "记录既不是 JSON，也不是 Protobuf 消息 tracewarden.v1.ReferenceRecord；请按其中一种格式发送。",
    "Neither JSON nor a Protobuf message tracewarden.v1.ReferenceRecord; send one of the two.",
);
const NO_OBJECT: Words = Words::new(
    "一条基础数据应为一个 JSON 对象；请修正后重新加载。",
    "A reference record must be one JSON object.",
);
const NO_KEY: Words = Words::new(
    "删除记录的键不是基础数据的键；请使用该条数据发布时的键。",
    "The key of a tombstone is not that of a reference record; use the key that the record was published under.",
);
const PREFIX: Words = Words::new(
    "药品追溯码的前 7 位、校验位正确的 GTIN，或 UDI-DI",
    "the first 7 digits of drug codes, a GTIN with a right check digit, or a UDI-DI",
);

/// A record of the topic: a tombstone deletes what its key names, any other payload is JSON when it begins with `{`
/// or a byte order mark, else Protobuf.
pub fn decode_record(key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<Entry, Reject> {
    match payload {
        None => decode_key(key.unwrap_or_default()),
        Some(json @ ([b'{', ..] | [0xEF, 0xBB, 0xBF, ..])) => from_json(json),
        Some(message) => match ReferenceRecord::decode(message) {
            Ok(raw) => entry(raw),
            Err(_) => Err(Reject::new(RejectReason::Unparseable, NEITHER)),
        },
    }
}

/// A JSON object.
pub fn from_json(json: &[u8]) -> Result<Entry, Reject> {
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => entry(fields::read_object(&object)?),
        _ => Err(Reject::new(RejectReason::Unparseable, NO_OBJECT)),
    }
}

/// The deletion that a tombstone under this key means.
fn decode_key(key: &[u8]) -> Result<Entry, Reject> {
    let unreadable = || Reject::new(RejectReason::Unparseable, NO_KEY);
    let parts: Vec<Option<String>> = serde_json::from_slice(key).map_err(|_| unreadable())?;
    let [Some(name), parts @ .., valid_from] = parts.as_slice() else {
        return Err(unreadable());
    };
    let known = TYPES.iter().find(|known| known.name == name && known.key.len() == parts.len());
    let known = known.ok_or_else(unreadable)?;
    let mut raw = ReferenceRecord {
        r#type: name.clone(),
        valid_from: valid_from.clone().unwrap_or_default(),
        deleted: true,
        ..ReferenceRecord::default()
    };
    for (name, part) in known.key.iter().zip(parts) {
        if let Some((_, text)) = texts(&mut raw).into_iter().find(|(field, _)| field == name) {
            *text = part.clone().unwrap_or_default();
        }
    }
    entry(raw)
}

/// The entry that a message states, fully checked.
fn entry(mut message: ReferenceRecord) -> Result<Entry, Reject> {
    for (_, text) in texts(&mut message) {
        *text = cleaned(text);
    }
    let known = type_of(&message)?;
    fields::check_fields(&message, known)?;
    check_key(&mut message, known)?;
    forms::check(&message)?;
    let (valid_from, valid_to) =
        (day("valid_from", &message.valid_from)?, day("valid_to", &message.valid_to)?);
    let change = match normalised_key(&mut message)? {
        None => None,
        Some(key) => {
            let value = content(&key, &message)?;
            Some(Change { record: Record { key, valid_from, valid_to, value }, deleted: message.deleted })
        }
    };
    Ok(Entry { message, change })
}

fn check_key(message: &mut ReferenceRecord, known: &Type) -> Result<(), Reject> {
    for (name, text) in texts(message).into_iter().filter(|(name, _)| known.key.contains(name)) {
        if text.is_empty() && !known.optional.contains(&name) {
            return Err(Reject::missing(name));
        }
        // A code may be written at length; what is kept of it is not.
        if name != "code" && text.chars().nth(ID_CHARACTERS_MAX).is_some() {
            return Err(Reject::over_limit(name, ID_CHARACTERS_MAX, CHARACTERS));
        }
    }
    Ok(())
}

/// The key of the book that a record has; none, when no line or code rule reads it. What is written in several ways
/// is brought into one form in the message as well, which makes the key of the topic.
fn normalised_key(message: &mut ReferenceRecord) -> Result<Option<Key>, Reject> {
    let product_code = Text::from(message.product_code.as_str());
    let institution_id = Text::from(message.institution_id.as_str());
    Ok(Some(match message.r#type.as_str() {
        "product" => {
            let prefix = trace_code::read_prefix(&message.prefix)
                .ok_or_else(|| Reject::malformed("prefix", PREFIX))?;
            message.prefix = prefix.to_string();
            Key::Product { prefix }
        }
        "item" => Key::Item { product_code },
        "institution" => Key::Institution { institution_id },
        "exemption" => Key::Exemption { product_code, institution_id: optional(&message.institution_id) },
        "no_code_stock" => Key::NoCodeStock { institution_id, product_code },
        "recall" => Key::Recall { product_code, lot: message.lot.as_str().into() },
        "banned_code" => {
            let code = banned_code(&message.code)?;
            message.code = trace_code::as_scanned(&code).into_owned();
            Key::BannedCode { code }
        }
        "neighbours" if message.region_a > message.region_b => {
            std::mem::swap(&mut message.region_a, &mut message.region_b);
            return Ok(None);
        }
        _ => return Ok(None),
    }))
}

/// The normal form of a banned code, scanned in any form.
fn banned_code(scanned: &str) -> Result<Text, Reject> {
    match trace_code::read(scanned) {
        Some(Scan::Valid(code)) => Ok(code.normal),
        Some(Scan::Invalid { reason, .. }) => {
            let reason = reason.name();
            let text = Words::said(
                format!("`code` 不是追溯码（{reason}）；请修正后重新加载。"),
                format!("`code` is no trace code ({reason}); correct it and load it again."),
            );
            Err(Reject::of_field(RejectReason::MalformedField, "code", text))
        }
        None => Err(Reject::missing("code")),
    }
}

fn content(key: &Key, message: &ReferenceRecord) -> Result<Content, Reject> {
    Ok(match key {
        Key::Product { .. } => Content::Product(Product {
            product_code: optional(&message.product_code),
            name: optional(&message.name),
            packs_per_code: message.packs_per_code.unwrap_or(1),
            units_per_pack: message.units_per_pack,
        }),
        Key::Item { .. } => Content::Item(Item { traceable: message.traceable, watch: message.watch }),
        Key::Institution { .. } => Content::Institution(Institution {
            name: optional(&message.name),
            region: optional(&message.region),
            tier: optional(&message.tier),
            stock_uploaded_since: day("stock_uploaded_since", &message.stock_uploaded_since)?,
            dispensing_uploaded_since: day("dispensing_uploaded_since", &message.dispensing_uploaded_since)?,
            codes_in_settlement_since: day("codes_in_settlement_since", &message.codes_in_settlement_since)?,
            contract_from: day("contract_from", &message.contract_from)?,
            successor_of: optional(&message.successor_of),
        }),
        Key::Exemption { .. } | Key::NoCodeStock { .. } | Key::Recall { .. } | Key::BannedCode { .. } => {
            Content::Present
        }
    })
}

fn optional(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests;
