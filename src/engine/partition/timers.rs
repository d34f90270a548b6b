//! Timers: one for each key at most, at the moment that its value says.

use std::ops::Bound;

use super::PartitionState;
use super::unwritten::committed;
use super::values::TimerMove;
use crate::domain::time::Timestamp;
use crate::engine::keyspace::Space;
use crate::engine::{State, keyspace};
use crate::store::StoreError;

impl<V: State> PartitionState<V> {
    /// Moves the timers of the values that were asked for since the last call to where these want them.
    pub(in crate::engine) fn settle_timers(&mut self) {
        for TimerMove { key, before, due } in self.values.timers_to_move() {
            if let Some(before) = before {
                self.applied.rows.delete(keyspace::timer(before, &key));
            }
            if let Some(due) = due {
                self.timers_from = self.timers_from.map(|from| from.min(due));
                self.applied.rows.put_new(keyspace::timer(due, &key), Vec::new());
            }
        }
    }

    /// Keys whose timers are due at `now`, in order of (due time, key), at most `limit`.
    ///
    /// Timers that fired leave deletions behind in a store on disk until it compacts. They would be passed over at
    /// every look, so each look begins where the one before found the first timer.
    pub(in crate::engine) fn due_timers(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let from = self.timers_from.map_or_else(|| Space::Timer.key(&[]), |from| keyspace::timer(from, &[]));
        let behind = Timestamp::from_unix_millis(now.unix_millis().saturating_add(1));
        if self.timers_from.is_some_and(|from| from >= behind) {
            return Ok(Vec::new());
        }
        let to = keyspace::timer(behind, &[]);
        let bounds = (Bound::Included(&*from), Bound::Excluded(&*to));
        let rows = self.applied.rows.range(
            &committed(self.store.as_ref(), &self.unwritten),
            bounds.0,
            bounds.1,
            limit,
        )?;
        match rows.first() {
            Some((row, _)) => self.timers_from = keyspace::timer_due(row),
            None if limit > 0 => self.timers_from = Some(behind),
            None => {}
        }
        Ok(rows.into_iter().map(|(row, _)| keyspace::key_of_timer(&row).to_vec()).collect())
    }
}
