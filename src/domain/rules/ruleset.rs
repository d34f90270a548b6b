//! The rule set: what each rule does, by default and by override, and the windows of sale matching.
//!
//! A rule set travels in band through every internal topic, so that a rebuild judges with what was in force.

use super::allowance::Allowance;
use super::catalogue::RULES;
use super::{Action, RuleId, Severity};
use crate::domain::Text;
use crate::domain::adjudicator::Policy;
use crate::domain::document::lending::Windows;
use crate::domain::horizon;
use crate::domain::time::{Day, Millis, Timestamp};

/// 1 July 2025, from which designated institutions settle by scanned code (four-ministry notice of 19 March 2025).
const DUTY_FROM: Day = Day::from_days_since_epoch(20_270);

/// Everything configurable about the rules, as one value with one digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// Digest of the configuration it was made from; published with every alert and decision.
    pub digest: Text,
    /// Greatest distance in time of the two halves of a sale that share an id. Global only.
    pub sale_link_window: Millis,
    /// Greatest distance in time of the two halves of a sale that share a person only. Global only.
    pub sale_match_window: Millis,
    /// Greatest distance in time of a settlement without settlement id and a hand-over that lends it codes by the visit id.
    /// Global only.
    pub lend_window: Millis,
    /// From this day on a sale without a scan cannot be settled: before it nothing is held or refused for want of
    /// codes, or for wrong ones. Global only.
    pub duty_from: Day,
    /// What each rule does unless overridden, in the order of [`RULES`].
    pub defaults: Vec<Setting>,
    /// Deviations; the last one that applies wins, field by field.
    pub overrides: Vec<Override>,
    /// Rules silenced for single subjects; of several that cover a finding the first gives the reason.
    pub allowances: Vec<Allowance>,
    /// What is decided while answers are missing. It changes what the adjudicator concludes, so it travels with the
    /// rules.
    pub policy: Policy,
    /// How far back anything is remembered; none: for ever. It travels with the rules for the same reason.
    pub horizon: Option<Millis>,
    /// Most timers that fire on one entry; the rest follow in further entries. Which revisions are published in which
    /// order depends on it, so it travels with the rules too. None: as the stage was set up.
    pub timers_per_entry_max: Option<usize>,
}

/// What one rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is evaluated at all.
    pub enabled: bool,
    /// The strongest action it may take.
    pub action: Action,
    /// How grave its alerts are.
    pub severity: Severity,
    /// Its grace, for rules that wait.
    pub grace: Millis,
}

/// A deviation for some subjects, on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The rule.
    pub rule: RuleId,
    /// Only subjects in this region.
    pub region: Option<Text>,
    /// Only subjects at institutions of this tier.
    pub tier: Option<Text>,
    /// Only subjects at this institution.
    pub institution_id: Option<Text>,
    /// Only subjects of this product.
    pub product_code: Option<Text>,
    /// First day of the subject, inclusive.
    pub valid_from: Option<Day>,
    /// Last day of the subject, inclusive.
    pub valid_to: Option<Day>,
    /// Replaces [`Setting::enabled`].
    pub enabled: Option<bool>,
    /// Replaces [`Setting::action`].
    pub action: Option<Action>,
    /// Replaces [`Setting::severity`].
    pub severity: Option<Severity>,
    /// Replaces [`Setting::grace`].
    pub grace: Option<Millis>,
}

/// What overrides look at in a subject.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// Region of the institution.
    pub region: &'a str,
    /// Tier of the institution.
    pub tier: Option<&'a str>,
    /// The institution.
    pub institution_id: &'a str,
    /// Product of the line.
    pub product_code: Option<&'a str>,
    /// Day of the document.
    pub day: Day,
}

impl Default for RuleSet {
    fn default() -> Self {
        let defaults = RULES.iter().map(|entry| Setting {
            enabled: true,
            action: entry.action,
            severity: entry.severity,
            grace: entry.grace.map_or(Millis::default(), |grace| grace.default),
        });
        Self {
            digest: Text::from("default"),
            sale_link_window: Millis::from_days(180),
            sale_match_window: Millis::from_hours(24),
            lend_window: Millis::from_days(7),
            duty_from: DUTY_FROM,
            defaults: defaults.collect(),
            overrides: Vec::new(),
            allowances: Vec::new(),
            policy: Policy::default(),
            horizon: None,
            timers_per_entry_max: None,
        }
    }
}

impl RuleSet {
    /// How far apart a settlement and a hand-over that lends to it may be.
    pub const fn lending_windows(&self) -> Windows {
        Windows { by_settlement: self.sale_link_window, by_visit: self.lend_window }
    }

    /// At that time, what is older is forgotten; none: nothing is.
    pub fn forgets_before(&self, now: Timestamp) -> Option<Timestamp> {
        self.horizon.map(|horizon| horizon::forgets_before(now, horizon))
    }

    /// What `rule` does to that subject.
    pub fn setting(&self, rule: RuleId, whom: &Whom<'_>) -> Setting {
        let entry = rule.entry();
        let default = self.defaults.get(rule as usize).copied().unwrap_or(Setting {
            enabled: true,
            action: entry.action,
            severity: entry.severity,
            grace: Millis::default(),
        });
        let applying = self.overrides.iter().filter(|o| o.rule == rule && o.applies_to(whom));
        applying.fold(default, |setting, o| Setting {
            enabled: o.enabled.unwrap_or(setting.enabled),
            action: o.action.unwrap_or(setting.action),
            severity: o.severity.unwrap_or(setting.severity),
            grace: o.grace.unwrap_or(setting.grace),
        })
    }
}

impl Setting {
    /// The action of a finding whose action by the text of the rules is `stated`: the configured one where
    /// the text states the rule's strongest, and never more than the configured one where it states less.
    pub fn act(&self, rule: RuleId, stated: Action) -> Action {
        if stated == rule.entry().action { self.action } else { self.action.min(stated) }
    }
}

impl Override {
    fn applies_to(&self, whom: &Whom<'_>) -> bool {
        let is = |wanted: &Option<Text>, actual: Option<&str>| match wanted {
            Some(wanted) => actual == Some(wanted),
            None => true,
        };
        is(&self.region, Some(whom.region))
            && is(&self.tier, whom.tier)
            && is(&self.institution_id, Some(whom.institution_id))
            && is(&self.product_code, whom.product_code)
            && self.valid_from.is_none_or(|from| from <= whom.day)
            && self.valid_to.is_none_or(|to| whom.day <= to)
    }
}
