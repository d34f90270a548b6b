//! What the loop drives: a stage of either kind, and what is kept of a partition.

use super::context::Context;
use super::partition::PartitionState;
use super::readers::{Look, Seat};
use super::topology::{StageRow, TopicName};
use super::watermark::Watermark;
use super::{Keyed, Outbox, Source, StageError, Tally, WallClock};
use crate::broker::{Record, TopicPartition};
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError, View};
use crate::wire::entries::{self, Entry};

/// A stage as the loop sees it: [`KeyedStage`] or [`SourceStage`].
pub trait Stage: Send {
    /// The topics of the pipeline.
    type Topic: TopicName;
    /// What the pipeline counts.
    type Tally: Tally;
    /// What is kept of a partition.
    type Kept: Kept;

    /// Its row in the table of stages.
    fn row(&self) -> &'static StageRow<Self::Topic>;

    /// Whether it keeps state; a stage without state starts where the group has committed and replays nothing.
    const KEEPS_STATE: bool;

    /// What is kept of a partition whose store is this.
    fn keep(store: Box<dyn Store>) -> Result<Self::Kept, StoreError>;

    /// Applies one record.
    fn apply(
        &mut self,
        record: &Record,
        kept: &mut Self::Kept,
        out: &mut Outbox<Self::Topic>,
        tally: &mut Self::Tally,
    ) -> Result<(), StageError>;

    /// The batch ends.
    fn batch_ends(&mut self, _: &mut Outbox<Self::Topic>) {}

    /// Lets time pass for a partition.
    fn pass_time(&mut self, _: &TopicPartition, _: WallClock, _: &mut Outbox<Self::Topic>) {}

    /// Whether time is passed on with every batch.
    fn inputs_are_the_clock(&self) -> bool {
        false
    }

    /// Nothing published since the last commit became visible.
    fn aborted(&mut self) {}
}

/// What is kept of a partition between records. The defaults are of those that keep nothing.
pub trait Kept: Send {
    /// A record was applied.
    fn applied(&mut self, _: &Record) {}

    /// Whether a record that is not to be applied again may have been seen by this state, whose next offset is given.
    fn may_have_seen(&self, _: &Record, _: i64) -> bool {
        true
    }

    /// Whether the state can tell its log from another one by the record before its offset.
    fn knows_its_last_record(&self) -> bool {
        false
    }

    /// What was applied so far is kept as the store will have it.
    fn encode(&mut self) {}

    /// What was applied is committed. How much was forgotten.
    fn committed(&mut self) -> Result<usize, StoreError> {
        Ok(0)
    }

    /// How many bytes of what is committed are not written.
    fn unwritten_bytes(&self) -> usize {
        0
    }

    /// What was committed since the last write is written, with the offset.
    fn write(&mut self, _: i64) -> Result<(), StoreError> {
        Ok(())
    }

    /// What was applied since the last commit never happened.
    fn roll_back(&mut self) {}

    /// What is in the store, for a snapshot.
    fn view(&self) -> Option<View> {
        None
    }

    /// How far its sources have come.
    fn watermark(&self) -> Option<&Watermark> {
        None
    }

    /// Looks at what is committed.
    fn look(&self, _: Look<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    /// Lets other threads read what is committed, from the seat.
    fn hand_out(&mut self, _: &Seat) {}
}

/// Nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Kept for Nothing {}

/// A keyed stage in the loop.
#[derive(Clone, Debug)]
pub struct KeyedStage<K>(pub K);

/// A source in the loop.
#[derive(Clone, Debug)]
pub struct SourceStage<S>(pub S);

impl<S: Source> Stage for SourceStage<S> {
    type Topic = S::Topic;
    type Tally = S::Tally;
    type Kept = Nothing;

    const KEEPS_STATE: bool = false;

    fn row(&self) -> &'static StageRow<S::Topic> {
        self.0.row()
    }

    fn keep(_: Box<dyn Store>) -> Result<Nothing, StoreError> {
        Ok(Nothing)
    }

    fn apply(
        &mut self,
        record: &Record,
        _: &mut Nothing,
        out: &mut Outbox<S::Topic>,
        tally: &mut S::Tally,
    ) -> Result<(), StageError> {
        self.0.take(record, out, tally)
    }

    fn batch_ends(&mut self, out: &mut Outbox<S::Topic>) {
        self.0.batch_ends(out);
    }

    fn pass_time(&mut self, source: &TopicPartition, clock: WallClock, out: &mut Outbox<S::Topic>) {
        self.0.pass_time(source, clock, out);
    }

    fn inputs_are_the_clock(&self) -> bool {
        self.0.inputs_are_the_clock()
    }

    fn aborted(&mut self) {
        self.0.aborted();
    }
}

impl<K: Keyed> Stage for KeyedStage<K> {
    type Topic = K::Topic;
    type Tally = K::Tally;
    type Kept = PartitionState<K::State>;

    const KEEPS_STATE: bool = true;

    fn row(&self) -> &'static StageRow<K::Topic> {
        self.0.row()
    }

    fn keep(store: Box<dyn Store>) -> Result<Self::Kept, StoreError> {
        PartitionState::open(store)
    }

    fn apply(
        &mut self,
        record: &Record,
        kept: &mut Self::Kept,
        out: &mut Outbox<K::Topic>,
        tally: &mut K::Tally,
    ) -> Result<(), StageError> {
        let payload = record.payload.as_deref().unwrap_or_default();
        let unreadable =
            |error| StageError::Unreadable { partition: record.source.clone(), offset: record.offset, error };
        let written_at = Timestamp::from_unix_millis(record.timestamp_millis.unwrap_or_default());
        let mut cx = Context { state: kept, out, tally, partition: record.source.partition, written_at };
        for entry in entries::read(payload).map_err(unreadable)? {
            self.apply_entry(entry.map_err(unreadable)?, &mut cx)?;
            cx.state.settle_timers();
        }
        Ok(())
    }
}

impl<K: Keyed> KeyedStage<K> {
    fn apply_entry(&mut self, entry: Entry<K::Body>, cx: &mut Context<'_, K>) -> Result<(), StageError> {
        match entry {
            Entry::Body(body) => self.0.apply(*body, cx)?,
            Entry::Tick(tick) => {
                cx.facts().time_passes(&tick);
                self.fire_timers(cx)?;
                self.0.time_passed(cx);
            }
            Entry::FireMore => self.fire_timers(cx)?,
            Entry::Terms(terms) => cx.facts().put_in_force(*terms),
        }
        Ok(())
    }

    /// Wakes the keys whose timers are due, in order of (due time, key), so many of them at most; an entry that follows
    /// goes on with the others.
    fn fire_timers(&mut self, cx: &mut Context<'_, K>) -> Result<(), StageError> {
        let Some(time) = K::timer_clock(cx) else { return Ok(()) };
        let at_once_max = cx.terms().timers_per_entry_max.unwrap_or(self.0.timers_per_entry_max()).max(1);
        let due = cx.state.due_timers(time, at_once_max.saturating_add(1))?;
        for key in due.iter().take(at_once_max) {
            self.0.wake(key, cx)?;
            cx.state.settle_timers();
        }
        if due.len() > at_once_max {
            cx.tally.timers_wait();
            cx.out.send_to(cx.partition, Entry::<K::Body>::FireMore);
        }
        Ok(())
    }
}
