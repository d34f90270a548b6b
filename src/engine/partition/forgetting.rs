//! What is forgotten leaves the store: a few rows are looked at with each batch, so that it is never felt.
//!
//! Values and rows are judged whenever they are read, so this changes nothing that anybody sees but the size of the
//! store.

use std::ops::Bound;

use super::PartitionState;
use super::unwritten::{applied, committed};
use crate::engine::keyspace::Space;
use crate::engine::{State, keyspace};
use crate::store::{Rows, StoreError};

/// Rows looked at in one sweep.
const SWEPT_AT_ONCE: usize = 64;

impl<V: State> PartitionState<V> {
    /// Looks at some values and rows behind those it looked at last, and drops what is forgotten. How many. What the
    /// batch changed counts before what is in the store.
    pub(super) fn sweep(&mut self) -> Result<usize, StoreError> {
        if self.facts.forgotten_before.is_none() {
            return Ok(0);
        }
        let from = self.swept_to.take().unwrap_or_else(|| Space::Value.key(&[]));
        let space = if from.first() == Some(&(Space::Row as u8)) { Space::Row } else { Space::Value };
        let to = space.end();
        let rows = self.store.range(Bound::Excluded(&from), Bound::Excluded(&to), SWEPT_AT_ONCE)?;
        self.swept_to = match (rows.last(), space) {
            (Some((last, _)), _) if rows.len() == SWEPT_AT_ONCE => Some(last.clone()),
            (_, Space::Value) => Some(Space::Row.key(&[])),
            _ => None,
        };
        let mut dropped = 0;
        for (row, bytes) in rows {
            let is_dropped = match space {
                Space::Row => self.drop_row(row)?,
                _ => self.drop_value(&row, &bytes)?,
            };
            dropped += usize::from(is_dropped);
        }
        self.settle_timers();
        Ok(dropped)
    }

    fn drop_row(&mut self, row: Vec<u8>) -> Result<bool, StoreError> {
        let noted = self.applied.rows.row(&committed(self.store.as_ref(), &self.unwritten), &row)?;
        let is_forgotten = noted.is_some_and(|noted| self.facts.forgets(keyspace::noted_at(&noted)));
        if is_forgotten {
            self.applied.rows.delete(row);
        }
        Ok(is_forgotten)
    }

    /// What is in the store may be dropped, or newer, among what is not written yet.
    fn drop_value(&mut self, row: &[u8], stored: &[u8]) -> Result<bool, StoreError> {
        if !self.facts.forgets(V::decode(stored)?.newest()) {
            return Ok(false);
        }
        let committed = committed(self.store.as_ref(), &self.unwritten);
        let is_there = applied(&committed, &self.applied).get(row)?.is_some();
        // A value is dropped by reading it.
        Ok(is_there && self.value(keyspace::key_of_value(row))?.is_empty())
    }
}
