//! The checks of an upload: from the sender's texts to a domain [`Upload`].
//!
//! One function for both canonical forms and for what the national interface's messages become. The first fault
//! found is the one reported; a refused upload has no effect, so which of several faults is named does not matter.

use std::collections::HashSet;

use super::Checks;
use super::collect::Scans;
use super::json::REVERSAL;
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::{
    Adjusts, CodesFacet, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, LineVersion, Part, Parts,
    ReturnedSale, Reversal, Upload, Version,
};
use crate::domain::time::{Millis, Timestamp};
use crate::wire::inbound::reject::{Reject, RejectReason};
use crate::wire::inbound::{decimal, moment};
use crate::wire::pb;
use crate::wire::pb::upload::Line;

/// 2015-01-01T00:00:00+08:00: nothing that a sender reports now happened before.
const EARLIEST: Timestamp = Timestamp::from_unix_millis(1_420_041_600_000);

/// How far a moment may be ahead of the record that states it, and of the upload's own issue.
const AHEAD_MAX: Millis = Millis::from_days(1);

/// Whether the text is an institution's id: 12 characters of A–Z 0–9.
pub fn is_institution_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether the text has at most that many characters.
pub fn fits(text: &str, characters_max: usize) -> bool {
    // Most texts are decided by their length in bytes, without counting.
    text.len() <= characters_max || text.chars().nth(characters_max).is_none()
}

/// The upload that the message states, fully checked.
pub fn upload(raw: &pb::Upload, checks: &Checks<'_>) -> Result<Upload, Reject> {
    let document_id = document_id("document_id", &raw.document_id, checks)?;
    let institution_id = institution_id(&raw.institution_id)?;
    if raw.kind.is_empty() {
        return Err(Reject::missing("kind"));
    }
    if raw.kind == REVERSAL {
        return reversal(raw, institution_id, checks).map(Upload::Reversal);
    }
    let kind = Kind::from_name(&raw.kind)
        .ok_or_else(|| Reject::malformed("kind", "one of the documented kinds, or `reversal`"))?;
    let key = DocumentKey { institution_id, group: kind.group(), document_id };
    version(raw, kind, key, checks).map(|version| Upload::Version(Box::new(version)))
}

fn institution_id(text: &str) -> Result<Text, Reject> {
    if text.is_empty() {
        return Err(Reject::missing("institution_id"));
    }
    if !is_institution_id(text) {
        return Err(Reject::malformed("institution_id", "12 characters of A–Z and 0–9"));
    }
    Ok(text.into())
}

/// The reversal that the message states; nothing else of it is read.
fn reversal(raw: &pb::Upload, institution_id: Text, checks: &Checks<'_>) -> Result<Reversal, Reject> {
    let issued_at = issued_at(raw, checks)?;
    let reverses = raw.reverses.as_ref().ok_or_else(|| Reject::missing("reverses"))?;
    if reverses.group.is_empty() {
        return Err(Reject::missing("reverses.group"));
    }
    let group = Group::from_name(&reverses.group)
        .ok_or_else(|| Reject::malformed("reverses.group", "`procurement`, `dispensing` or `settlement`"))?;
    let document_id = document_id("reverses.document_id", &reverses.document_id, checks)?;
    let line_id = match reverses.line_id.as_deref() {
        None => None,
        Some("") => {
            return Err(Reject::malformed(
                "reverses.line_id",
                "a line's id, or absent for the whole document",
            ));
        }
        Some(line_id) => Some(required_id("reverses.line_id", line_id, checks)?),
    };
    Ok(Reversal {
        target: DocumentKey { institution_id, group, document_id },
        of_alias: false,
        line_id,
        parts: Parts::ALL,
        issued_at,
        origin: checks.input.origin.clone(),
    })
}

fn version(raw: &pb::Upload, kind: Kind, key: DocumentKey, checks: &Checks<'_>) -> Result<Version, Reject> {
    check_topic(key.group, checks)?;
    let issued_at = issued_at(raw, checks)?;
    let full = !raw.partial.unwrap_or(false);
    let header = header(raw, kind, full, issued_at, checks)?;
    if full && raw.lines.is_empty() {
        return Err(Reject::missing("lines"));
    }
    let lines = lines(raw, full, checks)?;
    if header.is_none() && lines.is_empty() {
        let sentence = "A partial upload must carry a header (with `occurred_at`) or a facet of some line.";
        return Err(Reject::of_field(RejectReason::MissingField, "lines", sentence));
    }
    let header = header.map(Part::bare);
    Ok(Version { key, issued_at, full, header, lines, origin: checks.input.origin.clone() })
}

fn check_topic(group: Group, checks: &Checks<'_>) -> Result<(), Reject> {
    match checks.input.group {
        Some(topic) if topic != group => Err(Reject::of_field(
            RejectReason::WrongTopic,
            "kind",
            format!("Documents of this kind belong to the topic `{}`; send it there.", group.name()),
        )),
        _ => Ok(()),
    }
}

