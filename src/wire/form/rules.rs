//! Rules, their settings, and the rule set that travels in band.

use super::{Form, Reader, WireError, Writer, structures};
use crate::domain::Text;
use crate::domain::adjudicator::Policy;
use crate::domain::rules::RuleId;
use crate::domain::rules::allowance::Allowance;
use crate::domain::rules::catalogue::RULES;
use crate::domain::rules::ruleset::{Override, RuleSet, Setting};
use crate::domain::time::{Day, Millis};

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
    Written {
        0 digest, 1 sale_link_window, 2 sale_match_window, 3 lend_window, 4 duty_from, 5 settings, 6 overrides,
        7 allowances, 8 policy, 9 horizon, 10 timers_per_entry_max,
    }
}

/// A rule set as it is written: with the settings of the rules that the writing program knew.
struct Written {
    digest: Text,
    sale_link_window: Millis,
    sale_match_window: Millis,
    lend_window: Millis,
    duty_from: Day,
    settings: Vec<(RuleId, Setting)>,
    overrides: Vec<Override>,
    allowances: Vec<Allowance>,
    policy: Policy,
    horizon: Option<Millis>,
    timers_per_entry_max: Option<usize>,
}

/// A rule that the writing program did not know does what the catalogue of the reading one says.
impl Form for RuleSet {
    fn write(&self, to: &mut Writer) {
        let Self {
            digest,
            sale_link_window,
            sale_match_window,
            lend_window,
            duty_from,
            defaults,
            overrides,
            allowances,
            policy,
            horizon,
            timers_per_entry_max,
        } = self.clone();
        // The settings are in the order of the catalogue.
        let settings = RULES.iter().map(|entry| entry.id).zip(defaults).collect();
        let written = Written {
            digest,
            sale_link_window,
            sale_match_window,
            lend_window,
            duty_from,
            settings,
            overrides,
            allowances,
            policy,
            horizon,
            timers_per_entry_max,
        };
        written.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let Written {
            digest,
            sale_link_window,
            sale_match_window,
            lend_window,
            duty_from,
            settings,
            overrides,
            allowances,
            policy,
            horizon,
            timers_per_entry_max,
        } = Written::read(from)?;
        let mut defaults = Self::default().defaults;
        for (rule, setting) in settings {
            defaults.get_mut(rule as usize).into_iter().for_each(|known| *known = setting);
        }
        Ok(Self {
            digest,
            sale_link_window,
            sale_match_window,
            lend_window,
            duty_from,
            defaults,
            overrides,
            allowances,
            policy,
            horizon,
            timers_per_entry_max,
        })
    }
}
