//! GS1 element strings that begin with a GTIN (AI 01), bracketed as printed for people or raw as scanned.
//!
//! In raw form an AI of the predefined-length table of the GS1 General Specifications takes exactly its length, every
//! other value runs to the next GS or to the end. The whole text must be an element string of known AIs; else it is
//! something else, perhaps a damaged one. Numeric values must be digits of the stated length; whether a date exists
//! is not asked.

use super::application_identifier::{ApplicationIdentifier, at_start};
use super::{Family, TraceCode, is_digits};

/// FNC1 as scanners send it.
const GS: char = '\u{1d}';

/// A text that is an element string, whether or not the check digit of its GTIN is right.
#[derive(Default)]
pub(super) struct ElementString<'a> {
    gtin: Option<&'a str>,
    serial: Option<&'a str>,
    lot: Option<&'a str>,
}

/// Takes a text apart when it is an element string beginning with AI 01.
pub(super) fn parse(text: &str) -> Option<ElementString<'_>> {
    if text.starts_with("(01)") {
        bracketed(text)
    } else if text.get(..16).is_some_and(|head| head.starts_with("01") && is_digits(head)) {
        raw(text)
    } else {
        None
    }
}

fn bracketed(text: &str) -> Option<ElementString<'_>> {
    let mut found = ElementString::default();
    for element in text.strip_prefix('(')?.split('(') {
        let (digits, value) = element.split_once(')')?;
        let identifier = at_start(digits).filter(|identifier| identifier.width() == digits.len())?;
        found.record(digits, &identifier, value)?;
    }
    Some(found)
}

fn raw(text: &str) -> Option<ElementString<'_>> {
    let mut found = ElementString::default();
    let mut rest = text;
    while !rest.is_empty() {
        let identifier = at_start(rest)?;
        let (digits, after) = rest.split_at_checked(identifier.width())?;
        let value = match predefined_length(digits) {
            Some(length) => {
                let (value, next) = after.split_at_checked(length.checked_sub(digits.len())?)?;
                rest = next.strip_prefix(GS).unwrap_or(next);
                value
            }
            None => {
                let (value, next) = after.split_once(GS).unwrap_or((after, ""));
                rest = next;
                value
            }
        };
        found.record(digits, &identifier, value)?;
    }
    Some(found)
}

/// Length of AI and value together, by the first two digits: "Element strings with predefined length using GS1
/// Application Identifiers" of the General Specifications.
fn predefined_length(digits: &str) -> Option<usize> {
    Some(match digits.get(..2)? {
        "00" => 20,
        "01" | "02" | "03" => 16,
        "04" => 18,
        "11" | "12" | "13" | "14" | "15" | "16" | "17" | "18" | "19" => 8,
        "20" => 4,
        "31" | "32" | "33" | "34" | "35" | "36" => 10,
        "41" => 16,
        _ => return None,
    })
}

impl<'a> ElementString<'a> {
    /// Checks one element and keeps it when it is the first of its AI.
    fn record(&mut self, digits: &str, identifier: &ApplicationIdentifier, value: &'a str) -> Option<()> {
        if !identifier.accepts(value) {
            return None;
        }
        match digits {
            "01" => self.gtin = self.gtin.or(Some(value)),
            "21" => self.serial = self.serial.or(Some(value)),
            "10" => self.lot = self.lot.or(Some(value)),
            _ => {}
        }
        Some(())
    }

    /// Whether the last digit of the GTIN makes the sum, weighted 3, 1, 3, … from the left, a multiple of ten.
    pub(super) fn check_digit_is_right(&self) -> bool {
        let digits = self.gtin.unwrap_or_default().bytes();
        let weighted = digits.enumerate().map(|(place, digit)| {
            let weight = if place % 2 == 0 { 3 } else { 1 };
            u32::from(digit.saturating_sub(b'0')) * weight
        });
        self.gtin.is_some() && weighted.sum::<u32>().is_multiple_of(10)
    }

    /// The code it stands for.
    pub(super) fn to_code(&self) -> TraceCode {
        let gtin = self.gtin.unwrap_or_default();
        let normal = match (self.serial, self.lot) {
            (Some(serial), _) => format!("(01){gtin}(21){serial}"),
            (None, Some(lot)) => format!("(01){gtin}(10){lot}"),
            (None, None) => format!("(01){gtin}"),
        };
        TraceCode {
            normal: normal.into(),
            family: Family::Gs1,
            prefix: Some(gtin.into()),
            is_unit: self.serial.is_some(),
        }
    }
}
