//! Batches of entries of one partition as few records, and back.
//!
//! A record is filled until the next entry would take it over `record_bytes_max`. An entry that is larger than
//! that by itself gets a record of its own: the limits on documents keep it below what the broker takes.

use std::sync::Arc;

use prost::Message;

use super::{ClaimEntry, DocumentEntry, Entry, LoanRest, NoBody, Terms, Tick};
use crate::domain::claim::{Claim, ClaimChange, ClaimPaid, CodeVerdict};
use crate::domain::document::{DocumentKey, Reversal, Upload, Version};
use crate::domain::handling::Handling;
use crate::domain::observation::CodeChange;
use crate::domain::register::lending::Loan;
use crate::domain::sender::{Counts, Received, SenderDay};
use crate::domain::time::Day;
use crate::wire::WireError;
use crate::wire::log::{TableReader, TableWriter, Wire, element_bytes, moment, read, read_all, write_all};
use crate::wire::outbound::sender::{SenderDayMessage, counts, message_of_counts};
use crate::wire::pb_internal as pb;
use crate::wire::pb_internal::entry::Entry as OneOf;

/// What an internal topic carries besides the engine's own entries.
pub trait Body: Sized + Send + 'static {
    /// The message of it, whose texts and reference records stand in the table.
    fn write(&self, table: &mut TableWriter) -> OneOf;

    /// What a message says. One that belongs on another topic is an error.
    fn read(entry: &OneOf, table: &TableReader) -> Result<Self, WireError>;
}

/// Records that carry the entries in their order: each is filled until the next entry would take it over
/// `record_bytes_max`.
pub fn encode<B: Body>(entries: &[Entry<B>], record_bytes_max: usize) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut table = TableWriter::default();
    let mut messages: Vec<pb::Entry> = Vec::new();
    let mut message_bytes = FORM_BYTES;
    for entry in entries {
        let mark = table.mark();
        let mut message = entry.to_message(&mut table);
        let mut bytes = element_bytes(message.encoded_len());
        let total = table.encoded_bytes().saturating_add(message_bytes).saturating_add(bytes);
        if total > record_bytes_max && !messages.is_empty() {
            // It goes into the next record, with a table of its own.
            table.back_to(mark);
            records.push(record(std::mem::take(&mut table), std::mem::take(&mut messages)));
            message = entry.to_message(&mut table);
            bytes = element_bytes(message.encoded_len());
            message_bytes = FORM_BYTES;
        }
        messages.push(message);
        message_bytes = message_bytes.saturating_add(bytes);
    }
    if !messages.is_empty() {
        records.push(record(table, messages));
    }
    records
}

/// Of what the entries look like. It goes up with every change that makes them unreadable to those who knew the one
/// before.
const FORM: u32 = 2;
/// What it takes in a record.
const FORM_BYTES: usize = 2;

fn record(table: TableWriter, entries: Vec<pb::Entry>) -> Vec<u8> {
    pb::Entries { table: Some(table.finish()), entries, form: FORM }.encode_to_vec()
}

/// The entries of one record.
pub fn decode<B: Body>(payload: &[u8]) -> Result<Vec<Entry<B>>, WireError> {
    let malformed = |detail: String| WireError::Malformed { expected: "record of entries", detail };
    let message = pb::Entries::decode(payload).map_err(|error| malformed(error.to_string()))?;
    if message.form != FORM {
        let found = message.form;
        return Err(malformed(format!("its form is {found}, and this program knows only {FORM}")));
    }
    let table = TableReader::new(message.table)?;
    message.entries.iter().map(|entry| Entry::from_message(entry, &table)).collect()
}

impl<B: Body> Wire for Entry<B> {
    type Message = pb::Entry;

    fn to_message(&self, table: &mut TableWriter) -> pb::Entry {
        let entry = match self {
            Self::Body(body) => body.write(table),
            Self::Tick(tick) => OneOf::Tick(tick.to_message(table)),
            Self::FireMore => OneOf::FireMore(pb::FireMore {}),
            Self::Terms(terms) => OneOf::RuleSet(terms.to_message(table)),
        };
        pb::Entry { entry: Some(entry) }
    }

    fn from_message(message: &pb::Entry, table: &TableReader) -> Result<Self, WireError> {
        Ok(match message.entry.as_ref().ok_or(WireError::Field { field: "entry" })? {
            OneOf::Tick(tick) => Self::Tick(Tick::from_message(tick, table)?),
            OneOf::FireMore(_) => Self::FireMore,
            OneOf::RuleSet(terms) => Self::Terms(Box::new(Terms::from_message(terms, table)?)),
            body => Self::of(B::read(body, table)?),
        })
    }
}

