//! The monitor of one code: applies what changed to its timeline, and says what follows.
//!
//! Each change is applied whole and judged once, so a correction amends an alert and does not withdraw and raise
//! it. The code is judged anew as a whole; what was published before is kept ([`CodeState`]) and only differences
//! go out. So the open alerts and verdicts after a change depend on the live observations, `now` and the rule set,
//! while revisions and causes tell how they came about.
//!
//! Limits: each change costs a pass over all observations of its code; beyond
//! [`OBSERVATIONS_WALKED_MAX`] that pass only keeps them and holds
//! their settlement lines. An early fact about a code with many open sales amends every later finding, since what
//! was used before each of them has changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::alert::{AlertBook, AlertChange, Occasion, Status};
use super::claim::{CodeVerdict, Verdict};
use super::document::{Origin, Role};
use super::finding::{self, Finding};
use super::observation::{Cause, CodeChange, Moment, Observation, ObservationKey};
use super::rules::code::{Evaluation, evaluate};
use super::rules::ruleset::RuleSet;
use super::rules::{Action, RuleId};
use super::time::Timestamp;
use super::timeline::{OBSERVATIONS_KEPT_MAX, OBSERVATIONS_WALKED_MAX, Timeline, order};

/// All that is kept of one code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeState {
    /// Live observations, in the order of the timeline.
    pub observations: Vec<Observation>,
    /// What was published of its findings.
    pub alerts: AlertBook,
    /// What was answered to each live settlement observation.
    pub verdicts: BTreeMap<ObservationKey, Judged>,
    /// When a grace ends that a finding waits for.
    pub due: Option<Timestamp>,
    /// When its last live observation was taken back; none while there is any.
    pub emptied_at: Option<Timestamp>,
}

/// The last answer to one settlement observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The revision of the observation that was judged.
    pub revision: u64,
    /// The reasons that were published; none worse than pay means pay.
    pub reasons: BTreeMap<RuleId, Verdict>,
}

/// What follows from one change of one code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorEffects {
    /// Alerts to be published.
    pub alerts: Vec<AlertChange>,
    /// Answers to claims.
    pub verdicts: Vec<CodeVerdict>,
    /// For metrics, the rules that only observe, one for each of their findings about the changed document. Of a
    /// tick, one for each whose grace is over.
    pub observed: Vec<RuleId>,
    /// For metrics and the log, findings that an allowance silences, with its reason; counted likewise.
    pub allowed: Vec<(RuleId, Text)>,
    /// For metrics, observations that found no room.
    pub without_room: usize,
    /// When the code is to be looked at again, if nothing changes before.
    pub due: Option<Timestamp>,
}

impl CodeState {
    /// Whether nothing is known and nothing was ever published, so that it need not be kept.
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty() && self.alerts.is_empty() && self.verdicts.is_empty()
    }
}

/// Applies what one upload changes of the code. Retractions of what is not there are ignored.
pub fn apply(state: &mut CodeState, change: &CodeChange, moment: &Moment, rules: &RuleSet) -> MonitorEffects {
    let reference_before = newest_reference(&state.observations);
    let at_most = if state.alerts.has_room() { OBSERVATIONS_KEPT_MAX } else { 0 };
    let found_room =
        order::amend(&mut state.observations, &change.document, &change.retracted, &change.asserted, at_most);
    let cause = change.cause();
    let asked =
        change.asserted.iter().filter(|o| o.key.document == change.document).map(|o| &o.key).collect();
    let news = News {
        code: &change.code,
        cause: &cause,
        origin: Some(&change.origin),
        asked,
        reference_version: reference_before.max(newest_reference(&state.observations)),
    };
    let mut effects = judge(state, &news, moment, rules);
    state.emptied_at =
        (state.observations.is_empty() && !state.is_empty()).then_some(change.origin.received_at);
    if !found_room {
        effects.without_room = turn_away(state, change, &mut effects.verdicts);
    }
    effects
}

