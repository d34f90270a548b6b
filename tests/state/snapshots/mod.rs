//! Snapshots of stores: in a folder and in a bucket, whole and with little changed, damaged, old and restored.

mod stand_in;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use stand_in::{Mood, StandIn};
use tracewarden::store::folder::{Found, StateFolder};
use tracewarden::store::memory::MemoryStore;
use tracewarden::store::snapshot::{SnapshotHome, Taken};
use tracewarden::store::{Batch, Entry, Store, StoreError};

const TOPIC: &str = "tracewarden.observations";
const URL: &str = "s3://bucket/province/state";

/// A store with rows of about 200 bytes.
fn store(rows: u64) -> MemoryStore {
    let mut store = MemoryStore::default();
    let changes = (0..rows).map(|number| (key(number).into(), Some(value(number, 0).into()))).collect();
    store.write(Batch { changes, next_offset: 100 }).unwrap();
    store
}

fn key(number: u64) -> Vec<u8> {
    format!("\u{1}8177322{number:013}").into_bytes()
}

fn value(number: u64, version: u8) -> Vec<u8> {
    let length = 120 + number as usize * 7 % 120;
    (0..length).map(|at| (number as usize * 31 + at * 7) as u8 ^ version).collect()
}

fn all(store: &dyn Store) -> Vec<Entry> {
    store.view().rows.map(Result::unwrap).collect()
}

fn take(home: &SnapshotHome, store: &dyn Store) -> Taken {
    home.take(TOPIC, 3, store.view()).unwrap()
}

/// What a partition whose store is lost comes back with.
fn restored(home: &SnapshotHome, root: &Path, not_after: i64) -> (Found, Vec<Entry>) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let folder = StateFolder::new(folder.path(), 4 << 20).with_snapshots(home.clone());
    let (store, found) = folder.open(TOPIC, 3, not_after).unwrap();
    (found, all(&store))
}

fn bucket(stand_in: &StandIn) -> SnapshotHome {
    SnapshotHome::open_with(URL, stand_in.variables()).unwrap()
}

#[test]
fn a_second_snapshot_writes_what_changed_and_both_give_their_state_back() {
    let root = tempfile::tempdir().unwrap();
    let home = SnapshotHome::open(root.path().join("snapshots").to_str().unwrap()).unwrap();
    let mut store = store(60_000);
    let first = take(&home, &store);
    let rows_then = all(&store);
    assert_eq!(first.files_written, first.manifest.files.len());
    assert_eq!(first.bytes_written, first.manifest.bytes());
    assert!(first.files_written > 10, "{} files", first.files_written);

    // One row longer, one gone, one new.
    let changes = vec![
        (key(7).into(), Some(vec![1; 500].into())),
        (key(30_000).into(), None),
        (b"\x01817732299".into(), Some(vec![2; 9].into())),
    ];
    store.write(Batch { changes, next_offset: 200 }).unwrap();
    let second = take(&home, &store);
    assert!((1..=6).contains(&second.files_written), "{} files written", second.files_written);
    assert!(second.bytes_written * 2 < first.bytes_written);
    assert_eq!(second.manifest.rows(), store.view().rows.count() as u64);

    let unchanged = take(&home, &store);
    assert_eq!((unchanged.files_written, unchanged.bytes_written), (0, 0));
    for manifest in home.list(TOPIC, 3).unwrap() {
        home.verify(&manifest).unwrap();
    }
    assert_eq!(restored(&home, root.path(), 199), (Found::Snapshot(100), rows_then));
    assert_eq!(restored(&home, root.path(), 200), (Found::Snapshot(200), all(&store)));
}

#[test]
fn files_go_a_round_after_the_last_snapshot_that_names_them() {
    let stand_in = StandIn::start();
    let root = tempfile::tempdir().unwrap();
    let home = bucket(&stand_in);
    let mut store = store(20_000);
    let mut written: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for offset in [100, 200, 300, 400] {
        let changes = vec![(key(offset as u64).into(), Some(value(9, 1).into()))];
        store.write(Batch { changes, next_offset: offset }).unwrap();
        let taken = take(&home, &store);
        written.insert(offset, taken.manifest.files.into_iter().map(|file| file.name).collect());
        // What somebody else is writing at a later offset, without a manifest yet.
        let pruned = home.prune(TOPIC, 3, offset, 2).unwrap();
        assert_eq!(
            (pruned.kept, pruned.removed),
            if offset < 200 { (1, 0) } else { (2, usize::from(offset > 200)) }
        );
        assert_eq!(pruned.oldest, Some((offset - 100).max(100)));
        let there = stand_in.keys();
        let is_there = |name: &String| there.iter().any(|key| key.ends_with(name.as_str()));
        // Those of the two kept, and of the one removed in this round.
        for named in written.range(offset - 200..).flat_map(|(_, names)| names) {
            assert!(is_there(named), "{named} is gone at {offset}");
        }
    }
    let only_first: Vec<&String> = written[&100]
        .iter()
        .filter(|name| written.range(200..).all(|(_, names)| !names.contains(name)))
        .collect();
    assert!(!only_first.is_empty());
    let there = stand_in.keys();
    assert!(only_first.iter().all(|name| !there.iter().any(|key| key.ends_with(name.as_str()))));
    assert_eq!(home.list(TOPIC, 3).unwrap().len(), 2);
    assert_eq!(restored(&home, root.path(), i64::MAX).1, all(&store));
}

