//! Decimals in text: exact, bounded, and never through floating point.
//!
//! Quantities have at most 3 places and money 2, after trailing zeros are dropped. Text is plain (`35.60`); the
//! exponent form exists only where JSON numbers have it and is spelled out first ([`spell_out`]), and where senders of
//! the national interface write it ([`lenient`]).

use super::reject::Words;
use crate::domain::amount::{Money, Quantity};

const QUANTITY_THOUSANDTHS_MAX: i64 = 1_000_000_000_000;
const MONEY_FEN_MAX: i64 = 100_000_000_000_000;

/// Longest decimal that is looked at; legitimate ones have at most 16 digits that count.
const DECIMAL_BYTES_MAX: usize = 64;

/// What a quantity must be.
pub const QUANTITY_FORM: Words = Words::new(
    "大于 0、不超过 10^9、最多 3 位小数的数",
    "a decimal greater than 0, at most 10^9, with at most 3 places",
);

/// What an amount of money must be.
pub const MONEY_FORM: Words = Words::new(
    "金额（元）：不小于 0、不超过 10^12、最多 2 位小数",
    "yuan: a decimal of at least 0, at most 10^12, with at most 2 places",
);

/// A quantity: > 0, at most 3 places, ≤ 10^9.
pub fn quantity(text: &str) -> Option<Quantity> {
    let thousandths = scaled(text, 3)?;
    (1..=QUANTITY_THOUSANDTHS_MAX).contains(&thousandths).then(|| Quantity::from_thousandths(thousandths))
}

/// A quantity of stock counted: may be 0.
pub fn counted(text: &str) -> Option<Quantity> {
    let thousandths = scaled(text, 3)?;
    (0..=QUANTITY_THOUSANDTHS_MAX).contains(&thousandths).then(|| Quantity::from_thousandths(thousandths))
}

/// Money in yuan: ≥ 0, at most 2 places, ≤ 10^12.
pub fn money(text: &str) -> Option<Money> {
    let fen = scaled(text, 2)?;
    (0..=MONEY_FEN_MAX).contains(&fen).then(|| Money::from_fen(fen))
}

/// The decimal times 10^`places`, when it has no more places than that.
pub fn scaled(text: &str, places: usize) -> Option<i64> {
    if text.len() > DECIMAL_BYTES_MAX {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // `.5` and `5.` are what Oracle makes of decimals.
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return None;
    }
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).map(|byte| i64::from(byte - b'0')) {
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    for _ in fraction.len()..places {
        value = value.checked_mul(10)?;
    }
    Some(if negative { -value } else { value })
}

/// A decimal as senders of the national interface write it: also `+5` and with an exponent, rounded half up to so many
/// places. Its sign, its size times 10^`places`, and whether it was rounded.
pub fn lenient(text: &str, places: usize) -> Option<Rounded> {
    let text = text.trim();
    let plain = plain(text.strip_prefix('+').unwrap_or(text))?;
    let (is_negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (kept, cut) = fraction.split_at_checked(places).unwrap_or((fraction, ""));
    let kept = scaled(&format!("{whole}.{kept}"), places)?;
    let rounds_up = cut.bytes().next().is_some_and(|digit| digit >= b'5');
    let size = kept.checked_add(i64::from(rounds_up))?;
    Some(Rounded { is_negative: is_negative && size > 0, size, is_rounded: !cut.is_empty() })
}

/// See [`lenient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounded {
    /// Below zero.
    pub is_negative: bool,
    /// Without its sign, in units of the last place.
    pub size: i64,
    /// Whether places were dropped that said something.
    pub is_rounded: bool,
}

impl Rounded {
    /// Its size as a quantity of thousandths, when there is so much of anything.
    pub fn quantity(self) -> Option<Quantity> {
        (self.size <= QUANTITY_THOUSANDTHS_MAX).then(|| Quantity::from_thousandths(self.size))
    }

    /// Its size as money in fen, when there is so much of it.
    pub fn money(self) -> Option<Money> {
        (self.size <= MONEY_FEN_MAX).then(|| Money::from_fen(self.size))
    }
}

