//! Who gets which code, from the text of the rules.

use super::*;
use crate::domain::document::merge::Document;
use crate::domain::document::samples::{
    A, AMBROXOL, B, CARTON, INSTITUTION, LOT_CODE, Line, SERIAL_CODE, STRANGER, SYRUP, book, day, header,
    line, minute, set, version,
};
use crate::domain::reference::{Book, Key, Value};

const WINDOWS: Windows = Windows { by_settlement: Millis::from_days(180), by_visit: Millis::from_days(7) };

/// A document of the settlement `S` at that minute.
fn told(kind: Kind, minutes: i64, change: impl FnOnce(&mut Header), lines: &[Line]) -> Version {
    told_by(&book(), kind, minutes, change, lines)
}

fn told_by(
    book: &Book,
    kind: Kind,
    minutes: i64,
    change: impl FnOnce(&mut Header),
    lines: &[Line],
) -> Version {
    let mut header =
        Header { occurred_at: minute(minutes).into(), settlement_id: Some("S".into()), ..header(kind) };
    change(&mut header);
    version(book, true, minutes, Some(header), kind.group(), lines)
}

fn handed_over(lender: &str, minutes: i64, lines: &[Line]) -> Version {
    named(lender, told(Kind::Dispense, minutes, |_| {}, lines))
}

fn named(document_id: &str, mut version: Version) -> Version {
    version.key.document_id = document_id.into();
    version
}

fn offer_of(version: &Version) -> Option<Offer> {
    let mut document = Document::default();
    document.merge(version);
    Offer::of(&document.live(&version.key)?, WINDOWS)
}

/// What is lent to the settlement: line, code, and where it stands first.
fn lent(settlement: &Version, hand_overs: &[Version]) -> Vec<String> {
    let offers: Offers = hand_overs.iter().filter_map(offer_of).collect();
    let mut document = Document::default();
    document.merge(settlement);
    let Some(mut live) = document.live(&settlement.key) else { return vec!["nothing is live".to_owned()] };
    lend(&mut live, &offers, WINDOWS);
    let of_line = |line: &LiveLine<'_>| {
        let line_id = line.line_id.clone();
        let lent = line.lent().iter().map(move |lent| {
            format!("{line_id}: {} of {}/{}", lent.scanned.scan.text(), lent.lender, lent.line.line_id)
        });
        lent.collect::<Vec<_>>()
    };
    live.lines.iter().flat_map(of_line).collect()
}

fn settled(lines: &[Line]) -> Version {
    told(Kind::Settlement, 0, |_| {}, lines)
}

#[test]
fn a_line_borrows_until_it_is_covered() {
    let hand_over = [handed_over("D", 1, &[line("7", AMBROXOL, 3, &[A, B, STRANGER])])];
    let with = |line: Line| lent(&settled(&[line]), &hand_over);
    let (of_a, of_b) = (format!("1: {A} of D/7"), format!("1: {B} of D/7"));
    assert_eq!(with(line("1", AMBROXOL, 1, &[])), std::slice::from_ref(&of_a));
    assert_eq!(with(line("1", AMBROXOL, 2, &[])), [of_a.clone(), of_b.clone()]);
    assert_eq!(with(line("1", AMBROXOL, 2, &[]).without_codes()), [of_a.clone(), of_b.clone()]);
    assert_eq!(with(line("1", AMBROXOL, 2, &[A])), [of_b]);
    assert_eq!(with(line("1", AMBROXOL, 1, &[SERIAL_CODE])), Vec::<String>::new());
    assert_eq!(with(line("1", AMBROXOL, 9, &[LOT_CODE])), Vec::<String>::new());
    assert_eq!(with(line("1", SYRUP, 1, &[])), Vec::<String>::new());
    assert_eq!(with(line("1", AMBROXOL, 1, &[]).without_fee()), Vec::<String>::new());
    let unknown = line("1", AMBROXOL, 1, &[]).with_fee(|fee| fee.quantity = None);
    assert_eq!(with(unknown), [of_a]);
}

