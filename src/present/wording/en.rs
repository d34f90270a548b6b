//! The English sentences.

use super::{hour_and_minute, other, spoken_codes, tail};
use crate::domain::document::{DocumentKey, Kind};
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
        What::Retracted if cause.moved_to_settlement => {
            format!("{document} was taken back or corrected, so the sale is judged by its settlement.")
        }
        _ if cause.moved_to_settlement => format!(
            "{document} was uploaded since: the sale and its settlement are one, judged by the settlement."
        ),
        What::Asserted => format!("{document}, uploaded since, explains it."),
        What::Retracted => format!("{document} was taken back or corrected, so it no longer holds."),
        What::Reference => {
            format!("{document} was judged anew with newer reference data; it no longer holds.")
        }
        What::Tick => "with the passing of time it no longer holds.".to_owned(),
    }
}

/// What is found.
pub(super) fn sentence(finding: &Finding, code: &str) -> String {
    let judged_on_line =
        finding.rule.entry().judges == Judges::Line && finding.basis != Some(Basis::Declared);
    if judged_on_line { of_line(finding) } else { of_code(finding, code) }
}

fn of_line(finding: &Finding) -> String {
    let line = line(finding);
    let attributes = &finding.attributes;
    let money = money(finding);
    match finding.rule {
        RuleId::NoCode => format!("{line} needs a trace code and has none: no code, no payment{money}."),
        RuleId::ShortCodes => {
            let shortfall = attributes.shortfall.map_or(String::new(), |q| format!(", {q} short"));
            format!(
                "{line} has too few trace codes{shortfall}; nothing shows that the rest was handed over{money}."
            )
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
        RuleId::RefundUnmatched => {
            format!("{line} refunds what its claim does not hold: no such line, or less than that is left.")
        }
        RuleId::RepeatedInDocument => {
            let codes = codes(&attributes.codes, |code| format!("…{}", tail(&code.code)));
            format!(
                "{line} repeats codes of an earlier line of the same document: {codes}; a package counts once{money}."
            )
        }
        RuleId::Banned => {
            let reasons: Vec<&str> = attributes.banned.iter().copied().map(banned).collect();
            format!("{line} is for a product that must not be sold ({}){money}.", reasons.join(", "))
        }
        _ => {
            let count = attributes.count.map_or(String::new(), |count| format!(" ({count} parts)"));
            format!(
                "{line} is in a document over its limits{count}; it is not checked, and its payment is held{money}."
            )
        }
    }
}

fn of_code(finding: &Finding, code: &str) -> String {
    let package = package(finding, code);
    let mine = mine(&finding.subject, &package);
    let theirs = |object: &str| theirs(finding, object);
    let attributes = &finding.attributes;
    let grace = attributes.grace_hours.map_or(String::new(), |hours| format!(" {hours} hours later"));
    let (money, scope) = (money(finding), finding.scope.map_or("", scope));
    match finding.rule {
        RuleId::DuplicateSettlement => {
            format!("{mine}, which {}{scope}; the fund pays for a package once{money}.", theirs(""))
        }
        RuleId::Resale => {
            format!(
                "{mine}, which {}{scope} and nobody gave back; a package is sold once{money}.",
                theirs("")
            )
        }
        RuleId::OverSplit => {
            let sums = match (attributes.need, attributes.used, attributes.content) {
                (Some(need), Some(used), Some(content)) => {
                    format!("{need} on top of the {used} already used, while it holds {content}")
                }
                _ => "more than it holds".to_owned(),
            };
            format!("{mine} by the unit: {sums}; nothing stands behind the excess{money}.")
        }
        RuleId::HeldElsewhere => {
            format!(
                "{mine}, but it was in stock elsewhere: {}{scope}; no record shows how it got from there{money}.",
                theirs("it")
            )
        }
        RuleId::SoldAfterStockOut => {
            format!("{mine} after {}; what has left the stock is not sold again{money}.", theirs("it"))
        }
        RuleId::PersonMismatch => {
            format!("{mine} for another person than the one to whom {}{money}.", theirs("it"))
        }
        RuleId::Swap => {
            let product = product(finding);
            format!(
                "{mine} as {product}, but {} as another product; a package does not change{money}.",
                theirs("it")
            )
        }
        RuleId::Reflow => {
            format!(
                "{mine}, which {}{scope} and nobody gave back; what was sold is in stock again{money}.",
                theirs("")
            )
        }
        RuleId::DuplicatePurchase => {
            format!(
                "{mine}, which {}{scope} and is not known to have let go; a package is in one stock at a time.",
                theirs("")
            )
        }
        RuleId::SettledNotDispensed => {
            format!("{mine}, and{grace} no record shows that it was handed over{money}.")
        }
        RuleId::NotPurchased => {
            format!("{mine}, and{grace} no record shows where the institution got it{money}.")
        }
        RuleId::ReturnNotRefunded => {
            format!(
                "{mine}, and{grace} it still stands that {}; the fund does not pay for what was given back{money}.",
                theirs("it")
            )
        }
        _ => {
            let count = attributes.count.map_or("too many".to_owned(), |count| count.to_string());
            format!(
                "{package} has {count} live records, more than are checked; no package has a life like that."
            )
        }
    }
}

/// `the package of "ambroxol" with code …016835`.
fn package(finding: &Finding, code: &str) -> String {
    let name = finding.product_name.as_ref().filter(|_| finding.rule != RuleId::Swap);
    let of = name.map_or(String::new(), |name| format!(" of \"{name}\""));
    format!("the package{of} with code …{}", tail(code))
}

/// `line 1 ("ambroxol") of document S1 of institution P37020300001 (settled on 5 Jan 2026 at 09:31)`.
fn line(finding: &Finding) -> String {
    let side = &finding.subject;
    let DocumentKey { institution_id, document_id, .. } = &side.key.document;
    let name = finding.product_name.as_ref().filter(|_| finding.rule != RuleId::Swap);
    let name = name.map_or(String::new(), |name| format!(" (\"{name}\")"));
    let (line_id, done, when) = (&side.key.line_id, done(side.kind), when(side.occurred_at));
    format!(
        "line {line_id}{name} of document {document_id} of institution {institution_id} ({done} on {when})"
    )
}

/// `on 5 Jan 2026 at 09:31 institution P37020300001 settled the package`.
fn mine(side: &Side, object: &str) -> String {
    let (verb, rest) = verb(side.kind);
    format!(
        "on {} institution {} {verb} {object}{rest}",
        when(side.occurred_at),
        side.key.document.institution_id
    )
}

/// `institution P37020300001 took it back on 5 Jan 2026 at 09:31`.
fn theirs(finding: &Finding, object: &str) -> String {
    let (side, mine) = (other(finding), &finding.subject.key.document.institution_id);
    let (verb, rest) = verb(side.kind);
    let institution_id = &side.key.document.institution_id;
    let who = if institution_id == mine {
        "the same institution".to_owned()
    } else {
        format!("institution {institution_id}")
    };
    let object = if object.is_empty() { String::new() } else { format!(" {object}") };
    format!("{who} {verb}{object}{rest} on {}", when(side.occurred_at))
}

fn when(moment: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = moment.day().civil();
    let month = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.saturating_sub(1)));
    format!("{day} {} {year} at {}", month.unwrap_or(&""), hour_and_minute(moment))
}

