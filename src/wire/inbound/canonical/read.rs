//! From the sender's texts to values: what a message states, each field in the form of its kind.

use super::handling::handling;
use super::json::{PAYMENT, REVERSAL, RULING};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::occurred::OccurredAt;
use crate::domain::document::particulars::{Circumstances, Prescription, Service};
use crate::domain::document::{
    Adjusts, Counterparty, DocumentKey, FeeFacet, Group, Header, Kind, Origin, Parts, Person, ReturnedSale,
    Reversal,
};
use crate::domain::time::Timestamp;
use crate::wire::inbound::draft::{
    CodesDraft, DECLARED_CODES_MAX, Draft, LineDraft, PersonAsSent, VersionDraft,
};
use crate::wire::inbound::reject::{Reject, Words};
use crate::wire::inbound::{decimal, moment};
use crate::wire::pb;
use crate::wire::pb::upload::Line;

const KIND_FORM: Words = Words::new(
    "文档列出的单据类型之一，或 `reversal`、`ruling`、`payment`",
    "one of the documented kinds, `reversal`, `ruling` or `payment`",
);
const GROUP_FORM: Words =
    Words::new(" `procurement`、`dispensing` 或 `settlement`", "`procurement`, `dispensing` or `settlement`");
const LINE_ID_FORM: Words = Words::new("行号；整单则不填", "a line's id, or absent for the whole document");
const SERVICE_FORM: Words = Words::new(" `in_person` 或 `online`", "`in_person` or `online`");
const REGION_FORM: Words = Words::new("6 位数字的医保区划", "a region of six digits");
const DECLARED_FORM: Words = Words::new("0 至 1000000 的整数", "a whole number from 0 to 1,000,000");
const COUNTED_FORM: Words = Words::new(
    "不小于 0、不超过 10^9、最多 3 位小数的数",
    "a decimal of at least 0, at most 10^9, with at most 3 places",
);

/// The draft that the message states.
pub(super) fn draft(raw: &pb::Upload, origin: &Origin) -> Result<Draft, Reject> {
    for (field, text) in
        [("document_id", &raw.document_id), ("institution_id", &raw.institution_id), ("kind", &raw.kind)]
    {
        required(field, text)?;
    }
    let issued_at = moment("issued_at", required("issued_at", &raw.issued_at)?)?;
    if raw.kind == REVERSAL {
        return reversal(raw, issued_at, origin).map(Draft::Reversal);
    }
    if matches!(&*raw.kind, RULING | PAYMENT) {
        return handling(raw, issued_at, origin).map(|handling| Draft::Handling(Box::new(handling)));
    }
    let kind = Kind::from_name(&raw.kind).ok_or_else(|| Reject::malformed("kind", KIND_FORM))?;
    let full = !raw.partial.unwrap_or(false);
    let header = header(raw, kind, full)?;
    let read = |(index, line)| line_draft(line, kind, full).map_err(|reject: Reject| reject.in_line(index));
    Ok(Draft::Version(Box::new(VersionDraft {
        key: key(raw, kind.group(), &raw.document_id),
        issued_at,
        full,
        header,
        person: person(raw),
        lines: raw.lines.iter().enumerate().map(read).collect::<Result<_, _>>()?,
        aliases: Vec::new(),
        origin: origin.clone(),
    })))
}

pub(super) fn key(raw: &pb::Upload, group: Group, document_id: &str) -> DocumentKey {
    DocumentKey { institution_id: raw.institution_id.as_str().into(), group, document_id: document_id.into() }
}

/// The reversal that the message states; nothing else of it is read.
fn reversal(raw: &pb::Upload, issued_at: Timestamp, origin: &Origin) -> Result<Reversal, Reject> {
    let reverses = raw.reverses.as_ref().ok_or_else(|| Reject::missing("reverses"))?;
    let group = Group::from_name(required("reverses.group", &reverses.group)?)
        .ok_or_else(|| Reject::malformed("reverses.group", GROUP_FORM))?;
    let document_id = required("reverses.document_id", &reverses.document_id)?;
    if reverses.line_id.as_deref() == Some("") {
        return Err(Reject::malformed("reverses.line_id", LINE_ID_FORM));
    }
    Ok(Reversal {
        target: key(raw, group, document_id),
        of_alias: false,
        line_id: reverses.line_id.as_deref().map(Text::from),
        parts: Parts::ALL,
        issued_at,
        origin: origin.clone(),
    })
}

