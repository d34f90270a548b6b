//! Lost disks whose state comes from a snapshot and the log behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracewarden::broker::TopicPartition;
use tracewarden::engine::StageError;
use tracewarden::pipeline::StageName;
use tracewarden::pipeline::topics::Topic;
use tracewarden::store::snapshot::Manifest;
use tracewarden::store::{Store, StoreError};

use super::copy_folder;
use super::service::Service;
use oracle::World;

/// A service half-way through a world with a snapshot of monitor, then at its end with monitor down and its disk lost.
pub(crate) struct Lost {
    pub(crate) world: World,
    pub(crate) service: Service,
    pub(crate) partition: TopicPartition,
    /// The offset of the snapshot.
    pub(crate) offset: i64,
}

pub(crate) fn lost(root: &Path) -> Lost {
    let world = oracle::world(3);
    let mut service = Service::new(root, &world, 1, 1000);
    let partition = service.topology().all(Topic::Observations).next().unwrap();
    let half = world.uploads.len() / 2;
    for upload in &world.uploads[..half] {
        service.feed(upload, &mut Service::settle);
    }
    service.settle();
    service.kill(StageName::Monitor);
    let offset = service.take_snapshot(&partition);
    for upload in &world.uploads[half..] {
        service.feed(upload, &mut Service::settle);
    }
    service.finish(&world.until, &mut Service::settle);
    service.kill(StageName::Monitor);
    fs::remove_dir_all(service.folder().store_path(&partition.topic, 0).unwrap()).unwrap();
    Lost { world, service, partition, offset }
}

fn snapshot_folder(root: &Path, lost: &Lost) -> PathBuf {
    root.join("snapshots").join(format!("{}-0", lost.partition.topic))
}

fn manifest_path(root: &Path, lost: &Lost) -> PathBuf {
    snapshot_folder(root, lost).join(format!("{:020}.json", lost.offset))
}

/// Steps monitor until it has nothing to do; how many records it applied.
fn applied(service: &mut Service) -> Result<usize, StageError> {
    let mut records = 0;
    loop {
        let step = service.step(StageName::Monitor)?;
        records += step.records;
        if step.is_idle() {
            return Ok(records);
        }
    }
}

/// Looks until there is something to see.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come");
    }
}

/// Steps monitor, whose input is done, until there is a snapshot of its end and no more than `kept`.
fn newest_taken(service: &mut Service, partition: &TopicPartition, kept: usize) -> Vec<Manifest> {
    let committed = service.broker().committed("monitor", partition).unwrap();
    until(|| {
        service.step(StageName::Monitor).unwrap();
        let list = service.snapshots().list(&partition.topic, 0).unwrap();
        let is_at_the_end = list.first().is_some_and(|newest| newest.next_offset == committed);
        (is_at_the_end && list.len() <= kept).then_some(list)
    })
}

#[test]
fn a_lost_disk_comes_back_from_the_snapshot_and_the_log_behind_it() {
    let root = tempfile::tempdir().unwrap();
    let mut lost = lost(root.path());
    let behind = lost.service.broker().read(&lost.partition, lost.offset, usize::MAX).unwrap().len();
    assert!(lost.offset > 0 && behind > 0);
    // The record before the offset is read once more, to tell whether this is its log.
    lost.service.broker().trim(&lost.partition, lost.offset - 1).unwrap();
    assert_eq!(applied(&mut lost.service).unwrap(), behind);
    let fold = lost.service.published();
    assert_eq!(fold.gaps, [""; 0]);
    assert_eq!(lost.world.judged().difference(&fold.answer()), "");
}

#[test]
fn a_log_that_was_trimmed_beyond_the_snapshot_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut lost = lost(root.path());
    lost.service.broker().trim(&lost.partition, lost.offset + 1).unwrap();
    let error = applied(&mut lost.service).unwrap_err();
    let (offset, first) = (lost.offset, lost.offset + 1);
    let expected = StageError::LogTrimmed { partition: lost.partition.clone(), offset, first };
    assert_eq!(error.to_string(), expected.to_string());
}

#[test]
fn a_damaged_file_is_found_by_its_hash_and_never_used() {
    let root = tempfile::tempdir().unwrap();
    let mut lost = lost(root.path());
    let manifest = lost.service.snapshots().list(&lost.partition.topic, 0).unwrap().remove(0);
    lost.service.snapshots().verify(&manifest).unwrap();
    let file = snapshot_folder(root.path(), &lost).join("rows").join(&manifest.files[0].name);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(matches!(lost.service.snapshots().verify(&manifest), Err(StoreError::SnapshotDamaged { .. })));
    for _ in 0..2 {
        let error = applied(&mut lost.service).unwrap_err();
        assert!(matches!(error, StageError::Store(StoreError::SnapshotDamaged { .. })), "{error}");
    }
    // What the error tells to do.
    fs::remove_file(manifest_path(root.path(), &lost)).unwrap();
    let all = lost.service.broker().read(&lost.partition, 0, usize::MAX).unwrap().len();
    assert_eq!(applied(&mut lost.service).unwrap(), all);
    assert_eq!(lost.world.judged().difference(&lost.service.published().answer()), "");
}

#[test]
fn a_snapshot_without_manifest_is_none() {
    let root = tempfile::tempdir().unwrap();
    let mut lost = lost(root.path());
    fs::remove_file(manifest_path(root.path(), &lost)).unwrap();
    assert_eq!(lost.service.snapshots().list_all().unwrap(), []);
    let all = lost.service.broker().read(&lost.partition, 0, usize::MAX).unwrap().len();
    assert_eq!(applied(&mut lost.service).unwrap(), all);
}