/// What was done, without an object: `took back`.
pub(in crate::present) fn done(kind: Kind) -> String {
    let (verb, rest) = verb(kind);
    format!("{verb}{rest}")
}

/// What was done, before and after its object: `took` it ` back`.
fn verb(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::PurchaseIn => ("purchased", ""),
        Kind::TransferIn => ("received", " by transfer"),
        Kind::GiftIn => ("received", " as a gift"),
        Kind::GainIn => ("found", " at stocktaking"),
        Kind::OtherIn => ("took", " into stock"),
        Kind::PurchaseReturn => ("returned", " to its supplier"),
        Kind::TransferOut => ("passed", " on by transfer"),
        Kind::GiftReturn => ("returned", " as an unused gift"),
        Kind::LossOut => ("wrote", " off as lost"),
        Kind::Destroyed => ("destroyed", ""),
        Kind::OtherOut => ("took", " out of stock"),
        Kind::Stocktake => ("counted", ""),
        Kind::Dispense => ("sold", ""),
        Kind::DispenseReturn => ("took", " back"),
        Kind::Settlement => ("settled", ""),
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        // The sentence says so where it names the institution.
        Scope::Institution => "",
        Scope::Region => " in the same region",
        Scope::OtherRegion => " in another region",
    }
}

fn banned(reason: BannedReason) -> &'static str {
    match reason {
        BannedReason::Expired => "expired",
        BannedReason::Recalled => "its lot was recalled",
        BannedReason::Listed => "its code is listed",
    }
}

pub(in crate::present) fn invalid(reason: InvalidReason) -> &'static str {
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
