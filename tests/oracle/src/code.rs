//! Rules §1.5: what a scanned code is.
//!
//! Each family is tried in the order of the text. The families MA and HIBC are in [`super::device_code`].

use super::device_code;

/// A code as scanned, understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scan {
    /// A code of one of the families.
    Valid(Code),
    /// Anything else: the text "after the first sentence of §1.5", and the reason.
    Invalid {
        /// Trimmed, half-width, without symbology mark.
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

/// Reads a code as scanned; nothing when "what is then empty is not a code at all".
pub fn scan(scanned: &str) -> Option<Scan> {
    let text = clean(scanned);
    if text.is_empty() {
        return None;
    }
    let code = drug20(&text)
        .or_else(|| gs1(&text))
        .or_else(|| device_code::ma(&text))
        .or_else(|| device_code::hibc(&text))
        .or_else(|| maker(&text));
    Some(match code {
        Some(code) => Scan::Valid(code),
        None => Scan::Invalid { reason: reason(&text), text },
    })
}

/// "A code as scanned is trimmed (Unicode White_Space; GS, 0x1D, is not), full-width characters become
/// half-width, one leading symbology mark (`]`, a letter, a letter or digit) is cut off."
fn clean(scanned: &str) -> String {
    let half: String = scanned.trim().chars().map(half_width).collect();
    let mut characters = half.chars();
    let mark = [characters.next(), characters.next(), characters.next()];
    if let [Some(']'), Some(letter), Some(modifier)] = mark
        && letter.is_ascii_alphabetic()
        && modifier.is_ascii_alphanumeric()
    {
        return characters.collect();
    }
    half
}

fn half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        other => other,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// "exactly 20 digits, unless it is a gs1 element string with a right check digit"
fn drug20(text: &str) -> Option<Code> {
    let fits = text.len() == 20 && all_digits(text) && gs1(text).is_none();
    fits.then(|| Code { normal: text.to_owned(), prefix: Some(text[..7].to_owned()), is_unit: true })
}

/// "with a serial `(01)GTIN14(21)SERIAL`, else with a lot `(01)GTIN14(10)LOT`, else `(01)GTIN14`"
fn gs1(text: &str) -> Option<Code> {
    let elements = element_string(text)?;
    let value = |ai: &str| elements.iter().find(|(name, _)| name == ai).map(|(_, value)| value);
    let gtin = value("01")?;
    if !gtin_is_right(gtin) {
        return None;
    }
    let normal = match (value("21"), value("10")) {
        (Some(serial), _) => format!("(01){gtin}(21){serial}"),
        (None, Some(lot)) => format!("(01){gtin}(10){lot}"),
        (None, None) => format!("(01){gtin}"),
    };
    Some(Code { normal, prefix: Some(gtin.clone()), is_unit: value("21").is_some() })
}

fn gtin_is_right(gtin: &str) -> bool {
    let weighted: u32 =
        gtin.bytes().enumerate().map(|(at, digit)| u32::from(digit - b'0') * [3, 1][at % 2]).sum();
    weighted.is_multiple_of(10)
}

/// "begins `(01)` or `01` + 14 digits, and the whole is an element string": its AIs and values.
fn element_string(text: &str) -> Option<Vec<(String, String)>> {
    let first = text.strip_prefix("(01)").or_else(|| text.strip_prefix("01"))?;
    if first.len() < 14 || !first.is_char_boundary(14) || !all_digits(&first[..14]) {
        return None;
    }
    let elements = if text.starts_with('(') { bracketed(text)? } else { raw(text)? };
    elements.iter().all(|(ai, value)| value_is_right(ai, value)).then_some(elements)
}

/// "bracketed `(AI)value…` without brackets in values"
fn bracketed(text: &str) -> Option<Vec<(String, String)>> {
    let element = |part: &str| part.split_once(')').map(|(ai, value)| (ai.to_owned(), value.to_owned()));
    text.strip_prefix('(')?.split('(').map(element).collect()
}

/// "raw, fixed-length AIs by the predefined-length table of the GS1 General Specifications, the others ending
/// at GS or the end; a GS after a fixed-length AI is passed over"
fn raw(text: &str) -> Option<Vec<(String, String)>> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ai = (2..=4).filter_map(|length| rest.get(..length)).find(|ai| is_known_ai(ai))?;
        let after = &rest[ai.len()..];
        let value = match predefined_value_length(ai) {
            Some(length) => after.get(..length)?,
            None => after.split('\u{1D}').next()?,
        };
        let after = &after[value.len()..];
        rest = after.strip_prefix('\u{1D}').unwrap_or(after);
        elements.push((ai.to_owned(), value.to_owned()));
    }
    Some(elements)
}

