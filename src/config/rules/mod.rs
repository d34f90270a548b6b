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

/// The rule set of a `[rules]` section; without one all defaults hold.
pub fn from_config(section: Option<&toml::Table>) -> Result<RuleSet, RuleSetError> {
    let mut set = RuleSet::default();
    if let Some(section) = section {
        read_section(section, &mut set)?;
    }
    set.digest = digest(&set);
    Ok(set)
}

/// The whole rule set with every value in force, as JSON with sorted keys: what the digest is made of.
pub fn canonical_json(set: &RuleSet) -> String {
    let settings = RULES.iter().zip(&set.defaults).map(|(entry, setting)| {
        serde_json::json!({
            "rule": entry.name,
            "enabled": setting.enabled,
            "action": setting.action.name(),
            "severity": setting.severity.name(),
            "grace_ms": setting.grace.get(),
        })
    });
    let overrides = set.overrides.iter().map(|deviation| {
        serde_json::json!({
            "rule": deviation.rule.name(),
            "region": deviation.region.as_deref(),
            "tier": deviation.tier.as_deref(),
            "institution_id": deviation.institution_id.as_deref(),
            "product_code": deviation.product_code.as_deref(),
            "valid_from": deviation.valid_from.map(|day| day.to_string()),
            "valid_to": deviation.valid_to.map(|day| day.to_string()),
            "enabled": deviation.enabled,
            "action": deviation.action.map(Action::name),
            "severity": deviation.severity.map(Severity::name),
            "grace_ms": deviation.grace.map(Millis::get),
        })
    });
    let allowances = set.allowances.iter().map(|allowance| {
        serde_json::json!({
            "rule": allowance.rule.name(),
            "institution_id": allowance.institution_id.as_deref(),
            "group": allowance.document.as_ref().map(|(group, _)| group.name()),
            "document_id": allowance.document.as_ref().map(|(_, document_id)| document_id.as_ref()),
            "line_id": allowance.line_id.as_deref(),
            "code": allowance.code.as_deref(),
            "valid_from": allowance.valid_from.map(|day| day.to_string()),
            "expires_on": allowance.expires_on.to_string(),
            "reason": allowance.reason.as_ref(),
        })
    });
    let mut whole = serde_json::json!({
        "rule_version": RULE_VERSION,
        "sale_link_window_ms": set.sale_link_window.get(),
        "sale_match_window_ms": set.sale_match_window.get(),
        "rules": settings.collect::<Vec<_>>(),
        "overrides": overrides.collect::<Vec<_>>(),
    });
    // Left out where there are none, so that the digests of sets without any stay what they were.
    if let (false, Some(members)) = (set.allowances.is_empty(), whole.as_object_mut()) {
        members.insert("allow".into(), allowances.collect());
    }
    whole.to_string()
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
