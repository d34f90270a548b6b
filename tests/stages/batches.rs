//! Each stage, given its input log, publishes the same entries with the same bytes for each key, in the same order,
//! whatever the batch sizes: what a record makes it publish depends on the records before it in its partition, and never
//! on where a batch ends. (What two partitions publish for one key may be interleaved in any way, so each has a run of
//! its own.)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracewarden::broker::memory::{MemoryBroker, MemoryOptions};
use tracewarden::broker::{Broker, OutRecord, Record, SessionOptions};
use tracewarden::domain::observation::CodeChange;
use tracewarden::domain::time::Timestamp;
use tracewarden::engine::Keyed;
use tracewarden::engine::outbox::Outbox;
use tracewarden::engine::stage::KeyedStage;
use tracewarden::engine::worker::{Worker, WorkerOptions};
use tracewarden::pipeline::adjudicate::Adjudicate;
use tracewarden::pipeline::monitor::Monitor;
use tracewarden::pipeline::outputs::Outputs;
use tracewarden::pipeline::register::Register;
use tracewarden::pipeline::topics::{Topic, Topology};
use tracewarden::run::local::LocalOptions;
use tracewarden::store::folder::Found;
use tracewarden::store::memory::MemoryStore;
use tracewarden::wire::entries::{self, Body, ClaimEntry, DocumentEntry, Entry};

use crate::support::cases;
use crate::support::local::{fed, options};
use oracle::{World, world};

const PARTITIONS: u16 = 2;
const WORLDS: u64 = 25;
const BATCHES: [usize; 3] = [1, 7, 1000];

/// By topic and key, what was published, in order.
type Published = BTreeMap<(Topic, Vec<u8>), Vec<Vec<u8>>>;

#[test]
fn batches_do_not_show_in_what_a_stage_publishes() {
    let worlds = (0..WORLDS).map(|seed| (format!("seed {seed}"), world(seed)));
    let worlds: Vec<(String, World)> =
        cases::examples().iter().map(|case| (case.name(), case.world())).chain(worlds).collect();
    let mut alerts = 0;
    for (name, world) in worlds {
        let options = LocalOptions { partitions: PARTITIONS, batch_records_max: 1, ..options("") };
        let local = fed(&world, &options);
        let adjudicate = || Adjudicate { timers_per_entry_max: 10, outputs: Outputs::default() };
        for partition in 0..i32::from(PARTITIONS) {
            let log = |topic| {
                let mut log = local.records(topic).expect("the log is there");
                log.retain(|record| record.source.partition == partition);
                log
            };
            let of_register = alike(&name, Topic::Documents, &log(Topic::Documents), Register::default);
            let monitor = || Monitor { timers_per_entry_max: 10, outputs: Outputs::default() };
            let of_monitor = alike(&name, Topic::Observations, &log(Topic::Observations), monitor);
            alike(&name, Topic::Claims, &log(Topic::Claims), adjudicate);
            let keys = of_register.keys().chain(of_monitor.keys());
            alerts += keys.filter(|(topic, _)| *topic == Topic::Alerts).count();
        }
    }
    assert!(alerts > 100, "the worlds are too quiet to show anything: {alerts} alerts");
}

/// What the stage publishes for the log, after comparing all batch sizes.
fn alike<K: Keyed<Topic = Topic>>(
    name: &str,
    topic: Topic,
    log: &[Record],
    stage: impl Fn() -> K,
) -> Published {
    let [first, others @ ..] = BATCHES.map(|batch| published(topic, log, stage(), batch));
    assert!(!log.is_empty());
    for (other, batch) in others.iter().zip(&BATCHES[1..]) {
        for (key, payloads) in &first {
            // Bytes in a message would tell nobody anything.
            let is_same = other.get(key) == Some(payloads);
            assert!(
                is_same,
                "{name}: {:?} {} with batches of {batch}",
                key.0,
                String::from_utf8_lossy(&key.1)
            );
        }
        assert_eq!(first.len(), other.len(), "{name}: keys with batches of {batch}");
    }
    first
}

/// Runs one worker over the log, alone on a broker of its own.
fn published<K: Keyed<Topic = Topic>>(topic: Topic, log: &[Record], stage: K, batch: usize) -> Published {
    let topology = Arc::new(Topology::new("", PARTITIONS, 1));
    let broker =
        MemoryBroker::new(MemoryOptions { record_bytes_max: usize::MAX, ..MemoryOptions::default() });
    for topic in Topic::ALL {
        broker.create_topic(topology.name(topic), topology.partitions(topic));
    }
    for record in log {
        let copy = OutRecord {
            target: record.source.clone(),
            key: record.key.clone(),
            payload: record.payload.clone(),
            headers: record.headers.clone(),
        };
        broker.append_stamped(copy, record.timestamp_millis).expect("the log is copied");
    }
    let session = broker.session(&SessionOptions {
        group: "stage".into(),
        member: "worker".into(),
        topics: vec![topology.name(topic).clone()],
        poll_records_max: batch,
    });
    let mut worker = Worker::new(
        KeyedStage(stage),
        Box::new(session.expect("a session is opened")),
        Outbox::new(topology.clone(), usize::MAX),
        Box::new(|_, _| Ok((Box::new(MemoryStore::default()), Found::Nothing))),
        Box::new(Timestamp::default),
        WorkerOptions { batch_records_max: batch, pass_time_every: None, ..WorkerOptions::default() },
    );
    while !worker.step(Duration::ZERO).expect("a step succeeds").is_idle() {}
    let mut published = Published::new();
    for output in Topic::ALL.into_iter().filter(|output| *output != topic) {
        for partition in topology.all(output) {
            for record in broker.read(&partition, 0, usize::MAX).expect("outputs are readable") {
                for (key, payload) in split(output, &record) {
                    published.entry((output, key)).or_default().push(payload);
                }
            }
        }
    }
    published
}

/// The entries of a record with their keys. Ticks are told of once per batch, as often as it is of use, and have none.
fn split(topic: Topic, record: &Record) -> Vec<(Vec<u8>, Vec<u8>)> {
    let payload = record.payload.as_deref().unwrap_or_default();
    match topic {
        Topic::Observations => bodies(payload, |change: &CodeChange| Some(change.code.as_bytes().to_vec())),
        Topic::Claims => bodies(payload, |body| {
            let key = match body {
                ClaimEntry::Claim(claim) => &claim.key,
                ClaimEntry::ClaimChange(change) => &change.key,
                ClaimEntry::Verdict(verdict) => &verdict.key,
                ClaimEntry::Paid(paid) => &paid.key,
            };
            Some(format!("{key:?}").into_bytes())
        }),
        Topic::Documents => bodies(payload, |body| match body {
            DocumentEntry::Forwarded { member: key, .. }
            | DocumentEntry::Loan { member: key, .. }
            | DocumentEntry::Offered { alias: key, .. }
            | DocumentEntry::Borrows { alias: key, .. }
            | DocumentEntry::Reconsider { document: key } => Some(format!("{key:?}").into_bytes()),
            _ => None,
        }),
        _ => vec![(record.key.clone().unwrap_or_default(), payload.to_vec())],
    }
}

/// The bodies of a record that have a key, each as a record of its own.
fn bodies<B: Body>(payload: &[u8], key: impl Fn(&B) -> Option<Vec<u8>>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = entries::decode::<B>(payload).expect("a record can be read");
    let keyed = entries.into_iter().filter_map(|entry| match &entry {
        Entry::Body(body) => key(body).map(|key| (key, entries::encode(&[entry], usize::MAX).concat())),
        _ => None,
    });
    keyed.collect()
}
