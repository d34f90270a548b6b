//! `overused_code` 追溯码滥用: a code with more observations than are walked.
//!
//! **Catches** a code with more than 2,000 live observations: a counterfeit series, a dummy
//! code scanned for everything, or an attack. It is kept but not walked, and no other code rule speaks of it. The
//! subject is the first observation in order. Held, on every settlement line of the code.
//!
//! **Silent** at the limit and below.
//!
//! **Example.** 2,001 settlements of one code: one alert, and 2,001 lines held.

use super::docket::{claimed, product_code, product_name, setting, side};
use crate::domain::finding::{Attributes, EVIDENCE_MAX, Finding};
use crate::domain::observation::Observation;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId};

const RULE: RuleId = RuleId::OverusedCode;

pub(super) fn judge(observations: &[Observation], rules: &RuleSet) -> Option<Finding> {
    let subject = observations.first()?;
    let setting = setting(rules, RULE, subject)?;
    let evidence: Vec<_> = observations.iter().take(EVIDENCE_MAX).map(|o| side(o, false, false)).collect();
    let omitted = observations.len().saturating_sub(evidence.len());
    Some(Finding {
        rule: RULE,
        basis: None,
        scope: None,
        action: setting.act(RULE, Action::Hold),
        severity: setting.severity,
        subject: side(subject, false, false),
        counterpart: None,
        evidence,
        evidence_omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
        product_code: product_code(subject),
        product_name: product_name(subject),
        amount_at_risk: claimed(subject),
        attributes: Attributes { count: u64::try_from(observations.len()).ok(), ..Attributes::default() },
    })
}
