//! Counts of what an institution sends on their way out, by `proto/tracewarden/v1/sender.proto`.

use std::collections::BTreeMap;

use super::{Event, Format, Message, parse_json};
use crate::domain::outcome::{Leniency, RejectReason};
use crate::domain::sender::{Counts, Received, SenderDay, Standing, Writer};
use crate::domain::time::Timestamp;
use crate::wire::WireError;

pub use crate::wire::pb::SenderDay as SenderDayMessage;

/// What is published of an institution and day.
#[derive(Clone, Debug)]
pub struct Published<'a> {
    /// Whose counts they are.
    pub sender: &'a SenderDay,
    /// Who counts.
    pub writer: Writer,
    /// At which partition the sums are kept.
    pub partition: i32,
    /// Grows with every record of the same key.
    pub revision: u64,
    /// When it is published, by the time of the log.
    pub at: Option<Timestamp>,
    /// The sums.
    pub counts: &'a Counts,
}

/// The record of an institution and day. Its key is the JSON list of institution (or null), day and writer.
pub fn encode(published: &Published<'_>, format: Format) -> Message {
    let message = message(published);
    let key = serde_json::json!([message.institution_id, message.day, message.writer]).to_string();
    let event = Event {
        id: format!("{key}/{}", published.revision),
        source: "/tracewarden/senders",
        kind: "tracewarden.sender_day".to_owned(),
        time: published.at,
        subject: message.institution_id.as_deref().unwrap_or_default(),
    };
    event.message(key.clone().into_bytes(), format.write(&message), format)
}

/// Reads the JSON form.
pub fn parse(json: &[u8]) -> Result<SenderDayMessage, WireError> {
    parse_json(json, "sender day")
}

fn message(published: &Published<'_>) -> SenderDayMessage {
    let SenderDay { institution_id, day } = published.sender;
    SenderDayMessage {
        institution_id: institution_id.as_deref().map(str::to_owned),
        day: day.to_string(),
        writer: format!("{}/{}", published.writer.name(), published.partition),
        revision: published.revision,
        ..message_of_counts(published.counts)
    }
}

/// The counts alone.
fn message_of_counts(counts: &Counts) -> SenderDayMessage {
    let Counts { received, standing } = counts;
    SenderDayMessage {
        institution_id: None,
        day: String::new(),
        writer: String::new(),
        revision: 0,
        records_read: received.records,
        records_ignored: received.ignored,
        records_rejected: named(&received.rejected, |reason| reason.name()),
        uploads_read: received.uploads,
        uploads_rejected: named(&received.uploads_rejected, |reason| reason.name()),
        uploads_duplicate: received.duplicates,
        fields_left_out: named(&received.left_out, |field| field),
        read_leniently: named(&received.leniencies, |leniency| leniency.name()),
        documents: standing.documents,
        documents_late: standing.late,
        lines_need_codes: standing.lines_need_codes,
        lines_with_code: standing.lines_with_code,
        lines_with_lent_code_only: standing.lines_with_lent_code_only,
        codes_declared: standing.codes_declared,
        codes_not_sent: standing.codes_not_sent,
        claims_without_number: standing.claims_without_number,
        reversals_waiting: standing.reversals_waiting,
    }
}

fn named<'a, K>(counts: &'a BTreeMap<K, u64>, name: impl Fn(&'a K) -> &'a str) -> BTreeMap<String, u64> {
    counts.iter().map(|(key, count)| (name(key).to_owned(), *count)).collect()
}

/// The counts of a message.
pub fn counts(message: &SenderDayMessage) -> Result<Counts, WireError> {
    let reason = |name: &str| RejectReason::ALL.iter().copied().find(|reason| reason.name() == name);
    let leniency = |name: &str| Leniency::ALL.iter().copied().find(|leniency| leniency.name() == name);
    Ok(Counts {
        received: Received {
            records: message.records_read,
            ignored: message.records_ignored,
            rejected: known(&message.records_rejected, "records_rejected", reason)?,
            uploads: message.uploads_read,
            uploads_rejected: known(&message.uploads_rejected, "uploads_rejected", reason)?,
            duplicates: message.uploads_duplicate,
            left_out: known(&message.fields_left_out, "fields_left_out", |field| Some(field.into()))?,
            leniencies: known(&message.read_leniently, "read_leniently", leniency)?,
        },
        standing: Standing {
            documents: message.documents,
            late: message.documents_late,
            lines_need_codes: message.lines_need_codes,
            lines_with_code: message.lines_with_code,
            lines_with_lent_code_only: message.lines_with_lent_code_only,
            codes_declared: message.codes_declared,
            codes_not_sent: message.codes_not_sent,
            claims_without_number: message.claims_without_number,
            reversals_waiting: message.reversals_waiting,
        },
    })
}

fn known<K: Ord>(
    counts: &BTreeMap<String, u64>,
    field: &'static str,
    key: impl Fn(&str) -> Option<K>,
) -> Result<BTreeMap<K, u64>, WireError> {
    let known = counts.iter().map(|(name, count)| Ok((key(name).ok_or(WireError::Field { field })?, *count)));
    known.collect()
}
