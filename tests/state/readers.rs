//! Committed state for other threads: of one moment, handed out with a partition and taken back with it.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use tracewarden::broker::memory::{MemoryBroker, MemoryOptions};
use tracewarden::broker::{Broker, OutRecord, Record, SessionOptions};
use tracewarden::domain::Text;
use tracewarden::domain::monitor::CodeState;
use tracewarden::domain::observation::CodeChange;
use tracewarden::domain::time::Timestamp;
use tracewarden::engine::outbox::Outbox;
use tracewarden::engine::readers::Readers;
use tracewarden::engine::stage::KeyedStage;
use tracewarden::engine::worker::{HeldBudget, Worker, WorkerOptions, WriteBehind};
use tracewarden::pipeline::StageName;
use tracewarden::pipeline::monitor::Monitor;
use tracewarden::pipeline::outputs::Outputs;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::run::local::Local;
use tracewarden::run::state::StateHome;
use tracewarden::store::folder::StateFolder;
use tracewarden::store::memory::MemoryStore;
use tracewarden::store::{Batch, Rows, Store};
use tracewarden::wire::entries::{self, Entry};

use crate::support::{cases, local};

fn set(store: &mut dyn Store, value: &[u8], next_offset: i64) {
    let changes = vec![(b"a".into(), Some(value.into())), (b"b".into(), Some(value.into()))];
    store.write(Batch { changes, next_offset }).unwrap();
}

fn sees(rows: &dyn Rows) -> (Vec<u8>, usize) {
    let found = rows.range(Bound::Unbounded, Bound::Unbounded, 9).unwrap();
    assert_eq!(rows.get(b"a").unwrap().as_deref(), Some(&*found[0].1));
    assert_eq!(found[0].1, found[1].1, "one batch, not half of it");
    (found[0].1.clone(), found.len())
}

#[test]
fn a_look_sees_one_batch_and_the_next_look_the_next() {
    let root = tempfile::tempdir().unwrap();
    let folder = StateFolder::new(root.path(), 1 << 20);
    let (mut on_disk, mut in_memory) = (folder.open("t", 0, i64::MAX).unwrap().0, MemoryStore::default());
    for store in [&mut on_disk as &mut dyn Store, &mut in_memory] {
        let reader = store.reader();
        for round in 1..4_u8 {
            set(store, &[round], round.into());
            let look = move |rows: &dyn Rows| {
                assert_eq!(sees(rows), (vec![round], 2));
                Ok(())
            };
            let looking = reader.clone();
            std::thread::spawn(move || looking.at_one_moment(&mut { look })).join().unwrap().unwrap();
        }
    }
}

/// While a look goes on the worker writes, and the look does not notice.
#[test]
fn a_look_at_a_store_on_disk_does_not_hold_up_the_writer_nor_see_it() {
    let root = tempfile::tempdir().unwrap();
    let (mut store, _) = StateFolder::new(root.path(), 1 << 20).open("t", 0, i64::MAX).unwrap();
    set(&mut store, b"old", 1);
    let reader = store.reader();
    let mut looks = 0;
    let look = &mut |rows: &dyn Rows| {
        for _ in 0..2 {
            assert_eq!(sees(rows).0, b"old");
            set(&mut store, b"new", 2);
            looks += 1;
        }
        Ok(())
    };
    reader.at_one_moment(look).unwrap();
    assert_eq!(looks, 2);
}

#[test]
fn a_worker_hands_out_what_it_committed_and_takes_it_back_when_it_goes() {
    let lags = WriteBehind {
        held: HeldBudget::new(usize::MAX),
        log_bytes_max: usize::MAX,
        age_max: None,
        ..WriteBehind::never()
    };
    hands_out(&WriteBehind::never());
    hands_out(&lags);
}

/// Whether or not the store has it yet.
fn hands_out(write_behind: &WriteBehind) {
    let case = cases::examples().into_iter().next().unwrap();
    let fed: Local = local::fed(&case.world(), &local::options(""));
    let log = fed.records(Topic::Observations).unwrap();
    let topology = Arc::new(Topology::new("", 1, 1));
    let broker = MemoryBroker::new(MemoryOptions::default());
    for topic in Topic::ALL {
        broker.create_topic(topology.name(topic), topology.partitions(topic));
    }
    for record in &log {
        let (target, payload) = (record.source.clone(), record.payload.clone());
        let copy = OutRecord { target, key: None, payload, headers: Vec::new() };
        broker.append_stamped(copy, record.timestamp_millis).unwrap();
    }
    let session = broker.session(&SessionOptions {
        group: "monitor".into(),
        member: "monitor".into(),
        topics: vec![topology.name(StageName::Monitor.row().reads[0]).clone()],
        poll_records_max: 1000,
    });
    let readers = Readers::default();
    let mut worker = Worker::new(
        KeyedStage(Monitor { timers_per_entry_max: 10, outputs: Outputs::default() }),
        Box::new(session.unwrap()),
        Outbox::new(topology.clone(), usize::MAX),
        StateHome::Memory.opener(),
        Box::new(Timestamp::default),
        WorkerOptions {
            readers: Some(readers.clone()),
            pass_time_every: None,
            write_behind: write_behind.clone(),
            ..WorkerOptions::default()
        },
    );
    assert!(readers.partitions().is_empty(), "nothing is assigned yet");
    while !worker.step(Duration::ZERO).unwrap().is_idle() {}

    let code = log.iter().flat_map(changed_codes).next().expect("the case has a code");
    let partition = topology.target(Topic::Observations, code.as_bytes());
    let look =
        || readers.look(&partition, |committed| committed.value::<CodeState>(code.as_bytes())).unwrap();
    assert_eq!(look().unwrap(), fed.code_state(&code).unwrap());
    assert_ne!(look().unwrap(), CodeState::default(), "it was seen");
    let rules = readers.look(&partition, |committed| Ok(committed.facts().terms.digest.clone())).unwrap();
    assert_eq!(rules, Some(local::options("").rules.digest));
    drop(worker);
    assert_eq!((look(), readers.partitions()), (None, Vec::new()), "the partition is somebody else's now");
}

fn changed_codes(record: &Record) -> Vec<Text> {
    let entries = entries::decode::<CodeChange>(record.payload.as_deref().unwrap_or_default()).unwrap();
    let codes = entries.into_iter().filter_map(|entry| match entry {
        Entry::Body(change) => Some(change.code),
        _ => None,
    });
    codes.collect()
}
