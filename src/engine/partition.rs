//! One partition of one stage: its store, its uncommitted overlay, its time and rule set.

use std::ops::Bound;
use std::sync::Arc;

use super::overlay::{Overlay, Space, StateValue};
use super::provenance;
use super::watermark::Watermark;
use crate::broker::Record;
use crate::domain::horizon;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError, View};
use crate::wire::log::entries::{self, DocumentEntry, Tick};

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
    /// What is older is forgotten: the furthest that a horizon in force ever reached. A longer horizon does not bring
    /// back what was forgotten before it came.
    pub forgotten_before: Option<Timestamp>,
}

/// Rows looked at in one sweep: some for each batch, so that it is never felt.
const SWEPT_AT_ONCE: usize = 64;

/// Source names under which a partition keeps what it passed on.
const PASSED_ON: &str = "passed_on";
const WALL_PASSED_ON: &str = "wall_passed_on";
/// Likewise for how far it forgot.
const FORGOTTEN_BEFORE: &str = "forgotten_before";

impl PartitionFacts {
    /// Time passes.
    pub fn time_passes(&mut self, tick: &Tick) {
        self.watermark.update(tick);
        self.forget();
    }

    /// Another rule set is in force from here on.
    pub fn put_in_force(&mut self, rules: RuleSet) {
        self.rules = Arc::new(rules);
        self.forget();
    }

    fn forget(&mut self) {
        if let (Some(now), Some(horizon)) = (self.watermark.now(), self.rules.horizon) {
            self.forgotten_before = self.forgotten_before.max(Some(horizon::forgets_before(now, horizon)));
        }
    }

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
        entries.extend(self.forgotten_before.map(|to| DocumentEntry::Tick(tick(FORGOTTEN_BEFORE, to))));
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
                DocumentEntry::Tick(tick) if &*tick.source == FORGOTTEN_BEFORE => {
                    facts.forgotten_before = Some(tick.now);
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
    /// No timer is due before this; none: unknown.
    timers_from: Option<Timestamp>,
    /// The last row that was looked at for what is forgotten; none: begin at the first.
    swept_to: Option<Vec<u8>>,
    /// Digest of the record applied last; none: nothing was applied.
    last_record: Option<u64>,
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
        let last_record = store.get(&last_record_key())?;
        let last_record = last_record.and_then(|digest| Some(u64::from_be_bytes(*digest.first_chunk()?)));
        Ok(Self {
            store,
            last_record,
            overlay: Overlay::default(),
            facts_committed: facts.clone(),
            facts,
            timers_from: None,
            swept_to: None,
            muted_until: committed,
            next_offset,
        })
    }

    /// The value of a key, to be read or changed; the default when it is missing or forgotten.
    pub fn value(&mut self, key: &[u8]) -> Result<&mut V, StoreError> {
        if let Some(before) = self.facts.forgotten_before {
            let value = self.overlay.value(self.store.as_ref(), key)?;
            if is_forgotten(value, before) {
                let due = value.due();
                *value = V::default();
                self.set_timer(key, due, None);
            }
        }
        self.overlay.value(self.store.as_ref(), key)
    }

