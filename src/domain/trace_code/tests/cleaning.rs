//! What scanners, keyboards, spreadsheets and web pages add, undone step by step.

use super::*;
use crate::domain::trace_code::clean::clean;

const DRUG: &str = "81773220288616423835";

#[test]
fn each_step_of_cleaning_undoes_what_it_should() {
    for (scanned, cleaned) in [
        // Empty characters, wherever they are.
        ("\u{feff}8177322\u{200b}0288616\u{ad}423835\0", DRUG),
        ("\u{202a}81773220288616423835\u{202c}\u{200e}", DRUG),
        ("8177\u{2060}3220\u{2064}2886\u{200f}16423835\u{202e}", DRUG),
        // Blanks around and quotation marks; one pair, or one apostrophe.
        ("\"81773220288616423835\"", DRUG),
        (" ' 81773220288616423835 ' ", DRUG),
        ("'81773220288616423835", DRUG),
        ("''81773220288616423835", "'81773220288616423835"),
        ("\"81773220288616423835", "\"81773220288616423835"),
        ("81773220288616423835'", "81773220288616423835'"),
        ("\"'AB'\"", "'AB'"),
        // Full width, and only then the mark and what else begins a symbol.
        ("８１７７３２２０２８８６１６４２３８３５", DRUG),
        ("］Ｃ１81773220288616423835", DRUG),
        ("]d2\u{1d}{GS}%1d 81773220288616423835 ", DRUG),
        ("^|␝\\u001D\\X1d~029[fnc1]<GS>81773220288616423835", DRUG),
        ("\u{1d} \u{1d}A", "\u{1d}A"),
        ("]C1]C181773220288616423835", "]C181773220288616423835"),
        ("]-181773220288616423835", "]-181773220288616423835"),
        // Twenty digits in groups.
        ("8177 3220 2886 1642 3835", DRUG),
        ("8177322-028861642-3835", DRUG),
        ("--8177322　0288616423835-", DRUG),
        ("8177322\u{a0}0288616423835", "8177322\u{a0}0288616423835"),
        ("8177 3220 2886 1642 383", "8177 3220 2886 1642 383"),
        ("8177 3220 2886 1642 3835 1", "8177 3220 2886 1642 3835 1"),
        // Separators written out, where an element string begins.
        ("0106901234567892^21A", "0106901234567892\u{1d}21A"),
        ("(01)06901234567892{gs}(21)A<Fnc1>", "(01)06901234567892\u{1d}(21)A\u{1d}"),
        (
            "01[GS]1{FNC1}2<FNC1>3[FNC1]4\\u001d5\\x1D6~0297%1D8␝9|0^",
            "01\u{1d}1\u{1d}2\u{1d}3\u{1d}4\u{1d}5\u{1d}6\u{1d}7\u{1d}8\u{1d}9\u{1d}0\u{1d}",
        ),
        ("AB|12", "AB|12"),
        ("\u{836f}^1", "\u{836f}^1"),
        ("MA.156|1", "MA.156|1"),
        ("0{G}S", "0{G}S"),
        // Nothing but separators is nothing.
        ("{GS}\u{1d}", ""),
        (" ]Q3^", ""),
    ] {
        assert_eq!(clean(scanned), cleaned, "{scanned:?}");
    }
}

