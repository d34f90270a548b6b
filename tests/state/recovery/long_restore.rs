//! Restores that take longer than a group waits for a silent member: the session is polled meanwhile, and what was
//! restored stays when it is lost all the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tracewarden::broker::memory::MemorySession;
use tracewarden::broker::{BrokerError, NextOffset, OutRecord, Polled, Session, TopicPartition};
use tracewarden::engine::StageError;
use tracewarden::engine::worker::{OpenStore, WorkerOptions};
use tracewarden::pipeline::StageName;
use tracewarden::store::folder::Found;

use super::service::Service;
use super::snapshots::{Lost, lost};

/// A session that counts how often it is polled, and is lost at some poll.
struct Watched {
    session: MemorySession,
    polls: Arc<AtomicUsize>,
    lost_at: usize,
}

fn watched(service: &Service) -> Watched {
    Watched { session: service.session(StageName::Monitor), polls: Arc::default(), lost_at: usize::MAX }
}

impl Session for Watched {
    fn poll(&mut self, wait: Duration) -> Result<Polled, BrokerError> {
        let polled = self.session.poll(wait);
        if self.polls.fetch_add(1, Ordering::Relaxed) + 1 >= self.lost_at {
            return Err(BrokerError::SessionLost("its place was taken".to_owned()));
        }
        polled
    }

    fn committed(&mut self, partition: &TopicPartition) -> Result<Option<i64>, BrokerError> {
        self.session.committed(partition)
    }

    fn watermarks(&mut self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError> {
        self.session.watermarks(partition)
    }

    fn start(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError> {
        self.session.start(partitions)
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), BrokerError> {
        self.session.release(partitions)
    }

    fn lags(&mut self) -> Result<BTreeMap<TopicPartition, i64>, BrokerError> {
        self.session.lags()
    }

    fn commit(&mut self, outputs: Vec<OutRecord>, offsets: &[NextOffset]) -> Result<(), BrokerError> {
        self.session.commit(outputs, offsets)
    }

    fn close(&mut self) {
        self.session.close();
    }
}

/// How stores were found, in order.
type FoundSoFar = Arc<Mutex<Vec<Found>>>;

/// Opens stores as the service does; the first takes until `long_enough` is.
fn slow_opener(
    service: &Service,
    found_so_far: &FoundSoFar,
    mut long_enough: impl FnMut() -> bool + Send + 'static,
) -> OpenStore {
    let (mut open, found_so_far) = (service.opener(), Arc::clone(found_so_far));
    Box::new(move |partition, committed| {
        let opened = open(partition, committed)?;
        let is_first = found_so_far.lock().unwrap().is_empty();
        found_so_far.lock().unwrap().push(opened.1);
        let deadline = Instant::now() + Duration::from_secs(60);
        while is_first && !long_enough() {
            assert!(Instant::now() < deadline, "what it waits for does not happen");
            thread::yield_now();
        }
        Ok(opened)
    })
}

fn options() -> WorkerOptions {
    WorkerOptions {
        pass_time_every: None,
        poll_opening_after: Some(Duration::from_millis(1)),
        ..WorkerOptions::default()
    }
}

/// That the answer is right, and which stores were filled from the snapshot: the first alone.
fn assert_restored_once(lost: &Lost, found_so_far: &FoundSoFar) {
    let (first, later) = (Found::Snapshot(lost.offset), Found::Usable);
    assert_eq!(*found_so_far.lock().unwrap(), [first, later]);
    let fold = lost.service.published();
    assert_eq!(fold.gaps, [""; 0]);
    assert_eq!(lost.world.judged().difference(&fold.answer()), "");
}

#[test]
fn the_session_is_polled_while_a_partition_is_restored() {
    let root = tempfile::tempdir().unwrap();
    let lost = lost(root.path());
    let polls = Arc::new(AtomicUsize::new(0));
    let found_so_far = FoundSoFar::default();
    let seen = Arc::clone(&polls);
    // One poll brings the partitions; the others come while the store is opened.
    let opener = slow_opener(&lost.service, &found_so_far, move || seen.load(Ordering::Relaxed) > 5);
    let session = Watched { polls, ..watched(&lost.service) };
    let mut worker = lost.service.monitor(Box::new(session), opener, options());
    while !worker.step(Duration::ZERO).unwrap().is_idle() {}
    assert_eq!(*found_so_far.lock().unwrap(), [Found::Snapshot(lost.offset)]);
    assert_eq!(lost.world.judged().difference(&lost.service.published().answer()), "");
}

#[test]
fn a_worker_that_the_group_gave_up_meanwhile_goes_on_from_what_it_restored() {
    let root = tempfile::tempdir().unwrap();
    let lost = lost(root.path());
    let found_so_far = FoundSoFar::default();
    let broker = lost.service.broker().clone();
    let opener = slow_opener(&lost.service, &found_so_far, move || {
        broker.expire("monitor", "monitor");
        true
    });
    let session = Box::new(lost.service.session(StageName::Monitor));
    let mut worker = lost.service.monitor(session, opener, options());
    // It is told that everything was taken away, gives it back, and is given it again.
    while found_so_far.lock().unwrap().len() < 2 || !worker.step(Duration::ZERO).unwrap().is_idle() {
        worker.step(Duration::ZERO).unwrap();
    }
    assert_restored_once(&lost, &found_so_far);
}

#[test]
fn a_session_that_is_lost_meanwhile_leaves_a_whole_store_to_the_next() {
    let root = tempfile::tempdir().unwrap();
    let lost = lost(root.path());
    let found_so_far = FoundSoFar::default();
    let polls = Arc::new(AtomicUsize::new(0));
    let session = Watched { polls: Arc::clone(&polls), lost_at: 3, ..watched(&lost.service) };
    let opener = slow_opener(&lost.service, &found_so_far, move || polls.load(Ordering::Relaxed) >= 3);
    let mut worker = lost.service.monitor(Box::new(session), opener, options());
    let error = worker.step(Duration::ZERO).unwrap_err();
    assert!(matches!(error, StageError::Broker(BrokerError::SessionLost(_))), "{error}");
    drop(worker);
    let opener = slow_opener(&lost.service, &found_so_far, || true);
    let mut worker = lost.service.monitor(Box::new(watched(&lost.service)), opener, options());
    while !worker.step(Duration::ZERO).unwrap().is_idle() {}
    assert_restored_once(&lost, &found_so_far);
}
