//! State on disk: it is an ordered map as the one in memory is, survives whatever happens to its journal, is never
//! ahead of the broker, and belongs to one owner at a time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tracewarden::store::disk::DiskStore;
use tracewarden::store::folder::{Found, StateFolder};
use tracewarden::store::memory::MemoryStore;
use tracewarden::store::{Batch, Entry, Rows, Store, StoreError};

const TOPIC: &str = "t.observations";
const MEBIBYTE: u64 = 1 << 20;
/// More than any offset here.
const ANY: i64 = i64::MAX;

fn folder(path: &Path) -> StateFolder {
    StateFolder::new(path, 4 * MEBIBYTE, 4 * MEBIBYTE).with_lock_wait(Duration::ZERO)
}

fn open(path: &Path) -> DiskStore {
    folder(path).open(TOPIC, 0, ANY).expect("the store opens").0
}

fn batch(next_offset: i64, changes: &[(&[u8], Option<&[u8]>)]) -> Batch {
    let changes = changes.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
    Batch { changes: changes.collect(), next_offset }
}

fn all(store: &dyn Store) -> Vec<Entry> {
    store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX).expect("rows are readable")
}

/// What happens to a store in the property below.
#[derive(Clone, Debug)]
enum Event {
    Write(BTreeMap<Vec<u8>, Option<Vec<u8>>>),
    Compact,
    Reopen,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![0_u8..4, Just(0xfe)], 0..3)
        .prop_filter("keys are not empty", |key| !key.is_empty())
}

fn event() -> impl Strategy<Value = Event> {
    let changes =
        prop::collection::btree_map(key(), prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 0..8);
    prop_oneof![6 => changes.prop_map(Event::Write), 1 => Just(Event::Compact), 1 => Just(Event::Reopen)]
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![Just(Bound::Unbounded), key().prop_map(Bound::Included), key().prop_map(Bound::Excluded)]
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// Ranges over which an ordered map in memory would panic are not asked of it.
fn makes_sense(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(from), Bound::Excluded(to)) => from < to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from <= to
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_map_that_it_would_be_in_memory(
        events in prop::collection::vec(event(), 1..12),
        ranges in prop::collection::vec((bound(), bound(), 0..6_usize), 1..8),
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut model = MemoryStore::default();
        let mut store = Some(open(root.path()));
        for (number, event) in (1..).zip(events) {
            let open_store = store.as_mut().expect("it is open");
            match event {
                Event::Write(changes) => {
                    let changes: Vec<_> = changes.into_iter().collect();
                    model.write(Batch { changes: changes.clone(), next_offset: number }).unwrap();
                    open_store.write(Batch { changes, next_offset: number }).unwrap();
                }
                Event::Compact => open_store.compact().unwrap(),
                Event::Reopen => {
                    drop(store.take());
                    store = Some(open(root.path()));
                }
            }
        }
        let store = store.expect("it is open");
        prop_assert_eq!(store.next_offset(), model.next_offset());
        prop_assert_eq!(all(&store), all(&model));
        for (from, to, limit) in ranges {
            let found = store.range(as_slice(&from), as_slice(&to), limit).unwrap();
            if makes_sense(&from, &to) {
                prop_assert_eq!(found, model.range(as_slice(&from), as_slice(&to), limit).unwrap());
            } else {
                prop_assert_eq!(found, []);
            }
        }
        for (key, value) in all(&model) {
            prop_assert_eq!(store.get(&key).unwrap(), Some(value));
        }
        prop_assert_eq!(store.get(&[9]).unwrap(), None);
    }
}

