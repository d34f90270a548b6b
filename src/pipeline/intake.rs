//! Intake: decodes, validates and normalises uploads, makes persons pseudonyms, attaches reference data, and
//! sends every refused input to the dead letters with its reason.
//!
//! It is the only stage that turns clocks into data. Its word for an input partition is the wall clock when
//! everything there was read, else the timestamp of the record last read: a backlog holds time back.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::StageName;
use super::outputs::Outputs;
use super::received::{self, Receiving, Sender};
use super::tally::Tally;
use super::topics::{Topic, Topology, document_key_bytes};
use crate::broker::{Record, TopicPartition};
use crate::domain::Text;
use crate::domain::document::lending::alias_by_settlement_id;
use crate::domain::document::{DocumentKey, Origin, Upload};
use crate::domain::horizon;
use crate::domain::outcome::{IgnoredBecause, InputOutcome, RejectReason};
use crate::domain::reference::Book;
use crate::domain::sender::Received;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::outbox::Outbox;
use crate::engine::topology::StageRow;
use crate::engine::{Source, StageError, WallClock};
use crate::telemetry::limit::Limit;
use crate::wire::entries::{DocumentEntry, Tick};
use crate::wire::inbound::intake::{self, Decoded, DecodedUpload, Door, Input, Limits};
use crate::wire::inbound::nhsa::medical::MedicalTypes;
use crate::wire::inbound::notes::Notes;
use crate::wire::inbound::pseudonym::Pseudonymiser;
use crate::wire::inbound::reject::{Reject, Words};
use crate::wire::outbound::deadletter::DeadLetter;

/// Where time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The wall clock where everything was read, else the timestamp of the record last read.
    Wall,
    /// The greatest `issued_at` of the uploads not rejected, and control records: per input partition.
    Uploads,
    /// The same over everything one intake reads: for a replay, where a single intake reads all inputs.
    UploadsOfAll,
}

/// How time is passed on for an input partition where nothing comes: every tick is written to all partitions behind it,
/// so an idle service would fill its topics with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idling {
    /// A partition is idle when nothing came for this long.
    pub after: Millis,
    /// Time between two ticks of an idle partition.
    pub tick_every: Millis,
}

/// Reference data shared between the one who keeps it up to date and those who attach it.
pub type SharedBook = Arc<RwLock<Book>>;

/// Most reference records that the parts of one upload may name: keeps its entry well below the largest record.
const REFERENCE_RECORDS_MAX: usize = 20_000;

/// A longer key of a refused record is not repeated.
const RECORD_KEY_BYTES_MAX: usize = 512;

/// Name of the only source under [`Clock::UploadsOfAll`].
const ALL_INPUTS: &str = "inputs";
/// Headers by which a replay says which file and line a record came from.
pub const FILE_HEADER: &str = "tracewarden-file";
/// See [`FILE_HEADER`].
pub const LINE_HEADER: &str = "tracewarden-line";

/// The intake stage.
#[derive(Clone)]
pub struct Intake {
    /// Names and partitions of the topics.
    pub topology: Arc<Topology>,
    /// Reference data, attached to every part.
    pub book: SharedBook,
    /// What is accepted at most.
    pub limits: Limits,
    /// Makes persons pseudonyms.
    pub pseudonymiser: Pseudonymiser,
    /// What medical types of the national interface are called.
    pub medical_types: MedicalTypes,
    /// Where time comes from.
    pub clock: Clock,
    /// Whether the records are lines of files: then file and line are read from headers (nobody outside is trusted
    /// with them), the topic follows from the kind, and an upload is received when it was issued.
    pub reads_files: bool,
    /// How far back uploads are accepted; none: by the limits only.
    pub horizon: Option<Millis>,
    /// How time is passed on where nothing comes, under [`Clock::Wall`]; none: as everywhere.
    pub idling: Option<Idling>,
    /// How dead letters are published.
    pub outputs: Outputs,
    sources: BTreeMap<Text, SourceTime>,
    moved_by: Option<(Origin, Timestamp)>,
    receiving: Receiving,
}

/// How far one source has come.
#[derive(Clone, Copy, Debug, Default)]
struct SourceTime {
    /// The timestamp of the record last read, or the greatest issued_at and control time: by the clock.
    reached: Option<Timestamp>,
    /// What was passed on last.
    passed_on: Option<Timestamp>,
    /// Whether something came since the last look at the clock.
    heard: bool,
    /// The last look at the clock before which something had come.
    heard_at: Option<Timestamp>,
}