#[test]
fn a_digital_link_is_read_as_its_element_string() {
    for (link, elements) in [
        ("https://id.gs1.org/01/06901234567892/21/SN123", "(01)06901234567892(21)SN123"),
        ("HTTP://x/01/06901234567892", "(01)06901234567892"),
        (
            "https://brand.example/de/drug/01/6901234567892/10/L1/21/S?17=270501&x=1&11=#a/b",
            "(01)06901234567892(10)L1(21)S(17)270501",
        ),
        ("https://x/01/690123456789/", "(01)00690123456789"),
        ("https://x/01/12345670?10=L%2F1&21=a+b&01=1&01=%", "(01)00000012345670(10)L/1(21)a+b"),
        ("https://x/01/06901234567892/21/%E8%8D%AF", "(01)06901234567892(21)药"),
        ("https://x/01/06901234567892/21/A%1D", "(01)06901234567892(21)A\u{1d}"),
        ("https://x/01/06901234567892/10/L1|/21/S^", "(01)06901234567892(10)L1\u{1d}(21)S\u{1d}"),
        ("https://x/01/06901234567892/01/%/21/S", "(01)06901234567892(21)S"),
        ("https://x/01/11111111/01/06901234567892/21/S", "(01)06901234567892(21)S"),
        ("https://x/01/06901234567892/abc/1", "(01)06901234567892(abc)1"),
        ("https://x/01/06901234567892?21&x", "(01)06901234567892"),
        ("\"https://x/01/06901234567892/21/S\"", "(01)06901234567892(21)S"),
    ] {
        assert_eq!(clean(link), elements, "{link}");
    }
    for none in [
        "https://x/01/0690123456789/21",
        "https://x/01/06901234567892/21",
        "https://x/01/06901234567892//21/S",
        "https://x/01/06901234567892//",
        "https://x/01/06901234567892/21/%4",
        "https://x/01/06901234567892/21/%+1",
        "https://x/01/06901234567892/21/%FF",
        "https://x/01/06901234567892?21=%zz",
        "https:///01/06901234567892",
        "https://x?/01/06901234567892",
        "https://x#/01/06901234567892",
        "ftp://x/01/06901234567892",
        "https://x/1/06901234567892",
        "https://x/01/069012345678",
    ] {
        let kept = if none.ends_with("069012345678") { "(01)00069012345678" } else { none };
        assert_eq!(clean(none), kept, "{none}");
    }
    // Before the number has passed, a separator is a part of the address.
    assert_eq!(clean("https://x/a|b/01/06901234567892"), "(01)06901234567892");
    assert_eq!(clean("https://x/a|b/06901234567892"), "https://x/a|b/06901234567892");
}

#[test]
fn a_clean_code_is_not_copied() {
    for code in [DRUG, "(01)06901234567892(21)A", "010690123456789221A\u{1d}10L1", " ]d2AB12345678 "] {
        assert!(matches!(clean(code), Cow::Borrowed(_)), "{code}");
    }
}

proptest! {
    #[test]
    fn cleaning_never_fails_and_leaves_nothing_around(
        scanned in prop_oneof![
            any::<String>(),
            "[\u{0}\u{200b}\"' ]{0,3}(\\]d2)?(\u{1d}|\\^|%1[dD]|<GS>){0,2}[０-９0-9A-Z \\-|{}]{0,24}[\"' ]{0,2}",
            "https?://[a-z/]{0,6}(/01/[0-9]{8,14}){0,2}(/(10|21|17|zz|01)?/?[A-Z0-9%|^]{0,6}){0,3}(\\?([0-9a-z]{2}=[A-Z%0-9]{0,4}&?){0,3})?(#.*)?",
        ]
    ) {
        let cleaned = clean(&scanned);
        prop_assert_eq!(without_empty_characters(&scanned).as_ref() == scanned, !scanned.contains([
            '\0', '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}',
            '\u{202d}', '\u{202e}', '\u{2060}', '\u{2061}', '\u{2062}', '\u{2063}', '\u{2064}', '\u{feff}',
        ]));
        if !cleaned.starts_with("(01)") {
            prop_assert_eq!(cleaned.trim(), cleaned.as_ref());
        }
        prop_assert_eq!(read(&scanned).is_none(), cleaned.is_empty());
    }

    #[test]
    fn a_valid_code_keeps_its_identity_through_its_own_normal_form(
        scanned in "(https://x/01/0690123456789[0-9]/(21|10)/[A-Za-z0-9_?.]{0,21}|[+][A-Z][0-9A-Z]{3}[0-9A-Z]{1,4}[0-9](/[$][+]?[A-Z0-9]{1,6})?)"
    ) {
        let text = if scanned.starts_with('+') { hibc::with_check(&scanned) } else { scanned };
        if let Some(Scan::Valid(code)) = read(&text) {
            prop_assert_eq!(read(&as_scanned(&code.normal)), Some(Scan::Valid(code)));
        }
    }
}