    /// Looks at some values and members after those it looked at last, and drops what is forgotten. How many.
    ///
    /// Values and members are judged whenever they are read, so this changes nothing that anybody sees but the size of
    /// the store. What the batch changed counts before what is in the store.
    pub(super) fn sweep(&mut self) -> Result<usize, StoreError> {
        let Some(before) = self.facts.forgotten_before else { return Ok(0) };
        let from = self.swept_to.take().unwrap_or_else(|| Space::Value.key(&[]));
        let space = if from.first() == Some(&(Space::Member as u8)) { Space::Member } else { Space::Value };
        let end = [space as u8 + 1];
        let rows = self.store.range(Bound::Excluded(&from), Bound::Excluded(&end), SWEPT_AT_ONCE)?;
        self.swept_to = match (rows.last(), space) {
            (Some((last, _)), _) if rows.len() == SWEPT_AT_ONCE => Some(last.clone()),
            (_, Space::Value) => Some(Space::Member.key(&[])),
            _ => None,
        };
        let mut dropped = 0;
        for (row, bytes) in rows {
            let is_dropped = match space {
                Space::Member => self
                    .overlay
                    .row(self.store.as_ref(), &row)?
                    .is_some_and(|noted_at| is_member_forgotten(&noted_at, before)),
                _ => is_forgotten(&V::decode(&bytes)?, before),
            };
            if !is_dropped {
                continue;
            }
            dropped += 1;
            match space {
                Space::Member => self.overlay.delete_row(row),
                // A value is dropped by reading it.
                _ => drop(self.value(row.get(1..).unwrap_or_default())?),
            }
        }
        Ok(dropped)
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
            self.timers_from = self.timers_from.map(|from| from.min(due));
            self.overlay.put_new_row(timer_key(due, key), Vec::new());
        }
    }

    /// Keys whose timers are due at `now`, in order of (due time, key), at most `limit`.
    ///
    /// Timers that fired leave deletions behind in a store on disk until it compacts. They would be passed over at
    /// every look, so each look begins where the one before found the first timer.
    pub fn due_timers(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let from = self.timers_from.map_or_else(|| Space::Timer.key(&[]), |from| timer_key(from, &[]));
        let behind = Timestamp::from_unix_millis(now.unix_millis().saturating_add(1));
        if self.timers_from.is_some_and(|from| from >= behind) {
            return Ok(Vec::new());
        }
        let to = timer_key(behind, &[]);
        let rows =
            self.overlay.range(self.store.as_ref(), Bound::Included(&from), Bound::Excluded(&to), limit)?;
        match rows.first() {
            Some((row, _)) => self.timers_from = timer_due(row),
            None if limit > 0 => self.timers_from = Some(behind),
            None => {}
        }
        Ok(rows.into_iter().map(|(row, _)| row.get(9..).unwrap_or_default().to_vec()).collect())
    }

    /// Takes note of a row of the member space: from now on it is remembered as long as anything noted at that moment.
    /// Whether it is new; one that was forgotten is.
    pub fn note_member(&mut self, key: Vec<u8>, noted_at: Timestamp) -> Result<bool, StoreError> {
        let known = self.overlay.row(self.store.as_ref(), &key)?;
        let known =
            known.filter(|row| !self.facts.forgotten_before.is_some_and(|to| is_member_forgotten(row, to)));
        let known_at = known.as_deref().and_then(member_noted_at);
        if known_at.is_none_or(|known_at| known_at < noted_at) {
            self.overlay.put_row(key, noted_at.unix_millis().to_be_bytes().to_vec());
        }
        Ok(known.is_none())
    }

    /// Keys of rows of the member space within the bounds that are not forgotten, the first `limit` of them. Those that
    /// are forgotten are dropped on the way, so that nobody passes them again.
    pub fn members(
        &mut self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let before = self.facts.forgotten_before;
        let mut from = from.map(<[u8]>::to_vec);
        let mut page = Vec::new();
        while page.len() < limit {
            let rows =
                self.overlay.range(self.store.as_ref(), from.as_ref().map(Vec::as_slice), to, limit)?;
            let is_end = rows.len() < limit;
            for (row, noted_at) in rows {
                if page.len() == limit {
                    break;
                }
                from = Bound::Excluded(row.clone());
                if before.is_some_and(|before| is_member_forgotten(&noted_at, before)) {
                    self.overlay.delete_row(row);
                } else {
                    page.push(row);
                }
            }
            if is_end {
                break;
            }
        }
        Ok(page)
    }

    /// Takes note of a record that was applied.
    pub(super) fn applied(&mut self, record: &Record) {
        self.next_offset = record.offset.saturating_add(1);
        self.last_record = Some(provenance::digest(record));
    }

    /// Whether the state was built from a log that another one can be told from by the record before its offset.
    pub(super) fn knows_its_last_record(&self) -> bool {
        self.last_record.is_some()
    }

    /// Whether a record that is not to be applied again may have been seen by this state: it was not the last, or
    /// it is the one that was.
    pub(super) fn may_have_seen(&self, record: &Record) -> bool {
        record.offset.saturating_add(1) != self.next_offset
            || self.last_record.is_none_or(|digest| digest == provenance::digest(record))
    }

    /// What is in the store now.
    pub(super) fn view(&self) -> View {
        self.store.view()
    }

    /// Writes what was applied to the store, together with the offset.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if let Some(digest) = self.last_record {
            self.overlay.put_row(last_record_key(), digest.to_be_bytes().to_vec());
        }
        if self.facts != self.facts_committed {
            self.overlay.put_row(facts_key(), self.facts.encode());
            self.facts_committed = self.facts.clone();
        }
        self.store.write(self.overlay.take_batch(self.next_offset))
    }

    /// Forgets what was applied since the last write.
    pub(super) fn roll_back(&mut self, next_offset: i64) {
        self.overlay.clear();
        self.timers_from = None;
        self.facts = self.facts_committed.clone();
        self.next_offset = next_offset;
    }
}

