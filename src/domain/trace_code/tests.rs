//! Reading of scans, from the text of the rules.

use proptest::prelude::*;

use super::*;

mod cleaning;
mod identity;

const GS: &str = "\u{1d}";

fn normal(scanned: &str) -> Option<(Family, String, Option<String>, bool)> {
    let scan = read(scanned)?;
    let code = scan.valid()?;
    Some((code.family, code.normal.to_string(), code.prefix.as_ref().map(ToString::to_string), code.is_unit))
}

fn invalid(scanned: &str) -> Option<(String, InvalidReason)> {
    match read(scanned)? {
        Scan::Invalid { text, reason } => Some((text.to_string(), reason)),
        Scan::Valid(_) => None,
    }
}

fn unit(
    family: Family,
    normal: &str,
    prefix: Option<&str>,
) -> Option<(Family, String, Option<String>, bool)> {
    Some((family, normal.to_owned(), prefix.map(str::to_owned), true))
}

fn lot(family: Family, normal: &str, prefix: &str) -> Option<(Family, String, Option<String>, bool)> {
    Some((family, normal.to_owned(), Some(prefix.to_owned()), false))
}

#[test]
fn a_drug_code_is_the_same_however_it_was_scanned() {
    let expected = unit(Family::Drug20, "81773220288616423835", Some("8177322"));
    for scanned in [
        "81773220288616423835",
        "  81773220288616423835\r\n",
        "\u{3000}81773220288616423835\u{a0}",
        "]C081773220288616423835",
        " ]d281773220288616423835",
        "８１７７３２２０２８８６１６４２３８３５",
    ] {
        assert_eq!(normal(scanned), expected, "{scanned:?}");
    }
}

#[test]
fn what_is_empty_is_no_code_at_all() {
    for scanned in [
        "",
        " \t\u{3000}",
        "]C1",
        " ]C1 ",
        GS,
        "^|{gs}",
        "]C1\u{1d} ",
        "\u{200b}\0",
        "''",
        " ' ",
        "\"\u{3000}\"",
    ] {
        assert_eq!(read(scanned), None, "{scanned:?}");
    }
    assert_eq!(invalid("\""), Some(("\"".to_owned(), InvalidReason::Unrecognised)));
    assert_eq!(invalid("]C"), Some(("]C".to_owned(), InvalidReason::Unrecognised)));
}

#[test]
fn gs1_codes_are_read_bracketed_and_raw() {
    let gtin = "06901234567892";
    let serial = "(01)06901234567892(21)SN-1/a";
    for scanned in [
        "(01)06901234567892(21)SN-1/a".to_owned(),
        "(01)06901234567892(17)270501(10)L1(21)SN-1/a".to_owned(),
        format!("010690123456789221SN-1/a{GS}10L1"),
        format!("01069012345678921727050110L1{GS}21SN-1/a"),
        format!("0106901234567892{GS}17270501{GS}21SN-1/a{GS}"),
        format!("]d2010690123456789221SN-1/a{GS}21OTHER"),
        "01069012345678923103001250414069012345678921SN-1/a".to_owned(),
        "(21)SN-1/a(01)06901234567892".to_owned(),
        format!("(01)06901234567892{GS}(21)SN-1/a{GS}"),
        format!("1727050101069012345678921121050121SN-1/a{GS}10L1"),
        format!("21SN-1/a{GS}0106901234567892"),
        format!("240R E{GS}").replace(' ', "") + "010690123456789221SN-1/a",
    ] {
        assert_eq!(normal(&scanned), unit(Family::Gs1, serial, Some(gtin)), "{scanned:?}");
    }
    assert_eq!(normal("(01)06901234567892(10)L1"), lot(Family::Gs1, "(01)06901234567892(10)L1", gtin));
    assert_eq!(normal("0106901234567892"), lot(Family::Gs1, "(01)06901234567892", gtin));
    assert_eq!(normal("(01)06901234567892(17)270501"), lot(Family::Gs1, "(01)06901234567892", gtin));
}

#[test]
fn of_a_repeated_ai_the_first_counts() {
    assert_eq!(
        normal("(01)06901234567892(21)A(21)B(01)06901234567890"),
        unit(Family::Gs1, "(01)06901234567892(21)A", Some("06901234567892"))
    );
}

