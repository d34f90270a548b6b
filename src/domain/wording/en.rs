//! The English sentences.

use super::{hour_and_minute, other, spoken_codes, tail};
use crate::domain::alert::AlertChange;
use crate::domain::document::Kind;
use crate::domain::finding::{BannedReason, ConcernedCode, Finding, Side};
use crate::domain::observation::{Cause, What};
use crate::domain::rules::catalogue::Judges;
use crate::domain::rules::{Basis, RuleId, Scope};
use crate::domain::time::Timestamp;
use crate::domain::trace_code::InvalidReason;

/// What explains a withdrawal.
pub(super) fn explanation(cause: &Cause) -> String {
    let Some(document) = &cause.document else {
        return "with the passing of time it no longer holds.".to_owned();
    };
    let document = format!("document {} of institution {}", document.document_id, document.institution_id);
    match cause.what {
        What::Asserted => format!("{document}, uploaded since, explains it."),
        What::Retracted => format!("{document} was taken back or corrected, so it no longer holds."),
        What::Reference => {
            format!("{document} was judged anew with newer reference data; it no longer holds.")
        }
        What::Tick => "with the passing of time it no longer holds.".to_owned(),
    }
}

/// What is found.
pub(super) fn sentence(change: &AlertChange) -> String {
    let finding = &change.finding;
    let code = change.code.as_deref().unwrap_or_default();
    let judged_on_line =
        finding.rule.entry().judges == Judges::Line && finding.basis != Some(Basis::Declared);
    if judged_on_line { of_line(finding) } else { of_code(finding, code) }
}

fn of_line(finding: &Finding) -> String {
    let line = line(&finding.subject);
    let attributes = &finding.attributes;
    let money = money(finding);
    match finding.rule {
        RuleId::NoCode => format!("{line} needs a trace code and has none: no code, no payment{money}."),
        RuleId::ShortCodes => {
            let shortfall = attributes.shortfall.map_or(String::new(), |q| format!(" by {q} packs"));
            format!("{line} has too few trace codes{shortfall}; nothing shows that the rest was sold{money}.")
        }
        RuleId::InvalidCode => {
            let codes = codes(&attributes.codes, |code| {
                format!("…{} ({})", tail(&code.code), code.invalid.map_or("not recognised", invalid))
            });
            format!(
                "{line} has codes that are no trace codes: {codes}; the product cannot be confirmed{money}."
            )
        }
        RuleId::UnknownProduct => {
            let codes = codes(&attributes.codes, |code| format!("…{}", tail(&code.code)));
            format!("{line} has codes whose product prefix is not on file: {codes}.")
        }
        RuleId::Swap => {
            let codes = codes(&attributes.codes, |code| {
                let name = code.product_name.as_deref().or(code.product_code.as_deref());
                format!("…{} is {}", tail(&code.code), name.unwrap_or("another product"))
            });
            let product = product(finding);
            format!("{line} claims {product}, but {codes}: what was declared is not what was scanned{money}.")
        }
        RuleId::RepeatedInDocument => {
            let codes = codes(&attributes.codes, |code| format!("…{}", tail(&code.code)));
            format!(
                "{line} repeats codes of an earlier line of the same document: {codes}; a box counts once{money}."
            )
        }
        RuleId::Banned => {
            let reasons: Vec<&str> = attributes.banned.iter().copied().map(banned).collect();
            format!("{line} is for a product that must not be sold ({}){money}.", reasons.join(", "))
        }
        _ => {
            let count = attributes.count.map_or(String::new(), |count| format!(" ({count} parts)"));
            format!("{line} is in a document over its limits{count}; it is not checked and held{money}.")
        }
    }
}

