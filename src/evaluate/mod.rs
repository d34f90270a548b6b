//! Compares what a monitor published with the truth of a simulated province.
//!
//! An alert and a statement of the truth are the same when rule, basis, code and subject are; scope and
//! counterpart are compared besides. Only the last revision of an alert counts, and of a claim's decision; an
//! alert that was withdrawn in the end and is not in the truth stood for a while because something came late, and
//! is counted apart. Rules that only act on payment (banned packs) are found in the decisions.
//!
//! Money at risk is what the decisions say of the claim line that a statement is about, else of its counterpart.
//! The time to an alert is measured in one of two ways ([`Timing`]). Of a replay, in the senders' time: from the moment
//! from which the statement can be known to the receipt or detection, whichever is later, of the revision that raised
//! it. It is negative, which people read as early, for an alert that came sooner, as with a shorter wait than the truth's,
//! or where a sender's clock is slow. Of a service on Kafka, by the stamps of records: from the receipt of the upload
//! that decided to the record of the alert.
//!
//! [`table`] shows a result as text, [`json`] for programs, [`html`] as a page; [`compare`] shows two side by side.
//!
//! Knows the JSON of published alerts and decisions by small structures of its own, so that it judges what a
//! subscriber sees. Keeps one entry per alert and claim line in memory.

pub mod admission;
mod compare;
mod html;
mod json;
mod near;
mod plot;
mod scans;
mod score;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::near::Neighbourhood;
use self::score::{Times, milliseconds, money};
use crate::domain::amount::Money;
pub use crate::present::language::Language;
use crate::sim::{Act, Effect, LineRef, Truth};
pub use plot::PlotError;
pub use scans::scans_in;
pub use score::{ActScore, LineScore, RuleScore, Spread};
pub(crate) use table::render;
pub use table::{columns, rule_title};

/// What was published so far, against the truth.
#[derive(Debug, Default)]
pub struct Evaluation {
    truth: Vec<Truth>,
    alerts: BTreeMap<String, History>,
    decisions: BTreeMap<(String, String), Decision>,
    scans: Option<u64>,
    timing: Timing,
}

/// What the time to an alert counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// The moment from which a statement can be known, in the time of the senders.
    #[default]
    SinceKnown,
    /// The receipt of the upload that decided, by the stamps of the records.
    SinceReceipt,
}

/// The newest revision of an alert, and the newest that raised it.
#[derive(Debug)]
struct History {
    newest: Alert,
    raised: Option<Raised>,
}

/// The revision that raised an alert; the later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Raised {
    revision: u64,
    published_at: Option<i64>,
    received_at: Option<i64>,
}

/// The fields of a published alert that matter here.
#[derive(Clone, Debug, Deserialize)]
struct Alert {
    alert_id: String,
    revision: u64,
    status: String,
    rule: String,
    basis: Option<String>,
    scope: Option<String>,
    code: Option<String>,
    subject: LineRef,
    counterpart: Option<LineRef>,
    #[serde(default)]
    received_at: Option<String>,
    #[serde(default)]
    detected_at: Option<String>,
    /// The stamp of its record, in Unix milliseconds, where it was read from a topic.
    #[serde(skip)]
    recorded_at: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
struct Decision {
    claim: Claim,
    revision: u64,
    #[serde(default)]
    withdrawn: bool,
    lines: Vec<DecidedLine>,
}

#[derive(Clone, Debug, Deserialize)]
struct Claim {
    institution_id: String,
    document_id: String,
}

#[derive(Clone, Debug, Deserialize)]
struct DecidedLine {
    line_id: String,
    reasons: Vec<String>,
    #[serde(default)]
    amount: Option<String>,
}

/// What makes an alert and a statement the same: rule, basis, code, subject.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a LineRef);

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Per rule, in the order of their names.
    pub rules: BTreeMap<String, RuleScore>,
    /// Per act: how many were planted, and how many were found with everything they brought about.
    pub acts: BTreeMap<Act, ActScore>,
    /// Statements that nobody made.
    pub missed: Vec<Truth>,
    /// Alerts and reasons that the truth does not know.
    pub unexplained: Vec<Unexplained>,
    /// Alerts that are right but name another scope or counterpart than the truth.
    pub inexact: Vec<Unexplained>,
    /// Alerts that were open for a while and withdrawn in the end, and that the truth does not know.
    pub passing: Vec<Unexplained>,
    /// Claim lines that must not be paid, and what became of them.
    pub lines: LineScore,
    /// Money at risk on claim lines of which something was found, each line once.
    pub money_found: Money,
    /// Money at risk on claim lines of which nothing was found that must be, each line once.
    pub money_missed: Money,
    /// Scans of codes in the uploads, when they were counted.
    pub scans: Option<u64>,
    /// What the times to alerts count from.
    pub timing: Timing,
}

/// Something published that the truth does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// The rule.
    pub rule: String,
    /// The code, for rules of codes.
    pub code: Option<String>,
    /// Whom it is about.
    pub subject: LineRef,
    /// The statement nearest to it: of the same code, else of the same document.
    pub nearest: Option<Truth>,
}

