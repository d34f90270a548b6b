//! Claims and answers in any order end in the same decision.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::document::{DocumentKey, Group, Origin};
use crate::domain::handling::LineRuling;
use crate::domain::horizon;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds.saturating_mul(1000))
}

fn moment(seconds: i64) -> Moment {
    Moment { now: None, wall: Some(at(seconds)), forgotten_before: None, detected_at: at(seconds) }
}

fn key() -> DocumentKey {
    DocumentKey { institution_id: "P37020300001".into(), group: Group::Settlement, document_id: "S1".into() }
}

fn line(line_id: &str, fen: i64, awaits: &[(&str, u64)]) -> ClaimLine {
    ClaimLine {
        line_id: line_id.into(),
        amount: Money::from_fen(fen),
        reasons: BTreeMap::new(),
        ruling: None,
        awaits: awaits.iter().map(|(code, revision)| (Text::from(*code), *revision)).collect(),
        lent: Vec::new(),
    }
}

fn a_claim(revision: u64, lines: Vec<ClaimLine>) -> Claim {
    Claim {
        key: key(),
        revision,
        withdrawn: false,
        occurred_at: at(0),
        lines,
        ruleset: "r".into(),
        reference_version: 7,
        origin: Origin { topic: "settlement".into(), partition: 0, offset: 0, received_at: at(0) },
    }
}

fn taken_back(revision: u64) -> Claim {
    Claim { withdrawn: true, ..a_claim(revision, Vec::new()) }
}

fn an_answer(line_id: &str, code: &str, revision: u64, reasons: &[(RuleId, Verdict)]) -> CodeVerdict {
    CodeVerdict {
        key: key(),
        line_id: line_id.into(),
        code: code.into(),
        revision,
        reasons: reasons.iter().copied().collect(),
    }
}

/// A claim's way through the adjudicator, a second per step.
#[derive(Default)]
struct Case {
    state: ClaimState,
    policy: Policy,
    seconds: i64,
}

impl Case {
    fn step(
        &mut self,
        apply: impl FnOnce(&mut ClaimState, &Moment, &RuleSet, &Policy) -> Option<Decision>,
    ) -> Option<Decision> {
        self.seconds += 1;
        apply(&mut self.state, &moment(self.seconds), &RuleSet::default(), &self.policy)
    }

    fn claim(&mut self, new: Claim) -> Option<Decision> {
        self.step(|state, moment, rules, policy| claim(state, new, moment, rules, policy))
    }

    fn answer(
        &mut self,
        line_id: &str,
        code: &str,
        revision: u64,
        reasons: &[(RuleId, Verdict)],
    ) -> Option<Decision> {
        let new = an_answer(line_id, code, revision, reasons);
        self.step(|state, moment, rules, policy| verdict(state, new, moment, rules, policy))
    }

    /// The same claim, told by those of its lines that changed where it has the same lines as before.
    fn changed_claim(&mut self, new: Claim) -> Option<Decision> {
        let Some(known) = self.state.claim.clone().filter(|known| !known.withdrawn && !new.withdrawn) else {
            return self.claim(new);
        };
        let changed = |line: &ClaimLine| !known.lines.contains(line);
        let lines = new.lines.into_iter().filter(changed).collect();
        let Claim { key, revision, lines, ruleset, reference_version, origin, .. } =
            a_claim(new.revision, lines);
        let change = ClaimChange { key, revision, lines, ruleset, reference_version, origin };
        self.step(|state, moment, rules, policy| claim_change(state, change, moment, rules, policy))
    }

    fn wait(&mut self) -> Option<Decision> {
        self.step(deadline)
    }
}

const REFUSE: (RuleId, Verdict) = (RuleId::DuplicateSettlement, Verdict::Refuse);
const HOLD: (RuleId, Verdict) = (RuleId::Resale, Verdict::Hold);