#[test]
fn what_a_snapshot_at_a_later_offset_has_written_is_left_alone() {
    let stand_in = StandIn::start();
    let home = bucket(&stand_in);
    let store = store(2_000);
    let later = home.take(TOPIC, 3, tracewarden::store::View { next_offset: 500, ..store.view() }).unwrap();
    // A previous owner ends its own at an earlier one, and removes what is old.
    take(&home, &store);
    home.prune(TOPIC, 3, 100, 1).unwrap();
    home.prune(TOPIC, 3, 100, 1).unwrap();
    home.verify(&later.manifest).unwrap();
    assert_eq!(home.list(TOPIC, 3).unwrap().len(), 2);
}

#[test]
fn a_file_that_was_removed_or_damaged_is_found_and_written_again() {
    let stand_in = StandIn::start();
    let home = bucket(&stand_in);
    let store = store(20_000);
    let taken = take(&home, &store);
    let file = stand_in.keys().into_iter().find(|key| key.ends_with(".rows")).unwrap();
    stand_in.damage(&file);
    let error = home.verify(&taken.manifest).unwrap_err();
    assert!(matches!(error, StoreError::SnapshotDamaged { .. }), "{error}");
    assert!(error.to_string().contains("its hash differs"), "{error}");
    let other = SnapshotHome::open_with("s3://bucket/elsewhere", stand_in.variables()).unwrap();
    assert_eq!(other.list_all().unwrap(), []);
    // The remedy: away with the file.
    stand_in.remove(&file);
    assert!(home.verify(&taken.manifest).unwrap_err().to_string().contains("is missing"));
    let again = take(&home, &store);
    assert_eq!(again.files_written, 1);
    home.verify(&again.manifest).unwrap();
}

#[test]
fn a_bucket_that_is_busy_for_a_moment_is_asked_again() {
    let stand_in = StandIn::start();
    let home = bucket(&stand_in);
    stand_in.set_mood(Mood::Busy(2));
    let taken = take(&home, &store(100));
    assert_eq!(home.list_all().unwrap(), [taken.manifest]);
}

#[test]
fn a_bucket_that_refuses_is_named_without_its_keys() {
    let stand_in = StandIn::start();
    let home = bucket(&stand_in);
    stand_in.set_mood(Mood::Forbidding);
    let error = home.take(TOPIC, 3, store(10).view()).unwrap_err().to_string();
    assert!(error.contains(URL) && error.contains("403"), "{error}");
    assert!(!error.contains("not-to-be-shown"), "{error}");
}

#[test]
fn whoever_waits_for_a_bucket_that_does_not_answer_can_be_stopped() {
    let stand_in = StandIn::start();
    stand_in.set_mood(Mood::Silent);
    let stop = Arc::new(AtomicBool::new(false));
    let home = bucket(&stand_in).stopped_by(Arc::clone(&stop));
    let waiting = thread::spawn(move || home.take(TOPIC, 3, store(10).view()));
    let deadline = Instant::now() + Duration::from_secs(30);
    while stand_in.take_asked().is_empty() {
        assert!(Instant::now() < deadline, "it was never asked");
        thread::yield_now();
    }
    let told = Instant::now();
    stop.store(true, Ordering::Relaxed);
    assert!(matches!(waiting.join().unwrap(), Err(StoreError::Stopped)));
    assert!(told.elapsed() < Duration::from_secs(5), "it took {:?}", told.elapsed());
}

/// The command with its configuration and the keys of the bucket in the environment, as a service has them.
fn command(stand_in: &StandIn, state: &Path, action: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracewarden"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("TRACEWARDEN_") || name.starts_with("AWS_"))
    {
        command.env_remove(name);
    }
    command
        .args(["snapshots", action])
        .env("TRACEWARDEN_STORE_KIND", "disk")
        .env("TRACEWARDEN_STORE_PATH", state)
        .env("TRACEWARDEN_STORE_SNAPSHOT_URL", URL)
        .envs(stand_in.variables())
        .output()
        .unwrap()
}

#[test]
fn the_command_lists_verifies_and_restores_what_is_in_a_bucket() {
    let stand_in = StandIn::start();
    let root = tempfile::tempdir().unwrap();
    let store = store(20_000);
    let taken = take(&bucket(&stand_in), &store);
    let said = |action: &str, code: i32| {
        let output = command(&stand_in, root.path(), action);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{action}: {said}{error}");
        said + &error
    };
    let listed = said("list", 0);
    assert!(listed.contains(&format!("{TOPIC}-3")) && listed.contains("20,000 rows"), "{listed}");
    assert!(said("verify", 0).contains("whole"));
    assert!(said("restore", 0).contains("filled from the snapshot at 100"));
    assert!(said("restore", 0).contains("has a store, which stays"));
    let (disk, found) = StateFolder::new(root.path(), 4 << 20).open(TOPIC, 3, 100).unwrap();
    assert_eq!((found, all(&disk)), (Found::Usable, all(&store)));

    let damaged = taken.manifest.files.last().unwrap();
    stand_in.damage(&format!("/bucket/province/state/{TOPIC}-3/rows/{}", damaged.name));
    let verified = said("verify", 1);
    assert!(verified.contains(&damaged.name) && verified.contains("1 of 1"), "{verified}");
}
