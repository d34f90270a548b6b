//! The broker in memory: Kafka's behaviour without Kafka, for `demo`, `replay`, `simulate` and tests.
//!
//! It has partitions, consumer groups with eager range assignment, atomic commits of outputs and offsets,
//! read-committed visibility, fencing of members that were given up, and faults: see [`CommitFault`],
//! [`FaultRates`], [`MemoryBroker::rebalance`], [`MemoryBroker::expire`]; a crash is a session that is dropped.
//!
//! It is deterministic. It has no clock (its owner sets the time that records are stamped with), and with one
//! thread the same calls give the same answers; [`MemoryOptions::seed`] varies order and batch sizes.
//!
//! What it is not: durable, or offered for production. It keeps all records until they are trimmed. It differs
//! from Kafka in that a dropped session leaves its group at once, and that a lost commit has ended when the session
//! learns of it (Kafka ends it when the next session of the same member begins).

mod faults;
mod group;
mod log;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Broker, BrokerError, OutRecord, Record, SessionOptions, TopicPartition, Trim};
use faults::Faults;
pub use faults::{CommitFault, FaultRates};
use group::Group;
use log::Log;
pub use session::MemorySession;

/// How an in-memory broker behaves.
#[derive(Clone, Debug)]
pub struct MemoryOptions {
    /// With a seed, partitions are read in random order and batches vary in size, and faults happen as often as
    /// `faults` says. Without one, partitions take turns and nothing goes wrong by itself.
    pub seed: Option<u64>,
    /// How often faults happen.
    pub faults: FaultRates,
    /// The largest record taken.
    pub record_bytes_max: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { seed: None, faults: FaultRates::default(), record_bytes_max: 8 << 20 }
    }
}

/// A handle on an in-memory broker; clones are the same broker.
#[derive(Clone, Debug)]
pub struct MemoryBroker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something may have come for whoever waits in a poll.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    now_millis: i64,
    record_bytes_max: usize,
    logs: BTreeMap<TopicPartition, Log>,
    widths: BTreeMap<Arc<str>, i32>,
    groups: BTreeMap<String, Group>,
    faults: Faults,
    incarnations: u64,
}

impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new(MemoryOptions::default())
    }
}

