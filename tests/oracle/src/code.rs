//! Rules §1.5: what a scanned code is.
//!
//! Each family is tried in the order of the text. The families MA and HIBC are in [`super::device_code`].

use super::clean;
use super::device_code;
use super::element::Elements;

/// A code as scanned, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scan {
    /// A code of one of the families.
    Valid(Code),
    /// Anything else: the cleaned text, and the reason.
    Invalid {
        /// As cleaned.
        text: String,
        /// The first reason that fits.
        reason: &'static str,
    },
}

/// A valid code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code {
    /// The normal form: the code everywhere else.
    pub normal: String,
    /// What product records are found by; a maker's own code has none.
    pub prefix: Option<String>,
    /// "A unit code has a unit's identity"; the rest are lot codes.
    pub is_unit: bool,
}

/// Reads a code as scanned; nothing when it "is not a code at all and is ignored".
pub(crate) fn scan(scanned: &str) -> Option<Scan> {
    let text = clean::clean(scanned)?;
    let code = gs1(&text)
        .or_else(|| drug20(&text))
        .or_else(|| device_code::ma(&text))
        .or_else(|| device_code::hibc(&text))
        .or_else(|| maker(&text));
    Some(match code {
        Some(code) => Scan::Valid(code),
        None => Scan::Invalid { reason: reason(&text), text },
    })
}

/// Digits only, and at least one.
pub(crate) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// "an element string with AI 01, whose mod-10 digit is right": "with a serial `(01)GTIN14(21)SERIAL`, else with a
/// lot `(01)GTIN14(10)LOT`, else `(01)GTIN14`".
fn gs1(text: &str) -> Option<Code> {
    let elements = Elements::of(text)?;
    let gtin = elements.value("01").filter(|gtin| mod10_is_right(gtin))?;
    let normal = match (elements.value("21"), elements.value("10")) {
        (Some(serial), _) => format!("(01){gtin}(21){serial}"),
        (None, Some(lot)) => format!("(01){gtin}(10){lot}"),
        (None, None) => format!("(01){gtin}"),
    };
    Some(Code { normal, prefix: Some(gtin.to_owned()), is_unit: elements.value("21").is_some() })
}

/// Whether the last digit is the check digit: weights 1, 3, 1, … from the right.
pub(crate) fn mod10_is_right(digits: &str) -> bool {
    let weighted: u32 =
        digits.bytes().rev().enumerate().map(|(at, digit)| u32::from(digit - b'0') * [1, 3][at % 2]).sum();
    weighted.is_multiple_of(10)
}

/// "exactly 20 digits, unless they are a placeholder, or `00` + 18 digits with a right mod-10 digit"
fn drug20(text: &str) -> Option<Code> {
    let fits = text.len() == 20 && all_digits(text) && !is_placeholder(text) && !is_logistics_label(text);
    fits.then(|| Code { normal: text.to_owned(), prefix: Some(text[..7].to_owned()), is_unit: true })
}

/// "20 digits `00` + 18 with a right mod-10 digit"
fn is_logistics_label(text: &str) -> bool {
    text.len() == 20 && all_digits(text) && text.starts_with("00") && mod10_is_right(&text[2..])
}

/// "characters that are all equal; or digits each one more than the digit before, or each one less, modulo 10"
fn is_placeholder(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let pairs = || characters.windows(2).map(|pair| (pair[0], pair[1]));
    let by = |step: u32| {
        all_digits(text)
            && pairs().all(|(one, next)| {
                (u32::from(one) + step - u32::from('0')) % 10 == u32::from(next) - u32::from('0')
            })
    };
    pairs().all(|(one, next)| one == next) || by(1) || by(9)
}

/// "8–40 characters of A–Z 0–9 - . / after upper-casing, at least one letter and one digit, not begun like another
/// family (`01` + 14 digits, `MA.`), not a damaged drug20 (18–22 characters with at most two that are not digits),
/// not an element string, and none of the forms of `placeholder`, `rounded` and `not_a_trace_code`"
fn maker(text: &str) -> Option<Code> {
    let upper = text.to_ascii_uppercase();
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-' || c == '.' || c == '/';
    let digits = upper.chars().filter(char::is_ascii_digit).count();
    let begins_gs1 = upper.starts_with("01") && upper.get(..16).is_some_and(all_digits);
    let fits = (8..=40).contains(&upper.len())
        && upper.chars().all(allowed)
        && upper.chars().any(|c| c.is_ascii_uppercase())
        && digits > 0
        && !begins_gs1
        && !upper.starts_with("MA.")
        && !((18..=22).contains(&upper.len()) && upper.len() - digits <= 2)
        && Elements::of(text).is_none()
        && !is_placeholder(text)
        && !is_rounded(text)
        && !is_not_a_trace_code(&upper);
    fits.then_some(Code { normal: upper, prefix: None, is_unit: true })
}

/// "a digit, then optionally `.` and one digit or more, then `E` or `e`, optionally `+`, and one to three digits"
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_number = whole.len() == 1 && all_digits(whole) && all_digits(fraction);
    is_number && (1..=3).contains(&exponent.len()) && all_digits(exponent)
}

/// "`H` or `P` + 11 digits (an institution), `X` or `Z`, a letter, then 18 to 21 characters of A–Z 0–9 of which the
/// last 5 are digits (a catalogue code)"
fn is_not_a_trace_code(upper: &str) -> bool {
    let is_institution = upper.len() == 12 && upper.starts_with(['H', 'P']) && all_digits(&upper[1..]);
    let is_catalogue_code = (20..=23).contains(&upper.len())
        && upper.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && upper.starts_with(['X', 'Z'])
        && upper[1..].starts_with(|c: char| c.is_ascii_uppercase())
        && all_digits(&upper[upper.len() - 5..]);
    is_institution || is_catalogue_code
}

/// "Anything else is invalid; reasons, the first that fits".
fn reason(text: &str) -> &'static str {
    let elements = Elements::of(text);
    let has = |ai: &str| elements.as_ref().is_some_and(|elements| elements.value(ai).is_some());
    if has("01") || device_code::is_hibc_with_wrong_check(text) {
        return "check_digit";
    }
    if text.chars().count() >= 8 && is_placeholder(text) {
        return "placeholder";
    }
    if has("00") || is_logistics_label(text) {
        return "logistics_label";
    }
    if has("8006") || has("8026") {
        return "part_of_set";
    }
    if is_rounded(text) {
        return "rounded";
    }
    if is_not_a_trace_code(&text.to_ascii_uppercase()) {
        return "not_a_trace_code";
    }
    let length = text.len();
    match all_digits(text) {
        true if length == 13 && text.starts_with("69") => "barcode_69",
        true if length == 40 && text[..20] == text[20..] => "doubled",
        true if (10..=19).contains(&length) => "truncated",
        true if length >= 21 => "overlong",
        _ => "unrecognised",
    }
}
