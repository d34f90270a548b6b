//! What one upload publishes, and that the order of uploads leaves no trace in it.

use proptest::prelude::*;

use super::*;
use crate::domain::alert::{FINDINGS_KEPT_MAX, Published, Status};
use crate::domain::amount::Money;
use crate::domain::claim::ClaimLine;
use crate::domain::document::live::LINES_MAX;
use crate::domain::document::merge::{ReversalStamp, Reversed};
use crate::domain::document::room::PARTS_KEPT_MAX;
use crate::domain::document::samples::*;
use crate::domain::document::{Group, Header, Kind, LineVersion, Parts};
use crate::domain::observation::{Observation, What};
use crate::domain::reference::{Key, Product, Value};

const MOMENT: Moment =
    Moment { now: None, wall: None, forgotten_before: None, detected_at: Timestamp::from_unix_millis(0) };

fn step(state: &mut DocumentState, upload: impl Into<Upload>) -> RegisterEffects {
    apply(state, &upload.into(), &MOMENT, &RuleSet::default())
}

/// Of one code: (line, revision) of each observation asserted, and the lines retracted.
type Changed<'a> = (&'a str, Vec<(&'a str, u64)>, Vec<&'a str>, What);

fn changes(effects: &RegisterEffects) -> Vec<Changed<'_>> {
    effects
        .changes
        .iter()
        .map(|change| {
            let asserted = change.asserted.iter().map(|o| (&*o.key.line_id, o.revision)).collect();
            let retracted = change.retracted.iter().map(AsRef::as_ref).collect();
            (&*change.code, asserted, retracted, change.what)
        })
        .collect()
}

fn alerts(effects: &RegisterEffects) -> Vec<(&'static str, &str, Status, u32, What)> {
    let brief = effects.alerts.iter().map(|alert| {
        let line_id = &*alert.finding.subject.key.line_id;
        (alert.finding.rule.name(), line_id, alert.status, alert.revision, alert.cause.what)
    });
    brief.collect()
}

#[test]
fn a_settlement_publishes_its_observations_and_its_claim() {
    let mut state = DocumentState::default();
    let lines = [line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 2, &[B, A]), line("3", AMBROXOL, 1, &[])];
    let effects = step(&mut state, full(Kind::Settlement, 1, &lines));
    assert_eq!(effects.outcome, UploadOutcome::Accepted);
    assert_eq!(
        changes(&effects),
        [(A, vec![("1", 1)], vec![], What::Asserted), (B, vec![("2", 1)], vec![], What::Asserted)]
    );
    assert_eq!(
        alerts(&effects),
        [
            ("no_code", "3", Status::Raised, 1, What::Asserted),
            ("repeated_in_document", "2", Status::Raised, 1, What::Asserted),
        ]
    );
    let lines: Vec<_> = effects
        .claim
        .iter()
        .flat_map(|claim| &claim.lines)
        .map(|line| {
            let reasons: Vec<_> =
                line.reasons.iter().map(|(rule, verdict)| (rule.name(), *verdict)).collect();
            let awaits: Vec<_> = line.awaits.iter().map(|(code, revision)| (&**code, *revision)).collect();
            (&*line.line_id, line.amount.fen(), reasons, awaits)
        })
        .collect();
    // Line 2 carries A as well, but only line 1 has the observation: it awaits nothing for A.
    assert_eq!(
        lines,
        [
            ("1", 234, vec![], vec![(A, 1)]),
            ("2", 233, vec![("repeated_in_document", Verdict::Hold)], vec![(B, 1)]),
            ("3", 233, vec![("no_code", Verdict::Refuse)], vec![]),
        ]
    );
}

#[test]
fn an_upload_that_says_nothing_new_publishes_nothing() {
    let mut state = DocumentState::default();
    let upload = full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A])]);
    step(&mut state, upload.clone());
    let known = state.clone();
    let again = step(&mut state, upload);
    assert_eq!((again.outcome, again.changed), (UploadOutcome::Duplicate, false));
    assert!(again.alerts.is_empty() && again.changes.is_empty() && again.claim.is_none());
    assert_eq!(state, known);
}

