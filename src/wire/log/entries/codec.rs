//! Batches of entries of one partition as few records, and back.
//!
//! A record is filled until the next entry would take it over `record_bytes_max`. An entry that is larger than
//! that by itself gets a record of its own: the limits on documents keep it below what the broker takes.

use std::sync::Arc;

use prost::Message;

use super::{ClaimEntry, DocumentEntry, LoanRest, ObservationEntry, Tick};
use crate::domain::claim::{Claim, ClaimPaid, CodeVerdict};
use crate::domain::document::{DocumentKey, Reversal, Upload, Version};
use crate::domain::handling::Handling;
use crate::domain::observation::CodeChange;
use crate::domain::register::lending::Loan;
use crate::domain::rules::ruleset::RuleSet;
use crate::wire::WireError;
use crate::wire::log::{
    TableReader, TableWriter, Wire, element_bytes, moment, read, read_all, read_optional, write_all,
};
use crate::wire::pb_internal as pb;
use crate::wire::pb_internal::{claim_entry, document_entry, observation_entry};

/// Records of the `documents` topic that carry the entries in their order.
pub fn encode_documents(entries: &[DocumentEntry], record_bytes_max: usize) -> Vec<Vec<u8>> {
    encode(entries, record_bytes_max, |table, entries| {
        pb::DocumentEntries { table: Some(table), entries }.encode_to_vec()
    })
}

/// The entries of one record of the `documents` topic.
pub fn decode_documents(payload: &[u8]) -> Result<Vec<DocumentEntry>, WireError> {
    let message = pb::DocumentEntries::decode(payload).map_err(malformed("record of document entries"))?;
    decode(message.table, &message.entries)
}

/// Records of the `observations` topic that carry the entries in their order.
pub fn encode_observations(entries: &[ObservationEntry], record_bytes_max: usize) -> Vec<Vec<u8>> {
    encode(entries, record_bytes_max, |table, entries| {
        pb::ObservationEntries { table: Some(table), entries }.encode_to_vec()
    })
}

/// The entries of one record of the `observations` topic.
pub fn decode_observations(payload: &[u8]) -> Result<Vec<ObservationEntry>, WireError> {
    let message =
        pb::ObservationEntries::decode(payload).map_err(malformed("record of observation entries"))?;
    decode(message.table, &message.entries)
}

/// Records of the `claims` topic that carry the entries in their order.
pub fn encode_claims(entries: &[ClaimEntry], record_bytes_max: usize) -> Vec<Vec<u8>> {
    encode(entries, record_bytes_max, |table, entries| {
        pb::ClaimEntries { table: Some(table), entries }.encode_to_vec()
    })
}

/// The entries of one record of the `claims` topic.
pub fn decode_claims(payload: &[u8]) -> Result<Vec<ClaimEntry>, WireError> {
    let message = pb::ClaimEntries::decode(payload).map_err(malformed("record of claim entries"))?;
    decode(message.table, &message.entries)
}

fn malformed(expected: &'static str) -> impl Fn(prost::DecodeError) -> WireError {
    move |error| WireError::Malformed { expected, detail: error.to_string() }
}

fn encode<E: Wire<Message: Message>>(
    entries: &[E],
    record_bytes_max: usize,
    record: impl Fn(pb::Table, Vec<E::Message>) -> Vec<u8>,
) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut table = TableWriter::default();
    let mut messages: Vec<E::Message> = Vec::new();
    let mut message_bytes = 0_usize;
    for entry in entries {
        let mark = table.mark();
        let mut message = entry.to_message(&mut table);
        let mut bytes = element_bytes(message.encoded_len());
        let total = table.encoded_bytes().saturating_add(message_bytes).saturating_add(bytes);
        if total > record_bytes_max && !messages.is_empty() {
            // It goes into the next record, with a table of its own.
            table.back_to(mark);
            let full = std::mem::take(&mut table);
            records.push(record(full.finish(), std::mem::take(&mut messages)));
            message = entry.to_message(&mut table);
            bytes = element_bytes(message.encoded_len());
            message_bytes = 0;
        }
        messages.push(message);
        message_bytes = message_bytes.saturating_add(bytes);
    }
    if !messages.is_empty() {
        records.push(record(table.finish(), messages));
    }
    records
}

