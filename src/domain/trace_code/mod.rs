//! Trace codes: the identity of one package, as scanned by many kinds of scanners, in one normal form.
//!
//! A package is recognised again only when every way of scanning it gives the same text, so [`read`] undoes what
//! scanners, keyboards and spreadsheets add ([`clean`]), and brings each family of codes into one normal form. What
//! no family accepts is kept as cleaned, with the first reason that fits ([`invalid`]).
//!
//! The last four digits of a 20-digit drug code are a keyed check that cannot be computed here, so 20 digits are
//! accepted but for a few forms that are something else. Normal forms of drug, GS1, MA and maker's codes read as
//! themselves again; a HIBC normal form has no check character any more: [`as_scanned`] gives it one.

mod application_identifier;
mod clean;
mod digital_link;
mod gs1;
mod hibc;
mod invalid;
mod ma;
mod maker;
mod separator;

use std::borrow::Cow;

pub use clean::without_empty_characters;

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
    /// One character again and again, or digits counted up or down: entered for want of a code.
    Placeholder,
    /// The number of a logistic unit (SSCC), which names a carton or pallet of anything.
    LogisticsLabel,
    /// The number of a piece of a trade item, of which several make one pack.
    PartOfSet,
    /// Went through a floating-point number on its way: the last digits are gone.
    Rounded,
    /// The number of an institution or a catalogue code.
    NotATraceCode,
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
    /// The cleaned text and why no family accepts it.
    Invalid {
        /// The text as cleaned.
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
            Self::Placeholder => "placeholder",
            Self::LogisticsLabel => "logistics_label",
            Self::PartOfSet => "part_of_set",
            Self::Rounded => "rounded",
            Self::NotATraceCode => "not_a_trace_code",
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
    if is_20_digits(scanned) {
        return Some(of_20_digits(scanned));
    }
    let text = clean::clean(scanned);
    (!text.is_empty()).then(|| if is_20_digits(&text) { of_20_digits(&text) } else { recognise(&text) })
}

/// Reads what product records are keyed by, in the form that codes have it: 7 digits of drug codes, a GTIN with a right
/// check digit (fewer than 14 digits mean zeros before them), a UDI-DI of MA or HIBC.
pub fn read_prefix(text: &str) -> Option<Text> {
    if is_digits(text) {
        return match text.len() {
            7 => Some(text.into()),
            8 | 12 | 13 | 14 => {
                Some(format!("{text:0>14}").into()).filter(|gtin: &Text| gs1::mod_10_is_right(gtin))
            }
            _ => None,
        };
    }
    let of_ma = ma::parse(text).and_then(|code| code.prefix);
    of_ma.or_else(|| hibc::is_primary(text).then(|| text.into()))
}

/// A text that reads as the code of this normal form.
pub fn as_scanned(normal: &str) -> Cow<'_, str> {
    if normal.starts_with('+') { Cow::Owned(hibc::with_check(normal)) } else { Cow::Borrowed(normal) }
}

/// Most codes are these. Raw text of 20 digits counts as an element string only when it begins with 01.
fn of_20_digits(digits: &str) -> Scan {
    let drug20 = (!digits.starts_with("01")).then(|| drug20(digits)).flatten();
    drug20.map_or_else(|| recognise(digits), Scan::Valid)
}

/// Tries the families in the order of the rules.
fn recognise(text: &str) -> Scan {
    let element_string = gs1::parse(text);
    if let Some(code) = element_string.as_ref().and_then(gs1::ElementString::to_code) {
        return Scan::Valid(code);
    }
    let drug20 = is_20_digits(text).then(|| drug20(text)).flatten();
    if let Some(code) = drug20.or_else(|| ma::parse(text)) {
        return Scan::Valid(code);
    }
    let hibc = hibc::parse(text);
    if let Some(found) = hibc.as_ref().filter(|found| found.check_is_right) {
        return Scan::Valid(found.to_code());
    }
    if element_string.is_none()
        && let Some(code) = maker::parse(text)
    {
        return Scan::Valid(code);
    }
    let reason = invalid::reason(text, element_string.as_ref(), hibc.is_some());
    Scan::Invalid { text: text.into(), reason }
}

/// 码上放心, of 20 digits: 7 of product, 9 of serial, 4 of keyed check.
fn drug20(text: &str) -> Option<TraceCode> {
    let is_one = !invalid::is_placeholder(text) && !invalid::is_logistics_label(text);
    is_one.then(|| TraceCode {
        normal: text.into(),
        family: Family::Drug20,
        prefix: text.get(..7).map(Text::from),
        is_unit: true,
    })
}

fn is_20_digits(text: &str) -> bool {
    text.len() == 20 && is_digits(text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
