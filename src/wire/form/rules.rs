//! Rules, their settings, and the rule set that travels in band.

use super::{Form, Reader, WireError, Writer, structures};
use crate::domain::adjudicator::Policy;
use crate::domain::rules::RuleId;
use crate::domain::rules::allowance::Allowance;
use crate::domain::rules::catalogue::RULES;
use crate::domain::rules::ruleset::{Override, RuleSet, Setting};

/// The number of its entry.
impl Form for RuleId {
    fn write(&self, to: &mut Writer) {
        self.entry().number.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::from_number(Form::read(from)?).ok_or(WireError::Field { field: "rule" })
    }
}

structures! {
    Setting { 0 enabled, 1 action, 2 severity, 3 grace }
    Policy { 0 decision_deadline, 1 provisional, 2 deadline_enabled }
    Override {
        0 rule, 1 region, 2 tier, 3 institution_id, 4 product_code, 5 valid_from, 6 valid_to, 7 enabled, 8 action,
        9 severity, 10 grace,
    }
    Allowance {
        0 rule, 1 institution_id, 2 document, 3 line_id, 4 code, 5 valid_from, 6 expires_on, 7 reason,
    }
    RuleSet {
        0 digest, 1 sale_link_window, 2 sale_match_window, 3 lend_window, 4 duty_from, 5 overrides, 6 allowances,
        7 policy, 8 horizon, 9 timers_per_entry_max;
        not kept: defaults
    }
}

/// Writes a rule set behind the settings of the rules that this program knows.
pub(in crate::wire) fn write_terms(terms: &RuleSet, to: &mut Writer) {
    // The settings are in the order of the catalogue.
    let settings: Vec<(RuleId, Setting)> =
        RULES.iter().map(|entry| entry.id).zip(terms.defaults.iter().copied()).collect();
    settings.write(to);
    terms.write(to);
}

/// Reads one: a rule that the writing program did not know does what the catalogue of this one says.
pub(in crate::wire) fn read_terms(from: &mut Reader<'_>) -> Result<RuleSet, WireError> {
    let mut defaults = RuleSet::default().defaults;
    for (rule, setting) in Vec::<(RuleId, Setting)>::read(from)? {
        defaults.get_mut(rule as usize).into_iter().for_each(|known| *known = setting);
    }
    Ok(RuleSet { defaults, ..Form::read(from)? })
}