#[test]
fn what_did_not_change_keeps_its_revision() {
    let mut state = DocumentState::default();
    let fund = |line: Line, fen| line.with_fee(|fee| fee.fund_amount = Some(Money::from_fen(fen)));
    let one = fund(line("1", AMBROXOL, 1, &[A]), 100);
    let two = fund(line("2", AMBROXOL, 1, &[B]), 200);
    step(&mut state, full(Kind::Settlement, 1, &[one.clone(), two.clone()]));
    // The codes facet of line 2 is issued again, later: its observation becomes known later. A keeps revision 1.
    let effects = step(&mut state, partial(2, &[two.clone().without_fee()]));
    assert_eq!(changes(&effects), [(B, vec![("2", 2)], vec![], What::Asserted)]);
    let awaits: Vec<_> =
        effects.claim.iter().flat_map(|claim| &claim.lines).map(|l| l.awaits.clone()).collect();
    assert_eq!(awaits, [BTreeMap::from([(A.into(), 1)]), BTreeMap::from([(B.into(), 2)])]);
    // The same fee facet issued later says the same: nothing to publish, although the state changed.
    let effects = step(&mut state, partial(3, &[two.without_codes()]));
    assert_eq!((effects.outcome, effects.changed), (UploadOutcome::Accepted, true));
    assert!(effects.changes.is_empty() && effects.claim.is_none());
    assert_eq!(state.revision, 2);
    // A code that moves from one line to another is retracted and asserted in one change.
    let moved = partial(4, &[line("1", "", 1, &[]).without_fee(), line("3", AMBROXOL, 1, &[A])]);
    assert_eq!(changes(&step(&mut state, moved)), [(A, vec![("3", 3)], vec!["1"], What::Asserted)]);
}

#[test]
fn a_reversal_takes_back_all_that_was_published_once() {
    let mut state = DocumentState::default();
    step(&mut state, full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A]), line("2", AMBROXOL, 1, &[])]));
    let effects = step(&mut state, reversal(1, None, Parts::ALL));
    assert_eq!(changes(&effects), [(A, vec![], vec!["1"], What::Retracted)]);
    assert_eq!(alerts(&effects), [("no_code", "2", Status::Withdrawn, 2, What::Retracted)]);
    let claim =
        effects.claim.map(|claim| (claim.withdrawn, claim.lines.len(), claim.occurred_at, claim.revision));
    assert_eq!(claim, Some((true, 0, minute(0), 2)));
    let later = step(&mut state, reversal(2, None, Parts::ALL));
    assert!(later.changed && later.claim.is_none() && later.alerts.is_empty());
    let again = step(&mut state, full(Kind::Settlement, 3, &[line("2", AMBROXOL, 1, &[])]));
    assert_eq!(alerts(&again), [("no_code", "2", Status::Raised, 3, What::Asserted)]);
    assert_eq!(again.claim.map(|claim| (claim.withdrawn, claim.revision)), Some((false, 3)));
}

#[test]
fn a_reversal_that_comes_first_leaves_nothing_to_publish() {
    let mut state = DocumentState::default();
    let first = step(&mut state, reversal(1, None, Parts::ALL));
    assert_eq!((first.outcome, first.changed), (UploadOutcome::Accepted, true));
    let effects = step(&mut state, full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[])]));
    assert!(effects.alerts.is_empty() && effects.changes.is_empty() && effects.claim.is_none());
    assert_eq!(state.revision, 0);
}

#[test]
fn fees_alone_are_no_claim_until_a_header_comes() {
    let mut state = DocumentState::default();
    let fees = partial(1, &[line("1", AMBROXOL, 1, &[]).without_codes()]);
    assert!(step(&mut state, fees).claim.is_none());
    let header = version(&book(), false, 2, Some(header(Kind::Settlement)), Group::Settlement, &[]);
    let effects = step(&mut state, header);
    assert_eq!(alerts(&effects), [("no_code", "1", Status::Raised, 1, What::Asserted)]);
    assert_eq!(effects.claim.map(|claim| claim.lines.len()), Some(1));
    let codes = partial(3, &[line("1", "", 1, &[A]).without_fee()]);
    let effects = step(&mut state, codes);
    assert_eq!(alerts(&effects), [("no_code", "1", Status::Withdrawn, 2, What::Asserted)]);
    assert_eq!(changes(&effects), [(A, vec![("1", 2)], vec![], What::Asserted)]);
}

