//! Reference records: JSON, NDJSON or Protobuf ↔ a [`Change`] of the reference data, and the keys of the
//! compacted topic `reference`.
//!
//! All forms go through the generated message [`ReferenceRecord`] and are checked once. Which fields a record
//! has depends on its type; fields of other types are passed over. Of a deletion only the key and `valid_from` are
//! read. A banned code is given in any scanned form and kept in normal form.
//!
//! The key of the topic is a JSON list of type, key and valid_from, so that a person can read it, a compacted
//! topic keeps the newest record of each, and a tombstone says what it deletes without a payload.

use prost::Message;
use serde_json::{Map, Value, json};

use super::decimal;
use super::moment;
use super::reject::{Reject, RejectReason};
use crate::domain::Text;
use crate::domain::reference::{
    Change, Institution, Item, Key, PACK_FACTOR_MAX, Product, Record, Value as Content,
};
use crate::domain::time::Day;
use crate::domain::trace_code;
use crate::wire::pb::ReferenceRecord;

/// Characters of a key's part.
const ID_CHARACTERS_MAX: usize = 64;

/// A reference record that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reject}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct ReferenceError {
    /// The line of the file, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong, and with which field.
    pub reject: Reject,
}

impl From<Reject> for ReferenceError {
    fn from(reject: Reject) -> Self {
        Self { line: None, reject }
    }
}

/// The changes of an NDJSON file, one a line, in order; blank lines are passed over.
pub fn read_ndjson(text: &str) -> impl Iterator<Item = Result<Change, ReferenceError>> + '_ {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| {
        from_json(line.as_bytes()).map_err(|error| ReferenceError { line: Some(index + 1), ..error })
    })
}

/// The change of one record of the topic: a tombstone deletes what its key names, any other payload is JSON when it
/// begins with `{` or a byte order mark, else Protobuf.
pub fn decode_record(key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<Change, ReferenceError> {
    match payload {
        None => decode_key(key.unwrap_or_default()),
        Some(json @ ([b'{', ..] | [0xEF, 0xBB, 0xBF, ..])) => from_json(json),
        Some(message) => match ReferenceRecord::decode(message) {
            Ok(raw) => Ok(change(&raw)?),
            Err(_) => Err(Reject::new(
                RejectReason::Unparseable,
                "Neither JSON nor a Protobuf message tracewarden.v1.ReferenceRecord.",
            )
            .into()),
        },
    }
}

/// The change of one JSON object.
pub fn from_json(json: &[u8]) -> Result<Change, ReferenceError> {
    let json = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    match serde_json::from_slice(json) {
        Ok(Value::Object(object)) => Ok(change(&read_object(&object)?)?),
        _ => {
            Err(Reject::new(RejectReason::Unparseable, "A reference record must be one JSON object.").into())
        }
    }
}

/// The JSON of a change, on one line.
pub fn encode_json(change: &Change) -> String {
    let raw = to_message(change);
    let texts = [
        ("type", &raw.r#type),
        ("valid_from", &raw.valid_from),
        ("valid_to", &raw.valid_to),
        ("prefix", &raw.prefix),
        ("product_code", &raw.product_code),
        ("institution_id", &raw.institution_id),
        ("lot", &raw.lot),
        ("code", &raw.code),
        ("name", &raw.name),
        ("region", &raw.region),
        ("tier", &raw.tier),
        ("stock_uploaded_since", &raw.stock_uploaded_since),
        ("dispensing_uploaded_since", &raw.dispensing_uploaded_since),
        ("codes_in_settlement_since", &raw.codes_in_settlement_since),
    ];
    let texts =
        texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, json!(text)));
    let others = [
        ("packs_per_code", raw.packs_per_code.map(Value::from)),
        ("units_per_pack", raw.units_per_pack.map(Value::from)),
        ("traceable", raw.traceable.map(Value::from)),
        ("watch", raw.watch.then_some(Value::Bool(true))),
        ("deleted", raw.deleted.then_some(Value::Bool(true))),
    ];
    let others = others.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let object: Map<String, Value> =
        texts.chain(others).map(|(name, value)| (name.to_owned(), value)).collect();
    Value::Object(object).to_string()
}

/// The Protobuf message of a change.
pub fn encode_protobuf(change: &Change) -> Vec<u8> {
    to_message(change).encode_to_vec()
}

