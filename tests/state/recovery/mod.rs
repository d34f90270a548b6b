//! State on disk through crashes: workers of all stages are killed at any point, their commits end unknown, their
//! stores are lost, put back from an older copy, or found ahead of the broker; what is published in the end is what
//! the rules demand, with gapless revisions.
//!
//! `SEEDS=500 cargo test --release --test state recovery` runs more worlds; `FIRST_SEED=…` begins elsewhere.

mod filling;
mod long_restore;
mod service;
mod snapshots;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use oracle::world::dice::Dice;
use oracle::{Theme, themed};
use service::{KEYED, Service};
use tracewarden::broker::memory::CommitFault;
use tracewarden::broker::{BrokerError, TopicPartition};
use tracewarden::engine::StageError;
use tracewarden::pipeline::StageName;
use tracewarden::pipeline::topics::Topic;
use tracewarden::store::{Batch, Store, StoreError};

/// Random worlds in one run, unless `SEEDS` says otherwise.
const WORLDS: u64 = 12;
/// What happens most in them, by turns: state that waits for codes or rulings must come back like any other.
const THEMES: [Theme; 3] = [Theme::Anything, Theme::Lending, Theme::Handling];

#[derive(Clone, Copy, Debug)]
enum Mishap {
    Kill,
    Commit(CommitFault),
    LostDisk,
    Ahead,
    OldCopy,
    LostDiskAfterSnapshot,
}

const MISHAPS: [Mishap; 8] = [
    Mishap::Kill,
    Mishap::Commit(CommitFault::Aborted),
    Mishap::Commit(CommitFault::UnknownAndCommitted),
    Mishap::Commit(CommitFault::UnknownAndAborted),
    Mishap::LostDisk,
    Mishap::Ahead,
    Mishap::OldCopy,
    Mishap::LostDiskAfterSnapshot,
];

impl Mishap {
    fn happen(self, service: &mut Service, stage: StageName, partition: &TopicPartition, dice: &mut Dice) {
        if let Self::Commit(fault) = self {
            service.broker().fail_next_commit(stage.row().name, fault);
            return;
        }
        service.kill(stage);
        let path = service.folder().store_path(&partition.topic, partition.partition).unwrap();
        let copy = path.with_extension("copy");
        match self {
            Self::LostDiskAfterSnapshot if path.exists() => {
                let offset = service.take_snapshot(partition);
                if dice.chance(50) {
                    // Copies that are older than this are of no use any more.
                    service.broker().trim(partition, offset - 1).unwrap();
                }
                fs::remove_dir_all(&path).unwrap();
            }
            Self::LostDisk => fs::remove_dir_all(&path).unwrap_or_default(),
            // State is written after a commit, so there is none before the first.
            Self::Ahead if service.broker().committed(stage.row().name, partition).is_some() => {
                let opened = service.folder().open(&partition.topic, partition.partition, i64::MAX);
                let (mut store, _) = opened.unwrap();
                let changes = vec![([1, b'?'].into(), Some(b"of a commit that never was".into()))];
                let next_offset = store.next_offset().max(1_000_000);
                store.write(Batch { changes, next_offset }).unwrap();
            }
            Self::OldCopy if copy.exists() && dice.chance(60) => {
                fs::remove_dir_all(&path).unwrap_or_default();
                fs::rename(&copy, &path).unwrap();
            }
            Self::OldCopy if path.exists() && !copy.exists() => copy_folder(&path, &copy),
            _ => {}
        }
    }
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

/// Runs a world with mishaps; what is wrong at the end, or nothing. Adds to how many happened.
fn complaint(seed: u64, mishaps: &mut BTreeMap<String, u32>) -> String {
    let world = themed(seed, THEMES[seed as usize % THEMES.len()]);
    let dice = &mut Dice::new(seed ^ 0x0d15_c0de);
    let root = tempfile::tempdir().unwrap();
    let mut service = Service::new(root.path(), &world, dice.between(1, 2) as u16, dice.pick(&[1, 3, 1000]));
    let mut happened = Vec::new();
    let mut settle = |service: &mut Service| {
        while !service.is_settled() {
            let stage = dice.pick(&KEYED);
            if dice.chance(4) {
                let mishap = dice.pick(&MISHAPS);
                let partitions: Vec<_> = service.topology().all(stage.row().reads[0]).collect();
                mishap.happen(service, stage, &dice.pick(&partitions), dice);
                happened.push((stage, mishap));
            }
            match service.step(stage) {
                Ok(_) | Err(StageError::Broker(BrokerError::SessionLost(_))) => {}
                Err(error) => panic!("seed {seed}: {stage:?}: {error} after {happened:?}"),
            }
        }
    };
    for upload in &world.uploads {
        service.feed(upload, &mut settle);
    }
    service.finish(&world.until, &mut settle);
    for (_, mishap) in &happened {
        *mishaps.entry(format!("{mishap:?}")).or_default() += 1;
    }
    let fold = service.published();
    let mut text = world.judged().difference(&fold.answer());
    text.extend(fold.gaps.iter().map(|gap| format!("{gap}\n")));
    if text.is_empty() { text } else { format!("{text}after {happened:?}") }
}

#[test]
fn whatever_happens_to_workers_and_stores_the_answer_is_the_same() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse().expect("SEEDS and FIRST_SEED are numbers"))
    };
    let first = number("FIRST_SEED", 0);
    let mut mishaps = BTreeMap::new();
    for seed in first..first + number("SEEDS", WORLDS) {
        let complaint = complaint(seed, &mut mishaps);
        assert!(complaint.is_empty(), "seed {seed}: expected (-) and found (+) differ:\n{complaint}");
    }
    assert_eq!(mishaps.len(), MISHAPS.len(), "every kind of mishap happened: {mishaps:?}");
}

