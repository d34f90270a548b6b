//! The fields of reference records by name, and their JSON.

use serde_json::{Map, Value, json};

use super::forms::{self, one_of};
use crate::domain::trace_code::without_empty_characters;
use crate::wire::inbound::decimal;
use crate::wire::inbound::reject::{Reject, RejectReason, Words};
use crate::wire::pb::ReferenceRecord;

const TEXT: Words = Words::new("文本", "text");
const FLAG: Words = Words::new(" true 或 false", "true or false");

/// Longest name of an unknown field that is repeated to its sender.
const NAME_CHARACTERS_MAX: usize = 64;

/// What fields every record has beside its own.
const OF_ALL: [&str; 4] = ["type", "valid_from", "valid_to", "deleted"];

/// A type of record.
pub(super) struct Type {
    /// Its name.
    pub(super) name: &'static str,
    /// The fields that make its key, in their order in the key of the topic.
    pub(super) key: &'static [&'static str],
    /// The fields of the key that may be absent.
    pub(super) optional: &'static [&'static str],
    /// Its other fields.
    pub(super) fields: &'static [&'static str],
}

/// The types, those of line and code rules before those that only rules about parties read.
pub(super) const TYPES: [Type; 11] = [
    Type {
        name: "product",
        key: &["prefix"],
        optional: &[],
        fields: &["product_code", "name", "packs_per_code", "units_per_pack"],
    },
    Type {
        name: "item",
        key: &["product_code"],
        optional: &[],
        fields: &["traceable", "watch", "watch_group", "units_per_pack", "max_daily_units", "max_days"],
    },
    Type {
        name: "institution",
        key: &["institution_id"],
        optional: &[],
        fields: &[
            "name",
            "region",
            "tier",
            "stock_uploaded_since",
            "dispensing_uploaded_since",
            "codes_in_settlement_since",
            "coverage_since",
            "practitioners_since",
            "contract_from",
            "successor_of",
        ],
    },
    Type {
        name: "exemption",
        key: &["product_code", "institution_id"],
        optional: &["institution_id"],
        fields: &[],
    },
    Type { name: "no_code_stock", key: &["institution_id", "product_code"], optional: &[], fields: &[] },
    Type { name: "recall", key: &["product_code", "lot"], optional: &[], fields: &[] },
    Type { name: "banned_code", key: &["code"], optional: &[], fields: &[] },
    Type { name: "suspension", key: &["subject_kind", "subject"], optional: &[], fields: &["from_time"] },
    Type { name: "practitioner", key: &["practitioner"], optional: &[], fields: &[] },
    Type { name: "neighbours", key: &["region_a", "region_b"], optional: &[], fields: &[] },
    Type {
        name: "person_exemption",
        key: &["person", "watch_group"],
        optional: &["watch_group"],
        fields: &[],
    },
];

/// The type of a record.
pub(super) fn type_of(raw: &ReferenceRecord) -> Result<&'static Type, Reject> {
    if raw.r#type.is_empty() {
        return Err(Reject::missing("type"));
    }
    TYPES.iter().find(|known| known.name == raw.r#type).ok_or_else(|| {
        let names: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
        Reject::malformed("type", one_of(&names))
    })
}