/// The header, when the message carries one.
fn header(raw: &pb::Upload, kind: Kind, full: bool) -> Result<Option<Header>, Reject> {
    if raw.occurred_at.is_empty() {
        return if full || states_header(raw) { Err(Reject::missing("occurred_at")) } else { Ok(None) };
    }
    let text_of = |read: fn(&pb::upload::Counterparty) -> &String| {
        raw.counterparty.as_ref().and_then(|counterparty| text(read(counterparty)))
    };
    Ok(Some(Header {
        kind,
        occurred_at: occurred_at(&raw.occurred_at)?,
        person: Person::default(),
        visit_id: text(&raw.visit_id),
        settlement_id: text(&raw.settlement_id),
        operator_id: text(&raw.operator_id),
        fund_amount: money("fund_amount", &raw.fund_amount)?,
        counterparty: Counterparty {
            name: text_of(|counterparty| &counterparty.name),
            license: text_of(|counterparty| &counterparty.license),
            delivery_note: text_of(|counterparty| &counterparty.delivery_note),
            invoice: text_of(|counterparty| &counterparty.invoice),
        },
        returns: raw.returns.as_ref().map(returned_sale).transpose()?,
        circumstances: circumstances(raw)?,
    }))
}

fn circumstances(raw: &pb::Upload) -> Result<Circumstances, Reject> {
    let service =
        |name: Text| Service::from_name(&name).ok_or_else(|| Reject::malformed("service", SERVICE_FORM));
    let region = text(&raw.insured_region);
    let is_region = |region: &Text| region.len() == 6 && region.bytes().all(|byte| byte.is_ascii_digit());
    if region.as_ref().is_some_and(|region| !is_region(region)) {
        return Err(Reject::malformed("insured_region", REGION_FORM));
    }
    Ok(Circumstances {
        credential_type: text(&raw.credential_type),
        device_id: text(&raw.device_id),
        operator_kind: text(&raw.operator_kind),
        insured_region: region,
        medical_type: text(&raw.medical_type),
        account_amount: money("account_amount", &raw.account_amount)?,
        service: text(&raw.service).map(service).transpose()?,
        declared_codes: declared("declared_codes", &raw.declared_codes)?,
        declared_consumable_codes: declared("declared_consumable_codes", &raw.declared_consumable_codes)?,
    })
}

/// How many codes are said to follow.
fn declared(field: &str, text: &str) -> Result<Option<u32>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let count = decimal::scaled(text, 0).and_then(|count| u32::try_from(count).ok());
    let count = count.filter(|count| *count <= DECLARED_CODES_MAX);
    count.map(Some).ok_or_else(|| Reject::malformed(field, DECLARED_FORM))
}

/// Whether the message has any field of a header besides its moment.
fn states_header(raw: &pb::Upload) -> bool {
    let counterparty = raw.counterparty.as_ref();
    let of_counterparty = counterparty.into_iter().flat_map(|counterparty| {
        [&counterparty.name, &counterparty.license, &counterparty.delivery_note, &counterparty.invoice]
    });
    let of_header = [
        &raw.person_id,
        &raw.person_cert,
        &raw.visit_id,
        &raw.settlement_id,
        &raw.operator_id,
        &raw.fund_amount,
        &raw.credential_type,
        &raw.device_id,
        &raw.operator_kind,
        &raw.insured_region,
        &raw.medical_type,
        &raw.account_amount,
        &raw.service,
        &raw.declared_codes,
        &raw.declared_consumable_codes,
    ];
    raw.returns.is_some() || of_header.into_iter().chain(of_counterparty).any(|text| !text.trim().is_empty())
}

fn person(raw: &pb::Upload) -> PersonAsSent {
    PersonAsSent { number: raw.person_id.trim().to_owned(), certificate: raw.person_cert.trim().to_owned() }
}

fn returned_sale(raw: &pb::upload::Returns) -> Result<ReturnedSale, Reject> {
    let document_id = required("returns.document_id", &raw.document_id)?.into();
    Ok(ReturnedSale { document_id, line_id: text(&raw.line_id) })
}

