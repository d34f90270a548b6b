//! The docket: where rules enter what they state, and statements become findings.
//!
//! It knows the rule set and `now`, so that a rule file holds nothing but its own condition: which setting
//! applies to a subject, whether a grace is over (and if not, when to look again), and what every finding
//! carries besides.

use std::collections::BTreeMap;

use super::Evaluation;
use crate::domain::amount::Money;
use crate::domain::finding::{Attributes, EVIDENCE_MAX, Finding, Side};
use crate::domain::observation::Observation;
use crate::domain::rules::ruleset::{RuleSet, Setting, Whom};
use crate::domain::rules::{Action, Basis, RuleId, Scope};
use crate::domain::time::{Millis, Timestamp};
use crate::domain::timeline::Fact;
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::{InUse, OpenSale, Walk};

/// Collects the findings of one evaluation.
pub(super) struct Docket<'r> {
    now: Option<Timestamp>,
    rules: &'r RuleSet,
    evaluation: Evaluation,
}

/// What a rule states of its subject.
pub(super) struct Statement<'a> {
    pub(super) rule: RuleId,
    pub(super) basis: Option<Basis>,
    pub(super) scope: Option<Scope>,
    /// The action by the text of the rules.
    pub(super) action: Action,
    pub(super) setting: Setting,
    pub(super) subject: Fact<'a>,
    pub(super) counterpart: Option<Fact<'a>>,
    pub(super) evidence: Evidence<'a>,
    pub(super) attributes: Attributes,
}

/// The observations that a statement rests on, those added first preferred under the limit.
#[derive(Default)]
pub(super) struct Evidence<'a> {
    facts: BTreeMap<usize, Fact<'a>>,
    omitted: usize,
}

impl<'r> Docket<'r> {
    pub(super) fn new(now: Option<Timestamp>, rules: &'r RuleSet) -> Self {
        Self { now, rules, evaluation: Evaluation::default() }
    }

    /// What the rule does to that subject; none when it is disabled for it.
    pub(super) fn setting(&self, rule: RuleId, subject: &Observation) -> Option<Setting> {
        setting(self.rules, rule, subject)
    }

    /// Whether `grace` after `since` has passed. If not, the evaluation is to be repeated when it has.
    pub(super) fn has_passed(&mut self, since: Timestamp, grace: Millis) -> bool {
        let due = since.plus(grace);
        if self.now.is_some_and(|now| now >= due) {
            return true;
        }
        let earlier = self.evaluation.next_due.is_none_or(|next| due < next);
        if earlier {
            self.evaluation.next_due = Some(due);
        }
        false
    }

    pub(super) fn enter(&mut self, statement: Statement<'_>, walk: &Walk<'_, '_>) {
        self.evaluation.findings.push(finding(statement, walk));
    }

    pub(super) fn close(self) -> Evaluation {
        self.evaluation
    }
}

/// What the rule of that set does to that subject; none when it is disabled for it.
pub(super) fn setting(rules: &RuleSet, rule: RuleId, subject: &Observation) -> Option<Setting> {
    let whom = Whom {
        region: &subject.region,
        tier: subject.tier.as_deref(),
        institution_id: subject.institution_id(),
        product_code: subject.product_code.as_deref(),
        day: subject.day(),
    };
    Some(rules.setting(rule, &whom)).filter(|setting| setting.enabled)
}

impl<'a> Statement<'a> {
    /// A statement about a subject alone.
    pub(super) fn about(rule: RuleId, action: Action, setting: Setting, subject: Fact<'a>) -> Self {
        let mut evidence = Evidence::default();
        evidence.add(subject);
        Self {
            rule,
            basis: None,
            scope: None,
            action,
            setting,
            subject,
            counterpart: None,
            evidence,
            attributes: Attributes::default(),
        }
    }

    /// Names the other side.
    pub(super) fn against(mut self, counterpart: Fact<'a>) -> Self {
        self.counterpart = Some(counterpart);
        self.evidence.add(counterpart);
        self
    }

    /// Says how far apart the sides are.
    pub(super) fn with_scope(mut self) -> Self {
        self.scope = self.counterpart.map(|counterpart| scope(&self.subject, &counterpart));
        self
    }

    /// Rests on all observations of a sale.
    pub(super) fn resting_on(mut self, sale: &Sale<'a>) -> Self {
        self.evidence.add_all(sale.facts());
        self
    }

    /// Rests on the sales that use some of the content.
    pub(super) fn resting_on_use(mut self, walk: &Walk<'a, '_>) -> Self {
        self.evidence.add_use(walk.in_use(), walk.open_latest_first());
        self
    }