fn decode<E: Wire>(table: Option<pb::Table>, messages: &[E::Message]) -> Result<Vec<E>, WireError> {
    let table = TableReader::new(table)?;
    messages.iter().map(|message| E::from_message(message, &table)).collect()
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

impl Wire for DocumentEntry {
    type Message = pb::DocumentEntry;

    fn to_message(&self, table: &mut TableWriter) -> pb::DocumentEntry {
        use document_entry::Entry;
        let entry = match self {
            Self::Upload(upload) => match &**upload {
                Upload::Version(version) => Entry::Version(version.to_message(table)),
                Upload::Reversal(reversal) => Entry::Reversal(reversal.to_message(table)),
                Upload::Handling(handling) => Entry::Handling(handling.to_message(table)),
            },
            Self::Alias { alias, member, received_at } => Entry::Alias(pb::Alias {
                received_at: received_at.unix_millis(),
                alias: Some(alias.to_message(table)),
                member: Some(member.to_message(table)),
            }),
            Self::Forwarded { member, reversals } => Entry::ForwardedTogether(pb::Forwarded {
                member: Some(member.to_message(table)),
                reversals: write_all(reversals, table),
            }),
            Self::Tell { alias } => Entry::Tell(pb::Tell { alias: Some(alias.to_message(table)) }),
            Self::ForwardPage { reversals, after } => Entry::ForwardPage(pb::ForwardPage {
                reversal: None,
                reversals: write_all(reversals, table),
                after: Some(after.to_message(table)),
            }),
            Self::Offered { alias, offer } => Entry::Offered(pb::Offered {
                alias: Some(alias.to_message(table)),
                offer: Some(offer.to_message(table)),
            }),
            Self::Loan { member, alias, loan } => Entry::Loan(pb::Loan {
                member: Some(member.to_message(table)),
                alias: Some(alias.to_message(table)),
                offers: loan.offers.iter().map(|offer| offer.to_message(table)).collect(),
                is_overfull: loan.is_overfull,
            }),
            Self::LoanPage { alias, rest } => Entry::LoanPage(loan_page(alias, rest, table)),
            Self::Reconsider { document } => {
                Entry::Reconsider(pb::Reconsider { document: Some(document.to_message(table)) })
            }
            Self::FireMore => Entry::FireMore(pb::FireMore {}),
            Self::Tick(tick) => Entry::Tick(tick.to_message(table)),
            Self::RuleSet(rules) => Entry::RuleSet(rules.to_message(table)),
        };
        pb::DocumentEntry { entry: Some(entry) }
    }

    fn from_message(message: &pb::DocumentEntry, table: &TableReader) -> Result<Self, WireError> {
        use document_entry::Entry;
        Ok(match message.entry.as_ref().ok_or(WireError::Field { field: "document_entry" })? {
            Entry::Version(version) => {
                let version = Version::from_message(version, table)?;
                Self::Upload(Box::new(Upload::Version(Box::new(version))))
            }
            Entry::Reversal(reversal) => {
                Self::Upload(Box::new(Upload::Reversal(Reversal::from_message(reversal, table)?)))
            }
            Entry::Handling(handling) => {
                let handling = Handling::from_message(handling, table)?;
                Self::Upload(Box::new(Upload::Handling(Box::new(handling))))
            }
            Entry::Alias(alias) => Self::Alias {
                alias: read(&alias.alias, "alias.alias", table)?,
                member: read(&alias.member, "alias.member", table)?,
                received_at: moment(alias.received_at),
            },
            // What was written before reversals were told together.
            Entry::Forwarded(reversal) => {
                let reversal = Reversal::from_message(reversal, table)?;
                Self::Forwarded { member: reversal.target.clone(), reversals: vec![reversal] }
            }
            Entry::ForwardedTogether(forwarded) => Self::Forwarded {
                member: read(&forwarded.member, "forwarded.member", table)?,
                reversals: read_all(&forwarded.reversals, table)?,
            },
            Entry::Tell(tell) => Self::Tell { alias: read(&tell.alias, "tell.alias", table)? },
            Entry::ForwardPage(page) => Self::ForwardPage {
                reversals: read_optional(&page.reversal, table)?
                    .into_iter()
                    .chain(read_all(&page.reversals, table)?)
                    .collect(),
                after: read(&page.after, "forward_page.after", table)?,
            },
            Entry::Offered(offered) => Self::Offered {
                alias: read(&offered.alias, "offered.alias", table)?,
                offer: Box::new(read(&offered.offer, "offered.offer", table)?),
            },
            Entry::Loan(loan) => Self::Loan {
                member: read(&loan.member, "loan.member", table)?,
                alias: read(&loan.alias, "loan.alias", table)?,
                loan: Loan {
                    offers: read_all(&loan.offers, table)?.into_iter().map(Arc::new).collect(),
                    is_overfull: loan.is_overfull,
                },
            },
            Entry::LoanPage(page) => Self::LoanPage {
                alias: read(&page.alias, "loan_page.alias", table)?,
                rest: loan_rest(page, table)?,
            },
            Entry::Reconsider(reconsider) => {
                Self::Reconsider { document: read(&reconsider.document, "reconsider.document", table)? }
            }
            Entry::FireMore(_) => Self::FireMore,
            Entry::Tick(tick) => Self::Tick(Tick::from_message(tick, table)?),
            Entry::RuleSet(rules) => Self::RuleSet(Box::new(RuleSet::from_message(rules, table)?)),
        })
    }
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

impl Wire for ObservationEntry {
    type Message = pb::ObservationEntry;

    fn to_message(&self, table: &mut TableWriter) -> pb::ObservationEntry {
        use observation_entry::Entry;
        let entry = match self {
            Self::Change(change) => Entry::Change(change.to_message(table)),
            Self::Tick(tick) => Entry::Tick(tick.to_message(table)),
            Self::FireMore => Entry::FireMore(pb::FireMore {}),
            Self::RuleSet(rules) => Entry::RuleSet(rules.to_message(table)),
        };
        pb::ObservationEntry { entry: Some(entry) }
    }

    fn from_message(message: &pb::ObservationEntry, table: &TableReader) -> Result<Self, WireError> {
        use observation_entry::Entry;
        Ok(match message.entry.as_ref().ok_or(WireError::Field { field: "observation_entry" })? {
            Entry::Change(change) => Self::Change(Box::new(CodeChange::from_message(change, table)?)),
            Entry::Tick(tick) => Self::Tick(Tick::from_message(tick, table)?),
            Entry::FireMore(_) => Self::FireMore,
            Entry::RuleSet(rules) => Self::RuleSet(Box::new(RuleSet::from_message(rules, table)?)),
        })
    }
}

impl Wire for ClaimEntry {
    type Message = pb::ClaimEntry;

    fn to_message(&self, table: &mut TableWriter) -> pb::ClaimEntry {
        use claim_entry::Entry;
        let entry = match self {
            Self::Claim(claim) => Entry::Claim(claim.to_message(table)),
            Self::Verdict(verdict) => Entry::Verdict(verdict.to_message(table)),
            Self::Paid(paid) => Entry::Paid(paid.to_message(table)),
            Self::Tick(tick) => Entry::Tick(tick.to_message(table)),
            Self::FireMore => Entry::FireMore(pb::FireMore {}),
            Self::RuleSet(rules) => Entry::RuleSet(rules.to_message(table)),
        };
        pb::ClaimEntry { entry: Some(entry) }
    }

    fn from_message(message: &pb::ClaimEntry, table: &TableReader) -> Result<Self, WireError> {
        use claim_entry::Entry;
        Ok(match message.entry.as_ref().ok_or(WireError::Field { field: "claim_entry" })? {
            Entry::Claim(claim) => Self::Claim(Box::new(Claim::from_message(claim, table)?)),
            Entry::Verdict(verdict) => Self::Verdict(Box::new(CodeVerdict::from_message(verdict, table)?)),
            Entry::Paid(paid) => Self::Paid(Box::new(ClaimPaid::from_message(paid, table)?)),
            Entry::Tick(tick) => Self::Tick(Tick::from_message(tick, table)?),
            Entry::FireMore(_) => Self::FireMore,
            Entry::RuleSet(rules) => Self::RuleSet(Box::new(RuleSet::from_message(rules, table)?)),
        })
    }
}