/// The key of a record in the compacted topic: `["recall","XA01","L9","2026-01-01"]`, the last null when the record
/// has no `valid_from`, an exemption's institution null when it holds everywhere.
pub fn encode_key(record: &Record) -> Vec<u8> {
    let raw = to_message(&Change { record: record.clone(), deleted: true });
    let or_null = |text: String| if text.is_empty() { Value::Null } else { Value::String(text) };
    let mut parts = vec![Value::String(raw.r#type)];
    parts.extend(match &record.key {
        Key::Product { .. } => vec![or_null(raw.prefix)],
        Key::Item { .. } => vec![or_null(raw.product_code)],
        Key::Institution { .. } => vec![or_null(raw.institution_id)],
        Key::Exemption { .. } => vec![or_null(raw.product_code), or_null(raw.institution_id)],
        Key::NoCodeStock { .. } => vec![or_null(raw.institution_id), or_null(raw.product_code)],
        Key::Recall { .. } => vec![or_null(raw.product_code), or_null(raw.lot)],
        Key::BannedCode { .. } => vec![or_null(raw.code)],
    });
    parts.push(or_null(raw.valid_from));
    Value::Array(parts).to_string().into_bytes()
}

/// The deletion that a tombstone under this key means.
pub fn decode_key(key: &[u8]) -> Result<Change, ReferenceError> {
    let unreadable = || {
        Reject::new(RejectReason::Unparseable, "The key of a tombstone is not that of a reference record.")
    };
    let parts: Vec<Option<String>> = serde_json::from_slice(key).map_err(|_| unreadable())?;
    let mut parts = parts.into_iter().map(Option::unwrap_or_default);
    let mut next = || parts.next().ok_or_else(unreadable);
    let mut raw = ReferenceRecord { r#type: next()?, deleted: true, ..ReferenceRecord::default() };
    match raw.r#type.as_str() {
        "product" => raw.prefix = next()?,
        "item" => raw.product_code = next()?,
        "institution" => raw.institution_id = next()?,
        "exemption" => (raw.product_code, raw.institution_id) = (next()?, next()?),
        "no_code_stock" => (raw.institution_id, raw.product_code) = (next()?, next()?),
        "recall" => (raw.product_code, raw.lot) = (next()?, next()?),
        "banned_code" => raw.code = next()?,
        _ => return Err(unreadable().into()),
    }
    raw.valid_from = next()?;
    match parts.next() {
        None => Ok(change(&raw)?),
        Some(_) => Err(unreadable().into()),
    }
}

/// The message of a JSON object: types checked, values not.
fn read_object(object: &Map<String, Value>) -> Result<ReferenceRecord, Reject> {
    let present =
        |name: &str| object.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
    let text = |name: &str| match present(name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Reject::malformed(name, "text")),
    };
    let flag = |name: &str| match present(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Reject::malformed(name, "true or false")),
    };
    let integer = |name: &str| match present(name) {
        None => Ok(None),
        Some(Value::String(text)) => pack_factor(name, text).map(Some),
        Some(Value::Number(number)) => pack_factor(name, &decimal::spell_out(&number.to_string())).map(Some),
        Some(_) => Err(pack_factor_form(name)),
    };
    let raw = ReferenceRecord {
        r#type: text("type")?,
        valid_from: text("valid_from")?,
        deleted: flag("deleted")?.unwrap_or(false),
        prefix: text("prefix")?,
        product_code: text("product_code")?,
        institution_id: text("institution_id")?,
        lot: text("lot")?,
        code: text("code")?,
        ..ReferenceRecord::default()
    };
    if raw.deleted {
        return Ok(raw);
    }
    Ok(ReferenceRecord {
        valid_to: text("valid_to")?,
        name: text("name")?,
        packs_per_code: integer("packs_per_code")?,
        units_per_pack: integer("units_per_pack")?,
        traceable: flag("traceable")?,
        watch: flag("watch")?.unwrap_or(false),
        region: text("region")?,
        tier: text("tier")?,
        stock_uploaded_since: text("stock_uploaded_since")?,
        dispensing_uploaded_since: text("dispensing_uploaded_since")?,
        codes_in_settlement_since: text("codes_in_settlement_since")?,
        ..raw
    })
}

fn pack_factor(name: &str, text: &str) -> Result<u32, Reject> {
    let factor = decimal::scaled(text, 0).and_then(|factor| u32::try_from(factor).ok());
    factor.filter(|factor| (1..=PACK_FACTOR_MAX).contains(factor)).ok_or_else(|| pack_factor_form(name))
}

fn pack_factor_form(name: &str) -> Reject {
    Reject::malformed(name, &format!("a whole number from 1 to {PACK_FACTOR_MAX}"))
}

/// The change that a message states, fully checked.
fn change(raw: &ReferenceRecord) -> Result<Change, Reject> {
    let key = key(raw)?;
    let valid_from = day("valid_from", &raw.valid_from)?;
    if raw.deleted {
        let value = empty_content(&key);
        return Ok(Change { record: Record { key, valid_from, valid_to: None, value }, deleted: true });
    }
    let record =
        Record { valid_from, valid_to: day("valid_to", &raw.valid_to)?, value: content(&key, raw)?, key };
    Ok(Change { record, deleted: false })
}

