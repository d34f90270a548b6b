//! How counts and amounts are written for people: a comma between each three digits, in both languages. Files and
//! records for programs never have it.

use crate::domain::amount::Money;

/// A count: `1,234,567`.
pub fn grouped(count: u64) -> String {
    grouped_digits(&count.to_string())
}

/// Yuan with two places: `-1,234.50`.
pub fn yuan(money: Money) -> String {
    let text = money.to_string();
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    match magnitude.split_once('.') {
        Some((whole, fen)) => format!("{sign}{}.{fen}", grouped_digits(whole)),
        None => text,
    }
}

fn grouped_digits(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn amounts_are_grouped_and_keep_sign_and_fen() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (99_999, "999.99"), (-123_450, "-1,234.50")] {
            assert_eq!(yuan(Money::from_fen(fen)), text);
        }
        assert_eq!(yuan(Money::from_fen(100_000_000)), "1,000,000.00");
    }
}
