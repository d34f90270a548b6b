//! What intake received since the last batch ended, by institution and day: one entry each for the partition that adds
//! it up ([`super::senders`]).

use std::collections::BTreeMap;

use super::topics::{Topic, sender_key_bytes};
use crate::domain::Text;
use crate::domain::document::Upload;
use crate::domain::outcome::RejectReason;
use crate::domain::sender::{Received, SenderDay, Writer};
use crate::domain::time::Day;
use crate::engine::outbox::Outbox;
use crate::wire::entries::DocumentEntry;
use crate::wire::inbound::intake::Decoded;
use crate::wire::inbound::notes::Notes;
use crate::wire::inbound::reject::Reject;

/// Counts of the batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiving {
    by_day: BTreeMap<SenderDay, Received>,
    /// Of files: the day of the newest record that says one.
    day_before: Day,
}

/// Whose record it is, and the day on which it was issued, as far as that can be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    institution_id: Option<Text>,
    issued_on: Option<Day>,
}

impl Sender {
    /// The sender of a record; none of what nobody sent: a control record, or what the bureau says of claims.
    pub(super) fn of(decoded: &Decoded, topic: Topic) -> Option<Self> {
        let of_reject = |reject: &Reject| Self {
            institution_id: reject.institution_id.clone(),
            issued_on: reject.issued_on,
        };
        match decoded {
            _ if topic == Topic::Handling => None,
            Decoded::Tick { .. } => None,
            Decoded::Ignored { institution_id, .. } => {
                Some(Self { institution_id: institution_id.clone(), issued_on: None })
            }
            Decoded::Rejected(rejects) => Some(rejects.first().map(of_reject).unwrap_or_default()),
            Decoded::Uploads { uploads, .. } => match uploads.first().map(|decoded| &decoded.upload) {
                None | Some(Upload::Handling(_)) => None,
                Some(upload) => Some(Self {
                    institution_id: Some(upload.key().institution_id.clone()),
                    issued_on: Some(upload.issued_at().day()),
                }),
            },
        }
    }
}

impl Receiving {
    /// Adds a record that was received on that day, or, in files, whenever it was issued.
    pub(super) fn add(&mut self, sender: Sender, received_on: Option<Day>, received: &Received) {
        let day = received_on.or(sender.issued_on).unwrap_or(self.day_before);
        self.day_before = day;
        let counts = self.by_day.entry(SenderDay { institution_id: sender.institution_id, day }).or_default();
        counts.records += 1;
        counts.add(received);
    }

    /// Publishes what was counted.
    pub(super) fn send(&mut self, out: &mut Outbox<Topic>) {
        for (sender, received) in std::mem::take(&mut self.by_day) {
            let key = sender_key_bytes(Writer::Intake, &sender);
            out.send(&key, DocumentEntry::Received { sender, received: Box::new(received) });
        }
    }

    /// Forgets it: the batch did not happen.
    pub(super) fn forget(&mut self) {
        self.by_day.clear();
    }
}

/// What counts of a record of which something could be used.
pub(super) fn used(uploads: u64, refused: &[Reject], notes: &Notes) -> Received {
    let mut received = Received { uploads, leniencies: notes.leniencies.clone(), ..Received::default() };
    for reject in refused {
        *received.uploads_rejected.entry(reject.reason).or_default() += 1;
    }
    received.left_out = notes.left_out.iter().map(|(field, count)| ((*field).into(), *count)).collect();
    received
}

/// What counts of a record of which nothing could be used.
pub(super) fn refused(rejects: &[Reject]) -> Received {
    Received { rejected: [(reason(rejects), 1)].into(), ..Received::default() }
}

/// By which of its reasons such a record is counted.
pub(super) fn reason(rejects: &[Reject]) -> RejectReason {
    rejects.first().map_or(RejectReason::Unparseable, |reject| reject.reason)
}
