//! Writing.

use std::sync::Arc;

use foldhash::HashMap;

use super::{Form, digits};
use crate::domain::reference::Record;

/// The bytes of one record, and what is written by number when it comes again.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    texts: Texts,
    /// Numbers of reference records by address; holding the records keeps their addresses theirs.
    records: HashMap<usize, (usize, Arc<Record>)>,
    /// The moment that was written last.
    moment: i64,
}

/// The texts that were written.
#[derive(Debug)]
struct Texts {
    /// All of them, one behind the other.
    bytes: Vec<u8>,
    /// Where each of them ends, by number.
    ends: Vec<usize>,
    /// One more than the number of a text, at the place of its hash. One that finds its place taken is written out again.
    places: Vec<u32>,
}

/// How far a record had come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bytes: usize,
    texts: usize,
    records: usize,
    moment: i64,
}

/// The ways to write a text, in the last bits of the number in front of it.
pub(super) const BY_NUMBER: u64 = 0;
pub(super) const AS_IT_IS: u64 = 1;
pub(super) const AS_DIGITS: u64 = 2;

/// Places for the texts of a value of a store, and of a record of the log: powers of two.
const PLACES_OF_VALUE: usize = 64;
const PLACES_OF_RECORD: usize = 2_048;

impl Mark {
    /// Whether there was more than so many bytes.
    pub(crate) fn has_more_than(&self, bytes: usize) -> bool {
        self.bytes > bytes
    }
}

impl Writer {
    /// For a value of a store.
    pub(crate) fn of_value() -> Self {
        Self::with_places(PLACES_OF_VALUE)
    }

    /// For a record of the log.
    pub(crate) fn of_record() -> Self {
        Self::with_places(PLACES_OF_RECORD)
    }

    fn with_places(places: usize) -> Self {
        let texts = Texts { bytes: Vec::new(), ends: Vec::new(), places: vec![0; places] };
        Self { bytes: Vec::with_capacity(256), texts, records: HashMap::default(), moment: 0 }
    }

    /// The bytes written.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of this record; the next one begins with nothing, in the same buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let record = self.bytes.as_slice().to_vec();
        self.begin_anew();
        record
    }

    /// Forgets what was written; what comes next is written in the same buffer.
    pub(crate) fn begin_anew(&mut self) {
        self.bytes.clear();
        self.texts.bytes.clear();
        self.texts.ends.clear();
        self.texts.places.fill(0);
        self.records.clear();
        self.moment = 0;
    }

    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How far it has come.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            texts: self.texts.ends.len(),
            records: self.records.len(),
            moment: self.moment,
        }
    }

    /// Takes back what was written since the mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.texts.ends.truncate(mark.texts);
        self.texts.bytes.truncate(self.texts.ends.last().copied().unwrap_or_default());
        self.records.retain(|_, (number, _)| *number < mark.records);
        self.moment = mark.moment;
    }

    /// One byte.
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes whose number is known.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A number, seven bits a byte.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(low_byte(number) | 0x80);
            number >>= 7;
        }
        self.bytes.push(low_byte(number));
    }

    /// A signed number, folded so that small ones are short.
    pub(crate) fn signed(&mut self, number: i64) {
        self.number((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    /// How many follow.
    pub(crate) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// A moment.
    pub(super) fn moment(&mut self, unix_millis: i64) {
        let before = std::mem::replace(&mut self.moment, unix_millis);
        self.signed(unix_millis.wrapping_sub(before));
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if let Some(number) = self.texts.number_of(bytes) {
            return self.number(number << 2 | BY_NUMBER);
        }
        let len = bytes.len() as u64;
        if digits::can_pack(bytes) {
            self.number(len << 2 | AS_DIGITS);
            digits::pack(bytes, &mut self.bytes);
        } else {
            self.number(len << 2 | AS_IT_IS);
            self.raw(bytes);
        }
    }

    /// A reference record: one more than its number, or nothing and the record.
    pub(super) fn record(&mut self, record: &Arc<Record>) {
        let number = self.records.len();
        match self.records.get(&Arc::as_ptr(record).addr()) {
            Some((number, _)) => self.count(number.saturating_add(1)),
            None => {
                self.records.insert(Arc::as_ptr(record).addr(), (number, record.clone()));
                self.byte(0);
                record.as_ref().write(self);
            }
        }
    }
}

fn low_byte(number: u64) -> u8 {
    (number & 0xff) as u8
}

impl Texts {
    /// The number of a text that was written; one that was not is remembered.
    fn number_of(&mut self, text: &[u8]) -> Option<u64> {
        let at = hash(text) & self.places.len().wrapping_sub(1);
        let known = self.places.get(at).copied().unwrap_or_default();
        if known > 0 && self.text(known) == Some(text) {
            return Some(u64::from(known - 1));
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        let number = u32::try_from(self.ends.len()).unwrap_or_default();
        self.places.get_mut(at).into_iter().for_each(|place| *place = number);
        None
    }

    /// A text by one more than its number.
    fn text(&self, number: u32) -> Option<&[u8]> {
        let end = *self.ends.get(number as usize - 1)?;
        let start =
            (number as usize).checked_sub(2).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..end)
    }
}

/// Of the ends of a text and its length: texts of one record differ there.
fn hash(text: &[u8]) -> usize {
    let ends = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => text.iter().fold(0, |ends, byte| ends << 8 | u64::from(*byte)),
    };
    (((ends ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 40) as usize
}