/// Holds the settlement lines whose observations found no room: nothing will be known of their code. How many
/// observations found none.
fn turn_away(state: &CodeState, change: &CodeChange, verdicts: &mut Vec<CodeVerdict>) -> usize {
    let kept: BTreeSet<&ObservationKey> = state.observations.iter().map(|known| &known.key).collect();
    let turned_away: Vec<&Observation> =
        change.asserted.iter().filter(|observation| !kept.contains(&observation.key)).collect();
    for observation in turned_away.iter().filter(|observation| observation.is_settlement()) {
        verdicts.push(CodeVerdict {
            key: observation.key.document.clone(),
            line_id: observation.key.line_id.clone(),
            code: change.code.clone(),
            revision: observation.revision,
            reasons: Reasons::from([(RuleId::OverusedCode, Verdict::Hold)]),
        });
    }
    turned_away.len()
}

/// Looks at the code again because time has passed.
pub fn tick(state: &mut CodeState, code: &Text, moment: &Moment, rules: &RuleSet) -> MonitorEffects {
    let cause = Cause::TIME;
    let reference_version = newest_reference(&state.observations);
    let news = News { code, cause: &cause, origin: None, asked: BTreeSet::new(), reference_version };
    judge(state, &news, moment, rules)
}

/// What brought the code up.
struct News<'a> {
    code: &'a Text,
    cause: &'a Cause,
    origin: Option<&'a Origin>,
    /// Observations whose claim waits for an answer to their newest revision.
    asked: BTreeSet<&'a ObservationKey>,
    reference_version: u64,
}

fn judge(state: &mut CodeState, news: &News<'_>, moment: &Moment, rules: &RuleSet) -> MonitorEffects {
    let Evaluation { mut findings, next_due } = evaluate(&state.observations, moment.now, rules);
    rules.allow(&mut findings, Some(news.code));
    let verdicts = answer(state, news, &findings);
    let (observed, allowed) = observed(&findings, news.cause);
    let occasion = Occasion {
        code: Some(news.code),
        cause: news.cause,
        origin: news.origin,
        detected_at: moment.detected_at,
        ruleset: &rules.digest,
        reference_version: news.reference_version,
    };
    let mut alerts = state.alerts.diff(findings, &occasion);
    tell_moved(&mut alerts, &state.observations, rules);
    state.due = next_due;
    MonitorEffects { alerts, verdicts, observed, allowed, without_room: 0, due: next_due }
}

/// Tells withdrawals whose sale is judged by its settlement now from those that are explained. Sales are made a second
/// time for that, so only where something was found of a sale without settlement.
fn tell_moved(alerts: &mut [AlertChange], observations: &[Observation], rules: &RuleSet) {
    let may_have_moved = |alert: &AlertChange| {
        let Finding { rule, subject, .. } = &alert.finding;
        let is_of_observation = matches!(rule, RuleId::Swap | RuleId::OverusedCode);
        alert.status == Status::Withdrawn && subject.role == Some(Role::Dispensing) && !is_of_observation
    };
    if !alerts.iter().any(may_have_moved) || observations.len() > OBSERVATIONS_WALKED_MAX {
        return;
    }
    let timeline = Timeline::of(observations, rules.sale_link_window, rules.sale_match_window);
    let settled: BTreeMap<&ObservationKey, &ObservationKey> = timeline
        .sales
        .iter()
        .filter_map(|sale| Some((sale, sale.settlement?)))
        .flat_map(|(sale, settlement)| {
            sale.facts().map(move |fact| (&fact.observation.key, &settlement.observation.key))
        })
        .collect();
    for alert in alerts.iter_mut().filter(|alert| may_have_moved(alert)) {
        let subject = &alert.finding.subject.key;
        let Some(settlement) = settled.get(subject) else { continue };
        alert.cause.moved_to_settlement = true;
        // The hand-over that lends does not explain itself: what it is joined with does.
        if alert.cause.document.as_ref() == Some(&subject.document) {
            alert.cause = Cause { document: Some(settlement.document.clone()), ..alert.cause.clone() };
        }
    }
}

