//! Trace codes: the identity of one package, as scanned by many kinds of scanners, in one normal form.

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
