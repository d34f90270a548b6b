//! The edges that the text of the rules names for what the field made necessary: refunds that fit nothing, the day of the
//! duty, and what makes a claim made twice only doubtful. Every case is told in four orders, ends as the expectation says
//! that was taken from the text, and as the second implementation says.

use serde_json::{Value, json};
use tracewarden::run::local::LocalOptions;

use crate::support::local::{Ended, fed, options};
use oracle::World;

const PHARMACY: &str = "P37020300001";
const CLINIC: &str = "P44030500003";
const AMBROXOL: &str = "XR05CBA198A001010100863";
const SYRUP: &str = "ZA01AAF0024010203906";
/// Ambroxol, of which one code is one pack of 20.
const PACK: &str = "81773220000000016835";
const OTHER_PACK: &str = "81773220000000016842";
/// Syrup, of which one code is a carton of ten packs of 48.
const CARTON: &str = "89400130000000000033";

fn reference() -> Vec<Value> {
    vec![
        json!({"type": "product", "prefix": "8177322", "product_code": AMBROXOL, "packs_per_code": 1, "units_per_pack": 20}),
        json!({"type": "product", "prefix": "8940013", "product_code": SYRUP, "packs_per_code": 10, "units_per_pack": 48}),
    ]
}

/// A document at a moment or on a day, issued then, or at the end of that day.
fn document(
    kind: &str,
    institution_id: &str,
    document_id: &str,
    occurred_at: &str,
    lines: &[Value],
) -> Value {
    let issued_at = match occurred_at.split_once('T') {
        Some(_) => occurred_at.to_owned(),
        None => format!("{occurred_at}T23:59:59+08:00"),
    };
    json!({
        "document_id": document_id, "kind": kind, "institution_id": institution_id, "issued_at": issued_at,
        "occurred_at": occurred_at, "lines": lines,
    })
}

/// A line of so many packs at ten yuan of the fund each.
fn line(line_id: &str, product: &str, quantity: u32, codes: &[&str]) -> Value {
    json!({
        "line_id": line_id, "product_code": product, "quantity": quantity.to_string(),
        "amount": format!("{}.00", 10 * quantity), "fund_amount": format!("{}.00", 10 * quantity), "trace_codes": codes,
    })
}

/// A line that takes off so many packs.
fn refund(line_id: &str, product: &str, quantity: u32, adjusts: &str) -> Value {
    with(line(line_id, product, quantity, &[]), "adjusts", adjusts)
}

fn with(mut value: Value, field: &str, said: impl Into<Value>) -> Value {
    value[field] = said.into();
    value
}

fn without(mut value: Value, field: &str) -> Value {
    value.as_object_mut().expect("an object").remove(field);
    value
}

/// What the uploads end with, in their order, backwards, and with the first or the last of them put to the other end.
fn ended(uploads: &[Value]) -> Ended {
    let by = |uploads: Vec<Value>, options: &LocalOptions| {
        let world = World { reference: reference(), uploads, until: "2026-02-20T00:00:00+08:00".to_owned() };
        let ended = Ended::of(&mut fed(&world, options));
        let complaint = ended.complaint(&world.judged());
        assert!(
            complaint.is_empty(),
            "the second implementation disagrees: {complaint}\n{}",
            world.to_ndjson()
        );
        ended
    };
    let one = LocalOptions { batch_records_max: 1, partitions: 3, ..options("") };
    let mut turned = uploads.to_vec();
    turned.rotate_left(1);
    by(turned, &one);
    let mut turned = uploads.to_vec();
    turned.rotate_right(1);
    by(turned, &one);
    by(uploads.iter().rev().cloned().collect(), &one);
    by(uploads.to_vec(), &options(""))
}

/// The open alerts of a rule: subject and action.
fn alerts(uploads: &[Value], rule: &str) -> Vec<String> {
    let of_rule = |alert: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        (alert["rule"] == rule).then(|| {
            let subject = &alert["subject"];
            format!(
                "{}/{} {}",
                text(&subject["document_id"]),
                text(&subject["line_id"]),
                text(&alert["action"])
            )
        })
    };
    let mut found: Vec<String> = ended(uploads).open_alerts.iter().filter_map(of_rule).collect();
    found.sort_unstable();
    found
}