#[test]
fn newer_reference_for_the_same_content_is_judged_again() {
    let mut state = DocumentState::default();
    let lines = [line("1", AMBROXOL, 1, &[A])];
    step(&mut state, full(Kind::Settlement, 1, &lines));
    let mut newer = book();
    let syrup =
        Product { product_code: Some(SYRUP.into()), name: None, packs_per_code: 1, units_per_pack: None };
    set(&mut newer, Key::Product { prefix: "8177322".into() }, Value::Product(syrup), None, None);
    let upload = version(&newer, true, 1, Some(header(Kind::Settlement)), Group::Settlement, &lines);
    let effects = step(&mut state, upload);
    assert_eq!(effects.outcome, UploadOutcome::Duplicate);
    assert_eq!(alerts(&effects), [("swap", "1", Status::Raised, 1, What::Reference)]);
    assert_eq!(changes(&effects), [(A, vec![("1", 2)], vec![], What::Reference)]);
    assert!(effects.claim.is_some());
}

#[test]
fn metrics_count_an_observed_finding_once() {
    let mut state = DocumentState::default();
    let one = line("1", AMBROXOL, 1, &[STRANGER]);
    let effects = step(&mut state, full(Kind::Dispense, 1, std::slice::from_ref(&one)));
    assert_eq!(effects.observed, [RuleId::UnknownProduct]);
    assert!(effects.alerts.is_empty() && effects.claim.is_none());
    let effects = step(&mut state, full(Kind::Dispense, 2, &[one, line("2", AMBROXOL, 1, &[A])]));
    assert_eq!(effects.observed, []);
}

#[test]
fn a_claim_over_the_limits_is_held_whole_even_without_the_rule() {
    let mut state = DocumentState::default();
    let mut upload = full(Kind::Settlement, 1, &[line("x", AMBROXOL, 1, &[A])]);
    let template = upload.lines.clone();
    upload.lines = (0..=LINES_MAX)
        .zip(template.iter().cycle())
        .map(|(number, line)| LineVersion { line_id: format!("{number:05}").into(), ..line.clone() })
        .collect();
    let mut rules = RuleSet::default();
    for setting in &mut rules.defaults {
        setting.enabled = false;
    }
    let effects = apply(&mut state, &upload.into(), &MOMENT, &rules);
    assert!(effects.changes.is_empty() && effects.alerts.is_empty());
    let lines = effects.claim.map(|claim| claim.lines).unwrap_or_default();
    assert_eq!(lines.len(), LINES_MAX);
    let held = BTreeMap::from([(RuleId::OverLimit, Verdict::Hold)]);
    assert!(lines.iter().all(|line| line.reasons == held && line.awaits.is_empty()));
}

/// What a reader of everything published knows in the end.
#[derive(Debug, Default, PartialEq)]
struct Known {
    alerts: BTreeMap<String, String>,
    observations: BTreeMap<Spot, Observation>,
    claim: Option<(Timestamp, Vec<ClaimLine>)>,
}

fn without_revision(mut observation: Observation) -> Observation {
    observation.revision = 0;
    observation.reference_version = 0;
    observation
}