    /// Rests on the split sales that use some of the content.
    pub(super) fn resting_on_split_use(mut self, walk: &Walk<'a, '_>) -> Self {
        let split = walk.open_latest_first().filter(|open| open.sale.is_split());
        self.evidence.add_use(walk.in_split_use(), split);
        self
    }
}

impl<'a> Evidence<'a> {
    /// Adds a fact, unless it is there; over the limit it is only counted.
    fn add(&mut self, fact: Fact<'a>) {
        if self.facts.contains_key(&fact.position) {
            return;
        }
        if self.facts.len() < EVIDENCE_MAX {
            self.facts.insert(fact.position, fact);
        } else {
            self.omitted = self.omitted.saturating_add(1);
        }
    }

    fn add_all(&mut self, facts: impl Iterator<Item = Fact<'a>>) {
        facts.for_each(|fact| self.add(fact));
    }

    /// Adds what the open sales rest on, all of which is `in_use`. Each finding about a code with many sales would look
    /// at all of them, so those that no longer find room are counted without being looked at.
    fn add_use<'s>(&mut self, in_use: &InUse, open: impl Iterator<Item = &'s OpenSale<'a, 's>>)
    where
        'a: 's,
    {
        let known = self.facts.values().filter(|fact| in_use.contains(fact)).count();
        let (before, omitted) = (self.facts.len(), self.omitted);
        for open in open {
            if self.facts.len() >= EVIDENCE_MAX {
                break;
            }
            self.add_all(open.facts());
        }
        let added = self.facts.len().saturating_sub(before);
        self.omitted = omitted.saturating_add(in_use.count().saturating_sub(known).saturating_sub(added));
    }
}

fn scope(one: &Fact<'_>, other: &Fact<'_>) -> Scope {
    if one.institution_id() == other.institution_id() {
        Scope::Institution
    } else if one.observation.region == other.observation.region {
        Scope::Region
    } else {
        Scope::OtherRegion
    }
}

fn finding(statement: Statement<'_>, walk: &Walk<'_, '_>) -> Finding {
    let Statement { rule, basis, scope, action, setting, subject, counterpart, evidence, attributes } =
        statement;
    let side = |fact: &Fact<'_>| {
        let custody = walk.custody_at(fact);
        side(fact.observation, custody.taken, custody.has_proof)
    };
    let at_risk = claimed(subject.observation);
    Finding {
        rule,
        basis,
        scope,
        action: setting.act(rule, action),
        severity: setting.severity,
        subject: side(&subject),
        counterpart: counterpart.as_ref().map(side),
        evidence: evidence.facts.values().map(side).collect(),
        evidence_omitted: u32::try_from(evidence.omitted).unwrap_or(u32::MAX),
        product_code: product_code(subject.observation),
        product_name: product_name(subject.observation),
        amount_at_risk: at_risk.or_else(|| counterpart.and_then(|fact| claimed(fact.observation))),
        attributes,
    }
}

/// One side of a finding.
pub(super) fn side(observation: &Observation, custody: bool, custody_proof: bool) -> Side {
    Side {
        key: observation.key.clone(),
        kind: observation.kind,
        role: Some(observation.role),
        occurred_at: observation.time,
        person: observation.person,
        region: observation.region.clone(),
        custody,
        custody_proof,
        lent_from: observation.lent_from.clone(),
        surroundings: observation.surroundings.clone(),
        origin: observation.origin.clone(),
    }
}

/// What the fund is asked to pay, of a settlement.
pub(super) fn claimed(observation: &Observation) -> Option<Money> {
    observation.fund_amount.filter(|_| observation.is_settlement())
}

/// 医保目录编码: the line's, else that of the code's product record.
pub(super) fn product_code(observation: &Observation) -> Option<crate::domain::Text> {
    let recorded = || observation.product.as_ref().and_then(|product| product.product_code.clone());
    observation.product_code.clone().or_else(recorded)
}

/// The product's name on the line, else in the code's product record.
pub(super) fn product_name(observation: &Observation) -> Option<crate::domain::Text> {
    let recorded = || observation.product.as_ref().and_then(|product| product.name.clone());
    observation.product_name.clone().or_else(recorded)
}

