//! Adjudication: joins a claim with the verdicts on its codes and states what changes of the decision.
//!
//! The register says per line which codes a claim waits for, and at which revision each was last asserted. The
//! monitor answers each assertion with a verdict that echoes the revision. The two come over different ways, so
//! they are joined on equality of (line, code, revision) and nothing else: an answer to an older assertion is
//! useless, an answer to a newer one waits for the claim that will ask for it. The final decision is therefore a
//! function of the newest claim and the newest answers, whichever order they came in.
//!
//! A claim whose answers are not all there when its deadline passes gets a *provisional* decision, and the final
//! one as soon as it can be made. A claim that was decided keeps its last final decision while a revision of it
//! waits for answers.
//!
//! What it is not: it knows no rule and no amount; both come with the claim and the answers. What was published
//! before decides only whether there is something to publish, its revision, and what is to be recovered.
//!
//! Limits: an answer that no claim can ask for any more is dropped at once, so there are never more answers than
//! the newest claim asks for and newer ones on their way. One answer costs a logarithm, not a walk over the claim,
//! until the last one is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Text;
use super::amount::Money;
use super::claim::{Claim, ClaimChange, ClaimLine, CodeVerdict, Decision, DecisionLine, Verdict};
use super::handling::Paid;
use super::memo::Memo;
use super::observation::Moment;
use super::rules::RuleId;
use super::rules::ruleset::RuleSet;
use super::time::{Millis, Timestamp};

/// All that is known of one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimState {
    /// The newest revision of the claim.
    pub claim: Option<Claim>,
    /// By (line, code): the newest answer that the claim asks for, or a later one will.
    pub answers: BTreeMap<(Text, Text), Answer>,
    /// How many answers that the claim asks for are not there: follows from the two above.
    pub missing: usize,
    /// The last decision published.
    pub published: Option<Published>,
    /// Payable of the last revision that released money.
    pub released: Money,
    /// When a provisional decision is due.
    pub deadline: Option<Timestamp>,
    /// What was paid, as far as payments are known.
    pub paid: Option<Paid>,
    /// When the last answer or word of payments came: what nobody claims is forgotten some day as well.
    pub answered_at: Option<Timestamp>,
    /// The lines that may be decided otherwise than they were last, finally; none: all of them may.
    pub touched: Memo<Option<BTreeSet<Text>>>,
}

/// The monitor's answer, filed under its line and code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The revision of the observation that is judged.
    pub revision: u64,
    /// Code rules whose findings on it alert, hold or refuse; those that alert let pay.
    pub reasons: BTreeMap<RuleId, Verdict>,
}

/// What a published decision said, as far as the next one is compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its revision.
    pub revision: u32,
    /// What it said.
    pub said: Said,
}

/// The part of a decision whose change is worth a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The worst of the lines.
    pub verdict: Verdict,
    /// Sum of the amounts of the lines with verdict pay.
    pub payable: Money,
    /// Whether answers were missing.
    pub provisional: bool,
    /// Whether the claim was taken back.
    pub withdrawn: bool,
    /// What was paid.
    pub paid: Option<Paid>,
    /// Per line, in line order.
    pub lines: Vec<Arc<DecisionLine>>,
}

/// What is configured about decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a claim may wait for its answers before a provisional decision.
    pub decision_deadline: Millis,
    /// The least verdict of a line whose answers are not all there; `Pay` releases money provisionally.
    pub provisional: Verdict,
    /// Whether there are provisional decisions at all: not in a back-test.
    pub deadline_enabled: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { decision_deadline: Millis::new(1500), provisional: Verdict::Hold, deadline_enabled: true }
    }
}

impl ClaimState {
    /// Counts the answers that are not there. They are counted along afterwards.
    pub fn count_missing(&mut self) {
        let lines = self.claim.iter().flat_map(|claim| &claim.lines);
        self.missing = lines.map(|line| missing(line, &self.answers)).sum();
    }

    /// The line may be decided otherwise than before.
    fn touch(&mut self, line_id: Text) {
        self.touched.0.iter_mut().for_each(|touched| {
            touched.insert(line_id.clone());
        });
    }

    /// Puts a line in the place of the one that was known of the claim, which is of the same revision now.
    fn replace_line(&mut self, line: ClaimLine) {
        let Some(claim) = &mut self.claim else { return };
        let Some(place) = line_place(claim, &line.line_id) else { return };
        let Some(known) = claim.lines.get_mut(place) else { return };
        let line_id = line.line_id.clone();
        self.missing = self.missing.saturating_sub(missing(known, &self.answers));
        let of_line = self.answers.range((line_id.clone(), Text::default())..);
        let of_line = of_line.take_while(|((of, _), _)| *of == line_id);
        let useless = of_line.filter(|((_, code), answer)| {
            answer.revision <= claim.revision && line.awaits.get(code) != Some(&answer.revision)
        });
        for key in useless.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.answers.remove(&key);
        }
        self.missing = self.missing.saturating_add(missing(&line, &self.answers));
        *known = line;
        self.touch(line_id);
    }
}