fn line_draft(raw: &Line, kind: Kind, full: bool) -> Result<LineDraft, Reject> {
    let states_fee = raw.split.is_some()
        || raw.rx_external.is_some()
        || [
            &raw.product_code,
            &raw.product_name,
            &raw.quantity,
            &raw.amount,
            &raw.fund_amount,
            &raw.lot,
            &raw.expires_on,
            &raw.adjusts,
            &raw.rx_id,
            &raw.prescriber_id,
            &raw.pharmacist_id,
            &raw.department_id,
            &raw.days_supply,
        ]
        .into_iter()
        .any(|text| !text.is_empty());
    let states_codes = raw.trace_codes_present || !raw.trace_codes.is_empty();
    Ok(LineDraft {
        line_id: raw.line_id.as_str().into(),
        fee: if full || states_fee { Some(fee_facet(raw, kind)?) } else { None },
        codes: if full || states_codes { Some(codes(raw)?) } else { None },
    })
}

fn fee_facet(raw: &Line, kind: Kind) -> Result<FeeFacet, Reject> {
    let day = |text: &str| moment::day(text).ok_or_else(|| Reject::malformed("expires_on", moment::DAY_FORM));
    Ok(FeeFacet {
        product_code: text(&raw.product_code),
        product_name: text(&raw.product_name),
        quantity: match kind {
            Kind::Stocktake => counted("quantity", &raw.quantity)?,
            _ => quantity("quantity", &raw.quantity)?,
        },
        split: raw.split.unwrap_or(false),
        amount: money("amount", &raw.amount)?,
        fund_amount: money("fund_amount", &raw.fund_amount)?,
        lot: text(&raw.lot),
        expires_on: text(&raw.expires_on).map(|text| day(&text)).transpose()?,
        adjusts: text(&raw.adjusts).map(Adjusts::from_text),
        prescription: Prescription {
            rx_id: text(&raw.rx_id),
            rx_external: raw.rx_external.unwrap_or(false),
            prescriber_id: text(&raw.prescriber_id),
            pharmacist_id: text(&raw.pharmacist_id),
            department_id: text(&raw.department_id),
            days_supply: quantity("days_supply", &raw.days_supply)?,
        },
    })
}

fn codes(raw: &Line) -> Result<CodesDraft, Reject> {
    let mut scanned = Vec::with_capacity(raw.trace_codes.len());
    for (nth, code) in raw.trace_codes.iter().enumerate() {
        let units = quantity("units", &code.units)
            .map_err(|_| Reject::malformed(format!("trace_codes[{nth}].units"), decimal::QUANTITY_FORM))?;
        scanned.push((code.code.clone(), units));
    }
    Ok(CodesDraft { scanned, split: false })
}

/// A text, when it says something.
fn text(text: &str) -> Option<Text> {
    (!text.is_empty()).then(|| text.into())
}

pub(super) fn required<'a>(field: &str, text: &'a str) -> Result<&'a str, Reject> {
    if text.is_empty() { Err(Reject::missing(field)) } else { Ok(text) }
}

fn moment(field: &str, text: &str) -> Result<Timestamp, Reject> {
    moment::rfc3339(text).ok_or_else(|| Reject::malformed(field, moment::MOMENT_FORM))
}

/// When the document happened: a moment, or a day.
fn occurred_at(text: &str) -> Result<OccurredAt, Reject> {
    let day = moment::day(text).map(OccurredAt::Day);
    day.or_else(|| moment::rfc3339(text).map(OccurredAt::Moment))
        .ok_or_else(|| Reject::malformed("occurred_at", moment::MOMENT_OR_DAY_FORM))
}

fn quantity(field: &str, text: &str) -> Result<Option<Quantity>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    decimal::quantity(text).map(Some).ok_or_else(|| Reject::malformed(field, decimal::QUANTITY_FORM))
}

/// The quantity of a stocktake: nothing may be left.
fn counted(field: &str, text: &str) -> Result<Option<Quantity>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    decimal::counted(text).map(Some).ok_or_else(|| Reject::malformed(field, COUNTED_FORM))
}

pub(super) fn money(field: &str, text: &str) -> Result<Option<Money>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    decimal::money(text).map(Some).ok_or_else(|| Reject::malformed(field, decimal::MONEY_FORM))
}