/// "values of character set 82 without brackets, serial and lot 1–20, unknown AIs make it no element string".
/// Every AI of predefined length is numeric.
fn value_is_right(ai: &str, value: &str) -> bool {
    let in_set = |byte: u8| byte.is_ascii_alphanumeric() || b"!\"%&'*+,-./:;<=>?_".contains(&byte);
    let right_length = match predefined_value_length(ai) {
        Some(length) => value.len() == length && all_digits(value),
        None if ai == "21" || ai == "10" => (1..=20).contains(&value.len()),
        None => !value.is_empty(),
    };
    is_known_ai(ai) && right_length && value.bytes().all(in_set)
}

/// The length of the value of an AI of the predefined-length table (there with the AI itself counted).
fn predefined_value_length(ai: &str) -> Option<usize> {
    let with_ai = match ai.get(..2)? {
        "00" => 20,
        "01" | "02" | "03" => 16,
        "04" => 18,
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => 8,
        "20" => 4,
        "31" | "32" | "33" | "34" | "35" | "36" => 10,
        "41" => 16,
        _ => return None,
    };
    Some(with_ai - ai.len())
}

/// Whether the GS1 General Specifications assign this application identifier.
fn is_known_ai(ai: &str) -> bool {
    if !all_digits(ai) {
        return false;
    }
    let number: u32 = ai.parse().unwrap_or(u32::MAX);
    match ai.len() {
        2 => matches!(number, 0..=3 | 10..=13 | 15..=17 | 20..=22 | 30 | 37 | 90..=99),
        3 => matches!(
            number,
            235 | 240..=243 | 250 | 251 | 253..=255 | 400..=403 | 410..=417 | 420..=427 | 710..=717
        ),
        4 => matches!(
            number,
            3100..=3169 | 3200..=3379 | 3400..=3579 | 3600..=3699 | 3900..=3959
                | 4300..=4333 | 7001..=7011 | 7020..=7023 | 7030..=7041 | 7230..=7242
                | 7250..=7259 | 8001..=8014 | 8017..=8020 | 8026 | 8030 | 8040..=8043 | 8110..=8112 | 8200
        ),
        _ => false,
    }
}

/// "8–40 characters of A–Z 0–9 - . / after upper-casing, at least one letter and one digit, not begun like
/// another family (`01` + 14 digits, `MA.`), and not a damaged drug20 (18–22 characters with at most two that
/// are not digits)"
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
        && !((18..=22).contains(&upper.len()) && upper.len() - digits <= 2);
    fits.then_some(Code { normal: upper, prefix: None, is_unit: true })
}

/// "Anything else is invalid; reasons, the first that fits".
fn reason(text: &str) -> &'static str {
    let length = text.len();
    if element_string(text).is_some() || device_code::is_hibc_with_wrong_check(text) {
        return "check_digit";
    }
    match all_digits(text) {
        true if length == 13 && text.starts_with("69") => "barcode_69",
        true if length == 40 && text[..20] == text[20..] => "doubled",
        true if (10..=19).contains(&length) => "truncated",
        true if length >= 21 => "overlong",
        _ => "unrecognised",
    }
}
