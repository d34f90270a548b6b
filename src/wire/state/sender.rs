//! Counts of an institution and day, which the register keeps beside documents.

use prost::Message;

use super::{read_marked, write_marked};
use crate::domain::sender::SenderState;
use crate::wire::log::moment;
use crate::wire::outbound::sender::{counts, message_of_counts};
use crate::wire::{WireError, pb, pb_internal};

/// What tells such a value from that of a document: no version of the format reaches it.
const SENDER: u8 = 0x80;

/// Whether a value of the register is the state of an institution and day.
pub fn is_of_sender(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & SENDER != 0)
}

/// The bytes of such a state.
pub fn encode_sender(state: &SenderState) -> Vec<u8> {
    let message = pb_internal::SenderState {
        counts: message_of_counts(&state.counts).encode_to_vec(),
        revision: state.revision,
        newest: state.newest.map(|newest| newest.unix_millis()),
        published_at: state.published_at.map(|published_at| published_at.unix_millis()),
        due: state.due.map(|due| due.unix_millis()),
    };
    write_marked(SENDER, &message)
}

/// Such a state from its bytes.
pub fn decode_sender(bytes: &[u8]) -> Result<SenderState, WireError> {
    const EXPECTED: &str = "state of a sender";
    let message: pb_internal::SenderState = read_marked(SENDER, bytes, EXPECTED)?;
    let sums = pb::SenderDay::decode(&*message.counts)
        .map_err(|error| WireError::Malformed { expected: EXPECTED, detail: error.to_string() })?;
    Ok(SenderState {
        counts: counts(&sums)?,
        newest: message.newest.map(moment),
        revision: message.revision,
        published_at: message.published_at.map(moment),
        due: message.due.map(moment),
    })
}
