//! How much one document keeps.
//!
//! One upload has its limits, but many partial ones can make a document grow without end, and what is kept of it is
//! read and written as a whole. So an upload that a document has no room for is refused, and what is known stays
//! as it is. Far above what is judged ([`LINES_MAX`](super::live::LINES_MAX), [`CODES_MAX`](super::live::CODES_MAX)):
//! such a document is held already. A full upload that replaces what is known always finds room.

use super::Upload;
use super::merge::Document;

/// Most lines, codes and reversed lines of one document that are kept, together.
pub const PARTS_KEPT_MAX: usize = 150_000;

impl Document {
    /// Whether what the upload carries can be kept beside what is known.
    pub fn has_room_for(&self, upload: &Upload) -> bool {
        let carried = match upload {
            Upload::Version(version) if version.full && self.full < Some(version.issued_at) => return true,
            Upload::Version(version) => {
                let codes = version.lines.iter().filter_map(|line| line.codes.as_ref());
                codes.fold(version.lines.len(), |sum, codes| sum.saturating_add(codes.content.scans.len()))
            }
            Upload::Reversal(reversal) => usize::from(reversal.line_id.is_some()),
        };
        self.kept().saturating_add(carried) <= PARTS_KEPT_MAX
    }

    fn kept(&self) -> usize {
        let codes = self.lines.values().filter_map(|line| line.codes.as_ref());
        let codes = codes.map(|codes| codes.part.content.scans.len());
        codes.fold(self.lines.len().saturating_add(self.reversed_lines.len()), usize::saturating_add)
    }
}
