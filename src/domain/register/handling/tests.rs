//! Rulings and payments before, between and after the versions of their claim.

use proptest::prelude::*;

use super::*;
use crate::domain::Text;
use crate::domain::amount::Money;
use crate::domain::claim::{ClaimLine, Verdict};
use crate::domain::document::samples::*;
use crate::domain::document::{Group, Kind, Parts};
use crate::domain::handling::{Paid, Payment, Ruling};
use crate::domain::register::apply;
use crate::domain::time::{Day, Timestamp};

const MOMENT: Moment =
    Moment { now: None, wall: None, forgotten_before: None, detected_at: Timestamp::from_unix_millis(0) };

fn handling(minutes: i64, act: Act) -> Upload {
    let (claim, issued_at, origin) = (key(Group::Settlement), minute(minutes), origin());
    Upload::Handling(Box::new(Handling { claim, issued_at, act, origin }))
}

fn ruling(minutes: i64, line_id: Option<&str>, verdict: Option<Verdict>) -> Upload {
    let rules = [Text::from("short_codes"), Text::from("no_code")].into();
    let ruling = Ruling { verdict, rules, ruled_by: "bureau".into(), basis: "file 7".into() };
    handling(minutes, Act::Ruling { line_id: line_id.map(Text::from), ruling })
}

fn payment(minutes: i64, payment_id: &str, fen: i64) -> Upload {
    let (amount, paid_on) = (Money::from_fen(fen), Day::from_days_since_epoch(20_000));
    let payment = Payment { amount, paid_on, recovered: false, withdrawn: false };
    handling(minutes, Act::Payment { payment_id: payment_id.into(), payment })
}

/// A claim of two lines, the first with too few codes and the second with none.
fn settlement(minutes: i64) -> Upload {
    full(Kind::Settlement, minutes, &[line("1", AMBROXOL, 2, &[A]), line("2", AMBROXOL, 1, &[])]).into()
}

/// What is known behind the register of one claim.
#[derive(Debug, Default, PartialEq)]
struct Known {
    lines: Vec<ClaimLine>,
    paid: Option<Paid>,
}

fn told(uploads: &[Upload]) -> Known {
    let (mut state, mut known) = (DocumentState::default(), Known::default());
    for upload in uploads {
        let effects = apply(&mut state, upload, &MOMENT, &RuleSet::default());
        if let Some(claim) = effects.claim {
            // Revisions tell the order of arrival.
            let unnumbered = |line: ClaimLine| ClaimLine {
                awaits: line.awaits.into_keys().map(|code| (code, 0)).collect(),
                ..line
            };
            known.lines = claim.lines.into_iter().map(unnumbered).collect();
        }
        if let Some(paid) = effects.paid {
            known.paid = paid.paid;
        }
    }
    known
}

/// The verdict of the ruling that acts on each line.
fn ruled(uploads: &[Upload]) -> Vec<Option<Verdict>> {
    told(uploads).lines.into_iter().map(|line| line.ruling.map(|ruling| ruling.verdict)).collect()
}

#[test]
fn a_ruling_that_pays_holds_until_the_claim_is_changed_or_repeated() {
    let pay = Some(Verdict::Pay);
    assert_eq!(ruled(&[settlement(1), ruling(2, None, pay)]), [pay, pay]);
    assert_eq!(ruled(&[ruling(2, None, pay), settlement(2)]), [pay, pay], "issued no later");
    assert_eq!(ruled(&[settlement(1), ruling(2, None, pay), settlement(3)]), [None, None], "repeated");
    let one = partial(3, &[line("1", AMBROXOL, 3, &[A]).without_codes()]).into();
    assert_eq!(ruled(&[settlement(1), ruling(2, None, pay), one]), [None, pay], "one line is changed");
}

#[test]
fn what_is_said_of_a_line_counts_before_what_is_said_of_the_claim() {
    let (pay, refuse) = (Some(Verdict::Pay), Some(Verdict::Refuse));
    let line_then_claim = [settlement(1), ruling(2, Some("2"), refuse), ruling(3, None, pay)];
    assert_eq!(ruled(&line_then_claim), [pay, refuse]);
    let outdated = [ruling(2, Some("1"), pay), ruling(2, None, refuse), settlement(3)];
    assert_eq!(ruled(&outdated), [None, refuse], "also where that of the line does not hold");
    let withdrawn =
        [settlement(1), ruling(2, Some("1"), refuse), ruling(3, None, pay), ruling(4, Some("1"), None)];
    assert_eq!(ruled(&withdrawn), [pay, pay]);
}

#[test]
fn a_payment_without_claim_is_taken_and_counted() {
    let mut state = DocumentState::default();
    let effects = apply(&mut state, &payment(1, "a", 500), &MOMENT, &RuleSet::default());
    assert_eq!(
        (effects.outcome, effects.paid_unclaimed),
        (UploadOutcome::Accepted, Some(Money::from_fen(500)))
    );
    apply(&mut state, &settlement(2), &MOMENT, &RuleSet::default());
    let effects = apply(&mut state, &payment(3, "b", 700), &MOMENT, &RuleSet::default());
    assert_eq!(effects.paid_unclaimed, None);
    assert_eq!(effects.paid.and_then(|paid| paid.paid).map(|paid| paid.paid), Some(Money::from_fen(1200)));
}

fn any_upload() -> impl Strategy<Value = Upload> {
    let verdict =
        prop::sample::select(vec![None, Some(Verdict::Pay), Some(Verdict::Hold), Some(Verdict::Refuse)]);
    let line_id = prop::sample::select(vec![None, Some("1"), Some("2")]);
    let minutes = 0..6_i64;
    prop_oneof![
        minutes.clone().prop_map(settlement),
        minutes.clone().prop_map(|at| partial(at, &[line("2", AMBROXOL, 1, &[B])]).into()),
        minutes.clone().prop_map(|at| reversal(at, None, Parts::ALL).into()),
        (minutes.clone(), line_id, verdict).prop_map(|(at, line_id, verdict)| ruling(at, line_id, verdict)),
        (minutes, prop::sample::select(vec!["a", "b"]), 1..4_i64)
            .prop_map(|(at, id, fen)| payment(at, id, fen)),
    ]
}

proptest! {
    /// Whatever comes first, and what comes twice, the claim is told with the same rulings and payments in the end.
    #[test]
    fn the_order_of_rulings_and_versions_leaves_no_trace(
        (sent, arrived) in prop::collection::vec(any_upload(), 1..9)
            .prop_flat_map(|sent| (Just(sent.clone()), Just([sent.clone(), sent].concat()).prop_shuffle()))
    ) {
        prop_assert_eq!(told(&arrived), told(&sent));
    }
}
