//! What is wrong with bytes that cannot be read.

/// An internal record, a state value or a message that cannot be read: written by a newer version, or damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are no message of the expected form.
    #[error("this is no {expected}: {detail}")]
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A field that must be there is not, or has a value that this version does not know.
    #[error("field {field} is missing or has an unknown value")]
    Field {
        /// The field.
        field: &'static str,
    },
    /// The value was written in a format that this version does not know.
    #[error("format version {found} is not known here (known: {known})")]
    Version {
        /// The version found.
        found: u8,
        /// The versions that can be read.
        known: &'static str,
    },
}