#[test]
fn a_worker_takes_snapshots_while_it_works_and_keeps_the_newest() {
    let root = tempfile::tempdir().unwrap();
    let world = oracle::world(3);
    let mut service = Service::new(root.path(), &world, 1, 3);
    service.snapshots_every(Duration::ZERO, 2);
    for upload in &world.uploads {
        service.feed(upload, &mut Service::settle);
    }
    service.finish(&world.until, &mut Service::settle);
    let partition = service.topology().all(Topic::Observations).next().unwrap();
    let list = newest_taken(&mut service, &partition, 2);
    for manifest in &list {
        service.snapshots().verify(manifest).unwrap();
    }
    service.kill(StageName::Monitor);
    let (store, _) = service.folder().open(&partition.topic, 0, i64::MAX).unwrap();
    let rows = store.view().rows.count() as u64;
    assert_eq!(list[0].rows(), rows);
}

#[test]
fn a_log_trimmed_behind_its_snapshots_still_gives_a_lost_disk_back() {
    let root = tempfile::tempdir().unwrap();
    let world = oracle::world(3);
    let mut service = Service::new(root.path(), &world, 1, 3);
    let partition = service.topology().all(Topic::Observations).next().unwrap();
    service.snapshots_every(Duration::ZERO, 2);
    service.trims_the_log();
    let half = world.uploads.len() / 2;
    for upload in &world.uploads[..half] {
        service.feed(upload, &mut Service::settle);
    }
    service.settle();
    let kept = newest_taken(&mut service, &partition, 2);
    let oldest = kept.last().unwrap().next_offset;
    let first = until(|| {
        service.step(StageName::Monitor).unwrap();
        let (first, _) = service.broker().watermarks(&partition).unwrap();
        (first > 0).then_some(first)
    });
    assert!(first < oldest, "the record before the oldest snapshot is kept: {first} of {oldest}");
    for upload in &world.uploads[half..] {
        service.feed(upload, &mut Service::settle);
    }
    service.finish(&world.until, &mut Service::settle);
    service.kill(StageName::Monitor);
    fs::remove_dir_all(service.folder().store_path(&partition.topic, 0).unwrap()).unwrap();
    applied(&mut service).unwrap();
    let fold = service.published();
    assert_eq!(fold.gaps, [""; 0]);
    assert_eq!(world.judged().difference(&fold.answer()), "");
}

#[test]
fn without_store_snapshots_and_the_beginning_of_the_log_it_says_what_is_lost_and_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let mut lost = lost(root.path());
    let partition = lost.partition.clone();
    lost.service.broker().trim(&partition, lost.offset - 1).unwrap();
    let away = root.path().join("away");
    fs::rename(snapshot_folder(root.path(), &lost), &away).unwrap();
    for _ in 0..2 {
        let error = applied(&mut lost.service).unwrap_err();
        let StageError::LogTrimmed { offset: 0, first, .. } = &error else { panic!("{error}") };
        assert_eq!(*first, lost.offset - 1);
        let said = error.to_string();
        for part in [partition.to_string().as_str(), "store.snapshot_url", "store.path", "kafka.topic_prefix"]
        {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    }
    // A group of which the broker knows nothing does not begin in the middle either.
    let committed = lost.service.broker().committed("monitor", &partition).unwrap();
    lost.service.broker().forget_committed("monitor", &partition);
    assert!(matches!(applied(&mut lost.service), Err(StageError::LogTrimmed { .. })));
    lost.service.broker().restore_committed("monitor", &partition, committed);
    // What the error tells to do.
    fs::rename(&away, snapshot_folder(root.path(), &lost)).unwrap();
    applied(&mut lost.service).unwrap();
    assert_eq!(lost.world.judged().difference(&lost.service.published().answer()), "");
}

#[test]
fn a_store_that_is_older_than_a_trimmed_log_gives_way_to_a_snapshot() {
    let root = tempfile::tempdir().unwrap();
    let world = oracle::world(3);
    let mut service = Service::new(root.path(), &world, 1, 1000);
    let partition = service.topology().all(Topic::Observations).next().unwrap();
    let path = service.folder().store_path(&partition.topic, 0).unwrap();
    let old = path.with_extension("old");
    for (number, upload) in world.uploads.iter().enumerate() {
        if number == world.uploads.len() / 2 {
            service.settle();
            service.kill(StageName::Monitor);
            copy_folder(&path, &old);
        }
        service.feed(upload, &mut Service::settle);
    }
    service.finish(&world.until, &mut Service::settle);
    service.kill(StageName::Monitor);
    let offset = service.take_snapshot(&partition);
    service.broker().trim(&partition, offset - 1).unwrap();
    fs::remove_dir_all(&path).unwrap();
    copy_folder(&old, &path);

    let snapshots = root.path().join("snapshots");
    fs::rename(&snapshots, root.path().join("away")).unwrap();
    for _ in 0..2 {
        let error = applied(&mut service).unwrap_err();
        assert!(matches!(error, StageError::LogTrimmed { offset: 1.., .. }), "it stays as it is: {error}");
    }
    fs::rename(root.path().join("away"), &snapshots).unwrap();
    assert_eq!(applied(&mut service).unwrap(), 0);
    assert_eq!(world.judged().difference(&service.published().answer()), "");
}
