//! Reading.

use std::sync::Arc;

use super::writer::{AS_DIGITS, AS_IT_IS, BY_NUMBER};
use super::{Form, WireError, digits};
use crate::domain::Text;
use crate::domain::reference::Record;

/// What is left of the bytes of one record, and what was read of it that may come again.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    texts: Vec<Text>,
    records: Vec<Arc<Record>>,
    moment: i64,
}

/// About so many bytes hold one text.
const BYTES_PER_TEXT: usize = 16;

fn malformed(detail: impl Into<String>) -> WireError {
    WireError::Malformed { expected: "value of the log or of a store", detail: detail.into() }
}

impl<'a> Reader<'a> {
    /// Of the bytes of a record.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            texts: Vec::with_capacity(bytes.len() / BYTES_PER_TEXT),
            records: Vec::new(),
            moment: 0,
        }
    }

    /// Whether everything is read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Everything must be read.
    pub(crate) fn ends(&self) -> Result<(), WireError> {
        if self.is_at_end() { Ok(()) } else { Err(malformed("something follows it")) }
    }

    /// The byte that comes next, which is not taken.
    pub(crate) fn next(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> Result<u8, WireError> {
        let (&byte, rest) = self.bytes.split_first().ok_or_else(|| malformed("it ends early"))?;
        self.bytes = rest;
        Ok(byte)
    }

    /// So many bytes.
    pub(crate) fn raw(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.bytes.split_at_checked(len).ok_or_else(|| malformed("it ends early"))?;
        self.bytes = rest;
        Ok(bytes)
    }

    /// A number.
    pub(crate) fn number(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(malformed("a number does not end"))
    }

    /// A signed number.
    pub(crate) fn signed(&mut self) -> Result<i64, WireError> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    /// How many elements follow: no more than there are bytes.
    pub(crate) fn count(&mut self) -> Result<usize, WireError> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count <= self.bytes.len() { Ok(count) } else { Err(malformed("it ends early")) }
    }

    /// Which fields of a structure are said.
    pub(crate) fn said(&mut self, structure: &str, known: u64) -> Result<u64, WireError> {
        let said = self.number()?;
        if said & !known == 0 {
            return Ok(said);
        }
        Err(malformed(format!("{structure} has a field that a newer program wrote, or it is damaged")))
    }

    /// A moment.
    pub(super) fn moment(&mut self) -> Result<i64, WireError> {
        self.moment = self.moment.wrapping_add(self.signed()?);
        Ok(self.moment)
    }

    /// A text.
    pub(crate) fn text(&mut self) -> Result<Text, WireError> {
        let head = self.number()?;
        let number = usize::try_from(head >> 2).unwrap_or(usize::MAX);
        let text: Text = match head & 3 {
            BY_NUMBER => {
                return self.texts.get(number).cloned().ok_or_else(|| malformed("a text is not there"));
            }
            AS_IT_IS => {
                let bytes = self.raw(number)?;
                std::str::from_utf8(bytes).map_err(|_| malformed("a text is no UTF-8"))?.into()
            }
            AS_DIGITS => {
                let pairs = self.raw(digits::packed_len(number))?;
                digits::unpack(pairs, number).ok_or_else(|| malformed("digits are none"))?
            }
            _ => return Err(malformed("a text is written in a way that is not known here")),
        };
        self.texts.push(text.clone());
        Ok(text)
    }

    /// A reference record.
    pub(super) fn record(&mut self) -> Result<Arc<Record>, WireError> {
        let number = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        match number.checked_sub(1) {
            Some(number) => {
                self.records.get(number).cloned().ok_or_else(|| malformed("a reference record is not there"))
            }
            None => {
                let record = Arc::new(Record::read(self)?);
                self.records.push(record.clone());
                Ok(record)
            }
        }
    }
}