fn issued_at(raw: &pb::Upload, checks: &Checks<'_>) -> Result<Timestamp, Reject> {
    if raw.issued_at.is_empty() {
        return Err(Reject::missing("issued_at"));
    }
    required_moment("issued_at", &raw.issued_at, checks)
}

fn required_moment(field: &str, text: &str, checks: &Checks<'_>) -> Result<Timestamp, Reject> {
    let moment = moment::rfc3339(text).ok_or_else(|| Reject::malformed(field, moment::MOMENT_FORM))?;
    in_range(field, moment, checks)
}

/// When the document happened: a moment, or a day, judged by its beginning.
fn occurred_at(text: &str, checks: &Checks<'_>) -> Result<OccurredAt, Reject> {
    const FIELD: &str = "occurred_at";
    let day = moment::day(text).map(OccurredAt::Day);
    let occurred_at = day.or_else(|| moment::rfc3339(text).map(OccurredAt::Moment));
    let occurred_at = occurred_at.ok_or_else(|| {
        Reject::malformed(FIELD, &format!("{}, or {}", moment::MOMENT_FORM, moment::DAY_FORM))
    })?;
    in_range(FIELD, occurred_at.earliest(), checks)?;
    Ok(occurred_at)
}

/// The moment, when it is neither before the earliest nor more than a day ahead of the record.
fn in_range(field: &str, moment: Timestamp, checks: &Checks<'_>) -> Result<Timestamp, Reject> {
    let latest = checks.input.record_timestamp.map(|record| record.plus(AHEAD_MAX));
    if moment < EARLIEST || latest.is_some_and(|latest| moment > latest) {
        let sentence =
            format!("`{field}` is before 2015 or more than a day in the future; check the sender's clock.");
        return Err(Reject::of_field(RejectReason::TimeOutOfRange, field, sentence));
    }
    Ok(moment)
}

fn header(
    raw: &pb::Upload,
    kind: Kind,
    full: bool,
    issued_at: Timestamp,
    checks: &Checks<'_>,
) -> Result<Option<Header>, Reject> {
    let counterparty = raw.counterparty.as_ref().map(|raw| counterparty(raw, checks)).transpose()?;
    let rest = Header {
        kind,
        occurred_at: OccurredAt::Moment(Timestamp::default()),
        person: checks.pseudonymiser.person(
            &checked_id("person_id", raw.person_id.trim(), checks)?.unwrap_or_default(),
            &checked_id("person_cert", raw.person_cert.trim(), checks)?.unwrap_or_default(),
        ),
        visit_id: checked_id("visit_id", &raw.visit_id, checks)?,
        settlement_id: checked_id("settlement_id", &raw.settlement_id, checks)?,
        operator_id: checked_id("operator_id", &raw.operator_id, checks)?,
        fund_amount: money("fund_amount", &raw.fund_amount)?,
        counterparty: counterparty.unwrap_or_default(),
        returns: raw.returns.as_ref().map(|raw| returned_sale(raw, checks)).transpose()?,
    };
    if raw.occurred_at.is_empty() {
        return if full || !says_nothing(&rest) { Err(Reject::missing("occurred_at")) } else { Ok(None) };
    }
    let occurred_at = occurred_at(&raw.occurred_at, checks)?;
    if occurred_at.earliest() > issued_at.plus(AHEAD_MAX) {
        let sentence =
            "`issued_at` is earlier than `occurred_at` by more than a day; check the sender's clock.";
        return Err(Reject::of_field(RejectReason::TimeOutOfRange, "issued_at", sentence));
    }
    Ok(Some(Header { occurred_at, ..rest }))
}

/// Whether a header without its moment has no field at all.
fn says_nothing(header: &Header) -> bool {
    !header.person.is_known()
        && header.visit_id.is_none()
        && header.settlement_id.is_none()
        && header.operator_id.is_none()
        && header.fund_amount.is_none()
        && header.counterparty == Counterparty::default()
        && header.returns.is_none()
}

fn counterparty(raw: &pb::upload::Counterparty, checks: &Checks<'_>) -> Result<Counterparty, Reject> {
    Ok(Counterparty {
        name: checked_text("counterparty.name", &raw.name, checks)?,
        license: checked_text("counterparty.license", &raw.license, checks)?,
        delivery_note: checked_text("counterparty.delivery_note", &raw.delivery_note, checks)?,
        invoice: checked_text("counterparty.invoice", &raw.invoice, checks)?,
    })
}

fn returned_sale(raw: &pb::upload::Returns, checks: &Checks<'_>) -> Result<ReturnedSale, Reject> {
    Ok(ReturnedSale {
        document_id: required_id("returns.document_id", &raw.document_id, checks)?,
        line_id: checked_id("returns.line_id", &raw.line_id, checks)?,
    })
}