impl MemoryBroker {
    /// A broker without topics, at the beginning of the epoch.
    pub fn new(options: MemoryOptions) -> Self {
        let state = State {
            now_millis: 0,
            record_bytes_max: options.record_bytes_max,
            logs: BTreeMap::new(),
            widths: BTreeMap::new(),
            groups: BTreeMap::new(),
            faults: Faults::new(options.seed, options.faults),
            incarnations: 0,
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// Creates a topic; one that is there already stays as it is.
    pub fn create_topic(&self, name: &str, partitions: i32) {
        let name: Arc<str> = name.into();
        let mut state = self.state();
        if state.widths.contains_key(&name) {
            return;
        }
        for number in 0..partitions {
            let partition = TopicPartition::new(Arc::clone(&name), number);
            state.logs.insert(partition.clone(), Log::new(partition));
        }
        state.widths.insert(name, partitions);
    }

    /// How many partitions a topic has; none when there is no such topic.
    pub fn partitions(&self, topic: &str) -> Option<i32> {
        self.state().widths.get(topic).copied()
    }

    /// Sets the time that records are stamped with from now on.
    pub fn set_now_millis(&self, now_millis: i64) {
        self.state().now_millis = now_millis;
    }

    /// The time that records are stamped with.
    pub fn now_millis(&self) -> i64 {
        self.state().now_millis
    }

    /// Appends one record, outside of any transaction; returns its offset.
    pub fn append(&self, record: OutRecord) -> Result<i64, BrokerError> {
        let now_millis = self.now_millis();
        self.append_stamped(record, Some(now_millis))
    }

    /// Appends one record with a timestamp of its own, or none.
    pub fn append_stamped(
        &self,
        record: OutRecord,
        timestamp_millis: Option<i64>,
    ) -> Result<i64, BrokerError> {
        let mut state = self.state();
        record.check_size(state.record_bytes_max)?;
        let offset = state.log_mut(&record.target.clone())?.append(record, timestamp_millis);
        drop(state);
        self.shared.changed.notify_all();
        Ok(offset)
    }

    /// Up to `limit` committed records of a partition, from an offset on.
    pub fn read(
        &self,
        partition: &TopicPartition,
        from: i64,
        limit: usize,
    ) -> Result<Vec<Record>, BrokerError> {
        self.state().log(partition)?.read(from, limit)
    }

    /// All committed records of a partition from an offset on, which are forgotten with those before them.
    pub fn take(&self, partition: &TopicPartition, from: i64) -> Result<Vec<Record>, BrokerError> {
        self.state().log_mut(partition)?.take(from)
    }

    /// The first offset still there and the next one to be written.
    pub fn watermarks(&self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError> {
        let state = self.state();
        let log = state.log(partition)?;
        Ok((log.start(), log.end()))
    }

    /// The committed next offset of a group on a partition.
    pub fn committed(&self, group: &str, partition: &TopicPartition) -> Option<i64> {
        self.state().groups.get(group)?.offsets.get(partition).copied()
    }

    /// Forgets what a group has committed on a partition, as Kafka does with a group that was away for long.
    pub fn forget_committed(&self, group: &str, partition: &TopicPartition) {
        if let Some(group) = self.state().groups.get_mut(group) {
            group.offsets.remove(partition);
        }
    }

    /// Puts back what a group has committed on a partition, as an operator would.
    pub fn restore_committed(&self, group: &str, partition: &TopicPartition, next_offset: i64) {
        if let Some(group) = self.state().groups.get_mut(group) {
            group.offsets.insert(partition.clone(), next_offset);
        }
    }

    /// Drops what is before `start` in a partition, as retention does.
    pub fn trim(&self, partition: &TopicPartition, start: i64) -> Result<(), BrokerError> {
        self.state().log_mut(partition)?.trim(start);
        Ok(())
    }

    /// Makes the members of a group give back everything and get it anew.
    pub fn rebalance(&self, group: &str) {
        self.with_group(group, |group, widths| group.rebalance(widths));
    }

    /// Gives a member up as one that was silent for too long: others get its partitions at once, and it does not
    /// know.
    pub fn expire(&self, group: &str, member: &str) {
        self.with_group(group, |group, widths| group.remove(member, None, widths));
    }

    /// Makes one of the next commits of a member fail: the first call the next one, and so on.
    pub fn fail_next_commit(&self, member: &str, fault: CommitFault) {
        self.state().faults.plan(member, fault);
    }

    /// Changes how often faults happen; a simulation ends in calm.
    pub fn set_fault_rates(&self, rates: FaultRates) {
        self.state().faults.rates = rates;
    }

    fn with_group(&self, name: &str, act: impl FnOnce(&mut Group, &BTreeMap<Arc<str>, i32>)) {
        let mut state = self.state();
        let State { groups, widths, .. } = &mut *state;
        if let Some(group) = groups.get_mut(name) {
            act(group, widths);
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// A thread that panicked while it held the lock left the state whole: nothing in here fails half-way.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker for MemoryBroker {
    type Session = MemorySession;

    fn session(&self, options: &SessionOptions) -> Result<MemorySession, BrokerError> {
        MemorySession::join(self.clone(), options.clone())
    }
}

impl Trim for MemoryBroker {
    fn trim(&self, partition: &TopicPartition, before: i64) -> Result<i64, BrokerError> {
        if before < 0 {
            return Err(BrokerError::Setup(format!("{partition}: there is no offset {before}")));
        }
        Self::trim(self, partition, before)?;
        Ok(self.watermarks(partition)?.0)
    }
}

impl State {
    fn log(&self, partition: &TopicPartition) -> Result<&Log, BrokerError> {
        self.logs.get(partition).ok_or_else(|| no_such(partition))
    }

    fn log_mut(&mut self, partition: &TopicPartition) -> Result<&mut Log, BrokerError> {
        self.logs.get_mut(partition).ok_or_else(|| no_such(partition))
    }

    fn next_incarnation(&mut self) -> u64 {
        self.incarnations += 1;
        self.incarnations
    }
}

fn no_such(partition: &TopicPartition) -> BrokerError {
    BrokerError::Setup(format!("there is no partition {partition}; create the topic first"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::broker::{Polled, Session};

    fn record(topic: &str, partition: i32, payload: &str) -> OutRecord {
        let target = TopicPartition::new(topic, partition);
        OutRecord { target, key: None, payload: Some(payload.as_bytes().to_vec()), headers: Vec::new() }
    }

    fn options(member: &str, topics: &[&str]) -> SessionOptions {
        let topics = topics.iter().map(|&topic| topic.into()).collect();
        SessionOptions { group: "g".into(), member: member.into(), topics, poll_records_max: 3 }
    }

    fn assigned(session: &mut MemorySession) -> Vec<TopicPartition> {
        match session.poll(Duration::ZERO) {
            Ok(Polled::Assigned(partitions)) => partitions,
            other => panic!("expected an assignment, got {other:?}"),
        }
    }

    /// Reads everything and commits it as it comes, starting over whenever the session is lost; returns what the
    /// output topic holds.
    fn copy_everything(seed: u64) -> (Vec<String>, usize) {
        let faults = FaultRates {
            aborted_per_mille: 100,
            unknown_per_mille: 100,
            lost_per_mille: 50,
            rebalance_per_mille: 100,
        };
        let broker =
            MemoryBroker::new(MemoryOptions { seed: Some(seed), faults, ..MemoryOptions::default() });
        broker.create_topic("in", 3);
        broker.create_topic("out", 1);
        for number in 0..60 {
            broker.append(record("in", number % 3, &number.to_string())).unwrap();
        }
        let mut lost = 0;
        for _ in 0..10_000 {
            let Ok(mut session) = broker.session(&options("m", &["in"])) else { continue };
            match copy(&mut session) {
                Ok(()) => break,
                Err(_) => lost += 1,
            }
        }
        let out = broker.read(&TopicPartition::new("out", 0), 0, usize::MAX).unwrap();
        (out.into_iter().map(|r| String::from_utf8(r.payload.unwrap()).unwrap()).collect(), lost)
    }

    fn copy(session: &mut MemorySession) -> Result<(), BrokerError> {
        let mut quiet = 0;
        while quiet < 20 {
            match session.poll(Duration::ZERO)? {
                Polled::Nothing => quiet += 1,
                Polled::Revoked(partitions) => session.release(&partitions)?,
                Polled::Assigned(partitions) => {
                    let mut from = Vec::new();
                    for partition in partitions {
                        let next = session.committed(&partition)?.unwrap_or(0);
                        from.push((partition, next));
                    }
                    session.start(&from)?;
                }
                Polled::Records(records) => {
                    quiet = 0;
                    let next: BTreeMap<_, _> =
                        records.iter().map(|r| (r.source.clone(), r.offset + 1)).collect();
                    let next: Vec<_> = next.into_iter().collect();
                    let outputs: Vec<_> = records
                        .into_iter()
                        .map(|r| OutRecord {
                            target: TopicPartition::new("out", 0),
                            key: None,
                            payload: r.payload,
                            headers: Vec::new(),
                        })
                        .collect();
                    while let Err(error) = session.commit(outputs.clone(), &next) {
                        if !matches!(error, BrokerError::Aborted(_)) {
                            return Err(error);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn whatever_goes_wrong_every_record_is_copied_once_and_in_order() {
        let mut lost = 0;
        for seed in 0..50 {
            let (out, lost_now) = copy_everything(seed);
            lost += lost_now;
            let mut sorted = out.clone();
            sorted.sort_by_key(|text| text.parse::<i32>().unwrap());
            let wanted: Vec<String> = (0..60).map(|number| number.to_string()).collect();
            assert_eq!(sorted, wanted, "seed {seed}");
            for partition in 0..3 {
                let of_it: Vec<i32> =
                    out.iter().map(|t| t.parse().unwrap()).filter(|n| n % 3 == partition).collect();
                assert!(of_it.is_sorted(), "seed {seed}, partition {partition}");
            }
        }
        assert!(lost > 50, "the faults hardly happened: {lost}");
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        assert_eq!(copy_everything(7), copy_everything(7));
        assert_ne!(copy_everything(7).0, copy_everything(8).0);
    }

    #[test]
    fn range_assignment_keeps_equally_wide_topics_together() {
        let broker = MemoryBroker::default();
        for topic in ["a", "b"] {
            broker.create_topic(topic, 5);
        }
        let mut first = broker.session(&options("m1", &["a", "b"])).unwrap();
        let mut second = broker.session(&options("m2", &["a", "b"])).unwrap();
        let numbers = |partitions: &[TopicPartition], topic: &str| -> Vec<i32> {
            partitions.iter().filter(|p| &*p.topic == topic).map(|p| p.partition).collect()
        };
        for (session, wanted) in [(&mut first, vec![0, 1, 2]), (&mut second, vec![3, 4])] {
            let given = assigned(session);
            assert_eq!(numbers(&given, "a"), wanted);
            assert_eq!(numbers(&given, "b"), wanted);
        }
    }

    #[test]
    fn records_carry_the_time_that_the_owner_set() {
        let broker = MemoryBroker::default();
        broker.create_topic("in", 1);
        broker.set_now_millis(1_000);
        broker.append(record("in", 0, "a")).unwrap();
        broker.set_now_millis(2_000);
        broker.append(record("in", 0, "b")).unwrap();
        broker.append_stamped(record("in", 0, "c"), None).unwrap();
        let read = broker.read(&TopicPartition::new("in", 0), 0, 10).unwrap();
        let stamps: Vec<_> = read.iter().map(|r| r.timestamp_millis).collect();
        assert_eq!(stamps, [Some(1_000), Some(2_000), None]);
    }

    #[test]
    fn a_lost_answer_leaves_either_all_or_nothing() {
        for (fault, visible) in [(CommitFault::UnknownAndCommitted, 1), (CommitFault::UnknownAndAborted, 0)] {
            let broker = MemoryBroker::default();
            broker.create_topic("in", 1);
            broker.create_topic("out", 1);
            let mut session = broker.session(&options("m", &["in"])).unwrap();
            let partition = assigned(&mut session).remove(0);
            session.start(&[(partition.clone(), 0)]).unwrap();
            broker.fail_next_commit("m", fault);
            let lost = session.commit(vec![record("out", 0, "x")], &[(partition.clone(), 0)]);
            assert!(matches!(lost, Err(BrokerError::SessionLost(_))));
            assert!(matches!(session.poll(Duration::ZERO), Err(BrokerError::SessionLost(_))));
            let out = broker.read(&TopicPartition::new("out", 0), 0, 10).unwrap();
            assert_eq!(
                (out.len(), broker.committed("g", &partition)),
                (visible, (visible == 1).then_some(0))
            );
        }
    }
}
