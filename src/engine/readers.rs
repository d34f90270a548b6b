//! Committed state for other threads: a partition's is handed out when the partition is opened, and taken back before it
//! is given up, so that nobody answers from state that is somebody else's.
//!
//! Everything that one look reads is of one moment, after some committed batch. A look holds its partition: giving it
//! back waits for the looks that are going on, so they are to be short. A worker whose store is on disk is not held up; one in memory waits when it
//! writes.

use std::sync::Arc;

use dashmap::DashMap;

use super::partition::facts::Facts;
use super::partition::published::Published;
use super::{State, keyspace};
use crate::broker::TopicPartition;
use crate::store::{Rows, StoreError};

/// The partitions of a process whose committed state can be read.
#[derive(Clone, Default)]
pub struct Readers {
    partitions: Arc<DashMap<TopicPartition, Arc<Published>>>,
}

impl Readers {
    /// The partitions that can be read now, in no order.
    pub fn partitions(&self) -> Vec<TopicPartition> {
        self.partitions.iter().map(|partition| partition.key().clone()).collect()
    }

    /// Looks at the committed state of a partition; none when it is not this process's.
    pub fn look<T>(
        &self,
        partition: &TopicPartition,
        look: impl FnOnce(&Committed<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let Some(published) = self.partitions.get(partition) else { return Ok(None) };
        let mut look = Some(look);
        let mut seen = None;
        published.look(&mut |rows, facts| {
            if let Some(look) = look.take() {
                seen = Some(look(&Committed { rows, facts })?);
            }
            Ok(())
        })?;
        Ok(seen)
    }

    /// A place for a partition, empty so far.
    pub(super) fn seat(&self, partition: &TopicPartition) -> Seat {
        Seat { readers: self.clone(), partition: partition.clone() }
    }
}

/// A partition's place among the readers; dropping it takes the partition back.
pub struct Seat {
    readers: Readers,
    partition: TopicPartition,
}

impl Seat {
    /// Lets others read.
    pub(super) fn take(&self, published: Arc<Published>) {
        self.readers.partitions.insert(self.partition.clone(), published);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.readers.partitions.remove(&self.partition);
    }
}

/// Looks at what is committed.
pub type Look<'a> = &'a mut dyn FnMut(&Committed<'_>) -> Result<(), StoreError>;

/// The state of a partition as it was after a committed batch.
pub struct Committed<'a> {
    pub(super) rows: &'a dyn Rows,
    pub(super) facts: &'a Facts,
}

impl Committed<'_> {
    /// Time and terms.
    pub fn facts(&self) -> &Facts {
        self.facts
    }

    /// The state of a key; the default when there is none, or it is forgotten.
    pub fn value<V: State>(&self, key: &[u8]) -> Result<V, StoreError> {
        let Some(bytes) = self.rows.get(&keyspace::value(key))? else { return Ok(V::default()) };
        let value = V::decode(&bytes)?;
        Ok(if self.facts.forgets(value.newest()) { V::default() } else { value })
    }

    /// The rows of a key behind one of them, in order, so many at most.
    pub fn rows_after(
        &self,
        key: &[u8],
        after: Option<&[u8]>,
        at_most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let (from, to) = keyspace::rows_after(key, after);
        let rows =
            self.rows.range(from.as_ref().map(Vec::as_slice), std::ops::Bound::Excluded(&to), at_most)?;
        let kept = rows.into_iter().filter(|(_, noted)| !self.facts.forgets(keyspace::noted_at(noted)));
        Ok(kept.map(|(row, _)| keyspace::name_of_row(key, &row).to_vec()).collect())
    }
}