impl SourceTime {
    /// Whether nothing came for long, and time was passed on not long ago.
    fn may_rest(&mut self, wall: Timestamp, idling: Idling) -> bool {
        if std::mem::take(&mut self.heard) || self.heard_at.is_none() {
            self.heard_at = Some(wall);
        }
        let is_within = |moment: Option<Timestamp>, length: Millis| {
            moment.is_some_and(|moment| moment <= wall && moment.distance(wall) < length)
        };
        !is_within(self.heard_at, idling.after) && is_within(self.passed_on, idling.tick_every)
    }
}

impl Intake {
    /// An intake that has read nothing yet.
    pub fn new(
        topology: Arc<Topology>,
        book: SharedBook,
        limits: Limits,
        pseudonymiser: Pseudonymiser,
        clock: Clock,
    ) -> Self {
        Self {
            topology,
            book,
            limits,
            pseudonymiser,
            medical_types: MedicalTypes::default(),
            clock,
            reads_files: false,
            horizon: None,
            idling: None,
            outputs: Outputs::default(),
            sources: BTreeMap::new(),
            moved_by: None,
            receiving: Receiving::default(),
        }
    }

    /// The upload that moved time furthest, and to where it did, where uploads are the clock. A control record may have
    /// moved it further since.
    pub fn moved_by(&self) -> Option<(&Origin, Timestamp)> {
        self.moved_by.as_ref().map(|(origin, moment)| (origin, *moment))
    }

    /// The greatest time reached by any source: what a replay compares with the time it has passed on.
    pub fn reached(&self) -> Option<Timestamp> {
        self.sources.values().filter_map(|source| source.reached).max()
    }

    fn source_name(&self, source: &TopicPartition) -> Text {
        match (self.clock, self.topology.topic(&source.topic)) {
            (Clock::UploadsOfAll, _) | (_, None) => ALL_INPUTS.into(),
            (_, Some(topic)) => format!("{}/{}", topic.name(), source.partition).into(),
        }
    }

    fn sources_expected(&self) -> u32 {
        match self.clock {
            Clock::UploadsOfAll => 1,
            Clock::Wall | Clock::Uploads => {
                Topic::INPUTS.iter().map(|topic| self.topology.partitions(*topic).unsigned_abs()).sum()
            }
        }
    }

    fn reach(&mut self, source: &TopicPartition, time: Timestamp) {
        let name = self.source_name(source);
        let source = self.sources.entry(name).or_default();
        source.heard = true;
        let reached = &mut source.reached;
        *reached = match self.clock {
            // Record timestamps may step back; the newest record is the one that counts.
            Clock::Wall => Some(time),
            Clock::Uploads | Clock::UploadsOfAll => (*reached).max(Some(time)),
        };
    }

    fn origin(&self, record: &Record) -> Origin {
        let received_at = Timestamp::from_unix_millis(record.timestamp_millis.unwrap_or_default());
        let header = |name: &str| std::str::from_utf8(record.header(name)?).ok();
        if self.reads_files
            && let (Some(file), Some(line)) = (header(FILE_HEADER), header(LINE_HEADER))
        {
            let offset = line.parse().unwrap_or_default();
            return Origin { topic: file.into(), partition: 0, offset, received_at };
        }
        let topic = record.source.topic.clone().into();
        Origin { topic, partition: record.source.partition, offset: record.offset, received_at }
    }

    /// Sends the upload, with its aliases, to the partitions of their keys. Refuses an upload that names so many products
    /// that its record could not be sent.
    fn pass_on(&self, decoded: DecodedUpload, out: &mut Outbox<Topic>) -> Result<(), Reject> {
        let DecodedUpload { upload, mut aliases, reference_records } = decoded;
        if let Upload::Version(version) = &upload
            && let Some(alias) = alias_by_settlement_id(version)
            && !aliases.contains(&alias)
        {
            aliases.push(alias);
        }
        let (member, received_at) = (upload.key().clone(), upload.origin().received_at);
        if reference_records > REFERENCE_RECORDS_MAX {
            return Err(Reject::over_limit(
                "lines",
                REFERENCE_RECORDS_MAX,
                Words::new("条基础数据", "reference records"),
            )
            .about(&member.institution_id, &member.document_id));
        }
        out.send(&document_key_bytes(&member), DocumentEntry::Upload(upload));
        for alias in aliases {
            let key = document_key_bytes(&alias);
            out.send(&key, DocumentEntry::Alias { alias, member: member.clone(), received_at });
        }
        Ok(())
    }
}

impl Source for Intake {
    type Topic = Topic;
    type Tally = Tally;

