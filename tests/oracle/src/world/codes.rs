//! Trace codes of a world and what is none; how scanners deliver them is in [`super::carriers`].
//!
//! HIBC codes are lot codes only: the exact normal form of one with a serial is outside the comparison.

use super::carriers;
use super::dice::Dice;

/// Prefixes of drug codes: one pack, many packs, no units, packs without units, no record.
pub(super) const DRUG_PREFIXES: [&str; 5] = ["8100001", "8100002", "8100003", "8100004", "8100005"];
/// A GTIN that has a product record.
pub(super) const GTIN: &str = "06901234567892";
/// A GTIN of 12 digits, and one of 8, with zeros before them.
pub(super) const GTIN_12: &str = "00614141123452";
/// See [`GTIN_12`].
pub(super) const GTIN_8: &str = "00000096385074";
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
        0..=4 => {
            let prefix =
                dice.pick(&["8100001", "8100001", "8100002", "8100002", "8100003", "8100004", "8100005"]);
            Package::Drug(format!("{prefix}{:013}", dice.between(1, 4)))
        }
        5..=7 => Package::Gs1(
            dice.pick(&[GTIN, GTIN, GTIN_12, GTIN_8, GTIN_UNKNOWN]),
            dice.pick(&["SN1", "SN2", "54", "sn1", "S_4", "S?3X", "S+1"]),
        ),
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

    /// The code as some scanner, label or sender delivers it.
    pub(super) fn scanned(&self, dice: &mut Dice, mangled_percent: usize) -> String {
        let plain = match self {
            Self::Drug(code) => carriers::drug(dice, code, mangled_percent),
            Self::Gs1(gtin, serial) => carriers::gs1(dice, gtin, serial),
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
        carriers::dress(dice, plain, mangled_percent)
    }
}

/// A code that names a lot, not a unit.
pub(super) fn lot_code(dice: &mut Dice, mangled_percent: usize) -> String {
    let plain = match dice.below(6) {
        0 => "(01)06901234567892".to_owned(),
        1 => format!("{MA_DI}.LB7"),
        2 => "+A123BJC5D6E71G".to_owned(),
        3 => "(01)06977777777777(10)lt2".to_owned(),
        _ => {
            let lot = dice.pick(&["LT1", "LT2"]);
            carriers::element_string(dice, GTIN, &[("10", lot)])
        }
    };
    carriers::dress(dice, plain, mangled_percent)
}

/// Something that is no valid code, or by a hair is one.
pub(super) fn invalid_code(dice: &mut Dice) -> String {
    let list: &[&str] = match dice.below(4) {
        0 => CUT_AND_TORN,
        1 => OTHER_NUMBERS,
        2 => NO_ELEMENT_STRINGS,
        _ => NO_DIGITAL_LINKS,
    };
    dice.pick(list).to_owned()
}

/// Damaged codes and words.
const CUT_AND_TORN: &[&str] = &[
    "810000100000",
    "8100001000000000001",
    "8100001000000000000181000010000000000001",
    "A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1A1",
    "8100001000000000000312",
    "810000100000000000031",
    "81000010000000000003123456789",
    "6901234567892690123456789",
    "8100001000000000-I",
    "8100001000000000000OI",
    "81000010-0000000-000012",
    "81000010_000000000001",
    "???",
    "-",
    "1",
    "ABCDEFGHIJ",
    "AB12-/.",
    "12345678901٢",
    "]1A81000010000000000001",
    "]d2]d281000010000000000001",
    "坏\\A",
    "坏\tA",
    "''81000010000000000001'",
    "'\"81000010000000000001\"",
    "^81000010000000000001|1",
    "AB12-/.0^1",
    "81000010000000000001,81000010000000000002",
];

/// Numbers that are no trace codes: placeholders, labels, parts of sets, roundings, other ids.
const OTHER_NUMBERS: &[&str] = &[
    "11111111111111111111",
    "12345678901234567890",
    "98765432109876543210",
    "12345678901234567891",
    "20120106901234567892",
    "AAAAAAAA",
    "00069012340000000030",
    "00069012340000000031",
    "(00)069012340000000030",
    "800606901234567892010",
    "800606901234567892010221AB",
    "8026069012345678920102",
    "8.1E+19",
    "8.100001E19",
    "81E+19",
    "8E123456",
    "H37020300001",
    "p37020300001",
    "H3702030000A",
    "XR05CBA198A001010100863",
    "XR05CBA198A0010101008",
    "ZA05CBA198A00101010086A",
    "6901234567892",
    "6912345678901",
    "7001234567892",
];

/// What looks like an element string.
const NO_ELEMENT_STRINGS: &[&str] = &[
    "0106901234567893",
    "(01)06901234567893(21)SN1",
    "0106901234567893AB",
    "(21)SN2(01)06901234567892",
    "21SN2\u{1D}0106901234567892",
    "(01)06901234567892(21)",
    "(01)06901234567892(91)",
    "(01)06901234567892(17)2612(21)SN1",
    "(01)06901234567892(21)123456789012345678901",
    "(01)06901234567892(05)1",
    "(01)06901234567892(8015)1(21)SN1",
    "(01)06901234567892(21)SN 1",
    "(01)0690123456789(21)SN1",
    "(01)06901234567892(21)SN1(21)SN2",
    "(01)06901234567892(01)00614141123452(21)SN1",
    "010690123456789221SN1\u{1D}\u{1D}10B1",
    "01069012345678922154",
    "01069012345678921754",
    "21SN1",
    "21SN1\u{1D}",
    "010690123456789221SN1_10",
    "010690123456789221SN1_17261231?10B1",
    "010690123456789221SN1?91Z9",
    "0106901234567892_21SN1",
    "MA.156.M0.100012.12345678.X1",
];

/// What looks like a Digital Link.
const NO_DIGITAL_LINKS: &[&str] = &[
    "https://id.gs1.org/01/06901234567893/21/SN1",
    "https://id.gs1.org/01/0690123456789/21",
    "https://id.gs1.org/01/06901234567892/21",
    "https://id.gs1.org/01/06901234567892/21/",
    "https://id.gs1.org/01/06901234567892//21/SN1",
    "https://id.gs1.org/01/06901234567892/21/SN%G1",
    "https://id.gs1.org/01/06901234567892/21/SN%FF",
    "https://id.gs1.org/01/06901234567892?21=SN1&10=",
    "https://id.gs1.org/01/06901234567892?21=SN1&remark=%FF",
    "https://id.gs1.org/01/06901234567892/21/SN1/01/123",
    "https://id.gs1.org/01/6901234567892/01/00614141123452/21/SN1",
    "https://id.gs1.org/00/06901234567892/21/SN1",
    "https:///01/06901234567892/21/SN1",
    "https://id.gs1.org",
    "ftp://id.gs1.org/01/06901234567892/21/SN1",
    "https://id.gs1.org/01/06901234567892/21/SN%281",
    "https://id.gs1.org/01/06901234567892/05/1/21/SN1",
];