#[test]
fn what_is_not_wholly_an_element_string_is_not_gs1() {
    for scanned in [
        "(01)06901234567892(21)",
        "(01)06901234567892(21)123456789012345678901",
        "(01)06901234567892(14)270501",
        "(01)06901234567892(17)27)0501",
        "(01)06901234567892(10)",
        "(01)06901234567892(10)L(21)",
        "(01)06901234567892(21)A B",
        "(01)06901234567892(21)A)B",
        "(01)0690123456789(21)A",
        "(01)06901234567892(01)0690123456789",
        "(21)A",
        "(10)L1(17)270501",
        "01069012345678921727A5",
        "0106901234567892172705AB",
        "010690123456789221A\u{1d}98",
        "0106901234567892XYZ1",
        "010690123456789221A(B)",
    ] {
        assert_eq!(
            invalid(scanned).map(|(_, reason)| reason),
            Some(InvalidReason::Unrecognised),
            "{scanned:?}"
        );
    }
    // A 20-digit number that begins with no AI 01 is a drug code, whatever else it may be.
    assert_eq!(normal("17270501902106901234").map(|found| found.0), Some(Family::Drug20));
    let empty_value = format!("010690123456789221A{GS}{GS}10L");
    assert_eq!(invalid(&empty_value).map(|(_, reason)| reason), Some(InvalidReason::Unrecognised));
}

#[test]
fn what_bracketed_text_says_beside_product_serial_and_lot_may_be_wrong() {
    let expected = unit(Family::Gs1, "(01)06901234567892(21)A", Some("06901234567892"));
    for beside in
        ["(17)2705", "(17)2705AB", "(17)", "(11)2027-05-01", "(240)瑞 格", "(00)1", "(3103)x", "(17)27\u{1d}"]
    {
        assert_eq!(normal(&format!("(01)06901234567892{beside}(21)A")), expected, "{beside}");
        assert_eq!(normal(&format!("(01)06901234567892(21)A{beside}")), expected, "{beside}");
        assert_eq!(normal(&format!("{beside}(01)06901234567892(21)A")), expected, "{beside}");
    }
}

#[test]
fn a_lost_separator_is_seen_by_what_follows_it() {
    let serial =
        |serial: &str| unit(Family::Gs1, &format!("(01)06901234567892(21){serial}"), Some("06901234567892"));
    for scanned in [
        "010690123456789221SN123_17270501",
        "010690123456789221SN123?1727050110L1",
        "010690123456789221SN123_10L1",
        "010690123456789210L1_21SN123",
        "010690123456789210L1?21SN123?11250501",
        "17270501010690123456789221SN123_13250501",
        "010690123456789221SN123\u{1d}10L_15250501",
    ] {
        assert_eq!(normal(scanned), serial("SN123"), "{scanned}");
    }
    for (scanned, kept) in [
        // No element follows, or not one that packs bear, or the part before is no serial.
        ("010690123456789221SN123_1727AB01", "SN123_1727AB01"),
        ("010690123456789221SN123_240R1", "SN123_240R1"),
        ("010690123456789221SN123_", "SN123_"),
        ("010690123456789221SN_123", "SN_123"),
        ("010690123456789221SN_123_10L1", "SN_123_10L1"),
        ("0106901234567892240R_10L1\u{1d}21SN123", "SN123"),
        ("(01)06901234567892(21)SN123_10L1", "SN123_10L1"),
    ] {
        assert_eq!(normal(scanned), serial(kept), "{scanned}");
    }
    // Where only the lost separators make it one: the serial alone would be longer than 20 characters.
    assert_eq!(normal("010690123456789221ABCDEFGHIJKLMNOPQRST_10L1"), serial("ABCDEFGHIJKLMNOPQRST"));
    // The wrong check digit is seen through them as well.
    assert_eq!(
        invalid("010690123456789121ABCDEFGHIJKLMNOPQRST_10L1").map(|(_, reason)| reason),
        Some(InvalidReason::CheckDigit)
    );
}

#[test]
fn twenty_digits_are_a_drug_code_unless_they_are_a_right_element_string() {
    // (01)06901234567892(10)12 in raw form, once with the right and once with a wrong check digit.
    assert_eq!(
        normal("01069012345678921012"),
        lot(Family::Gs1, "(01)06901234567892(10)12", "06901234567892")
    );
    assert_eq!(normal("01069012345678911012"), unit(Family::Drug20, "01069012345678911012", Some("0106901")));
    // Right check digit, but 98 without a value is no element: AI 99 with two digits is.
    assert_eq!(normal("01069012345678929912").map(|found| found.0), Some(Family::Gs1));
    assert_eq!(normal("01069012345678921412").map(|found| found.0), Some(Family::Drug20));
}

