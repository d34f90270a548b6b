//! What a batch publishes: effects as data, until they are committed together with the input offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StageError;
use crate::broker::{Header, OutRecord, TopicPartition};
use crate::domain::alert::AlertChange;
use crate::domain::claim::{Claim, ClaimPaid, CodeVerdict, Decision};
use crate::domain::observation::CodeChange;
use crate::pipeline::StageRow;
use crate::pipeline::tally::Tally;
use crate::pipeline::topics::{Topic, Topology, document_key_bytes};
use crate::telemetry::limit::Limit;
use crate::wire::Format;
use crate::wire::log::entries::{self, ClaimEntry, DocumentEntry, ObservationEntry};
use crate::wire::outbound::deadletter::{self, DeadLetter};
use crate::wire::outbound::{alert, decision};

/// A larger alert is published with less evidence and fewer of the codes concerned, and says so.
const ALERT_BYTES_MAX: usize = 1 << 20;

/// Outputs of the current batch. While a partition is being rebuilt its outputs are dropped: they were published before.
pub struct Outbox {
    topology: Arc<Topology>,
    format: Format,
    record_bytes_max: usize,
    muted: bool,
    /// The stage that publishes.
    stage: Option<&'static StageRow>,
    /// The first topic published to that is not among the stage's.
    foreign: Option<Topic>,
    documents: BTreeMap<i32, Vec<DocumentEntry>>,
    observations: BTreeMap<i32, Vec<ObservationEntry>>,
    claims: BTreeMap<i32, Vec<ClaimEntry>>,
    records: Vec<OutRecord>,
}

