//! The monitor of one code: applies what changed to its timeline, and says what follows.
//!
//! Each change is applied whole and judged once, so a correction amends an alert and does not withdraw and raise
//! it. The code is judged anew as a whole; what was published before is kept ([`CodeState`]) and only differences
//! go out. So the open alerts and verdicts after a change depend on the live observations, `now` and the rule set,
//! while revisions and causes tell how they came about.
//!
//! Limits: a change costs a copy of nothing, but a pass over all observations of its code; beyond
//! [`OBSERVATIONS_WALKED_MAX`](super::timeline::OBSERVATIONS_WALKED_MAX) that pass only keeps them and holds
//! their settlement lines.

use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::alert::{AlertBook, AlertChange, Occasion};
use super::claim::{CodeVerdict, Verdict};
use super::document::Origin;
use super::finding::Finding;
use super::observation::{Cause, CodeChange, Moment, Observation, ObservationKey, What};
use super::rules::code::{Evaluation, evaluate};
use super::rules::ruleset::RuleSet;
use super::rules::{Action, RuleId};
use super::time::Timestamp;
use super::timeline::order;

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
}

/// The last answer to one settlement observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The revision of the observation that was judged.
    pub revision: u64,
    /// The reasons that were published; none means pay.
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
    order::amend(&mut state.observations, &change.document, &change.retracted, &change.asserted);
    let cause = Cause { document: Some(change.document.clone()), what: change.what };
    let asked =
        change.asserted.iter().filter(|o| o.key.document == change.document).map(|o| &o.key).collect();
    let news = News {
        code: &change.code,
        cause: &cause,
        origin: Some(&change.origin),
        asked,
        reference_version: reference_before.max(newest_reference(&state.observations)),
    };
    judge(state, &news, moment, rules)
}

/// Looks at the code again because time has passed.
pub fn tick(state: &mut CodeState, code: &Text, moment: &Moment, rules: &RuleSet) -> MonitorEffects {
    let cause = Cause { document: None, what: What::Tick };
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
    let Evaluation { findings, next_due } = evaluate(&state.observations, moment.now, rules);
    let verdicts = answer(state, news, &findings);
    let observed = observed(&findings, news.cause);
    let occasion = Occasion {
        code: Some(news.code),
        cause: news.cause,
        origin: news.origin,
        detected_at: moment.detected_at,
        ruleset: &rules.digest,
        reference_version: news.reference_version,
    };
    let alerts = state.alerts.diff(findings, &occasion);
    state.due = next_due;
    MonitorEffects { alerts, verdicts, observed, due: next_due }
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

/// The rules that hold or refuse, by subject, and the one that does so on every settlement of the code.
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

/// What an action means for a claim line; none when it pays.
const fn verdict(action: Action) -> Option<Verdict> {
    match action {
        Action::Observe | Action::Alert => None,
        Action::Hold => Some(Verdict::Hold),
        Action::Refuse => Some(Verdict::Refuse),
    }
}

fn observed(findings: &[Finding], cause: &Cause) -> Vec<RuleId> {
    let concerns = |finding: &&Finding| match &cause.document {
        Some(document) => finding.subject.key.document == *document,
        None => finding.attributes.grace_hours.is_some(),
    };
    let observing = findings.iter().filter(|finding| finding.action == Action::Observe);
    observing.filter(concerns).map(|finding| finding.rule).collect()
}

fn newest_reference(observations: &[Observation]) -> u64 {
    observations.iter().map(|observation| observation.reference_version).max().unwrap_or_default()
}
