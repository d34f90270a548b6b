//! Texts of digits at half their length. Trace codes and many document ids are nothing else, and there are hundreds of
//! millions of them.

use crate::domain::Text;

/// Half a byte that is no digit: behind an odd number of them.
const NONE: u8 = 0xf;
/// Fewer digits are no shorter when packed.
const DIGITS_MIN: usize = 3;

/// Bytes that are unpacked in one go: no code has more digits than these hold.
const BYTES_AT_ONCE: usize = 32;

/// Whether a text is shorter when packed.
pub(super) fn can_pack(text: &[u8]) -> bool {
    // Most that is none ends otherwise; without a way out in between, the rest is looked at in one go.
    text.last().is_some_and(u8::is_ascii_digit)
        && text.len() >= DIGITS_MIN
        && text.iter().fold(true, |digits, byte| digits & byte.is_ascii_digit())
}

/// Packs digits.
pub(super) fn pack(digits: &[u8], to: &mut Vec<u8>) {
    let half = |digit: Option<&u8>| digit.map_or(NONE, |digit| digit & 0xf);
    to.extend(digits.chunks(2).map(|pair| half(pair.first()) << 4 | half(pair.get(1))));
}

/// So many bytes hold so many digits.
pub(super) fn packed_len(digits: usize) -> usize {
    digits.div_ceil(2)
}

/// Unpacks so many digits; none when they are none.
pub(super) fn unpack(pairs: &[u8], digits: usize) -> Option<Text> {
    let mut room = [0; BYTES_AT_ONCE * 2];
    if digits <= room.len() {
        return unpack_into(&mut room, pairs, digits).map(Text::from);
    }
    let mut text = String::with_capacity(digits);
    for pairs in pairs.chunks(BYTES_AT_ONCE) {
        let left = digits.saturating_sub(text.len()).min(room.len());
        text.push_str(unpack_into(&mut room, pairs, left)?);
    }
    Some(text.into())
}

fn unpack_into<'r>(room: &'r mut [u8], pairs: &[u8], digits: usize) -> Option<&'r str> {
    for (to, pair) in room.chunks_mut(2).zip(pairs) {
        to.iter_mut().zip([pair >> 4, pair & 0xf]).for_each(|(to, half)| *to = b'0' + half);
    }
    let text = std::str::from_utf8(room.get(..digits)?).ok()?;
    text.bytes().all(|digit| digit.is_ascii_digit()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_take_half() {
        let long = "0123456789".repeat(17);
        for text in ["81000009772430815365", "810", "0000", &long, &long[..65]] {
            let mut packed = Vec::new();
            pack(text.as_bytes(), &mut packed);
            assert_eq!(packed.len(), packed_len(text.len()));
            assert_eq!(unpack(&packed, text.len()).as_deref(), Some(text));
        }
        assert!(!can_pack(b"81") && !can_pack(b"B81000"));
        assert_eq!(unpack(&[0x1a], 2), None);
    }
}
