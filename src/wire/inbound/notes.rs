//! What was read leniently: counted, so that nothing that was bent or left out is silent.
//!
//! Names of fields are those of the interface, from the reader's own texts, so their number is bounded.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// A habit of senders that is read although the interface's tables do not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leniency {
    /// JSON inside text, where a node should be.
    JsonInText,
    /// A node or field written several times, or rows under several nodes.
    Repeated,
    /// A list written as an object with number keys, or a list inside a list.
    ListForm,
    /// A whole number written `1.0`.
    WholeNumber,
    /// A number rounded to the places that count.
    Rounded,
    /// A negative count that turns a row round or makes it an adjustment.
    NegativeCount,
    /// A text that stands for nothing where an identifier should be.
    Filler,
    /// A person with asterisks inside.
    MaskedPerson,
    /// A customer's certificate that is the pharmacist's or the prescriber's.
    StaffCertificate,
    /// Several codes in one text.
    JoinedCodes,
    /// A code that lost digits as a number.
    RoundedCode,
    /// A row that the platform did not take, beside others that it took.
    RefusedRow,
    /// A message inside a `CloudEvent` or a wrapper of the interface.
    Wrapped,
}

impl Leniency {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::JsonInText,
        Self::Repeated,
        Self::ListForm,
        Self::WholeNumber,
        Self::Rounded,
        Self::NegativeCount,
        Self::Filler,
        Self::MaskedPerson,
        Self::StaffCertificate,
        Self::JoinedCodes,
        Self::RoundedCode,
        Self::RefusedRow,
        Self::Wrapped,
    ];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonInText => "json_in_text",
            Self::Repeated => "repeated",
            Self::ListForm => "list_form",
            Self::WholeNumber => "whole_number",
            Self::Rounded => "rounded",
            Self::NegativeCount => "negative_count",
            Self::Filler => "filler",
            Self::MaskedPerson => "masked_person",
            Self::StaffCertificate => "staff_certificate",
            Self::JoinedCodes => "joined_codes",
            Self::RoundedCode => "rounded_code",
            Self::RefusedRow => "refused_row",
            Self::Wrapped => "wrapped",
        }
    }
}

/// The notes of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Optional fields that could not be read and were left out, by name.
    pub left_out: BTreeMap<&'static str, u64>,
    /// What was read leniently.
    pub leniencies: BTreeMap<Leniency, u64>,
}

/// Takes notes while a record is read.
#[derive(Debug, Default)]
pub(super) struct Notebook(RefCell<Notes>);

impl Notebook {
    /// An optional field was left out.
    pub(super) fn left_out(&self, field: &'static str) {
        *self.0.borrow_mut().left_out.entry(field).or_default() += 1;
    }

    /// Something was read leniently.
    pub(super) fn lenient(&self, leniency: Leniency) {
        *self.0.borrow_mut().leniencies.entry(leniency).or_default() += 1;
    }

    /// The notes.
    pub(super) fn into_notes(self) -> Notes {
        self.0.into_inner()
    }
}