/// What stands of the claims: verdict and what may be paid.
fn decisions(uploads: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let said = |decision: &Value| {
        let [claim, verdict, payable] =
            [&decision["document_id"], &decision["verdict"], &decision["payable"]].map(text);
        format!("{claim} {verdict} {payable}")
    };
    ended(uploads).decisions.iter().map(said).collect()
}

mod refunds {
    use super::*;

    fn claim(lines: &[Value]) -> Vec<Value> {
        vec![document("settlement", PHARMACY, "S1", "2026-01-05T10:00:00+08:00", lines)]
    }

    fn unmatched(lines: &[Value]) -> Vec<String> {
        alerts(&claim(lines), "refund_unmatched")
    }

    const NOTHING: [&str; 0] = [];

    fn sold() -> Value {
        line("1", AMBROXOL, 2, &[PACK, OTHER_PACK])
    }

    #[test]
    fn one_that_takes_as_much_as_is_left_fits_and_one_that_takes_more_does_not() {
        for (quantity, expected) in [(1, &NOTHING[..]), (2, &NOTHING), (3, &["S1/2 alert"])] {
            assert_eq!(unmatched(&[sold(), refund("2", AMBROXOL, quantity, "1")]), expected, "{quantity}");
        }
        assert_eq!(decisions(&claim(&[sold(), refund("2", AMBROXOL, 1, "1")])), ["S1 pay 10.00"]);
        assert_eq!(decisions(&claim(&[sold(), refund("2", AMBROXOL, 3, "1")])), ["S1 pay 0.00"]);
    }

    #[test]
    fn what_an_earlier_refund_left_counts_in_line_order() {
        let twice = |first: &str, second: &str| {
            unmatched(&[sold(), refund(first, AMBROXOL, 2, "1"), refund(second, AMBROXOL, 1, "1")])
        };
        assert_eq!(twice("2", "3"), ["S1/3 alert"]);
        // By its line's identity as bytes, "10" acts before "9".
        assert_eq!(twice("9", "10"), ["S1/9 alert"]);
    }

    #[test]
    fn it_acts_on_no_refund_on_nothing_that_is_not_there_and_on_no_line_without_fee() {
        let back = |adjusts| refund("2", AMBROXOL, 1, adjusts);
        assert_eq!(unmatched(&[sold(), back("7")]), ["S1/2 alert"]);
        assert_eq!(unmatched(&[sold(), back("2")]), ["S1/2 alert"]);
        assert_eq!(unmatched(&[sold(), back("1"), refund("3", AMBROXOL, 1, "2")]), ["S1/3 alert"]);
        assert_eq!(decisions(&claim(&[sold(), back("7")])), ["S1 pay 20.00"], "nothing is taken off");
        let mut codes = document("settlement", PHARMACY, "S1", "2026-01-05T10:00:00+08:00", &[back("1")]);
        codes["partial"] = json!(true);
        let only_codes = json!({"line_id": "1", "trace_codes": [PACK]});
        codes["lines"].as_array_mut().expect("lines").push(only_codes);
        assert_eq!(alerts(&[codes], "refund_unmatched"), ["S1/2 alert"]);
    }

    #[test]
    fn of_a_product_all_lines_together_count() {
        let two = [line("1", AMBROXOL, 1, &[PACK]), line("2", AMBROXOL, 2, &[OTHER_PACK])];
        let with_refund =
            |product: &str, quantity| [&two[..], &[refund("3", product, quantity, "*")]].concat();
        assert_eq!(unmatched(&with_refund(AMBROXOL, 3)), NOTHING);
        assert_eq!(unmatched(&with_refund(AMBROXOL, 4)), ["S1/3 alert"]);
        assert_eq!(unmatched(&with_refund(SYRUP, 1)), ["S1/3 alert"]);
        let of_unknown = without(refund("3", AMBROXOL, 1, "*"), "product_code");
        assert_eq!(unmatched(&[&two[..], &[of_unknown]].concat()), ["S1/3 alert"]);
    }