impl Outbox {
    /// An empty outbox for an installation's topics.
    pub fn new(topology: Arc<Topology>, format: Format, record_bytes_max: usize) -> Self {
        Self {
            topology,
            format,
            record_bytes_max,
            muted: false,
            stage: None,
            foreign: None,
            documents: BTreeMap::new(),
            observations: BTreeMap::new(),
            claims: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    /// Whose outbox it is: from here on it publishes to the topics of that stage and to no others.
    pub(super) fn belongs_to(&mut self, stage: &'static StageRow) {
        self.stage = Some(stage);
    }

    fn note(&mut self, topic: Topic) {
        if self.stage.is_some_and(|stage| !stage.writes.contains(&topic)) {
            self.foreign.get_or_insert(topic);
        }
    }

    /// While muted, what is put in is dropped.
    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// The installation's topics.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// An entry for the partition of a document or alias.
    pub fn document(&mut self, entry: DocumentEntry, partition: i32) {
        if !self.muted {
            self.note(Topic::Documents);
            self.documents.entry(partition).or_default().push(entry);
        }
    }

    /// The partition of the `documents` topic that a document or alias belongs to.
    pub fn document_partition(&self, key: &crate::domain::document::DocumentKey) -> i32 {
        self.topology.partition_of(Topic::Documents, &document_key_bytes(key))
    }

    /// A change for the partition of its code.
    pub fn change(&mut self, change: CodeChange) {
        let partition = self.topology.partition_of(Topic::Observations, change.code.as_bytes());
        self.observation(ObservationEntry::Change(Box::new(change)), partition);
    }

    /// An entry for a partition of the `observations` topic.
    pub fn observation(&mut self, entry: ObservationEntry, partition: i32) {
        if !self.muted {
            self.note(Topic::Observations);
            self.observations.entry(partition).or_default().push(entry);
        }
    }

    /// A claim for its partition.
    pub fn claim(&mut self, claim: Claim) {
        let partition = self.topology.partition_of(Topic::Claims, &document_key_bytes(&claim.key));
        self.claim_entry(ClaimEntry::Claim(Box::new(claim)), partition);
    }

    /// A verdict for the partition of its claim.
    pub fn verdict(&mut self, verdict: CodeVerdict) {
        let partition = self.topology.partition_of(Topic::Claims, &document_key_bytes(&verdict.key));
        self.claim_entry(ClaimEntry::Verdict(Box::new(verdict)), partition);
    }

    /// What was paid for a claim, for the claim's partition.
    pub fn paid(&mut self, paid: ClaimPaid) {
        let partition = self.topology.partition_of(Topic::Claims, &document_key_bytes(&paid.key));
        self.claim_entry(ClaimEntry::Paid(Box::new(paid)), partition);
    }

    /// An entry for a partition of the `claims` topic.
    pub fn claim_entry(&mut self, entry: ClaimEntry, partition: i32) {
        if !self.muted {
            self.note(Topic::Claims);
            self.claims.entry(partition).or_default().push(entry);
        }
    }

    /// A revision of an alert, counted in the batch's tally.
    pub fn alert(&mut self, change: &AlertChange, tally: &mut Tally) {
        tally.alert(change);
        if !self.muted {
            let mut message = alert::encode(change, self.format);
            if message.payload.len() > ALERT_BYTES_MAX {
                tally.limit(Limit::AlertBytes);
                message = alert::encode(&change.cut_short(), self.format);
            }
            self.output(Topic::Alerts, message);
        }
    }

    /// A revision of a decision.
    pub fn decision(&mut self, decision: &Decision) {
        if !self.muted {
            let message = decision::encode(decision, self.format);
            self.output(Topic::Decisions, message);
        }
    }

    /// A refused input.
    pub fn dead_letter(&mut self, letter: &DeadLetter) {
        if !self.muted {
            let message = deadletter::encode(letter, self.format);
            self.output(Topic::Deadletter, message);
        }
    }

    fn output(&mut self, topic: Topic, message: crate::wire::Message) {
        self.note(topic);
        let target = self.topology.target(topic, &message.key);
        let headers = message.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        self.records.push(OutRecord {
            target,
            key: Some(message.key),
            payload: Some(message.payload),
            headers,
        });
    }

    /// Everything put in, as records: entries of one partition packed into few records, in the order they came. Fails when
    /// the stage may not publish some of it.
    pub(super) fn take_records(&mut self) -> Result<Vec<OutRecord>, StageError> {
        if let (Some(stage), Some(topic)) = (self.stage, self.foreign) {
            return Err(StageError::ForeignTopic { stage: stage.name, topic: topic.name() });
        }
        let mut records = Vec::new();
        let bytes_max = self.record_bytes_max;
        for (partition, entries) in std::mem::take(&mut self.documents) {
            self.pack(
                &mut records,
                Topic::Documents,
                partition,
                entries::encode_documents(&entries, bytes_max),
            );
        }
        for (partition, entries) in std::mem::take(&mut self.observations) {
            let payloads = entries::encode_observations(&entries, bytes_max);
            self.pack(&mut records, Topic::Observations, partition, payloads);
        }
        for (partition, entries) in std::mem::take(&mut self.claims) {
            self.pack(&mut records, Topic::Claims, partition, entries::encode_claims(&entries, bytes_max));
        }
        records.append(&mut self.records);
        Ok(records)
    }

    fn pack(&self, records: &mut Vec<OutRecord>, topic: Topic, partition: i32, payloads: Vec<Vec<u8>>) {
        records.extend(payloads.into_iter().map(|payload| OutRecord {
            target: TopicPartition::new(self.topology.name(topic).clone(), partition),
            key: None,
            payload: Some(payload),
            headers: Vec::new(),
        }));
    }

    /// Forgets everything put in.
    pub(super) fn clear(&mut self) {
        self.foreign = None;
        self.documents.clear();
        self.observations.clear();
        self.claims.clear();
        self.records.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::pipeline::StageName;
    use crate::wire::log::entries::Tick;

    #[test]
    fn a_stage_that_publishes_where_it_must_not_fails() {
        let topology = Arc::new(Topology::new("", 1, 1));
        let tick = || Tick { source: "a/0".into(), sources: 1, now: Timestamp::default(), wall: None };
        for stage in StageName::ALL {
            let row = stage.row();
            let mut outbox = Outbox::new(topology.clone(), Format::Json, usize::MAX);
            outbox.belongs_to(row);
            for topic in Topic::INTERNAL {
                outbox.clear();
                match topic {
                    Topic::Documents => outbox.document(DocumentEntry::Tick(tick()), 0),
                    Topic::Observations => outbox.observation(ObservationEntry::Tick(tick()), 0),
                    _ => outbox.claim_entry(ClaimEntry::Tick(tick()), 0),
                }
                let refused = outbox.take_records().err().map(|error| error.to_string());
                assert_eq!(refused.is_none(), row.writes.contains(&topic), "{}: {refused:?}", row.name);
            }
        }
    }
}
