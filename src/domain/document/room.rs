//! How much one document keeps.
//!
//! One upload has its limits, but many partial ones can make a document grow without end, and what is kept of it is
//! read and written as a whole. So an upload that makes a full document grow is refused, and what is known stays as it
//! is. Far above what is judged ([`LINES_MAX`](super::live::LINES_MAX), [`CODES_MAX`](super::live::CODES_MAX)):
//! such a document is held already.
//!
//! Whether an upload adds anything is known for certain only once it is merged: most of what a correction carries
//! takes the place of what was there. So it is merged first and undone where it grew too far; one that does not grow
//! the document is always welcome, and so is what [replaces or takes back](Document::is_replaced_by) the whole of it,
//! or a full document could never be put right again.

use super::Upload;
use super::merge::Document;

/// Most lines, codes and reversed lines of one document that are kept, together. A full upload may take a document
/// over it by what one upload may carry, and the next full one replaces that again.
pub const PARTS_KEPT_MAX: usize = 150_000;

impl Document {
    /// Whether the upload, not merged yet, is about the document as a whole: a full upload newer than any known, or
    /// a reversal of all lines.
    pub fn is_replaced_by(&self, upload: &Upload) -> bool {
        match upload {
            Upload::Version(version) => self.is_outdated_by(version),
            Upload::Reversal(reversal) => reversal.line_id.is_none(),
            Upload::Handling(_) => false,
        }
    }

    /// Whether it keeps more than it may, and more than `before`.
    pub fn has_outgrown(&self, before: &Self) -> bool {
        let kept = self.kept();
        kept > PARTS_KEPT_MAX && kept > before.kept()
    }

    fn kept(&self) -> usize {
        let codes = self.lines.values().filter_map(|line| line.codes.as_ref());
        let codes = codes.map(|codes| codes.part.content.scans.len());
        codes.fold(self.lines.len().saturating_add(self.reversed_lines.len()), usize::saturating_add)
    }
}
