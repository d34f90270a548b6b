//! Texts of digits at half their length. Trace codes and many document ids are nothing else, and there are hundreds
//! of millions of them.

use super::WireError;
use crate::domain::Text;

/// Stands before packed digits; no UTF-8 text begins with it.
const PACKED: u8 = 0xff;
/// Half a byte that is no digit: behind an odd number of them.
const NONE: u8 = 0xf;
/// Fewer digits are no shorter when packed.
const DIGITS_MIN: usize = 3;

/// The bytes of a text.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let digits = text.as_bytes();
    if digits.len() < DIGITS_MIN || !digits.iter().all(u8::is_ascii_digit) {
        return digits.to_vec();
    }
    let half = |digit: Option<&u8>| digit.map_or(NONE, |digit| digit & 0xf);
    let pairs = digits.chunks(2).map(|pair| half(pair.first()) << 4 | half(pair.get(1)));
    std::iter::once(PACKED).chain(pairs).collect()
}

/// The text of bytes.
pub(super) fn unpack(bytes: &[u8]) -> Result<Text, WireError> {
    let damaged = || WireError::Field { field: "table.packed_texts" };
    let Some((&PACKED, pairs)) = bytes.split_first() else {
        return std::str::from_utf8(bytes).map(Text::from).map_err(|_| damaged());
    };
    let mut text = String::with_capacity(pairs.len() * 2);
    for half in pairs.iter().flat_map(|pair| [pair >> 4, pair & 0xf]) {
        match half {
            digit @ 0..=9 => text.push(char::from(b'0' + digit)),
            NONE => {}
            _ => return Err(damaged()),
        }
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives(text in "[0-9]{0,30}|[0-9A-Z]{0,9}|\\PC{0,9}") {
            prop_assert_eq!(&*unpack(&pack(&text)).unwrap(), text.as_str());
        }
    }

    #[test]
    fn digits_take_half_and_one() {
        assert_eq!(pack("81000009772430815365").len(), 11);
        assert_eq!(pack("810"), [PACKED, 0x81, 0x0f]);
        assert_eq!(pack("81"), *b"81");
        assert_eq!(pack("B81000"), *b"B81000");
    }

    #[test]
    fn damage_is_an_error() {
        assert!(unpack(&[PACKED, 0x1a]).is_err());
        assert!(unpack(&[0xc0]).is_err());
    }
}
