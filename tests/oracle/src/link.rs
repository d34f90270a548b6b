//! Rules §1.5, point 7: a GS1 *Digital Link* as an element string.

use super::code::all_digits;
use super::element::is_known_ai;

/// What a Digital Link is made of: the segments from the number on, and the query.
struct Link<'a> {
    /// "the segment `01` is followed by 8, 12, 13 or 14 digits"
    number: &'a str,
    /// The segments after the number.
    segments: Vec<&'a str>,
    query: &'a str,
}

/// The bracketed element string of a Digital Link; nothing of any other text.
pub(crate) fn element_string(text: &str) -> Option<String> {
    let link = parse(text)?;
    let mut elements = format!("(01){:0>14}", link.number);
    let mut take = |ai: &str, value: &str| -> Option<()> {
        // "Of AI 01 only that first one is taken, other pairs and parameters named 01 are passed over."
        if ai != "01" {
            elements.push_str(&format!("({ai}){}", decoded(value)?));
        }
        Some(())
    };
    let mut segments = link.segments;
    // "An empty last segment does not count; any other empty segment after it, a segment left over …"
    if segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    for pair in segments.chunks(2) {
        let [ai, value] = pair else { return None };
        take(ai, value)?;
    }
    // "those parameters of the query whose name is a known AI and whose value is not empty, in their order"
    for parameter in link.query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if is_known_ai(name) && !value.is_empty() {
            take(name, value)?;
        }
    }
    Some(elements)
}

/// "a Digital Link up to and with the number after its `01` segment"
pub(crate) fn has_number(text: &str) -> bool {
    parse(text).is_some()
}

/// "`http://` or `https://`, either case, a host, a path"; "a fragment (`#…`) is cut off first"; "The last `01`
/// segment that is followed so counts."
fn parse(text: &str) -> Option<Link<'_>> {
    let text = text.split('#').next().unwrap_or(text);
    let scheme = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
    };
    let rest = if scheme("http://") {
        &text["http://".len()..]
    } else if scheme("https://") {
        &text["https://".len()..]
    } else {
        return None;
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_once('/')?;
    if host.is_empty() {
        return None;
    }
    let segments: Vec<&str> = path.split('/').collect();
    let is_number = |text: &str| [8, 12, 13, 14].contains(&text.len()) && all_digits(text);
    let at = segments.windows(2).rposition(|pair| pair[0] == "01" && is_number(pair[1]))?;
    Some(Link { number: segments[at + 1], segments: segments[at + 2..].to_vec(), query })
}

/// "values percent-decoded as UTF-8 (a plus sign stays one)"
fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}
