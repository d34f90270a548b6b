//! Properties of all code rules together, over random timelines.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::evaluate;
use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::document::Kind;
use crate::domain::finding::{EVIDENCE_MAX, Finding, FindingKey};
use crate::domain::monitor::{CodeState, MonitorEffects, apply, tick};
use crate::domain::observation::{CodeChange, Moment, Observation, What};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::{Millis, Timestamp};
use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, day, told};
use crate::domain::timeline::{OBSERVATIONS_WALKED_MAX, order};

/// One document with one line, of few places, persons, ids and days, so that documents meet.
fn document(number: usize) -> impl Strategy<Value = Observation> {
    let place = select(vec![PHARMACY, HOSPITAL, CLINIC]);
    let kind = prop_oneof![
        3 => Just(Kind::Dispense),
        3 => Just(Kind::Settlement),
        2 => Just(Kind::DispenseReturn),
        2 => Just(Kind::PurchaseIn),
        1 => select(Kind::ALL.to_vec()).prop_filter("has a role", |kind| kind.role().is_some()),
    ];
    let when = (1..9u32, 0..3u32, 0..6u32);
    let ids = (prop::option::of(0..3u8), prop::option::of(0..2u8), prop::option::of(0..2u8));
    let amounts = (any::<bool>(), 1..24u32, 1..3u32, any::<bool>(), prop::option::of(Just(2u32)));
    (place, kind, when, ids, amounts, any::<Index>()).prop_map(
        move |(place, kind, (on, hours, late), (person, settlement, visit), amounts, named)| {
            let (split, quantity, codes, is_known, packs) = amounts;
            told(kind, place, &format!("N{number}"), on).with(|o| {
                o.time = o.time.plus(Millis::from_hours(hours));
                o.codes_issued_at = day(on + late);
                o.split = split;
                o.quantity = is_known.then(|| Quantity::from_whole(quantity));
                o.codes_on_line = codes;
                o.settlement_id = settlement.map(|id| Text::from(format!("S{id}")));
                o.visit_id = visit.map(|id| Text::from(format!("V{id}")));
                if let (Some(packs), Some(product)) = (packs, &mut o.product) {
                    product.packs_per_code = packs;
                }
                if let Some(person) = person {
                    *o = o.clone().to(person);
                }
                if kind == Kind::DispenseReturn && visit.is_some() {
                    *o = o.clone().gives_back(&format!("N{}", named.index(number + 3)));
                }
                *o = o.clone().uploading_since(2);
            })
        },
    )
}

fn documents() -> impl Strategy<Value = Vec<Observation>> {
    (0..14usize).prop_flat_map(|count| (0..count).map(document).collect::<Vec<_>>())
}

fn asserting(observation: &Observation) -> CodeChange {
    CodeChange {
        code: "81773220000000016835".into(),
        document: observation.key.document.clone(),
        document_revision: observation.revision,
        what: What::Asserted,
        lender: None,
        retracted: Vec::new(),
        asserted: vec![observation.clone()],
        origin: observation.origin.clone(),
    }
}

fn retracting(observation: &Observation) -> CodeChange {
    CodeChange {
        what: What::Retracted,
        retracted: vec![observation.key.line_id.clone()],
        asserted: Vec::new(),
        ..asserting(observation)
    }
}

fn at(now: Option<Timestamp>) -> Moment {
    Moment { now, wall: None, forgotten_before: None, detected_at: day(30) }
}

fn run<'a>(changes: impl IntoIterator<Item = &'a CodeChange>, now: Option<Timestamp>) -> CodeState {
    let mut state = CodeState::default();
    for change in changes {
        apply(&mut state, change, &at(now), &RuleSet::default());
    }
    state
}

