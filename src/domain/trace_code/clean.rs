//! What scanners, keyboards, spreadsheets and web pages add to a code, undone, in the order of the rules.

use std::borrow::Cow;

use super::{digital_link, separator};

/// The code as it was meant; empty when there is none.
///
/// The common case, a clean code, is borrowed: every step only narrows it.
pub(super) fn clean(scanned: &str) -> Cow<'_, str> {
    if is_plain(scanned) {
        return Cow::Borrowed(scanned);
    }
    let mut text = without_empty_characters(scanned);
    text = narrowed(text, without_quotation_marks);
    text = in_half_width(text);
    text = narrowed(text, without_symbology_mark);
    if let Some(digits) = twenty_digits(&text) {
        return Cow::Owned(digits);
    }
    text = match separator::written_as_gs(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(replaced) => Cow::Owned(replaced),
    };
    match digital_link::to_element_string(&text) {
        Some(elements) => Cow::Owned(elements),
        None if separator::after_leading(&text).is_empty() => Cow::Borrowed(""),
        None => text,
    }
}

/// Whether a text consists of characters alone that no step undoes, as most codes do.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'(' | b')' | b'.'))
}

/// A part of the text, borrowed where the whole is.
fn narrowed<'a>(text: Cow<'a, str>, part: fn(&str) -> &str) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(part(text)),
        Cow::Owned(text) => Cow::Owned(part(&text).to_owned()),
    }
}

/// Characters that carry nothing and show nothing, wherever they are.
pub fn without_empty_characters(text: &str) -> Cow<'_, str> {
    if text.contains(is_empty_character) {
        Cow::Owned(text.replace(is_empty_character, ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_empty_character(character: char) -> bool {
    matches!(
        character,
        '\0' | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
    )
}

/// Trims, and cuts off a pair of quotation marks, or the apostrophe by which a spreadsheet keeps digits a text.
/// GS (0x1D) is no white space: it separates elements.
fn without_quotation_marks(text: &str) -> &str {
    let text = text.trim();
    let within = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    let bare = within('"').or_else(|| within('\'')).or_else(|| text.strip_prefix('\''));
    bare.map_or(text, str::trim)
}

/// Full-width forms of ASCII, and the ideographic space, as their half-width twins.
fn in_half_width(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() { text } else { Cow::Owned(text.chars().map(to_half_width).collect()) }
}

fn to_half_width(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character).saturating_sub(0xfee0)).unwrap_or(character)
        }
        '\u{3000}' => ' ',
        _ => character,
    }
}

/// ISO/IEC 15424: scanners may put `]`, a letter and a modifier before the data. An FNC1 at the beginning says the
/// same; a reader may hand it on as a separator.
fn without_symbology_mark(text: &str) -> &str {
    separator::after_leading(after_symbology_mark(text).unwrap_or(text)).trim()
}

fn after_symbology_mark(text: &str) -> Option<&str> {
    let mut characters = text.strip_prefix(']')?.chars();
    let letter = characters.next()?;
    let modifier = characters.next()?;
    (letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric()).then_some(characters.as_str())
}

/// The digits of a drug code printed in groups.
fn twenty_digits(text: &str) -> Option<String> {
    let is_grouped = text.len() > 20 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-'));
    let digits = || text.chars().filter(char::is_ascii_digit);
    (is_grouped && digits().count() == 20).then(|| digits().collect())
}
