//! Allowances: one rule silenced for one subject, with a reason and a last day.
//!
//! Somebody looked into a lead and found it harmless: a fire that destroyed the purchase records of a hospital, a maker
//! that printed a code twice. Switching the rule off for the whole institution would be too much, and for ever. An
//! allowance names the rule and the subject (an institution, one of its documents or lines, a code, or a code at one of
//! these), says why and until when. A finding that it covers acts `observe`: no alert, no part in a decision; it is
//! counted, with the reason, wherever it acts.
//!
//! Days are those of the documents, as everywhere in the rule set: an expired allowance does nothing for what happens
//! after its last day, what it excused before stays excused, and no clock is read. So whoever backdates a document
//! backdates it into the allowance; the limits on `occurred_at` at the door bound that.
//!
//! It cannot cover the operational limits ([`RuleEntry::allowable`]): what is not judged is not paid.
//!
//! [`RuleEntry::allowable`]: super::entry::RuleEntry::allowable

use super::RuleId;
use super::ruleset::RuleSet;
use crate::domain::Text;
use crate::domain::document::{DocumentKey, Group};
use crate::domain::finding::Finding;
use crate::domain::observation::ObservationKey;
use crate::domain::rules::Action;
use crate::domain::time::Day;

/// One rule silenced for one subject. All conditions must hold; at least an institution or a code is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The rule.
    pub rule: RuleId,
    /// Only subjects at this institution.
    pub institution_id: Option<Text>,
    /// Only subjects in this document of the institution.
    pub document: Option<(Group, Text)>,
    /// Only this line of the document.
    pub line_id: Option<Text>,
    /// Only this code, in normal form: for findings about a code.
    pub code: Option<Text>,
    /// First day of the subject, inclusive.
    pub valid_from: Option<Day>,
    /// Last day of the subject, inclusive.
    pub expires_on: Day,
    /// Why, for whoever asks later.
    pub reason: Text,
}

impl Allowance {
    fn covers(&self, finding: &Finding, code: Option<&Text>) -> bool {
        let ObservationKey { document: DocumentKey { institution_id, group, document_id }, line_id } =
            &finding.subject.key;
        let day = finding.subject.occurred_at.day();
        self.rule == finding.rule
            && self.institution_id.as_ref().is_none_or(|wanted| wanted == institution_id)
            && self.document.as_ref().is_none_or(|(of, wanted)| of == group && wanted == document_id)
            && self.line_id.as_ref().is_none_or(|wanted| wanted == line_id)
            && self.code.as_ref().is_none_or(|wanted| Some(wanted) == code)
            && self.valid_from.is_none_or(|from| from <= day)
            && day <= self.expires_on
    }
}

impl RuleSet {
    /// Silences the findings that an allowance covers; `code` is theirs, for code rules. The first that covers one
    /// gives the reason. A finding that does not act has nothing to be silenced.
    pub fn allow(&self, findings: &mut [Finding], code: Option<&Text>) {
        if self.allowances.is_empty() {
            return;
        }
        let acting =
            |finding: &&mut Finding| finding.action != Action::Observe && finding.rule.entry().allowable;
        for finding in findings.iter_mut().filter(acting) {
            if let Some(allowance) = self.allowances.iter().find(|allowance| allowance.covers(finding, code))
            {
                finding.action = Action::Observe;
                finding.attributes.allowed = Some(allowance.reason.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Kind;
    use crate::domain::samples::{alert, side};
    use crate::domain::timeline::story::day;

    const CODE: &str = "81773220000000016835";
    const PHARMACY: &str = "P37020300001";

    /// What remains of a finding about line 1 of document S1 on 7 January 2026.
    fn left_by(allowance: Allowance) -> (Action, Option<Text>) {
        let mut finding = alert(allowance.rule, side(Kind::Settlement, PHARMACY, "S1", 2), None).finding;
        finding.rule = RuleId::Resale;
        finding.action = Action::Hold;
        let rules = RuleSet { allowances: vec![allowance], ..RuleSet::default() };
        rules.allow(std::slice::from_mut(&mut finding), Some(&CODE.into()));
        (finding.action, finding.attributes.allowed)
    }

    fn allowance(change: impl FnOnce(&mut Allowance)) -> Allowance {
        let mut allowance = Allowance {
            rule: RuleId::Resale,
            institution_id: Some(PHARMACY.into()),
            document: None,
            line_id: None,
            code: None,
            valid_from: None,
            expires_on: day(7).day(),
            reason: "maker printed it twice".into(),
        };
        change(&mut allowance);
        allowance
    }

    #[test]
    fn an_allowance_covers_its_rule_subject_and_days() {
        let settlement = |id: &str| Some((Group::Settlement, id.into()));
        let covering = [
            allowance(|_| ()),
            allowance(|a| a.document = settlement("S1")),
            allowance(|a| (a.document, a.line_id) = (settlement("S1"), Some("1".into()))),
            allowance(|a| (a.institution_id, a.code) = (None, Some(CODE.into()))),
            allowance(|a| a.valid_from = Some(day(7).day())),
        ];
        for allowance in covering {
            let reason = allowance.reason.clone();
            assert_eq!(left_by(allowance.clone()), (Action::Observe, Some(reason)), "{allowance:?}");
        }
        let passing_by = [
            allowance(|a| a.rule = RuleId::DuplicateSettlement),
            allowance(|a| a.institution_id = Some("P37020300002".into())),
            allowance(|a| a.document = settlement("S2")),
            allowance(|a| a.document = Some((Group::Dispensing, "S1".into()))),
            allowance(|a| (a.document, a.line_id) = (settlement("S1"), Some("2".into()))),
            allowance(|a| a.code = Some("81773220000000016836".into())),
            allowance(|a| a.valid_from = Some(day(8).day())),
            allowance(|a| a.expires_on = day(6).day()),
        ];
        for allowance in passing_by {
            assert_eq!(left_by(allowance.clone()), (Action::Hold, None), "{allowance:?}");
        }
    }

    #[test]
    fn what_is_not_judged_is_not_excused() {
        let mut finding =
            alert(RuleId::OverusedCode, side(Kind::Settlement, PHARMACY, "S1", 2), None).finding;
        let allowances = vec![allowance(|a| a.rule = RuleId::OverusedCode)];
        let rules = RuleSet { allowances, ..RuleSet::default() };
        rules.allow(std::slice::from_mut(&mut finding), None);
        assert_eq!((finding.action, finding.attributes.allowed), (Action::Hold, None));
    }
}
