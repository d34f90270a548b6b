//! Writes documents as canonical JSON into a reused buffer: no tree is built, and only names need escaping, which
//! the simulator makes itself without characters that would.
//!
//! The one place of the simulator that knows the form of an upload.

use std::fmt::Write;

use super::catalogue::Family;
use super::day_of;
use super::document::{Body, Document, Form, Full, Line, Portion, Scan};
use super::places::{Master, PersonCertificate, PersonNumber, World};
use crate::domain::amount::Money;
use crate::domain::document::{Group, Kind};
use crate::domain::time::Timestamp;

/// Writes one upload as a line of NDJSON, without the line feed.
pub(super) fn write(world: &World, document: &Document, out: &mut String) {
    let _ = write!(out, "{{\"document_id\":\"{}\",\"kind\":\"", document.name);
    out.push_str(match &document.body {
        Body::Full(full) => full.kind.name(),
        Body::Reversal { .. } => "reversal",
        Body::Refund { .. } => Kind::Settlement.name(),
    });
    let issued_at = Timestamp::from_unix_millis(document.issued_at);
    let institution = &world.institution(document.institution).id;
    let _ = write!(out, "\",\"institution_id\":\"{institution}\",\"issued_at\":\"{issued_at}\"");
    match &document.body {
        Body::Full(full) => {
            if full.portion != Portion::Whole {
                out.push_str(",\"partial\":true");
            }
            if full.portion != Portion::Fees {
                write_header(full, out);
            }
            write_lines(world, document.institution, full, out);
        }
        Body::Reversal { group, target, line, .. } => {
            let group = group.name();
            let _ = write!(out, ",\"reverses\":{{\"group\":\"{group}\",\"document_id\":\"{target}\"");
            if let Some(line) = line {
                let _ = write!(out, ",\"line_id\":\"{}\"", line + 1);
            }
            out.push('}');
        }
        Body::Refund { line, .. } => {
            out.push_str(",\"partial\":true,\"lines\":[{\"line_id\":\"R1\",\"adjusts\":\"1\"");
            write_fee(world, document.institution, Kind::Settlement, line, out);
            out.push_str("}]");
        }
    }
    out.push('}');
}

fn write_header(full: &Full, out: &mut String) {
    if full.by_day {
        let _ = write!(out, ",\"occurred_at\":\"{}\"", day_of(full.occurred_at));
    } else {
        let _ = write!(out, ",\"occurred_at\":\"{}\"", Timestamp::from_unix_millis(full.occurred_at));
    }
    if let Some(person) = full.person {
        let _ = write!(out, ",\"person_cert\":\"{}\"", PersonCertificate(person));
        if full.kind == Kind::Settlement {
            let _ = write!(out, ",\"person_id\":\"{}\"", PersonNumber(person));
        }
    }
    if let Some(visit) = full.visit_number() {
        let _ = write!(out, ",\"visit_id\":\"{visit}\"");
    }
    if let Some(settlement) = full.settlement {
        let _ = write!(out, ",\"settlement_id\":\"J{settlement}\"");
    }
    if let Some(supplier) = full.supplier {
        let index = supplier.index;
        let _ = write!(out, ",\"counterparty\":{{\"name\":\"齐鲁医药{index}号\"");
        if supplier.papers {
            let note = full.occurred_at / 1000;
            let _ = write!(out, ",\"delivery_note\":\"SH{note}\",\"invoice\":\"FP{note}\"");
        }
        out.push('}');
    }
    if let Some(sale) = full.returns {
        let _ = write!(out, ",\"returns\":{{\"document_id\":\"{sale}\"}}");
    }
}

fn write_lines(world: &World, institution: u32, full: &Full, out: &mut String) {
    out.push_str(",\"lines\":[");
    for (index, line) in full.lines.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_line(world, institution, full, (index, line), out);
    }
    out.push(']');
}

