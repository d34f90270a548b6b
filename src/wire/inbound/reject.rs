//! A refused input: why, and what its sender is told.
//!
//! A refusal goes to people, so it says in a sentence what is wrong and what to do. It goes beyond the protected
//! zone too, so it never repeats what the input said: no value, only the name of the field.

use std::fmt;

use crate::domain::Text;
pub use crate::domain::outcome::RejectReason;

/// One refused input, or one refused document of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Stable reason.
    pub reason: RejectReason,
    /// The field at fault, where there is one: `lines[2].quantity`.
    pub field: Option<String>,
    /// What is wrong and what to do. Holds nothing that the input said of a person.
    pub sentence: String,
    /// The institution, when it could be read.
    pub institution_id: Option<Text>,
    /// The document, when it could be read.
    pub document_id: Option<Text>,
}

impl Reject {
    /// A refusal of the whole input.
    pub fn new(reason: RejectReason, sentence: impl Into<String>) -> Self {
        Self { reason, field: None, sentence: sentence.into(), institution_id: None, document_id: None }
    }

    /// A refusal because of one field.
    pub fn of_field(reason: RejectReason, field: impl fmt::Display, sentence: impl Into<String>) -> Self {
        Self { field: Some(field.to_string()), ..Self::new(reason, sentence) }
    }

    /// A required field has no value.
    pub fn missing(field: impl fmt::Display) -> Self {
        let sentence =
            format!("`{field}` is required and is absent, null or empty; fill it in and upload again.");
        Self::of_field(RejectReason::MissingField, field, sentence)
    }

    /// A field has another form than `expected`.
    pub fn malformed(field: impl fmt::Display, expected: &str) -> Self {
        let sentence = format!("`{field}` must be {expected}; correct it and upload again.");
        Self::of_field(RejectReason::MalformedField, field, sentence)
    }

    /// More of something than is allowed.
    pub fn over_limit(field: impl fmt::Display, limit: usize, what: &str) -> Self {
        let sentence = format!("`{field}` is larger than the limit of {limit} {what}; send less at once.");
        Self::of_field(RejectReason::OverLimit, field, sentence)
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.sentence)
    }
}

impl std::error::Error for Reject {}
