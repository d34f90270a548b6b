//! Partitions come and go: opening one from its store, saying how far its state is behind, giving it back.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::StageError;
use super::owned::{Owned, payload_bytes};
use super::restore::Restore;
use super::stage::{Kept, Stage};
use super::worker::Worker;
use crate::broker::{BrokerError, Polled, TopicPartition};
use crate::store::folder::Found;
use crate::store::memory::MemoryStore;
use crate::store::{Store, StoreError};

/// What the broker has of a partition that is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogReach {
    /// The first offset still there.
    pub first: i64,
    /// The committed offset; none when nothing was ever committed.
    pub committed: Option<i64>,
}

/// Opens the store of a partition, given what the broker has of it. What it returns is never ahead of the committed
/// offset: a store that is ahead saw a commit that did not happen, and is discarded. Without a committed offset there
/// is nothing to be ahead of: the store is returned as it is, for the worker to judge. So is one that the log no longer
/// reaches back to, unless something newer can take its place.
pub type OpenStore =
    Box<dyn FnMut(&TopicPartition, LogReach) -> Result<(Box<dyn Store>, Found), StoreError> + Send>;

/// A store on its way to be opened, with where it begins.
struct Opened {
    store: Box<dyn Store>,
    found: Found,
    start: i64,
}

impl<S: Stage> Worker<S> {
    /// Opens assigned partitions: from the store's offset, muted up to the committed one.
    pub(super) fn open(&mut self, assigned: &[TopicPartition]) -> Result<(), StageError> {
        let mut starts = Vec::with_capacity(assigned.len());
        let mut to_replay = 0;
        for source in assigned {
            let started = Instant::now();
            let (first, _) = self.session.watermarks(source)?;
            let known = self.session.committed(source)?;
            let committed = known.unwrap_or(first);
            let Opened { store, found, start } = match S::KEEPS_STATE {
                true => self.open_state(source, LogReach { first, committed: known })?,
                false => Opened {
                    store: Box::new(MemoryStore::default()),
                    found: Found::Nothing,
                    start: committed,
                },
            };
            if start < first {
                return Err(BrokerError::OffsetOutOfRange { partition: source.clone(), offset: start }.into());
            }
            to_replay += committed.saturating_sub(start);
            let mut kept = S::keep(store)?;
            // One record that the state has seen is read again, to tell whether this is its log.
            let read_from =
                if kept.knows_its_last_record() { start.saturating_sub(1).max(first) } else { start };
            let seat = self.options.readers.as_ref().map(|readers| readers.seat(source));
            if let Some(seat) = &seat {
                kept.hand_out(seat);
            }
            self.partitions.insert(
                source.clone(),
                Owned::new(seat, kept, start, committed, self.options.write_behind.clone()),
            );
            self.gauges.opened();
            if S::KEEPS_STATE {
                self.snapshots.opened(source);
                let mut restore = Restore::new(self.name(), source, found, start, committed, started);
                if !restore.reached(start) {
                    self.restores.insert(source.clone(), restore);
                }
            }
            starts.push((source.clone(), read_from));
        }
        tracing::info!(stage = self.name(), partitions = assigned.len(), to_replay, "partitions assigned");
        self.session.start(&starts)?;
        Ok(())
    }

    /// Opens the state of a partition, and refuses what cannot be brought up to date.
    fn open_state(&mut self, source: &TopicPartition, reach: LogReach) -> Result<Opened, StageError> {
        let (store, found) = self.open_while_polling(source, reach)?;
        let start = store.next_offset();
        // State is written after a commit, so there was one.
        if reach.committed.is_none() && start > 0 {
            return Err(StageError::OffsetsForgotten { partition: source.clone(), offset: start });
        }
        if start < reach.first {
            let (partition, first) = (source.clone(), reach.first);
            return Err(StageError::LogTrimmed { partition, offset: start, first });
        }
        Ok(Opened { store, found, start })
    }

    /// Opens a store, which may have to be filled from a snapshot first, on a thread of its own. When that takes long,
    /// the session is polled meanwhile, so that the group does not give this worker up; it answers with nothing until
    /// the partitions are started. When the session is lost all the same, the store is filled to its end first: the
    /// next session finds it on disk.
    fn open_while_polling(
        &mut self,
        source: &TopicPartition,
        reach: LogReach,
    ) -> Result<(Box<dyn Store>, Found), StageError> {
        let (open_store, session) = (&mut self.open_store, &mut self.session);
        let Some(poll_after) = self.options.poll_opening_after else { return Ok(open_store(source, reach)?) };
        let (done, opened) = mpsc::channel();
        thread::scope(|scope| {
            let opening = scope.spawn(move || {
                // The other end waits for this.
                let _ = done.send(open_store(source, reach));
            });
            let mut polled = Ok(Polled::Nothing);
            loop {
                match opened.recv_timeout(poll_after) {
                    Ok(store) => {
                        polled?;
                        return Ok(store?);
                    }
                    Err(RecvTimeoutError::Timeout) if polled.is_ok() => polled = session.poll(Duration::ZERO),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        // Joined here, the panic ends here.
                        drop(opening.join());
                        let reason = "the thread that opens a store panicked: this is a defect";
                        return Err(StoreError::Failed(reason.to_owned()).into());
                    }
                }
            }
        })
    }

    /// Gives partitions back, with everything that was read of them.
    pub(super) fn give_back(&mut self, revoked: &[TopicPartition]) -> Result<(), StageError> {
        let revoked_set: BTreeSet<&TopicPartition> = revoked.iter().collect();
        self.backlog.retain(|record| !revoked_set.contains(&record.source));
        self.backlog_bytes = self.backlog.iter().map(payload_bytes).sum();
        for partition in revoked {
            self.snapshots.closed(partition);
            if let Some(mut owned) = self.partitions.remove(partition) {
                owned.write()?;
            }
            self.restores.remove(partition);
            self.gauges.closed(partition);
            tracing::debug!(stage = self.name(), %partition, "partition given back");
        }
        tracing::info!(stage = self.name(), partitions = revoked.len(), "partitions given back");
        self.session.release(revoked)?;
        Ok(())
    }
}
