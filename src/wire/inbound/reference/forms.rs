//! The forms of values that do not depend on the format of the record.

use crate::domain::reference::PACK_FACTOR_MAX;
use crate::domain::time::Day;
use crate::wire::inbound::reject::{Reject, Words};
use crate::wire::inbound::{decimal, moment};
use crate::wire::pb::ReferenceRecord;

/// Whose a suspension can be.
const SUBJECT_KINDS: [&str; 4] = ["institution", "department", "practitioner", "person"];

const FOUR_DIGITS: Words = Words::new("医保区划的前 4 位数字", "the first four digits of a region");
const ON_THE_DAY: Words = Words::new(" `valid_from` 当天的时间", "a moment on the day `valid_from`");

/// One of these names.
pub(super) fn one_of(names: &[&str]) -> Words {
    Words::said(format!("下列之一：{}", names.join("、")), format!("one of {}", names.join(", ")))
}

/// Checks every value that is more than a text, but for the key's and the dates that become a part of a change.
pub(super) fn check(raw: &ReferenceRecord) -> Result<(), Reject> {
    for (name, text) in [
        ("stock_uploaded_since", &raw.stock_uploaded_since),
        ("dispensing_uploaded_since", &raw.dispensing_uploaded_since),
        ("codes_in_settlement_since", &raw.codes_in_settlement_since),
        ("coverage_since", &raw.coverage_since),
        ("practitioners_since", &raw.practitioners_since),
        ("contract_from", &raw.contract_from),
    ] {
        day(name, text)?;
    }
    for (name, value) in [
        ("packs_per_code", raw.packs_per_code),
        ("units_per_pack", raw.units_per_pack),
        ("max_days", raw.max_days),
    ] {
        value.map_or(Ok(()), |value| is_factor(value).then_some(()).ok_or_else(|| whole(name)))?;
    }
    if !raw.max_daily_units.is_empty() && decimal::quantity(&raw.max_daily_units).is_none() {
        return Err(dose("max_daily_units"));
    }
    for (name, region) in [("region_a", &raw.region_a), ("region_b", &raw.region_b)] {
        let is_digits = region.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_digits && matches!(region.len(), 0 | 4)) {
            return Err(Reject::malformed(name, FOUR_DIGITS));
        }
    }
    if !raw.subject_kind.is_empty() && !SUBJECT_KINDS.contains(&raw.subject_kind.as_str()) {
        return Err(Reject::malformed("subject_kind", one_of(&SUBJECT_KINDS)));
    }
    check_from_time(raw)
}

fn check_from_time(raw: &ReferenceRecord) -> Result<(), Reject> {
    if raw.from_time.is_empty() {
        return Ok(());
    }
    let from =
        moment::rfc3339(&raw.from_time).ok_or_else(|| Reject::malformed("from_time", moment::MOMENT_FORM))?;
    match day("valid_from", &raw.valid_from)? {
        Some(day) if day == from.day() => Ok(()),
        _ => Err(Reject::malformed("from_time", ON_THE_DAY)),
    }
}

/// A day, where there is one.
pub(super) fn day(field: &str, text: &str) -> Result<Option<Day>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    moment::day(text).map(Some).ok_or_else(|| Reject::malformed(field, moment::DAY_FORM))
}

/// A number of packs, units or days.
pub(super) fn factor(text: &str) -> Option<u32> {
    decimal::scaled(text, 0).and_then(|factor| u32::try_from(factor).ok()).filter(|factor| is_factor(*factor))
}

fn is_factor(value: u32) -> bool {
    (1..=PACK_FACTOR_MAX).contains(&value)
}

/// What a number of packs, units or days must be.
pub(super) fn whole(name: &str) -> Reject {
    let expected = Words::said(
        format!(" 1 至 {PACK_FACTOR_MAX} 的整数"),
        format!("a whole number from 1 to {PACK_FACTOR_MAX}"),
    );
    Reject::malformed(name, expected)
}

/// What a dose must be.
pub(super) fn dose(name: &str) -> Reject {
    Reject::malformed(name, decimal::QUANTITY_FORM)
}