    fn row(&self) -> &'static StageRow<Topic> {
        StageName::Intake.row()
    }

    fn take(
        &mut self,
        record: &Record,
        out: &mut Outbox<Topic>,
        tally: &mut Tally,
    ) -> Result<(), StageError> {
        let origin = self.origin(record);
        let record_timestamp = record.timestamp_millis.map(Timestamp::from_unix_millis);
        if self.clock == Clock::Wall
            && let Some(timestamp) = record_timestamp
        {
            self.reach(&record.source, timestamp);
        }
        let input = Input {
            inlet: self
                .topology
                .topic(&record.source.topic)
                .and_then(Topic::inlet)
                .filter(|_| !self.reads_files),
            content_type: record.header("content-type"),
            payload: record.payload.as_deref().unwrap_or_default(),
            origin: &origin,
            record_timestamp,
        };
        let Some(topic) = self.topology.topic(&record.source.topic) else {
            return Err(StageError::UnknownTopic { topic: record.source.topic.clone() });
        };
        tally.read(topic);
        let book = self.book.clone();
        let book = book.read().unwrap_or_else(PoisonError::into_inner);
        let door = Door {
            limits: &self.limits,
            pseudonymiser: &self.pseudonymiser,
            medical_types: &self.medical_types,
            book: &book,
        };
        let decoded = intake::take_in(&input, &door);
        let sender = Sender::of(&decoded, topic);
        let received = self.take_decoded(decoded, topic, &origin, record, out, tally);
        if let Some(sender) = sender {
            let received_on = record_timestamp.filter(|_| !self.reads_files).map(Timestamp::day);
            self.receiving.add(sender, received_on, &received);
        }
        Ok(())
    }

    fn batch_ends(&mut self, out: &mut Outbox<Topic>) {
        self.receiving.send(out);
    }

    fn pass_time(&mut self, source: &TopicPartition, outside: WallClock, out: &mut Outbox<Topic>) {
        let name = self.source_name(source);
        let sources = self.sources_expected();
        let clock = self.clock;
        let time = self.sources.entry(name.clone()).or_default();
        let (now, wall) = match clock {
            Clock::Wall if outside.caught_up => (Some(outside.wall), Some(outside.wall)),
            // A timestamp is the producer's word: one ahead of the clock moves nothing ahead of it.
            Clock::Wall => (time.reached.map(|reached| reached.min(outside.wall)), Some(outside.wall)),
            Clock::Uploads | Clock::UploadsOfAll => (time.reached, None),
        };
        let Some(now) = now else { return };
        if let (Some(wall), true, Some(idling)) = (wall, outside.caught_up, self.idling)
            && time.may_rest(wall, idling)
        {
            return;
        }
        if wall.is_none() && time.passed_on.is_some_and(|passed_on| passed_on >= now) {
            return;
        }
        time.passed_on = Some(now);
        out.tick::<DocumentEntry>(&Tick { source: name, sources, now, wall });
    }

    fn inputs_are_the_clock(&self) -> bool {
        self.clock == Clock::Uploads
    }

    fn aborted(&mut self) {
        self.receiving.forget();
        for source in self.sources.values_mut() {
            source.passed_on = None;
        }
    }
}

impl Intake {
    /// Passes on what a record turned out to be, and counts it; what is to be counted of its sender.
    fn take_decoded(
        &mut self,
        decoded: Decoded,
        topic: Topic,
        origin: &Origin,
        record: &Record,
        out: &mut Outbox<Topic>,
        tally: &mut Tally,
    ) -> Received {
        match decoded {
            Decoded::Uploads { uploads, mut refused, notes } => {
                take_note(&notes, origin, tally);
                let passed_on = self.take_uploads(uploads, &mut refused, topic, record, out, tally);
                if passed_on == 0 {
                    self.refuse_record(&refused, topic, origin, record, out, tally);
                    return received::refused(&refused);
                }
                tally.input(topic, InputOutcome::Decoded);
                for reject in &refused {
                    *tally.rejected_uploads.entry(reject.reason).or_default() += 1;
                    self.send_dead_letter(reject, origin, record, out);
                }
                received::used(passed_on, &refused, &notes)
            }
            Decoded::Ignored { because, .. } => {
                tally.ignored(topic, because);
                Received { ignored: 1, ..Received::default() }
            }
            Decoded::Tick { at } => {
                tally.ignored(topic, IgnoredBecause::Control);
                if self.clock != Clock::Wall {
                    self.reach(&record.source, at);
                }
                Received::default()
            }
            Decoded::Rejected(rejects) => {
                self.refuse_record(&rejects, topic, origin, record, out, tally);
                received::refused(&rejects)
            }
        }
    }