#[test]
fn the_decision_waits_for_the_last_answer_and_is_then_the_worst_of_all() {
    let mut case = Case::default();
    let lines = vec![line("1", 1000, &[("a", 1), ("b", 1)]), line("2", 500, &[("c", 1)])];
    assert_eq!(case.claim(a_claim(1, lines)), None);
    assert_eq!(case.answer("1", "a", 1, &[]), None);
    assert_eq!(case.answer("1", "b", 1, &[HOLD, REFUSE]), None);
    let decision = case.answer("2", "c", 1, &[]).unwrap();
    assert_eq!((decision.revision, decision.verdict), (1, Verdict::Refuse));
    assert_eq!(decision.payable, Money::from_fen(500));
    assert_eq!(decision.lines[0].reasons, [RuleId::DuplicateSettlement, RuleId::Resale]);
    assert_eq!(decision.lines[1].verdict, Verdict::Pay);
    assert!(!decision.provisional);
    assert_eq!(case.state.deadline, None);
}

#[test]
fn answers_that_nobody_claims_are_forgotten_some_day() {
    let mut case = Case::default();
    assert_eq!(horizon::newest_of_claim(&case.state), None);
    case.answer("1", "a", 1, &[]);
    let first = horizon::newest_of_claim(&case.state);
    assert!(first >= Some(at(1)), "{first:?}");
    case.answer("1", "b", 1, &[]);
    assert!(horizon::newest_of_claim(&case.state) > first);
}

#[test]
fn the_same_answer_again_publishes_nothing() {
    let mut case = Case::default();
    case.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert!(case.answer("1", "a", 1, &[HOLD]).is_some());
    assert_eq!(case.answer("1", "a", 1, &[HOLD]), None);
    assert_eq!(case.claim(a_claim(1, vec![line("1", 9, &[])])), None, "a known revision is ignored");
    assert_eq!(case.claim(a_claim(2, vec![line("1", 1000, &[("a", 1)])])), None, "it says the same");
}

#[test]
fn an_answer_counts_for_its_own_revision_only() {
    let mut case = Case::default();
    case.claim(a_claim(2, vec![line("1", 1000, &[("a", 2)])]));
    assert_eq!(case.answer("1", "a", 1, &[REFUSE]), None, "an answer to what was asserted before");
    assert_eq!(case.state.answers.len(), 0);
    assert_eq!(case.answer("1", "a", 3, &[HOLD]), None, "an answer to what is still to come");
    let decision = case.claim(a_claim(3, vec![line("1", 1000, &[("a", 3)])])).unwrap();
    assert_eq!(decision.verdict, Verdict::Hold);
}

#[test]
fn answers_that_no_claim_will_ask_for_are_dropped() {
    let mut case = Case::default();
    for code in ["a", "b", "c"] {
        case.answer("1", code, 1, &[]);
    }
    assert_eq!(case.state.answers.len(), 3);
    case.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert_eq!(case.state.answers.len(), 1);
    case.answer("9", "z", 1, &[]);
    assert_eq!(case.state.answers.len(), 1);
    case.claim(taken_back(2));
    assert_eq!(case.state.answers.len(), 0);
}

#[test]
fn at_the_deadline_a_provisional_decision_holds_what_is_not_answered() {
    let mut case = Case::default();
    let lines = vec![line("1", 1000, &[("a", 1)]), line("2", 500, &[("b", 1)])];
    case.claim(a_claim(1, lines));
    assert_eq!(case.state.deadline, Some(Timestamp::from_unix_millis(2500)));
    case.answer("1", "a", 1, &[]);
    let decision = case.wait().unwrap();
    assert!(decision.provisional);
    assert_eq!(decision.deadline, Some(Timestamp::from_unix_millis(2500)));
    assert_eq!((decision.verdict, decision.payable), (Verdict::Hold, Money::from_fen(1000)));
    assert!(decision.lines[1].reasons.is_empty());
    assert_eq!(case.wait(), None, "once");

    let last = case.answer("2", "b", 1, &[]).unwrap();
    assert_eq!((last.revision, last.provisional, last.verdict), (2, false, Verdict::Pay));
    assert_eq!(last.recover, Money::ZERO, "a provisional hold released nothing");
    assert_eq!(last.deadline, None);
}

#[test]
fn before_its_time_a_deadline_does_nothing() {
    let mut case = Case::default();
    case.policy.decision_deadline = Millis::from_hours(1);
    case.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert_eq!(case.wait(), None);
    assert!(case.state.deadline.is_some());
}

