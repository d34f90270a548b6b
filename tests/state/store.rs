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
use tracewarden::store::{Batch, Bytes, Change, Entry, Rows, Store, StoreError};

const TOPIC: &str = "t.observations";
const MEBIBYTE: u64 = 1 << 20;
/// More than any offset here.
const ANY: i64 = i64::MAX;

fn folder(path: &Path) -> StateFolder {
    StateFolder::new(path, 4 * MEBIBYTE).with_lock_wait(Duration::ZERO)
}

fn open(path: &Path) -> DiskStore {
    folder(path).open(TOPIC, 0, ANY).expect("the store opens").0
}

fn batch(next_offset: i64, changes: &[(&[u8], Option<&[u8]>)]) -> Batch {
    let changes: BTreeMap<Bytes, Option<Bytes>> =
        changes.iter().map(|(key, value)| ((*key).into(), value.map(Bytes::from))).collect();
    Batch { changes: changes.into_iter().collect(), next_offset }
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
                    let changes = changes.into_iter().map(|(key, value)| (key.into(), value.map(Bytes::from)));
                    let changes: Vec<Change> = changes.collect();
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
            let found = store.get(&key).unwrap().map(|value| value.to_vec());
            prop_assert_eq!(found, Some(value));
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
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
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

/// The journal is never written: whatever stands in it, the state is what was written, and no room is set aside for it.
#[test]
fn a_damaged_journal_takes_nothing_along() {
    let (batches, states) = history();
    let root = tempfile::tempdir().unwrap();
    let journal = || journal_of(&root.path().join(format!("{TOPIC}-0")));
    for (number, batch) in batches.iter().enumerate() {
        let mut store = open(root.path());
        assert_eq!(all(&store), states[number]);
        store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
        drop(store);
        assert_eq!(fs::metadata(journal()).unwrap().len(), 0);
        let junk: Vec<u8> = (0..number * 37).map(|at| (at * number) as u8).collect();
        fs::write(journal(), junk).unwrap();
    }
    let store = open(root.path());
    assert_eq!((store.next_offset(), all(&store)), (600, states[60].clone()));
}

/// The files of a folder and of those below it, by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    files.insert(entry.path().strip_prefix(folder).unwrap().to_owned(), entry.path());
                }
            }
        }
    }
    files
}

/// A crash while a batch is written leaves tables that nothing names: the state is the one before the batch, and the log
/// leads to the same state as if nothing had happened.
#[test]
fn tables_of_a_write_that_did_not_end_are_no_part_of_the_state() {
    let (batches, states) = history();
    let root = tempfile::tempdir().unwrap();
    let name = format!("{TOPIC}-0");
    let copy_of = |applied: usize| {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&root.path().join(&name), &copy.path().join(&name));
        (applied, copy)
    };
    let mut copies = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        let mut store = open(root.path());
        store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
        drop(store);
        if number % 20 == 9 || number % 20 == 10 {
            copies.push(copy_of(number + 1));
        }
    }
    for pair in copies.chunks_exact(2) {
        let [(applied, before), (_, after)] = pair else { unreachable!() };
        let known = files(&before.path().join(&name));
        let mut left_behind = 0;
        for (path, file) in files(&after.path().join(&name)) {
            let is_table = path.parent().is_some_and(|folder| folder.ends_with("tables"));
            if is_table && !known.contains_key(&path) {
                fs::copy(file, before.path().join(&name).join(path)).unwrap();
                left_behind += 1;
            }
        }
        assert!(left_behind > 0, "the write made a table");
        let mut store = open(before.path());
        assert_eq!((store.next_offset(), all(&store)), (*applied as i64 * 10, states[*applied].clone()));
        for batch in &batches[*applied..] {
            store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
        }
        drop(store);
        let store = open(before.path());
        assert_eq!((store.next_offset(), all(&store)), (600, states[60].clone()));
    }
}

/// A flipped byte in a table is found, or changes nothing that is read.
#[test]
fn a_damaged_table_is_an_error_and_never_another_state() {
    let (batches, states) = history();
    let whole = tempfile::tempdir().unwrap();
    let mut store = open(whole.path());
    for batch in &batches {
        store.write(Batch { changes: batch.changes.clone(), ..*batch }).unwrap();
    }
    store.compact().unwrap();
    drop(store);
    let name = format!("{TOPIC}-0");
    let is_table = |path: &Path| path.parent().is_some_and(|folder| folder.ends_with("tables"));
    let mut found = 0;
    for attempt in 0..24_u64 {
        let damaged = tempfile::tempdir().unwrap();
        copy_folder(&whole.path().join(&name), &damaged.path().join(&name));
        let tables = files(&damaged.path().join(&name)).into_iter().filter(|(path, _)| is_table(path));
        let table = tables.map(|(_, table)| table).max_by_key(|table| fs::metadata(table).unwrap().len());
        let mut file = OpenOptions::new().read(true).write(true).open(table.unwrap()).unwrap();
        let length = file.metadata().unwrap().len();
        overwrite(&mut file, attempt * 7_919 % length, |byte| byte ^ 0x41, 1);
        let read = folder(damaged.path())
            .open(TOPIC, 0, ANY)
            .and_then(|(store, _)| store.range(Bound::Unbounded, Bound::Unbounded, usize::MAX));
        match read {
            Ok(rows) => assert_eq!(rows, states[60]),
            Err(error) => {
                assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
                found += 1;
            }
        }
    }
    assert!(found > 12, "{found} found");
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
        (Some(&[7, 0, 0, 0, 0, 0, 0, 0, 0]), "its format is 7, and this program knows only 4"),
        (Some(&[4, 0]), "its offset is damaged"),
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

#[test]
fn a_batch_out_of_order_is_refused_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut store = open(root.path());
    for keys in [[[1, 2], [1, 1]], [[1, 1], [1, 1]]] {
        let changes = keys.into_iter().map(|key| (key.into(), Some(b"a".into())));
        let error = store.write(Batch { changes: changes.collect(), next_offset: 1 }).unwrap_err();
        assert!(error.to_string().contains("order"), "{error}");
    }
    assert_eq!((store.next_offset(), all(&store)), (0, vec![]));
}