/// An entry that belongs on another topic.
fn misplaced() -> WireError {
    WireError::Field { field: "entry" }
}

impl Wire for Tick {
    type Message = pb::Tick;

    fn to_message(&self, table: &mut TableWriter) -> pb::Tick {
        pb::Tick {
            source: table.text(&self.source),
            sources: self.sources,
            now: self.now.unix_millis(),
            wall: self.wall.map(|wall| wall.unix_millis()),
        }
    }

    fn from_message(message: &pb::Tick, table: &TableReader) -> Result<Self, WireError> {
        Ok(Self {
            source: table.text(message.source, "tick.source")?,
            sources: message.sources,
            now: moment(message.now),
            wall: message.wall.map(moment),
        })
    }
}

impl Body for DocumentEntry {
    fn write(&self, table: &mut TableWriter) -> OneOf {
        match self {
            Self::Upload(Upload::Version(version)) => OneOf::Version(version.to_message(table)),
            Self::Upload(Upload::Reversal(reversal)) => OneOf::Reversal(reversal.to_message(table)),
            Self::Upload(Upload::Handling(handling)) => OneOf::Handling(handling.to_message(table)),
            Self::Alias { alias, member, received_at } => OneOf::Alias(pb::Alias {
                received_at: received_at.unix_millis(),
                alias: Some(alias.to_message(table)),
                member: Some(member.to_message(table)),
            }),
            Self::Forwarded { member, reversals } => OneOf::Forwarded(pb::Forwarded {
                member: Some(member.to_message(table)),
                reversals: write_all(reversals, table),
            }),
            Self::Tell { alias } => OneOf::Tell(pb::Tell { alias: Some(alias.to_message(table)) }),
            Self::ForwardPage { reversals, after } => OneOf::ForwardPage(pb::ForwardPage {
                reversals: write_all(reversals, table),
                after: Some(after.to_message(table)),
            }),
            Self::Offered { alias, offer } => OneOf::Offered(pb::Offered {
                alias: Some(alias.to_message(table)),
                offer: Some(offer.to_message(table)),
            }),
            Self::Loan { member, alias, loan } => OneOf::Loan(pb::Loan {
                member: Some(member.to_message(table)),
                alias: Some(alias.to_message(table)),
                offers: loan.offers.iter().map(|offer| offer.to_message(table)).collect(),
                is_overfull: loan.is_overfull,
            }),
            Self::LoanPage { alias, rest } => OneOf::LoanPage(loan_page(alias, rest, table)),
            Self::Reconsider { document } => {
                OneOf::Reconsider(pb::Reconsider { document: Some(document.to_message(table)) })
            }
            Self::Received { sender, received } => OneOf::SenderReceived(sender_received(sender, received)),
        }
    }

    fn read(entry: &OneOf, table: &TableReader) -> Result<Self, WireError> {
        Ok(match entry {
            OneOf::Version(version) => {
                Self::Upload(Upload::Version(Box::new(Version::from_message(version, table)?)))
            }
            OneOf::Reversal(reversal) => {
                Self::Upload(Upload::Reversal(Reversal::from_message(reversal, table)?))
            }
            OneOf::Handling(handling) => {
                Self::Upload(Upload::Handling(Box::new(Handling::from_message(handling, table)?)))
            }
            OneOf::Alias(alias) => Self::Alias {
                alias: read(&alias.alias, "alias.alias", table)?,
                member: read(&alias.member, "alias.member", table)?,
                received_at: moment(alias.received_at),
            },
            OneOf::Forwarded(forwarded) => Self::Forwarded {
                member: read(&forwarded.member, "forwarded.member", table)?,
                reversals: read_all(&forwarded.reversals, table)?,
            },
            OneOf::Tell(tell) => Self::Tell { alias: read(&tell.alias, "tell.alias", table)? },
            OneOf::ForwardPage(page) => Self::ForwardPage {
                reversals: read_all(&page.reversals, table)?,
                after: read(&page.after, "forward_page.after", table)?,
            },
            OneOf::Offered(offered) => Self::Offered {
                alias: read(&offered.alias, "offered.alias", table)?,
                offer: Box::new(read(&offered.offer, "offered.offer", table)?),
            },
            OneOf::Loan(loan) => Self::Loan {
                member: read(&loan.member, "loan.member", table)?,
                alias: read(&loan.alias, "loan.alias", table)?,
                loan: Loan {
                    offers: read_all(&loan.offers, table)?.into_iter().map(Arc::new).collect(),
                    is_overfull: loan.is_overfull,
                },
            },
            OneOf::LoanPage(page) => Self::LoanPage {
                alias: read(&page.alias, "loan_page.alias", table)?,
                rest: loan_rest(page, table)?,
            },
            OneOf::Reconsider(reconsider) => {
                Self::Reconsider { document: read(&reconsider.document, "reconsider.document", table)? }
            }
            OneOf::SenderReceived(message) => {
                let (sender, received) = received(message)?;
                Self::Received { sender, received: Box::new(received) }
            }
            _ => return Err(misplaced()),
        })
    }
}