#[test]
fn a_code_covers_as_many_packs_or_units_as_it_stands_for() {
    let hand_over = |split: bool| {
        let line = line("1", SYRUP, 10, &[CARTON, "89400130000000000044"]);
        [handed_over("D", 1, &[if split { line.split() } else { line }])]
    };
    let count = |quantity, split| lent(&settled(&[line("1", SYRUP, quantity, &[])]), &hand_over(split)).len();
    assert_eq!((count(10, false), count(11, false)), (1, 2));
    // By the unit out of cartons of 480: the line is split because the lending one is.
    assert_eq!((count(480, true), count(481, true)), (1, 2));
    let unrecorded =
        [handed_over("D", 1, &[line("1", AMBROXOL, 1, &[STRANGER, "81999990000000000055"]).split()])];
    assert_eq!(lent(&settled(&[line("1", AMBROXOL, 50, &[])]), &unrecorded).len(), 1);
}

#[test]
fn the_nearest_lender_comes_first_then_the_order_of_its_names() {
    let claim = settled(&[line("1", AMBROXOL, 1, &[]), line("2", AMBROXOL, 1, &[])]);
    let with = |minutes: [i64; 2]| {
        let [first, second] = minutes;
        let codes = [handed_over("D1", first, &[line("1", AMBROXOL, 1, &[B])])];
        let others = [handed_over("D2", second, &[line("1", AMBROXOL, 1, &[A, B])])];
        lent(&claim, &[codes, others].concat())
    };
    let (of_a, of_b) = (format!("{A} of D2/1"), format!("{B} of D1/1"));
    assert_eq!(with([1, 2]), [format!("1: {of_b}"), format!("2: {of_a}")]);
    assert_eq!(with([-2, 2]), [format!("1: {of_b}"), format!("2: {of_a}")]);
    assert_eq!(with([3, 2]), [format!("1: {of_a}"), format!("2: {B} of D2/1")]);
}

#[test]
fn one_code_goes_to_one_line_and_the_first_product_has_the_choice() {
    let hand_over = [handed_over("D", 1, &[line("1", SYRUP, 1, &[A]), line("2", AMBROXOL, 1, &[A])])];
    let claim = settled(&[line("1", SYRUP, 1, &[]), line("2", AMBROXOL, 1, &[])]);
    assert_eq!(lent(&claim, &hand_over), [format!("2: {A} of D/2")]);
    let own = settled(&[line("1", SYRUP, 1, &[A]), line("2", AMBROXOL, 1, &[])]);
    assert_eq!(lent(&own, &hand_over), Vec::<String>::new());
}

#[test]
fn what_cannot_be_read_is_lent_to_lines_without_any_code() {
    let hand_over = [handed_over("D", 1, &[line("1", AMBROXOL, 3, &["spoilt", A, "worn off"])])];
    let lines = [line("1", AMBROXOL, 1, &[]), line("2", AMBROXOL, 1, &[]), line("3", AMBROXOL, 1, &["torn"])];
    assert_eq!(lent(&settled(&lines), &hand_over), [format!("1: {A} of D/1"), "2: spoilt of D/1".to_owned()]);
}

#[test]
fn numbers_and_windows_decide_who_lends() {
    let day = 24 * 60;
    let visit = |header: &mut Header| header.visit_id = Some("V".into());
    let visit_only = |header: &mut Header| {
        header.settlement_id = None;
        header.visit_id = Some("V".into());
    };
    let lines = || [line("1", AMBROXOL, 1, &[A])];
    let lends = |claim: fn(&mut Header), hand_over: fn(&mut Header), minutes: i64| {
        let claim = told(Kind::Settlement, 0, claim, &[line("1", AMBROXOL, 1, &[])]);
        !lent(&claim, &[told(Kind::Dispense, minutes, hand_over, &lines())]).is_empty()
    };
    assert!(lends(|_| {}, |_| {}, 180 * day) && !lends(|_| {}, |_| {}, 180 * day + 1));
    assert!(lends(visit_only, visit, 7 * day) && !lends(visit_only, visit, 7 * day + 1));
    assert!(lends(visit_only, visit_only, -7 * day) && !lends(visit, visit_only, 0));
    assert!(!lends(|_| {}, |header| header.settlement_id = Some("T".into()), 0));
    let given_back = told(Kind::DispenseReturn, 1, |_| {}, &lines());
    assert_eq!(offer_of(&given_back), None);
}