/// What is open, without how it came about.
fn open(state: &CodeState) -> Vec<(&FindingKey, &Finding)> {
    let published = state.alerts.published.iter();
    published.filter_map(|(key, published)| Some((key, published.open.as_deref()?))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn order_and_repetition_of_changes_do_not_matter(
        (documents, shuffled) in documents().prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        repeated in 0..14usize,
        now in 1..14u32,
    ) {
        let changes: Vec<CodeChange> = documents.iter().map(asserting).collect();
        let others: Vec<CodeChange> = shuffled.iter().chain(shuffled.iter().take(repeated)).map(asserting).collect();
        let (straight, shuffled) = (run(&changes, Some(day(now))), run(&others, Some(day(now))));
        prop_assert_eq!(&straight.observations, &shuffled.observations);
        prop_assert_eq!(open(&straight), open(&shuffled));
        prop_assert_eq!(&straight.verdicts, &shuffled.verdicts);
        prop_assert_eq!(straight.due, shuffled.due);
    }

    #[test]
    fn time_that_passes_in_between_does_not_matter(documents in documents(), now in 1..14u32) {
        let changes: Vec<CodeChange> = documents.iter().map(asserting).collect();
        let at_once = run(&changes, Some(day(now)));
        let mut slowly = run(&changes, None);
        let code = Text::from("81773220000000016835");
        let mut looks = 0;
        while let Some(due) = slowly.due.filter(|due| *due <= day(now)) {
            tick(&mut slowly, &code, &at(Some(due)), &RuleSet::default());
            prop_assert!(slowly.due.is_none_or(|next| next > due), "a timer must not fire twice");
            looks += 1;
            prop_assert!(looks < 100);
        }
        prop_assert_eq!(open(&at_once), open(&slowly));
        prop_assert_eq!(at_once.due, slowly.due);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(documents in documents(), extra in document(20), now in 1..14u32) {
        let mut changes: Vec<CodeChange> = documents.iter().map(asserting).collect();
        let without = run(&changes, Some(day(now)));
        changes.insert(changes.len() / 2, asserting(&extra));
        changes.push(retracting(&extra));
        let with = run(&changes, Some(day(now)));
        prop_assert_eq!(open(&without), open(&with));
        prop_assert_eq!(&without.verdicts, &with.verdicts);
        changes.extend(documents.iter().map(retracting));
        let emptied = run(&changes, Some(day(now)));
        prop_assert_eq!(open(&emptied), Vec::new());
        prop_assert!(emptied.verdicts.is_empty() && emptied.due.is_none() && emptied.observations.is_empty());
    }

    #[test]
    fn every_claim_is_answered_and_revisions_have_no_gaps(documents in documents(), now in 1..14u32) {
        let mut state = CodeState::default();
        let mut revisions = std::collections::BTreeMap::new();
        for change in documents.iter().map(asserting).chain(documents.iter().map(retracting)) {
            let MonitorEffects { alerts, verdicts, .. } =
                apply(&mut state, &change, &at(Some(day(now))), &RuleSet::default());
            for alert in alerts {
                let last: &mut u32 = revisions.entry(alert.finding.key()).or_default();
                prop_assert_eq!(alert.revision, *last + 1);
                *last = alert.revision;
            }
            for claim in change.asserted.iter().filter(|o| o.is_settlement()) {
                let answered = verdicts.iter().any(|v| v.key == change.document && v.revision == claim.revision);
                prop_assert!(answered);
            }
        }
    }

    #[test]
    fn extremes_do_no_harm(
        mut documents in documents(),
        extremes in vec(select(vec![i64::MIN, -1, 0, 1, 1_000_000_000_000, i64::MAX]), 14 * 4),
        packs in select(vec![0, 1, u32::MAX]),
        now in select(vec![i64::MIN, 0, i64::MAX]),
    ) {
        for (document, numbers) in documents.iter_mut().zip(extremes.chunks(4)) {
            if let [time, issued, quantity, units] = *numbers {
                document.time = Timestamp::from_unix_millis(time);
                document.codes_issued_at = Timestamp::from_unix_millis(issued);
                document.quantity = Some(Quantity::from_thousandths(quantity));
                document.units = (units != 0).then_some(Quantity::from_thousandths(units));
                document.codes_on_line = packs;
            }
            if let Some(product) = &mut document.product {
                product.packs_per_code = packs;
                product.units_per_pack = Some(packs);
            }
        }
        order::sort(&mut documents);
        let evaluation = evaluate(&documents, Some(Timestamp::from_unix_millis(now)), &RuleSet::default());
        prop_assert!(evaluation.findings.iter().all(|finding| !finding.evidence.is_empty()));
    }
}

/// A code at the limit, of the kind that costs most: nothing links, everything stays open, everything is found. With
/// anything cubic in it this test would take an hour.
#[test]
fn the_longest_timeline_is_walked_in_a_moment() {
    let documents = (0..OBSERVATIONS_WALKED_MAX).map(|number| {
        let kind = if number % 2 == 0 { Kind::Dispense } else { Kind::Settlement };
        let document = told(kind, PHARMACY, &format!("N{number}"), 5);
        document.to(if number % 3 == 0 { 1 } else { 2 }).settles(&format!("S{number}"))
    });
    let mut documents: Vec<Observation> = documents.collect();
    order::sort(&mut documents);
    let evaluation = evaluate(&documents, Some(day(20)), &RuleSet::default());
    assert!(evaluation.findings.len() > OBSERVATIONS_WALKED_MAX);
    assert!(evaluation.findings.iter().all(|finding| finding.evidence.len() <= EVIDENCE_MAX));
}