/// The rows after each batch, the empty store first; batches overwrite and delete what earlier ones wrote.
fn history() -> (Vec<Batch>, Vec<Vec<Entry>>) {
    let mut model = MemoryStore::default();
    let mut states = vec![Vec::new()];
    let mut batches = Vec::new();
    for number in 1..=60_u8 {
        let text = format!("value {number} ").repeat(usize::from(number % 7) * 9 + 1);
        let changes: [(&[u8], Option<&[u8]>); 4] = [
            (&[1, number], Some(text.as_bytes())),
            (&[2, number % 5], Some(&[number])),
            (&[3, number % 4], (number % 3 != 0).then_some(text.as_bytes())),
            (&[1, number / 2], None),
        ];
        model.write(batch(i64::from(number) * 10, &changes)).unwrap();
        batches.push(batch(i64::from(number) * 10, &changes));
        states.push(all(&model));
    }
    (batches, states)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else if entry.path().extension().is_some_and(|extension| extension == "jnl") {
            // The journal is mostly a hole; only what was written is copied.
            let bytes = journal_bytes(&entry.path());
            fs::write(target, bytes).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The journal up to its last byte that is not zero.
fn journal_bytes(path: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    let count = OpenOptions::new().read(true).open(path).unwrap().read(&mut bytes).unwrap();
    bytes.truncate(count);
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    assert!(written < 1 << 20, "the history fits");
    bytes.truncate(written);
    bytes
}

fn journal_of(store: &Path) -> PathBuf {
    let mut journals = fs::read_dir(store)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    let journal = journals.next().expect("there is a journal");
    assert_eq!(journals.next(), None, "one journal");
    journal
}

fn overwrite(file: &mut File, at: u64, change: impl Fn(u8) -> u8, count: u64) {
    let mut bytes = vec![0; usize::try_from(count).unwrap()];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes.iter_mut().for_each(|byte| *byte = change(*byte));
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&bytes).unwrap();
}

/// A journal that lost its end, or was damaged somewhere, leaves the state after some earlier batch, and says after
/// which; applying the rest of the log again leads to the same state as if nothing had happened.
#[test]
fn a_torn_journal_leaves_an_earlier_state_and_its_offset() {
    let (batches, states) = history();
    for flushed_after in [None, Some(20)] {
        let whole = tempfile::tempdir().unwrap();
        let mut store = open(whole.path());
        for (number, batch) in batches.iter().enumerate() {
            if Some(number) == flushed_after {
                store.compact().unwrap();
            }
            store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
        }
        drop(store);
        let name = format!("{TOPIC}-0");
        let length = journal_bytes(&journal_of(&whole.path().join(&name))).len() as u64;
        let mut older = 0;
        for attempt in 0..36_u64 {
            let torn = tempfile::tempdir().unwrap();
            copy_folder(&whole.path().join(&name), &torn.path().join(&name));
            let journal = journal_of(&torn.path().join(&name));
            let mut file = OpenOptions::new().read(true).write(true).open(&journal).unwrap();
            let at = attempt * 7_919 % length;
            match attempt % 3 {
                0 => file.set_len(at).unwrap(),
                // A sector that never reached the disk, and one flipped byte.
                1 => overwrite(&mut file, at, |_| 0, 512.min(length - at)),
                _ => overwrite(&mut file, at, |byte| byte ^ 0x41, 1),
            }
            drop(file);
            let mut store = open(torn.path());
            let applied = usize::try_from(store.next_offset() / 10).unwrap();
            assert_eq!(all(&store), states[applied], "cut or damaged at {at} of {length}");
            assert!(applied >= flushed_after.unwrap_or(0), "what was flushed is there");
            older += usize::from(applied < batches.len());
            for batch in &batches[applied..] {
                store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
            }
            drop(store);
            let store = open(torn.path());
            assert_eq!((store.next_offset(), all(&store)), (600, states[60].clone()));
        }
        assert!(older > 30, "the damage did reach the journal: {older}");
    }
}

#[test]
fn a_store_ahead_of_the_commit_is_discarded_and_one_behind_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let folder = folder(root.path());
    let found = |committed| {
        let (store, found) = folder.open(TOPIC, 0, committed).unwrap();
        (found, store.next_offset(), all(&store).len())
    };
    assert_eq!(found(0), (Found::Nothing, 0, 0));
    open(root.path()).write(batch(50, &[(&[1, 1], Some(b"a"))])).unwrap();
    assert_eq!(found(70), (Found::Usable, 50, 1));
    assert_eq!(found(50), (Found::Usable, 50, 1));
    assert_eq!(found(49), (Found::Ahead(50), 0, 0));
    assert_eq!(found(49), (Found::Usable, 0, 0));
    // Nothing is left of what was discarded, and the neighbour was never touched.
    let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_crash_while_a_store_is_discarded_is_finished_at_the_next_start() {
    let root = tempfile::tempdir().unwrap();
    open(root.path()).write(batch(50, &[(&[1, 1], Some(b"a"))])).unwrap();
    let store = folder(root.path()).store_path(TOPIC, 0).unwrap();
    fs::rename(&store, root.path().join(format!("{TOPIC}-0.discarded"))).unwrap();
    let (store, found) = folder(root.path()).open(TOPIC, 0, 50).unwrap();
    assert_eq!((found, store.next_offset()), (Found::Nothing, 0));
    assert!(!root.path().join(format!("{TOPIC}-0.discarded")).exists());
}

#[test]
fn a_store_has_one_owner_and_the_next_waits_for_it() {
    let root = tempfile::tempdir().unwrap();
    let first = open(root.path());
    let error = folder(root.path()).open(TOPIC, 0, ANY).err().expect("it is in use");
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("still used by another worker or process"), "{error}");
    // Other partitions are free.
    folder(root.path()).open(TOPIC, 1, ANY).expect("another partition");
    let path = root.path().to_owned();
    let second = std::thread::spawn(move || {
        let patient = folder(&path).with_lock_wait(Duration::from_secs(60));
        patient.open(TOPIC, 0, ANY).map(|(store, _)| store.next_offset())
    });
    drop(first);
    assert_eq!(second.join().unwrap().unwrap(), 0);
}

