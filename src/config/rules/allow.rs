//! `[[rules.allow]]`: rules silenced for single subjects, with a reason and a last day.

use super::RuleSetError;
use super::fields::Fields;
use crate::domain::Text;
use crate::domain::document::Group;
use crate::domain::rules::RuleId;
use crate::domain::rules::allowance::Allowance;
use crate::domain::trace_code::{self, Scan};

/// Every finding is compared with every allowance, so there is a limit.
pub(super) const ALLOWANCES_MAX: usize = 1_000;
/// A reason goes into logs and summaries whenever it acts.
const REASON_CHARACTERS_MAX: usize = 200;

/// Reads one entry.
pub(super) fn read(mut fields: Fields<'_>) -> Result<Allowance, RuleSetError> {
    let Some(rule) =
        fields.named("rule", RuleId::from_name, "the name of a rule, see `tracewarden rules`")?
    else {
        return Err(fields.error("rule", "is missing: an allowance says which rule it silences"));
    };
    if !rule.entry().allowable {
        return Err(fields.error(
            "rule",
            &format!("{} is an operational limit: what is not judged is not paid", rule.name()),
        ));
    }
    let institution_id = fields.institution_id("institution_id")?;
    let document = document(&mut fields, institution_id.is_some())?;
    let line_id = fields.text("line_id")?;
    if line_id.is_some() && document.is_none() {
        return Err(fields.error("line_id", "needs group and document_id"));
    }
    let code = code(rule, &mut fields)?;
    if institution_id.is_none() && code.is_none() {
        return Err(fields.error("institution_id", "is missing: an allowance names an institution or a code"));
    }
    let valid_from = fields.day("valid_from")?;
    let Some(expires_on) = fields.day("expires_on")? else {
        return Err(fields.error("expires_on", "is missing: an allowance ends on some day"));
    };
    if valid_from.is_some_and(|from| expires_on < from) {
        return Err(fields.error("expires_on", "is earlier than valid_from"));
    }
    let Some(reason) = fields.text("reason")? else {
        return Err(fields.error("reason", "is missing: an allowance says why"));
    };
    if reason.chars().count() > REASON_CHARACTERS_MAX {
        return Err(fields.error("reason", &format!("is longer than {REASON_CHARACTERS_MAX} characters")));
    }
    fields.finish("one of")?;
    Ok(Allowance { rule, institution_id, document, line_id, code, valid_from, expires_on, reason })
}

/// The document, which is named whole or not at all.
fn document(fields: &mut Fields<'_>, has_institution: bool) -> Result<Option<(Group, Text)>, RuleSetError> {
    let group = fields.named("group", Group::from_name, "one of procurement, dispensing, settlement")?;
    match (group, fields.text("document_id")?) {
        (Some(_), Some(_)) if !has_institution => Err(fields.error("document_id", "needs institution_id")),
        (Some(group), Some(document_id)) => Ok(Some((group, document_id))),
        (Some(_), None) => Err(fields.error("group", "needs document_id")),
        (None, Some(_)) => Err(fields.error("document_id", "needs group")),
        (None, None) => Ok(None),
    }
}

/// The code in normal form, for rules that judge codes.
fn code(rule: RuleId, fields: &mut Fields<'_>) -> Result<Option<Text>, RuleSetError> {
    let Some(scanned) = fields.text("code")? else {
        return Ok(None);
    };
    if !rule.entry().judges.is_about_codes() {
        return Err(
            fields.error("code", &format!("cannot be given: {} judges a line as a whole", rule.name()))
        );
    }
    match trace_code::read(&scanned) {
        Some(Scan::Valid(code)) if code.is_unit => Ok(Some(code.normal)),
        _ => Err(fields.error("code", &format!("\"{scanned}\" is no code of a single package"))),
    }
}