fn key(raw: &ReferenceRecord) -> Result<Key, Reject> {
    Ok(match raw.r#type.as_str() {
        "" => return Err(Reject::missing("type")),
        "product" => Key::Product { prefix: required("prefix", &raw.prefix)? },
        "item" => Key::Item { product_code: required("product_code", &raw.product_code)? },
        "institution" => {
            Key::Institution { institution_id: required("institution_id", &raw.institution_id)? }
        }
        "exemption" => Key::Exemption {
            product_code: required("product_code", &raw.product_code)?,
            institution_id: optional(&raw.institution_id),
        },
        "no_code_stock" => Key::NoCodeStock {
            institution_id: required("institution_id", &raw.institution_id)?,
            product_code: required("product_code", &raw.product_code)?,
        },
        "recall" => Key::Recall {
            product_code: required("product_code", &raw.product_code)?,
            lot: required("lot", &raw.lot)?,
        },
        "banned_code" => {
            let scan = trace_code::read(&raw.code).ok_or_else(|| Reject::missing("code"))?;
            Key::BannedCode { code: scan.text().clone() }
        }
        _ => {
            let expected = "product, item, institution, exemption, no_code_stock, recall or banned_code";
            return Err(Reject::malformed("type", expected));
        }
    })
}

fn content(key: &Key, raw: &ReferenceRecord) -> Result<Content, Reject> {
    let factor = |name: &str, value: Option<u32>| match value {
        Some(value) if !(1..=PACK_FACTOR_MAX).contains(&value) => Err(pack_factor_form(name)),
        value => Ok(value),
    };
    Ok(match key {
        Key::Product { .. } => Content::Product(Product {
            product_code: optional(&raw.product_code),
            name: optional(&raw.name),
            packs_per_code: factor("packs_per_code", raw.packs_per_code)?.unwrap_or(1),
            units_per_pack: factor("units_per_pack", raw.units_per_pack)?,
        }),
        Key::Item { .. } => Content::Item(Item { traceable: raw.traceable, watch: raw.watch }),
        Key::Institution { .. } => Content::Institution(Institution {
            name: optional(&raw.name),
            region: optional(&raw.region),
            tier: optional(&raw.tier),
            stock_uploaded_since: day("stock_uploaded_since", &raw.stock_uploaded_since)?,
            dispensing_uploaded_since: day("dispensing_uploaded_since", &raw.dispensing_uploaded_since)?,
            codes_in_settlement_since: day("codes_in_settlement_since", &raw.codes_in_settlement_since)?,
        }),
        Key::Exemption { .. } | Key::NoCodeStock { .. } | Key::Recall { .. } | Key::BannedCode { .. } => {
            Content::Present
        }
    })
}

/// What stands for the content in a deletion.
fn empty_content(key: &Key) -> Content {
    match key {
        Key::Product { .. } => Content::Product(Product {
            product_code: None,
            name: None,
            packs_per_code: 1,
            units_per_pack: None,
        }),
        Key::Item { .. } => Content::Item(Item::default()),
        Key::Institution { .. } => Content::Institution(Institution::default()),
        _ => Content::Present,
    }
}

fn required(field: &str, text: &str) -> Result<Text, Reject> {
    if text.chars().nth(ID_CHARACTERS_MAX).is_some() {
        return Err(Reject::over_limit(field, ID_CHARACTERS_MAX, "characters"));
    }
    optional(text).ok_or_else(|| Reject::missing(field))
}

fn optional(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

fn day(field: &str, text: &str) -> Result<Option<Day>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    moment::day(text).map(Some).ok_or_else(|| Reject::malformed(field, moment::DAY_FORM))
}