#[test]
fn an_unknown_format_and_a_damaged_store_are_refused_with_the_remedy() {
    let root = tempfile::tempdir().unwrap();
    open(root.path()).write(batch(50, &[(&[1, 1], Some(b"a"))])).unwrap();
    let path = folder(root.path()).store_path(TOPIC, 0).unwrap();
    let rewrite_head = |head: Option<&[u8]>| {
        let database = fjall::Database::builder(&path).open().unwrap();
        let rows = database.keyspace("rows", fjall::KeyspaceCreateOptions::default).unwrap();
        match head {
            Some(head) => rows.insert([0xff], head).unwrap(),
            None => rows.remove([0xff]).unwrap(),
        }
    };
    let cases: [(Option<&[u8]>, &str); 3] = [
        (Some(&[7, 0, 0, 0, 0, 0, 0, 0, 0]), "its format is 7, and this program knows only 3"),
        (Some(&[3, 0]), "its offset is damaged"),
        (None, "it has rows and no offset"),
    ];
    for (head, expected) in cases {
        rewrite_head(head);
        let error = folder(root.path()).open(TOPIC, 0, ANY).err().expect("it is refused").to_string();
        let (state, remedy) = (format!("the state in {}", path.display()), "remove that folder to rebuild");
        assert!(error.contains(&state) && error.contains(expected) && error.contains(remedy), "{error}");
    }
    fs::write(path.join("version"), b"JUNK").unwrap();
    let error = folder(root.path()).open(TOPIC, 0, ANY).err().expect("it is refused").to_string();
    assert!(error.contains("another version"), "{error}");
}

#[test]
fn keys_and_names_that_are_not_ours_to_use_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut store = open(root.path());
    let error = store.write(batch(1, &[(&[0xff, 1], Some(b""))])).unwrap_err().to_string();
    assert!(error.contains("the store's own"), "{error}");
    assert_eq!((store.next_offset(), all(&store)), (0, vec![]));
    for name in ["", "../t", "a/b"] {
        assert!(folder(root.path()).store_path(name, 0).is_err(), "{name}");
    }
}

/// What is not flushed stays within the share, with many times as much written; what is on disk is all there.
#[test]
fn write_buffers_are_flushed_within_their_share() {
    let root = tempfile::tempdir().unwrap();
    let mut store = open(root.path());
    let mut noise = 1_u64;
    for number in 0..240_u32 {
        let changes = (0..100_u32).map(|row| {
            let value: Vec<u8> = (0..120)
                .map(|_| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (noise >> 56) as u8
                })
                .collect();
            ([&[1][..], &number.to_be_bytes(), &row.to_be_bytes()].concat(), Some(value))
        });
        store.write(Batch { changes: changes.collect(), next_offset: i64::from(number) + 1 }).unwrap();
        assert!(store.write_buffer_bytes() <= 4 * MEBIBYTE);
    }
    assert!(store.table_bytes() > MEBIBYTE, "most of it was flushed: {}", store.table_bytes());
    assert_eq!(all(&store).len(), 24_000);
}
