//! GS, the separator of GS1 elements (FNC1 as scanners send it), and how people and programs write it out.

use std::borrow::Cow;

use super::digital_link;

/// FNC1 as scanners send it.
pub(super) const GS: char = '\u{1d}';

/// Written out, letters in either case, in the order of trial.
const WRITTEN_OUT: [&str; 13] = [
    "{GS}", "<GS>", "[GS]", "{FNC1}", "<FNC1>", "[FNC1]", "\\u001d", "\\x1d", "~029", "%1D", "\u{241d}", "^",
    "|",
];

/// The text behind a GS or a written-out one at its beginning.
fn after_one(text: &str) -> Option<&str> {
    text.strip_prefix(GS).or_else(|| after_written_out(text))
}

fn after_written_out(text: &str) -> Option<&str> {
    if !may_begin_one(*text.as_bytes().first()?) {
        return None;
    }
    WRITTEN_OUT.iter().find_map(|written| {
        let (head, rest) = text.split_at_checked(written.len())?;
        head.eq_ignore_ascii_case(written).then_some(rest)
    })
}

/// Of the characters that texts are made of, few begin a written-out separator.
const fn may_begin_one(byte: u8) -> bool {
    matches!(byte, b'{' | b'<' | b'[' | b'\\' | b'~' | b'%' | b'^' | b'|' | 0xE2)
}

/// The text behind all separators at its beginning.
pub(super) fn after_leading(mut text: &str) -> &str {
    while let Some(rest) = after_one(text) {
        text = rest;
    }
    text
}

/// Every written-out separator as GS, where the text before the first of them begins as an element string or a
/// Digital Link does: elsewhere the same characters may belong to a code.
pub(super) fn written_as_gs(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(may_begin_one) {
        return Cow::Borrowed(text);
    }
    let places = text.char_indices().filter_map(|(at, _)| text.split_at_checked(at));
    let first = places.into_iter().find_map(|(before, from)| Some((before, after_written_out(from)?)));
    let Some((before, mut rest)) = first.filter(|(before, _)| begins_an_element_string(before)) else {
        return Cow::Borrowed(text);
    };
    let mut replaced = String::with_capacity(text.len());
    replaced.push_str(before);
    replaced.push(GS);
    while let Some(next) = rest.chars().next() {
        if let Some(after) = after_written_out(rest) {
            replaced.push(GS);
            rest = after;
        } else {
            replaced.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    Cow::Owned(replaced)
}

fn begins_an_element_string(before: &str) -> bool {
    before.starts_with(|first: char| first.is_ascii_digit() || first == '(')
        || digital_link::names_a_product(before)
}