/// A grace in whole hours, rounded down.
pub(super) fn hours(grace: Millis) -> Option<u32> {
    u32::try_from(grace.get() / Millis::from_hours(1).get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Quantity;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, PurchaseIn, Settlement};
    use crate::domain::rules::code::evaluate;
    use crate::domain::timeline::order;
    use crate::domain::timeline::story::{CLINIC, HOSPITAL, PHARMACY, Tell, day, told};

    fn only(rule: RuleId, mut story: Vec<Observation>) -> Option<Finding> {
        order::sort(&mut story);
        let mut findings = evaluate(&story, Some(day(20)), &RuleSet::default()).findings;
        findings.retain(|finding| finding.rule == rule);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.pop()
    }

    fn documents(evidence: &[Side]) -> Vec<&str> {
        evidence.iter().map(|side| &*side.key.document.document_id).collect()
    }

    #[test]
    fn a_finding_names_all_it_rests_on_in_order() {
        let story = vec![
            told(PurchaseIn, HOSPITAL, "B1", 1).with(|o| o.has_papers = true),
            told(Dispense, PHARMACY, "D1", 3).split(4),
            told(Dispense, PHARMACY, "D2", 4).split(6),
            told(DispenseReturn, PHARMACY, "R1", 5).split(1).gives_back("D1"),
            told(Settlement, PHARMACY, "S2", 6).split(6).settles("x"),
            told(Dispense, HOSPITAL, "D3", 7).settles("y"),
            told(Settlement, HOSPITAL, "S3", 7).settles("y"),
        ];
        let Some(finding) = only(RuleId::Resale, story) else {
            return;
        };
        assert_eq!(documents(&finding.evidence), ["D1", "D2", "R1", "S2", "D3", "S3"]);
        assert_eq!((finding.scope, finding.evidence_omitted), (Some(Scope::Region), 0));
        let custody = |side: &Side| (side.custody, side.custody_proof);
        assert_eq!(custody(&finding.subject), (true, true));
        assert_eq!(finding.counterpart.as_ref().map(custody), Some((false, false)));
        let attributes = Attributes {
            need: Some(Quantity::from_whole(20)),
            used: Some(Quantity::from_whole(15)),
            content: Some(Quantity::from_whole(20)),
            ..Attributes::default()
        };
        assert_eq!(finding.attributes, attributes);
        assert_eq!(finding.amount_at_risk, Some(Money::from_fen(1400)));
        assert_eq!(finding.product_name.as_deref(), Some("ambroxol"));
    }

    #[test]
    fn the_money_at_risk_is_the_subjects_claim_else_the_counterparts() {
        let claim = told(Settlement, CLINIC, "S1", 3).with(|o| o.fund_amount = Some(Money::from_fen(700)));
        let story = vec![claim.clone(), told(Dispense, PHARMACY, "D1", 5)];
        let at_risk = only(RuleId::Resale, story).and_then(|finding| finding.amount_at_risk);
        assert_eq!(at_risk, Some(Money::from_fen(700)));
        let story = vec![claim, told(Settlement, PHARMACY, "S2", 5)];
        let at_risk = only(RuleId::Resale, story).and_then(|finding| finding.amount_at_risk);
        assert_eq!(at_risk, Some(Money::from_fen(1400)));
        let story = vec![told(Dispense, CLINIC, "D1", 3), told(Dispense, PHARMACY, "D2", 5)];
        assert_eq!(only(RuleId::Resale, story).and_then(|finding| finding.amount_at_risk), None);
    }

    #[test]
    fn custody_has_papers_when_any_purchase_has_them_and_counts_from_its_own_moment() {
        let story = vec![
            told(PurchaseIn, PHARMACY, "B0", 1),
            told(PurchaseIn, PHARMACY, "B1", 1).with(|o| o.has_papers = true),
            told(PurchaseIn, PHARMACY, "B2", 2),
            told(Dispense, PHARMACY, "D1", 3),
            told(PurchaseIn, CLINIC, "B3", 9),
        ];
        let sides = only(RuleId::Reflow, story).map(|finding| {
            [Some(finding.subject), finding.counterpart]
                .map(|side| side.map(|s| (s.custody, s.custody_proof)))
        });
        assert_eq!(sides, Some([Some((false, false)), Some((true, true))]));
    }

    #[test]
    fn evidence_over_the_limit_is_counted_and_both_sides_stay() {
        let sold = (0..80).map(|n| told(Dispense, PHARMACY, &format!("D{n:02}"), 3).to(1));
        let last = told(Dispense, PHARMACY, "D99", 9).to(2);
        let Some(finding) = only(RuleId::Resale, sold.chain([last]).collect()) else {
            return;
        };
        let named = documents(&finding.evidence);
        assert_eq!((named.len(), finding.evidence_omitted as usize), (EVIDENCE_MAX, 81 - EVIDENCE_MAX));
        assert!(named.is_sorted() && named.contains(&"D99") && named.contains(&"D79"));
    }
}