/// Applies a claim; one that is no newer than the known one is ignored.
pub fn claim(
    state: &mut ClaimState,
    mut claim: Claim,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    if state.claim.as_ref().is_some_and(|known| claim.revision <= known.revision) {
        return None;
    }
    claim.lines.sort_by(|a, b| a.line_id.cmp(&b.line_id));
    state.answers.retain(|(line_id, code), answer| can_be_asked_for(&claim, line_id, code, answer.revision));
    state.claim = Some(claim);
    state.touched = Memo::default();
    state.count_missing();
    decide_or_wait(state, moment, rules, policy)
}

/// Applies what changed of a claim; what is no newer than the known one is ignored. One that is not known has no lines that
/// could have changed: the register tells of the whole claim wherever it could be forgotten here.
pub fn claim_change(
    state: &mut ClaimState,
    change: ClaimChange,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    let ClaimChange { key: _, revision, lines, ruleset, reference_version, origin } = change;
    let claim = state.claim.as_mut().filter(|known| revision > known.revision)?;
    (claim.revision, claim.ruleset, claim.origin) = (revision, ruleset, origin);
    claim.reference_version = reference_version;
    for line in lines {
        state.replace_line(line);
    }
    decide_or_wait(state, moment, rules, policy)
}

/// Decides a claim that is new, or waits for its answers.
fn decide_or_wait(
    state: &mut ClaimState,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    if state.missing == 0 {
        return decide(state, None, moment, rules, policy);
    }
    let decided = state.published.as_ref().is_some_and(|last| !last.said.provisional && !last.said.withdrawn);
    if policy.deadline_enabled && !decided && state.deadline.is_none() {
        let reached = moment.wall.map_or(moment.detected_at, |wall| wall.max(moment.detected_at));
        state.deadline = Some(reached.plus(policy.decision_deadline));
    }
    None
}

/// Applies an answer; one that no claim can ask for any more is ignored.
pub fn verdict(
    state: &mut ClaimState,
    verdict: CodeVerdict,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    let CodeVerdict { line_id, code, revision, reasons, .. } = verdict;
    let asked = state.claim.as_ref().and_then(|claim| asked_revision(claim, &line_id, &code));
    if let Some(claim) = &state.claim
        && !can_be_asked_for(claim, &line_id, &code, revision)
    {
        return None;
    }
    let key = (line_id, code);
    let before = state.answers.get(&key).map(|answer| answer.revision);
    if before.is_some_and(|before| revision < before) {
        return None;
    }
    state.touch(key.0.clone());
    state.answers.insert(key, Answer { revision, reasons });
    state.answered_at = state.answered_at.max(moment.now.or(Some(moment.detected_at)));
    let was_missing = asked.is_some() && before != asked;
    let is_missing = asked.is_some() && asked != Some(revision);
    state.missing =
        state.missing.saturating_sub(usize::from(was_missing)).saturating_add(usize::from(is_missing));
    let concerns_claim = asked == Some(revision);
    if concerns_claim && state.missing == 0 { decide(state, None, moment, rules, policy) } else { None }
}

/// Applies what was paid for the claim in all. A claim that waits for answers is decided with it later.
pub fn paid(
    state: &mut ClaimState,
    paid: Option<Paid>,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    state.paid = paid;
    state.answered_at = state.answered_at.max(moment.now.or(Some(moment.detected_at)));
    if state.missing == 0 { decide(state, None, moment, rules, policy) } else { None }
}

/// Publishes the provisional decision when its deadline has passed and answers are still missing.
pub fn deadline(
    state: &mut ClaimState,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    let due = state.deadline?;
    if moment.wall.is_none_or(|wall| wall < due) {
        return None;
    }
    decide(state, Some(due), moment, rules, policy)
}

/// The revision at which the claim asks for the code on the line.
fn asked_revision(claim: &Claim, line_id: &Text, code: &Text) -> Option<u64> {
    claim.lines.get(line_place(claim, line_id)?)?.awaits.get(code).copied()
}

fn line_place(claim: &Claim, line_id: &Text) -> Option<usize> {
    claim.lines.binary_search_by(|line| line.line_id.cmp(line_id)).ok()
}

/// Whether this claim asks for the answer, or a later revision of it may.
fn can_be_asked_for(claim: &Claim, line_id: &Text, code: &Text, revision: u64) -> bool {
    revision > claim.revision || asked_revision(claim, line_id, code) == Some(revision)
}

/// How many answers that the line asks for are not there.
fn missing(line: &ClaimLine, answers: &BTreeMap<(Text, Text), Answer>) -> usize {
    let absent = line.awaits.iter().filter(|(code, revision)| {
        let answer = answers.get(&(line.line_id.clone(), Text::clone(code)));
        answer.is_none_or(|answer| answer.revision != **revision)
    });
    absent.count()
}