fn quiet(root: &Path, partitions: u16, seed: u64) -> (oracle::World, Service) {
    let world = oracle::world(seed);
    let mut service = Service::new(root, &world, partitions, 1000);
    for upload in &world.uploads {
        service.feed(upload, &mut Service::settle);
    }
    service.finish(&world.until, &mut Service::settle);
    (world, service)
}

#[test]
fn a_restart_replays_nothing_and_a_lost_disk_everything() {
    let root = tempfile::tempdir().unwrap();
    let (world, mut service) = quiet(root.path(), 1, 3);
    let applied = |service: &mut Service| {
        service.kill(StageName::Monitor);
        let mut records = 0;
        loop {
            let step = service.step(StageName::Monitor).unwrap();
            records += step.records;
            if step.is_idle() {
                return records;
            }
        }
    };
    let observations = service.topology().all(Topic::Observations).next().unwrap();
    let all = service.broker().read(&observations, 0, usize::MAX).unwrap().len();
    assert_eq!(applied(&mut service), 0);
    let path = service.folder().store_path(&observations.topic, 0).unwrap();
    service.kill(StageName::Monitor);
    fs::remove_dir_all(path).unwrap();
    assert_eq!(applied(&mut service), all);
    assert_eq!(applied(&mut service), 0);
    assert_eq!(world.judged().difference(&service.published().answer()), "");
}

#[test]
fn a_log_that_no_longer_reaches_back_to_the_store_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let (_, mut service) = quiet(root.path(), 1, 3);
    let observations = service.topology().all(Topic::Observations).next().unwrap();
    let path = service.folder().store_path(&observations.topic, 0).unwrap();
    service.kill(StageName::Monitor);
    fs::remove_dir_all(path).unwrap();
    service.broker().trim(&observations, 1).unwrap();
    let error = service.step(StageName::Monitor).unwrap_err();
    let expected = StageError::LogTrimmed { partition: observations, offset: 0, first: 1 };
    assert_eq!(error.to_string(), expected.to_string());
}

#[test]
fn a_store_built_from_another_log_is_refused() {
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (_, mut service) = quiet(here.path(), 1, 4);
    let (_, other) = quiet(there.path(), 1, 3);
    let observations = service.topology().all(Topic::Observations).next().unwrap();
    let [ours, theirs] =
        [&service, &other].map(|service| service.folder().store_path(&observations.topic, 0).unwrap());
    drop(other);
    service.kill(StageName::Monitor);
    fs::remove_dir_all(&ours).unwrap();
    copy_folder(&theirs, &ours);
    let committed = service.broker().committed("monitor", &observations).unwrap();
    let offset = service.folder().open(&observations.topic, 0, i64::MAX).unwrap().0.next_offset();
    assert!(offset <= committed, "its offset alone does not give it away: {offset} of {committed}");
    let error = std::iter::repeat_with(|| service.step(StageName::Monitor)).take(3).find_map(Result::err);
    assert!(matches!(error, Some(StageError::ForeignState { .. })), "{error:?}");
    fs::remove_dir_all(&ours).unwrap();
    service.settle();
}

