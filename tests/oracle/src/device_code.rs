//! Rules §1.5, the two device families that are not GS1: MA (IDcode) and HIBC.
//!
//! "Nor is anything about the families ma and hibc beyond what is written here" compared, so this reads what
//! the text names and no more.

use super::code::Code;

/// "five nodes of DI of which the first is `MA`, then nodes tagged S serial, L lot, M, D, V, E; letters
/// upper-cased": "DI`.S`serial, else DI`.L`lot, else DI".
pub(crate) fn ma(text: &str) -> Option<Code> {
    let upper = text.to_ascii_uppercase();
    let nodes: Vec<&str> = upper.split('.').collect();
    let (identity, tagged) = nodes.split_at_checked(5)?;
    let word = |node: &&str| {
        !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let known =
        |node: &&str| node.len() > 1 && node.starts_with(['S', 'L', 'M', 'D', 'V', 'E']) && word(node);
    if identity[0] != "MA" || !identity.iter().all(word) || !tagged.iter().all(known) {
        return None;
    }
    let di = identity.join(".");
    let serial = tagged.iter().find(|node| node.starts_with('S'));
    let lot = tagged.iter().find(|node| node.starts_with('L'));
    let normal = match serial.or(lot) {
        Some(node) => format!("{di}.{node}"),
        None => di.clone(),
    };
    Some(Code { normal, prefix: Some(di), is_unit: serial.is_some() })
}

/// A device identifier of one of the two families, as the prefix of a product record: "five nodes of DI", or a
/// "primary without `+` and check".
pub(crate) fn prefix(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let identifier = ma(&upper).and_then(|code| code.prefix).filter(|di| *di == upper);
    identifier.or_else(|| is_hibc_primary(&upper).then_some(upper))
}

/// "`+` … with a correct mod-43 check (ANSI/HIBC 2.x, primary alone or joined with secondary)": "primary, then
/// serial, else lot"; prefix "primary without `+` and check".
pub(crate) fn hibc(text: &str) -> Option<Code> {
    let (primary, secondary) = hibc_parts(text)?;
    if !mod43_is_right(&text.to_ascii_uppercase()) {
        return None;
    }
    let (serial, lot) = hibc_secondary(&secondary);
    let normal = match (&serial, lot) {
        (Some(serial), _) => format!("+{primary}/$+{serial}"),
        (None, Some(lot)) => format!("+{primary}/${lot}"),
        (None, None) => format!("+{primary}"),
    };
    Some(Code { normal, prefix: Some(primary), is_unit: serial.is_some() })
}

/// "a HIBC string with a wrong check"
pub(crate) fn is_hibc_with_wrong_check(text: &str) -> bool {
    hibc_parts(text).is_some() && !mod43_is_right(&text.to_ascii_uppercase())
}

/// Primary (labeller, a letter and three letters or digits; product 1–18; unit of measure, a digit) and the
/// joined secondary data, without `+` and the check at the end.
fn hibc_parts(text: &str) -> Option<(String, String)> {
    let upper = text.to_ascii_uppercase();
    let body = upper.strip_prefix('+').filter(|body| body.is_ascii() && body.len() > 6)?;
    let body = &body[..body.len() - 1];
    let (primary, secondary) = body.split_once('/').unwrap_or((body, ""));
    is_hibc_primary(primary).then(|| (primary.to_owned(), secondary.to_owned()))
}

fn is_hibc_primary(text: &str) -> bool {
    (6..=23).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.ends_with(|c: char| c.is_ascii_digit())
}

fn mod43_is_right(text: &str) -> bool {
    const CHARACTERS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";
    let values: Option<Vec<usize>> = text.chars().map(|character| CHARACTERS.find(character)).collect();
    values.is_some_and(|values| {
        values.split_last().is_some_and(|(check, before)| before.iter().sum::<usize>() % 43 == *check)
    })
}

/// Serial and lot of the secondary data and its supplements.
fn hibc_secondary(secondary: &str) -> (Option<String>, Option<String>) {
    let mut serial = None;
    let mut lot = None;
    for (at, part) in secondary.split('/').enumerate() {
        let named = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
        if let Some(value) = part.strip_prefix("$$+") {
            serial = serial.or(named(after_date(value)));
        } else if let Some(value) = part.strip_prefix("$$") {
            lot = lot.or(named(after_date(after_quantity(value))));
        } else if let Some(value) = part.strip_prefix("$+") {
            serial = serial.or(named(value));
        } else if let Some(value) = part.strip_prefix('$') {
            lot = lot.or(named(value));
        } else if at > 0 && part.starts_with('S') {
            serial = serial.or(named(&part[1..]));
        } else if at == 0 && part.len() >= 5 && part[..5].bytes().all(|byte| byte.is_ascii_digit()) {
            lot = lot.or(named(&part[5..]));
        }
    }
    (serial, lot)
}

fn after_quantity(text: &str) -> &str {
    match text.bytes().next() {
        Some(b'8') => text.get(3..).unwrap_or(""),
        Some(b'9') => text.get(6..).unwrap_or(""),
        _ => text,
    }
}

/// The expiry's form is told by its first digit: MMYY has none, 2 MMDDYY, 3 YYMMDD, 4 YYMMDDHH, 5 YYJJJ,
/// 6 YYJJJHH, 7 no date.
fn after_date(text: &str) -> &str {
    let length = match text.bytes().next() {
        Some(b'0' | b'1') => 4,
        Some(b'2' | b'3') => 7,
        Some(b'4') => 9,
        Some(b'5') => 6,
        Some(b'6') => 8,
        Some(b'7') => 1,
        _ => 0,
    };
    text.get(length..).unwrap_or("")
}
