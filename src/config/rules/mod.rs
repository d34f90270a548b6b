//! The rule set as configuration: read from the `[rules]` section, described for people, and digested.
//!
//! ```toml
//! [rules]
//! sale_match_window_hours = 24
//!
//! [rules.not_purchased]
//! action = "alert"
//! grace_hours = 96
//!
//! [[rules.override]]
//! rule = "swap"
//! region = "370203"
//! valid_from = "2026-01-01"
//! action = "hold"
//!
//! [[rules.allow]]
//! rule = "not_purchased"
//! institution_id = "H37020300002"
//! expires_on = "2026-06-30"
//! reason = "records lost in a fire"
//! ```
//!
//! What is not said keeps its default; what is not known is refused, with the field's full name. The windows that
//! decide which halves make one sale hold everywhere: a sale has two halves, and two answers to whether it is one
//! would contradict each other. Overrides and allowances are dated by the day of the document that they judge, so that changing
//! one does not silently rewrite the past.

mod allow;
mod describe;
mod fields;

pub use describe::{catalogue_json, catalogue_table, example, reference_page};

use sha2::{Digest, Sha256};

use crate::domain::Text;
use crate::domain::adjudicator::Policy;
use crate::domain::rules::allowance::Allowance;
use crate::domain::rules::catalogue::{RULE_VERSION, RULES};
use crate::domain::rules::ruleset::{Override, RuleSet, Setting};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::Millis;
use fields::Fields;

/// Every finding is compared with every override of its rule, so there is a limit.
const OVERRIDES_MAX: usize = 1_000;
/// Ten years.
const HOURS_MAX: u32 = 87_600;
/// Characters of the digest.
const DIGEST_CHARACTERS: usize = 16;

/// Why a rule set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RuleSetError {
    /// The field: `rules.swap.action`.
    pub field: String,
    /// What is wrong with it and what is possible.
    pub problem: String,
}

impl RuleSetError {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// What is in force beside the rules and changes what is concluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What is decided while answers are missing.
    pub policy: Policy,
    /// How far back anything is remembered; none: for ever.
    pub horizon: Option<Millis>,
    /// Most timers that fire on one entry; none: as the stage was set up.
    pub timers_per_entry_max: Option<usize>,
}

/// The rule set of a `[rules]` section under these terms; without a section all defaults hold. Its digest covers both, so
/// services that decide differently never publish the same one.
pub fn from_config(section: Option<&toml::Table>, terms: Terms) -> Result<RuleSet, RuleSetError> {
    let Terms { policy, horizon, timers_per_entry_max } = terms;
    let mut set = RuleSet { policy, horizon, timers_per_entry_max, ..RuleSet::default() };
    if let Some(section) = section {
        read_section(section, &mut set)?;
    }
    set.digest = digest(&set);
    Ok(set)
}

/// Everything in force with every value, as JSON with sorted keys: what the digest is made of. Each value is taken apart
/// field by field, so that a new field cannot be forgotten.
pub fn canonical_json(set: &RuleSet) -> String {
    let RuleSet {
        digest: _,
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
    } = set;
    let Policy { decision_deadline, provisional, deadline_enabled } = policy;
    let settings = RULES.iter().zip(defaults).map(|(entry, setting)| setting_json(entry.name, *setting));
    serde_json::json!({
        "rule_version": RULE_VERSION,
        "sale_link_window_ms": sale_link_window.get(),
        "sale_match_window_ms": sale_match_window.get(),
        "lend_window_ms": lend_window.get(),
        "duty_from": duty_from.to_string(),
        "rules": settings.collect::<Vec<_>>(),
        "overrides": overrides.iter().map(override_json).collect::<Vec<_>>(),
        "allow": allowances.iter().map(allowance_json).collect::<Vec<_>>(),
        "policy": {
            "decision_deadline_ms": decision_deadline.get(),
            "provisional": provisional.name(),
            "deadline_enabled": deadline_enabled,
        },
        "horizon_ms": horizon.map(Millis::get),
        "timers_per_entry_max": timers_per_entry_max,
    })
    .to_string()
}

fn setting_json(rule: &str, setting: Setting) -> serde_json::Value {
    let Setting { enabled, action, severity, grace } = setting;
    serde_json::json!({
        "rule": rule,
        "enabled": enabled,
        "action": action.name(),
        "severity": severity.name(),
        "grace_ms": grace.get(),
    })
}

fn override_json(deviation: &Override) -> serde_json::Value {
    let Override {
        rule,
        region,
        tier,
        institution_id,
        product_code,
        valid_from,
        valid_to,
        enabled,
        action,
        severity,
        grace,
    } = deviation;
    serde_json::json!({
        "rule": rule.name(),
        "region": region.as_deref(),
        "tier": tier.as_deref(),
        "institution_id": institution_id.as_deref(),
        "product_code": product_code.as_deref(),
        "valid_from": valid_from.map(|day| day.to_string()),
        "valid_to": valid_to.map(|day| day.to_string()),
        "enabled": enabled,
        "action": action.map(Action::name),
        "severity": severity.map(Severity::name),
        "grace_ms": grace.map(Millis::get),
    })
}

