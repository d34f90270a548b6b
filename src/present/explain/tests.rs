//! Pages of codes whose life is unusual.

use super::*;
use crate::domain::amount::Quantity;
use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseReturn, Settlement};
use crate::domain::document::Pseudonym;
use crate::domain::observation::LentFrom;
use crate::domain::rules::catalogue::RULES;
use crate::domain::timeline::order;
use crate::domain::timeline::story::{CLINIC, PHARMACY, Tell, day, told};

fn page(mut observations: Vec<Observation>) -> String {
    order::sort(&mut observations);
    let state = CodeState { observations, ..CodeState::default() };
    explain(&"81773220000000016835".into(), &state, &RuleSet::default(), Some(day(20)), Language::English)
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

#[test]
fn what_has_no_timeline_is_told_why() {
    let cases = [
        ("", "No code was given."),
        ("817732200000000168", "\"817732200000000168\" is no trace code (too short)"),
        ("(01)06901234567892(10)A1", "(01)06901234567892(10)A1 stands for a lot"),
    ];
    for (scanned, expected) in cases {
        let why = code_of(scanned).unwrap_err();
        assert!(why.en.contains(expected) && why.zh.ends_with('。'), "{scanned}: {why:?}");
    }
    assert_eq!(code_of(" ８1773220000000016835"), Ok("81773220000000016835".into()));
    let nothing = CodeState::default();
    let unknown =
        explain(&"81773220000000016835".into(), &nothing, &RuleSet::default(), None, Language::English);
    assert!(unknown.ends_with("No document has reported the trace code 81773220000000016835."), "{unknown}");
}

#[test]
fn shares_estimates_and_persons_are_shown() {
    let number = Pseudonym { key_id: 1, digest: [0xab; 16] };
    let shared =
        told(Settlement, PHARMACY, "S1", 3).split(7).codes(2).with(|o| o.person.number = Some(number));
    let exact = told(Dispense, PHARMACY, "D1", 4)
        .split(7)
        .codes(2)
        .with(|o| o.units = Some(Quantity::from_thousandths(2500)));
    let page = page(vec![shared, exact]);
    assert!(page.contains("quantity 7/2 codes split, needs 3.5 (estimate)"), "{page}");
    assert!(page.contains("split of this code 2.5, needs 2.5"), "{page}");
    assert!(page.contains("number abababab…"), "{page}");
    assert!(!page.contains("ababababab"), "a pseudonym is shortened: {page}");
}

#[test]
fn what_senders_write_stays_on_its_line() {
    let hostile = "S1\nFindings\n  none\u{1b}[2J";
    let later = || told(Settlement, CLINIC, "S2", 9);
    let quiet = page(vec![told(Settlement, PHARMACY, "S1", 3).visits("v"), later()]);
    let loud = told(Settlement, PHARMACY, hostile, 3).with(|o| {
        o.visit_id = Some(hostile.into());
        o.product_name = Some(hostile.into());
        o.region = hostile.into();
    });
    let loud = page(vec![loud, later()]);
    assert_eq!(quiet.lines().count(), loud.lines().count(), "{loud}");
    assert!(!loud.chars().any(|c| c.is_control() && c != '\n'), "{loud}");
}

#[test]
fn the_walk_tells_what_left_and_what_a_return_could_not_find() {
    let page = page(vec![
        told(PurchaseReturn, PHARMACY, "O1", 2),
        told(DispenseReturn, CLINIC, "R1", 3),
        told(Dispense, PHARMACY, "D1", 4),
    ]);
    assert!(page.contains("no sale was found that it gives back"), "{page}");
    assert!(page.contains("it had left that institution's stock (#1)"), "{page}");
    assert!(page.contains("sold_after_stock_out"), "{page}");
}

#[test]
fn a_code_over_the_limits_is_a_short_page() {
    let many: Vec<Observation> =
        (0..=OBSERVATIONS_WALKED_MAX).map(|n| told(Settlement, PHARMACY, &format!("S{n:05}"), 3)).collect();
    let page = page(many);
    assert!(page.contains("and 1801 more"), "{page}");
    assert!(page.contains("kept, but not walked"), "{page}");
    assert!(page.contains("overused_code"), "{page}");
    assert!(page.lines().count() < 3 * LISTED_MAX);
}

#[test]
fn a_page_is_in_one_language_but_for_names() {
    let lent = told(Settlement, PHARMACY, "S2", 9)
        .with(|o| o.lent_from = Some(LentFrom { document_id: "D2".into(), line_id: "1".into() }));
    let mut observations = vec![
        told(PurchaseReturn, PHARMACY, "O1", 2),
        told(DispenseReturn, CLINIC, "R1", 3),
        told(Dispense, PHARMACY, "D1", 4).split(7).codes(2),
        told(Settlement, CLINIC, "S1", 5).with(|o| o.is_day = true),
        lent,
    ];
    order::sort(&mut observations);
    let state = CodeState { observations, ..CodeState::default() };
    let page = |language| {
        explain(&"81773220000000016835".into(), &state, &RuleSet::default(), Some(day(20)), language)
    };
    let (zh, en) = (page(Language::Chinese), page(Language::English));
    assert!(!en.chars().any(is_chinese), "{en}");
    assert!(en.contains("code of the hand-over D2/1") && zh.contains("码取自发药 D2/1"), "{zh}{en}");
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).chain(["ambroxol"]).collect();
    let words = zh.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).filter(|word| word.len() > 2);
    let foreign: Vec<&str> = words.filter(|word| !names.contains(word)).collect();
    assert_eq!(foreign, Vec::<&str>::new(), "{zh}");
    assert_eq!(zh.lines().count(), en.lines().count());
}
