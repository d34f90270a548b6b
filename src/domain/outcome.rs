//! How inputs and uploads end, and why one is refused: closed sets with stable names, which dead letters, metrics and
//! summaries share. Every input record has exactly one [`InputOutcome`], and every upload derived from one exactly
//! one [`UploadOutcome`].

use std::collections::BTreeMap;

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

closed_set! {
    /// A habit of senders that is read although the interface's tables do not have it.
    pub enum Leniency {
        /// JSON inside text, where a node should be.
        JsonInText = "json_in_text",
        /// A node or field written several times, or rows under several nodes.
        Repeated = "repeated",
        /// A list written as an object with number keys, or a list inside a list.
        ListForm = "list_form",
        /// A whole number written `1.0`.
        WholeNumber = "whole_number",
        /// A number rounded to the places that count.
        Rounded = "rounded",
        /// A negative count that turns a row round or makes it an adjustment.
        NegativeCount = "negative_count",
        /// A text that stands for nothing where an identifier should be.
        Filler = "filler",
        /// A person with asterisks inside.
        MaskedPerson = "masked_person",
        /// A customer's certificate that is the pharmacist's or the prescriber's.
        StaffCertificate = "staff_certificate",
        /// Several codes in one text.
        JoinedCodes = "joined_codes",
        /// A code that lost digits as a number.
        RoundedCode = "rounded_code",
        /// A row that the platform did not take, beside others that it took.
        RefusedRow = "refused_row",
        /// A message inside a `CloudEvent` or a wrapper of the interface.
        Wrapped = "wrapped",
    }
}

closed_set! {
    /// Why a record counts as ignored.
    pub enum IgnoredBecause {
        /// It moves the clock of a back-test.
        Control = "control",
        /// Messages of its number report no fact.
        NoFact = "no_fact",
        /// Its response says that the platform did not take it, or none of its rows.
        RefusedByPlatform = "refused_by_platform",
    }
}

/// Adds counts to sums, name by name.
pub fn add_counts<K: Clone + Ord>(sums: &mut BTreeMap<K, u64>, counts: &BTreeMap<K, u64>) {
    for (key, count) in counts {
        *sums.entry(key.clone()).or_default() += count;
    }
}
