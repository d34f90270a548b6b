//! One partition of one stage: its store, its uncommitted overlay, its time and rule set.

use std::ops::Bound;
use std::sync::Arc;

use super::overlay::{Overlay, Space, StateValue};
use super::watermark::Watermark;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};
use crate::wire::entries::{self, DocumentEntry, Tick};

/// What a partition knows besides its values: it is kept in the store with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionFacts {
    /// How far its sources have come.
    pub watermark: Watermark,
    /// The newest `now` that was passed on to the next stages.
    pub passed_on: Option<Timestamp>,
    /// The newest wall clock that was passed on.
    pub wall_passed_on: Option<Timestamp>,
    /// The rule set in force.
    pub rules: Arc<RuleSet>,
}

/// Source names under which a partition keeps what it passed on.
const PASSED_ON: &str = "passed_on";
const WALL_PASSED_ON: &str = "wall_passed_on";

impl PartitionFacts {
    /// The facts are kept in the form in which they travel: as entries.
    fn encode(&self) -> Vec<u8> {
        let tick = |source: &str, now| Tick {
            source: source.into(),
            sources: self.watermark.expected,
            now,
            wall: self.watermark.wall,
        };
        let mut entries = vec![DocumentEntry::RuleSet(Box::new(self.rules.as_ref().clone()))];
        entries.extend(
            self.watermark.sources.iter().map(|(source, now)| DocumentEntry::Tick(tick(source, *now))),
        );
        entries.extend(self.passed_on.map(|now| DocumentEntry::Tick(tick(PASSED_ON, now))));
        entries.extend(self.wall_passed_on.map(|wall| DocumentEntry::Tick(tick(WALL_PASSED_ON, wall))));
        entries::encode_documents(&entries, usize::MAX).concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let entries =
            entries::decode_documents(bytes).map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let mut facts = Self::default();
        for entry in entries {
            match entry {
                DocumentEntry::RuleSet(rules) => facts.rules = Arc::new(*rules),
                DocumentEntry::Tick(tick) if &*tick.source == PASSED_ON => facts.passed_on = Some(tick.now),
                DocumentEntry::Tick(tick) if &*tick.source == WALL_PASSED_ON => {
                    facts.wall_passed_on = Some(tick.now);
                }
                DocumentEntry::Tick(tick) => facts.watermark.update(&tick),
                _ => {
                    return Err(StoreError::Unreadable(
                        "unexpected entry among the partition's facts".into(),
                    ));
                }
            }
        }
        Ok(facts)
    }
}

/// One partition's state, as the record being applied sees it.
pub struct PartitionState<V> {
    store: Box<dyn Store>,
    overlay: Overlay<V>,
    facts: PartitionFacts,
    facts_committed: PartitionFacts,
    /// Records before this offset are replayed with their outputs dropped: they were published before.
    pub(super) muted_until: i64,
    /// The offset of the first record that was not applied.
    pub(super) next_offset: i64,
}

impl<V: StateValue> PartitionState<V> {
    /// Opens a partition on its store, with outputs muted up to `committed`.
    pub(super) fn open(store: Box<dyn Store>, next_offset: i64, committed: i64) -> Result<Self, StoreError> {
        let facts = match store.get(&facts_key())? {
            Some(bytes) => PartitionFacts::decode(&bytes)?,
            None => PartitionFacts::default(),
        };
        Ok(Self {
            store,
            overlay: Overlay::default(),
            facts_committed: facts.clone(),
            facts,
            muted_until: committed,
            next_offset,
        })
    }

    /// The value of a key, to be read or changed.
    pub fn value(&mut self, key: &[u8]) -> Result<&mut V, StoreError> {
        self.overlay.value(self.store.as_ref(), key)
    }

    /// The committed value of a key.
    pub(super) fn committed_value(&self, key: &[u8]) -> Result<Option<V>, StoreError> {
        self.store.get(&Space::Value.key(&[key]))?.map(|bytes| V::decode(&bytes)).transpose()
    }

    /// Time and rules.
    pub fn facts(&mut self) -> &mut PartitionFacts {
        &mut self.facts
    }

    /// Moves the timer of a key: `before` is what it was set to, `due` what it shall be.
    pub fn set_timer(&mut self, key: &[u8], before: Option<Timestamp>, due: Option<Timestamp>) {
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.overlay.delete_row(timer_key(before, key));
        }
        if let Some(due) = due {
            self.overlay.put_row(timer_key(due, key), Vec::new());
        }
    }

    /// Keys whose timers are due at `now`, in order of (due time, key), at most `limit`.
    pub fn due_timers(&self, now: Timestamp, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let from = Space::Timer.key(&[]);
        let to = timer_key(Timestamp::from_unix_millis(now.unix_millis().saturating_add(1)), &[]);
        let rows =
            self.overlay.range(self.store.as_ref(), Bound::Included(&from), Bound::Excluded(&to), limit)?;
        Ok(rows.into_iter().map(|(row, _)| row.get(9..).unwrap_or_default().to_vec()).collect())
    }

    /// Whether a row of the member space exists.
    pub fn has_member(&self, key: &[u8]) -> Result<bool, StoreError> {
        self.overlay.has_row(self.store.as_ref(), key)
    }

    /// Sets a row of the member space.
    pub fn put_member(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.overlay.put_row(key, value);
    }

    /// Rows of the member space within the bounds.
    pub fn members(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<crate::store::Entry>, StoreError> {
        self.overlay.range(self.store.as_ref(), from, to, limit)
    }

    /// Writes what was applied to the store, together with the offset.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.facts != self.facts_committed {
            self.overlay.put_row(facts_key(), self.facts.encode());
            self.facts_committed = self.facts.clone();
        }
        self.store.write(self.overlay.take_batch(self.next_offset))
    }

    /// Forgets what was applied since the last write.
    pub(super) fn roll_back(&mut self, next_offset: i64) {
        self.overlay.clear();
        self.facts = self.facts_committed.clone();
        self.next_offset = next_offset;
    }
}

fn facts_key() -> Vec<u8> {
    Space::Meta.key(&[b"facts"])
}

/// Timers sort by (due time, key): the sign bit is flipped so that bytes sort as numbers do.
fn timer_key(due: Timestamp, key: &[u8]) -> Vec<u8> {
    let sortable = due.unix_millis().cast_unsigned() ^ (1 << 63);
    Space::Timer.key(&[&sortable.to_be_bytes(), key])
}