/// The message of a change.
fn to_message(change: &Change) -> ReferenceRecord {
    let Change { record, deleted } = change;
    let text = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
    let day_text = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let mut raw = ReferenceRecord {
        valid_from: day_text(record.valid_from),
        deleted: *deleted,
        ..ReferenceRecord::default()
    };
    let name = match &record.key {
        Key::Product { prefix } => {
            raw.prefix = prefix.to_string();
            "product"
        }
        Key::Item { product_code } => {
            raw.product_code = product_code.to_string();
            "item"
        }
        Key::Institution { institution_id } => {
            raw.institution_id = institution_id.to_string();
            "institution"
        }
        Key::Exemption { product_code, institution_id } => {
            raw.product_code = product_code.to_string();
            raw.institution_id = text(institution_id);
            "exemption"
        }
        Key::NoCodeStock { institution_id, product_code } => {
            raw.institution_id = institution_id.to_string();
            raw.product_code = product_code.to_string();
            "no_code_stock"
        }
        Key::Recall { product_code, lot } => {
            raw.product_code = product_code.to_string();
            raw.lot = lot.to_string();
            "recall"
        }
        Key::BannedCode { code } => {
            raw.code = code.to_string();
            "banned_code"
        }
    };
    raw.r#type = name.to_owned();
    if *deleted {
        return raw;
    }
    raw.valid_to = day_text(record.valid_to);
    match &record.value {
        Content::Product(product) => {
            raw.product_code = text(&product.product_code);
            raw.name = text(&product.name);
            raw.packs_per_code = Some(product.packs_per_code);
            raw.units_per_pack = product.units_per_pack;
        }
        Content::Item(item) => {
            raw.traceable = item.traceable;
            raw.watch = item.watch;
        }
        Content::Institution(institution) => {
            raw.name = text(&institution.name);
            raw.region = text(&institution.region);
            raw.tier = text(&institution.tier);
            raw.stock_uploaded_since = day_text(institution.stock_uploaded_since);
            raw.dispensing_uploaded_since = day_text(institution.dispensing_uploaded_since);
            raw.codes_in_settlement_since = day_text(institution.codes_in_settlement_since);
        }
        Content::Present => {}
    }
    raw
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_example_record_round_trips_in_all_three_forms() {
        let mut count = 0;
        for entry in std::fs::read_dir("tests/examples").into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(entry.path().join("reference.ndjson")).unwrap_or_default();
            for change in read_ndjson(&text) {
                let expected = change.clone();
                let Ok(change) = change else { panic!("{change:?}") };
                assert_eq!(from_json(encode_json(&change).as_bytes()), expected);
                let key = encode_key(&change.record);
                assert_eq!(decode_record(Some(&key), Some(&encode_protobuf(&change))), expected);
                let deletion = decode_record(Some(&key), None).map(|deletion| {
                    assert!(deletion.deleted);
                    (deletion.record.key, deletion.record.valid_from)
                });
                assert_eq!(deletion, Ok((change.record.key, change.record.valid_from)));
                count += 1;
            }
        }
        assert!(count > 500, "only {count} records");
    }

    #[test]
    fn a_banned_code_is_kept_in_normal_form_and_integers_may_be_text() {
        let banned = from_json(r#"{"type":"banned_code","code":" ８1773220288616423835"}"#.as_bytes());
        let key = banned.map(|change| change.record.key);
        assert_eq!(key, Ok(Key::BannedCode { code: "81773220288616423835".into() }));
        for (written, read) in [("\"20\"", 20), ("20", 20), ("2e1", 20), ("\"20.0\"", 20)] {
            let json = format!(r#"{{"type":"product","prefix":"8177322","units_per_pack":{written}}}"#);
            match from_json(json.as_bytes()).map(|change| change.record.value) {
                Ok(Content::Product(product)) => {
                    assert_eq!((product.packs_per_code, product.units_per_pack), (1, Some(read)));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_fault_names_its_line_and_field() {
        for (record, reason, field) in [
            (r#"{"prefix":"8177322"}"#, RejectReason::MissingField, Some("type")),
            (r#"{"type":"drug"}"#, RejectReason::MalformedField, Some("type")),
            (r#"{"type":"product"}"#, RejectReason::MissingField, Some("prefix")),
            (r#"{"type":"product","prefix":7}"#, RejectReason::MalformedField, Some("prefix")),
            (
                r#"{"type":"product","prefix":"1","packs_per_code":0}"#,
                RejectReason::MalformedField,
                Some("packs_per_code"),
            ),
            (
                r#"{"type":"product","prefix":"1","units_per_pack":1.5}"#,
                RejectReason::MalformedField,
                Some("units_per_pack"),
            ),
            (
                r#"{"type":"item","product_code":"X","valid_to":"2026-1-1"}"#,
                RejectReason::MalformedField,
                Some("valid_to"),
            ),
            (
                r#"{"type":"item","product_code":"X","traceable":"yes"}"#,
                RejectReason::MalformedField,
                Some("traceable"),
            ),
            (r#"{"type":"recall","product_code":"X"}"#, RejectReason::MissingField, Some("lot")),
            (r#"{"type":"banned_code","code":" "}"#, RejectReason::MissingField, Some("code")),
            ("[]", RejectReason::Unparseable, None),
        ] {
            let text = format!("\u{FEFF}{{\"type\":\"item\",\"product_code\":\"X\"}}\n\n{record}\n");
            let changes: Vec<_> = read_ndjson(&text).collect();
            let Some(Err(error)) = changes.last() else { panic!("{record} was accepted") };
            assert_eq!((changes.len(), error.line), (2, Some(3)));
            assert_eq!((error.reject.reason, error.reject.field.as_deref()), (reason, field), "{record}");
            assert!(error.to_string().starts_with("line 3: "));
        }
        for key in
            [&b""[..], b"[]", b"[\"drug\",\"1\",null]", b"[\"item\",\"X\"]", b"[\"item\",\"X\",null,null]"]
        {
            assert!(decode_record(Some(key), None).is_err());
        }
    }
}