#[test]
fn paying_provisionally_releases_money_that_may_have_to_be_recovered() {
    let mut case = Case::default();
    case.policy.provisional = Verdict::Pay;
    case.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert_eq!(case.wait(), None, "not yet");
    let paid = case.wait().unwrap();
    assert_eq!((paid.provisional, paid.payable), (true, Money::from_fen(1000)));
    let last = case.answer("1", "a", 1, &[REFUSE]).unwrap();
    assert_eq!((last.payable, last.recover), (Money::ZERO, Money::from_fen(1000)));
}

#[test]
fn a_revised_claim_keeps_its_final_decision_until_it_can_be_decided() {
    let mut case = Case::default();
    case.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert_eq!(case.answer("1", "a", 1, &[]).unwrap().payable, Money::from_fen(1000));
    assert_eq!(case.claim(a_claim(2, vec![line("1", 1000, &[("b", 2)])])), None);
    assert_eq!(case.state.deadline, None);
    let last = case.answer("1", "b", 2, &[REFUSE]).unwrap();
    assert_eq!((last.revision, last.recover), (2, Money::from_fen(1000)));
    let again = case.answer("1", "b", 2, &[HOLD]).unwrap();
    assert_eq!(again.recover, Money::ZERO, "what was claimed back once is not claimed back again");
}

#[test]
fn a_claim_taken_back_ends_with_a_withdrawn_decision_if_there_was_one() {
    let mut case = Case::default();
    case.claim(a_claim(1, vec![line("1", 1000, &[])]));
    let end = case.claim(taken_back(2)).unwrap();
    assert_eq!((end.revision, end.withdrawn, end.recover), (2, true, Money::from_fen(1000)));
    assert!(end.lines.is_empty());
    let back = case.claim(a_claim(3, vec![line("1", 1000, &[])])).unwrap();
    assert_eq!((back.revision, back.withdrawn, back.recover), (3, false, Money::ZERO));

    let mut unknown = Case::default();
    unknown.claim(a_claim(1, vec![line("1", 1000, &[("a", 1)])]));
    assert_eq!(unknown.claim(taken_back(2)), None, "nothing was published");
    assert_eq!(unknown.state.deadline, None);
    assert_eq!(unknown.wait(), None);
}

#[test]
fn without_lines_there_is_nothing_against_paying() {
    let decision = Case::default().claim(a_claim(1, Vec::new())).unwrap();
    assert_eq!((decision.verdict, decision.payable), (Verdict::Pay, Money::ZERO));
}

/// One source of inputs; the order within it is kept.
#[derive(Clone, Debug)]
enum Input {
    Claim(Claim),
    Answer(CodeVerdict),
}

/// Revisions 1..=n of a claim, each asking for some codes at revisions that never fall, and for every code the
/// answers that the monitor gives: several for some revisions, in the order of the revisions.
fn history() -> impl Strategy<Value = Vec<Vec<Input>>> {
    let asked = btree_map((select(vec!["1", "2"]), select(vec!["a", "b", "c"])), any::<bool>(), 0..5);
    let acts = btree_map(
        select(vec![RuleId::DuplicateSettlement, RuleId::Resale, RuleId::OverSplit]),
        select(vec![Verdict::Hold, Verdict::Refuse]),
        0..3,
    );
    (vec((asked, any::<bool>()), 1..5), vec(acts, 64)).prop_map(|(revisions, acts)| {
        let mut acts = acts.into_iter().cycle();
        let mut claims = Vec::new();
        let mut sources: BTreeMap<(&str, &str), Vec<Input>> = BTreeMap::new();
        let mut live: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (revision, (asked, withdrawn)) in (1_u64..).zip(revisions) {
            let asked = if withdrawn { BTreeMap::new() } else { asked };
            live.retain(|code, _| asked.contains_key(code));
            for (code, changed) in &asked {
                let known = live.get(code).copied();
                if known.is_none() || *changed {
                    live.insert(*code, revision);
                }
                let answers = if known.is_none() || *changed { 2 } else { 1 };
                for reasons in acts.by_ref().take(answers) {
                    let answer = CodeVerdict {
                        reasons,
                        ..an_answer(code.0, code.1, live.get(code).copied().unwrap_or(0), &[])
                    };
                    sources.entry(*code).or_default().push(Input::Answer(answer));
                }
            }
            let lines = ["1", "2"].map(|line_id| {
                let awaits: Vec<(&str, u64)> = live
                    .iter()
                    .filter(|((of_line, _), _)| *of_line == line_id)
                    .map(|((_, code), at)| (*code, *at))
                    .collect();
                line(line_id, 100, &awaits)
            });
            claims.push(Input::Claim(if withdrawn {
                taken_back(revision)
            } else {
                a_claim(revision, lines.to_vec())
            }));
        }
        let mut all = vec![claims];
        all.extend(sources.into_values());
        all
    })
}

