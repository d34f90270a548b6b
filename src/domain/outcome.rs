//! How inputs and uploads end, and why one is refused: closed sets with stable names, which dead letters, metrics and
//! summaries share. Every input record has exactly one [`InputOutcome`], and every upload derived from one exactly
//! one [`UploadOutcome`].

use super::closed_set::closed_set;

/// The one end of an input record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InputOutcome {
    /// Refused as a whole.
    Rejected(RejectReason),
    /// It reports no fact: a message of no interest, or a control record.
    Ignored,
    /// Uploads were derived from it.
    Decoded,
}

closed_set! {
    /// What became of an upload in its document; counted, and dependent on the order of arrival.
    pub enum UploadOutcome {
        /// Some part, full stamp or reversal of it is newer than what was known.
        Accepted = "accepted",
        /// All it carries is already the newest known.
        Duplicate = "duplicate",
        /// It says nothing new, and some of it is older than what is known.
        Superseded = "superseded",
        /// The document has no room for it; nothing of it is kept.
        NoRoom = "no_room",
        /// The document is about a moment behind the horizon; nothing of the upload is kept.
        TooLate = "too_late",
    }
}

closed_set! {
    /// Why an input, or one document of it, was refused.
    pub enum RejectReason {
        /// Neither JSON nor Protobuf of a known shape.
        Unparseable = "unparseable",
        /// A required field is absent, null or empty.
        MissingField = "missing_field",
        /// A field does not have the form that it must have.
        MalformedField = "malformed_field",
        /// The kind of the document does not belong to the topic.
        WrongTopic = "wrong_topic",
        /// Larger than the configured limits.
        OverLimit = "over_limit",
        /// A moment too early, too late, or earlier than another that it cannot precede.
        TimeOutOfRange = "time_out_of_range",
        /// A message of the national interface that is not known.
        UnknownMessage = "unknown_message",
        /// A message that reverses a reversal.
        UnsupportedReversal = "unsupported_reversal",
    }
}
