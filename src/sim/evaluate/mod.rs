//! Compares what a monitor published with the truth of a simulated province.
//!
//! An alert and a statement of the truth are the same when rule, basis, code and subject are; scope and
//! counterpart are compared besides. Only the last revision of an alert counts, and of a claim's decision; an
//! alert that was withdrawn in the end and is not in the truth stood for a while because something came late, and
//! is counted apart. Rules that only act on payment (banned packs) are found in the decisions.
//!
//! Knows the JSON of published alerts and decisions by small structures of its own, so that it judges what a
//! subscriber sees. Keeps one entry per alert and claim line in memory.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::truth::{Act, Effect, LineRef, Truth};
pub use table::Language;

/// What was published so far, against the truth.
#[derive(Debug, Default)]
pub struct Evaluation {
    truth: Vec<Truth>,
    alerts: BTreeMap<String, Alert>,
    decisions: BTreeMap<(String, String), Decision>,
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
    /// Claim lines that must not be paid, and what became of them.
    pub lines: LineScore,
}

/// How one rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleScore {
    /// Statements of the truth.
    pub expected: u64,
    /// Of those, found.
    pub found: u64,
    /// Open in the end, and not in the truth.
    pub unexplained: u64,
    /// Open for a while, withdrawn in the end, and not in the truth.
    pub passing: u64,
}

/// How the acts of one kind were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActScore {
    /// Acts that brought something about.
    pub planted: u64,
    /// Of those, found by at least one statement.
    pub noticed: u64,
    /// Of those, found in full.
    pub found: u64,
}

/// How the payment of lines was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineScore {
    /// Claim lines decided.
    pub decided: u64,
    /// Pairs of line and reason that must be there.
    pub expected: u64,
    /// Of those, there.
    pub found: u64,
    /// Pairs that must not be there.
    pub unexplained: u64,
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

impl RuleScore {
    /// Found of expected; none when nothing is expected.
    pub fn recall(&self) -> Option<f64> {
        share(self.found, self.expected)
    }

    /// Right of published; none when nothing was published.
    pub fn precision(&self) -> Option<f64> {
        share(self.found, self.found + self.unexplained)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Evaluation {
    /// Adds statements of the truth.
    pub fn expect(&mut self, truth: impl IntoIterator<Item = Truth>) {
        self.truth.extend(truth);
    }

    /// Takes one published alert, any revision, in any order.
    pub fn alert(&mut self, json: &str) -> Result<(), serde_json::Error> {
        let alert: Alert = serde_json::from_str(json)?;
        let known = self.alerts.get(&alert.alert_id).map(|known| known.revision);
        if known.is_none_or(|known| known < alert.revision) {
            self.alerts.insert(alert.alert_id.clone(), alert);
        }
        Ok(())
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
        let mut report = Report::default();
        let open: BTreeMap<Key<'_>, &Alert> = self
            .alerts
            .values()
            .filter(|alert| alert.status != "withdrawn")
            .map(|alert| (alert.key(), alert))
            .collect();
        let reasons = self.reasons(&mut report.lines);
        let mut found_of_act: BTreeMap<(Act, u64), (u64, u64)> = BTreeMap::new();
        for truth in &self.truth {
            let stopped = reasons.contains(&(&truth.subject, truth.rule.as_str()));
            let found = if truth.alerted { open.contains_key(&truth.key()) } else { stopped };
            let score = report.rules.entry(truth.rule.clone()).or_default();
            score.expected += 1;
            score.found += u64::from(found);
            let act = found_of_act.entry((truth.act, truth.act_number)).or_default();
            act.0 += 1;
            act.1 += u64::from(found);
            if !found {
                report.missed.push(truth.clone());
            }
        }
        for ((act, _), (expected, found)) in found_of_act {
            let score = report.acts.entry(act).or_default();
            score.planted += 1;
            score.noticed += u64::from(found > 0);
            score.found += u64::from(found == expected);
        }
        let neighbourhood = Neighbourhood::new(&self.truth);
        self.compare_alerts(&neighbourhood, &mut report);
        self.compare_reasons(&reasons, &neighbourhood, &mut report);
        report
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
    fn compare_alerts(&self, near: &Neighbourhood<'_>, report: &mut Report) {
        let truth: BTreeMap<Key<'_>, &Truth> =
            self.truth.iter().filter(|truth| truth.alerted).map(|truth| (truth.key(), truth)).collect();
        for alert in self.alerts.values() {
            let withdrawn = alert.status == "withdrawn";
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
                None if withdrawn => report.rules.entry(alert.rule.clone()).or_default().passing += 1,
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

/// The truth by what an unexplained alert may be near to: its code, its document.
struct Neighbourhood<'a> {
    of_codes: BTreeMap<&'a str, &'a Truth>,
    of_documents: BTreeMap<(&'a str, &'a str), &'a Truth>,
}

impl<'a> Neighbourhood<'a> {
    fn new(truth: &'a [Truth]) -> Self {
        let of_codes = truth.iter().filter_map(|one| Some((one.code.as_deref()?, one))).collect();
        let of_documents = truth.iter().map(|one| (document(&one.subject), one)).collect();
        Self { of_codes, of_documents }
    }

    fn unexplained(&self, rule: &str, code: Option<&str>, subject: &LineRef) -> Unexplained {
        let same_code = code.and_then(|code| self.of_codes.get(code));
        let nearest = same_code.or_else(|| self.of_documents.get(&document(subject)));
        Unexplained {
            rule: rule.to_owned(),
            code: code.map(str::to_owned),
            subject: subject.clone(),
            nearest: nearest.map(|&truth| truth.clone()),
        }
    }
}

fn document(line: &LineRef) -> (&str, &str) {
    (&line.institution_id, &line.document_id)
}

impl Alert {
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