    /// Passes uploads on, and adds to `refused` those that cannot be. How many were passed on.
    fn take_uploads(
        &mut self,
        uploads: Vec<DecodedUpload>,
        refused: &mut Vec<Reject>,
        topic: Topic,
        record: &Record,
        out: &mut Outbox<Topic>,
        tally: &mut Tally,
    ) -> u64 {
        let mut passed_on = 0;
        for mut upload in uploads {
            if self.reads_files {
                upload.upload.receive_when_issued();
            }
            let (issued_at, origin) = (upload.upload.issued_at(), upload.upload.origin().clone());
            if let Some(horizon) =
                self.horizon.filter(|horizon| horizon::is_refused(&upload.upload, *horizon))
            {
                refused.push(before_horizon(upload.upload.key(), horizon));
                continue;
            }
            if let Err(reject) = self.pass_on(upload, out) {
                tally.limit(Limit::ReferenceRecords);
                refused.push(reject);
                continue;
            }
            passed_on += 1;
            if self.clock != Clock::Wall {
                if Some(issued_at) > self.reached() {
                    self.moved_by = Some((origin, issued_at));
                }
                self.reach(&record.source, issued_at);
            }
        }
        *tally.derived.entry(topic).or_default() += passed_on;
        passed_on
    }

    /// Refuses a record of which nothing could be used.
    fn refuse_record(
        &self,
        rejects: &[Reject],
        topic: Topic,
        origin: &Origin,
        record: &Record,
        out: &mut Outbox<Topic>,
        tally: &mut Tally,
    ) {
        tally.input(topic, InputOutcome::Rejected(received::reason(rejects)));
        for reject in rejects {
            self.send_dead_letter(reject, origin, record, out);
        }
    }

    fn send_dead_letter(&self, reject: &Reject, origin: &Origin, record: &Record, out: &mut Outbox<Topic>) {
        let record_key = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
        let is_bearable = |key: &&str| !key.is_empty() && key.len() <= RECORD_KEY_BYTES_MAX;
        let letter = DeadLetter {
            origin: origin.clone(),
            record_key: record_key.filter(is_bearable).map(str::to_owned),
            reason: reject.reason,
            field: reject.field.clone(),
            text: reject.text.as_ref().clone(),
            institution_id: reject.institution_id.clone(),
            document_id: reject.document_id.clone(),
        };
        self.outputs.dead_letter(&letter, out);
    }
}

/// Counts what was read leniently and what was left out; which fields those were stands in the log too.
fn take_note(notes: &Notes, origin: &Origin, tally: &mut Tally) {
    tally.take_note(notes);
    if !notes.left_out.is_empty() {
        let fields: Vec<&str> = notes.left_out.keys().copied().collect();
        let Origin { topic, partition, offset, .. } = origin;
        tracing::debug!(%topic, partition, offset, ?fields, "optional fields that cannot be read are left out");
    }
}

fn before_horizon(document: &DocumentKey, horizon: Millis) -> Reject {
    let days = horizon.get() / Millis::from_days(1).get();
    Reject::said(
        RejectReason::TimeOutOfRange,
        format!("所报时间比接收时间早 {days} 天以上，已按 store.horizon_days 清除。"),
        format!(
            "This is about a moment more than {days} days before it was received, which is forgotten by \
             store.horizon_days."
        ),
    )
    .about(&document.institution_id, &document.document_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLING: Idling = Idling { after: Millis::new(30_000), tick_every: Millis::new(10_000) };

    /// At which of these seconds a partition passes time on, when something comes just before some of them.
    fn ticks(heard_at: &[i64], seconds: std::ops::RangeInclusive<i64>) -> Vec<i64> {
        let mut source = SourceTime::default();
        let mut ticks = Vec::new();
        for second in seconds {
            let wall = Timestamp::from_unix_millis(second * 1000);
            source.heard |= heard_at.contains(&second);
            if !source.may_rest(wall, IDLING) {
                source.passed_on = Some(wall);
                ticks.push(second);
            }
        }
        ticks
    }

    #[test]
    fn a_partition_where_nothing_comes_ticks_rarely_and_at_once_when_something_does() {
        let busy: Vec<i64> = (0..30).collect();
        assert_eq!(ticks(&[], 0..=60), [&busy[..], &[39, 49, 59]].concat());
        let (first, again): (Vec<i64>, Vec<i64>) = ((0..30).collect(), (45..75).collect());
        assert_eq!(ticks(&[45], 0..=85), [&first[..], &[39], &again[..], &[84]].concat());
    }
}
