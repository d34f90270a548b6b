//! The canonical form of an upload: JSON or Protobuf in, a validated [`Upload`] out.
//!
//! Both are first brought to the generated message [`pb::Upload`], whose texts are as the sender wrote them, and
//! then checked once ([`validate`]): whatever is refused in one form is refused in the other, with the same
//! reason and field. The message also serves as the plain form for writers: [`json::encode`] and prost's encoder
//! write it, and JSON read back gives the same message.
//!
//! A canonical document states no aliases; a settlement gets that of its settlement or visit id on the way.

mod collect;
pub mod json;
pub mod validate;

use prost::Message;
use serde_json::{Map, Value};

use super::intake::{DecodedUpload, Input, Limits};
use super::pseudonym::Pseudonymiser;
use super::reject::{Reject, RejectReason};
use crate::domain::document::Upload;
use crate::wire::pb;

/// What an upload is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Checks<'a> {
    /// The record that it came in.
    pub input: &'a Input<'a>,
    /// How large it may be.
    pub limits: &'a Limits,
    /// Characters of the identity of a document; several of a sender's identifiers may be joined in it.
    pub document_id_characters_max: usize,
    /// What makes pseudonyms of its persons.
    pub pseudonymiser: &'a Pseudonymiser,
}

/// The upload of a JSON object.
pub fn from_json(object: &Map<String, Value>, checks: &Checks<'_>) -> Result<DecodedUpload, Reject> {
    let raw = json::read(object).map_err(|reject| with_identity(reject, &json::identity(object), checks))?;
    from_message(&raw, checks)
}

/// The upload of a Protobuf message.
pub fn from_protobuf(message: &[u8], checks: &Checks<'_>) -> Result<DecodedUpload, Reject> {
    let raw = pb::Upload::decode(message).map_err(|_| {
        Reject::new(
            RejectReason::Unparseable,
            "Neither JSON nor a Protobuf message tracewarden.v1.Upload; correct the sender or its content type.",
        )
    })?;
    from_message(&raw, checks)
}

fn from_message(raw: &pb::Upload, checks: &Checks<'_>) -> Result<DecodedUpload, Reject> {
    let upload: Upload =
        validate::upload(raw, checks).map_err(|reject| with_identity(reject, raw, checks))?;
    Ok(DecodedUpload { upload, aliases: Vec::new() })
}

/// Adds to a refusal which document it concerns, as far as that can be read.
fn with_identity(reject: Reject, raw: &pb::Upload, checks: &Checks<'_>) -> Reject {
    let institution_id =
        validate::is_institution_id(&raw.institution_id).then(|| raw.institution_id.as_str().into());
    let named =
        !raw.document_id.is_empty() && validate::fits(&raw.document_id, checks.document_id_characters_max);
    Reject { institution_id, document_id: named.then(|| raw.document_id.as_str().into()), ..reject }
}
