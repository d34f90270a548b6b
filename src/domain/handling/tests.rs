//! Rulings and payments in every order, and while a ruling that pays holds.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::domain::document::Group;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_millis(minute * 60_000)
}

fn handling(issued_at: i64, act: Act) -> Handling {
    let claim = DocumentKey {
        institution_id: "P37020300001".into(),
        group: Group::Settlement,
        document_id: "S1".into(),
    };
    let origin = Origin { topic: "handling".into(), partition: 0, offset: 0, received_at: at(issued_at) };
    Handling { claim, issued_at: at(issued_at), act, origin }
}

fn ruling(issued_at: i64, line_id: Option<&str>, verdict: Option<Verdict>, rules: &[&str]) -> Handling {
    let ruling = Ruling {
        verdict,
        rules: rules.iter().map(|rule| Text::from(*rule)).collect(),
        ruled_by: "bureau".into(),
        basis: "file 7".into(),
    };
    handling(issued_at, Act::Ruling { line_id: line_id.map(Text::from), ruling })
}

fn payment(issued_at: i64, payment_id: &str, fen: i64, recovered: bool, withdrawn: bool) -> Handling {
    let amount = Money::from_fen(fen);
    let payment = Payment { amount, paid_on: Day::from_days_since_epoch(20_000), recovered, withdrawn };
    handling(issued_at, Act::Payment { payment_id: payment_id.into(), payment })
}

fn filed<'a>(acts: impl IntoIterator<Item = &'a Handling>) -> Book {
    let mut book = Book::default();
    for act in acts {
        book.file(act);
    }
    book
}

#[test]
fn paid_is_what_went_out_less_what_came_back_of_the_payments_that_stand() {
    let sum =
        |acts: &[Handling]| filed(acts).paid().map(|paid| (paid.paid.fen(), paid.recovered.map(Money::fen)));
    assert_eq!(sum(&[]), None);
    assert_eq!(sum(&[payment(1, "a", 300, false, false)]), Some((300, None)));
    assert_eq!(
        sum(&[payment(1, "a", 300, false, false), payment(2, "b", 100, true, false)]),
        Some((200, Some(100)))
    );
    assert_eq!(sum(&[payment(1, "a", 300, true, false)]), Some((-300, Some(300))));
    assert_eq!(
        sum(&[payment(1, "a", 300, false, false), payment(2, "a", 300, false, true)]),
        None,
        "withdrawn"
    );
    assert_eq!(
        sum(&[payment(2, "a", 200, false, false), payment(1, "a", 300, false, false)]),
        Some((200, None))
    );
}

#[test]
fn only_rules_of_the_specification_may_be_ruled() {
    for rule in ["no_code", "duplicate_settlement", "overused_code", "overused_party", "growth"] {
        assert!(may_be_ruled(rule), "{rule}");
    }
    for rule in ["", "over_limit", "ruling", "No_code", "made_up"] {
        assert!(!may_be_ruled(rule), "{rule}");
    }
}

#[test]
fn a_full_book_takes_news_of_what_it_keeps_and_nothing_else() {
    let mut book = Book::default();
    for number in 0..PAYMENTS_MAX {
        assert_eq!(book.file(&payment(1, &number.to_string(), 100, false, false)), Filed::Counts);
    }
    assert_eq!(book.file(&payment(1, "one more", 100, false, false)), Filed::NoRoom);
    assert_eq!(book.file(&payment(2, "7", 50, false, false)), Filed::Counts);
    for number in 0..LINE_RULINGS_MAX {
        let line_id = number.to_string();
        assert_eq!(book.file(&ruling(1, Some(&line_id), Some(Verdict::Hold), &[])), Filed::Counts);
    }
    assert_eq!(book.file(&ruling(1, Some("one more"), Some(Verdict::Hold), &[])), Filed::NoRoom);
    assert_eq!(book.file(&ruling(1, None, Some(Verdict::Hold), &[])), Filed::Counts, "that of the claim");
    assert_eq!(book.file(&ruling(1, None, Some(Verdict::Hold), &[])), Filed::Known);
    assert_eq!(book.file(&ruling(0, None, None, &[])), Filed::Older);
}

fn acts() -> impl Strategy<Value = Vec<Handling>> {
    let verdict =
        prop::sample::select(vec![None, Some(Verdict::Pay), Some(Verdict::Hold), Some(Verdict::Refuse)]);
    let line_id = prop::sample::select(vec![None, Some("1"), Some("2")]);
    let rules = prop::sample::select(vec![&["no_code"][..], &["resale"], &["no_code", "resale"]]);
    let rulings = (0..4_i64, line_id, verdict, rules)
        .prop_map(|(at, line, verdict, rules)| ruling(at, line, verdict, rules));
    let payments = (0..4_i64, prop::sample::select(vec!["a", "b"]), 0..3_i64, any::<(bool, bool)>())
        .prop_map(|(at, id, fen, (recovered, withdrawn))| payment(at, id, fen, recovered, withdrawn));
    prop::collection::vec(prop_oneof![rulings, payments], 0..12)
}

proptest! {
    #[test]
    fn what_counts_depends_on_no_order_and_no_repetition(acts in acts(), seed in any::<u64>()) {
        let mut shuffled: Vec<&Handling> = acts.iter().chain(&acts).collect();
        let mut seed = seed;
        for at in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(filed(shuffled), filed(&acts));
    }
}
