//! The engine: what stages have in common, whatever they are about.
//!
//! It knows bytes, keys, partitions, time, transactions, recovery and snapshots, and nothing of codes. A pipeline brings
//! stages of two kinds: a [`Source`] reads what comes from outside and turns clocks into data; a [`Keyed`] stage reads
//! one internal topic, keeps state by key and has timers. One loop ([`worker`]) drives both.
//!
//! | file | what |
//! |---|---|
//! | [`worker`] | the loop: poll, collect, apply, commit, write |
//! | `owned` | a partition of a worker, and what its store has not seen yet |
//! | `assignment` | opening partitions, replaying what their state lacks, giving them back |
//! | [`stage`] | what the loop drives; the entries that the engine deals with itself |
//! | [`context`] | what an entry is applied to |
//! | `partition` | one partition's state with what is not committed yet: values, rows, timers, time and terms |
//! | `keyspace` | every key that a store holds |
//! | [`outbox`] | what a batch publishes |
//! | [`readers`] | committed state for other threads |
//! | [`topology`] | names and partitions of topics |
//! | [`watermark`] | time as data |
//! | [`snapshots`], `restore`, `provenance`, `gauges` | copies of state, the way back, whose log it is, how far behind |
//!
//! A worker takes a bounded batch, applies each record to (state, outbox), commits outputs and input offsets in one
//! transaction, and only then may the changes reach the store, together with the offset. What a record makes a stage
//! publish depends on the records before it in its partition, never on batch boundaries.

mod assignment;
pub mod context;
mod error;
mod gauges;
mod keyspace;
pub mod outbox;
mod owned;
mod partition;
mod provenance;
pub mod readers;
mod restore;
pub mod snapshots;
pub mod stage;
pub mod topology;
pub mod watermark;
pub mod worker;

use std::fmt::Debug;

pub use error::StageError;

use crate::broker::{Record, TopicPartition};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::wire::form::Writer;
use context::Context;
use outbox::{Carried, Outbox};
use topology::{StageRow, TopicName};

/// A stage that reads one internal topic and keeps state by key.
pub trait Keyed: Send + Sized + 'static {
    /// The topics of the pipeline.
    type Topic: TopicName;
    /// What the pipeline counts.
    type Tally: Tally;
    /// What its topic carries besides the engine's own entries.
    type Body: Carried<Self::Topic>;
    /// The state of one key.
    type State: State;

    /// Its row in the table of stages.
    fn row(&self) -> &'static StageRow<Self::Topic>;

    /// Most timers fired by one entry, where the terms in force do not say; the rest fires by the entries that follow.
    fn timers_per_entry_max(&self) -> usize;

    /// The clock that its timers go by: the time of the log, unless it says otherwise.
    fn timer_clock(cx: &Context<'_, Self>) -> Option<Timestamp> {
        cx.now()
    }

    /// Applies what one entry says.
    fn apply(&mut self, body: Self::Body, cx: &mut Context<'_, Self>) -> Result<(), StageError>;

    /// The timer of a key is due.
    fn wake(&mut self, key: &[u8], cx: &mut Context<'_, Self>) -> Result<(), StageError>;

    /// Time passed; the timers that were due have fired, or will by entries that follow.
    fn time_passed(&mut self, _: &mut Context<'_, Self>) {}
}

/// A stage that reads what comes from outside, keeps nothing, and is the only one to turn clocks into data.
pub trait Source: Send {
    /// The topics of the pipeline.
    type Topic: TopicName;
    /// What the pipeline counts.
    type Tally: Tally;

    /// Its row in the table of stages.
    fn row(&self) -> &'static StageRow<Self::Topic>;

    /// Takes one record in.
    fn take(
        &mut self,
        record: &Record,
        out: &mut Outbox<Self::Topic>,
        tally: &mut Self::Tally,
    ) -> Result<(), StageError>;

    /// The batch ends: what was put aside while it was taken in is published with it.
    fn batch_ends(&mut self, _: &mut Outbox<Self::Topic>) {}

    /// Lets time pass for a partition: called between batches with the wall clock and whether everything readable was
    /// read.
    fn pass_time(&mut self, source: &TopicPartition, clock: WallClock, out: &mut Outbox<Self::Topic>);

    /// Whether the inputs are the clock. Then time is passed on with every batch, in its transaction: a restart forgets
    /// what they said of it, and they do not say it again.
    fn inputs_are_the_clock(&self) -> bool;

    /// Nothing published since the last commit became visible: whatever was passed on is to be passed on again.
    fn aborted(&mut self);
}

/// What the worker knows of the time outside at one partition of its input.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    /// The wall clock.
    pub wall: Timestamp,
    /// Whether everything in the partition was read.
    pub caught_up: bool,
}

/// The state of one key, decoded.
pub trait State: Default + Send + 'static {
    /// Writes the bytes for the store.
    fn encode(&self, writer: &mut Writer);
    /// The state of those bytes; an unknown version or damage is an error that says so.
    fn decode(bytes: &[u8]) -> Result<Self, StoreError>;
    /// Whether nothing has to be kept.
    fn is_empty(&self) -> bool;
    /// The newest fact in it, by which it is forgotten some day; none: never.
    fn newest(&self) -> Option<Timestamp>;
    /// When its timer is due, if it has one. The engine looks before and after each entry, and moves the timer.
    fn due(&self) -> Option<Timestamp>;
}

/// What a pipeline counts: kept with a batch and added up only when it is committed, so that an aborted batch counts
/// nothing.
pub trait Tally: Clone + Default + Debug + Send {
    /// Adds what a committed batch counted.
    fn add(&mut self, batch: &Self);

    /// Tells the metrics of a committed batch.
    fn record(&self);

    /// More timers were due than one entry fires.
    fn timers_wait(&mut self);
}
