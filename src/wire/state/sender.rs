//! Counts of an institution and day, which the register keeps beside documents.

use prost::Message;

use super::VERSION;
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
    let mut bytes = vec![SENDER | VERSION];
    message.encode(&mut bytes).ok();
    bytes
}

/// Such a state from its bytes.
pub fn decode_sender(bytes: &[u8]) -> Result<SenderState, WireError> {
    let malformed = |detail: String| WireError::Malformed { expected: "state of a sender", detail };
    let content = match bytes.split_first() {
        Some((first, content)) if *first == SENDER | VERSION => content,
        Some((found, _)) => return Err(WireError::Version { found: *found, known: "131" }),
        None => return Err(malformed("it is empty".to_owned())),
    };
    let message = pb_internal::SenderState::decode(content).map_err(|error| malformed(error.to_string()))?;
    let sums = pb::SenderDay::decode(&*message.counts).map_err(|error| malformed(error.to_string()))?;
    Ok(SenderState {
        counts: counts(&sums)?,
        newest: message.newest.map(moment),
        revision: message.revision,
        published_at: message.published_at.map(moment),
        due: message.due.map(moment),
    })
}
