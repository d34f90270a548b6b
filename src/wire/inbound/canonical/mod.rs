//! The canonical form of an upload: JSON or Protobuf in, a [`Draft`] out.
//!
//! Both are the generated message [`pb::Upload`], whose texts are as the sender wrote them, and are read from it once
//! ([`read`]): whatever is refused in one form is refused in the other, with the same reason and field.
//!
//! A canonical document states no aliases; a settlement gets that of its settlement or visit id on the way.

mod handling;
pub mod json;
mod read;

use prost::Message;

use super::draft::Draft;
use super::json::Members;
use super::moment;
use super::reject::{Reject, RejectReason};
use crate::domain::document::Origin;
use crate::wire::pb;

/// The draft of a JSON object.
pub(super) fn from_json(object: &Members, origin: &Origin) -> Result<Draft, Reject> {
    let raw = json::read(object).map_err(|reject| about(reject, &json::identity(object)))?;
    from_message(&raw, origin)
}

/// The draft of a Protobuf message.
pub(super) fn from_protobuf(message: &[u8], origin: &Origin) -> Result<Draft, Reject> {
    let raw = pb::Upload::decode(message).map_err(|_| {
        Reject::said(
            RejectReason::Unparseable,
            "既不是 JSON，也不是 Protobuf 消息 tracewarden.v1.Upload；请修正上传程序或其 content-type。",
            "Neither JSON nor a Protobuf message tracewarden.v1.Upload; correct the sender or its content type.",
        )
    })?;
    from_message(&raw, origin)
}

fn from_message(raw: &pb::Upload, origin: &Origin) -> Result<Draft, Reject> {
    read::draft(raw, origin).map_err(|reject| about(reject, raw))
}

/// Says of a refusal which document it concerns, as far as that can be read.
fn about(reject: Reject, raw: &pb::Upload) -> Reject {
    reject.about(&raw.institution_id, &raw.document_id).issued(moment::rfc3339(&raw.issued_at))
}
