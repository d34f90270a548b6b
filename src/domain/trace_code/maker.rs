//! Maker's own codes: what neither belongs to a scheme nor looks like a damaged code of one.
//!
//! The form is deliberately wide, so two guards keep scanning errors out: a text begun like a GS1 or MA code, and
//! a 20-digit drug code with a few characters wrong, added or lost, are not the maker's own.

use super::{Family, Text, TraceCode};

/// The code, in upper case.
pub(super) fn parse(text: &str) -> Option<TraceCode> {
    let upper = text.to_ascii_uppercase();
    let of_charset = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-./".contains(&byte);
    let letters = upper.bytes().filter(u8::is_ascii_uppercase).count();
    let digits = upper.bytes().filter(u8::is_ascii_digit).count();
    let is_one = (8..=40).contains(&upper.len())
        && upper.bytes().all(of_charset)
        && letters > 0
        && digits > 0
        && !begins_like_another_family(&upper)
        && !is_damaged_drug20(upper.len(), digits);
    is_one.then(|| TraceCode {
        normal: Text::from(upper),
        family: Family::Maker,
        prefix: None,
        is_unit: true,
    })
}

fn begins_like_another_family(upper: &str) -> bool {
    upper.starts_with("MA.")
        || upper.get(..16).is_some_and(|head| head.starts_with("01") && super::is_digits(head))
}

fn is_damaged_drug20(length: usize, digits: usize) -> bool {
    (18..=22).contains(&length) && length.saturating_sub(digits) <= 2
}
