//! Observations of one code.

use std::sync::Arc;

use foldhash::HashMap;

use super::{all_or_none, cell, check};
use crate::domain::amount::{Money, Quantity};
use crate::domain::document::particulars::Surroundings;
use crate::domain::document::{DocumentKey, Group, Kind, Origin, Person, Pseudonym, ReturnedSale, Role};
use crate::domain::observation::{LentFrom, Observation, ObservationKey};
use crate::domain::reference::Product;
use crate::domain::time::{Day, Timestamp};
use crate::wire::WireError;
use crate::wire::log::{Numbered, TableReader, TableWriter, Wire, moment, read_all, write_all};
use crate::wire::pb_internal as pb;

const SPLIT: u32 = 1;
const HAS_PAPERS: u32 = 2;
const HAS_QUANTITY: u32 = 4;
const HAS_UNITS: u32 = 8;
const HAS_FUND_AMOUNT: u32 = 16;
const STOCK_UPLOADED: u32 = 32;
const DISPENSING_UPLOADED: u32 = 64;
const JUDGED: u32 = 128;
const IS_DAY: u32 = 256;
const HAS_QUANTITY_BEFORE: u32 = 512;

const DIGEST_BYTES: usize = 16;

/// Writes observations; `judged` says which revision of one was answered, if any.
pub(in crate::wire::state) fn write_observations(
    observations: &[Observation],
    judged: impl Fn(&ObservationKey) -> Option<u64>,
    table: &mut TableWriter,
) -> pb::ObservationColumns {
    let judged: Vec<Option<u64>> = observations.iter().map(|row| judged(&row.key)).collect();
    let mut products = Positions::default();
    let mut pseudonyms = Positions::default();
    let mut surroundings = Positions::default();
    // Texts are numbered as they come: those that neighbouring codes share come first.
    let mut columns = pb::ObservationColumns {
        kind: column(observations, |row| row.kind.number()),
        role: column(observations, |row| row.role.number()),
        group: column(observations, |row| row.key.document.group.number()),
        institution_id: column(observations, |row| table.text(&row.key.document.institution_id)),
        region: column(observations, |row| table.text(&row.region)),
        tier: column(observations, |row| table.optional(&row.tier)),
        stock_uploaded_since: column(observations, |row| days(row.stock_uploaded_since)),
        dispensing_uploaded_since: column(observations, |row| days(row.dispensing_uploaded_since)),
        product: column(observations, |row| products.of(row.product.as_ref())),
        product_code: column(observations, |row| table.optional(&row.product_code)),
        product_name: column(observations, |row| table.optional(&row.product_name)),
        reference_version: column(observations, |row| row.reference_version),
        topic: column(observations, |row| table.text(&row.origin.topic)),
        partition: column(observations, |row| row.origin.partition),
        ..Default::default()
    };
    columns.products = write_all(&products.values, table);
    columns.line_id = column(observations, |row| table.text(&row.key.line_id));
    columns.document_id = column(observations, |row| table.text(&row.key.document.document_id));
    columns.visit_id = column(observations, |row| table.optional(&row.visit_id));
    columns.settlement_id = column(observations, |row| table.optional(&row.settlement_id));
    let returned_document = |row: &Observation| row.returns.as_ref().map(|sale| sale.document_id.clone());
    columns.returned_document = column(observations, |row| table.optional(&returned_document(row)));
    let returned_line = |row: &Observation| row.returns.as_ref().and_then(|sale| sale.line_id.clone());
    columns.returned_line = column(observations, |row| table.optional(&returned_line(row)));
    let lending_document = |row: &Observation| row.lent_from.as_ref().map(|from| from.document_id.clone());
    columns.lending_document = column(observations, |row| table.optional(&lending_document(row)));
    let lending_line = |row: &Observation| row.lent_from.as_ref().map(|from| from.line_id.clone());
    columns.lending_line = column(observations, |row| table.optional(&lending_line(row)));
    columns.surrounding = column(observations, |row| surroundings.of(row.surroundings.as_ref()));
    columns.surroundings = surroundings
        .values
        .iter()
        .map(|surroundings: &Arc<Surroundings>| surroundings.to_message(table))
        .collect();
    columns.person_number = column(observations, |row| pseudonyms.of(row.person.number.as_ref()));
    columns.person_certificate = column(observations, |row| pseudonyms.of(row.person.certificate.as_ref()));
    columns.pseudonym_keys = pseudonyms.values.iter().map(|pseudonym| pseudonym.key_id).collect();
    columns.pseudonym_digests =
        pseudonyms.values.iter().flat_map(|pseudonym: &Pseudonym| pseudonym.digest).collect();
    columns.flags =
        all_or_none(observations.iter().zip(&judged).map(|(row, judged)| flags(row, judged.is_some())));
    columns.revision = column(observations, |row| row.revision);
    columns.judged_behind = all_or_none(
        observations
            .iter()
            .zip(judged)
            .map(|(row, judged)| judged.map_or(0, |revision| row.revision.wrapping_sub(revision))),
    );
    columns.quantity = column(observations, |row| row.quantity.map_or(0, Quantity::thousandths));
    columns.quantity_before =
        column(observations, |row| row.quantity_before.map_or(0, Quantity::thousandths));
    columns.units = column(observations, |row| row.units.map_or(0, Quantity::thousandths));
    columns.codes_on_line = column(observations, |row| row.codes_on_line);
    columns.fund_amount = column(observations, |row| row.fund_amount.map_or(0, Money::fen));
    let mut before = 0;
    columns.time_after = column(observations, |row| {
        let time = row.time.unix_millis();
        time.wrapping_sub(std::mem::replace(&mut before, time))
    });
    columns.codes_issued_after = column(observations, |row| millis_between(row.time, row.codes_issued_at));
    columns.received_after =
        column(observations, |row| millis_between(row.codes_issued_at, row.origin.received_at));
    columns.offset = column(observations, |row| row.origin.offset);
    columns
}

