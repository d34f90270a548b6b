//! What the service answers, read as whoever pays reads it (read_committed), and whether it is what was planted.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::Deserialize;
use tracewarden::pipeline::topics::{Topic, Topology};

use super::workload::Workload;
use super::writer::document_id;

/// Answers that have not come this long after the one before are given up.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL_WAIT: Duration = Duration::from_millis(20);

/// Reads on a thread of its own, so that the one that sends can keep its time.
pub(crate) struct Reader {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    receiver: std::sync::mpsc::Receiver<Answer>,
}

/// One record of the outgoing topics.
struct Answer {
    arrived: Instant,
    document_id: String,
    what: What,
}

enum What {
    Raised,
    Withdrawn,
    Decided,
    DecidedProvisionally,
    Other,
}

/// When the first of each came, by the document it is about.
#[derive(Default)]
pub(crate) struct Answers {
    /// Alerts of the rule that catches what is planted.
    pub(crate) alerts: HashMap<String, Instant>,
    /// Final decisions.
    pub(crate) decisions: HashMap<String, Instant>,
    /// Decisions that had not waited for every verdict.
    pub(crate) provisional: usize,
    raised: usize,
    withdrawn: usize,
}

#[derive(Deserialize)]
struct AlertRecord {
    rule: String,
    status: String,
    subject: Side,
}

#[derive(Deserialize)]
struct DecisionRecord {
    claim: Side,
    provisional: bool,
    withdrawn: bool,
}

#[derive(Deserialize)]
struct Side {
    document_id: String,
}

impl Reader {
    /// Begins to read what there is and what comes.
    pub(crate) fn start(bootstrap: &str, topology: &Topology) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", "end-to-end")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .create()
            .expect("the settings are right");
        let mut list = TopicPartitionList::new();
        for partition in [Topic::Alerts, Topic::Decisions].iter().flat_map(|topic| topology.all(*topic)) {
            list.add_partition_offset(&partition.topic, partition.partition, Offset::Beginning)
                .expect("it is not there yet");
        }
        consumer.assign(&list).expect("the partitions are there");
        let (sender, receiver) = std::sync::mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let Some(message) = consumer.poll(POLL_WAIT) else { continue };
                let arrived = Instant::now();
                let message = message.expect("the broker answers");
                let payload = message.payload().expect("nothing is deleted");
                let answer =
                    Answer::read(arrived, message.topic().ends_with(Topic::Decisions.name()), payload);
                if sender.send(answer).is_err() {
                    return;
                }
            }
        });
        Self { stopped, thread, receiver }
    }

    /// Reads until there is an answer to everything, or nothing comes any more.
    pub(crate) fn read_until(&self, answers: &mut Answers, settlements: usize, planted: usize) {
        let mut deadline = Instant::now() + PATIENCE;
        while answers.decisions.len() < settlements || answers.alerts.len() < planted {
            match self.receiver.recv_timeout(POLL_WAIT) {
                Ok(answer) => {
                    answers.take(answer);
                    deadline = Instant::now() + PATIENCE;
                }
                Err(_) if Instant::now() >= deadline => return,
                Err(_) => {}
            }
        }
    }

    /// Ends; takes what came meanwhile.
    pub(crate) fn stop(self, answers: &mut Answers) {
        self.stopped.store(true, Ordering::Relaxed);
        self.thread.join().expect("it read to its end");
        self.receiver.try_iter().for_each(|answer| answers.take(answer));
    }
}

impl Answer {
    fn read(arrived: Instant, is_decision: bool, payload: &[u8]) -> Self {
        let (document_id, what) = if is_decision {
            let decision: DecisionRecord = serde_json::from_slice(payload).expect("a decision");
            let what = match (decision.withdrawn, decision.provisional) {
                (true, _) => What::Withdrawn,
                (false, true) => What::DecidedProvisionally,
                (false, false) => What::Decided,
            };
            (decision.claim.document_id, what)
        } else {
            let alert: AlertRecord = serde_json::from_slice(payload).expect("an alert");
            let what = match (&*alert.rule, &*alert.status) {
                ("duplicate_settlement", "raised") => What::Raised,
                ("duplicate_settlement", "withdrawn") => What::Withdrawn,
                _ => What::Other,
            };
            (alert.subject.document_id, what)
        };
        Self { arrived, document_id, what }
    }
}

impl Answers {
    fn take(&mut self, answer: Answer) {
        let Answer { arrived, document_id, what } = answer;
        match what {
            What::Raised => {
                self.raised += 1;
                self.alerts.entry(document_id).or_insert(arrived);
            }
            What::Withdrawn => self.withdrawn += 1,
            What::Decided => drop(self.decisions.entry(document_id).or_insert(arrived)),
            What::DecidedProvisionally => self.provisional += 1,
            What::Other => {}
        }
    }

    /// Fails where something was not found, or found that was not planted: then the figures are worth nothing.
    pub(crate) fn check(&self, workload: &Workload) {
        let undecided = workload.settlements().filter(|one| !self.decisions.contains_key(&document_id(one)));
        let missed = workload.planted().filter(|one| !self.alerts.contains_key(&document_id(one)));
        let (undecided, missed, planted) = (undecided.count(), missed.count(), workload.planted().count());
        assert!(planted > 0, "no second settlement is planted: take more codes");
        assert_eq!(undecided, 0, "settlements without a final decision");
        assert_eq!(missed, 0, "of {planted} second settlements so many were not found");
        assert_eq!(self.raised, planted, "more duplicates were raised than were planted");
        assert_eq!(self.withdrawn, 0, "something was withdrawn");
    }
}
