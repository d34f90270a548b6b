//! What a partition keeps between records: values that are written only when they changed, rows and what is forgotten of
//! them, timers.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::domain::time::Millis;
use crate::engine::keyspace::Space;
use crate::store::memory::MemoryStore;
use crate::wire::entries::{Terms, Tick};
use crate::wire::form::Writer;

/// A value that is when it is due.
#[derive(Debug, Default)]
struct Due(Option<Timestamp>);

impl State for Due {
    fn encode(&self, writer: &mut Writer) {
        self.0.into_iter().for_each(|due| writer.raw(&due.unix_millis().to_be_bytes()));
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        Ok(Self(bytes.first_chunk().map(|due| Timestamp::from_unix_millis(i64::from_be_bytes(*due)))))
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn newest(&self) -> Option<Timestamp> {
        None
    }

    fn due(&self) -> Option<Timestamp> {
        self.0
    }
}

fn empty() -> PartitionState<Due> {
    PartitionState::open(Box::new(MemoryStore::default())).unwrap()
}

/// Commits and writes, without a look at what is forgotten.
fn keep(state: &mut PartitionState<Due>) {
    state.encode();
    state.unwritten.absorb(&mut state.applied);
    state.facts_committed = Arc::new(state.facts.clone());
    state.write(0).unwrap();
}

/// Sets a value; the keys that the store hears of.
fn written(state: &mut PartitionState<Due>, due: Option<i64>) -> Vec<Vec<u8>> {
    state.value(b"k").unwrap().0 = due.map(Timestamp::from_unix_millis);
    state.settle_timers();
    state.encode();
    state.unwritten.absorb(&mut state.applied);
    let changes = state.unwritten.take();
    let keys = changes.iter().map(|(key, _)| key.to_vec()).collect();
    state.store.write(Batch { changes, next_offset: 1 }).unwrap();
    keys
}

#[test]
fn what_is_as_the_store_has_it_is_not_written() {
    let mut state = empty();
    let nothing = Vec::<Vec<u8>>::new();
    let timer = |due| keyspace::timer(Timestamp::from_unix_millis(due), b"k");
    assert_eq!(written(&mut state, None), nothing, "nothing was there and nothing is");
    assert_eq!(written(&mut state, Some(7)), [keyspace::value(b"k"), timer(7)]);
    assert_eq!(written(&mut state, Some(7)), nothing, "read, and as it was");
    assert_eq!(written(&mut state, Some(8)), [keyspace::value(b"k"), timer(7), timer(8)]);
    assert_eq!(written(&mut state, None), [keyspace::value(b"k"), timer(8)]);
    assert_eq!(written(&mut state, None), nothing, "deleted once");
}

const DAY: i64 = 86_400_000;

fn on_day(day: i64) -> Timestamp {
    Timestamp::from_unix_millis(day * DAY)
}

/// A partition that forgets after ten days, and two of slack.
fn forgetful(now: i64) -> PartitionState<Due> {
    let mut state = empty();
    let terms = Terms { horizon: Some(Millis::from_days(10)), ..Terms::default() };
    state.facts.put_in_force(terms);
    is_day(&mut state, now);
    state
}

fn is_day(state: &mut PartitionState<Due>, day: i64) {
    let tick = Tick { source: "documents/0".into(), sources: 1, now: on_day(day), wall: None };
    state.facts.time_passes(&tick);
}

fn member(number: usize) -> Vec<u8> {
    format!("{number:04}").into_bytes()
}

fn note(state: &mut PartitionState<Due>, number: usize, noted_at: Timestamp) -> bool {
    state.note_row(b"alias", &member(number), noted_at).unwrap()
}

fn members(state: &mut PartitionState<Due>, limit: usize) -> Vec<Vec<u8>> {
    state.rows_after(b"alias", None, limit).unwrap()
}

#[test]
fn a_member_is_forgotten_by_the_time_in_the_log_whether_or_not_it_was_swept() {
    for sweeps in [false, true] {
        let mut state = forgetful(100);
        assert!(note(&mut state, 1, on_day(100)));
        assert!(!note(&mut state, 1, on_day(100)));
        let mut later = |day| {
            keep(&mut state);
            is_day(&mut state, day);
            if sweeps {
                state.sweep().unwrap();
                state.sweep().unwrap();
            }
            let known = members(&mut state, 9).len();
            (known, note(&mut state, 1, on_day(day)))
        };
        assert_eq!(later(112), (1, false), "swept: {sweeps}");
        assert_eq!(later(124), (1, false), "noted again on day 112; swept: {sweeps}");
        assert_eq!(later(137), (0, true), "swept: {sweeps}");
    }
}

#[test]
fn a_member_noted_again_is_kept_by_the_sweep_of_the_same_batch() {
    let mut state = forgetful(100);
    note(&mut state, 1, on_day(100));
    keep(&mut state);
    is_day(&mut state, 113);
    assert!(note(&mut state, 1, on_day(113)));
    assert_eq!(state.sweep().unwrap() + state.sweep().unwrap(), 0);
    keep(&mut state);
    assert_eq!(members(&mut state, 9), [member(1)]);
}

#[test]
fn a_longer_horizon_brings_back_nothing_whether_or_not_it_was_swept() {
    for sweeps in [0, 2] {
        let mut state = forgetful(100);
        note(&mut state, 1, on_day(100));
        keep(&mut state);
        is_day(&mut state, 113);
        for _ in 0..sweeps {
            state.sweep().unwrap();
        }
        keep(&mut state);
        state.facts.put_in_force(Terms::default());
        assert_eq!(members(&mut state, 9), Vec::<Vec<u8>>::new(), "swept: {sweeps}");
        keep(&mut state);
        assert_eq!(Facts::load(state.store.as_ref()).unwrap(), state.facts, "they are kept");
    }
}

#[test]
fn a_page_of_members_is_full_however_many_lie_forgotten_between_them() {
    let mut state = forgetful(100);
    for number in 0..1000 {
        let noted_on = if number % 100 == 99 { 120 } else { 100 };
        note(&mut state, number, on_day(noted_on));
    }
    keep(&mut state);
    is_day(&mut state, 120);
    assert_eq!(members(&mut state, 4), [99, 199, 299, 399].map(member));
    assert_eq!(members(&mut state, 40).len(), 10);
    keep(&mut state);
    let rows = state.store.range(Bound::Unbounded, Bound::Unbounded, 2000).unwrap();
    let left = rows.iter().filter(|(row, _)| row.first() == Some(&(Space::Row as u8)));
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
        let mut state = empty();
        let mut timers: BTreeMap<u8, i64> = BTreeMap::new();
        let mut written = timers.clone();
        let at = Timestamp::from_unix_millis;
        for event in events {
            match event {
                Event::Set(due, key) => {
                    timers.insert(key, due);
                    state.value(&[key]).unwrap().0 = Some(at(due));
                    state.settle_timers();
                }
                Event::Fire(now, limit) => {
                    let mut due: Vec<(i64, u8)> =
                        timers.iter().filter(|(_, due)| **due <= now).map(|(key, due)| (*due, *key)).collect();
                    due.sort_unstable();
                    due.truncate(limit);
                    let keys: Vec<Vec<u8>> = due.iter().map(|(_, key)| vec![*key]).collect();
                    prop_assert_eq!(state.due_timers(at(now), limit).unwrap(), keys);
                    for (_, key) in due {
                        state.value(&[key]).unwrap().0 = None;
                        timers.remove(&key);
                    }
                    state.settle_timers();
                }
                Event::Write => {
                    keep(&mut state);
                    written = timers.clone();
                }
                Event::RollBack => {
                    state.roll_back();
                    timers = written.clone();
                }
            }
        }
    }
}
