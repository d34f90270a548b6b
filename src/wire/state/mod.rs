//! State per key as bytes for the stores.
//!
//! A value is one byte with the version of the format, and a message of `proto/tracewarden/internal/v1/state.proto`
//! with its own table of texts. Within a version only fields are added, so that an older value reads as one in
//! which they are absent; a change of meaning takes a new version. A value of an unknown version is refused: what
//! a newer binary wrote is not guessed at, and the state can always be rebuilt from the log.
//!
//! What can be computed from the rest is not stored.

mod claim;
mod code;
mod columns;
mod document;
mod sender;

pub use claim::{decode_claim, encode_claim};
pub use code::{decode_code, encode_code};
pub use document::{decode_document, encode_document};
pub use sender::{decode_sender, encode_sender, is_of_sender};

use prost::Message;

use super::WireError;

/// The version that is written, and the only one that is read. Version 1 repeated the stamp of an upload with every
/// part of it; version 2 wrote observations row by row.
const VERSION: u8 = 3;

fn write(message: &impl Message) -> Vec<u8> {
    write_marked(0, message)
}

fn read<M: Message + Default>(bytes: &[u8], expected: &'static str) -> Result<M, WireError> {
    read_marked(0, bytes, expected)
}

/// A value with a mark beside the version, which tells it from other values of the same store.
fn write_marked(mark: u8, message: &impl Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.encoded_len().saturating_add(1));
    bytes.push(mark | VERSION);
    message.encode_raw(&mut bytes);
    bytes
}

fn read_marked<M: Message + Default>(mark: u8, bytes: &[u8], expected: &'static str) -> Result<M, WireError> {
    match bytes.split_first() {
        Some((&first, content)) if first == mark | VERSION => {
            M::decode(content).map_err(|error| WireError::Malformed { expected, detail: error.to_string() })
        }
        Some((&first, _)) => Err(WireError::Version { found: first & !mark, known: "3" }),
        None => Err(WireError::Malformed { expected, detail: "it is empty".to_owned() }),
    }
}

#[cfg(test)]
mod tests;
