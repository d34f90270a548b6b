//! Transactions on Kafka itself whose requests get lost or late on the way: what became of them is found out, and
//! nothing is lost or doubled.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracewarden::broker::kafka::{KafkaBroker, KafkaSettings};
use tracewarden::broker::{Broker, BrokerError, NextOffset, OutRecord, Polled, Session, TopicPartition};

use super::CLUSTER;
use crate::support::proxy::{Mishap, Proxy, Request};
use crate::support::world::{RealKafka, World};

const PATIENCE: Duration = Duration::from_secs(60);
/// A member that does not poll for so long is given up by its group.
const POLL_INTERVAL_MAX: Duration = Duration::from_secs(4);

/// One proxy: a test has it for itself, as tests of this module take turns.
fn proxy() -> MutexGuard<'static, Proxy> {
    static PROXY: LazyLock<Mutex<Proxy>> = LazyLock::new(|| Mutex::new(Proxy::start(CLUSTER.proxied())));
    // A test that failed while it had it left nothing behind that matters to the next.
    PROXY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An input with one record, an output, and members that are near the broker or behind the proxy.
struct Scene {
    near: RealKafka,
    far: RealKafka,
    group: String,
    input: TopicPartition,
    output: TopicPartition,
}

type KafkaSession = <KafkaBroker as Broker>::Session;

impl Scene {
    fn new(name: &str, proxy: &Proxy, call_timeout: Duration) -> Self {
        let world = |bootstrap: &str, call_timeout| {
            RealKafka(KafkaBroker::new(KafkaSettings {
                static_members: false,
                session_timeout: POLL_INTERVAL_MAX,
                poll_interval_max: POLL_INTERVAL_MAX,
                call_timeout,
                ..KafkaSettings::at(bootstrap)
            }))
        };
        let near = world(CLUSTER.bootstrap(), PATIENCE);
        let input = TopicPartition::new(near.topic(&format!("{name}-in"), 1), 0);
        let output = TopicPartition::new(near.topic(&format!("{name}-out"), 1), 0);
        near.append(record(&input, "a"));
        let far = world(proxy.address(), call_timeout);
        Self { near, far, group: format!("{}-group", input.topic), input, output }
    }

    /// A session that has read the input's record.
    fn session(&self, world: &RealKafka, member: &str) -> KafkaSession {
        let mut session = world.session(&self.group, member, &[&self.input.topic]);
        self.start(&mut session);
        session
    }

    fn start(&self, session: &mut KafkaSession) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "nothing was assigned within {PATIENCE:?}");
            if let Polled::Assigned(_) = session.poll(Duration::from_millis(50)).unwrap() {
                let from = session.committed(&self.input).unwrap().unwrap_or(0);
                return session.start(&[(self.input.clone(), from)]).unwrap();
            }
        }
    }

    fn commit(&self, session: &mut KafkaSession, output: &str) -> Result<(), BrokerError> {
        session.commit(vec![record(&self.output, output)], &self.behind_the_record())
    }

    fn behind_the_record(&self) -> [NextOffset; 1] {
        [(self.input.clone(), 1)]
    }

    fn published(&self) -> Vec<String> {
        let payload = |record: tracewarden::broker::Record| {
            String::from_utf8(record.payload.unwrap_or_default()).unwrap()
        };
        self.near.read(&self.output).into_iter().map(payload).collect()
    }
}

fn record(target: &TopicPartition, payload: &str) -> OutRecord {
    OutRecord { target: target.clone(), key: None, payload: Some(payload.into()), headers: Vec::new() }
}

/// The producer has written its outputs; before its offsets reach the broker the group gives its partition to another
/// member, who does the work. What was written must never be seen.
#[test]
fn a_rebalance_between_produce_and_commit_leaves_nothing_of_the_first_owner() {
    needs_kafka!();
    let proxy = proxy();
    let scene = Scene::new("between", &proxy, PATIENCE);
    let mut first = scene.session(&scene.far, "first");
    proxy.plan(Request::TxnOffsetCommit, Mishap::Hold);
    thread::scope(|scope| {
        let late = scope.spawn(|| scene.commit(&mut first, "first"));
        proxy.wait_until_happened(PATIENCE);
        let mut second = scene.session(&scene.near, "second");
        scene.commit(&mut second, "second").unwrap();
        proxy.release();
        let late = late.join().unwrap();
        assert!(matches!(late, Err(BrokerError::SessionLost(_))), "{late:?}");
    });
    assert_eq!(scene.published(), ["second"]);
}

/// Commits across a mishap, then finds out with a new session what became of it.
fn commit_with_unknown_outcome(name: &str, mishap: Mishap) -> (Scene, KafkaSession) {
    let proxy = proxy();
    let scene = Scene::new(name, &proxy, Duration::from_secs(3));
    let mut session = scene.session(&scene.far, "member");
    proxy.plan(Request::EndTxn, mishap);
    let unknown = scene.commit(&mut session, "A");
    assert!(matches!(unknown, Err(BrokerError::SessionLost(_))), "{unknown:?}");
    proxy.wait_until_happened(Duration::ZERO);
    let again = scene.commit(&mut session, "A");
    assert!(matches!(again, Err(BrokerError::SessionLost(_))), "it is never tried again in place: {again:?}");
    drop(session);
    let session = scene.session(&scene.far, "member");
    (scene, session)
}

#[test]
fn a_commit_with_unknown_outcome_that_took_place_is_not_done_again() {
    needs_kafka!();
    let (scene, mut session) = commit_with_unknown_outcome("took-place", Mishap::LoseAnswer);
    assert_eq!(session.committed(&scene.input).unwrap(), Some(1));
    assert_eq!(scene.published(), ["A"]);
}

#[test]
fn a_commit_with_unknown_outcome_that_did_not_take_place_is_done_again() {
    needs_kafka!();
    let (scene, mut session) = commit_with_unknown_outcome("not", Mishap::LoseRequest);
    assert_eq!(session.committed(&scene.input).unwrap(), None);
    assert_eq!(scene.published(), [""; 0]);
    scene.commit(&mut session, "A").unwrap();
    assert_eq!(scene.published(), ["A"]);
}

/// A member that is told to give its partition back and takes longer than it may: the next owner does not wait for it,
/// and what it does afterwards counts for nothing.
#[test]
fn a_slow_revoke_holds_nobody_up_and_commits_nothing() {
    needs_kafka!();
    let proxy = proxy();
    let scene = Scene::new("slow", &proxy, PATIENCE);
    let mut slow = scene.session(&scene.near, "slow");
    let mut next = scene.near.session(&scene.group, "next", &[&scene.input.topic]);
    let deadline = Instant::now() + PATIENCE;
    let revoked = loop {
        assert!(Instant::now() < deadline, "nothing was revoked within {PATIENCE:?}");
        assert!(
            !matches!(next.poll(Duration::from_millis(20)).unwrap(), Polled::Assigned(_)),
            "not given back yet"
        );
        if let Polled::Revoked(partitions) = slow.poll(Duration::from_millis(20)).unwrap() {
            break partitions;
        }
    };
    // The slow one neither polls nor answers; the next one waits for it only as long as it may take.
    scene.start(&mut next);
    scene.commit(&mut next, "next").unwrap();
    let late = scene.commit(&mut slow, "slow");
    assert!(matches!(late, Err(BrokerError::SessionLost(_))), "{late:?}");
    let released = slow.release(&revoked);
    assert!(matches!(released, Err(BrokerError::SessionLost(_))), "the session is over: {released:?}");
    assert_eq!(scene.published(), ["next"]);
}
