//! `overused_code` 追溯码滥用: a code with more observations than are walked.
//!
//! **Catches** a code with more than 2,000 live observations: a counterfeit series, a dummy
//! code scanned for everything, or an attack. It is kept but not walked, and no other code rule speaks of it. The
//! subject is the first observation in order. Held, on every settlement line of the code.
//!
//! **Silent** at the limit and below. The attribute `count` grows in steps that double (2,000, 4,000, 8,000 …, each
//! meaning "more than" or "at least"), so that a code scanned without end is not amended at every scan.
//!
//! **Example.** 2,001 settlements of one code: one alert, and 2,001 lines held.

use super::docket::{claimed, product_code, product_name, setting, side};
use crate::domain::finding::{Attributes, EVIDENCE_MAX, Finding};
use crate::domain::observation::Observation;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, basis};
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::OBSERVATIONS_WALKED_MAX;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::OverusedCode,
    number: 10,
    name: "overused_code",
    title: Words { zh: "追溯码滥用", en: "overused code" },
    judges: Judges::Code(Words {
        zh: "{package}已有{count}有效记录，超过可核对的上限，一件产品不应有如此多的记录，相关结算暂缓支付。",
        en: "{package} has {count} live records, more than are checked; no package has a life like that.",
    }),
    subject: "the code's first observation",
    action: Action::Hold,
    severity: Severity::High,
    grace: None,
    is_alert: true,
    allowable: false,
    basis: basis::NOT_JUDGED_NOT_PAID,
    catches: "a code has more than 2,000 live records; it is kept and not walked, and all its settlement lines are held",
};

const RULE: RuleId = RuleId::OverusedCode;

pub(super) fn judge(observations: &[Observation], rules: &RuleSet) -> Option<Finding> {
    let subject = observations.first()?;
    let setting = setting(rules, RULE, subject)?;
    let evidence: Vec<_> = observations.iter().take(EVIDENCE_MAX).map(|o| side(o, false, false)).collect();
    let count = in_doubling_steps(observations.len());
    let omitted = count.saturating_sub(evidence.len());
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
        attributes: Attributes { count: u64::try_from(count).ok(), ..Attributes::default() },
    })
}

/// The greatest of the limit, its double, and so on that `count` reaches.
fn in_doubling_steps(count: usize) -> usize {
    let steps = std::iter::successors(Some(OBSERVATIONS_WALKED_MAX), |step| step.checked_mul(2));
    steps.take_while(|step| *step <= count).last().unwrap_or(count)
}

#[cfg(test)]
mod tests {
    use super::{RULE, RuleId, in_doubling_steps};
    use crate::domain::document::Kind::Settlement;
    use crate::domain::timeline::OBSERVATIONS_WALKED_MAX;
    use crate::domain::timeline::story::{PHARMACY, found, told};

    #[test]
    fn it_speaks_above_the_limit_and_alone() {
        let claims = |count: usize| {
            (0..count).map(|n| told(Settlement, PHARMACY, &format!("S{n:05}"), 5)).collect::<Vec<_>>()
        };
        assert_eq!(found(RULE, claims(OBSERVATIONS_WALKED_MAX), 20), Vec::<String>::new());
        let over = claims(OBSERVATIONS_WALKED_MAX + 1);
        assert_eq!(found(RULE, over.clone(), 20), ["S00000 against nobody hold"]);
        assert_eq!(found(RuleId::DuplicateSettlement, over, 20), Vec::<String>::new());
    }

    #[test]
    fn the_count_grows_in_steps() {
        let steps = [(2001, 2000), (3999, 2000), (4000, 4000), (4001, 4000), (1_000_000, 512_000)];
        for (count, step) in steps {
            assert_eq!(in_doubling_steps(count), step);
        }
    }
}