/// Answers every settlement observation that asks, and every one whose reasons changed; forgets those gone.
fn answer(state: &mut CodeState, news: &News<'_>, findings: &[Finding]) -> Vec<CodeVerdict> {
    let (reasons, everywhere) = reasons(findings);
    let mut before = std::mem::take(&mut state.verdicts);
    let mut answers = Vec::new();
    for observation in state.observations.iter().filter(|observation| observation.is_settlement()) {
        let key = &observation.key;
        let mut now =
            Judged { revision: observation.revision, reasons: reasons.get(key).cloned().unwrap_or_default() };
        now.reasons.extend(everywhere);
        let is_known = before.remove(key).is_some_and(|judged| judged == now);
        if !is_known || news.asked.contains(key) {
            answers.push(CodeVerdict {
                key: key.document.clone(),
                line_id: key.line_id.clone(),
                code: news.code.clone(),
                revision: now.revision,
                reasons: now.reasons.clone(),
            });
        }
        state.verdicts.insert(key.clone(), now);
    }
    answers
}

type Reasons = BTreeMap<RuleId, Verdict>;

/// The rules that alert, hold or refuse, by subject, and the one that does so on every settlement of the code.
fn reasons(findings: &[Finding]) -> (BTreeMap<&ObservationKey, Reasons>, Option<(RuleId, Verdict)>) {
    let mut by_subject: BTreeMap<&ObservationKey, Reasons> = BTreeMap::new();
    let mut everywhere = None;
    for finding in findings {
        let Some(verdict) = verdict(finding.action) else {
            continue;
        };
        if finding.rule == RuleId::OverusedCode {
            everywhere = Some((finding.rule, verdict));
        } else {
            let reasons = by_subject.entry(&finding.subject.key).or_default();
            let worst = reasons.entry(finding.rule).or_default();
            *worst = verdict.max(*worst);
        }
    }
    (by_subject, everywhere)
}

/// What an action means for a claim line; none when nobody is told. An alert lets pay, unless a ruling makes it more.
const fn verdict(action: Action) -> Option<Verdict> {
    match action {
        Action::Observe => None,
        Action::Alert => Some(Verdict::Pay),
        Action::Hold => Some(Verdict::Hold),
        Action::Refuse => Some(Verdict::Refuse),
    }
}

/// What to count of the findings that only observe, those that are silenced apart.
fn observed(findings: &[Finding], cause: &Cause) -> (Vec<RuleId>, Vec<(RuleId, Text)>) {
    let concerns = |finding: &&Finding| match &cause.document {
        Some(document) => finding.subject.key.document == *document,
        None => finding.attributes.grace_hours.is_some(),
    };
    let observing = findings.iter().filter(|finding| finding.action == Action::Observe);
    finding::counted(observing.filter(concerns))
}