#[test]
fn ma_codes_take_serial_before_lot() {
    let di = "MA.156.M0.100012.12345678";
    assert_eq!(
        normal("ma.156.m0.100012.12345678.M260101.lL7.Ss-9"),
        unit(Family::Ma, "MA.156.M0.100012.12345678.SS-9", Some(di))
    );
    assert_eq!(normal("MA.156.M0.100012.12345678.LL7"), lot(Family::Ma, "MA.156.M0.100012.12345678.LL7", di));
    assert_eq!(normal(di), lot(Family::Ma, di, di));
    for damaged in
        ["MA.156.M0.100012", "MA.156.M0.100012.", "MA.156.M0.100012.1234.X1", "MA.156.M0.100012.1234.S"]
    {
        assert_eq!(
            invalid(damaged).map(|(_, reason)| reason),
            Some(InvalidReason::Unrecognised),
            "{damaged}"
        );
    }
}

/// Appends the mod-43 check, computed the slow way.
fn with_check(body: &str) -> String {
    let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";
    let sum: usize = body.chars().filter_map(|character| alphabet.find(character)).sum();
    format!("{body}{}", alphabet.chars().nth(sum % 43).unwrap_or('0'))
}

#[test]
fn hibc_codes_are_read_alone_and_joined() {
    // Published examples of the standard.
    assert_eq!(normal("+A999123457"), lot(Family::Hibc, "+A99912345", "A99912345"));
    assert_eq!(normal("+BLUEUNICORN7N"), lot(Family::Hibc, "+BLUEUNICORN7", "BLUEUNICORN7"));
    assert_eq!(
        normal("+A99912345/$$52001510X3/16D20111212/S77DEFG457"),
        unit(Family::Hibc, "+A99912345/$+77DEFG45", Some("A99912345"))
    );
    for (secondary, expected) in [
        ("$L7", "/$L7"),
        ("$+S7", "/$+S7"),
        ("$$0927L7", "/$L7"),
        ("$$2092726L7", "/$L7"),
        ("$$3270901L7", "/$L7"),
        ("$$427090108L7", "/$L7"),
        ("$$527244L7", "/$L7"),
        ("$$62724408L7", "/$L7"),
        ("$$7L7", "/$L7"),
        ("$$824527244L7", "/$L7"),
        ("$$9001003270901L7", "/$L7"),
        ("$$+3270901S7", "/$+S7"),
        ("27244L7", "/$L7"),
        ("27244", ""),
        ("$L7/S7", "/$+7"),
    ] {
        let scanned = with_check(&format!("+A99912345/{secondary}"));
        let found = normal(&scanned).map(|found| found.1);
        assert_eq!(found, Some(format!("+A99912345{expected}")), "{scanned}");
    }
    assert_eq!(invalid("+A999123458").map(|(_, reason)| reason), Some(InvalidReason::CheckDigit));
    let alone = with_check("+$$3270901L7");
    assert_eq!(invalid(&alone).map(|(_, reason)| reason), Some(InvalidReason::Unrecognised));
}

#[test]
fn makers_own_codes_are_no_damaged_codes_of_a_scheme() {
    assert_eq!(normal("ab-12.34/c"), unit(Family::Maker, "AB-12.34/C", None));
    // An approval number cannot be told from a maker's code.
    assert_eq!(normal("h20203456").map(|found| found.0), Some(Family::Maker));
    assert_eq!(normal("8177322E19").map(|found| found.0), Some(Family::Maker));
    for refused in [
        "AB-12.3",
        "ABCDEFGH",
        "1234-5678",
        "AB 12345678",
        "8177322028861642383O",
        "817732202886164238OO",
        "81773220288616423835AB",
        "0106901234567892ABC",
    ] {
        assert_eq!(
            invalid(refused).map(|(_, reason)| reason),
            Some(InvalidReason::Unrecognised),
            "{refused}"
        );
    }
    assert_eq!(normal("81773220288616423OOO").map(|found| found.0), Some(Family::Maker));
    // An element string is none, whatever it names.
    assert_eq!(invalid("8006ABC-1").map(|(_, reason)| reason), Some(InvalidReason::PartOfSet));
    assert_eq!(normal("8005ABC-1").map(|found| found.0), Some(Family::Maker));
    assert_eq!(normal("8177322028861642O").map(|found| found.0), Some(Family::Maker));
}