    #[test]
    fn where_a_quantity_is_unknown_nobody_says_that_it_is_too_much() {
        let unknown = without(sold(), "quantity");
        assert_eq!(unmatched(&[unknown.clone(), refund("2", AMBROXOL, 9, "1")]), NOTHING);
        let of_money = without(refund("2", AMBROXOL, 9, "1"), "quantity");
        assert_eq!(unmatched(&[sold(), of_money.clone()]), NOTHING);
        assert_eq!(unmatched(&[sold(), with(of_money, "adjusts", "*")]), NOTHING);
        // A line of unknown quantity is none that the product could mean.
        assert_eq!(unmatched(&[unknown, refund("2", AMBROXOL, 1, "*")]), ["S1/2 alert"]);
    }

    #[test]
    fn it_is_a_matter_of_settlements_and_goes_when_its_line_comes_or_it_goes() {
        let handed_over = document(
            "dispense",
            PHARMACY,
            "D1",
            "2026-01-05T10:00:00+08:00",
            &[sold(), refund("2", AMBROXOL, 3, "1")],
        );
        assert_eq!(alerts(&[handed_over], "refund_unmatched"), NOTHING);
        let early = claim(&[refund("2", AMBROXOL, 1, "1")]);
        assert_eq!(alerts(&early, "refund_unmatched"), ["S1/2 alert"]);
        let mut later = document("settlement", PHARMACY, "S1", "2026-01-05T10:00:00+08:00", &[sold()]);
        later["partial"] = json!(true);
        later["issued_at"] = json!("2026-01-05T11:00:00+08:00");
        assert_eq!(alerts(&[early[0].clone(), later], "refund_unmatched"), NOTHING);
        let taken_back = json!({
            "document_id": "R1", "kind": "reversal", "institution_id": PHARMACY,
            "issued_at": "2026-01-05T11:00:00+08:00",
            "reverses": {"group": "settlement", "document_id": "S1", "line_id": "2"},
        });
        assert_eq!(alerts(&[early[0].clone(), taken_back], "refund_unmatched"), NOTHING);
    }
}

mod duty {
    use super::*;

    fn claim(occurred_at: &str, lines: &[Value]) -> Vec<Value> {
        vec![document("settlement", PHARMACY, "S1", occurred_at, lines)]
    }

    #[test]
    fn it_begins_with_its_day_in_beijing() {
        let bare = [line("1", AMBROXOL, 1, &[])];
        for (occurred_at, action, decision) in [
            ("2025-06-30T23:59:59.999+08:00", "alert", "S1 pay 10.00"),
            ("2025-07-01T00:00:00+08:00", "refuse", "S1 refuse 0.00"),
            ("2025-06-30T15:59:59Z", "alert", "S1 pay 10.00"),
            ("2025-06-30T16:00:00Z", "refuse", "S1 refuse 0.00"),
            ("2025-06-30", "alert", "S1 pay 10.00"),
            ("2025-07-01", "refuse", "S1 refuse 0.00"),
        ] {
            let uploads = claim(occurred_at, &bare);
            assert_eq!(alerts(&uploads, "no_code"), [format!("S1/1 {action}")], "{occurred_at}");
            assert_eq!(decisions(&uploads), [decision], "{occurred_at}");
        }
    }

    #[test]
    fn the_day_of_what_happened_counts_and_not_of_what_was_written() {
        let late = with(
            claim("2025-06-30T10:00:00+08:00", &[line("1", AMBROXOL, 1, &[])]).remove(0),
            "issued_at",
            "2025-07-03T10:00:00+08:00",
        );
        assert_eq!(alerts(&[late], "no_code"), ["S1/1 alert"]);
    }

    #[test]
    fn it_softens_what_speaks_of_missing_and_spoilt_codes_alone() {
        let lines = [
            line("1", AMBROXOL, 2, &[PACK]),
            line("2", AMBROXOL, 1, &["6901234567892"]),
            line("3", SYRUP, 1, &[OTHER_PACK]),
            line("4", AMBROXOL, 1, &[PACK]),
            without(line("5", AMBROXOL, 1, &[]), "product_code"),
        ];
        for (day, softened) in [("2025-06-30", true), ("2025-07-01", false)] {
            let uploads = claim(&format!("{day}T10:00:00+08:00"), &lines);
            let or = |hard: &str| if softened { "alert".to_owned() } else { hard.to_owned() };
            assert_eq!(
                alerts(&uploads, "short_codes"),
                [format!("S1/1 {}", or("hold")), format!("S1/2 {}", or("hold")),]
            );
            assert_eq!(alerts(&uploads, "invalid_code"), [format!("S1/2 {}", or("hold"))], "{day}");
            assert_eq!(alerts(&uploads, "no_code"), [format!("S1/5 {}", or("hold"))], "{day}");
            assert_eq!(alerts(&uploads, "swap"), ["S1/3 refuse"], "{day}");
            assert_eq!(alerts(&uploads, "repeated_in_document"), ["S1/4 hold"], "{day}");
        }
    }

