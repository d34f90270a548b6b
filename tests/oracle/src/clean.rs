//! Rules §1.5, "A code as scanned is **cleaned**, in this order": points 1 to 6; point 7 is in [`super::link`].

use super::code::all_digits;
use super::link;

/// The separator of element strings.
pub(crate) const GS: char = '\u{1D}';

/// "*Written-out separators*", "in this order of trial at each place", "(letters in either case)".
const WRITTEN_OUT: [&str; 13] = [
    "{gs}", "<gs>", "[gs]", "{fnc1}", "<fnc1>", "[fnc1]", "\\u001d", "\\x1d", "~029", "%1d", "\u{241D}", "^",
    "|",
];

/// The cleaned text; nothing when "what is then empty, or consists of GS and written-out separators only, is not
/// a code at all".
pub(crate) fn clean(scanned: &str) -> Option<String> {
    let full: String = scanned.chars().filter(|character| !is_empty_character(*character)).collect();
    let half: String = unquoted(full.trim()).trim().chars().map(half_width).collect();
    let text = without_separators_before(without_mark(&half)).trim();
    let text = twenty_digits(text).unwrap_or_else(|| text.to_owned());
    let text = with_separators(&text);
    let text = link::element_string(&text).unwrap_or(text);
    let is_nothing = without_separators_before(&text).is_empty();
    (!is_nothing).then_some(text)
}

/// "*Empty characters*"
pub(crate) fn is_empty_character(character: char) -> bool {
    matches!(
        character,
        '\0' | '\u{AD}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2064}'
            | '\u{FEFF}'
    )
}

/// "One pair of equal quotation marks (`"` or `'`) around the whole is cut off, else one leading apostrophe".
fn unquoted(text: &str) -> &str {
    let within = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    within('"').or_else(|| within('\'')).or_else(|| text.strip_prefix('\'')).unwrap_or(text)
}

fn half_width(character: char) -> char {
    match character {
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        other => other,
    }
}

/// "One leading symbology mark (`]`, a letter, a letter or digit) is cut off".
fn without_mark(text: &str) -> &str {
    let mut characters = text.chars();
    match [characters.next(), characters.next(), characters.next()] {
        [Some(']'), Some(letter), Some(modifier)]
            if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() =>
        {
            characters.as_str()
        }
        _ => text,
    }
}

/// "then every GS and written-out separator (point 6) at the beginning"
fn without_separators_before(text: &str) -> &str {
    let mut rest = text;
    while let Some(length) = separator_at(rest) {
        rest = &rest[length..];
    }
    rest
}

/// The length of a GS or written-out separator at the beginning.
fn separator_at(text: &str) -> Option<usize> {
    if text.starts_with(GS) {
        return Some(GS.len_utf8());
    }
    written_out_at(text)
}

fn written_out_at(text: &str) -> Option<usize> {
    let begins = |written: &&&str| {
        text.get(..written.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(written))
    };
    WRITTEN_OUT.iter().find(begins).map(|written| written.len())
}

/// "If it consists of digits, blanks (U+0020) and hyphens only, and exactly 20 are digits, these 20 digits are it."
fn twenty_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|character| !matches!(character, ' ' | '-')).collect();
    (digits.len() == 20 && all_digits(&digits)).then_some(digits)
}

/// "*Written-out separators* become GS …. This only where the text before the first of them begins with a digit,
/// with `(`, or with a Digital Link up to and with the number after its `01` segment."
fn with_separators(text: &str) -> String {
    let Some(first) = (0..text.len()).find(|at| text.get(*at..).and_then(written_out_at).is_some()) else {
        return text.to_owned();
    };
    let before = &text[..first];
    let is_code = before.starts_with(|c: char| c.is_ascii_digit() || c == '(') || link::has_number(before);
    if !is_code {
        return text.to_owned();
    }
    let mut replaced = before.to_owned();
    let mut rest = &text[first..];
    while let Some(character) = rest.chars().next() {
        let written = written_out_at(rest);
        replaced.push(if written.is_some() { GS } else { character });
        rest = &rest[written.unwrap_or(character.len_utf8())..];
    }
    replaced
}
