//! Rulings and payments as the bureau writes them.

use std::collections::BTreeSet;

use super::json::RULING;
use super::read::{key, money, required};
use crate::domain::Text;
use crate::domain::claim::Verdict;
use crate::domain::document::{Group, Origin};
use crate::domain::handling::{Act, Handling, Payment, Ruling, may_be_ruled, verdict_name};
use crate::domain::time::Timestamp;
use crate::wire::inbound::moment;
use crate::wire::inbound::reject::{Reject, Words};
use crate::wire::pb;

/// The verdict of a ruling that takes an earlier one back.
pub(super) const NO_VERDICT: &str = verdict_name(None);

/// What values must be.
const RULES: Words =
    Words::new("支付判定中作为原因出现的规则名称", "rules by the names that stand as reasons in decisions");
const RULE_TO_PAY: Words =
    Words::new("至少一条规则（`verdict` 为 `pay` 时）", "at least one rule where `verdict` is `pay`");
const LINE_ID: Words = Words::new("明细号；指整张结算单时不写", "a line's id, or absent for the whole claim");
const VERDICT: Words = Words::new("`pay`、`hold`、`refuse` 或 `none`", "`pay`, `hold`, `refuse` or `none`");

/// The ruling or payment that the message states; nothing else of it is read.
pub(super) fn handling(raw: &pb::Upload, issued_at: Timestamp, origin: &Origin) -> Result<Handling, Reject> {
    let act = if raw.kind == RULING { ruling(raw)? } else { payment(raw)? };
    Ok(Handling {
        claim: key(raw, Group::Settlement, &raw.document_id),
        issued_at,
        act,
        origin: origin.clone(),
    })
}

fn ruling(raw: &pb::Upload) -> Result<Act, Reject> {
    let verdict = verdict(required("verdict", &raw.verdict)?)?;
    let stated = if verdict.is_none() { &[][..] } else { &raw.rules };
    let rules: BTreeSet<Text> = stated.iter().map(|rule| rule.as_str().into()).collect();
    if !rules.iter().all(|rule| may_be_ruled(rule)) {
        return Err(Reject::malformed("rules", RULES));
    }
    if verdict == Some(Verdict::Pay) && rules.is_empty() {
        return Err(Reject::malformed("rules", RULE_TO_PAY));
    }
    if raw.line_id.as_deref() == Some("") {
        return Err(Reject::malformed("line_id", LINE_ID));
    }
    let ruling = Ruling {
        verdict,
        rules,
        ruled_by: required("ruled_by", &raw.ruled_by)?.into(),
        basis: required("basis", &raw.basis)?.into(),
    };
    Ok(Act::Ruling { line_id: raw.line_id.as_deref().map(Text::from), ruling })
}

fn verdict(name: &str) -> Result<Option<Verdict>, Reject> {
    [Some(Verdict::Pay), Some(Verdict::Hold), Some(Verdict::Refuse), None]
        .into_iter()
        .find(|verdict| verdict_name(*verdict) == name)
        .ok_or_else(|| Reject::malformed("verdict", VERDICT))
}

fn payment(raw: &pb::Upload) -> Result<Act, Reject> {
    let payment_id = required("payment_id", &raw.payment_id)?.into();
    let amount = money("amount", &raw.amount)?.ok_or_else(|| Reject::missing("amount"))?;
    let paid_on = moment::day(required("paid_on", &raw.paid_on)?)
        .ok_or_else(|| Reject::malformed("paid_on", moment::DAY_FORM))?;
    let payment = Payment {
        amount,
        paid_on,
        recovered: raw.recovered.unwrap_or(false),
        withdrawn: raw.withdrawn.unwrap_or(false),
    };
    Ok(Act::Payment { payment_id, payment })
}