    #[test]
    fn before_it_nothing_is_held_for_codes_that_may_still_come() {
        for (day, action) in [("2025-06-30", "alert"), ("2025-07-01", "refuse")] {
            let claim = &claim(&format!("{day}T10:00:00+08:00"), &[line("1", AMBROXOL, 1, &[])])[0];
            let numbered = with(claim.clone(), "settlement_id", "N1");
            assert_eq!(alerts(&[numbered], "no_code"), [format!("S1/1 {action}")], "{day}");
            let handed_over = with(claim.clone(), "kind", "dispense");
            assert_eq!(alerts(&[handed_over], "no_code"), ["S1/1 alert"], "a hand-over never had it");
        }
        // Of a claim of today the codes may still come until the grace is over; before the duty there is none.
        let waiting = |occurred_at: &str| {
            let claim = &claim(occurred_at, &[line("1", AMBROXOL, 1, &[])])[0];
            alerts(&[with(claim.clone(), "settlement_id", "N1")], "no_code")
        };
        assert_eq!(waiting("2026-02-18T00:00:00.001+08:00"), ["S1/1 hold"]);
        assert_eq!(waiting("2026-02-18T00:00:00+08:00"), ["S1/1 refuse"]);
    }
}

mod claimed_twice {
    use super::*;

    const RULE: &str = "duplicate_settlement";

    fn at(kind: &str, institution: &str, id: &str, when: &str) -> Value {
        document(kind, institution, id, when, &[line("1", AMBROXOL, 1, &[PACK])])
    }

    fn claim(institution: &str, id: &str, when: &str) -> Value {
        at("settlement", institution, id, when)
    }

    /// The same without a code; what is handed over under the number brings it.
    fn bare(institution: &str, id: &str, when: &str, number: &str) -> Value {
        let bare = document("settlement", institution, id, when, &[line("1", AMBROXOL, 1, &[])]);
        with(bare, "settlement_id", number)
    }

    fn handed_over(institution: &str, id: &str, when: &str, number: &str) -> Value {
        with(at("dispense", institution, id, when), "settlement_id", number)
    }

    const FIFTH: &str = "2026-01-05T10:00:00+08:00";
    const NINTH: &str = "2026-01-09T10:00:00+08:00";

    #[test]
    fn one_that_borrows_at_the_same_institution_is_only_held() {
        let lent = [handed_over(PHARMACY, "D2", NINTH, "N2"), bare(PHARMACY, "S2", NINTH, "N2")];
        let against = |first: Value| alerts(&[&[first][..], &lent].concat(), RULE);
        assert_eq!(against(claim(PHARMACY, "S1", FIFTH)), ["S2/1 hold"]);
        assert_eq!(against(claim(CLINIC, "S1", FIFTH)), ["S2/1 refuse"], "another institution");
        // The earlier one may be the one that borrows, and a code written beside the hand-over is not lent.
        let first = [handed_over(PHARMACY, "D1", FIFTH, "N1"), bare(PHARMACY, "S1", FIFTH, "N1")];
        let second = claim(PHARMACY, "S2", NINTH);
        assert_eq!(alerts(&[&first[..], std::slice::from_ref(&second)].concat(), RULE), ["S2/1 hold"]);
        let written = with(claim(PHARMACY, "S1", FIFTH), "settlement_id", "N1");
        assert_eq!(alerts(&[first[0].clone(), written, second], RULE), ["S2/1 refuse"]);
    }

