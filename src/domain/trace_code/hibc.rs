//! HIBC codes (ANSI/HIBC 2.x supplier labels): a primary, alone or joined with secondary data in one symbol.
//!
//! `+` LIC (a letter and three letters or digits), product 1–18 letters or digits, unit of measure (a digit), check.
//! Joined: the same without check, `/`, secondary data, further data after `/` each, one check over all. Secondary
//! data are `$`lot or `$+`serial, `$$`lot or `$$+`serial behind a date and perhaps a quantity before it, or a Julian
//! date YYJJJ and a lot; further data `S`serial, `14D` and `16D` dates, `Q`quantity. Secondary data in a symbol of
//! their own name no product and are no code here.
//!
//! A check that is a blank at the end of the text does not survive trimming; such a text is refused.

use super::{Family, TraceCode};

/// Position = value in the mod-43 sum.
const ALPHABET: &[u8; 43] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

/// A text that is built like a HIBC code, whether or not its check is right.
pub(super) struct Hibc<'a> {
    primary: &'a str,
    serial: Option<&'a str>,
    lot: Option<&'a str>,
    /// Whether the last character is the sum of all before it, mod 43.
    pub(super) check_is_right: bool,
}

impl Hibc<'_> {
    /// The code it stands for. The separators of the secondary data keep a serial and a lot of the same text apart.
    pub(super) fn to_code(&self) -> TraceCode {
        let normal = match (self.serial, self.lot) {
            (Some(serial), _) => format!("+{}/$+{serial}", self.primary),
            (None, Some(lot)) => format!("+{}/${lot}", self.primary),
            (None, None) => format!("+{}", self.primary),
        };
        TraceCode {
            normal: normal.into(),
            family: Family::Hibc,
            prefix: Some(self.primary.into()),
            is_unit: self.serial.is_some(),
        }
    }
}

/// What the secondary data say.
#[derive(Default)]
struct Secondary<'a> {
    serial: Option<&'a str>,
    lot: Option<&'a str>,
}

/// Takes a text apart when it is built like a HIBC code.
pub(super) fn parse(text: &str) -> Option<Hibc<'_>> {
    let (check, checked) = text.as_bytes().split_last()?;
    let sum = checked.iter().try_fold(0_usize, |sum, byte| Some((sum + value_of(*byte)?) % 43))?;
    let check = value_of(*check)?;
    let body = text.strip_prefix('+')?.get(..text.len().checked_sub(2)?)?;
    let mut segments = body.split('/');
    let primary = segments.next().filter(|primary| is_primary(primary))?;
    let mut secondary = Secondary::default();
    for segment in segments {
        secondary.read(segment)?;
    }
    Some(Hibc { primary, serial: secondary.serial, lot: secondary.lot, check_is_right: sum == check })
}

/// A normal form with a check behind it. A check that is a blank would not survive trimming: there a quantity of one,
/// which is no part of an identity, makes it another.
pub(super) fn with_check(normal: &str) -> String {
    let check_of =
        |text: &str| ALPHABET.get(text.bytes().filter_map(value_of).sum::<usize>() % ALPHABET.len());
    let with_quantity = format!("{normal}/Q1");
    let checked = if check_of(normal) == Some(&b' ') { &with_quantity } else { normal };
    let check = check_of(checked).copied().map(char::from);
    checked.chars().chain(check).collect()
}

fn value_of(byte: u8) -> Option<usize> {
    ALPHABET.iter().position(|character| *character == byte)
}

/// Whether a text is what names a product: LIC, product and unit of measure.
pub(super) fn is_primary(primary: &str) -> bool {
    let bytes = primary.as_bytes();
    (6..=23).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && bytes.first().is_some_and(u8::is_ascii_uppercase)
        && bytes.last().is_some_and(u8::is_ascii_digit)
}

impl<'a> Secondary<'a> {
    /// Of a repeated serial or lot the first counts.
    fn read(&mut self, segment: &'a str) -> Option<()> {
        if let Some(dated) = segment.strip_prefix("$$+") {
            self.serial = self.serial.or(not_empty(after_date(dated)?));
        } else if let Some(dated) = segment.strip_prefix("$$") {
            self.lot = self.lot.or(not_empty(after_date(dated)?));
        } else if let Some(serial) = segment.strip_prefix("$+").or_else(|| segment.strip_prefix('S')) {
            self.serial = self.serial.or(not_empty(serial));
        } else if let Some(lot) = segment.strip_prefix('$') {
            self.lot = self.lot.or(not_empty(lot));
        } else if let Some(date) = segment.strip_prefix("14D").or_else(|| segment.strip_prefix("16D")) {
            (date.len() == 8 && super::is_digits(date)).then_some(())?;
        } else if let Some(quantity) = segment.strip_prefix('Q') {
            super::is_digits(quantity).then_some(())?;
        } else {
            self.lot = self.lot.or(not_empty(after_digits(segment, 5)?));
        }
        Some(())
    }
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn after_digits(text: &str, count: usize) -> Option<&str> {
    let (digits, rest) = text.split_at_checked(count)?;
    super::is_digits(digits).then_some(rest)
}

/// Passes over a quantity (`8` and 2 digits, `9` and 5) and a date, whose length its first digit tells.
fn after_date(text: &str) -> Option<&str> {
    let dated = match text.as_bytes().first() {
        Some(b'8') => after_digits(text, 3)?,
        Some(b'9') => after_digits(text, 6)?,
        _ => text,
    };
    let length = match dated.as_bytes().first() {
        None => 0,
        Some(b'0' | b'1') => 4,
        Some(b'7') => 1,
        Some(b'5') => 6,
        Some(b'2' | b'3') => 7,
        Some(b'6') => 8,
        Some(b'4') => 9,
        Some(_) => return None,
    };
    if length == 0 { Some(dated) } else { after_digits(dated, length) }
}