/// Merges the sources by the given picks, keeping the order within each.
fn interleave(mut sources: Vec<Vec<Input>>, picks: &[u8]) -> Vec<Input> {
    let mut merged = Vec::new();
    let mut picks = picks.iter().cycle();
    sources.iter_mut().for_each(|source| source.reverse());
    while sources.iter().any(|source| !source.is_empty()) {
        sources.retain(|source| !source.is_empty());
        let pick = usize::from(*picks.next().unwrap_or(&0)) % sources.len();
        merged.extend(sources[pick].pop());
    }
    merged
}

/// Applies the inputs with deadlines in between and returns what stands at the end: with all that could be known told and
/// worked out anew each time, or with as little as can be.
fn run(inputs: Vec<Input>, wait_every: usize, policy: &Policy, is_thrifty: bool) -> Option<Said> {
    let mut case = Case { policy: *policy, ..Case::default() };
    let mut decisions = Vec::new();
    for (step, input) in inputs.into_iter().enumerate() {
        if !is_thrifty {
            case.state.touched = Memo::default();
        }
        decisions.extend(match input {
            Input::Claim(new) if is_thrifty => case.changed_claim(new),
            Input::Claim(new) => case.claim(new),
            Input::Answer(new) => {
                case.step(|state, moment, rules, policy| verdict(state, new, moment, rules, policy))
            }
        });
        if step % wait_every == 0 {
            case.seconds += 10;
            decisions.extend(case.wait());
        }
        let lines = case.state.claim.iter().flat_map(|claim| &claim.lines);
        let counted: usize = lines.map(|line| missing(line, &case.state.answers)).sum();
        assert_eq!(case.state.missing, counted);
    }
    let mut released = Money::ZERO;
    for (revision, decision) in (1_u32..).zip(&decisions) {
        assert_eq!(decision.revision, revision, "gapless");
        assert_eq!(decision.recover, released.saturating_sub(decision.payable));
        if !decision.provisional || policy.provisional == Verdict::Pay {
            released = decision.payable;
        }
    }
    for pair in decisions.windows(2) {
        let says = |d: &Decision| (d.verdict, d.payable, d.provisional, d.withdrawn, d.lines.clone());
        assert_ne!(says(&pair[0]), says(&pair[1]), "only differences are published");
    }
    let stands = case.state.published.map(|published| published.said);
    stands.filter(|said| !said.withdrawn)
}

proptest! {
    #[test]
    fn every_order_of_arrival_ends_in_the_same_decision(
        sources in history(),
        picks in vec(any::<u8>(), 1..40),
        wait_every in 1..5_usize,
        pays in any::<bool>(),
    ) {
        let policy = Policy {
            provisional: if pays { Verdict::Pay } else { Verdict::Hold },
            ..Policy::default()
        };
        let newest_claim = sources[0].last().cloned();
        let in_order: Vec<Input> = sources.iter().flatten().cloned().collect();
        let quiet = Policy { deadline_enabled: false, ..policy };
        let expected = run(in_order, usize::MAX, &quiet, false);
        let found = run(interleave(sources, &picks), wait_every, &policy, true);
        prop_assert_eq!(&found, &expected);
        if let Some(Input::Claim(claim)) = newest_claim {
            prop_assert_eq!(found.is_some(), !claim.withdrawn);
        }
    }
}

fn ruled(line: ClaimLine, verdict: Verdict, rules: &[RuleId]) -> ClaimLine {
    ClaimLine { ruling: Some(LineRuling { verdict, rules: rules.iter().copied().collect() }), ..line }
}

const ALERT: (RuleId, Verdict) = (RuleId::NotPurchased, Verdict::Pay);

