//! What is forgotten leaves the store: a few rows are looked at with each batch, so that it is never felt.
//!
//! Values and rows are judged whenever they are read, so this changes nothing that anybody sees but the size of the
//! store.

use std::ops::Bound;

use super::PartitionState;
use super::unwritten::committed;
use crate::engine::keyspace::Space;
use crate::engine::{State, keyspace};
use crate::store::StoreError;

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

    fn drop_value(&mut self, row: &[u8], bytes: &[u8]) -> Result<bool, StoreError> {
        let is_forgotten = self.facts.forgets(V::decode(bytes)?.newest());
        if is_forgotten {
            // A value is dropped by reading it.
            self.value(keyspace::key_of_value(row))?;
        }
        Ok(is_forgotten)
    }
}