impl Evaluation {
    /// Adds statements of the truth.
    pub fn expect(&mut self, truth: impl IntoIterator<Item = Truth>) {
        self.truth.extend(truth);
    }

    /// More scans of codes were in the uploads.
    pub fn scanned(&mut self, scans: u64) {
        *self.scans.get_or_insert(0) += scans;
    }

    /// Takes one published alert, any revision, in any order.
    pub fn alert(&mut self, json: &str) -> Result<(), serde_json::Error> {
        self.take_alert(serde_json::from_str(json)?);
        Ok(())
    }

    /// Takes one alert from a topic, any revision, in any order, with the stamp of its record in Unix milliseconds.
    /// From then on the times to alerts count from the receipt of uploads.
    pub fn recorded_alert(&mut self, json: &str, recorded_at: Option<i64>) -> Result<(), serde_json::Error> {
        self.timing = Timing::SinceReceipt;
        self.take_alert(Alert { recorded_at, ..serde_json::from_str(json)? });
        Ok(())
    }

    fn take_alert(&mut self, alert: Alert) {
        let raised = (alert.status == "raised").then(|| Raised {
            revision: alert.revision,
            published_at: alert.published_at(),
            received_at: alert.received_at.as_deref().and_then(milliseconds),
        });
        match self.alerts.get_mut(&alert.alert_id) {
            Some(history) => {
                history.raised = history.raised.max(raised);
                if history.newest.revision < alert.revision {
                    history.newest = alert;
                }
            }
            None => {
                self.alerts.insert(alert.alert_id.clone(), History { newest: alert, raised });
            }
        }
    }

    /// Takes one published decision, any revision, in any order.
    pub fn decision(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let decision: Decision = serde_json::from_str(json)?;
        let key = (decision.claim.institution_id.clone(), decision.claim.document_id.clone());
        if self.decisions.get(&key).is_none_or(|known| known.revision < decision.revision) {
            self.decisions.insert(key, decision);
        }
        Ok(())
    }

    /// Compares.
    pub fn report(&self) -> Report {
        let mut report = Report { scans: self.scans, timing: self.timing, ..Report::default() };
        let open: BTreeMap<Key<'_>, &History> = self
            .alerts
            .values()
            .filter(|history| history.newest.status != "withdrawn")
            .map(|history| (history.newest.key(), history))
            .collect();
        let reasons = self.reasons(&mut report.lines);
        let mut found_of_act: BTreeMap<(Act, u64), (u64, u64)> = BTreeMap::new();
        let mut at_risk: BTreeMap<&LineRef, (Money, bool)> = BTreeMap::new();
        let mut times = Times::default();
        for truth in &self.truth {
            let alert = open.get(&truth.key()).filter(|_| truth.alerted);
            let stopped = !truth.alerted && reasons.contains(&(&truth.subject, truth.rule.as_str()));
            let found = alert.is_some() || stopped;
            if let Some(delay) = alert.and_then(|history| history.delay(truth, self.timing)) {
                times.alert_after(&truth.rule, delay);
            }
            let score = report.rules.entry(truth.rule.clone()).or_default();
            score.expected += 1;
            score.found += u64::from(found);
            if let Some((line, amount)) = self.at_risk(truth) {
                let sum = if found { &mut score.money_found } else { &mut score.money_missed };
                *sum = sum.saturating_add(amount);
                at_risk.entry(line).or_insert((amount, false)).1 |= found;
            }
            let act = found_of_act.entry((truth.act, truth.act_number)).or_default();
            act.0 += 1;
            act.1 += u64::from(found);
            if !found {
                report.missed.push(truth.clone());
            }
        }
        for (amount, found) in at_risk.into_values() {
            let sum = if found { &mut report.money_found } else { &mut report.money_missed };
            *sum = sum.saturating_add(amount);
        }
        for ((act, _), (expected, found)) in found_of_act {
            let score = report.acts.entry(act).or_default();
            score.planted += 1;
            score.noticed += u64::from(found > 0);
            score.found += u64::from(found == expected);
        }
        let neighbourhood = Neighbourhood::new(&self.truth);
        self.compare_alerts(&neighbourhood, &mut times, &mut report);
        self.compare_reasons(&reasons, &neighbourhood, &mut report);
        times.enter(&mut report.rules);
        report
    }