fn is_forgotten<V: StateValue>(value: &V, before: Timestamp) -> bool {
    value.newest().is_some_and(|newest| newest < before)
}

fn is_member_forgotten(bytes: &[u8], before: Timestamp) -> bool {
    member_noted_at(bytes).is_some_and(|noted_at| noted_at < before)
}

fn member_noted_at(bytes: &[u8]) -> Option<Timestamp> {
    bytes.first_chunk().map(|millis| Timestamp::from_unix_millis(i64::from_be_bytes(*millis)))
}

fn facts_key() -> Vec<u8> {
    Space::Meta.key(&[b"facts"])
}

fn last_record_key() -> Vec<u8> {
    Space::Meta.key(&[b"last"])
}

/// Timers sort by (due time, key): the sign bit is flipped so that bytes sort as numbers do.
fn timer_key(due: Timestamp, key: &[u8]) -> Vec<u8> {
    let sortable = due.unix_millis().cast_unsigned() ^ (1 << 63);
    Space::Timer.key(&[&sortable.to_be_bytes(), key])
}

/// When the timer of a row is due.
fn timer_due(row: &[u8]) -> Option<Timestamp> {
    let sortable = u64::from_be_bytes(*row.get(1..)?.first_chunk()?);
    Some(Timestamp::from_unix_millis((sortable ^ (1 << 63)).cast_signed()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::Millis;
    use crate::store::memory::MemoryStore;

    const DAY: i64 = 86_400_000;

    fn on_day(day: i64) -> Timestamp {
        Timestamp::from_unix_millis(day * DAY)
    }

    /// A partition that forgets after ten days, and two of slack.
    fn forgetful(now: i64) -> PartitionState<()> {
        let mut state = PartitionState::<()>::open(Box::new(MemoryStore::default()), 0, 0).unwrap();
        let rules = RuleSet { horizon: Some(Millis::from_days(10)), ..RuleSet::default() };
        state.facts().put_in_force(rules);
        is_day(&mut state, now);
        state
    }

    fn is_day(state: &mut PartitionState<()>, day: i64) {
        let tick = Tick { source: "documents/0".into(), sources: 1, now: on_day(day), wall: None };
        state.facts().time_passes(&tick);
    }

    fn member(number: usize) -> Vec<u8> {
        Space::Member.key(&[format!("{number:04}").as_bytes()])
    }

    fn members(state: &mut PartitionState<()>, limit: usize) -> Vec<Vec<u8>> {
        let (from, to) = (Space::Member.key(&[]), [Space::Member as u8 + 1]);
        state.members(Bound::Included(&from), Bound::Excluded(&to), limit).unwrap()
    }

    #[test]
    fn a_member_is_forgotten_by_the_time_in_the_log_whether_or_not_it_was_swept() {
        for sweeps in [false, true] {
            let mut state = forgetful(100);
            assert!(state.note_member(member(1), on_day(100)).unwrap());
            assert!(!state.note_member(member(1), on_day(100)).unwrap());
            let mut later = |day| {
                state.write().unwrap();
                is_day(&mut state, day);
                if sweeps {
                    state.sweep().unwrap();
                    state.sweep().unwrap();
                }
                let known = members(&mut state, 9).len();
                (known, state.note_member(member(1), on_day(day)).unwrap())
            };
            assert_eq!(later(112), (1, false), "swept: {sweeps}");
            assert_eq!(later(124), (1, false), "noted again on day 112; swept: {sweeps}");
            assert_eq!(later(137), (0, true), "swept: {sweeps}");
        }
    }

    #[test]
    fn a_member_noted_again_is_kept_by_the_sweep_of_the_same_batch() {
        let mut state = forgetful(100);
        state.note_member(member(1), on_day(100)).unwrap();
        state.write().unwrap();
        is_day(&mut state, 113);
        assert!(state.note_member(member(1), on_day(113)).unwrap());
        assert_eq!(state.sweep().unwrap() + state.sweep().unwrap(), 0);
        state.write().unwrap();
        assert_eq!(members(&mut state, 9), [member(1)]);
    }

    #[test]
    fn a_longer_horizon_brings_back_nothing_whether_or_not_it_was_swept() {
        for sweeps in [0, 2] {
            let mut state = forgetful(100);
            state.note_member(member(1), on_day(100)).unwrap();
            state.write().unwrap();
            is_day(&mut state, 113);
            for _ in 0..sweeps {
                state.sweep().unwrap();
            }
            state.write().unwrap();
            state.facts().put_in_force(RuleSet::default());
            assert_eq!(members(&mut state, 9), Vec::<Vec<u8>>::new(), "swept: {sweeps}");
            let facts = state.facts().clone();
            assert_eq!(PartitionFacts::decode(&facts.encode()).unwrap(), facts);
        }
    }

    #[test]
    fn a_page_of_members_is_full_however_many_lie_forgotten_between_them() {
        let mut state = forgetful(100);
        for number in 0..1000 {
            let noted_on = if number % 100 == 99 { 120 } else { 100 };
            state.note_member(member(number), on_day(noted_on)).unwrap();
        }
        state.write().unwrap();
        is_day(&mut state, 120);
        assert_eq!(members(&mut state, 4), [99, 199, 299, 399].map(member));
        assert_eq!(members(&mut state, 40).len(), 10);
        state.write().unwrap();
        let rows = state.store.range(Bound::Unbounded, Bound::Unbounded, 2000).unwrap();
        let left = rows.iter().filter(|(row, _)| row.first() == Some(&(Space::Member as u8)));
        assert_eq!(left.count(), 10, "what is forgotten is passed once");
    }

    #[derive(Clone, Debug)]
    enum Event {
        Set(i64, u8),
        Fire(i64, usize),
        Write,
        RollBack,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (-9..9_i64, 0..4_u8).prop_map(|(due, key)| Event::Set(due, key)),
            3 => (-9..9_i64, 0..4_usize).prop_map(|(now, limit)| Event::Fire(now, limit)),
            1 => Just(Event::Write),
            1 => Just(Event::RollBack),
        ]
    }

    proptest! {
        /// Whatever was set, fired and taken back before, a look finds what a look at all timers would.
        #[test]
        fn due_timers_are_found_wherever_the_last_look_began(events in prop::collection::vec(event(), 0..40)) {
            let mut state = PartitionState::<()>::open(Box::new(MemoryStore::default()), 0, 0).unwrap();
            let mut timers: BTreeSet<(i64, u8)> = BTreeSet::new();
            let mut written = timers.clone();
            let at = Timestamp::from_unix_millis;
            for event in events {
                match event {
                    Event::Set(due, key) => {
                        if timers.insert((due, key)) {
                            state.set_timer(&[key], None, Some(at(due)));
                        }
                    }
                    Event::Fire(now, limit) => {
                        let due: Vec<(i64, u8)> =
                            timers.iter().filter(|(due, _)| *due <= now).take(limit).copied().collect();
                        let keys: Vec<Vec<u8>> = due.iter().map(|(_, key)| vec![*key]).collect();
                        prop_assert_eq!(state.due_timers(at(now), limit).unwrap(), keys);
                        for (due, key) in due {
                            state.set_timer(&[key], Some(at(due)), None);
                            timers.remove(&(due, key));
                        }
                    }
                    Event::Write => {
                        state.write().unwrap();
                        written = timers.clone();
                    }
                    Event::RollBack => {
                        state.roll_back(0);
                        timers = written.clone();
                    }
                }
            }
        }
    }
}
