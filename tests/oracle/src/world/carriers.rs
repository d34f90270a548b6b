//! How a code comes: the carriers that a label has and what senders and scanners make of them. All that is done
//! here means nothing: the code stays the same.

use super::dice::Dice;

/// A drug code as a number with blanks and hyphens in it, seldom.
pub(super) fn drug(dice: &mut Dice, code: &str, mangled_percent: usize) -> String {
    if !dice.chance(mangled_percent / 2) {
        return code.to_owned();
    }
    let mut text = String::new();
    for digit in code.chars() {
        text.push(digit);
        if dice.chance(8) {
            text.push_str(dice.pick(&[" ", "-", " - "]));
        }
    }
    text
}

/// An element string or a Digital Link of a GTIN and a serial, with more about the box in it.
pub(super) fn gs1(dice: &mut Dice, gtin: &str, serial: &str) -> String {
    let mut elements = vec![("21", serial)];
    if dice.chance(30) {
        elements.push(("10", dice.pick(&["BATCH", "Batch"])));
    }
    if dice.chance(30) {
        elements.push(dice.pick(&[("17", "261231"), ("11", "250101")]));
    }
    if dice.chance(15) {
        elements.push(dice.pick(&[
            ("30", "1"),
            ("91", "Z9"),
            ("240", "A1"),
            ("3103", "000123"),
            ("8005", "000123"),
        ]));
    }
    if dice.chance(5) {
        elements.push(("21", "AGAIN"));
    } else {
        dice.shuffle(&mut elements);
    }
    match dice.below(10) {
        0 | 1 => digital_link(dice, gtin, &elements),
        2 => lost_separators(dice, gtin, &elements),
        _ => element_string(dice, gtin, &elements),
    }
}

/// Bracketed, or raw with GS where it must or may stand; the GTIN first, mostly.
pub(super) fn element_string(dice: &mut Dice, gtin: &str, elements: &[(&str, &str)]) -> String {
    let mut all = elements.to_vec();
    let at = if dice.chance(80) { 0 } else { dice.below(all.len() + 1) };
    all.insert(at, ("01", gtin));
    let separator = separator(dice);
    if dice.chance(55) {
        let empty = if dice.chance(8) { dice.pick(&["(91)", "(15)2612"]) } else { "" };
        let mut text = String::new();
        for (ai, value) in &all {
            let gs = if dice.chance(5) { separator } else { "" };
            text = format!("{text}({ai}){value}{gs}");
        }
        return format!("{text}{empty}");
    }
    let mut text = if dice.chance(10) { "\u{1D}".to_owned() } else { String::new() };
    for (at, (ai, value)) in all.iter().enumerate() {
        let must = !is_fixed_length(ai) && at + 1 < all.len();
        let gs = if must || dice.chance(5) { separator } else { "" };
        text = format!("{text}{ai}{value}{gs}");
    }
    text
}

/// A GS, or how somebody wrote it out.
fn separator(dice: &mut Dice) -> &'static str {
    if dice.chance(65) {
        return "\u{1D}";
    }
    dice.pick(&[
        "{GS}", "<GS>", "[gs]", "{FNC1}", "<fnc1>", "[FNC1]", "\\u001d", "\\x1D", "~029", "%1d", "\u{241D}",
        "^", "|",
    ])
}

fn is_fixed_length(ai: &str) -> bool {
    ["01", "11", "17", "3103"].contains(&ai)
}

/// A raw element string whose separators a scanner turned into `_` or `?`.
fn lost_separators(dice: &mut Dice, gtin: &str, elements: &[(&str, &str)]) -> String {
    let joins = |(ai, _): &&(&str, &str)| ["21", "10", "17", "11"].contains(ai);
    let kept: Vec<_> = elements.iter().filter(joins).collect();
    let mut text = format!("01{gtin}");
    for (at, (ai, value)) in kept.iter().enumerate() {
        let must = !is_fixed_length(ai) && at + 1 < kept.len();
        text = format!("{text}{ai}{value}{}", if must { dice.pick(&["_", "?", "\u{1D}"]) } else { "" });
    }
    text
}

/// A GS1 Digital Link: key, qualifiers and attributes in the path or in the query.
fn digital_link(dice: &mut Dice, gtin: &str, elements: &[(&str, &str)]) -> String {
    let short = gtin.trim_start_matches('0');
    let forms = [gtin, &gtin[1..], &gtin[2..], &gtin[6..]];
    let number = dice.pick(&forms.map(|form| if form.ends_with(short) { form } else { gtin }));
    let mut text = dice
        .pick(&[
            "https://id.gs1.org/",
            "http://example.com/x/",
            "HTTPS://EXAMPLE.COM/",
            "https://a.b:8080/01/1/",
        ])
        .to_owned();
    text.push_str(&format!("01/{number}"));
    let in_path = if dice.chance(70) { elements.len() } else { dice.below(elements.len() + 1) };
    for (ai, value) in &elements[..in_path] {
        text.push_str(&format!("/{ai}/{}", encoded(dice, value)));
    }
    text.push_str(dice.pick(&["", "", "", "/"]));
    let mut mark = '?';
    for (ai, value) in &elements[in_path..] {
        text.push_str(&format!("{mark}{ai}={}", encoded(dice, value)));
        mark = '&';
    }
    if dice.chance(15) {
        text.push_str(&format!("{mark}{}", dice.pick(&["linkType=all", "10=", "01=1", "15"])));
    }
    if dice.chance(10) {
        text.push_str("#a/b?c");
    }
    text
}

fn encoded(dice: &mut Dice, value: &str) -> String {
    let mut text = String::new();
    for character in value.chars() {
        if character == '?' || dice.chance(5) {
            text.push_str(&format!("%{:02x}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    text
}

/// A mark before, space, quotes and separators around, full-width and empty characters: all of it means nothing.
pub(super) fn dress(dice: &mut Dice, plain: String, mangled_percent: usize) -> String {
    let mut text = plain;
    if dice.chance(10) {
        let separator = if dice.chance(20) { separator(dice) } else { "" };
        text = format!("{}{separator}{text}", dice.pick(&["]C1", "]d2", "]Q3"]));
    }
    if dice.chance(8) {
        let full = |character: char| match character {
            '!'..='~' => char::from_u32(u32::from(character) + 0xFEE0).unwrap_or(character),
            other => other,
        };
        text = text.chars().map(full).collect();
    }
    if dice.chance(mangled_percent / 2) {
        let quote = dice.pick(&["\"", "'"]);
        let blank = dice.pick(&["", "", " "]);
        text = match dice.below(3) {
            0 => format!("'{blank}{text}"),
            _ => format!("{quote}{blank}{text}{quote}"),
        };
    }
    if dice.chance(10) {
        text = format!(
            "{}{text}{}",
            dice.pick(&["", " ", "\t", "\u{3000}", "\u{A0}\n"]),
            dice.pick(&["", " ", "\u{3000}"])
        );
    }
    if dice.chance(mangled_percent / 2) {
        let at = dice.below(text.chars().count() + 1);
        let empty = dice.pick(&['\0', '\u{AD}', '\u{200B}', '\u{202A}', '\u{2060}', '\u{2064}', '\u{FEFF}']);
        let mut characters: Vec<char> = text.chars().collect();
        characters.insert(at, empty);
        text = characters.into_iter().collect();
    }
    text
}