/// Applies all, checking on the way that revisions are gapless and that the claim awaits what was asserted.
fn read_all(uploads: &[Upload]) -> Result<Known, TestCaseError> {
    let (mut state, mut known) = (DocumentState::default(), Known::default());
    let mut asserted: BTreeMap<Spot, u64> = BTreeMap::new();
    let mut alert_revisions: BTreeMap<String, u32> = BTreeMap::new();
    for upload in uploads {
        let before = state.revision;
        let effects = apply(&mut state, upload, &MOMENT, &RuleSet::default());
        let publishes = !effects.alerts.is_empty() || !effects.changes.is_empty() || effects.claim.is_some();
        prop_assert_eq!(state.revision, before + u64::from(publishes));
        for change in effects.changes {
            for line_id in change.retracted {
                let spot = (line_id, change.code.clone());
                asserted.remove(&spot);
                prop_assert!(known.observations.remove(&spot).is_some());
            }
            for observation in change.asserted {
                let spot = (observation.key.line_id.clone(), change.code.clone());
                prop_assert_eq!(observation.revision, state.revision);
                asserted.insert(spot.clone(), observation.revision);
                let new = without_revision(observation);
                let old = known.observations.insert(spot, new.clone());
                prop_assert!(old != Some(new));
            }
        }
        for alert in effects.alerts {
            let id = format!("{:?}", alert.finding.key());
            let revision = alert_revisions.entry(id.clone()).or_default();
            prop_assert_eq!(alert.revision, *revision + 1);
            *revision = alert.revision;
            match alert.status {
                Status::Withdrawn => prop_assert!(known.alerts.remove(&id).is_some()),
                Status::Raised | Status::Amended => {
                    let said = format!("{:?}", alert.finding);
                    let before = known.alerts.insert(id, said.clone());
                    prop_assert_eq!(before.is_some(), alert.status == Status::Amended);
                    prop_assert!(before != Some(said));
                }
            }
        }
        if let Some(claim) = effects.claim {
            prop_assert_eq!(claim.revision, state.revision);
            prop_assert!(!claim.withdrawn || known.claim.is_some());
            known.claim = (!claim.withdrawn).then_some((claim.occurred_at, claim.lines));
        }
        prop_assert_eq!(&asserted, &state.asserted);
        let awaited: BTreeMap<Spot, u64> = known
            .claim
            .iter()
            .flat_map(|(_, lines)| lines)
            .flat_map(|line| {
                line.awaits.iter().map(|(code, rev)| ((line.line_id.clone(), code.clone()), *rev))
            })
            .collect();
        prop_assert_eq!(awaited, asserted.clone());
    }
    if let Some((_, lines)) = &mut known.claim {
        for revision in lines.iter_mut().flat_map(|line| line.awaits.values_mut()) {
            *revision = 0;
        }
    }
    Ok(known)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_uploads_does_not_show_in_the_end((uploads, shuffled) in shuffled_uploads()) {
        prop_assert_eq!(read_all(&uploads)?, read_all(&shuffled)?);
    }

    #[test]
    fn a_reversal_of_all_leaves_nothing((_, mut uploads) in shuffled_uploads()) {
        uploads.push(reversal(9, None, Parts::ALL).into());
        prop_assert_eq!(read_all(&uploads)?, Known::default());
    }
}

#[test]
fn a_header_that_moves_the_day_changes_every_observation() {
    let mut state = DocumentState::default();
    step(&mut state, full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A])]));
    let moved = Header { occurred_at: minute(5).into(), ..header(Kind::Settlement) };
    let effects = step(&mut state, version(&book(), false, 2, Some(moved), Group::Settlement, &[]));
    assert_eq!(changes(&effects), [(A, vec![("1", 2)], vec![], What::Asserted)]);
    assert_eq!(effects.claim.map(|claim| claim.occurred_at), Some(minute(5)));
}

/// A settlement with one line and codes, line 1, and as many reversed lines as make it full.
fn full_document() -> DocumentState {
    let mut state = DocumentState::default();
    step(&mut state, full(Kind::Settlement, 1, &[line("1", AMBROXOL, 1, &[A])]));
    let fee = Some(ReversalStamp { issued_at: minute(1), origin: origin() });
    let reversed = Reversed { fee, ..Reversed::default() };
    let lines = (3..=PARTS_KEPT_MAX).map(|number| (format!("{number:06}").into(), reversed.clone()));
    state.parts.reversed_lines = lines.collect();
    state
}

