//! What a session promises, checked against both brokers by the same tests.
//!
//! The in-memory broker stands in for Kafka in the simulation, so it must behave like Kafka where it matters; and
//! what Kafka does is not taken from its documentation but from a real one.

mod trimming;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tracewarden::broker::kafka::admin::{Creation, Retention, TopicSpec, Topics};
use tracewarden::broker::{
    Broker, BrokerError, Header, NextOffset, OutRecord, Polled, Record, Session, TopicPartition,
};

use crate::support::kafka;
use crate::support::world::{InMemory, RECORD_BYTES_MAX, RealKafka, World};
use trimming::only_what_is_before_the_named_offset_is_deleted;

const PATIENCE: Duration = Duration::from_secs(60);
fn record(target: &TopicPartition, payload: &str) -> OutRecord {
    OutRecord {
        target: target.clone(),
        key: None,
        payload: Some(payload.as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

fn text(record: &Record) -> String {
    String::from_utf8(record.payload.clone().unwrap()).unwrap()
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(text).collect()
}

/// Polls until `enough` says so of something.
fn poll_until<T>(session: &mut impl Session, mut enough: impl FnMut(Polled) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(result) = enough(session.poll(Duration::from_millis(100)).unwrap()) {
            return result;
        }
    }
    panic!("nothing within {PATIENCE:?}");
}

fn assigned(session: &mut impl Session) -> Vec<TopicPartition> {
    poll_until(session, |polled| match polled {
        Polled::Nothing => None,
        Polled::Assigned(partitions) => Some(partitions),
        other => panic!("expected an assignment, got {other:?}"),
    })
}

/// Starts at the committed offsets, or at the beginning.
fn start(session: &mut impl Session, partitions: &[TopicPartition]) {
    let from: Vec<NextOffset> = partitions
        .iter()
        .map(|partition| (partition.clone(), session.committed(partition).unwrap().unwrap_or(0)))
        .collect();
    session.start(&from).unwrap();
}

fn started(session: &mut impl Session) -> Vec<TopicPartition> {
    let partitions = assigned(session);
    start(session, &partitions);
    partitions
}

fn records(session: &mut impl Session, count: usize) -> Vec<Record> {
    let mut all = Vec::new();
    if count > 0 {
        poll_until(session, |polled| {
            match polled {
                Polled::Nothing => {}
                Polled::Records(records) => all.extend(records),
                other => panic!("expected records, got {other:?}"),
            }
            (all.len() >= count).then_some(())
        });
    }
    assert_eq!(all.len(), count);
    all
}

/// A group, an input topic and an output topic of one partition each, with records in the input.
struct Simple {
    group: String,
    input: TopicPartition,
    output: TopicPartition,
}

impl Simple {
    fn new(world: &impl World, name: &str, payloads: &[&str]) -> Self {
        let input = TopicPartition::new(world.topic(&format!("{name}-in"), 1), 0);
        let output = TopicPartition::new(world.topic(&format!("{name}-out"), 1), 0);
        for payload in payloads {
            world.append(record(&input, payload));
        }
        Self { group: format!("{}-group", input.topic), input, output }
    }

    fn session<W: World>(&self, world: &W, member: &str) -> <W::Broker as Broker>::Session {
        world.session(&self.group, member, &[&self.input.topic])
    }

    fn next(&self, offset: i64) -> [NextOffset; 1] {
        [(self.input.clone(), offset)]
    }
}

fn outputs_and_offsets_become_visible_together(world: &impl World) {
    let simple = Simple::new(world, "together", &["a", "b", "c"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    let read = records(&mut session, 3);
    assert_eq!(texts(&read), ["a", "b", "c"]);
    assert_eq!(read.iter().map(|r| r.offset).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(world.read(&simple.output).is_empty());
    assert_eq!(session.committed(&simple.input).unwrap(), None);

    let outputs = vec![record(&simple.output, "A"), record(&simple.output, "B")];
    session.commit(outputs, &simple.next(2)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), ["A", "B"]);
    assert_eq!(session.committed(&simple.input).unwrap(), Some(2));
    session.commit(vec![record(&simple.output, "C")], &simple.next(3)).unwrap();
    session.close();
    assert_eq!(texts(&world.read(&simple.output)), ["A", "B", "C"]);
}

fn a_restart_goes_on_at_the_committed_offset(world: &impl World) {
    let simple = Simple::new(world, "restart", &["a", "b", "c"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    records(&mut session, 3);
    session.commit(vec![record(&simple.output, "A")], &simple.next(1)).unwrap();
    // A crash: neither released nor closed.
    drop(session);
    let mut session = simple.session(world, "m");
    started(&mut session);
    assert_eq!(texts(&records(&mut session, 2)), ["b", "c"]);
}

fn an_empty_transaction_commits_offsets(world: &impl World) {
    let simple = Simple::new(world, "empty", &["a"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    records(&mut session, 1);
    session.commit(Vec::new(), &simple.next(1)).unwrap();
    assert_eq!(session.committed(&simple.input).unwrap(), Some(1));
    assert!(world.read(&simple.output).is_empty());
}

fn a_commit_without_offsets_is_refused(world: &impl World) {
    let simple = Simple::new(world, "unfenced", &["a"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    let refused = session.commit(vec![record(&simple.output, "A")], &[]);
    assert!(matches!(refused, Err(BrokerError::Setup(_))), "{refused:?}");
    assert!(world.read(&simple.output).is_empty());
}

fn a_failed_commit_leaves_nothing(world: &impl World) {
    let simple = Simple::new(world, "failed", &["a"]);
    let nowhere = TopicPartition::new(Arc::clone(&simple.output.topic), 99);
    let mut session = simple.session(world, "m");
    started(&mut session);
    let outputs = vec![record(&simple.output, "A"), record(&nowhere, "B"), record(&simple.output, "C")];
    let failed = session.commit(outputs, &simple.next(1));
    assert!(matches!(failed, Err(BrokerError::Setup(_))), "{failed:?}");
    drop(session);
    let mut session = simple.session(world, "m");
    started(&mut session);
    assert_eq!(session.committed(&simple.input).unwrap(), None);
    assert!(world.read(&simple.output).is_empty());
    session.commit(vec![record(&simple.output, "D")], &simple.next(1)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), ["D"]);
}

fn an_oversize_record_is_refused_before_anything_is_sent(world: &impl World) {
    let simple = Simple::new(world, "oversize", &["a"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    let huge = "x".repeat(RECORD_BYTES_MAX);
    let outputs = vec![record(&simple.output, "A"), record(&simple.output, &huge)];
    let refused = session.commit(outputs, &simple.next(1));
    assert!(
        matches!(&refused, Err(BrokerError::TooLarge { target, limit, .. })
            if *target == simple.output && *limit == RECORD_BYTES_MAX),
        "{refused:?}"
    );
    // The session goes on, and the largest record that is allowed passes.
    let empty = record(&simple.output, "").bytes();
    let largest = "x".repeat(RECORD_BYTES_MAX - empty);
    session.commit(vec![record(&simple.output, &largest)], &simple.next(1)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), [largest]);
}

fn records_arrive_as_they_were_sent(world: &impl World) {
    let simple = Simple::new(world, "bytes", &["a"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    let header = |name: &str, value: &[u8]| Header { name: name.to_owned(), value: value.to_vec() };
    let sent = [
        OutRecord {
            target: simple.output.clone(),
            key: Some(vec![0, 159, 146, 150]),
            payload: Some(vec![255, 0, 1]),
            headers: vec![header("b", b"1"), header("a", b""), header("b", &[0, 255])],
        },
        OutRecord {
            target: simple.output.clone(),
            key: Some(b"k".to_vec()),
            payload: None,
            headers: Vec::new(),
        },
        OutRecord {
            target: simple.output.clone(),
            key: None,
            payload: Some(Vec::new()),
            headers: Vec::new(),
        },
    ];
    session.commit(sent.to_vec(), &simple.next(1)).unwrap();
    let read = world.read(&simple.output);
    assert_eq!(read.len(), sent.len());
    for (read, sent) in read.iter().zip(&sent) {
        assert_eq!((&read.key, &read.payload, &read.headers), (&sent.key, &sent.payload, &sent.headers));
        assert!(read.timestamp_millis.is_some());
    }
}

fn every_partition_keeps_its_order(world: &impl World) {
    let simple = Simple::new(world, "order", &["a"]);
    let many = world.topic("order-many", 3);
    let mut session = simple.session(world, "m");
    started(&mut session);
    for batch in 0..10 {
        let outputs = (0..60)
            .map(|number| {
                let partition = TopicPartition::new(Arc::clone(&many), number % 3);
                record(&partition, &format!("{:04}", batch * 60 + number))
            })
            .collect();
        session.commit(outputs, &simple.next(1)).unwrap();
    }
    session.close();
    let mut reader = world.session(&format!("{}-2", simple.group), "m", &[&many]);
    started(&mut reader);
    let read = records(&mut reader, 600);
    for partition in 0..3 {
        let of_it: Vec<&Record> = read.iter().filter(|r| r.source.partition == partition).collect();
        assert_eq!(of_it.len(), 200);
        assert!(of_it.iter().map(|r| text(r)).collect::<Vec<_>>().is_sorted());
        assert!(of_it.iter().map(|r| r.offset).collect::<Vec<_>>().is_sorted());
    }
}

fn caught_up_is_seen_behind_the_end_marker_of_a_transaction(world: &impl World) {
    let simple = Simple::new(world, "marker", &["a"]);
    let mut session = simple.session(world, "m");
    started(&mut session);
    session.commit(vec![record(&simple.output, "A"), record(&simple.output, "B")], &simple.next(1)).unwrap();

    let mut reader = world.session(&format!("{}-2", simple.group), "m", &[&simple.output.topic]);
    started(&mut reader);
    assert!(!reader.is_caught_up(&simple.output).unwrap());
    let read = records(&mut reader, 2);
    let last = read.last().unwrap().offset;
    let deadline = Instant::now() + PATIENCE;
    while !reader.is_caught_up(&simple.output).unwrap() {
        assert!(Instant::now() < deadline, "it never catches up");
        assert!(matches!(reader.poll(Duration::from_millis(10)).unwrap(), Polled::Nothing));
    }
    let (_, end) = reader.watermarks(&simple.output).unwrap();
    assert!(end > last + 1, "the marker takes an offset: {end} after {last}");

    session.commit(vec![record(&simple.output, "C")], &simple.next(1)).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while reader.is_caught_up(&simple.output).unwrap() {
        assert!(Instant::now() < deadline, "the new record is not noticed");
    }
    assert_eq!(texts(&records(&mut reader, 1)), ["C"]);
}

fn a_rebalance_hands_over_after_the_release(world: &impl World) {
    let left = world.topic("handover-left", 4);
    let right = world.topic("handover-right", 4);
    let output = TopicPartition::new(world.topic("handover-out", 1), 0);
    let group = format!("{left}-group");
    for number in 0..4 {
        world.append(record(&TopicPartition::new(Arc::clone(&left), number), &number.to_string()));
    }
    let mut first = world.session(&group, "m1", &[&left, &right]);
    assert_eq!(started(&mut first).len(), 8);
    let read = records(&mut first, 4);

    let mut second = world.session(&group, "m2", &[&left, &right]);
    let deadline = Instant::now() + PATIENCE;
    let revoked = loop {
        assert!(Instant::now() < deadline);
        // The newcomer has nothing as long as the others have not let go.
        let early = second.poll(Duration::from_millis(20)).unwrap();
        assert!(matches!(early, Polled::Nothing), "{early:?}");
        match first.poll(Duration::from_millis(20)).unwrap() {
            Polled::Nothing => {}
            Polled::Revoked(partitions) => break partitions,
            other => panic!("expected a revocation, got {other:?}"),
        }
    };
    assert_eq!(revoked.len(), 8);
    // What was read may still be committed before letting go.
    let next: Vec<NextOffset> = read.iter().map(|r| (r.source.clone(), r.offset + 1)).collect();
    first.commit(vec![record(&output, "handed over")], &next).unwrap();
    let early = second.poll(Duration::from_millis(100)).unwrap();
    assert!(matches!(early, Polled::Nothing), "{early:?}");
    first.release(&revoked).unwrap();

    let (of_first, of_second) = both_assigned(&mut first, &mut second);
    let numbers = |partitions: &[TopicPartition], topic: &Arc<str>| -> BTreeSet<i32> {
        partitions.iter().filter(|p| p.topic == *topic).map(|p| p.partition).collect()
    };
    for partitions in [&of_first, &of_second] {
        assert_eq!(partitions.len(), 4);
        assert_eq!(numbers(partitions, &left), numbers(partitions, &right), "co-partitioned");
    }
    assert!(numbers(&of_first, &left).is_disjoint(&numbers(&of_second, &left)));
    let partition = of_second.iter().find(|p| p.topic == left).unwrap();
    assert_eq!(second.committed(partition).unwrap(), Some(1));
    // Both go on, and each gets only what is its own.
    start(&mut first, &of_first);
    start(&mut second, &of_second);
    for number in 0..4 {
        world.append(record(&TopicPartition::new(Arc::clone(&right), number), "new"));
    }
    for (session, own) in [(&mut first, &of_first), (&mut second, &of_second)] {
        let sources: BTreeSet<i32> = records(session, 2).iter().map(|r| r.source.partition).collect();
        assert_eq!(sources, numbers(own, &right));
    }
}

/// Polls both in turn, releasing what must be released, until both have been given something at the same time.
fn both_assigned<S: Session>(first: &mut S, second: &mut S) -> (Vec<TopicPartition>, Vec<TopicPartition>) {
    let deadline = Instant::now() + PATIENCE;
    let mut given: [Option<Vec<TopicPartition>>; 2] = [None, None];
    while Instant::now() < deadline {
        for (session, given) in [&mut *first, &mut *second].into_iter().zip(&mut given) {
            match session.poll(Duration::from_millis(20)).unwrap() {
                Polled::Nothing => {}
                Polled::Assigned(partitions) => *given = Some(partitions),
                other => panic!("unexpected {other:?}"),
            }
        }
        if let [Some(of_first), Some(of_second)] = &given {
            return (of_first.clone(), of_second.clone());
        }
    }
    panic!("not both assigned within {PATIENCE:?}");
}

fn a_zombie_cannot_commit_after_its_partitions_moved(world: &impl World) {
    let simple = Simple::new(world, "zombie", &["a"]);
    let mut zombie = simple.session(world, "m1");
    started(&mut zombie);
    records(&mut zombie, 1);
    // From here on it is silent, and does not hear what happens.
    world.expire(&simple.group, "m1");
    let mut heir = simple.session(world, "m2");
    started(&mut heir);
    assert_eq!(texts(&records(&mut heir, 1)), ["a"]);

    let fenced = zombie.commit(vec![record(&simple.output, "zombie")], &simple.next(1));
    assert!(matches!(fenced, Err(BrokerError::SessionLost(_))), "{fenced:?}");
    assert!(matches!(zombie.poll(Duration::ZERO), Err(BrokerError::SessionLost(_))));
    heir.commit(vec![record(&simple.output, "heir")], &simple.next(1)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), ["heir"]);
}

fn a_silent_member_learns_that_its_partitions_moved(world: &impl World) {
    let simple = Simple::new(world, "silent", &["a"]);
    let mut silent = simple.session(world, "m1");
    let had = started(&mut silent);
    records(&mut silent, 1);
    world.expire(&simple.group, "m1");
    let mut heir = simple.session(world, "m2");
    started(&mut heir);
    let revoked = poll_until(&mut silent, |polled| match polled {
        Polled::Revoked(partitions) => Some(partitions),
        Polled::Nothing => None,
        other => panic!("unexpected {other:?}"),
    });
    assert_eq!(revoked, had);
    silent.release(&revoked).unwrap();
    // It is a member again: when the heir leaves, it gets everything.
    let deadline = Instant::now() + PATIENCE;
    let mut heir = Some(heir);
    loop {
        assert!(Instant::now() < deadline);
        if let Some(session) = &mut heir
            && let Polled::Revoked(partitions) = session.poll(Duration::from_millis(20)).unwrap()
        {
            session.release(&partitions).unwrap();
            session.close();
            heir = None;
        }
        if let Polled::Assigned(partitions) = silent.poll(Duration::from_millis(20)).unwrap() {
            assert_eq!(partitions, had);
            break;
        }
    }
}

fn a_later_session_of_the_same_member_fences_the_earlier_one(world: &impl World) {
    let simple = Simple::new(world, "replaced", &["a"]);
    let mut earlier = simple.session(world, "m");
    started(&mut earlier);
    let later = simple.session(world, "m");
    let fenced = earlier.commit(vec![record(&simple.output, "earlier")], &simple.next(1));
    assert!(matches!(fenced, Err(BrokerError::SessionLost(_))), "{fenced:?}");
    drop(earlier);
    let mut later = later;
    started(&mut later);
    later.commit(vec![record(&simple.output, "later")], &simple.next(1)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), ["later"]);
}

fn an_offset_before_the_log_start_is_out_of_range(world: &impl World) {
    let simple = Simple::new(world, "range", &["a", "b", "c"]);
    world.trim(&simple.input, 2);
    let mut session = simple.session(world, "m");
    let partitions = assigned(&mut session);
    assert_eq!(session.watermarks(&simple.input).unwrap(), (2, 3));
    for offset in [1, 4] {
        let refused = session.start(&simple.next(offset));
        assert!(
            matches!(&refused, Err(BrokerError::OffsetOutOfRange { partition, offset: named })
                if *partition == simple.input && *named == offset),
            "{refused:?}"
        );
    }
    assert_eq!(partitions, std::slice::from_ref(&simple.input));
    session.start(&simple.next(2)).unwrap();
    assert_eq!(texts(&records(&mut session, 1)), ["c"]);
}

fn answers_must_fit_what_was_told(world: &impl World) {
    let simple = Simple::new(world, "answers", &["a"]);
    let mut session = simple.session(world, "m");
    assert!(matches!(session.start(&simple.next(0)), Err(BrokerError::Setup(_))), "not assigned yet");
    let partitions = assigned(&mut session);
    assert!(matches!(session.start(&[]), Err(BrokerError::Setup(_))));
    assert!(matches!(session.release(&partitions), Err(BrokerError::Setup(_))));
    // A worker that takes its time may poll to show that it is alive.
    assert!(matches!(session.poll(Duration::from_millis(50)).unwrap(), Polled::Nothing));
    session.start(&simple.next(0)).unwrap();
    assert_eq!(texts(&records(&mut session, 1)), ["a"]);
}

fn a_missing_topic_is_named(world: &impl World) {
    let missing: Arc<str> = kafka::unique("missing").into();
    match world.try_session("missing-group", "m", &[&missing]) {
        Err(BrokerError::Setup(sentence)) => assert!(sentence.contains(&*missing), "{sentence}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("a session on a topic that is not there"),
    }
}

/// One test of each name, for each broker.
macro_rules! for_both {
    ($($name:ident)*) => {
        mod in_memory {
            $(#[test] fn $name() { super::$name(&super::InMemory::new()); })*
        }
        mod on_kafka {
            $(#[test] fn $name() { needs_kafka!(); super::$name(&super::RealKafka::new()); })*
        }
    };
}

for_both! {
    outputs_and_offsets_become_visible_together
    a_restart_goes_on_at_the_committed_offset
    an_empty_transaction_commits_offsets
    a_commit_without_offsets_is_refused
    a_failed_commit_leaves_nothing
    an_oversize_record_is_refused_before_anything_is_sent
    records_arrive_as_they_were_sent
    every_partition_keeps_its_order
    caught_up_is_seen_behind_the_end_marker_of_a_transaction
    a_rebalance_hands_over_after_the_release
    a_zombie_cannot_commit_after_its_partitions_moved
    a_silent_member_learns_that_its_partitions_moved
    a_later_session_of_the_same_member_fences_the_earlier_one
    an_offset_before_the_log_start_is_out_of_range
    only_what_is_before_the_named_offset_is_deleted
    answers_must_fit_what_was_told
    a_missing_topic_is_named
}

#[test]
fn a_static_member_goes_on_after_a_crash_and_fences_its_ghost() {
    needs_kafka!();
    let world = RealKafka::with_static_members();
    a_restart_goes_on_at_the_committed_offset(&world);
    a_later_session_of_the_same_member_fences_the_earlier_one(&world);
}

#[test]
fn the_open_transaction_of_a_dead_producer_is_ended_by_its_successor() {
    needs_kafka!();
    let world = RealKafka::new();
    let simple = Simple::new(&world, "open", &["a"]);
    let dead: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &world.0.settings().bootstrap_servers)
        .set("transactional.id", format!("{}/m", simple.group))
        .create()
        .unwrap();
    dead.init_transactions(PATIENCE).unwrap();
    dead.begin_transaction().unwrap();
    let ghost = BaseRecord::<[u8], str>::to(&simple.output.topic).partition(0).payload("ghost");
    dead.send(ghost).map_err(|(error, _)| error).unwrap();
    dead.flush(PATIENCE).unwrap();
    std::mem::forget(dead);

    let mut session = simple.session(&world, "m");
    started(&mut session);
    session.commit(vec![record(&simple.output, "A")], &simple.next(1)).unwrap();
    assert_eq!(texts(&world.read(&simple.output)), ["A"]);
}

#[test]
fn topics_are_created_and_compared() {
    needs_kafka!();
    let world = RealKafka::new();
    let topics = Topics::new(world.0.settings()).unwrap();
    let mut spec = TopicSpec {
        name: kafka::unique("compared"),
        partitions: 3,
        replication: 1,
        retention: Retention::NewestPerKey { lag_min: Duration::from_secs(60) },
        record_bytes_max: RECORD_BYTES_MAX,
    };
    let specs = std::slice::from_ref(&spec);
    assert_eq!(topics.differences(specs).unwrap()[0].what, "topic");
    assert_eq!(topics.create(specs).unwrap(), [Creation::Created]);
    assert_eq!(topics.create(specs).unwrap(), [Creation::AlreadyThere]);
    assert_eq!(topics.differences(specs).unwrap(), []);
    spec.partitions = 4;
    spec.retention = Retention::Everything;
    let differences = topics.differences(&[spec]).unwrap();
    let what: Vec<&str> = differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(what, ["partitions", "cleanup.policy", "retention.ms"]);
}