fn of_code(finding: &Finding, code: &str) -> String {
    let code = format!("the box with code …{}", tail(code));
    let (mine, theirs) = (event(&finding.subject), event(other(finding)));
    let attributes = &finding.attributes;
    let grace = attributes.grace_hours.map_or(String::new(), |hours| format!(" {hours} hours later"));
    let (money, scope) = (money(finding), finding.scope.map_or("", scope));
    match finding.rule {
        RuleId::DuplicateSettlement => {
            format!("{mine} {code}, which {theirs}{scope}; the fund pays for a box once{money}.")
        }
        RuleId::Resale => {
            format!("{mine} {code}, which {theirs}{scope} and nobody gave back; a box is sold once{money}.")
        }
        RuleId::OverSplit => {
            let sums = match (attributes.need, attributes.used, attributes.content) {
                (Some(need), Some(used), Some(content)) => {
                    format!("{need} units on top of {used}, of {content} in it")
                }
                _ => "more units than it holds".to_owned(),
            };
            format!("{mine} by the unit from {code}: {sums}; nothing stands behind the excess{money}.")
        }
        RuleId::HeldElsewhere => {
            format!("{mine} {code}, but {theirs} it last{scope}; no record shows how it got there{money}.")
        }
        RuleId::SoldAfterStockOut => {
            format!("{mine} {code} after {theirs} it; what left the stock is not sold again{money}.")
        }
        RuleId::PersonMismatch => {
            format!("{mine} {code} for another person than the one to whom {theirs} it{money}.")
        }
        RuleId::Swap => {
            let product = product(finding);
            format!(
                "{mine} {code} as {product}, but {theirs} it as another product; a box does not change{money}."
            )
        }
        RuleId::Reflow => {
            format!("{mine} {code}, which {theirs}{scope} and nobody gave back; it is in stock again{money}.")
        }
        RuleId::DuplicatePurchase => {
            format!("{mine} {code}, which {theirs}{scope} and never let go; a box is in one stock at a time.")
        }
        RuleId::SettledNotDispensed => {
            format!("{mine} {code}, and{grace} no record shows that it was handed over{money}.")
        }
        RuleId::NotPurchased => {
            format!("{mine} {code}, and{grace} no record shows where the institution got it{money}.")
        }
        RuleId::ReturnNotRefunded => {
            format!(
                "{mine} {code}, and{grace} it still stands that {theirs} it; the fund does not pay for returns{money}."
            )
        }
        _ => {
            let count = attributes.count.map_or("too many".to_owned(), |count| count.to_string());
            format!("{code} has {count} live records, more than are checked; no box has a life like that.")
        }
    }
}

/// `line 1 of document S1, which institution P37020300001 settled on 5 Jan 2026 at 09:31,`.
fn line(side: &Side) -> String {
    let (document, line_id) = (&side.key.document.document_id, &side.key.line_id);
    format!("line {line_id} of document {document} ({})", event(side))
}

/// `institution P37020300001 on 5 Jan 2026 at 09:31 settled`.
fn event(side: &Side) -> String {
    format!(
        "institution {} on {} {}",
        side.key.document.institution_id,
        when(side.occurred_at),
        verb(side.kind)
    )
}

fn when(moment: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = moment.day().civil();
    let month = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.saturating_sub(1)));
    format!("{day} {} {year} at {}", month.unwrap_or(&""), hour_and_minute(moment))
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::PurchaseIn => "purchased",
        Kind::TransferIn => "received by transfer",
        Kind::GiftIn => "received as a gift",
        Kind::GainIn => "found at stocktaking",
        Kind::OtherIn => "took into stock",
        Kind::PurchaseReturn => "returned to its supplier",
        Kind::TransferOut => "passed on by transfer",
        Kind::GiftReturn => "returned as an unused gift",
        Kind::LossOut => "wrote off as lost",
        Kind::Destroyed => "destroyed",
        Kind::OtherOut => "took out of stock",
        Kind::Stocktake => "counted",
        Kind::Dispense => "sold",
        Kind::DispenseReturn => "took back",
        Kind::Settlement => "settled",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Institution => " (the same institution)",
        Scope::Region => " (the same region)",
        Scope::OtherRegion => " (another region)",
    }
}

fn banned(reason: BannedReason) -> &'static str {
    match reason {
        BannedReason::Expired => "expired",
        BannedReason::Recalled => "its lot was recalled",
        BannedReason::Listed => "its code is listed",
    }
}

fn invalid(reason: InvalidReason) -> &'static str {
    match reason {
        InvalidReason::CheckDigit => "wrong check digit",
        InvalidReason::Barcode69 => "a product barcode",
        InvalidReason::Doubled => "scanned twice in one",
        InvalidReason::Truncated => "too short",
        InvalidReason::Overlong => "too long",
        InvalidReason::Unrecognised => "not recognised",
    }
}

fn product(finding: &Finding) -> String {
    let name = finding.product_name.as_deref().or(finding.product_code.as_deref());
    name.map_or_else(|| "another product".to_owned(), |name| format!("\"{name}\""))
}

fn money(finding: &Finding) -> String {
    finding.amount_at_risk.map_or(String::new(), |amount| format!("; {amount} yuan of the fund are at stake"))
}

fn codes(codes: &[ConcernedCode], speak: impl Fn(&ConcernedCode) -> String) -> String {
    let (spoken, more) = spoken_codes(codes, speak);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", spoken.join(", "))
}
