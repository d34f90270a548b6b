//! How many codes were scanned for an upload: what alerts are compared with.

use crate::domain::document::{Origin, Upload};
use crate::domain::reference::Book;
use crate::domain::time::Timestamp;
use crate::wire::inbound::intake::{Decoded, Door, Input, Limits, take_in};
use crate::wire::inbound::nhsa::medical::MedicalTypes;
use crate::wire::inbound::pseudonym::Pseudonymiser;
use crate::wire::inbound::reject::{Reject, RejectReason};

/// Codes on the lines of one upload, canonical or national, the same one on a line counted once. What is refused for
/// its content counts nothing; what is no upload at all is an error.
pub fn scans_in(upload: &[u8]) -> Result<u64, Reject> {
    let received_at = Timestamp::default();
    let origin = Origin { topic: "uploads".into(), partition: 0, offset: 0, received_at };
    let input =
        Input { inlet: None, content_type: None, payload: upload, origin: &origin, record_timestamp: None };
    let (limits, pseudonymiser, book) = (Limits::default(), Pseudonymiser::for_tests(), Book::default());
    let medical_types = MedicalTypes::default();
    let door =
        Door { limits: &limits, pseudonymiser: &pseudonymiser, medical_types: &medical_types, book: &book };
    let uploads = match take_in(&input, &door) {
        Decoded::Uploads { uploads, .. } => uploads,
        Decoded::Ignored { .. } | Decoded::Tick { .. } => return Ok(0),
        Decoded::Rejected(rejects) => {
            let unreadable = rejects.into_iter().find(|reject| reject.reason == RejectReason::Unparseable);
            return unreadable.map_or(Ok(0), Err);
        }
    };
    let versions = uploads.iter().filter_map(|decoded| match &decoded.upload {
        Upload::Version(version) => Some(version),
        Upload::Reversal(_) | Upload::Handling(_) => None,
    });
    let facets = versions.flat_map(|version| version.lines.iter().filter_map(|line| line.codes.as_ref()));
    Ok(facets.map(|codes| codes.content.scans.len() as u64).sum())
}