    #[test]
    fn one_hand_over_borrowed_by_two_claims_holds_the_second() {
        let uploads = [
            handed_over(PHARMACY, "D1", FIFTH, "N1"),
            bare(PHARMACY, "S1", FIFTH, "N1"),
            bare(PHARMACY, "S2", "2026-01-05T10:30:00+08:00", "N1"),
        ];
        assert_eq!(alerts(&uploads, RULE), ["S2/1 hold"]);
    }

    #[test]
    fn a_day_hides_which_of_two_on_it_came_first() {
        let of_day = |second: Value| alerts(&[claim(PHARMACY, "S1", "2026-01-05"), second], RULE);
        // A claim of a day counts as of its last second, so it is the later of two on that day.
        assert_eq!(of_day(claim(CLINIC, "S2", "2026-01-05T09:00:00+08:00")), ["S1/1 hold"]);
        assert_eq!(of_day(claim(CLINIC, "S2", "2026-01-05")), ["S2/1 hold"]);
        assert_eq!(of_day(claim(CLINIC, "S2", "2026-01-06T00:00:00+08:00")), ["S2/1 refuse"]);
        assert_eq!(of_day(claim(CLINIC, "S2", "2026-01-04T23:59:59+08:00")), ["S1/1 refuse"]);
        let exact = [claim(PHARMACY, "S1", FIFTH), claim(CLINIC, "S2", "2026-01-05T09:00:00+08:00")];
        assert_eq!(alerts(&exact, RULE), ["S1/1 refuse"], "the same day, but both hours are known");
    }

    #[test]
    fn the_day_of_a_hand_over_or_of_a_return_of_either_side_counts_too() {
        let settled = with(claim(PHARMACY, "S1", FIFTH), "settlement_id", "N1");
        let handed = |when| handed_over(PHARMACY, "D1", when, "N1");
        let second = claim(CLINIC, "S2", NINTH);
        for (when, action) in [("2026-01-09", "hold"), ("2026-01-08", "refuse")] {
            let uploads = [settled.clone(), handed(when), second.clone()];
            assert_eq!(alerts(&uploads, RULE), [format!("S2/1 {action}")], "handed over on {when}");
        }
        // Six of ten packs, one given back on a day, and six more.
        let part = |kind, institution, id, when, packs| {
            document(kind, institution, id, when, &[line("1", SYRUP, packs, &[CARTON])])
        };
        let first = part("settlement", PHARMACY, "S1", FIFTH, 6);
        let second = part("settlement", CLINIC, "S2", NINTH, 6);
        for (when, action) in [("2026-01-09", "hold"), ("2026-01-08", "refuse")] {
            let back = part("dispense_return", PHARMACY, "R1", when, 1);
            let uploads =
                [first.clone(), with(back, "returns", json!({"document_id": "S1"})), second.clone()];
            assert_eq!(alerts(&uploads, RULE), [format!("S2/1 {action}")], "given back on {when}");
        }
    }

    #[test]
    fn custody_of_the_later_side_alone_holds_it_by_what_was_there_at_each_sale() {
        let claims = [claim(PHARMACY, "S1", FIFTH), claim(CLINIC, "S2", NINTH)];
        let stocked = |stock: &[Value]| alerts(&[&claims[..], stock].concat(), RULE);
        let bought = |institution, kind, when| at(kind, institution, &format!("B{institution}"), when);
        let first = "2026-01-01T10:00:00+08:00";
        assert_eq!(stocked(&[bought(CLINIC, "purchase_in", first)]), ["S2/1 hold"]);
        assert_eq!(stocked(&[bought(CLINIC, "transfer_in", first)]), ["S2/1 hold"]);
        assert_eq!(stocked(&[bought(CLINIC, "gift_in", first)]), ["S2/1 refuse"], "a gift is no custody");
        assert_eq!(stocked(&[bought(CLINIC, "purchase_in", "2026-01-10T10:00:00+08:00")]), ["S2/1 refuse"]);
        let both =
            |when| stocked(&[bought(CLINIC, "purchase_in", first), bought(PHARMACY, "purchase_in", when)]);
        assert_eq!(both(first), ["S2/1 refuse"]);
        assert_eq!(
            both("2026-01-06T10:00:00+08:00"),
            ["S2/1 hold"],
            "the earlier side bought after its sale"
        );
    }
}
