//! GS1 Digital Links: the elements of a code as path and query of a web address.
//!
//! `https://id.gs1.org/01/06901234567892/21/SN123?17=270501` says what `(01)06901234567892(21)SN123(17)270501` says.
//! Only links to a product (AI 01) are read; the domain, the path before it and foreign parameters do not matter.

use super::application_identifier;

/// A link whose path names a product.
struct Link<'a> {
    gtin: &'a str,
    /// The segments of the path behind the GTIN.
    segments: Vec<&'a str>,
    query: &'a str,
}

/// Whether a text begins with a Digital Link up to and with its GTIN.
pub(super) fn names_a_product(text: &str) -> bool {
    parse(text).is_some()
}

/// The bracketed element string of a Digital Link.
pub(super) fn to_element_string(text: &str) -> Option<String> {
    let Link { gtin, mut segments, query } = parse(text)?;
    if segments.last().is_some_and(|segment| segment.is_empty()) {
        segments.pop();
    }
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let mut elements = format!("(01){gtin:0>14}");
    let (pairs, []) = segments.as_chunks::<2>() else {
        return None;
    };
    let parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
    let known =
        parameters.filter(|(name, value)| application_identifier::is_known(name) && !value.is_empty());
    for (identifier, value) in pairs.iter().map(|[identifier, value]| (*identifier, *value)).chain(known) {
        if identifier != "01" {
            elements.push_str(&format!("({identifier}){}", percent_decoded(value)?));
        }
    }
    Some(elements)
}

fn parse(text: &str) -> Option<Link<'_>> {
    let after_scheme = without_scheme(text, "https://").or_else(|| without_scheme(text, "http://"))?;
    let address = after_scheme.split('#').next()?;
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let (host, path) = place.split_once('/')?;
    let mut segments: Vec<&str> = path.split('/').collect();
    let of_product = |pair: &[&str]| matches!(pair, ["01", gtin] if is_gtin(gtin));
    let place = segments.windows(2).rposition(of_product).filter(|_| !host.is_empty())?;
    let gtin = segments.get(place + 1).copied()?;
    segments.drain(..place + 2);
    Some(Link { gtin, segments, query })
}

fn without_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn is_gtin(segment: &str) -> bool {
    matches!(segment.len(), 8 | 12 | 13 | 14) && super::is_digits(segment)
}

/// The text whose UTF-8 is written with `%` and two hexadecimal digits where need be; a plus sign stays one.
fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    decoded.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        decoded.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}
