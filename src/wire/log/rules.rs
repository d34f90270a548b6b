//! Rules, their settings, and the rule set that travels in band.

use super::{
    Numbered, TableReader, TableWriter, Wire, WireError, day, length, paired_enums, read_all, write_all,
};
use crate::domain::adjudicator::Policy;
use crate::domain::claim::Verdict;
use crate::domain::document::Group;
use crate::domain::rules::allowance::Allowance;
use crate::domain::rules::catalogue::RULES;
use crate::domain::rules::ruleset::{Override, RuleSet, Setting};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::time::{Day, Millis};
use crate::wire::pb_internal as pb;

paired_enums! {
    Action, pb::Action, "action" { Observe = Observe, Alert = Alert, Hold = Hold, Refuse = Refuse }
    Severity, pb::Severity, "severity" {
        Info = Info, Low = Low, Medium = Medium, High = High, Critical = Critical,
    }
}

/// Its entry has a rule's number; that the message enum names it so is held by a test.
impl Numbered for RuleId {
    fn number(self) -> i32 {
        self.entry().number
    }

    fn from_number(number: i32) -> Result<Option<Self>, WireError> {
        match number {
            0 => Ok(None),
            _ => RuleId::from_number(number).map(Some).ok_or(WireError::Field { field: "rule" }),
        }
    }
}

impl Wire for Override {
    type Message = pb::RuleOverride;

    fn to_message(&self, table: &mut TableWriter) -> pb::RuleOverride {
        pb::RuleOverride {
            rule: self.rule.number(),
            region: table.optional(&self.region),
            tier: table.optional(&self.tier),
            institution_id: table.optional(&self.institution_id),
            product_code: table.optional(&self.product_code),
            valid_from: self.valid_from.map(Day::days_since_epoch),
            valid_to: self.valid_to.map(Day::days_since_epoch),
            enabled: self.enabled,
            action: Action::number_of(self.action),
            severity: Severity::number_of(self.severity),
            grace: self.grace.map(Millis::get),
        }
    }

    fn from_message(message: &pb::RuleOverride, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            rule: RuleId::required(message.rule, "override.rule")?,
            region: table.optional(message.region, "override.region")?,
            tier: table.optional(message.tier, "override.tier")?,
            institution_id: table.optional(message.institution_id, "override.institution_id")?,
            product_code: table.optional(message.product_code, "override.product_code")?,
            valid_from: day(message.valid_from),
            valid_to: day(message.valid_to),
            enabled: message.enabled,
            action: Action::from_number(message.action)?,
            severity: Severity::from_number(message.severity)?,
            grace: message.grace.map(length),
        })
    }
}

impl Wire for Allowance {
    type Message = pb::RuleAllowance;

    fn to_message(&self, table: &mut TableWriter) -> pb::RuleAllowance {
        pb::RuleAllowance {
            rule: self.rule.number(),
            institution_id: table.optional(&self.institution_id),
            group: Group::number_of(self.document.as_ref().map(|(group, _)| *group)),
            document_id: self.document.as_ref().map_or(0, |(_, document_id)| table.text(document_id)),
            line_id: table.optional(&self.line_id),
            code: table.optional(&self.code),
            valid_from: self.valid_from.map(Day::days_since_epoch),
            expires_on: self.expires_on.days_since_epoch(),
            reason: table.text(&self.reason),
        }
    }

    fn from_message(message: &pb::RuleAllowance, table: &TableReader) -> Result<Self, WireError> {
        let document_id = table.optional(message.document_id, "allowance.document_id")?;
        Ok(Self {
            rule: RuleId::required(message.rule, "allowance.rule")?,
            institution_id: table.optional(message.institution_id, "allowance.institution_id")?,
            document: Group::from_number(message.group)?.zip(document_id),
            line_id: table.optional(message.line_id, "allowance.line_id")?,
            code: table.optional(message.code, "allowance.code")?,
            valid_from: day(message.valid_from),
            expires_on: Day::from_days_since_epoch(message.expires_on),
            reason: table.text(message.reason, "allowance.reason")?,
        })
    }
}

impl Wire for RuleSet {
    type Message = pb::RuleSet;

    fn to_message(&self, table: &mut TableWriter) -> pb::RuleSet {
        // The settings are in the order of the catalogue.
        let settings = RULES.iter().zip(&self.defaults).map(|(entry, setting)| pb::RuleSetting {
            rule: entry.id.number(),
            enabled: setting.enabled,
            action: setting.action.number(),
            severity: setting.severity.number(),
            grace: setting.grace.get(),
        });
        pb::RuleSet {
            digest: table.text(&self.digest),
            sale_link_window: self.sale_link_window.get(),
            sale_match_window: self.sale_match_window.get(),
            defaults: settings.collect(),
            overrides: write_all(&self.overrides, table),
            allowances: write_all(&self.allowances, table),
            policy: Some(pb::DecisionPolicy {
                decision_deadline: self.policy.decision_deadline.get(),
                provisional_pays: self.policy.provisional == Verdict::Pay,
                deadline_enabled: self.policy.deadline_enabled,
            }),
            horizon: self.horizon.map(Millis::get),
            timers_per_entry_max: self.timers_per_entry_max.map(|most| most as u64),
            lend_window: Some(self.lend_window.get()),
            duty_from: Some(self.duty_from.days_since_epoch()),
        }
    }

    fn from_message(message: &pb::RuleSet, table: &TableReader) -> Result<Self, WireError> {
        let mut set = Self {
            digest: table.text(message.digest, "rule_set.digest")?,
            sale_link_window: length(message.sale_link_window),
            sale_match_window: length(message.sale_match_window),
            overrides: read_all(&message.overrides, table)?,
            allowances: read_all(&message.allowances, table)?,
            policy: message.policy.as_ref().map_or_else(Policy::default, |policy| Policy {
                decision_deadline: length(policy.decision_deadline),
                provisional: if policy.provisional_pays { Verdict::Pay } else { Verdict::Hold },
                deadline_enabled: policy.deadline_enabled,
            }),
            horizon: message.horizon.map(length),
            timers_per_entry_max: message
                .timers_per_entry_max
                .map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            ..Self::default()
        };
        set.lend_window = message.lend_window.map_or(set.lend_window, length);
        set.duty_from = day(message.duty_from).unwrap_or(set.duty_from);
        for setting in &message.defaults {
            let rule = RuleId::required(setting.rule, "rule_set.rule")?;
            if let Some(known) = set.defaults.get_mut(rule as usize) {
                *known = Setting {
                    enabled: setting.enabled,
                    action: Action::required(setting.action, "rule_set.action")?,
                    severity: Severity::required(setting.severity, "rule_set.severity")?,
                    grace: length(setting.grace),
                };
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_name_at_its_number() {
        for entry in RULES {
            let named = pb::Rule::try_from(entry.number).map(|rule| rule.as_str_name());
            assert_eq!(named, Ok(&*format!("RULE_{}", entry.name.to_uppercase())));
            assert_eq!(RuleId::from_name(entry.name).map(Numbered::number), Some(entry.number));
        }
        let listed = (1..).map_while(|number| pb::Rule::try_from(number).ok());
        assert_eq!(listed.count(), RULES.len());
    }
}
