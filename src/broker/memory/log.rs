//! One partition of the in-memory broker: an append-only log with offsets.
//!
//! As in Kafka, offsets may have gaps: the end marker of a transaction takes one, and so do records that were
//! aborted. Whoever counts records by offsets, or waits for "the last offset minus one", is found out here too.
//! Only what is committed is stored, so every reader is read-committed.

use std::collections::VecDeque;

use crate::broker::{BrokerError, OutRecord, Record, TopicPartition};

/// The records of one partition.
#[derive(Debug)]
pub(super) struct Log {
    name: TopicPartition,
    start: i64,
    end: i64,
    records: VecDeque<Record>,
}

impl Log {
    pub(super) fn new(name: TopicPartition) -> Self {
        Self { name, start: 0, end: 0, records: VecDeque::new() }
    }

    /// The first offset still there.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// The next offset to be written.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    pub(super) fn append(&mut self, record: OutRecord, timestamp_millis: Option<i64>) -> i64 {
        let offset = self.end;
        self.records.push_back(Record {
            source: self.name.clone(),
            offset,
            timestamp_millis,
            key: record.key,
            payload: record.payload,
            headers: record.headers,
        });
        self.end += 1;
        offset
    }

    /// Offsets that no reader will ever see: aborted records, the end marker of a transaction.
    pub(super) fn skip(&mut self, offsets: i64) {
        self.end += offsets;
    }

    /// Drops what is before `start`, as retention does.
    pub(super) fn trim(&mut self, start: i64) {
        self.start = start.clamp(self.start, self.end);
        let gone = self.index_of(self.start);
        self.records.drain(..gone);
    }

    /// Up to `limit` records from an offset on.
    pub(super) fn read(&self, from: i64, limit: usize) -> Result<Vec<Record>, BrokerError> {
        self.check_within(from)?;
        Ok(self.records.range(self.index_of(from)..).take(limit).cloned().collect())
    }

    /// All records from an offset on. They are forgotten with those before them.
    pub(super) fn take(&mut self, from: i64) -> Result<Vec<Record>, BrokerError> {
        self.check_within(from)?;
        let taken = self.records.split_off(self.index_of(from));
        if let Some(last) = taken.back() {
            self.trim(last.offset + 1);
        }
        Ok(taken.into())
    }

    /// How many records there are at or after an offset.
    pub(super) fn lag(&self, from: i64) -> i64 {
        i64::try_from(self.records.len() - self.index_of(from)).unwrap_or(i64::MAX)
    }

    pub(super) fn check_within(&self, offset: i64) -> Result<(), BrokerError> {
        if offset < self.start || offset > self.end {
            return Err(BrokerError::OffsetOutOfRange { partition: self.name.clone(), offset });
        }
        Ok(())
    }

    fn index_of(&self, offset: i64) -> usize {
        self.records.partition_point(|record| record.offset < offset)
    }
}
