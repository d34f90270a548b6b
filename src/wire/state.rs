//! State per key as bytes for the stores: one byte with the version of the format, then the form of the state.
//!
//! Within a version only fields are added, so that an older value reads as one in which they are absent; a change of
//! meaning takes a new version. A value of an unknown version is refused: what a newer binary wrote is not guessed at, and
//! the state can always be rebuilt from the log.
//!
//! What can be computed from the rest is not stored.

#[cfg(test)]
mod tests;

use super::WireError;
use super::form::{Form, Reader, Writer};
use crate::domain::adjudicator::ClaimState;
use crate::domain::monitor::CodeState;
use crate::domain::register::DocumentState;
use crate::domain::sender::SenderState;

/// The version that is written, and the only one that is read. Versions 1 to 3 were messages of protobuf; by version 4 an alias did
/// not know who borrows there.
const VERSION: u8 = 5;

/// What tells the counts of an institution and day from a document, beside which the register keeps them: no version of the
/// format reaches it.
const SENDER: u8 = 0x80;

/// Writes the bytes of a document's state.
pub fn write_document(state: &DocumentState, writer: &mut Writer) {
    write(VERSION, state, writer);
}

/// The state of a document from its bytes.
pub fn decode_document(bytes: &[u8]) -> Result<DocumentState, WireError> {
    read(VERSION, bytes)
}

/// Writes the bytes of the counts of an institution and day.
pub fn write_sender(state: &SenderState, writer: &mut Writer) {
    write(SENDER | VERSION, state, writer);
}

/// The counts of an institution and day from their bytes.
pub fn decode_sender(bytes: &[u8]) -> Result<SenderState, WireError> {
    read(SENDER | VERSION, bytes)
}

/// Whether a value of the register is the state of an institution and day.
pub fn is_of_sender(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & SENDER != 0)
}

/// Writes the bytes of a code's state.
pub fn write_code(state: &CodeState, writer: &mut Writer) {
    write(VERSION, state, writer);
}

/// The state of a code from its bytes.
pub fn decode_code(bytes: &[u8]) -> Result<CodeState, WireError> {
    read(VERSION, bytes)
}

/// Writes the bytes of a claim's state.
pub fn write_claim(state: &ClaimState, writer: &mut Writer) {
    write(VERSION, state, writer);
}

/// The state of a claim from its bytes.
pub fn decode_claim(bytes: &[u8]) -> Result<ClaimState, WireError> {
    let mut state: ClaimState = read(VERSION, bytes)?;
    state.count_missing();
    Ok(state)
}

/// What that writes.
pub fn bytes_of(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::of_value();
    write(&mut writer);
    writer.bytes().to_vec()
}

fn write(version: u8, state: &impl Form, writer: &mut Writer) {
    writer.byte(version);
    state.write(writer);
}

fn read<T: Form>(version: u8, bytes: &[u8]) -> Result<T, WireError> {
    let mut reader = Reader::new(bytes);
    let found = reader.byte()?;
    if found != version {
        return Err(WireError::Version { found: found & !SENDER, known: "5" });
    }
    let state = T::read(&mut reader)?;
    reader.ends()?;
    Ok(state)
}