fn newest_reference(observations: &[Observation]) -> u64 {
    observations.iter().map(|observation| observation.reference_version).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseIn, Settlement};
    use crate::domain::observation::What;
    use crate::domain::rules::ruleset::Override;
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, day, told};

    const CODE: &str = "81773220000000016835";

    fn change(document: &Observation, what: What) -> CodeChange {
        let is_gone = what == What::Retracted;
        CodeChange {
            code: CODE.into(),
            document: document.key.document.clone(),
            document_revision: document.revision,
            what,
            lender: None,
            retracted: if is_gone { vec![document.key.line_id.clone()] } else { Vec::new() },
            asserted: if is_gone { Vec::new() } else { vec![document.clone()] },
            origin: document.origin.clone(),
        }
    }

    fn at(now: u32) -> Moment {
        Moment { now: Some(day(now)), wall: None, forgotten_before: None, detected_at: day(now) }
    }

    fn told_of(state: &mut CodeState, document: &Observation) -> MonitorEffects {
        apply(state, &change(document, What::Asserted), &at(20), &RuleSet::default())
    }

    /// Rule, subject's document, status and revision of each alert.
    fn said(effects: &MonitorEffects) -> Vec<String> {
        let alerts = effects.alerts.iter().map(|alert| {
            let subject = &alert.finding.subject.key.document.document_id;
            format!("{} {subject} {} {}", alert.finding.rule.name(), alert.status.name(), alert.revision)
        });
        alerts.collect()
    }

    /// Document, revision and reasons of each verdict.
    fn answered(effects: &MonitorEffects) -> Vec<String> {
        let verdicts = effects.verdicts.iter().map(|verdict| {
            let reasons =
                verdict.reasons.iter().map(|(rule, verdict)| format!(" {} {}", rule.name(), verdict.name()));
            format!("{} {}{}", verdict.key.document_id, verdict.revision, reasons.collect::<String>())
        });
        verdicts.collect()
    }

    #[test]
    fn a_late_return_pays_the_claim_that_was_refused_and_says_why() {
        let mut state = CodeState::default();
        let first = told_of(&mut state, &told(Settlement, PHARMACY, "S1", 5));
        assert_eq!(answered(&first), ["S1 1"]);
        let second = told_of(&mut state, &told(Settlement, PHARMACY, "S2", 9).with(|o| o.revision = 7));
        assert_eq!(answered(&second), ["S2 7 duplicate_settlement refuse"]);
        assert_eq!(said(&second), ["duplicate_settlement S2 raised 1"]);
        let back = told_of(&mut state, &told(DispenseReturn, PHARMACY, "R1", 7).gives_back("S1"));
        assert_eq!(answered(&back), ["S2 7"]);
        assert_eq!(said(&back), ["duplicate_settlement S2 withdrawn 2", "return_not_refunded R1 raised 1"]);
        let causes = back.alerts.iter().map(|alert| alert.cause.document.as_ref().map(|d| &*d.document_id));
        assert!(causes.eq([Some("R1"), Some("R1")]));
        let gone = apply(
            &mut state,
            &change(&told(DispenseReturn, PHARMACY, "R1", 7), What::Retracted),
            &at(20),
            &RuleSet::default(),
        );
        assert_eq!(said(&gone), ["duplicate_settlement S2 raised 3", "return_not_refunded R1 withdrawn 2"]);
        assert_eq!(answered(&gone), ["S2 7 duplicate_settlement refuse"]);
    }

    #[test]
    fn a_correction_amends_and_is_answered_with_its_own_revision() {
        let mut state = CodeState::default();
        told_of(&mut state, &told(Settlement, PHARMACY, "S1", 5));
        told_of(&mut state, &told(Settlement, PHARMACY, "S2", 9));
        let corrected = told_of(&mut state, &told(Settlement, PHARMACY, "S2", 8).with(|o| o.revision = 2));
        assert_eq!(said(&corrected), ["duplicate_settlement S2 amended 2"]);
        assert_eq!(answered(&corrected), ["S2 2 duplicate_settlement refuse"]);
        let repeated = told_of(&mut state, &told(Settlement, PHARMACY, "S2", 8).with(|o| o.revision = 2));
        assert!(repeated.alerts.is_empty());
        assert_eq!(answered(&repeated), ["S2 2 duplicate_settlement refuse"]);
    }

    #[test]
    fn a_finding_that_moves_to_the_settlement_of_its_sale_says_so_and_one_that_is_explained_does_not() {
        let mut state = CodeState::default();
        told_of(&mut state, &told(Dispense, HOSPITAL, "D1", 5));
        told_of(&mut state, &told(Dispense, PHARMACY, "D2", 9).settles("x"));
        let moved = |effects: &MonitorEffects| {
            let withdrawn = effects.alerts.iter().filter(|alert| alert.status == Status::Withdrawn);
            withdrawn.map(|alert| alert.cause.moved_to_settlement).collect::<Vec<_>>()
        };
        let settled = told_of(&mut state, &told(Settlement, PHARMACY, "S2", 9).settles("x"));
        assert_eq!(said(&settled), ["resale D2 withdrawn 2", "resale S2 raised 1"]);
        assert_eq!(moved(&settled), [true]);
        told_of(&mut state, &told(Dispense, CLINIC, "D3", 12));
        let given_back = told(DispenseReturn, PHARMACY, "R1", 10).gives_back("D2");
        let returned = [told(DispenseReturn, HOSPITAL, "R0", 8).gives_back("D1"), given_back];
        let explained = returned.map(|back| moved(&told_of(&mut state, &back)));
        assert_eq!(explained, [vec![false], vec![false]], "of S2 by R0, of D3 by R1");
        // A swap is found of each half of a sale for itself.
        let mut state = CodeState::default();
        let names = |product: &'static str| move |o: &mut Observation| o.product_code = Some(product.into());
        let swapped = told(Dispense, PHARMACY, "D1", 5).settles("x").with(names("X2"));
        let swapped = swapped.with(|o| o.product = None);
        told_of(
            &mut state,
            &told(PurchaseIn, PHARMACY, "B1", 1).with(names("X1")).with(|o| o.product = None),
        );
        told_of(&mut state, &told(Settlement, PHARMACY, "S1", 5).settles("x").with(|o| o.product = None));
        assert_eq!(said(&told_of(&mut state, &swapped)), ["swap D1 raised 1"]);
        let corrected = told_of(&mut state, &swapped.with(names("X1")));
        assert_eq!((said(&corrected), moved(&corrected)), (vec!["swap D1 withdrawn 2".into()], vec![false]));
    }

    #[test]
    fn an_unknown_retraction_is_ignored() {
        let mut state = CodeState::default();
        told_of(&mut state, &told(Settlement, PHARMACY, "S1", 5));
        let before = state.clone();
        let unknown = change(&told(Settlement, HOSPITAL, "S1", 5), What::Retracted);
        let effects = apply(&mut state, &unknown, &at(20), &RuleSet::default());
        assert_eq!((state, effects), (before, MonitorEffects::default()));
    }

    #[test]
    fn a_grace_that_ends_is_a_tick_without_a_document() {
        let mut state = CodeState::default();
        let sold = told(Settlement, PHARMACY, "S1", 5).uploading_since(1);
        let effects = apply(&mut state, &change(&sold, What::Asserted), &at(5), &RuleSet::default());
        assert_eq!((said(&effects), effects.due), (Vec::new(), Some(day(7))));
        let effects = tick(&mut state, &CODE.into(), &at(7), &RuleSet::default());
        assert_eq!(said(&effects), ["settled_not_dispensed S1 raised 1"]);
        assert_eq!((effects.due, state.due), (Some(day(8)), Some(day(8))));
        assert_eq!(
            answered(&effects),
            ["S1 1 settled_not_dispensed pay"],
            "a ruling may make more of an alert"
        );
        let causes: Vec<&Cause> = effects.alerts.iter().map(|alert| &alert.cause).collect();
        assert_eq!(causes, [&Cause::TIME]);
        let effects = tick(&mut state, &CODE.into(), &at(8), &RuleSet::default());
        assert_eq!((said(&effects), effects.due), (vec!["not_purchased S1 raised 1".to_owned()], None));
    }

    #[test]
    fn the_rule_set_silences_observes_or_softens_by_place() {
        let deviation = |enabled, action| Override {
            rule: RuleId::DuplicateSettlement,
            region: None,
            tier: None,
            institution_id: Some(HOSPITAL.into()),
            product_code: None,
            valid_from: None,
            valid_to: None,
            enabled,
            action,
            severity: None,
            grace: None,
        };
        let claims =
            |place| [told(Settlement, PHARMACY, "S1", 5).to(1), told(Settlement, place, "S2", 9).to(1)];
        let last = |place, enabled, action| {
            let rules = RuleSet { overrides: vec![deviation(enabled, action)], ..RuleSet::default() };
            let mut state = CodeState::default();
            let effects = claims(place)
                .map(|claim| apply(&mut state, &change(&claim, What::Asserted), &at(20), &rules));
            let [_, last] = effects;
            (answered(&last), last.observed)
        };
        let at_hospital = |enabled, action| last(HOSPITAL, enabled, action);
        let resale = |more: &str| vec![format!("S2 1{more} resale hold")];
        assert_eq!(at_hospital(Some(false), None), (resale(""), vec![]));
        assert_eq!(at_hospital(None, Some(Action::Alert)), (resale(" duplicate_settlement pay"), vec![]));
        assert_eq!(at_hospital(None, Some(Action::Hold)), (resale(" duplicate_settlement hold"), vec![]));
        let observed = at_hospital(None, Some(Action::Observe));
        assert_eq!(observed, (resale(""), vec![RuleId::DuplicateSettlement]));
        let elsewhere = last(PHARMACY, Some(false), None);
        assert_eq!(elsewhere, (vec!["S2 1 duplicate_settlement refuse".to_owned()], vec![]));
    }

    #[test]
    fn a_code_that_is_full_holds_what_it_does_not_keep_and_lets_known_facts_be_corrected() {
        let claims = (0..OBSERVATIONS_KEPT_MAX).map(|n| told(PurchaseIn, PHARMACY, &format!("B{n:05}"), 5));
        let mut state = CodeState { observations: claims.collect(), ..CodeState::default() };
        let effects = told_of(&mut state, &told(Settlement, PHARMACY, "S1", 6));
        assert_eq!(answered(&effects), ["S1 1 overused_code hold"]);
        assert_eq!((effects.without_room, state.observations.len()), (1, OBSERVATIONS_KEPT_MAX));
        let corrected = told(PurchaseIn, PHARMACY, "B00007", 4).with(|o| o.revision = 2);
        assert_eq!(told_of(&mut state, &corrected).without_room, 0);
        assert_eq!(state.observations.first(), Some(&corrected));
        let gone = change(&corrected, What::Retracted);
        apply(&mut state, &gone, &at(20), &RuleSet::default());
        let effects = told_of(&mut state, &told(Settlement, PHARMACY, "S2", 6));
        assert_eq!((effects.without_room, state.observations.len()), (0, OBSERVATIONS_KEPT_MAX));
        assert_eq!(answered(&effects), ["S2 1 overused_code hold"]);
    }

    #[test]
    fn an_overused_code_holds_all_its_claims_and_lets_go_again() {
        let claims =
            (0..=OBSERVATIONS_WALKED_MAX).map(|n| told(PurchaseIn, PHARMACY, &format!("B{n:04}"), 5));
        let mut state = CodeState { observations: claims.collect(), ..CodeState::default() };
        let effects = told_of(&mut state, &told(Settlement, PHARMACY, "S1", 6));
        assert_eq!(answered(&effects), ["S1 1 overused_code hold"]);
        assert_eq!(said(&effects), ["overused_code B0000 raised 1"]);
        for n in 0..2 {
            let gone = change(&told(PurchaseIn, PHARMACY, &format!("B{n:04}"), 5), What::Retracted);
            let effects = apply(&mut state, &gone, &at(6), &RuleSet::default());
            if n == 1 {
                assert_eq!(answered(&effects), ["S1 1"]);
                assert!(effects.alerts.iter().all(|alert| alert.status == Status::Withdrawn));
            }
        }
    }
}