    /// The claim line that a statement puts at risk, and what the decisions say of its amount.
    fn at_risk<'a>(&self, truth: &'a Truth) -> Option<(&'a LineRef, Money)> {
        let sides = [Some(&truth.subject), truth.counterpart.as_ref()];
        sides.into_iter().flatten().filter(|side| side.group == "settlement").find_map(|side| {
            let claim = (side.institution_id.clone(), side.document_id.clone());
            let lines = &self.decisions.get(&claim)?.lines;
            let line = lines.iter().find(|line| line.line_id == side.line_id)?;
            Some((side, money(line.amount.as_deref()?)?))
        })
    }

    /// Pairs of claim line and reason, of the last decisions.
    fn reasons<'a>(&'a self, score: &mut LineScore) -> BTreeSet<(&'a LineRef, &'a str)> {
        // Decisions name lines by claim and line; the truth owns the same names as line references.
        let wanted: BTreeMap<(&str, &str, &str), &LineRef> = self
            .truth
            .iter()
            .filter(|truth| truth.subject.group == "settlement")
            .map(|truth| {
                let line = &truth.subject;
                ((line.institution_id.as_str(), line.document_id.as_str(), line.line_id.as_str()), line)
            })
            .collect();
        let mut reasons = BTreeSet::new();
        for decision in self.decisions.values().filter(|decision| !decision.withdrawn) {
            for line in &decision.lines {
                score.decided += 1;
                let claim = &decision.claim;
                let key = (claim.institution_id.as_str(), claim.document_id.as_str(), line.line_id.as_str());
                if let Some(known) = wanted.get(&key) {
                    reasons.extend(line.reasons.iter().map(|reason| (*known, reason.as_str())));
                }
            }
        }
        reasons
    }

    /// Counts what was alerted and is not true, or true with other particulars.
    fn compare_alerts(&self, near: &Neighbourhood<'_>, times: &mut Times, report: &mut Report) {
        let truth: BTreeMap<Key<'_>, &Truth> =
            self.truth.iter().filter(|truth| truth.alerted).map(|truth| (truth.key(), truth)).collect();
        for history in self.alerts.values() {
            let alert = &history.newest;
            let withdrawn = alert.status == "withdrawn";
            if !withdrawn {
                report.rules.entry(alert.rule.clone()).or_default().alerts += 1;
            }
            match truth.get(&alert.key()) {
                Some(known) if !withdrawn => {
                    if known.scope != alert.scope || known.counterpart != alert.counterpart {
                        report.inexact.push(near.unexplained(
                            &alert.rule,
                            alert.code.as_deref(),
                            &alert.subject,
                        ));
                    }
                }
                Some(_) => {}
                None if withdrawn => {
                    report.rules.entry(alert.rule.clone()).or_default().passing += 1;
                    let passing = near.unexplained(&alert.rule, alert.code.as_deref(), &alert.subject);
                    report.passing.push(passing);
                    if let (Some(raised), Some(ended)) = (history.raised_at(), alert.published_at()) {
                        times.stood_for(&alert.rule, ended.saturating_sub(raised));
                    }
                }
                None => {
                    report.rules.entry(alert.rule.clone()).or_default().unexplained += 1;
                    let unexplained = near.unexplained(&alert.rule, alert.code.as_deref(), &alert.subject);
                    report.unexplained.push(unexplained);
                }
            }
        }
    }

    /// Counts reasons for not paying that are not true; those of rules without alerts are listed.
    fn compare_reasons(
        &self,
        found: &BTreeSet<(&LineRef, &str)>,
        near: &Neighbourhood<'_>,
        report: &mut Report,
    ) {
        let expected: BTreeSet<(&LineRef, &str)> = self
            .truth
            .iter()
            .filter(|truth| truth.effect != Effect::Alert && truth.subject.group == "settlement")
            .map(|truth| (&truth.subject, truth.rule.as_str()))
            .collect();
        report.lines.expected = expected.len() as u64;
        report.lines.found = expected.intersection(found).count() as u64;
        for decision in self.decisions.values().filter(|decision| !decision.withdrawn) {
            for line in &decision.lines {
                let subject = LineRef {
                    institution_id: decision.claim.institution_id.clone(),
                    group: "settlement".to_owned(),
                    document_id: decision.claim.document_id.clone(),
                    line_id: line.line_id.clone(),
                };
                for reason in &line.reasons {
                    if !expected.contains(&(&subject, reason.as_str())) {
                        report.lines.unexplained += 1;
                        if reason == "banned" {
                            report.rules.entry(reason.clone()).or_default().unexplained += 1;
                        }
                        report.unexplained.push(near.unexplained(reason, None, &subject));
                    }
                }
            }
        }
    }
}

impl History {
    fn raised_at(&self) -> Option<i64> {
        self.raised?.published_at
    }

    /// The time to the alert, in milliseconds.
    fn delay(&self, truth: &Truth, timing: Timing) -> Option<i64> {
        let from = match timing {
            Timing::SinceKnown => truth.known_from,
            Timing::SinceReceipt => self.raised?.received_at?,
        };
        Some(self.raised_at()?.saturating_sub(from))
    }
}

impl Alert {
    /// When it was published, in Unix milliseconds: the stamp of its record, else what it says of itself. Its stamp of
    /// detection is when the stage before wrote, which in a replay is before the upload moves time on.
    fn published_at(&self) -> Option<i64> {
        let moment = |text: &Option<String>| text.as_deref().and_then(milliseconds);
        self.recorded_at.or_else(|| moment(&self.received_at).max(moment(&self.detected_at)))
    }

    fn key(&self) -> Key<'_> {
        (&self.rule, self.basis.as_deref(), self.code.as_deref(), &self.subject)
    }
}

impl Truth {
    fn key(&self) -> Key<'_> {
        (&self.rule, self.basis.as_deref(), self.code.as_deref(), &self.subject)
    }
}

#[cfg(test)]
mod tests;
