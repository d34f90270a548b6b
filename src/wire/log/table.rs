//! The table of texts and reference records that the values of one record share.

use std::sync::Arc;

use foldhash::HashMap;
use prost::Message;

use super::{Wire, WireError, digits};
use crate::domain::Text;
use crate::domain::document::Origin;
use crate::domain::reference::{Record, Slice};
use crate::domain::time::Timestamp;
use crate::wire::pb_internal as pb;

/// Collects texts and records while values are written.
#[derive(Debug, Default)]
pub struct TableWriter {
    text_numbers: HashMap<Text, u32>,
    record_positions: HashMap<Arc<Record>, u32>,
    texts: Vec<Text>,
    records: Vec<(Arc<Record>, pb::ReferenceRecord)>,
    stamp_positions: HashMap<(Timestamp, Origin), u32>,
    stamps: Vec<pb::Stamp>,
    bytes: usize,
}

/// How full a table was at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    texts: usize,
    records: usize,
    bytes: usize,
}

/// Texts and records while values are read.
#[derive(Debug, Default)]
pub struct TableReader {
    texts: Vec<Text>,
    records: Vec<Arc<Record>>,
    stamps: Vec<(Timestamp, Origin)>,
}

/// The size of an element of a repeated field with a number below 16.
pub(crate) fn element_bytes(content_bytes: usize) -> usize {
    1 + prost::length_delimiter_len(content_bytes) + content_bytes
}

fn position(len: usize) -> u32 {
    // A record of the log is far smaller than 2^32 bytes; a text takes at least two of them.
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl TableWriter {
    /// The number of a text, from 1.
    pub(crate) fn text(&mut self, text: &Text) -> u32 {
        if let Some(number) = self.text_numbers.get(text) {
            return *number;
        }
        self.bytes += element_bytes(text.len());
        self.texts.push(text.clone());
        let number = position(self.texts.len());
        self.text_numbers.insert(text.clone(), number);
        number
    }

    /// The number of a text that may be absent: 0 then.
    pub(crate) fn optional(&mut self, text: &Option<Text>) -> u32 {
        text.as_ref().map_or(0, |text| self.text(text))
    }

    /// The numbers of a slice's records.
    pub(crate) fn slice(&mut self, slice: &Slice) -> pb::Slice {
        let records = slice.records().iter().map(|record| self.record(record)).collect();
        pb::Slice { version: slice.version, records }
    }

    fn record(&mut self, record: &Arc<Record>) -> u32 {
        if let Some(position) = self.record_positions.get(record) {
            return *position;
        }
        let message = record.to_message(self);
        self.bytes += element_bytes(message.encoded_len());
        let position = position(self.records.len());
        self.records.push((record.clone(), message));
        self.record_positions.insert(record.clone(), position);
        position
    }

    /// The position of a stamp: when a part was issued, and the upload that carried it. Only state values have them,
    /// which are written whole: they are not counted in [`TableWriter::encoded_bytes`].
    pub(crate) fn stamp(&mut self, issued_at: Timestamp, origin: &Origin) -> u32 {
        let stamp = (issued_at, origin.clone());
        if let Some(position) = self.stamp_positions.get(&stamp) {
            return *position;
        }
        let position = position(self.stamps.len());
        let issued_millis = issued_at.unix_millis();
        let topic = self.text(&origin.topic);
        self.stamps.push(pb::Stamp {
            issued_at: issued_millis,
            topic,
            partition: origin.partition,
            offset: origin.offset,
            received_after: origin.received_at.unix_millis().wrapping_sub(issued_millis),
        });
        self.stamp_positions.insert(stamp, position);
        position
    }

    /// How many bytes the table takes in a message.
    pub(crate) fn encoded_bytes(&self) -> usize {
        element_bytes(self.bytes)
    }

    /// Remembers how full the table is.
    pub(crate) fn mark(&self) -> Mark {
        Mark { texts: self.texts.len(), records: self.records.len(), bytes: self.bytes }
    }

    /// Takes out what was put in since the mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        for text in self.texts.drain(mark.texts.min(self.texts.len())..) {
            self.text_numbers.remove(&text);
        }
        for (record, _) in self.records.drain(mark.records.min(self.records.len())..) {
            self.record_positions.remove(&record);
        }
        self.bytes = mark.bytes;
    }

    /// The table, to go into the record with the values.
    pub(crate) fn finish(self) -> pb::Table {
        pb::Table {
            texts: self.texts.iter().map(|text| String::from(&**text)).collect(),
            records: self.records.into_iter().map(|(_, message)| message).collect(),
            stamps: self.stamps,
            packed_texts: Vec::new(),
        }
    }

    /// The table of a state value, texts of digits packed.
    pub(crate) fn finish_packed(mut self) -> pb::Table {
        let packed_texts = std::mem::take(&mut self.texts).iter().map(|text| digits::pack(text)).collect();
        pb::Table { packed_texts, ..self.finish() }
    }
}

impl TableReader {
    /// Reads a table; an absent one is empty.
    pub(crate) fn new(message: Option<pb::Table>) -> Result<Self, WireError> {
        let pb::Table { texts, records, stamps, packed_texts } = message.unwrap_or_default();
        let mut table = Self { texts: texts.into_iter().map(Text::from).collect(), ..Self::default() };
        for packed in &packed_texts {
            table.texts.push(digits::unpack(packed)?);
        }
        for record in &records {
            let record = Record::from_message(record, &table)?;
            table.records.push(Arc::new(record));
        }
        for stamp in stamps {
            let received_at = stamp.issued_at.wrapping_add(stamp.received_after);
            let origin = Origin {
                topic: table.text(stamp.topic, "stamp.topic")?,
                partition: stamp.partition,
                offset: stamp.offset,
                received_at: Timestamp::from_unix_millis(received_at),
            };
            table.stamps.push((Timestamp::from_unix_millis(stamp.issued_at), origin));
        }
        Ok(table)
    }

    /// A text that must be there.
    pub(crate) fn text(&self, number: u32, field: &'static str) -> Result<Text, WireError> {
        self.optional(number, field)?.ok_or(WireError::Field { field })
    }

    /// A text that may be absent.
    pub(crate) fn optional(&self, number: u32, field: &'static str) -> Result<Option<Text>, WireError> {
        let Some(index) = number.checked_sub(1) else {
            return Ok(None);
        };
        match self.texts.get(index as usize) {
            Some(text) => Ok(Some(text.clone())),
            None => Err(WireError::Field { field }),
        }
    }

    /// The stamp at a position.
    pub(crate) fn stamp(&self, position: u32) -> Result<(Timestamp, Origin), WireError> {
        self.stamps.get(position as usize).cloned().ok_or(WireError::Field { field: "stamp" })
    }

    /// The records of a slice; an absent message is an empty slice.
    pub(crate) fn slice(&self, message: &Option<pb::Slice>) -> Result<Slice, WireError> {
        let Some(message) = message else {
            return Ok(Slice::default());
        };
        let records: Option<Vec<Arc<Record>>> =
            message.records.iter().map(|position| self.records.get(*position as usize).cloned()).collect();
        match records {
            Some(records) => Ok(Slice::new(message.version, records)),
            None => Err(WireError::Field { field: "slice.records" }),
        }
    }
}