#[test]
fn the_first_reason_that_fits_is_given() {
    for (scanned, reason) in [
        ("(01)06901234567891(21)A", InvalidReason::CheckDigit),
        ("0106901234567891", InvalidReason::CheckDigit),
        ("(21)A(01)06901234567891", InvalidReason::CheckDigit),
        ("1727050101069012345678911012", InvalidReason::CheckDigit),
        ("(00)069012345678901238(01)06901234567891", InvalidReason::CheckDigit),
        ("XXXXXXXX", InvalidReason::Placeholder),
        ("--------", InvalidReason::Placeholder),
        ("无无无无无无无无", InvalidReason::Placeholder),
        ("无无无无无无无", InvalidReason::Unrecognised),
        ("00000000000000000000", InvalidReason::Placeholder),
        ("01234567890123456789", InvalidReason::Placeholder),
        ("98765432109876543210", InvalidReason::Placeholder),
        ("12345678", InvalidReason::Placeholder),
        ("1234567", InvalidReason::Unrecognised),
        ("1111111111111", InvalidReason::Placeholder),
        ("00069012345678901238", InvalidReason::LogisticsLabel),
        ("(00)069012345678901238", InvalidReason::LogisticsLabel),
        ("0006901234567890123810L1", InvalidReason::LogisticsLabel),
        ("(00)069012345678901230(8006)069012345678920102", InvalidReason::LogisticsLabel),
        ("8006069012345678920102", InvalidReason::PartOfSet),
        ("(8026)069012345678920102", InvalidReason::PartOfSet),
        ("8.1773220288616E+19", InvalidReason::Rounded),
        ("8.1773220288616e19", InvalidReason::Rounded),
        ("8E+019", InvalidReason::Rounded),
        ("8.E+19", InvalidReason::Unrecognised),
        ("8.17E+1900", InvalidReason::Unrecognised),
        ("P37020304446", InvalidReason::NotATraceCode),
        ("h37020300021", InvalidReason::NotATraceCode),
        ("XR05CBA198A001010100863", InvalidReason::NotATraceCode),
        ("za01aaq0123010100286", InvalidReason::NotATraceCode),
        ("6901234567892", InvalidReason::Barcode69),
        ("8177322000000003683581773220000000036835", InvalidReason::Doubled),
        ("8177322000000003683581773220000000036836", InvalidReason::Overlong),
        ("817732200000000", InvalidReason::Truncated),
        ("1234567890123", InvalidReason::Placeholder),
        ("1234567890132", InvalidReason::Truncated),
        ("817732202886164238351", InvalidReason::Overlong),
        ("123456798", InvalidReason::Unrecognised),
        ("药", InvalidReason::Unrecognised),
    ] {
        assert_eq!(invalid(scanned), Some((scanned.to_owned(), reason)));
    }
    assert_eq!(invalid("]C16901234567892 "), Some(("6901234567892".to_owned(), InvalidReason::Barcode69)));
}

proptest! {
    #[test]
    fn reading_never_fails_and_normal_forms_read_as_themselves(
        scanned in prop_oneof![
            any::<String>(),
            "\\PC{0,60}",
            "[0-9A-Za-z+/$.\\-() \u{1d}]{0,48}",
            "(01|\\(01\\))[0-9]{14}((10|21|\\(10\\)|\\(21\\)|17)[0-9A-Z]{0,8}\u{1d}?){0,3}",
            "[Mm][Aa]\\.[0-9]{3}\\.M0\\.[0-9]{1,6}\\.[0-9]{1,8}(\\.[SLMDVEX][a-z0-9]{0,6}){0,3}",
            "\\+[A-Z][0-9A-Z]{3,9}[0-9](/\\$\\$?\\+?[0-9A-Z]{0,12}){0,2}",
            "[0-9]{8,42}",
        ]
    ) {
        if let Some(Scan::Valid(code)) = read(&scanned) {
            prop_assert_eq!(read(&as_scanned(&code.normal)), Some(Scan::Valid(code)));
        }
    }

    #[test]
    fn surroundings_of_a_scan_do_not_matter(digits in "8[0-9]{19}", before in "[ \t\u{3000}]{0,3}(\\]C1)?") {
        prop_assert_eq!(read(&format!("{before}{digits}\n")), read(&digits));
    }
}
