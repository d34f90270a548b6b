//! Findings: one rule's statement about one line or one code.

use std::sync::Arc;

use super::Text;
use super::amount::{Money, Quantity};
use super::document::particulars::Surroundings;
use super::document::{Kind, Origin, Person, Role};
use super::observation::{LentFrom, ObservationKey};
use super::rules::{Action, Basis, RuleId, Scope, Severity};
use super::time::Timestamp;
use super::trace_code::InvalidReason;

/// Most observations listed as evidence of one finding; what is left out is counted. Open findings are kept with the
/// state of their code, so this bounds what a code with very many observations costs.
pub const EVIDENCE_MAX: usize = 12;

/// One rule's statement, with all that is published of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// The ground of a swap.
    pub basis: Option<Basis>,
    /// How far apart the sides are.
    pub scope: Option<Scope>,
    /// What it does, by the rule set in force.
    pub action: Action,
    /// How grave it is, by the rule set in force.
    pub severity: Severity,
    /// Whom it is about.
    pub subject: Side,
    /// The other side of a pair.
    pub counterpart: Option<Side>,
    /// Every observation used, in the order of the timeline, at most [`EVIDENCE_MAX`].
    pub evidence: Vec<Side>,
    /// How many observations the limit left out.
    pub evidence_omitted: u32,
    /// 医保目录编码 of the subject.
    pub product_code: Option<Text>,
    /// Name of the product for people.
    pub product_name: Option<Text>,
    /// Fund amount of the subject's claim line, else of the counterpart's.
    pub amount_at_risk: Option<Money>,
    /// What else the rule says.
    pub attributes: Attributes,
}

/// One side of a finding, or a piece of its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Which line of which document.
    pub key: ObservationKey,
    /// What the document reports.
    pub kind: Kind,
    /// Its role in the timeline; a stocktake has none.
    pub role: Option<Role>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The insured person.
    pub person: Person,
    /// Region of the institution on that day.
    pub region: Text,
    /// Whether the institution had taken custody of the code before.
    pub custody: bool,
    /// Whether that custody has a delivery note or an invoice.
    pub custody_proof: bool,
    /// The hand-over that lent the code to this line of a settlement.
    pub lent_from: Option<LentFrom>,
    /// Who and what stood around the line.
    pub surroundings: Option<Arc<Surroundings>>,
    /// Where it came from.
    pub origin: Origin,
}

/// What a rule says besides the sides; empty where a rule does not use it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `short_codes`: quantity − coverage.
    pub shortfall: Option<Quantity>,
    /// `banned`: all grounds that hold.
    pub banned: Vec<BannedReason>,
    /// `invalid_code`, `swap` by catalogue, `repeated_in_document`, `unknown_product`, `banned`: the codes concerned.
    pub codes: Vec<ConcernedCode>,
    /// Units that the subject needs of the code's content.
    pub need: Option<Quantity>,
    /// Units in use by open sales before the subject.
    pub used: Option<Quantity>,
    /// Units that one code holds.
    pub content: Option<Quantity>,
    /// Whether an estimate of a need took part, which softens the action.
    pub estimate: bool,
    /// Number of live observations, in doubling steps (`overused_code`), or of parts (`over_limit`).
    pub count: Option<u64>,
    /// Grace, in hours, that had passed.
    pub grace_hours: Option<u32>,
    /// Why it is silenced, when an allowance covers it; then its action is `observe`.
    pub allowed: Option<Text>,
}

/// Why a line is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BannedReason {
    /// Past its expiry date on the day of sale.
    Expired,
    /// Its lot was recalled.
    Recalled,
    /// Its code is listed.
    Listed,
}

/// One code that a line rule speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcernedCode {
    /// The code, or the cleaned text of an invalid one.
    pub code: Text,
    /// Why it is invalid.
    pub invalid: Option<InvalidReason>,
    /// The product that the catalogue has for it.
    pub product_code: Option<Text>,
    /// That product's name.
    pub product_name: Option<Text>,
    /// The hand-over that lent it to this line of a settlement.
    pub lent_from: Option<LentFrom>,
}

/// What makes a finding the same finding over time. Together with the code, it identifies the alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingKey {
    /// The rule.
    pub rule: RuleId,
    /// The ground of a swap.
    pub basis: Option<Basis>,
    /// The subject's identity.
    pub subject: ObservationKey,
}

impl Finding {
    /// What makes it the same finding over time.
    pub fn key(&self) -> FindingKey {
        FindingKey { rule: self.rule, basis: self.basis, subject: self.subject.key.clone() }
    }

    /// Whether it is published as an alert: `observe` is metrics only, and some rules speak by decisions alone.
    pub fn is_alert(&self) -> bool {
        self.action != Action::Observe && self.rule.entry().is_alert
    }

    /// Whether two findings say the same: all but where the observations came from.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        // Every field is named, so that a new one cannot be forgotten.
        let Self {
            rule,
            basis,
            scope,
            action,
            severity,
            subject,
            counterpart,
            evidence,
            evidence_omitted,
            product_code,
            product_name,
            amount_at_risk,
            attributes,
        } = self;
        let same_sides = |mine: &[Side], theirs: &[Side]| {
            mine.len() == theirs.len()
                && mine.iter().zip(theirs).all(|(mine, theirs)| mine.says_the_same_as(theirs))
        };
        *rule == other.rule
            && *basis == other.basis
            && *scope == other.scope
            && *action == other.action
            && *severity == other.severity
            && subject.says_the_same_as(&other.subject)
            && same_sides(counterpart.as_slice(), other.counterpart.as_slice())
            && same_sides(evidence, &other.evidence)
            && *evidence_omitted == other.evidence_omitted
            && *product_code == other.product_code
            && *product_name == other.product_name
            && *amount_at_risk == other.amount_at_risk
            && *attributes == other.attributes
    }
}

impl Side {
    /// Whether two sides say the same: all but where they came from.
    fn says_the_same_as(&self, other: &Self) -> bool {
        let Self {
            key,
            kind,
            role,
            occurred_at,
            person,
            region,
            custody,
            custody_proof,
            lent_from,
            surroundings,
            origin: _,
        } = self;
        *key == other.key
            && *kind == other.kind
            && *role == other.role
            && *occurred_at == other.occurred_at
            && *person == other.person
            && *region == other.region
            && *custody == other.custody
            && *custody_proof == other.custody_proof
            && *lent_from == other.lent_from
            && *surroundings == other.surroundings
    }
}

/// What metrics count of findings that only observe: the rules, and of those that are silenced the reasons as well.
pub fn counted<'a>(observing: impl Iterator<Item = &'a Finding>) -> (Vec<RuleId>, Vec<(RuleId, Text)>) {
    let (mut observed, mut allowed) = (Vec::new(), Vec::new());
    for finding in observing {
        match &finding.attributes.allowed {
            Some(reason) => allowed.push((finding.rule, reason.clone())),
            None => observed.push(finding.rule),
        }
    }
    (observed, allowed)
}

impl BannedReason {
    /// The name in alerts and decisions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Recalled => "recalled",
            Self::Listed => "listed",
        }
    }
}