#[test]
fn who_writes_the_codes_itself_borrows_none_and_is_sent_none() {
    let with = |since: Option<Day>| {
        let mut book = book();
        let record = Institution { codes_in_settlement_since: since, ..Institution::default() };
        let key = Key::Institution { institution_id: INSTITUTION.into() };
        set(&mut book, key, Value::Institution(record), None, None);
        let lines = [line("1", AMBROXOL, 1, &[])];
        let claim = told_by(&book, Kind::Settlement, 0, |_| {}, &lines);
        let lines = [line("1", AMBROXOL, 1, &[A])];
        let hand_over = told_by(&book, Kind::Dispense, 1, |_| {}, &lines);
        (lent(&claim, std::slice::from_ref(&hand_over)).len(), offer_of(&hand_over).is_some())
    };
    assert_eq!(with(None), (1, true));
    assert_eq!(with(day(2026, 1, 6)), (1, true));
    assert_eq!(with(day(2026, 1, 5)), (0, true));
    assert_eq!(with(day(2025, 1, 5)), (0, false));
}

#[test]
fn a_hand_over_lends_what_its_adjustments_left() {
    let refund = line("2", AMBROXOL, 1, &[B]).with_fee(|fee| {
        fee.adjusts = Some(super::super::Adjusts::Line("1".into()));
    });
    let hand_over = [handed_over("D", 1, &[line("1", AMBROXOL, 1, &[A]), refund])];
    assert_eq!(lent(&settled(&[line("1", AMBROXOL, 1, &[])]), &hand_over), Vec::<String>::new());
}

#[test]
fn too_much_offered_holds_the_claims_that_would_borrow() {
    let over = Offers {
        overfull: [settlement_alias(&INSTITUTION.into(), "S").document_id].into(),
        ..Offers::default()
    };
    let is_held = |claim: Version| {
        let mut document = Document::default();
        document.merge(&claim);
        document.live(&claim.key).map(|mut live| {
            lend(&mut live, &over, WINDOWS);
            live.is_over_limit()
        })
    };
    assert_eq!(is_held(settled(&[line("1", AMBROXOL, 1, &[])])), Some(true));
    assert_eq!(is_held(settled(&[line("1", AMBROXOL, 1, &[A])])), Some(false));
    let other = |header: &mut Header| header.settlement_id = Some("T".into());
    assert_eq!(is_held(told(Kind::Settlement, 0, other, &[line("1", AMBROXOL, 1, &[])])), Some(false));
}

#[test]
fn ids_with_separators_join_to_different_aliases() {
    let institution = Text::from(INSTITUTION);
    assert_eq!(&*settlement_alias(&institution, "a/b%2F").document_id, "setl/a%2Fb%252F");
    assert_ne!(visit_alias(&institution, "a/b"), visit_alias(&institution, "a%2Fb"));
}

#[test]
fn the_newest_offer_of_a_lender_counts_and_lines_that_were_left_out_are_news() {
    let offer = |revision, lines: bool| {
        let whole = offer_of(&handed_over("D", 1, &[line("1", AMBROXOL, 1, &[A])]));
        whole.map(|whole| {
            let whole = Offer { revision, ..whole };
            Arc::new(if lines { whole } else { whole.without_lines() })
        })
    };
    let mut offers = Offers::default();
    let taken = [(2, true), (1, true), (2, true), (3, false), (3, true), (3, false), (4, false)];
    let taken = taken.map(|(revision, lines)| offer(revision, lines).map(|offer| offers.take(offer)));
    assert_eq!(taken, [true, false, false, true, true, false, true].map(Some));
}