/// A column read back: the observation, and the revision that was answered, if any.
pub(in crate::wire::state) type Row = (Observation, Option<u64>);

/// Reads observations back.
pub(in crate::wire::state) fn read_observations(
    columns: &pb::ObservationColumns,
    table: &TableReader,
) -> Result<Vec<Row>, WireError> {
    let rows = columns.kind.len();
    check(rows, &lengths(columns), "observations")?;
    let products: Vec<Product> = read_all(&columns.products, table)?;
    let pseudonyms = read_pseudonyms(columns)?;
    let surroundings: Vec<Surroundings> = read_all(&columns.surroundings, table)?;
    let surroundings: Vec<Arc<Surroundings>> = surroundings.into_iter().map(Arc::new).collect();
    let mut time = 0_i64;
    let mut read = Vec::with_capacity(rows);
    for at in 0..rows {
        time = time.wrapping_add(cell(&columns.time_after, at));
        let (mut observation, judged) = read_row(columns, at, moment(time), &products, &pseudonyms, table)?;
        observation.surroundings =
            at_position(&surroundings, cell(&columns.surrounding, at), "observations.surrounding")?;
        read.push((observation, judged));
    }
    Ok(read)
}

fn read_row(
    columns: &pb::ObservationColumns,
    at: usize,
    time: Timestamp,
    products: &[Product],
    pseudonyms: &[Pseudonym],
    table: &TableReader,
) -> Result<Row, WireError> {
    let flags = cell(&columns.flags, at);
    let said = |flag: u32| flags & flag != 0;
    let text = |column: &[u32], field| table.text(cell(column, at), field);
    let optional = |column: &[u32], field| table.optional(cell(column, at), field);
    let since = |flag, column: &[i32]| said(flag).then(|| Day::from_days_since_epoch(cell(column, at)));
    let quantity = |flag, column: &[i64]| said(flag).then(|| Quantity::from_thousandths(cell(column, at)));
    let codes_issued_at = after(time, cell(&columns.codes_issued_after, at));
    let revision = cell(&columns.revision, at);
    let lending_line = optional(&columns.lending_line, "observations.lending_line")?;
    let returned_line = optional(&columns.returned_line, "observations.returned_line")?;
    let observation = Observation {
        key: ObservationKey {
            document: DocumentKey {
                institution_id: text(&columns.institution_id, "observations.institution_id")?,
                group: Group::required(cell(&columns.group, at), "observations.group")?,
                document_id: text(&columns.document_id, "observations.document_id")?,
            },
            line_id: text(&columns.line_id, "observations.line_id")?,
        },
        kind: Kind::required(cell(&columns.kind, at), "observations.kind")?,
        role: Role::required(cell(&columns.role, at), "observations.role")?,
        time,
        is_day: said(IS_DAY),
        codes_issued_at,
        split: said(SPLIT),
        quantity: quantity(HAS_QUANTITY, &columns.quantity),
        quantity_before: quantity(HAS_QUANTITY_BEFORE, &columns.quantity_before),
        units: quantity(HAS_UNITS, &columns.units),
        codes_on_line: cell(&columns.codes_on_line, at),
        product_code: optional(&columns.product_code, "observations.product_code")?,
        product_name: optional(&columns.product_name, "observations.product_name")?,
        product: at_position(products, cell(&columns.product, at), "observations.product")?,
        person: Person {
            number: at_position(pseudonyms, cell(&columns.person_number, at), "observations.person_number")?,
            certificate: at_position(
                pseudonyms,
                cell(&columns.person_certificate, at),
                "observations.person_certificate",
            )?,
        },
        visit_id: optional(&columns.visit_id, "observations.visit_id")?,
        settlement_id: optional(&columns.settlement_id, "observations.settlement_id")?,
        returns: optional(&columns.returned_document, "observations.returned_document")?
            .map(|document_id| ReturnedSale { document_id, line_id: returned_line }),
        lent_from: optional(&columns.lending_document, "observations.lending_document")?
            .zip(lending_line)
            .map(|(document_id, line_id)| LentFrom { document_id, line_id }),
        surroundings: None,
        has_papers: said(HAS_PAPERS),
        region: text(&columns.region, "observations.region")?,
        tier: optional(&columns.tier, "observations.tier")?,
        stock_uploaded_since: since(STOCK_UPLOADED, &columns.stock_uploaded_since),
        dispensing_uploaded_since: since(DISPENSING_UPLOADED, &columns.dispensing_uploaded_since),
        fund_amount: said(HAS_FUND_AMOUNT).then(|| Money::from_fen(cell(&columns.fund_amount, at))),
        revision,
        reference_version: cell(&columns.reference_version, at),
        origin: Origin {
            topic: text(&columns.topic, "observations.topic")?,
            partition: cell(&columns.partition, at),
            offset: cell(&columns.offset, at),
            received_at: after(codes_issued_at, cell(&columns.received_after, at)),
        },
    };
    let judged = said(JUDGED).then(|| revision.wrapping_sub(cell(&columns.judged_behind, at)));
    Ok((observation, judged))
}

