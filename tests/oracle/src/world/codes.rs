//! Trace codes of a world, in the forms in which scanners deliver them.
//!
//! HIBC codes are lot codes only: the exact normal form of one with a serial is outside the comparison.

use super::dice::Dice;

/// Prefixes of drug codes: one pack, many packs, no units, packs without units, no record.
pub(super) const DRUG_PREFIXES: [&str; 5] = ["8100001", "8100002", "8100003", "8100004", "8100005"];
/// A GTIN that has a product record.
pub(super) const GTIN: &str = "06901234567892";
/// A GTIN without one.
pub(super) const GTIN_UNKNOWN: &str = "06977777777777";
/// A device identifier of the family MA.
pub(super) const MA_DI: &str = "MA.156.M0.100012.12345678";
/// The primary of a HIBC code, as its prefix.
pub(super) const HIBC_PRIMARY: &str = "A123BJC5D6E71";

/// A trace code that exists in a world.
#[derive(Clone, Debug)]
pub(super) enum Package {
    /// A 20-digit drug code.
    Drug(String),
    /// GTIN and serial.
    Gs1(&'static str, &'static str),
    /// A device identifier with a serial.
    Ma(&'static str),
    /// A maker's own code.
    Maker(&'static str),
}

/// A package of any family.
pub(super) fn package(dice: &mut Dice) -> Package {
    match dice.below(10) {
        0..=5 => {
            let prefix =
                dice.pick(&["8100001", "8100001", "8100002", "8100002", "8100003", "8100004", "8100005"]);
            Package::Drug(format!("{prefix}{:013}", dice.between(1, 4)))
        }
        6 | 7 => {
            Package::Gs1(dice.pick(&[GTIN, GTIN, GTIN_UNKNOWN]), dice.pick(&["SN1", "SN2", "54", "sn1"]))
        }
        8 => Package::Maker(dice.pick(&["MK-0001/AB", "AB12-/.0"])),
        _ => Package::Ma(dice.pick(&["S1", "S2"])),
    }
}

impl Package {
    /// The prefix by which its product record is found.
    pub(super) fn prefix(&self) -> Option<String> {
        match self {
            Self::Drug(code) => Some(code[..7].to_owned()),
            Self::Gs1(gtin, _) => Some((*gtin).to_owned()),
            Self::Ma(_) => Some(MA_DI.to_owned()),
            Self::Maker(_) => None,
        }
    }

    /// The code as some scanner delivers it.
    pub(super) fn scanned(&self, dice: &mut Dice) -> String {
        let plain = match self {
            Self::Drug(code) => code.clone(),
            Self::Gs1(gtin, serial) => gs1(dice, gtin, serial),
            Self::Ma(serial) => {
                let tail = dice.pick(&["", ".LB7", ".D20260101", ".M20260101.LB7"]);
                let code = if dice.chance(50) {
                    format!("{MA_DI}.{serial}{tail}")
                } else {
                    format!("{MA_DI}{tail}.{serial}")
                };
                if dice.chance(20) { code.to_lowercase() } else { code }
            }
            Self::Maker(code) if dice.chance(30) => code.to_lowercase(),
            Self::Maker(code) => (*code).to_owned(),
        };
        dress(dice, plain)
    }
}

/// A mark before, space around, full-width characters: all of it means nothing.
fn dress(dice: &mut Dice, plain: String) -> String {
    let mut text = plain;
    if dice.chance(10) && !text.starts_with('(') {
        text = format!("{}{text}", dice.pick(&["]C1", "]d2", "]Q3"]));
    }
    if dice.chance(8) {
        let full = |character: char| match character {
            '!'..='~' => char::from_u32(u32::from(character) + 0xFEE0).unwrap_or(character),
            other => other,
        };
        text = text.chars().map(full).collect();
    }
    if dice.chance(10) {
        text = format!(
            "{}{text}{}",
            dice.pick(&["", " ", "\t", "\u{3000}", "\u{A0}\n"]),
            dice.pick(&["", " ", "\u{3000}"])
        );
    }
    text
}

fn gs1(dice: &mut Dice, gtin: &str, serial: &str) -> String {
    let mut elements = vec![("21", serial)];
    if dice.chance(30) {
        elements.push(("10", dice.pick(&["BATCH", "Batch"])));
    }
    if dice.chance(30) {
        elements.push(("17", "261231"));
    }
    if dice.chance(5) {
        elements.push(("21", "AGAIN"));
        return element_string(dice, gtin, &elements);
    }
    dice.shuffle(&mut elements);
    element_string(dice, gtin, &elements)
}

/// Bracketed, or raw with GS where it must or may stand.
fn element_string(dice: &mut Dice, gtin: &str, elements: &[(&str, &str)]) -> String {
    if dice.chance(60) {
        let tail: String = elements.iter().map(|(ai, value)| format!("({ai}){value}")).collect();
        return format!("(01){gtin}{tail}");
    }
    let mut text = format!("01{gtin}{}", if dice.chance(5) { "\u{1D}" } else { "" });
    for (at, (ai, value)) in elements.iter().enumerate() {
        let is_last = at + 1 == elements.len();
        let must = *ai != "17" && !is_last;
        text = format!("{text}{ai}{value}{}", if must || dice.chance(5) { "\u{1D}" } else { "" });
    }
    text
}

/// A code that names a lot, not a unit.
pub(super) fn lot_code(dice: &mut Dice) -> String {
    let plain = match dice.below(6) {
        0 => "(01)06901234567892".to_owned(),
        1 => format!("{MA_DI}.LB7"),
        2 => "+A123BJC5D6E71G".to_owned(),
        3 => "(01)06977777777777(10)lt2".to_owned(),
        _ => {
            let lot = dice.pick(&["LT1", "LT2"]);
            element_string(dice, GTIN, &[("10", lot)])
        }
    };
    dress(dice, plain)
}

/// Something that is no valid code.
pub(super) fn invalid_code(dice: &mut Dice) -> String {
    let doubled = "81000010000000000001".repeat(2);
    let long = "A1".repeat(21);
    dice.pick(&[
        "6901234567892",
        "810000100000",
        "8100001000000000000",
        doubled.as_str(),
        long.as_str(),
        "8100001000000000000312",
        "8100001000000000-I",
        "8100001000000000000OI",
        "???",
        "-",
        "1",
        "ABCDEFGHIJ",
        "AB12-/.",
        "12345678901٢",
        "0106901234567893",
        "(01)06901234567893(21)SN1",
        "0106901234567893AB",
        "(21)SN2(01)06901234567892",
        "(01)06901234567892(21)",
        "(01)06901234567892(21)123456789012345678901",
        "(01)06901234567892(05)1",
        "(01)06901234567892(21)SN 1",
        "MA.1.23456789",
        "MA.156.M0.100012.12345678.X1",
        "+A123BJC5D6E71H",
        "]1A81000010000000000001",
        "]d2]d281000010000000000001",
    ])
    .to_owned()
}