#[test]
fn state_of_which_the_broker_knows_no_commit_is_neither_discarded_nor_published_again() {
    let root = tempfile::tempdir().unwrap();
    let (world, mut service) = quiet(root.path(), 1, 3);
    let observations = service.topology().all(Topic::Observations).next().unwrap();
    let committed = service.broker().committed("monitor", &observations).unwrap();
    let alerts = service.topology().all(Topic::Alerts).next().unwrap();
    let published = |service: &Service| service.broker().read(&alerts, 0, usize::MAX).unwrap().len();
    let before = published(&service);
    service.kill(StageName::Monitor);
    service.broker().forget_committed("monitor", &observations);
    for _ in 0..2 {
        let error = service.step(StageName::Monitor).unwrap_err();
        assert!(
            matches!(error, StageError::OffsetsForgotten { offset, .. } if offset == committed),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("--to-offset {committed}")), "{error}");
    }
    assert_eq!(published(&service), before, "nothing is published again");
    // What the error tells to do when nothing of the log was published.
    let path = service.folder().store_path(&observations.topic, 0).unwrap();
    fs::remove_dir_all(path).unwrap();
    service.settle();
    assert!(published(&service) > before, "the log is taken for a new one");
    assert_eq!(world.judged().difference(&service.published().answer()), "");
}

#[test]
fn a_full_disk_stops_a_partition_until_there_is_space_again() {
    let root = tempfile::tempdir().unwrap();
    let world = oracle::world(3);
    // A record and the marker behind it are two offsets.
    const BATCH_RECORDS_MAX: usize = 3;
    let mut service = Service::new(root.path(), &world, 1, BATCH_RECORDS_MAX);
    for upload in &world.uploads {
        service.feed(upload, &mut |service| {
            service.disk().set_full(true);
            let mut stopped_at = BTreeMap::new();
            for stage in [KEYED; 4].concat() {
                let partition = service.topology().all(stage.row().reads[0]).next().unwrap();
                match service.step(stage) {
                    Ok(step) => assert_eq!(step.records, 0, "{stage:?}: done, and not on disk"),
                    Err(error) => {
                        assert!(matches!(error, StageError::Store(StoreError::Failed(_))), "{error}");
                        // The batch that could not be written was committed. Each further try begins at the offset
                        // of the state again, so that no more than one batch ever lies between the two.
                        let committed = service.broker().committed(stage.row().name, &partition).unwrap_or(0);
                        let first = *stopped_at.entry(stage.row().name).or_insert(committed);
                        let offsets_max = 2 * BATCH_RECORDS_MAX as i64;
                        assert!(committed - first <= offsets_max, "{stage:?}: from {first} to {committed}");
                    }
                }
            }
            service.disk().set_full(false);
            service.settle();
        });
    }
    service.finish(&world.until, &mut Service::settle);
    assert!(service.disk().refused() > 10, "{} writes failed", service.disk().refused());
    let fold = service.published();
    assert_eq!(fold.gaps, [""; 0], "nothing was published twice, and nothing is missing");
    assert_eq!(world.judged().difference(&fold.answer()), "");
}

#[test]
fn a_store_that_somebody_else_has_open_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let (_, mut service) = quiet(root.path(), 1, 3);
    let observations = service.topology().all(Topic::Observations).next().unwrap();
    service.kill(StageName::Monitor);
    let other = service.folder().open(&observations.topic, 0, i64::MAX).unwrap();
    let error = service.with_lock_wait(Duration::ZERO).step(StageName::Monitor).unwrap_err();
    assert!(matches!(error, StageError::Store(StoreError::Locked { .. })), "{error}");
    drop(other);
    service.kill(StageName::Monitor);
    service.settle();
}
