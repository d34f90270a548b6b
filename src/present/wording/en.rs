//! The English sentences.

use super::{hour_and_minute, other, spoken_codes, tail};
use crate::domain::document::{DocumentKey, Kind};
use crate::domain::finding::{BannedReason, ConcernedCode, Finding, Side};
use crate::domain::observation::{Cause, LentFrom, ObservationKey, What};
use crate::domain::rules::{RuleId, Scope};
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

/// Whose code it is that a settlement borrows.
pub(super) fn lent((settlement, from): (&ObservationKey, &LentFrom)) -> String {
    let (document, line) = (&settlement.document.document_id, &settlement.line_id);
    let LentFrom { document_id, line_id } = from;
    format!(
        " Line {line} of settlement {document} has no such code itself: it is that of line {line_id} of the hand-over \
         {document_id} at the same institution."
    )
}

/// What a name in a rule's sentence stands for.
pub(super) fn piece(name: &str, finding: &Finding, code: &str) -> Option<String> {
    let attributes = &finding.attributes;
    let spoken = match name {
        // Of a line.
        "line" => line(finding),
        "shortfall" => attributes.shortfall.map_or(String::new(), |q| format!(", {q} short")),
        "codes" => codes(&attributes.codes, |code| format!("…{}{}", tail(&code.code), taken(code))),
        "invalid_codes" => codes(&attributes.codes, |code| {
            let why = code.invalid.map_or("not recognised", invalid);
            format!("…{} ({why}){}", tail(&code.code), taken(code))
        }),
        "products_of_codes" => codes(&attributes.codes, |code| {
            let name = code.product_name.as_deref().or(code.product_code.as_deref());
            format!("…{}{} is {}", tail(&code.code), taken(code), name.unwrap_or("another product"))
        }),
        "grounds" => {
            let grounds: Vec<&str> = attributes.banned.iter().copied().map(banned).collect();
            grounds.join(", ")
        }
        "parts" => attributes.count.map_or(String::new(), |count| format!(" ({count} parts)")),
        // Of a code, and of the two sides.
        "package" => package(finding, code),
        "mine" => mine(&finding.subject, &package(finding, code)),
        "theirs" => theirs(finding, ""),
        "theirs_it" => theirs(finding, "it"),
        "scope" => finding.scope.map_or("", scope).to_owned(),
        "grace" => attributes.grace_hours.map_or(String::new(), |hours| format!(" {hours} hours later")),
        "sums" => match (attributes.need, attributes.used, attributes.content) {
            (Some(need), Some(used), Some(content)) => {
                format!("{need} on top of the {used} already used, while it holds {content}")
            }
            _ => "more than it holds".to_owned(),
        },
        "count" => attributes.count.map_or("too many".to_owned(), |count| count.to_string()),
        // Of either.
        "product" => product(finding),
        "money" => money(finding),
        _ => return None,
    };
    Some(spoken)
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
        InvalidReason::Placeholder => "a placeholder",
        InvalidReason::LogisticsLabel => "the label of a carton or pallet",
        InvalidReason::PartOfSet => "the label of one piece of a set",
        InvalidReason::Rounded => "rounded as a number, its last digits lost",
        InvalidReason::NotATraceCode => "the number of an institution or a catalogue product",
        InvalidReason::Barcode69 => "a product barcode",
        InvalidReason::Doubled => "scanned twice in one",
        InvalidReason::Truncated => "too short",
        InvalidReason::Overlong => "too long",
        InvalidReason::Unrecognised => "not recognised",
    }
}

/// Which hand-over lent it.
fn taken(code: &ConcernedCode) -> String {
    code.lent_from
        .as_ref()
        .map_or(String::new(), |from| format!(" (of hand-over {} line {})", from.document_id, from.line_id))
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