/// A number in one spelling: no exponent, no zeros that say nothing. None when it is no decimal.
pub fn plain(number: &str) -> Option<String> {
    let spelled = spell_out(number);
    let (sign, digits) = match spelled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", spelled.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some(match (whole, fraction) {
        ("", "") => "0".to_owned(),
        ("", fraction) => format!("{sign}0.{fraction}"),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// A JSON number in plain form: `1.2e3` becomes `1200`. What cannot be a legitimate decimal comes back as it is,
/// and fails when it is read.
pub fn spell_out(number: &str) -> String {
    if number.len() > DECIMAL_BYTES_MAX {
        return number.to_owned();
    }
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        return number.to_owned();
    };
    shifted(mantissa, exponent).unwrap_or_else(|| number.to_owned())
}

fn shifted(mantissa: &str, exponent: &str) -> Option<String> {
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significant = format!("{whole}{fraction}");
    if significant.bytes().all(|digit| digit == b'0') {
        return Some("0".to_owned());
    }
    let exponent: i32 = exponent.parse().ok()?;
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let bound = i32::try_from(DECIMAL_BYTES_MAX).ok()?;
    if !(-bound..=bound).contains(&point) {
        return None;
    }
    let Ok(point) = usize::try_from(point) else {
        let zeros = usize::try_from(point.unsigned_abs()).ok()?;
        return Some(format!("{sign}0.{}{significant}", "0".repeat(zeros)));
    };
    Some(match significant.split_at_checked(point) {
        Some(("", fraction)) => format!("{sign}0.{fraction}"),
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{significant}{}", "0".repeat(point.saturating_sub(significant.len()))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_positive_with_three_places() {
        let thousandths = |text| quantity(text).map(Quantity::thousandths);
        for (text, expected) in [
            ("2", Some(2000)),
            ("0.333", Some(333)),
            ("1.0000", Some(1000)),
            ("007.50", Some(7500)),
            ("1000000000", Some(1_000_000_000_000)),
            ("1000000000.001", None),
            ("1.0001", None),
            ("0", None),
            ("0.000", None),
            ("-1", None),
            ("+1", None),
            ("1.", Some(1000)),
            (".5", Some(500)),
            (".", None),
            ("1e3", None),
            (" 1", None),
            ("１", None),
            ("", None),
            ("-", None),
            ("99999999999999999999999999", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn money_is_not_negative_with_two_places() {
        let fen = |text| money(text).map(Money::fen);
        for (text, expected) in [
            ("0", Some(0)),
            ("-0.00", Some(0)),
            ("35.60", Some(3560)),
            ("1.001", None),
            ("-0.01", None),
            ("1000000000000", Some(100_000_000_000_000)),
            ("1000000000000.01", None),
        ] {
            assert_eq!(fen(text), expected, "{text}");
        }
    }

    #[test]
    fn exponents_of_json_numbers_are_spelled_out() {
        for (number, plain) in [
            ("12", "12"),
            ("1.50", "1.50"),
            ("1e3", "1000"),
            ("1.25E+2", "125"),
            ("1.25e1", "12.5"),
            ("125e-2", "1.25"),
            ("5e-1", "0.5"),
            ("5e-3", "0.005"),
            ("-2e0", "-2"),
            ("0e99999999999", "0"),
            ("1e400", "1e400"),
            ("1e99999999999", "1e99999999999"),
        ] {
            assert_eq!(spell_out(number), plain, "{number}");
        }
    }

    #[test]
    fn senders_write_one_decimal_in_many_ways() {
        for (text, places, expected) in [
            ("59.699999999999996", 2, Some((false, 5970, true))),
            (".50", 2, Some((false, 50, false))),
            ("5.", 3, Some((false, 5000, false))),
            ("+5", 3, Some((false, 5000, false))),
            ("-3", 3, Some((true, 3000, false))),
            ("1e2", 3, Some((false, 100_000, false))),
            ("-1.5E-1", 3, Some((true, 150, false))),
            ("0.005", 2, Some((false, 1, true))),
            ("0.0049", 2, Some((false, 0, true))),
            ("-0.001", 2, Some((false, 0, true))),
            ("1,000", 2, None),
            ("--1", 2, None),
            ("", 2, None),
            (".", 2, None),
            ("1e99", 2, None),
        ] {
            let found = lenient(text, places).map(|found| (found.is_negative, found.size, found.is_rounded));
            assert_eq!(found, expected, "{text}");
        }
    }
}