fn write_line(world: &World, institution: u32, full: &Full, (index, line): (usize, &Line), out: &mut String) {
    let _ = write!(out, "{{\"line_id\":\"{}\"", index + 1);
    if full.portion != Portion::Codes {
        write_fee(world, institution, full.kind, line, out);
    }
    let scans: &[Scan] = if full.bare { &[] } else { &line.scans };
    // A part that carries codes says so even where there are none.
    if full.portion != Portion::Fees && (full.portion == Portion::Codes || !scans.is_empty()) {
        out.push_str(",\"trace_codes\":[");
        for (at, scan) in scans.iter().enumerate() {
            out.push_str(if at > 0 { ",\"" } else { "\"" });
            write_scan(world, line, scan, "\\u001d", out);
            out.push('"');
        }
        out.push(']');
    }
    out.push('}');
}

fn write_fee(world: &World, institution: u32, kind: Kind, line: &Line, out: &mut String) {
    let (product_code, quantity) = mastered(world, institution, line);
    if let Some(product_code) = product_code {
        let _ = write!(out, ",\"product_code\":\"{product_code}\"");
    }
    let name = &world.catalogue.get(line.product).name;
    let _ = write!(out, ",\"product_name\":\"{name}\",\"quantity\":\"{quantity}\"");
    if line.split {
        out.push_str(",\"split\":true");
    }
    let _ = write!(out, ",\"amount\":\"{}\"", Money::from_fen(line.amount_fen));
    if kind.group() == Group::Settlement {
        let fund = line.amount_fen * i64::from(world.parameters.habits.fund_percent.min(100)) / 100;
        let _ = write!(out, ",\"fund_amount\":\"{}\"", Money::from_fen(fund));
    }
    let _ = write!(out, ",\"lot\":\"{}\",\"expires_on\":\"{}\"", line.lot, line.lot.expires_on());
}

/// Product code and quantity as the institution's drug master gives them.
pub(super) fn mastered<'w>(world: &'w World, institution: u32, line: &Line) -> (Option<&'w str>, u32) {
    let right = world.catalogue.get(line.product).code.as_str();
    match world.master(institution, line.product) {
        Master::OtherProduct(other) => (Some(world.catalogue.get(other).code.as_str()), line.quantity),
        Master::NoProduct => (None, line.quantity),
        Master::WrongRate(units) if !line.split => (Some(right), line.quantity.saturating_mul(units)),
        Master::WrongRate(_) | Master::Right => (Some(right), line.quantity),
    }
}

/// A code as the scanner gave it, with `separator` for the character GS.
pub(super) fn write_scan(world: &World, line: &Line, scan: &Scan, separator: &str, out: &mut String) {
    let product = world.catalogue.get(scan.product);
    let code = product.normal_code(scan.number);
    match scan.form {
        Form::Plain => out.push_str(&code),
        Form::RawElements if product.family == Family::Gs1 => {
            let expiry = line.lot.expires_on().to_string().replace('-', "");
            let serial = code.rsplit(')').next().unwrap_or_default();
            let expiry = expiry.get(2..).unwrap_or_default();
            let _ = write!(out, "01{}17{expiry}10{}{separator}21{serial}", product.prefix, line.lot);
        }
        Form::FullWidth => out.extend(code.chars().map(full_width)),
        Form::Marked => {
            let _ = write!(out, " ]C1{code} ");
        }
        Form::Truncated => out.push_str(code.get(..code.len().saturating_sub(1)).unwrap_or_default()),
        Form::Doubled => {
            let _ = write!(out, "{code}{code}");
        }
        Form::Overlong => {
            let _ = write!(out, "{code}0");
        }
        Form::Barcode69 => {
            let _ = write!(out, "69{:011}", scan.product);
        }
        Form::Placeholder => {
            let _ = write!(out, "{}", scan.number.to_string().repeat(20));
        }
        Form::RawElements => out.push_str(&code),
    }
}

fn full_width(character: char) -> char {
    if character.is_ascii_digit() {
        char::from_u32(character as u32 + 0xfee0).unwrap_or(character)
    } else {
        character
    }
}
