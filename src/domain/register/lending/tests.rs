//! Hand-overs and settlements told of each other in every order: what is lent in the end depends on the documents alone.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::domain::Text;
use crate::domain::claim::ClaimLine;
use crate::domain::document::samples::{
    A, AMBROXOL, B, LOT_CODE, Line, STRANGER, SYRUP, book, header, line, minute, version,
};
use crate::domain::document::{Group, Header, Kind, Parts, Reversal, Upload};
use crate::domain::observation::Observation;
use crate::domain::register::{apply, tick};
use crate::domain::rules::RuleId;
use crate::domain::time::{Millis, Timestamp};

/// What one partition tells another; what goes the same way arrives in order.
#[derive(Clone, Debug)]
enum Word {
    Upload(Upload),
    Borrower(DocumentKey),
    Offer(Offer),
    Loan(DocumentKey, Loan),
    Reconsider,
}

/// Documents and aliases, and what is on its way between them.
#[derive(Default)]
struct World {
    documents: BTreeMap<DocumentKey, DocumentState>,
    aliases: BTreeMap<DocumentKey, (DocumentState, Vec<DocumentKey>)>,
    ways: BTreeMap<(DocumentKey, DocumentKey), VecDeque<Word>>,
    known: BTreeMap<DocumentKey, Known>,
    now: Option<Timestamp>,
}

/// What is known downstream of one settlement.
#[derive(Debug, Default, PartialEq)]
struct Known {
    observations: BTreeMap<(Text, Text), Observation>,
    claim: Option<Vec<ClaimLine>>,
}

impl World {
    fn send(&mut self, from: &DocumentKey, to: &DocumentKey, word: Word) {
        self.ways.entry((from.clone(), to.clone())).or_default().push_back(word);
    }

    /// Lets everything arrive, the next of a way chosen by `choose`.
    fn settle(&mut self, mut choose: impl FnMut(usize) -> usize) {
        loop {
            let ways: Vec<_> =
                self.ways.iter().filter(|(_, way)| !way.is_empty()).map(|(way, _)| way.clone()).collect();
            let Some(way) = ways.get(choose(ways.len().max(1))) else { return };
            let Some(word) = self.ways.get_mut(way).and_then(VecDeque::pop_front) else { return };
            self.hear(&way.1, word);
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, wall: None, forgotten_before: None, detected_at: minute(0) }
    }

    fn hear(&mut self, at: &DocumentKey, word: Word) {
        let (moment, rules) = (self.moment(), RuleSet::default());
        match word {
            Word::Upload(upload) => {
                // Graces end on the way, too.
                self.now = self.now.max(Some(upload.issued_at()));
                let effects = apply(self.documents.entry(at.clone()).or_default(), &upload, &moment, &rules);
                self.publish(at, effects);
            }
            Word::Borrower(member) => {
                let (state, members) = self.aliases.entry(at.clone()).or_default();
                if members.contains(&member) {
                    return;
                }
                members.push(member.clone());
                let _ = state.lending.count_borrower(at);
                let is_overfull = state.lending.offers.overfull.contains(&at.document_id);
                let loan = Loan { offers: state.lending.offers.iter().cloned().collect(), is_overfull };
                self.send(at, &member, Word::Loan(at.clone(), loan));
            }
            Word::Offer(offer) => {
                let (state, members) = self.aliases.entry(at.clone()).or_default();
                let loan = state.lending.offer(at, offer);
                if !loan.is_empty() {
                    for member in members.clone() {
                        self.send(at, &member, Word::Loan(at.clone(), loan.clone()));
                    }
                }
            }
            Word::Loan(alias, loan) => {
                let state = self.documents.entry(at.clone()).or_default();
                if state.lending.receive(&alias, loan) {
                    self.send(at, at, Word::Reconsider);
                }
            }
            Word::Reconsider => {
                let state = self.documents.entry(at.clone()).or_default();
                let mut looks_at_all = DocumentState { judged_by: None, ..state.clone() };
                let effects = reconsider(state, at, &moment, &rules);
                let of_all = reconsider(&mut looks_at_all, at, &moment, &rules);
                assert_eq!(*state, looks_at_all, "what is remembered");
                assert_eq!(effects, of_all, "what is published");
                self.publish(at, effects);
            }
        }
    }