/// The decision as of now, when it differs from the last one published. `due` makes it a provisional one.
fn decide(
    state: &mut ClaimState,
    due: Option<Timestamp>,
    moment: &Moment,
    rules: &RuleSet,
    policy: &Policy,
) -> Option<Decision> {
    state.deadline = None;
    let claim = state.claim.as_ref()?;
    let provisional = due.is_some() && state.missing > 0;
    let said = say(claim, state, provisional, policy);
    let never_decided = state.published.is_none();
    let unchanged = state.published.as_ref().is_some_and(|last| last.said == said);
    state.touched = Memo((!provisional).then(BTreeSet::new));
    if unchanged || (said.withdrawn && never_decided) {
        return None;
    }
    let revision = state.published.as_ref().map_or(0, |last| last.revision).saturating_add(1);
    let decision = Decision {
        key: claim.key.clone(),
        revision,
        verdict: said.verdict,
        payable: said.payable,
        provisional,
        deadline: due.filter(|_| provisional),
        recover: said.paid.map_or(state.released, |paid| paid.paid).saturating_sub(said.payable),
        paid: said.paid,
        lines: said.lines.clone(),
        withdrawn: said.withdrawn,
        occurred_at: claim.occurred_at,
        received_at: claim.origin.received_at,
        decided_at: moment.detected_at.max(claim.origin.received_at),
        ruleset: rules.digest.clone(),
        reference_version: claim.reference_version,
    };
    if !provisional || policy.provisional == Verdict::Pay {
        state.released = said.payable;
    }
    state.published = Some(Published { revision, said });
    Some(decision)
}

fn say(claim: &Claim, state: &ClaimState, provisional: bool, policy: &Policy) -> Said {
    let lines = decided_lines(claim, state, provisional, policy);
    let payable = lines.iter().filter(|line| line.verdict == Verdict::Pay);
    Said {
        verdict: lines.iter().map(|line| line.verdict).max().unwrap_or_default(),
        payable: payable.fold(Money::ZERO, |sum, line| sum.saturating_add(line.amount)),
        provisional,
        withdrawn: claim.withdrawn,
        paid: state.paid,
        lines,
    }
}

/// All lines; those that cannot be decided otherwise than last time as they were.
fn decided_lines(
    claim: &Claim,
    state: &ClaimState,
    provisional: bool,
    policy: &Policy,
) -> Vec<Arc<DecisionLine>> {
    let decide = |line: &ClaimLine| Arc::new(judge(line, &state.answers, policy.provisional));
    let (Some(last), Some(touched)) = (&state.published, &state.touched.0) else {
        return claim.lines.iter().map(decide).collect();
    };
    if provisional {
        return claim.lines.iter().map(decide).collect();
    }
    let mut lines = last.said.lines.clone();
    for place in touched.iter().filter_map(|line_id| line_place(claim, line_id)) {
        if let (Some(line), Some(known)) = (claim.lines.get(place), lines.get_mut(place)) {
            *known = decide(line);
        }
    }
    lines
}

/// The worst of the line's own reasons and the answers to its codes, as far as a ruling does not make them act otherwise;
/// while an answer is missing at least `unanswered`.
fn judge(line: &ClaimLine, answers: &BTreeMap<(Text, Text), Answer>, unanswered: Verdict) -> DecisionLine {
    let ruled = line.ruling.as_ref().map(|ruling| ruling.verdict).unwrap_or_default();
    let mut verdict = ruled;
    let (mut reasons, mut overruled) = (BTreeSet::new(), BTreeSet::new());
    let mut weigh = |found: &BTreeMap<RuleId, Verdict>| {
        for (rule, act) in found {
            let acting = match &line.ruling {
                Some(ruling) if ruling.rules.contains(rule) => ruling.verdict,
                _ => *act,
            };
            verdict = verdict.max(acting);
            if acting > Verdict::Pay {
                reasons.insert(*rule);
            }
            if acting < *act {
                overruled.insert(*rule);
            }
        }
    };
    weigh(&line.reasons);
    let mut complete = true;
    for (code, revision) in &line.awaits {
        match answers.get(&(line.line_id.clone(), code.clone())) {
            Some(answer) if answer.revision == *revision => weigh(&answer.reasons),
            _ => complete = false,
        }
    }
    DecisionLine {
        line_id: line.line_id.clone(),
        verdict: if complete { verdict } else { verdict.max(unanswered) },
        reasons: reasons.into_iter().collect(),
        is_ruled: ruled > Verdict::Pay,
        overruled: overruled.into_iter().collect(),
        amount: line.amount,
        lent: line.lent.clone(),
    }
}

#[cfg(test)]
mod tests;
