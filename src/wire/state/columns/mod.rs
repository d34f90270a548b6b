//! What state holds many of, column by column; `columns.proto` says why.
//!
//! One column is never zero, so it is there and says how many rows there are; every other is as long or absent. So
//! what is allocated for rows is bounded by the bytes read.

mod codes;
mod observations;

pub(super) use codes::{read_asserted, read_scans, write_asserted, write_scans};
pub(super) use observations::{read_observations, write_observations};

use crate::wire::WireError;

/// A column, or none when it says nothing.
fn all_or_none<T: Default + PartialEq>(cells: impl Iterator<Item = T>) -> Vec<T> {
    let cells: Vec<T> = cells.collect();
    if cells.iter().all(|cell| *cell == T::default()) { Vec::new() } else { cells }
}

fn cell<T: Copy + Default>(column: &[T], row: usize) -> T {
    column.get(row).copied().unwrap_or_default()
}

fn check(rows: usize, lengths: &[usize], expected: &'static str) -> Result<(), WireError> {
    if lengths.iter().all(|length| *length == 0 || *length == rows) {
        return Ok(());
    }
    Err(WireError::Malformed { expected, detail: "its columns differ in length".to_owned() })
}