    fn publish(&mut self, at: &DocumentKey, effects: RegisterEffects) {
        if let Some(Offered { offer, aliases }) = effects.offered {
            for alias in aliases {
                self.send(at, &alias, Word::Offer(offer.clone()));
            }
        }
        if let Some(Borrower { alias, .. }) = effects.borrows {
            self.send(at, &alias, Word::Borrower(at.clone()));
        }
        let known = self.known.entry(at.clone()).or_default();
        for change in effects.changes {
            for line_id in change.retracted {
                assert!(known.observations.remove(&(line_id, change.code.clone())).is_some());
            }
            for observation in change.asserted {
                let spot = (observation.key.line_id.clone(), change.code.clone());
                let revision = observation.revision;
                assert_eq!(revision, change.document_revision);
                known.observations.insert(spot, Observation { revision: 0, ..observation });
            }
        }
        if let Some(claim) = effects.claim {
            known.claim = (!claim.withdrawn).then_some(claim.lines);
        }
        if let Some(change) = effects.claim_change {
            known.claim = known.claim.take().map(|lines| with_changed(lines, change.lines));
        }
    }

    /// What is known in the end, without numbers of revisions.
    fn outcome(mut self, now: Timestamp) -> BTreeMap<DocumentKey, Known> {
        self.now = Some(now);
        let (moment, rules) = (self.moment(), RuleSet::default());
        let keys: Vec<DocumentKey> = self.documents.keys().cloned().collect();
        for key in keys {
            let effects = self.documents.get_mut(&key).map(|state| tick(state, &key, &moment, &rules));
            effects.into_iter().for_each(|effects| self.publish(&key, effects));
        }
        for known in self.known.values_mut() {
            let lines = known.claim.iter_mut().flatten();
            lines.flat_map(|line| line.awaits.values_mut()).for_each(|revision| *revision = 0);
        }
        self.known.retain(|_, known| *known != Known::default());
        self.known
    }
}

fn with_changed(mut lines: Vec<ClaimLine>, changed: Vec<ClaimLine>) -> Vec<ClaimLine> {
    for line in changed {
        let known = lines.iter_mut().find(|known| known.line_id == line.line_id).unwrap();
        assert_ne!(*known, line);
        *known = line;
    }
    lines
}

fn document(group: Group, document_id: &str) -> DocumentKey {
    DocumentKey { document_id: document_id.into(), ..crate::domain::document::samples::key(group) }
}

fn upload(
    document_id: &str,
    kind: Kind,
    minutes: i64,
    numbers: (Option<&str>, Option<&str>),
    lines: &[Line],
) -> Upload {
    let header = Header {
        occurred_at: minute(minutes).into(),
        settlement_id: numbers.0.map(Text::from),
        visit_id: numbers.1.map(Text::from),
        ..header(kind)
    };
    let mut version = version(&book(), true, minutes, Some(header), kind.group(), lines);
    version.key.document_id = document_id.into();
    version.into()
}

fn reversal_of(key: &DocumentKey, minutes: i64, line_id: Option<&str>) -> Upload {
    let reversal = crate::domain::document::samples::reversal(minutes, line_id, Parts::ALL);
    Upload::Reversal(Reversal { target: key.clone(), ..reversal })
}

/// Two settlements and two hand-overs, corrected and taken back, with numbers that meet often; late by days.
fn any_upload() -> impl Strategy<Value = Upload> {
    let ids = prop::sample::select(vec![
        ("S1", Group::Settlement),
        ("S2", Group::Settlement),
        ("D1", Group::Dispensing),
        ("D2", Group::Dispensing),
    ]);
    let numbers =
        (prop::sample::select(vec![None, Some("s"), Some("t")]), prop::sample::select(vec![None, Some("v")]));
    let code = prop::sample::select(vec![A, B, STRANGER, LOT_CODE, "spoilt", "81773220000000000099"]);
    let codes = prop::collection::vec(code, 0..3);
    let product = prop::sample::select(vec![AMBROXOL, AMBROXOL, SYRUP]);
    let lines = prop::collection::vec((product, 1_u32..3, codes, any::<bool>()), 1..4);
    let minutes = prop::sample::select(vec![0_i64, 1, 2, 3, 6 * 24 * 60, 8 * 24 * 60]);
    (ids, numbers, lines, minutes, 0..8_u8).prop_map(|((id, group), numbers, lines, minutes, what)| {
        let key = document(group, id);
        match what {
            0 => return reversal_of(&key, minutes, None),
            1 => return reversal_of(&key, minutes, Some("0")),
            _ => {}
        }
        let kind = if group == Group::Settlement { Kind::Settlement } else { Kind::Dispense };
        let lines: Vec<Line> = lines
            .into_iter()
            .zip(["0", "1", "2"])
            .map(|((product, quantity, codes, split), line_id)| {
                let own = if kind == Kind::Settlement && what > 3 { Vec::new() } else { codes };
                line(line_id, product, quantity, &own).with_fee(|fee| fee.split = split && what == 7)
            })
            .collect();
        upload(id, kind, minutes, numbers, &lines)
    })
}

