//! Maker's own codes: what neither belongs to a scheme nor looks like a damaged code of one.
//!
//! The form is deliberately wide, so guards keep errors out: a text begun like a GS1 or MA code, a 20-digit drug code
//! with a few characters wrong, added or lost, and the numbers of institutions and catalogues are not the maker's own.

use super::invalid::{is_not_a_trace_code, is_placeholder, is_rounded};
use super::{Family, Text, TraceCode};

/// The code, in upper case. The text is no element string.
pub(super) fn parse(text: &str) -> Option<TraceCode> {
    if !(8..=40).contains(&text.len()) {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let of_charset = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-./".contains(&byte);
    let letters = upper.bytes().filter(u8::is_ascii_uppercase).count();
    let digits = upper.bytes().filter(u8::is_ascii_digit).count();
    let is_one = upper.bytes().all(of_charset)
        && letters > 0
        && digits > 0
        && !begins_like_another_family(&upper)
        && !is_damaged_drug20(upper.len(), digits)
        && !(is_placeholder(&upper) || is_rounded(&upper) || is_not_a_trace_code(&upper));
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
