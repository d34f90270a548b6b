//! Trace codes: the identity of one package, as scanned by many kinds of scanners, in one normal form.
//!
//! A package is recognised again only when every way of scanning it gives the same text, so [`read`] undoes what
//! scanners and keyboards add (blanks, full-width characters, a symbology mark) and brings each family of codes
//! into one normal form. What no family accepts is kept as it is, with the first reason that fits.
//!
//! The last four digits of a 20-digit drug code are a keyed check that cannot be computed here, so every 20 digits
//! are accepted. Normal forms of drug, GS1, MA and maker's codes read as themselves again; a HIBC normal form has
//! no check character any more and does not.

mod application_identifier;
mod gs1;
mod hibc;
mod ma;
mod maker;

use super::Text;

/// How a code is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 20-digit drug code of the national 码上放心 scheme.
    Drug20,
    /// GS1 element string with a GTIN (AI 01).
    Gs1,
    /// 中关村工信二维码 (ZIIOT) `MA.…`.
    Ma,
    /// HIBC `+…`.
    Hibc,
    /// A maker's own scheme.
    Maker,
}

/// Why a scanned text is no code of any family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvalidReason {
    /// The check digit of a GS1 or HIBC code is wrong.
    CheckDigit,
    /// A 13-digit product barcode beginning 69, which names a product and not a package.
    Barcode69,
    /// 40 digits, two equal halves: one code scanned twice.
    Doubled,
    /// 10–19 digits.
    Truncated,
    /// 21 digits or more.
    Overlong,
    /// None of these.
    Unrecognised,
}

/// A code of a known family in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceCode {
    /// The normal form: the code everywhere else.
    pub normal: Text,
    /// How it is built.
    pub family: Family,
    /// 药品标识码, GTIN or UDI-DI: what product records are keyed by. Maker's own codes have none.
    pub prefix: Option<Text>,
    /// Whether it identifies one unit; else it is a lot code, which repeats legitimately and makes no observation.
    pub is_unit: bool,
}

/// What one scan turned out to be. An empty scan is no code at all and does not appear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scan {
    /// A code of a known family.
    Valid(TraceCode),
    /// The trimmed, half-width text and why no family accepts it.
    Invalid {
        /// The text after trimming, folding to half width and removal of the symbology mark.
        text: Text,
        /// The first reason that fits.
        reason: InvalidReason,
    },
}

impl InvalidReason {
    /// The stable name used in alerts and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckDigit => "check_digit",
            Self::Barcode69 => "barcode_69",
            Self::Doubled => "doubled",
            Self::Truncated => "truncated",
            Self::Overlong => "overlong",
            Self::Unrecognised => "unrecognised",
        }
    }
}

impl Scan {
    /// The normal form, or the cleaned text of an invalid code.
    pub fn text(&self) -> &Text {
        match self {
            Self::Valid(code) => &code.normal,
            Self::Invalid { text, .. } => text,
        }
    }

    /// The code, when it is one.
    pub fn valid(&self) -> Option<&TraceCode> {
        match self {
            Self::Valid(code) => Some(code),
            Self::Invalid { .. } => None,
        }
    }
}

/// Reads one scan; none when nothing is left of it, which is no code at all.
pub fn read(scanned: &str) -> Option<Scan> {
    let text = clean(scanned);
    if text.is_empty() {
        return None;
    }
    Some(match recognise(&text) {
        Ok(code) => Scan::Valid(code),
        Err(reason) => Scan::Invalid { text: text.into(), reason },
    })
}

/// Trims, folds to half width and cuts off one symbology mark. GS (0x1D) is no white space: it separates elements.
fn clean(scanned: &str) -> String {
    let half_width: String = scanned.trim().chars().map(to_half_width).collect();
    without_symbology_mark(&half_width).map(str::to_owned).unwrap_or(half_width)
}

/// Full-width forms of ASCII, and the ideographic space, as their half-width twins.
fn to_half_width(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character).saturating_sub(0xfee0)).unwrap_or(character)
        }
        '\u{3000}' => ' ',
        _ => character,
    }
}

/// ISO/IEC 15424: scanners may put `]`, a letter and a modifier before the data.
fn without_symbology_mark(text: &str) -> Option<&str> {
    let mut characters = text.strip_prefix(']')?.chars();
    let letter = characters.next()?;
    let modifier = characters.next()?;
    (letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric()).then_some(characters.as_str())
}

fn recognise(text: &str) -> Result<TraceCode, InvalidReason> {
    let element_string = gs1::parse(text);
    if let Some(found) = element_string.as_ref().filter(|found| found.check_digit_is_right()) {
        return Ok(found.to_code());
    }
    if let Some(code) = drug20(text) {
        return Ok(code);
    }
    if let Some(code) = ma::parse(text) {
        return Ok(code);
    }
    let hibc = hibc::parse(text);
    if let Some(found) = hibc.as_ref().filter(|found| found.check_is_right) {
        return Ok(found.to_code());
    }
    if let Some(code) = maker::parse(text) {
        return Ok(code);
    }
    Err(if element_string.is_some() || hibc.is_some() {
        InvalidReason::CheckDigit
    } else {
        reason_by_digits(text)
    })
}

/// 码上放心: 7 digits of product, 9 of serial, 4 of keyed check.
fn drug20(text: &str) -> Option<TraceCode> {
    (text.len() == 20 && is_digits(text)).then(|| TraceCode {
        normal: text.into(),
        family: Family::Drug20,
        prefix: text.get(..7).map(Text::from),
        is_unit: true,
    })
}

/// The reason of a text that no family accepts, judged by its digits.
fn reason_by_digits(text: &str) -> InvalidReason {
    if !is_digits(text) {
        return InvalidReason::Unrecognised;
    }
    match text.len() {
        13 if text.starts_with("69") => InvalidReason::Barcode69,
        40 if text.get(..20) == text.get(20..) => InvalidReason::Doubled,
        10..=19 => InvalidReason::Truncated,
        21.. => InvalidReason::Overlong,
        _ => InvalidReason::Unrecognised,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
