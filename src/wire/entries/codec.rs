//! Batches of entries of one partition as few records, and back.
//!
//! A record is a byte that says which form it has, and its entries one behind the other. It is filled until the next entry
//! would take it over `record_bytes_max`. An entry that is larger than that by itself gets a record of its own: the
//! limits on documents keep it below what the broker takes.

use super::{ClaimEntry, DocumentEntry, Entry, LoanRest, NoBody, Tick};
use crate::domain::observation::CodeChange;
use crate::wire::WireError;
use crate::wire::form::{Form, Reader, Writer, alternatives, read_terms, structures, write_terms};

/// Of what the entries look like. It goes up with every change that makes them unreadable to those who knew the one
/// before. Forms 1 and 2 were messages of protobuf, which begin with a 10; in form 3 nobody said that he borrows.
const FORM: u8 = 4;

/// What an internal topic carries besides the engine's own entries. Each begins with a number that no other topic's has.
pub trait Body: Form + Send + 'static {
    /// Writes it.
    fn write_body(&self, to: &mut Writer) {
        self.write(to);
    }

    /// Reads one. One that belongs on another topic is an error.
    fn read_body(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::read(from)
    }
}

/// Numbers of the engine's own entries; bodies have greater ones.
const TICK: u8 = 1;
const TERMS: u8 = 2;
const FIRE_MORE: u8 = 3;
/// The number of what the `observations` topic carries.
const CHANGE: u8 = 32;

alternatives! {
    DocumentEntry {
        16 Upload { 0: upload },
        17 Alias { alias: alias, member: member, received_at: received_at },
        18 Forwarded { member: member, reversals: reversals },
        19 Tell { alias: alias },
        20 ForwardPage { reversals: reversals, after: after },
        21 Offered { alias: alias, offer: offer },
        22 Loan { member: member, alias: alias, loan: loan },
        23 LoanPage { alias: alias, rest: rest },
        24 Reconsider { document: document },
        25 Received { sender: sender, received: received },
        26 Borrows { alias: alias, member: member, received_at: received_at },
    }
    LoanRest {
        1 Offers { member: member, after: after },
        2 Members { lender: lender, after: after },
    }
    ClaimEntry { 48 Claim { 0: claim }, 49 ClaimChange { 0: change }, 50 Verdict { 0: verdict }, 51 Paid { 0: paid } }
}

structures! {
    Tick { 0 source, 1 sources, 2 now, 3 wall }
}

/// Puts entries into records as they come.
#[derive(Debug)]
pub struct Packer {
    record_bytes_max: usize,
    full: Vec<Vec<u8>>,
    writer: Writer,
}

impl Packer {
    /// For records of so many bytes.
    pub fn new(record_bytes_max: usize) -> Self {
        Self { record_bytes_max, full: Vec::new(), writer: Writer::of_record() }
    }

    /// Packs one more.
    pub fn push<B: Body>(&mut self, entry: &Entry<B>) {
        if self.writer.is_empty() {
            self.writer.byte(FORM);
        }
        let mark = self.writer.mark();
        entry.write(&mut self.writer);
        if self.writer.len() > self.record_bytes_max && mark.has_more_than(FORM_BYTES) {
            // It goes into the next record, with texts of its own.
            self.writer.back_to(mark);
            self.full.push(self.writer.take());
            self.writer.byte(FORM);
            entry.write(&mut self.writer);
        }
    }

    /// Forgets what was packed.
    pub fn clear(&mut self) {
        self.take();
    }

    /// All records, in order; the packer is empty afterwards.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        if !self.writer.is_empty() {
            self.full.push(self.writer.take());
        }
        std::mem::take(&mut self.full)
    }
}

/// What the form takes in a record.
const FORM_BYTES: usize = 1;

/// Records that carry the entries in their order: each is filled until the next entry would take it over
/// `record_bytes_max`.
pub fn encode<B: Body>(entries: &[Entry<B>], record_bytes_max: usize) -> Vec<Vec<u8>> {
    let mut packer = Packer::new(record_bytes_max);
    entries.iter().for_each(|entry| packer.push(entry));
    packer.take()
}

/// The entries of one record, read one at a time.
pub fn read<B: Body>(payload: &[u8]) -> Result<impl Iterator<Item = Result<Entry<B>, WireError>>, WireError> {
    let mut reader = Reader::new(payload);
    let found = reader.byte()?;
    if found != FORM {
        let detail = format!("its form is {found}, and this program knows only {FORM}");
        return Err(WireError::Malformed { expected: "record of entries", detail });
    }
    Ok(std::iter::from_fn(move || (!reader.is_at_end()).then(|| Entry::read(&mut reader))))
}

/// The entries of one record.
pub fn decode<B: Body>(payload: &[u8]) -> Result<Vec<Entry<B>>, WireError> {
    read(payload)?.collect()
}

impl<B: Body> Entry<B> {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Body(body) => body.write_body(to),
            Self::Tick(tick) => {
                to.byte(TICK);
                tick.write(to);
            }
            Self::Terms(terms) => {
                to.byte(TERMS);
                write_terms(terms, to);
            }
            Self::FireMore => to.byte(FIRE_MORE),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let own = from.next().filter(|number| *number <= FIRE_MORE);
        if own.is_some() {
            from.byte()?;
        }
        Ok(match own {
            None => Self::of(B::read_body(from)?),
            Some(TICK) => Self::Tick(Form::read(from)?),
            Some(TERMS) => Self::Terms(Box::new(read_terms(from)?)),
            Some(FIRE_MORE) => Self::FireMore,
            Some(_) => return Err(misplaced()),
        })
    }
}

/// An entry that belongs on another topic.
fn misplaced() -> WireError {
    WireError::Field { field: "entry" }
}

impl Body for DocumentEntry {}

impl Body for ClaimEntry {}

/// There is one kind of it, so it has no number by itself.
impl Body for CodeChange {
    fn write_body(&self, to: &mut Writer) {
        to.byte(CHANGE);
        self.write(to);
    }

    fn read_body(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            CHANGE => Self::read(from),
            _ => Err(misplaced()),
        }
    }
}

impl Body for NoBody {}

impl Form for NoBody {
    fn write(&self, _: &mut Writer) {
        match *self {}
    }

    fn read(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Err(misplaced())
    }
}