fn told(uploads: &[Upload], mut choose: impl FnMut(usize) -> usize) -> BTreeMap<DocumentKey, Known> {
    let mut world = World::default();
    for upload in uploads {
        let outside = document(Group::Procurement, &format!("{:?}", upload.issued_at()));
        let key = upload.key().clone();
        world.send(&outside, &key, Word::Upload(upload.clone()));
        // Some of it settles on the way.
        if choose(2) == 0 {
            world.settle(&mut choose);
        }
    }
    world.settle(&mut choose);
    world.outcome(minute(30 * 24 * 60))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_lent_does_not_depend_on_the_order(
        uploads in prop::collection::vec(any_upload(), 2..9),
        shuffle in any::<prop::sample::Index>(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 64),
    ) {
        let straight = told(&uploads, |_| 0);
        let mut other = uploads.clone();
        other.rotate_left(shuffle.index(uploads.len()));
        other.reverse();
        let mut choices = choices.into_iter().cycle();
        let shuffled = told(&other, |of| choices.next().map_or(0, |choice| choice.index(of)));
        prop_assert_eq!(straight, shuffled);
    }
}

fn claim_of(world: World, document_id: &str) -> Vec<String> {
    let known = world.outcome(minute(30 * 24 * 60)).remove(&document(Group::Settlement, document_id));
    let lines = known.and_then(|known| known.claim).unwrap_or_default();
    let line = |line: ClaimLine| {
        let reasons = line.reasons.keys().map(|rule| rule.name()).collect::<Vec<_>>().join(" ");
        let lent = line.lent.iter().map(|lent| format!("{}/{}", lent.document_id, lent.line_id));
        format!("{} {reasons} {}", line.line_id, lent.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
    };
    lines.into_iter().map(line).collect()
}

#[test]
fn a_lender_that_is_taken_back_takes_its_codes_with_it() {
    let mut world = World::default();
    let outside = document(Group::Procurement, "outside");
    let claim = upload("S1", Kind::Settlement, 0, (Some("s"), None), &[line("1", AMBROXOL, 1, &[])]);
    let hand_over = upload("D1", Kind::Dispense, 1, (Some("s"), Some("v")), &[line("9", AMBROXOL, 1, &[A])]);
    let tell = |world: &mut World, upload: Upload| {
        let key = upload.key().clone();
        world.send(&outside, &key, Word::Upload(upload));
        world.settle(|_| 0);
    };
    tell(&mut world, claim);
    tell(&mut world, hand_over);
    let claimed = |world: &World| {
        let known = world.known.get(&document(Group::Settlement, "S1"));
        let lines = known.and_then(|known| known.claim.as_ref()).into_iter().flatten();
        lines.map(|line| (line.reasons.clone(), line.lent.len(), line.awaits.len())).collect::<Vec<_>>()
    };
    assert_eq!(claimed(&world), [(BTreeMap::new(), 1, 1)]);
    tell(&mut world, reversal_of(&document(Group::Dispensing, "D1"), 2, None));
    let held = BTreeMap::from([(RuleId::NoCode, crate::domain::claim::Verdict::Hold)]);
    assert_eq!(claimed(&world), [(held, 0, 0)]);
    assert_eq!(claim_of(world, "S1"), ["1 no_code"]);
}

#[test]
fn more_lenders_than_are_kept_hold_the_claim() {
    let mut world = World::default();
    let outside = document(Group::Procurement, "outside");
    let claim = upload("S1", Kind::Settlement, 0, (Some("s"), None), &[line("1", AMBROXOL, 1, &[])]);
    let tell = |world: &mut World, upload: Upload| {
        let key = upload.key().clone();
        world.send(&outside, &key, Word::Upload(upload));
    };
    tell(&mut world, claim);
    for number in 0..=LENDERS_MAX {
        let lines = [line("9", AMBROXOL, 1, &[A])];
        tell(&mut world, upload(&format!("D{number}"), Kind::Dispense, 1, (Some("s"), None), &lines));
    }
    world.settle(|_| 0);
    assert_eq!(claim_of(world, "S1"), ["1 over_limit"]);
}

#[test]
fn more_documents_than_one_number_can_mean_hold_their_claims_too() {
    let alias = document(Group::Settlement, "lend/v");
    let mut lending = Lending::default();
    let offer = upload("D1", Kind::Dispense, 1, (None, Some("v")), &[line("9", AMBROXOL, 1, &[A])]);
    let mut lender = DocumentState::default();
    let effects = apply(&mut lender, &offer, &World::default().moment(), &RuleSet::default());
    let offer = effects.offered.map(|offered| offered.offer);
    assert_eq!(offer.clone().map(|offer| lending.offer(&alias, offer).offers.len()), Some(1));
    let told = (0..LENDERS_MAX + 2).filter(|_| lending.count_borrower(&alias).is_overfull).count();
    assert_eq!(told, 1);
    assert_eq!(lending.offers.iter().count(), 0);
    let newer = offer.map(|offer| Offer { revision: 9, ..offer });
    assert_eq!(newer.map(|offer| lending.offer(&alias, offer)), Some(Loan::default()));
}

/// How many lines of the whole claim, or else of what changed of it, are told of when one of three lines is lent a code.
fn told_of(now: Timestamp) -> (Option<usize>, Option<usize>) {
    let rules = RuleSet::default();
    let at = |now: Timestamp| Moment { now: Some(now), wall: None, forgotten_before: None, detected_at: now };
    let naked = ["1", "2", "3"].map(|line_id| line(line_id, AMBROXOL, 1, &[]));
    let claim = upload("S1", Kind::Settlement, 0, (Some("s"), None), &naked);
    let hand_over = upload("D1", Kind::Dispense, 0, (Some("s"), None), &[line("9", AMBROXOL, 1, &[A])]);
    let (mut settlement, mut dispensing) = (DocumentState::default(), DocumentState::default());
    apply(&mut settlement, &claim, &at(minute(0)), &rules);
    let offered = apply(&mut dispensing, &hand_over, &at(minute(0)), &rules).offered.unwrap();
    let loan = Loan { offers: vec![Arc::new(offered.offer)], is_overfull: false };
    assert!(settlement.lending.receive(&offered.aliases[0], loan));
    let effects = reconsider(&mut settlement, claim.key(), &at(now), &rules);
    (effects.claim.map(|claim| claim.lines.len()), effects.claim_change.map(|change| change.lines.len()))
}

#[test]
fn of_a_claim_that_is_lent_to_the_lines_that_change_are_told_until_the_others_may_be_forgotten() {
    assert_eq!(told_of(minute(1)), (None, Some(1)));
    assert_eq!(
        told_of(minute(0).plus(Millis::from_hours(48))),
        (None, Some(3)),
        "the grace of the others is over"
    );
    assert_eq!(told_of(minute(0).plus(Millis::from_days(5))), (Some(3), None));
}

#[test]
fn no_code_is_refused_when_the_hand_over_has_had_its_time() {
    let claim = upload("S1", Kind::Settlement, 0, (Some("s"), None), &[line("1", AMBROXOL, 1, &[])]);
    let rules = RuleSet::default();
    let at = |now: Timestamp| Moment { now: Some(now), wall: None, forgotten_before: None, detected_at: now };
    let mut state = DocumentState::default();
    apply(&mut state, &claim, &at(minute(0)), &rules);
    let due = minute(0).plus(Millis::from_hours(48));
    assert_eq!(state.due, Some(due));
    let key = claim.key().clone();
    let acts = |effects: RegisterEffects| {
        effects.alerts.iter().map(|alert| alert.finding.action.name()).collect::<Vec<_>>()
    };
    assert_eq!(acts(tick(&mut state, &key, &at(due.minus(Millis::new(1))), &rules)), Vec::<&str>::new());
    assert_eq!(acts(tick(&mut state, &key, &at(due), &rules)), ["refuse"]);
    assert_eq!(state.due, None);
}
