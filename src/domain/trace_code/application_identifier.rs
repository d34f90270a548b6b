//! The GS1 application identifiers (AIs): which exist, and what of their values is asked.
//!
//! From the GS1 General Specifications, release 25. Values are judged by character set, and by length only where the
//! length delimits them (predefined-length AIs) or an identity rests on it (serial, lot): a form of date or weight
//! that a sender gets wrong says nothing about which pack it is. A later release may add AIs: then one is added here.

/// The known AI that a text begins with; no AI begins another.
pub(super) fn at_start(text: &str) -> Option<&str> {
    (2..=4).filter_map(|width| text.get(..width)).find(|digits| is_known(digits))
}

/// Whether this is a known AI.
pub(super) fn is_known(digits: &str) -> bool {
    let Some(number) = digits.parse::<u16>().ok().filter(|_| super::is_digits(digits)) else {
        return false;
    };
    match digits.len() {
        2 => matches!(number, 0..=3 | 10..=13 | 15..=17 | 20..=22 | 30 | 37 | 90..=99),
        3 => matches!(
            number,
            235 | 240..=243 | 250 | 251 | 253..=255 | 400..=403 | 410..=417 | 420..=427 | 710..=717
        ),
        4 => match number {
            3100..=3499 | 3500..=3579 | 3600..=3699 | 3950..=3959 => number % 10 <= 5,
            3900..=3943 | 4300..=4326 | 4330..=4333 => true,
            7001..=7011 | 7020..=7023 | 7030..=7041 | 7230..=7242 | 7250..=7259 => true,
            8001..=8014 | 8017..=8020 | 8026 | 8030 | 8110..=8112 | 8200 => true,
            _ => false,
        },
        _ => false,
    }
}

/// Digits of a value of this AI, where its length is predefined, so that no separator need follow: "Element strings
/// with predefined length using GS1 Application Identifiers" of the General Specifications, by the first two digits.
pub(super) fn predefined_digits(identifier: &str) -> Option<usize> {
    let with_identifier: usize = match identifier.get(..2)? {
        "00" => 20,
        "01" | "02" | "03" => 16,
        "11" | "12" | "13" | "15" | "16" | "17" => 8,
        "20" => 4,
        "31" | "32" | "33" | "34" | "35" | "36" => 10,
        "41" => 16,
        _ => return None,
    };
    with_identifier.checked_sub(identifier.len())
}

/// Whether the value of this AI is one.
pub(super) fn accepts(identifier: &str, value: &str) -> bool {
    match predefined_digits(identifier) {
        Some(digits) => value.len() == digits && super::is_digits(value),
        None => {
            let longest = if matches!(identifier, "10" | "21") { 20 } else { usize::MAX };
            (1..=longest).contains(&value.len()) && value.bytes().all(is_in_set_82)
        }
    }
}

/// Character set 82, less the brackets, which delimit AIs where they are printed.
fn is_in_set_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'*+,-./:;<=>?_".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of 2 to 4 digits that is an AI.
    fn known() -> Vec<String> {
        let of_width = |width: usize| (0..10_usize.pow(width as u32)).map(move |number| (width, number));
        let texts = (1..=5).flat_map(of_width).map(|(width, number)| format!("{number:0width$}"));
        texts.filter(|digits| is_known(digits)).collect()
    }

    #[test]
    fn no_identifier_begins_another() {
        let known = known();
        for identifier in &known {
            assert_eq!(at_start(identifier), Some(identifier.as_str()));
            assert_eq!(at_start(&format!("{identifier}07")), Some(identifier.as_str()));
        }
        assert_eq!(known.len(), 567, "as many as the list of the rules names");
    }

    #[test]
    fn what_is_no_identifier_is_not_known() {
        for unknown in [
            "", "0", "04", "14", "18", "19", "23", "24", "310", "3106", "3199", "3580", "394", "3944", "3956",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
        for unknown in ["7000", "7012", "7042", "718", "8015", "8021", "8027", "8113", "+1", "0x", "０１"] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }

    #[test]
    fn a_predefined_length_is_asked_in_digits_and_other_values_in_characters() {
        for (identifier, right, wrong) in [
            ("00", "123456789012345678", "12345678901234567"),
            ("01", "06901234567892", "0690123456789"),
            ("17", "270500", "2705AB"),
            ("20", "01", "1"),
            ("3103", "001250", "01250"),
            ("414", "0690123456789", "06901234567892"),
            ("10", "12345678901234567890", "123456789012345678901"),
            ("21", "A", ""),
            ("7003", "any", "a b"),
            ("98", "!\"%&'*+,-./:;<=>?_", "(1)"),
        ] {
            assert!(accepts(identifier, right), "{identifier} {right}");
            assert!(!accepts(identifier, wrong), "{identifier} {wrong}");
        }
    }
}