fn sender_received(sender: &SenderDay, received: &Received) -> pb::SenderReceived {
    let counts = Counts { received: received.clone(), ..Counts::default() };
    pb::SenderReceived {
        institution_id: sender.institution_id.as_deref().map(str::to_owned),
        day: sender.day.days_since_epoch(),
        received: message_of_counts(&counts).encode_to_vec(),
    }
}

fn received(message: &pb::SenderReceived) -> Result<(SenderDay, Received), WireError> {
    let counted = SenderDayMessage::decode(&*message.received).map_err(|error| WireError::Malformed {
        expected: "counts of a sender",
        detail: error.to_string(),
    })?;
    let sender = SenderDay {
        institution_id: message.institution_id.as_deref().map(Into::into),
        day: Day::from_days_since_epoch(message.day),
    };
    Ok((sender, counts(&counted)?.received))
}

fn loan_page(alias: &DocumentKey, rest: &LoanRest, table: &mut TableWriter) -> pb::LoanPage {
    let page = pb::LoanPage { alias: Some(alias.to_message(table)), ..pb::LoanPage::default() };
    match rest {
        LoanRest::Offers { member, after } => {
            pb::LoanPage { member: Some(member.to_message(table)), after: table.text(after), ..page }
        }
        LoanRest::Members { lender, after } => pb::LoanPage {
            lender: table.optional(lender),
            after_member: Some(after.to_message(table)),
            ..page
        },
    }
}

fn loan_rest(page: &pb::LoanPage, table: &TableReader) -> Result<LoanRest, WireError> {
    Ok(match &page.member {
        Some(member) => LoanRest::Offers {
            member: DocumentKey::from_message(member, table)?,
            after: table.text(page.after, "loan_page.after")?,
        },
        None => LoanRest::Members {
            lender: table.optional(page.lender, "loan_page.lender")?,
            after: read(&page.after_member, "loan_page.after_member", table)?,
        },
    })
}

impl Body for NoBody {
    fn write(&self, _: &mut TableWriter) -> OneOf {
        match *self {}
    }

    fn read(_: &OneOf, _: &TableReader) -> Result<Self, WireError> {
        Err(misplaced())
    }
}

impl Body for CodeChange {
    fn write(&self, table: &mut TableWriter) -> OneOf {
        OneOf::Change(self.to_message(table))
    }

    fn read(entry: &OneOf, table: &TableReader) -> Result<Self, WireError> {
        match entry {
            OneOf::Change(change) => Self::from_message(change, table),
            _ => Err(misplaced()),
        }
    }
}

impl Body for ClaimEntry {
    fn write(&self, table: &mut TableWriter) -> OneOf {
        match self {
            Self::Claim(claim) => OneOf::Claim(claim.to_message(table)),
            Self::ClaimChange(change) => OneOf::ClaimChange(change.to_message(table)),
            Self::Verdict(verdict) => OneOf::Verdict(verdict.to_message(table)),
            Self::Paid(paid) => OneOf::Paid(paid.to_message(table)),
        }
    }

    fn read(entry: &OneOf, table: &TableReader) -> Result<Self, WireError> {
        Ok(match entry {
            OneOf::Claim(claim) => Self::Claim(Claim::from_message(claim, table)?),
            OneOf::ClaimChange(change) => Self::ClaimChange(ClaimChange::from_message(change, table)?),
            OneOf::Verdict(verdict) => Self::Verdict(CodeVerdict::from_message(verdict, table)?),
            OneOf::Paid(paid) => Self::Paid(ClaimPaid::from_message(paid, table)?),
            _ => return Err(misplaced()),
        })
    }
}