fn flags(row: &Observation, is_judged: bool) -> u32 {
    let said = [
        (row.split, SPLIT),
        (row.has_papers, HAS_PAPERS),
        (row.quantity.is_some(), HAS_QUANTITY),
        (row.units.is_some(), HAS_UNITS),
        (row.fund_amount.is_some(), HAS_FUND_AMOUNT),
        (row.stock_uploaded_since.is_some(), STOCK_UPLOADED),
        (row.dispensing_uploaded_since.is_some(), DISPENSING_UPLOADED),
        (is_judged, JUDGED),
        (row.is_day, IS_DAY),
        (row.quantity_before.is_some(), HAS_QUANTITY_BEFORE),
    ];
    said.iter().filter(|(is_so, _)| *is_so).fold(0, |flags, (_, flag)| flags | flag)
}

fn lengths(columns: &pb::ObservationColumns) -> [usize; 36] {
    [
        columns.role.len(),
        columns.group.len(),
        columns.flags.len(),
        columns.institution_id.len(),
        columns.region.len(),
        columns.tier.len(),
        columns.stock_uploaded_since.len(),
        columns.dispensing_uploaded_since.len(),
        columns.product.len(),
        columns.product_code.len(),
        columns.product_name.len(),
        columns.reference_version.len(),
        columns.topic.len(),
        columns.partition.len(),
        columns.document_id.len(),
        columns.line_id.len(),
        columns.visit_id.len(),
        columns.settlement_id.len(),
        columns.returned_document.len(),
        columns.returned_line.len(),
        columns.person_number.len(),
        columns.person_certificate.len(),
        columns.revision.len(),
        columns.judged_behind.len(),
        columns.quantity.len(),
        columns.units.len(),
        columns.codes_on_line.len(),
        columns.fund_amount.len(),
        columns.time_after.len(),
        columns.codes_issued_after.len(),
        columns.received_after.len(),
        columns.offset.len(),
        columns.quantity_before.len(),
        columns.lending_document.len(),
        columns.lending_line.len(),
        columns.surrounding.len(),
    ]
}

fn read_pseudonyms(columns: &pb::ObservationColumns) -> Result<Vec<Pseudonym>, WireError> {
    let (digests, rest) = columns.pseudonym_digests.as_chunks::<DIGEST_BYTES>();
    if !rest.is_empty() || digests.len() != columns.pseudonym_keys.len() {
        return Err(WireError::Field { field: "observations.pseudonym_digests" });
    }
    let keyed = columns.pseudonym_keys.iter().zip(digests);
    Ok(keyed.map(|(key_id, digest)| Pseudonym { key_id: *key_id, digest: *digest }).collect())
}

/// Distinct values in the order in which they came.
struct Positions<T> {
    values: Vec<T>,
    positions: HashMap<T, u32>,
}

impl<T> Default for Positions<T> {
    fn default() -> Self {
        Self { values: Vec::new(), positions: HashMap::default() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Positions<T> {
    /// The position of a value, from 1; 0 for none.
    fn of(&mut self, value: Option<&T>) -> u32 {
        let Some(value) = value else { return 0 };
        if let Some(position) = self.positions.get(value) {
            return *position;
        }
        self.values.push(value.clone());
        let position = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.positions.insert(value.clone(), position);
        position
    }
}

/// The value at a position from 1; none at 0.
fn at_position<T: Clone>(values: &[T], position: u32, field: &'static str) -> Result<Option<T>, WireError> {
    let Some(index) = position.checked_sub(1) else { return Ok(None) };
    match values.get(index as usize) {
        Some(value) => Ok(Some(value.clone())),
        None => Err(WireError::Field { field }),
    }
}

fn column<T: Default + PartialEq>(rows: &[Observation], cell: impl FnMut(&Observation) -> T) -> Vec<T> {
    all_or_none(rows.iter().map(cell))
}

fn days(day: Option<Day>) -> i32 {
    day.map_or(0, Day::days_since_epoch)
}

fn millis_between(before: Timestamp, moment: Timestamp) -> i64 {
    moment.unix_millis().wrapping_sub(before.unix_millis())
}

fn after(before: Timestamp, millis: i64) -> Timestamp {
    moment(before.unix_millis().wrapping_add(millis))
}