/// All texts of a record.
pub(super) fn texts(raw: &mut ReferenceRecord) -> [(&'static str, &mut String); 27] {
    [
        ("type", &mut raw.r#type),
        ("valid_from", &mut raw.valid_from),
        ("valid_to", &mut raw.valid_to),
        ("prefix", &mut raw.prefix),
        ("product_code", &mut raw.product_code),
        ("institution_id", &mut raw.institution_id),
        ("lot", &mut raw.lot),
        ("code", &mut raw.code),
        ("name", &mut raw.name),
        ("region", &mut raw.region),
        ("tier", &mut raw.tier),
        ("stock_uploaded_since", &mut raw.stock_uploaded_since),
        ("dispensing_uploaded_since", &mut raw.dispensing_uploaded_since),
        ("codes_in_settlement_since", &mut raw.codes_in_settlement_since),
        ("watch_group", &mut raw.watch_group),
        ("max_daily_units", &mut raw.max_daily_units),
        ("coverage_since", &mut raw.coverage_since),
        ("practitioners_since", &mut raw.practitioners_since),
        ("contract_from", &mut raw.contract_from),
        ("successor_of", &mut raw.successor_of),
        ("subject_kind", &mut raw.subject_kind),
        ("subject", &mut raw.subject),
        ("from_time", &mut raw.from_time),
        ("practitioner", &mut raw.practitioner),
        ("region_a", &mut raw.region_a),
        ("region_b", &mut raw.region_b),
        ("person", &mut raw.person),
    ]
}

/// All whole numbers of a record.
pub(super) fn factors(raw: &mut ReferenceRecord) -> [(&'static str, &mut Option<u32>); 3] {
    [
        ("packs_per_code", &mut raw.packs_per_code),
        ("units_per_pack", &mut raw.units_per_pack),
        ("max_days", &mut raw.max_days),
    ]
}

/// The message of a JSON object: the forms of JSON are checked, and that every field with a value is known.
pub(super) fn read_object(object: &Map<String, Value>) -> Result<ReferenceRecord, Reject> {
    let mut raw = ReferenceRecord::default();
    for (name, value) in object {
        if !value.is_null() && value.as_str().is_none_or(|text| !cleaned(text).is_empty()) {
            read_field(&mut raw, name, value)?;
        }
    }
    Ok(raw)
}

fn read_field(raw: &mut ReferenceRecord, name: &str, value: &Value) -> Result<(), Reject> {
    match name {
        "traceable" => raw.traceable = Some(flag(name, value)?),
        "watch" => raw.watch = flag(name, value)?,
        "deleted" => raw.deleted = flag(name, value)?,
        "max_daily_units" => raw.max_daily_units = decimal_text(value).ok_or_else(|| forms::dose(name))?,
        _ => {
            if let Some((_, factor)) = factors(raw).into_iter().find(|(known, _)| *known == name) {
                let read = decimal_text(value).and_then(|text| forms::factor(&text));
                *factor = Some(read.ok_or_else(|| forms::whole(name))?);
            } else if let Some((_, text)) = texts(raw).into_iter().find(|(known, _)| *known == name) {
                *text = value.as_str().ok_or_else(|| Reject::malformed(name, TEXT))?.to_owned();
            } else {
                return Err(unknown(name, None));
            }
        }
    }
    Ok(())
}

fn flag(name: &str, value: &Value) -> Result<bool, Reject> {
    value.as_bool().ok_or_else(|| Reject::malformed(name, FLAG))
}

/// A number, or the text of one.
fn decimal_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(cleaned(text)),
        Value::Number(number) => Some(decimal::spell_out(&number.to_string())),
        _ => None,
    }
}

/// Refuses a field that records of the type do not have: what it says would be lost without a word.
pub(super) fn check_fields(raw: &ReferenceRecord, known: &Type) -> Result<(), Reject> {
    let is_of_type =
        |name: &str| OF_ALL.contains(&name) || known.key.contains(&name) || known.fields.contains(&name);
    match present(raw).keys().find(|name| !is_of_type(name)) {
        Some(foreign) => Err(unknown(foreign, Some(known.name))),
        None => Ok(()),
    }
}

/// No record of the type has that field, or none of any type.
fn unknown(name: &str, type_name: Option<&str>) -> Reject {
    let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
    let (zh, en) = match type_name {
        Some(known) => (format!("{known} 类基础数据"), format!("records of type {known}")),
        None => ("基础数据".to_owned(), "reference records".to_owned()),
    };
    let text = Words::said(
        format!("`{name}` 不是{zh}的字段；请更正字段名或将其去掉。"),
        format!("`{name}` is no field of {en}; correct its name or take it out."),
    );
    Reject::of_field(RejectReason::MalformedField, name, text)
}

/// The fields of a record that have a value, as JSON.
pub(super) fn present(raw: &ReferenceRecord) -> Map<String, Value> {
    let mut raw = raw.clone();
    let mut object = Map::new();
    for (name, text) in texts(&mut raw).into_iter().filter(|(_, text)| !text.is_empty()) {
        object.insert(name.to_owned(), json!(text));
    }
    for (name, factor) in factors(&mut raw) {
        object.extend(factor.map(|factor| (name.to_owned(), json!(factor))));
    }
    object.extend(raw.traceable.map(|traceable| ("traceable".to_owned(), json!(traceable))));
    for (name, flag) in [("watch", raw.watch), ("deleted", raw.deleted)] {
        object.extend(flag.then(|| (name.to_owned(), json!(true))));
    }
    object
}

/// The text without what carries nothing.
pub(super) fn cleaned(text: &str) -> String {
    without_empty_characters(text).trim().to_owned()
}