/// The lines that carry something, each once.
fn lines(raw: &pb::Upload, full: bool, checks: &Checks<'_>) -> Result<Vec<LineVersion>, Reject> {
    if raw.lines.len() > checks.limits.lines_max {
        return Err(Reject::over_limit("lines", checks.limits.lines_max, "lines"));
    }
    let codes = raw.lines.iter().map(|line| line.trace_codes.len()).fold(0, usize::saturating_add);
    if codes > checks.limits.codes_max {
        return Err(Reject::over_limit("lines", checks.limits.codes_max, "trace codes"));
    }
    let mut seen = HashSet::with_capacity(raw.lines.len());
    let mut lines = Vec::with_capacity(raw.lines.len());
    for (index, line) in raw.lines.iter().enumerate() {
        let at = |field: &str| format!("lines[{index}].{field}");
        let line = line_version(line, full, checks).map_err(|reject| prefixed(reject, index))?;
        if !seen.insert(line.line_id.clone()) {
            let expected = "unique among the lines of the document";
            return Err(Reject::malformed(at("line_id"), expected));
        }
        if line.fee.is_some() || line.codes.is_some() {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// A refusal of one line's field, as a refusal of the upload's.
fn prefixed(reject: Reject, line: usize) -> Reject {
    let Some(field) = reject.field else {
        return reject;
    };
    let whole = format!("lines[{line}].{field}");
    let sentence = reject.sentence.replacen(&format!("`{field}`"), &format!("`{whole}`"), 1);
    Reject { field: Some(whole), sentence, ..reject }
}

fn line_version(raw: &Line, full: bool, checks: &Checks<'_>) -> Result<LineVersion, Reject> {
    let line_id = required_id("line_id", &raw.line_id, checks)?;
    let states_fee = raw.split.is_some()
        || [
            &raw.product_code,
            &raw.product_name,
            &raw.quantity,
            &raw.amount,
            &raw.fund_amount,
            &raw.lot,
            &raw.expires_on,
            &raw.adjusts,
        ]
        .into_iter()
        .any(|text| !text.is_empty());
    let states_codes = raw.trace_codes_present || !raw.trace_codes.is_empty();
    let fee = if full || states_fee { Some(Part::bare(fee_facet(raw, checks)?)) } else { None };
    let codes = if full || states_codes { Some(Part::bare(codes_facet(raw, checks)?)) } else { None };
    Ok(LineVersion { line_id, fee, codes })
}

fn fee_facet(raw: &Line, checks: &Checks<'_>) -> Result<FeeFacet, Reject> {
    let expires_on = match raw.expires_on.as_str() {
        "" => None,
        day => Some(moment::day(day).ok_or_else(|| Reject::malformed("expires_on", moment::DAY_FORM))?),
    };
    Ok(FeeFacet {
        product_code: checked_id("product_code", &raw.product_code, checks)?,
        product_name: checked_text("product_name", &raw.product_name, checks)?,
        quantity: quantity("quantity", &raw.quantity)?,
        split: raw.split.unwrap_or(false),
        amount: money("amount", &raw.amount)?,
        fund_amount: money("fund_amount", &raw.fund_amount)?,
        lot: checked_id("lot", &raw.lot, checks)?,
        expires_on,
        adjusts: checked_id("adjusts", &raw.adjusts, checks)?.map(Adjusts::from_text),
    })
}

fn codes_facet(raw: &Line, checks: &Checks<'_>) -> Result<CodesFacet, Reject> {
    let mut scans = Scans::default();
    for (nth, code) in raw.trace_codes.iter().enumerate() {
        let at = |field: &str| format!("trace_codes[{nth}].{field}");
        if !fits(&code.code, checks.limits.text_characters_max) {
            return Err(Reject::over_limit(at("code"), checks.limits.text_characters_max, "characters"));
        }
        let units = quantity("units", &code.units)
            .map_err(|_| Reject::malformed(at("units"), decimal::QUANTITY_FORM))?;
        scans.add(&code.code, units);
    }
    Ok(scans.into_facet())
}

fn quantity(field: &str, text: &str) -> Result<Option<Quantity>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    decimal::quantity(text).map(Some).ok_or_else(|| Reject::malformed(field, decimal::QUANTITY_FORM))
}

fn money(field: &str, text: &str) -> Result<Option<Money>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    decimal::money(text).map(Some).ok_or_else(|| Reject::malformed(field, decimal::MONEY_FORM))
}

fn document_id(field: &str, text: &str, checks: &Checks<'_>) -> Result<Text, Reject> {
    bounded(field, text, checks.document_id_characters_max)?.ok_or_else(|| Reject::missing(field))
}

fn required_id(field: &str, text: &str, checks: &Checks<'_>) -> Result<Text, Reject> {
    checked_id(field, text, checks)?.ok_or_else(|| Reject::missing(field))
}

fn checked_id(field: &str, text: &str, checks: &Checks<'_>) -> Result<Option<Text>, Reject> {
    bounded(field, text, checks.limits.id_characters_max)
}

fn checked_text(field: &str, text: &str, checks: &Checks<'_>) -> Result<Option<Text>, Reject> {
    bounded(field, text, checks.limits.text_characters_max)
}

fn bounded(field: &str, text: &str, characters_max: usize) -> Result<Option<Text>, Reject> {
    if !fits(text, characters_max) {
        return Err(Reject::over_limit(field, characters_max, "characters"));
    }
    Ok((!text.is_empty()).then(|| text.into()))
}
