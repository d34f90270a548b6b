//! Why a text is no code: the forms by which what is no trace code is known, and the order in which they are tried.

use super::gs1::{self, ElementString};
use super::{InvalidReason, is_digits};

/// The first reason that fits a text that no family accepts.
pub(super) fn reason(text: &str, element_string: Option<&ElementString<'_>>, is_hibc: bool) -> InvalidReason {
    let has_wrong_check = is_hibc || element_string.is_some_and(ElementString::has_gtin);
    if has_wrong_check {
        InvalidReason::CheckDigit
    } else if text.chars().nth(7).is_some() && is_placeholder(text) {
        InvalidReason::Placeholder
    } else if element_string.is_some_and(ElementString::is_logistics_label) || is_logistics_label(text) {
        InvalidReason::LogisticsLabel
    } else if element_string.is_some_and(ElementString::is_part_of_set) {
        InvalidReason::PartOfSet
    } else if is_rounded(text) {
        InvalidReason::Rounded
    } else if is_not_a_trace_code(&text.to_ascii_uppercase()) {
        InvalidReason::NotATraceCode
    } else if is_digits(text) {
        by_number_of_digits(text)
    } else {
        InvalidReason::Unrecognised
    }
}

fn by_number_of_digits(digits: &str) -> InvalidReason {
    match digits.len() {
        13 if digits.starts_with("69") => InvalidReason::Barcode69,
        40 if digits.get(..20) == digits.get(20..) => InvalidReason::Doubled,
        10..=19 => InvalidReason::Truncated,
        21.. => InvalidReason::Overlong,
        _ => InvalidReason::Unrecognised,
    }
}

/// What people enter where they have no code: one character again and again, or digits counted up or down.
pub(super) fn is_placeholder(text: &str) -> bool {
    let step_is = |step: u8| {
        let next = |digit: u8| (digit.saturating_sub(b'0') + step) % 10 + b'0';
        text.bytes().zip(text.bytes().skip(1)).all(|(digit, following)| following == next(digit))
    };
    let is_repeated = text.chars().zip(text.chars().skip(1)).all(|(character, next)| character == next);
    is_repeated || (step_is(1) || step_is(9)) && is_digits(text)
}

/// The number of a logistic unit (SSCC) with its AI.
pub(super) fn is_logistics_label(text: &str) -> bool {
    text.strip_prefix("00").is_some_and(|rest| super::is_20_digits(text) && gs1::mod_10_is_right(rest))
}

/// A code that went through a floating-point number, `8.1773220288616E+19`: its last digits are gone.
pub(super) fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1 && [whole, decimals, exponent].into_iter().all(is_digits) && exponent.len() <= 3
}

/// The number of an institution or a catalogue code: they stand in the same message, one field away.
pub(super) fn is_not_a_trace_code(upper: &str) -> bool {
    let is_institution = |rest: &str| rest.len() == 11 && is_digits(rest);
    let is_product = |rest: &str| {
        let mut bytes = rest.bytes();
        let class = bytes.next().is_some_and(|byte| byte.is_ascii_uppercase());
        class
            && (18..=21).contains(&bytes.len())
            && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && rest.bytes().rev().take(5).all(|byte| byte.is_ascii_digit())
    };
    upper.strip_prefix(['H', 'P']).is_some_and(is_institution)
        || upper.strip_prefix(['X', 'Z']).is_some_and(is_product)
}