fn allowance_json(allowance: &Allowance) -> serde_json::Value {
    let Allowance { rule, institution_id, document, line_id, code, valid_from, expires_on, reason } =
        allowance;
    serde_json::json!({
        "rule": rule.name(),
        "institution_id": institution_id.as_deref(),
        "group": document.as_ref().map(|(group, _)| group.name()),
        "document_id": document.as_ref().map(|(_, document_id)| document_id.as_str()),
        "line_id": line_id.as_deref(),
        "code": code.as_deref(),
        "valid_from": valid_from.map(|day| day.to_string()),
        "expires_on": expires_on.to_string(),
        "reason": reason.as_str(),
    })
}

/// The first characters of the hex of SHA-256 over [`canonical_json`].
pub fn digest(set: &RuleSet) -> Text {
    let hash = Sha256::digest(canonical_json(set));
    hex::encode(hash).chars().take(DIGEST_CHARACTERS).collect::<String>().into()
}

fn read_section(section: &toml::Table, set: &mut RuleSet) -> Result<(), RuleSetError> {
    let mut fields = Fields::new("rules", section);
    if let Some(hours) = fields.whole("sale_link_window_hours", 1, HOURS_MAX)? {
        set.sale_link_window = Millis::from_hours(hours);
    }
    if let Some(hours) = fields.whole("sale_match_window_hours", 1, HOURS_MAX)? {
        set.sale_match_window = Millis::from_hours(hours);
    }
    if let Some(hours) = fields.whole("lend_window_hours", 1, HOURS_MAX)? {
        set.lend_window = Millis::from_hours(hours);
    }
    if let Some(day) = fields.day("duty_from")? {
        set.duty_from = day;
    }
    for (entry, setting) in RULES.iter().zip(&mut set.defaults) {
        if let Some(table) = fields.table(entry.name)? {
            let path = fields.path(entry.name);
            read_rule(entry.id, Fields::new(&path, table), setting)?;
        }
    }
    let overrides = fields.tables("override", OVERRIDES_MAX)?;
    for (number, table) in (1_usize..).zip(overrides) {
        let path = format!("{} number {number}", fields.path("override"));
        set.overrides.push(read_override(Fields::new(&path, table))?);
    }
    let allowances = fields.tables("allow", allow::ALLOWANCES_MAX)?;
    for (number, table) in (1_usize..).zip(allowances) {
        let path = format!("{} number {number}", fields.path("allow"));
        set.allowances.push(allow::read(Fields::new(&path, table))?);
    }
    fields.finish("a rule's name, see `tracewarden rules`,")
}

fn read_rule(rule: RuleId, mut fields: Fields<'_>, setting: &mut Setting) -> Result<(), RuleSetError> {
    let change = read_change(rule, &mut fields)?;
    fields.finish("one of")?;
    *setting = Setting {
        enabled: change.enabled.unwrap_or(setting.enabled),
        action: change.action.unwrap_or(setting.action),
        severity: change.severity.unwrap_or(setting.severity),
        grace: change.grace.unwrap_or(setting.grace),
    };
    Ok(())
}

fn read_override(mut fields: Fields<'_>) -> Result<Override, RuleSetError> {
    let named = |name: &str| RuleId::from_name(name);
    let Some(rule) = fields.named("rule", named, "the name of a rule, see `tracewarden rules`")? else {
        return Err(fields.error("rule", "is missing: an override says which rule it is about"));
    };
    let deviation = Override {
        region: fields.text("region")?,
        tier: fields.text("tier")?,
        institution_id: fields.institution_id("institution_id")?,
        product_code: fields.text("product_code")?,
        valid_from: fields.day("valid_from")?,
        valid_to: fields.day("valid_to")?,
        ..read_change(rule, &mut fields)?
    };
    if let (Some(from), Some(to)) = (deviation.valid_from, deviation.valid_to)
        && to < from
    {
        return Err(fields.error("valid_to", "is earlier than valid_from"));
    }
    let Override { enabled, action, severity, grace, .. } = &deviation;
    if enabled.is_none() && action.is_none() && severity.is_none() && grace.is_none() {
        return Err(fields.error("rule", "changes nothing: give enabled, action, severity or grace_hours"));
    }
    fields.finish("one of")?;
    Ok(deviation)
}

/// What a rule's section and an override have in common, as an override of every subject.
fn read_change(rule: RuleId, fields: &mut Fields<'_>) -> Result<Override, RuleSetError> {
    let hours = fields.whole("grace_hours", 0, HOURS_MAX)?;
    if hours.is_some() && rule.entry().grace.is_none() {
        return Err(fields.error("grace_hours", &format!("cannot be set: {} waits for nothing", rule.name())));
    }
    Ok(Override {
        rule,
        region: None,
        tier: None,
        institution_id: None,
        product_code: None,
        valid_from: None,
        valid_to: None,
        enabled: fields.boolean("enabled")?,
        action: fields.named("action", Action::from_name, &names(Action::ALL.map(Action::name)))?,
        severity: fields.named("severity", Severity::from_name, &names(Severity::ALL.map(Severity::name)))?,
        grace: hours.map(Millis::from_hours),
    })
}

fn names<const N: usize>(names: [&str; N]) -> String {
    format!("one of {}", names.join(", "))
}

#[cfg(test)]
mod tests;
