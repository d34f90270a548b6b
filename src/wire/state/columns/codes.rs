//! Codes of a document: as they were scanned, and as they were asserted.

use std::collections::BTreeMap;

use super::{all_or_none, cell, check};
use crate::domain::amount::Quantity;
use crate::domain::document::ScannedCode;
use crate::domain::document::observe::Spot;
use crate::domain::trace_code::{Family, InvalidReason, Scan, TraceCode};
use crate::wire::WireError;
use crate::wire::log::{Numbered, TableReader, TableWriter};
use crate::wire::pb_internal as pb;

const IS_UNIT: u32 = 1;
const HAS_UNITS: u32 = 2;

/// Writes the codes of a line.
pub(in crate::wire::state) fn write_scans(scans: &[ScannedCode], table: &mut TableWriter) -> pb::ScanColumns {
    let flags = |scanned: &ScannedCode| {
        let is_unit = valid(scanned).is_some_and(|code| code.is_unit);
        u32::from(is_unit) * IS_UNIT + u32::from(scanned.units.is_some()) * HAS_UNITS
    };
    pb::ScanColumns {
        prefix: all_or_none(
            scans.iter().map(|s| table.optional(&valid(s).and_then(|code| code.prefix.clone()))),
        ),
        text: scans.iter().map(|scanned| table.text(scanned.scan.text())).collect(),
        family: all_or_none(scans.iter().map(|s| Family::number_of(valid(s).map(|code| code.family)))),
        invalid: all_or_none(scans.iter().map(|s| InvalidReason::number_of(invalid(s)))),
        flags: all_or_none(scans.iter().map(flags)),
        units: all_or_none(scans.iter().map(|s| s.units.map_or(0, Quantity::thousandths))),
    }
}

fn valid(scanned: &ScannedCode) -> Option<&TraceCode> {
    match &scanned.scan {
        Scan::Valid(code) => Some(code),
        Scan::Invalid { .. } => None,
    }
}

fn invalid(scanned: &ScannedCode) -> Option<InvalidReason> {
    match &scanned.scan {
        Scan::Valid(_) => None,
        Scan::Invalid { reason, .. } => Some(*reason),
    }
}

/// Reads the codes of a line.
pub(in crate::wire::state) fn read_scans(
    columns: &pb::ScanColumns,
    table: &TableReader,
) -> Result<Vec<ScannedCode>, WireError> {
    let rows = columns.text.len();
    let pb::ScanColumns { family, prefix, invalid, flags, units, .. } = columns;
    check(rows, &[family.len(), prefix.len(), invalid.len(), flags.len(), units.len()], "scans")?;
    let read = |at: usize| {
        let text = table.text(cell(&columns.text, at), "scans.text")?;
        let flags = cell(flags, at);
        let scan = match InvalidReason::from_number(cell(invalid, at))? {
            Some(reason) => Scan::Invalid { text, reason },
            None => Scan::Valid(TraceCode {
                normal: text,
                family: Family::required(cell(family, at), "scans.family")?,
                prefix: table.optional(cell(prefix, at), "scans.prefix")?,
                is_unit: flags & IS_UNIT != 0,
            }),
        };
        let units = (flags & HAS_UNITS != 0).then(|| Quantity::from_thousandths(cell(units, at)));
        Ok(ScannedCode { scan, units })
    };
    (0..rows).map(read).collect()
}

/// Writes what is asserted of a document.
pub(in crate::wire::state) fn write_asserted(
    asserted: &BTreeMap<Spot, u64>,
    table: &mut TableWriter,
) -> Option<pb::AssertedColumns> {
    (!asserted.is_empty()).then(|| pb::AssertedColumns {
        line_id: asserted.keys().map(|(line_id, _)| table.text(line_id)).collect(),
        code: asserted.keys().map(|(_, code)| table.text(code)).collect(),
        revision: all_or_none(asserted.values().copied()),
    })
}

/// Reads what is asserted of a document.
pub(in crate::wire::state) fn read_asserted(
    columns: &pb::AssertedColumns,
    table: &TableReader,
) -> Result<BTreeMap<Spot, u64>, WireError> {
    let rows = columns.code.len();
    check(rows, &[columns.line_id.len(), columns.revision.len()], "asserted codes")?;
    let read = |at: usize| {
        let line_id = table.text(cell(&columns.line_id, at), "asserted.line_id")?;
        let code = table.text(cell(&columns.code, at), "asserted.code")?;
        Ok(((line_id, code), cell(&columns.revision, at)))
    };
    (0..rows).map(read).collect()
}
