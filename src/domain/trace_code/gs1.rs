//! GS1 element strings, bracketed as printed for people or raw as scanned, their elements in any order.
//!
//! In raw form an AI of predefined length takes exactly its length, every other value runs to the next GS or to the
//! end. The whole text must be an element string of known AIs; else it is something else, perhaps a damaged one.
//! Whether a date exists is not asked. Bracketed text was typed or put together by a program: what it says beside
//! GTIN, serial and lot may be wrong without harm.
//!
//! Readers that cannot write a GS write `_` or `?`, which a serial may hold as well. They count as lost separators
//! where the text after each of them goes on as packs are marked: a serial or lot ended there and a lot, serial or
//! date begins.

use super::application_identifier::{accepts, at_start, is_known, predefined_digits};
use super::separator::GS;
use super::{Family, TraceCode, is_20_digits};

/// What stands for a GS where readers cannot write one and a serial could hold it.
const LOST: [char; 2] = ['_', '?'];

/// What an element string says of a pack, whether or not the check digit of its GTIN is right.
#[derive(Default)]
pub(super) struct ElementString<'a> {
    gtin: Option<&'a str>,
    serial: Option<&'a str>,
    lot: Option<&'a str>,
    /// It names a logistic unit (AI 00).
    names_logistic_unit: bool,
    /// It names a piece of a trade item (AI 8006, 8026).
    names_piece: bool,
}

/// Takes a text apart when it is an element string.
pub(super) fn parse(text: &str) -> Option<ElementString<'_>> {
    if text.starts_with('(') {
        return bracketed(text);
    }
    if text.contains(LOST)
        && let Some(found) = raw(text, &[GS, '_', '?']).filter(|found| found.gtin.is_some())
    {
        return Some(found);
    }
    raw(text, &[GS]).filter(|found| is_marked_as_one(text, found))
}

/// Whether raw text without an FNC1 before it shows otherwise that it is an element string: a 20-digit drug code, or
/// a maker's own, may look like one by chance.
fn is_marked_as_one(text: &str, found: &ElementString<'_>) -> bool {
    if is_20_digits(text) {
        return text.starts_with("01");
    }
    found.gtin.is_some() || found.names_logistic_unit || found.names_piece || text.contains(GS)
}

fn bracketed(text: &str) -> Option<ElementString<'_>> {
    let mut found = ElementString::default();
    for element in text.strip_prefix('(')?.split('(') {
        let (identifier, value) = element.split_once(')').filter(|(_, value)| !value.contains(')'))?;
        let value = value.strip_suffix(GS).unwrap_or(value);
        if !is_known(identifier) {
            return None;
        }
        if accepts(identifier, value) {
            found.record(identifier, value);
        } else if matches!(identifier, "01" | "10" | "21") {
            return None;
        }
    }
    Some(found)
}

/// Raw text whose values end at one of `separators`; those that are lost ones must stand as [`LOST`] says.
fn raw<'a>(text: &'a str, separators: &[char]) -> Option<ElementString<'a>> {
    let mut found = ElementString::default();
    let mut rest = text;
    while !rest.is_empty() {
        let identifier = at_start(rest)?;
        let after = rest.get(identifier.len()..)?;
        let value = match predefined_digits(identifier) {
            Some(digits) => after.get(..digits)?,
            None => after.split(separators).next()?,
        };
        if !accepts(identifier, value) {
            return None;
        }
        found.record(identifier, value);
        rest = after.get(value.len()..)?;
        if let Some(separator) = rest.chars().next().filter(|next| separators.contains(next)) {
            rest = rest.get(separator.len_utf8()..)?;
            if LOST.contains(&separator) && !is_lost_separator(identifier, rest) {
                return None;
            }
        }
    }
    Some(found)
}

/// Whether a separator was lost between an element with this AI and this rest.
fn is_lost_separator(before: &str, rest: &str) -> bool {
    let after = at_start(rest);
    matches!(before, "10" | "21") && matches!(after, Some("10" | "21" | "11" | "13" | "15" | "17"))
}

/// Whether the last digit makes the sum, weighted 3 and 1 by turns with 3 before the last, a multiple of ten.
pub(super) fn mod_10_is_right(digits: &str) -> bool {
    let weighted = digits.bytes().rev().enumerate().map(|(place, digit)| {
        let weight = if place % 2 == 0 { 1 } else { 3 };
        u32::from(digit.saturating_sub(b'0')) * weight
    });
    weighted.sum::<u32>().is_multiple_of(10)
}

impl<'a> ElementString<'a> {
    /// Keeps an element when it is the first of its AI.
    fn record(&mut self, identifier: &str, value: &'a str) {
        match identifier {
            "00" => self.names_logistic_unit = true,
            "01" => self.gtin = self.gtin.or(Some(value)),
            "21" => self.serial = self.serial.or(Some(value)),
            "10" => self.lot = self.lot.or(Some(value)),
            "8006" | "8026" => self.names_piece = true,
            _ => {}
        }
    }

    /// Whether it names a product, rightly or not.
    pub(super) fn has_gtin(&self) -> bool {
        self.gtin.is_some()
    }

    /// Whether it names a logistic unit and no product.
    pub(super) fn is_logistics_label(&self) -> bool {
        self.names_logistic_unit && self.gtin.is_none()
    }

    /// Whether it names a piece of something and no product.
    pub(super) fn is_part_of_set(&self) -> bool {
        self.names_piece && self.gtin.is_none()
    }

    /// The code it stands for, when it has a GTIN with a right check digit.
    pub(super) fn to_code(&self) -> Option<TraceCode> {
        let gtin = self.gtin.filter(|gtin| mod_10_is_right(gtin))?;
        let normal = match (self.serial, self.lot) {
            (Some(serial), _) => format!("(01){gtin}(21){serial}"),
            (None, Some(lot)) => format!("(01){gtin}(10){lot}"),
            (None, None) => format!("(01){gtin}"),
        };
        Some(TraceCode {
            normal: normal.into(),
            family: Family::Gs1,
            prefix: Some(gtin.into()),
            is_unit: self.serial.is_some(),
        })
    }
}
