//! Domain values in the messages of `proto/tracewarden/internal/v1`.
//!
//! Entries of the internal topics and states on disk are made of the same values: keys, parts, observations,
//! findings. This module converts them, once for both. Texts and reference records repeat a lot, so they stand
//! in a table, once per record or state value, and are referred to by number; after decoding, equal texts and
//! records are one shared allocation.
//!
//! Encoding cannot fail. Decoding trusts nothing: whatever does not fit is a [`WireError`], and what is allocated
//! is bounded by the bytes read, as every element of a message takes at least one byte.

pub(crate) mod claim;
mod digits;
mod document;
pub mod entries;
mod finding;
mod handling;
mod observation;
mod reference;
mod rules;
mod table;

pub(crate) use table::{TableReader, TableWriter, element_bytes};

use crate::domain::amount::{Money, Quantity};
use crate::domain::time::{Day, Millis, Timestamp};

/// An internal record or state value that cannot be read: written by a newer version, or damaged.
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

/// A value that can stand in an internal message.
pub(crate) trait Wire: Sized {
    /// The message.
    type Message;

    /// Writes the value, its texts and reference records into the table.
    fn to_message(&self, table: &mut TableWriter) -> Self::Message;

    /// Reads the value.
    fn from_message(message: &Self::Message, table: &TableReader) -> Result<Self, WireError>;
}

/// The message behind a field that must be there.
pub(crate) fn required<'m, M>(message: &'m Option<M>, field: &'static str) -> Result<&'m M, WireError> {
    message.as_ref().ok_or(WireError::Field { field })
}

/// Reads a field that must be there.
pub(crate) fn read<T: Wire>(
    message: &Option<T::Message>,
    field: &'static str,
    table: &TableReader,
) -> Result<T, WireError> {
    T::from_message(required(message, field)?, table)
}

/// Reads a field that may be absent.
pub(crate) fn read_optional<T: Wire>(
    message: &Option<T::Message>,
    table: &TableReader,
) -> Result<Option<T>, WireError> {
    message.as_ref().map(|message| T::from_message(message, table)).transpose()
}

/// Reads a repeated field.
pub(crate) fn read_all<T: Wire>(messages: &[T::Message], table: &TableReader) -> Result<Vec<T>, WireError> {
    messages.iter().map(|message| T::from_message(message, table)).collect()
}

/// Writes a repeated field.
pub(crate) fn write_all<T: Wire>(values: &[T], table: &mut TableWriter) -> Vec<T::Message> {
    values.iter().map(|value| value.to_message(table)).collect()
}

pub(crate) fn quantity(thousandths: Option<i64>) -> Option<Quantity> {
    thousandths.map(Quantity::from_thousandths)
}

pub(crate) fn money(fen: Option<i64>) -> Option<Money> {
    fen.map(Money::from_fen)
}

pub(crate) fn day(days: Option<i32>) -> Option<Day> {
    days.map(Day::from_days_since_epoch)
}

pub(crate) fn moment(unix_millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(unix_millis)
}

pub(crate) fn length(millis: u64) -> Millis {
    Millis::new(millis)
}

/// Pairs the variants of a domain enum with the numbers of its message enum, in both directions. Zero, and any
/// number not listed, is none.
macro_rules! paired_enums {
    ($($domain:ty, $message:ty, $field:literal { $($ours:ident = $theirs:ident),+ $(,)? })+) => { $(
        impl $crate::wire::log::Numbered for $domain {
            fn number(self) -> i32 {
                match self { $(Self::$ours => <$message>::$theirs as i32),+ }
            }

            fn from_number(number: i32) -> Result<Option<Self>, $crate::wire::WireError> {
                match <$message>::try_from(number) {
                    Ok(<$message>::Unspecified) => Ok(None),
                    $(Ok(<$message>::$theirs) => Ok(Some(Self::$ours)),)+
                    Err(_) => Err($crate::wire::WireError::Field { field: $field }),
                }
            }
        }
    )+ };
}
pub(crate) use paired_enums;

/// A domain enum with numbers in messages.
pub(crate) trait Numbered: Sized + Copy {
    /// Its number.
    fn number(self) -> i32;

    /// The value of a number; zero is an absent one.
    fn from_number(number: i32) -> Result<Option<Self>, WireError>;

    /// The number of an optional value.
    fn number_of(value: Option<Self>) -> i32 {
        value.map_or(0, Self::number)
    }

    /// The value of a number that must be there.
    fn required(number: i32, field: &'static str) -> Result<Self, WireError> {
        Self::from_number(number)?.ok_or(WireError::Field { field })
    }
}