/// Verdict, reasons and what was overruled of a line with these findings under a ruling.
fn under(
    ruling: Verdict,
    rules: &[RuleId],
    found: &[(RuleId, Verdict)],
) -> (Verdict, Vec<&'static str>, Vec<RuleId>) {
    let mut case = Case::default();
    let line = ruled(line("1", 1000, &[("a", 1)]), ruling, rules);
    assert_eq!(case.claim(a_claim(1, vec![line])), None);
    let decision = case.answer("1", "a", 1, found).unwrap();
    let line = decision.lines[0].clone();
    assert_eq!(decision.payable, Money::from_fen(if line.verdict == Verdict::Pay { 1000 } else { 0 }));
    (line.verdict, line.reason_names(), line.overruled.clone())
}

#[test]
fn a_ruling_that_pays_lets_the_findings_of_its_rules_pass_and_no_others() {
    let (duplicate, resale) = (RuleId::DuplicateSettlement, RuleId::Resale);
    assert_eq!(
        under(Verdict::Pay, &[duplicate, resale], &[REFUSE, HOLD]),
        (Verdict::Pay, vec![], vec![duplicate, resale])
    );
    assert_eq!(
        under(Verdict::Pay, &[duplicate], &[REFUSE, HOLD]),
        (Verdict::Hold, vec!["resale"], vec![duplicate])
    );
    assert_eq!(under(Verdict::Pay, &[duplicate], &[]), (Verdict::Pay, vec![], vec![]));
}

#[test]
fn a_ruling_that_holds_or_refuses_does_so_by_itself_and_by_the_alerts_of_its_rules() {
    let (purchase, duplicate) = (RuleId::NotPurchased, RuleId::DuplicateSettlement);
    assert_eq!(under(Verdict::Hold, &[], &[ALERT]), (Verdict::Hold, vec!["ruling"], vec![]));
    assert_eq!(
        under(Verdict::Refuse, &[purchase], &[ALERT]),
        (Verdict::Refuse, vec!["not_purchased", "ruling"], vec![])
    );
    assert_eq!(
        under(Verdict::Hold, &[duplicate], &[REFUSE]),
        (Verdict::Hold, vec!["duplicate_settlement", "ruling"], vec![duplicate])
    );
}

fn yuan(yuan: i64) -> Money {
    Money::from_fen(yuan * 100)
}

impl Case {
    fn paid(&mut self, sum: i64, recovered: Option<i64>) -> Option<Decision> {
        let new = Some(Paid { paid: yuan(sum), recovered: recovered.map(yuan) });
        self.step(|state, moment, rules, policy| paid(state, new, moment, rules, policy))
    }
}

/// Revision, what is to be recovered and what was paid.
fn money(decision: Option<Decision>) -> Option<(u32, Money, Option<Money>)> {
    decision.map(|decision| (decision.revision, decision.recover, decision.paid.map(|paid| paid.paid)))
}

#[test]
fn what_is_to_be_recovered_follows_from_payments_where_any_is_known() {
    let mut case = Case::default();
    assert_eq!(money(case.paid(30, None)), None, "nobody claims it yet");
    assert_eq!(money(case.claim(a_claim(1, vec![line("1", 3000, &[])]))), Some((1, yuan(0), Some(yuan(30)))));
    assert_eq!(
        money(case.claim(a_claim(2, vec![line("1", 2000, &[])]))),
        Some((2, yuan(10), Some(yuan(30))))
    );
    assert_eq!(money(case.paid(20, Some(10))), Some((3, yuan(0), Some(yuan(20)))), "ten came back");
    assert_eq!(money(case.paid(20, Some(10))), None, "nothing new");
    assert_eq!(money(case.claim(taken_back(3))), Some((4, yuan(20), Some(yuan(20)))));
    assert_eq!(money(case.paid(0, Some(30))), Some((5, yuan(0), Some(yuan(0)))), "all of it came back");
    let none = case.step(|state, moment, rules, policy| paid(state, None, moment, rules, policy));
    assert_eq!(money(none), Some((6, yuan(0), None)));
}

#[test]
fn payments_wait_with_the_claim_for_its_answers() {
    let mut case = Case::default();
    assert_eq!(case.claim(a_claim(1, vec![line("1", 3000, &[("a", 1)])])), None);
    assert_eq!(money(case.paid(30, None)), None);
    assert_eq!(money(case.answer("1", "a", 1, &[REFUSE])), Some((1, yuan(30), Some(yuan(30)))));
}
