//! Counts of what institutions send. They are kept and passed on in the form in which they are published.

use prost::Message;

use super::{Form, Reader, WireError, Writer, structures};
use crate::domain::sender::{Counts, Received, SenderDay, SenderState};
use crate::wire::outbound::sender::{SenderDayMessage, counts, message_of_counts};

structures! {
    SenderDay { 0 institution_id, 1 day }
    SenderState { 0 counts, 1 newest, 2 revision, 3 published_at, 4 due }
}

impl Form for Counts {
    fn write(&self, to: &mut Writer) {
        let message = message_of_counts(self).encode_to_vec();
        to.count(message.len());
        to.raw(&message);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let len = from.count()?;
        let message = SenderDayMessage::decode(from.raw(len)?).map_err(|error| WireError::Malformed {
            expected: "counts of a sender",
            detail: error.to_string(),
        })?;
        counts(&message)
    }
}

impl Form for Received {
    fn write(&self, to: &mut Writer) {
        Counts { received: self.clone(), ..Counts::default() }.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Counts::read(from).map(|counts| counts.received)
    }
}