#[test]
fn a_full_document_takes_all_that_does_not_add_to_it_and_refuses_the_rest_untouched() {
    let one = |quantity, codes| line("1", AMBROXOL, quantity, codes);
    let refused = Some(Refusal::Parts);
    let cases: Vec<(&str, Upload, Option<Refusal>)> = vec![
        ("a line more", partial(2, &[line("2", AMBROXOL, 1, &[B])]).into(), refused),
        ("a code more", partial(2, &[one(1, &[A, B])]).into(), refused),
        ("a reversed line more", reversal(2, Some("2"), Parts::ALL).into(), refused),
        ("another code", partial(2, &[one(1, &[B])]).into(), None),
        ("the same line again", full(Kind::Settlement, 1, &[one(1, &[A])]).into(), None),
        ("another header", full(Kind::Settlement, 1, &[]).into(), None),
        ("the reversal of its line", reversal(2, Some("1"), Parts::ALL).into(), None),
        ("the reversal of a reversed line", reversal(2, Some("000007"), Parts::ALL).into(), None),
        ("the reversal of the whole", reversal(2, None, Parts::FEE).into(), None),
        (
            "a newer full upload",
            full(Kind::Settlement, 2, &[one(1, &[A]), line("2", AMBROXOL, 1, &[B])]).into(),
            None,
        ),
    ];
    for (what, upload, refused) in cases {
        let mut state = full_document();
        let known = state.clone();
        let effects = step(&mut state, upload);
        assert_eq!(effects.refused, refused, "{what}");
        if refused.is_some() {
            assert_eq!(effects, RegisterEffects::refused(Refusal::Parts), "{what}");
            assert_eq!((effects.outcome, effects.changed), (UploadOutcome::NoRoom, false), "{what}");
            assert!(state == known, "{what}: the document is as it was");
        }
    }
}

#[test]
fn a_document_with_all_its_findings_takes_what_brings_no_more_and_what_replaces_it() {
    let naked = |line_id| line(line_id, AMBROXOL, 1, &[]);
    let known = || {
        let mut state = DocumentState::default();
        let effects = step(&mut state, full(Kind::Settlement, 1, &[naked("1")]));
        let mut finding = effects.alerts[0].finding.key();
        while state.alerts.published.len() < FINDINGS_KEPT_MAX {
            finding.subject.line_id = format!("gone {}", state.alerts.published.len()).into();
            state.alerts.published.insert(
                finding.clone(),
                Published { revision: 2, raised_at: Timestamp::default(), open: None },
            );
        }
        state
    };
    let mut state = known();
    let effects = step(&mut state, partial(2, &[naked("2")]));
    assert_eq!((effects.refused, effects.outcome), (Some(Refusal::Findings), UploadOutcome::NoRoom));
    assert!(state == known(), "the document is as it was");
    // What brings no new finding: the amount of line 1 is another now, as the fund's is shared by two lines.
    let effects = step(&mut state, partial(2, &[line("2", AMBROXOL, 1, &[B])]));
    assert_eq!((effects.refused, effects.outcome), (None, UploadOutcome::Accepted));
    let effects = step(&mut state, partial(3, &[line("1", AMBROXOL, 1, &[A])]));
    assert_eq!(alerts(&effects), [("no_code", "1", Status::Withdrawn, 3, What::Asserted)]);
    // What replaces it is taken: the line that is new is refused payment, though there is no room for its alert.
    let effects = step(&mut state, full(Kind::Settlement, 4, &[naked("1"), naked("3")]));
    assert_eq!((effects.refused, effects.without_room), (None, 1));
    assert_eq!(alerts(&effects), [("no_code", "1", Status::Raised, 4, What::Asserted)]);
    let lines = effects.claim.map(|claim| claim.lines).unwrap_or_default();
    let refuse = BTreeMap::from([(RuleId::NoCode, Verdict::Refuse)]);
    assert!(lines.len() == 2 && lines.iter().all(|line| line.reasons == refuse), "{lines:?}");
    assert_eq!(state.alerts.published.len(), FINDINGS_KEPT_MAX);
    // A finding without room does not close the document: what adds none to it is taken.
    let effects = step(&mut state, partial(5, &[naked("5")]));
    assert_eq!(effects.refused, Some(Refusal::Findings));
    let effects = step(&mut state, partial(5, &[line("1", AMBROXOL, 1, &[A])]));
    assert_eq!((effects.refused, effects.without_room), (None, 1));
    assert_eq!(alerts(&effects), [("no_code", "1", Status::Withdrawn, 5, What::Asserted)]);
    // And so is what takes it back.
    let effects = step(&mut state, reversal(6, None, Parts::ALL));
    assert_eq!((effects.refused, effects.without_room, effects.changed), (None, 0, true));
}
