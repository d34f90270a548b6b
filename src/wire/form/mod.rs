//! The one form of a fact: how every domain value is written in the log and kept in the stores.
//!
//! A value is written straight into the bytes of its record and read straight out of them; nothing stands in between. Which
//! fields a type has in it is listed once, for both ways, beside the others of its kind ([`document`], [`observation`],
//! [`claim`], [`finding`], [`rules`]); a test holds what the bytes are.
//!
//! | what | as bytes |
//! |---|---|
//! | number | seven bits a byte, the least first; signed ones folded |
//! | moment | the difference to the moment written before it in the record |
//! | text | as its bytes the first time, by number after that; digits at half their length |
//! | reference record | as its bytes the first time, by number after that |
//! | structure | a word with a bit for each field that says anything, then those fields |
//! | alternative | its number in one byte, then its fields |
//! | sequence | its fields, all of them |
//!
//! Bits and numbers are never used again for something else. A field that was added later is missing in older values and
//! reads as what it was before it was there; a value with a bit that is not known here was written by a newer program
//! and is refused.
//!
//! Derived codecs (rkyv, bitcode, minicbor) were weighed: they would have the domain depend on them, and none shares texts
//! across the values of a record.
//!
//! Writing cannot fail. Reading trusts nothing: whatever does not fit is a [`WireError`], and what is allocated is bounded by
//! the bytes read, as every element takes at least one byte.

mod claim;
mod digits;
mod document;
mod finding;
mod observation;
mod reader;
mod reference;
mod rules;
mod sender;
#[cfg(test)]
mod tests;
mod values;
mod writer;

pub use reader::Reader;
pub(super) use rules::{read_terms, write_terms};
pub use writer::Writer;

use super::WireError;

/// A value that has a form.
pub trait Form: Sized {
    /// Whether it says as much as a field that is left out.
    fn is_blank(&self) -> bool {
        false
    }

    /// What a field says that is left out; one that must be there is an error.
    fn blank(field: &'static str) -> Result<Self, WireError> {
        Err(WireError::Field { field })
    }

    /// Writes it.
    fn write(&self, to: &mut Writer);

    /// Reads it.
    fn read(from: &mut Reader<'_>) -> Result<Self, WireError>;

    /// Writes it where it is known not to be blank.
    fn write_said(&self, to: &mut Writer) {
        self.write(to);
    }

    /// Reads it there.
    fn read_said(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Self::read(from)
    }
}

/// Lists the fields of structures, each with its bit from 0. Of a structure marked `may be blank` all fields may be left out:
/// then it may be too. Fields that are `not kept` are their default after reading.
macro_rules! structures {
    ($($name:ty $([$($mark:ident)+])? {
        $($bit:literal $field:ident),+ $(,)? $(; not kept: $($not_kept:ident),+)?
    })+) => { $(
        impl $crate::wire::form::Form for $name {
            $crate::wire::form::may_be_blank!($($($mark)+)?);

            fn write(&self, to: &mut $crate::wire::form::Writer) {
                let Self { $($field,)+ $($($not_kept: _,)+)? } = self;
                let mut said = 0_u64;
                $(said |= u64::from(!$crate::wire::form::Form::is_blank($field)) << $bit;)+
                to.number(said);
                $(if said & (1 << $bit) != 0 {
                    $crate::wire::form::Form::write_said($field, to);
                })+
            }

            fn read(from: &mut $crate::wire::form::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                const KNOWN: u64 = $((1 << $bit) |)+ 0;
                let said = from.said(stringify!($name), KNOWN)?;
                $(let $field = if said & (1 << $bit) != 0 {
                    $crate::wire::form::Form::read_said(from)?
                } else {
                    $crate::wire::form::Form::blank(concat!(stringify!($name), ".", stringify!($field)))?
                };)+
                Ok(Self { $($field,)+ $($($not_kept: Default::default(),)+)? })
            }
        }
    )+ };
}
pub(crate) use structures;

/// Lists the fields of structures around some content, all of which are always said, one behind the other.
macro_rules! sequences {
    ($($name:ident { $($position:literal $field:ident),+ $(,)? })+) => { $(
        impl<T: $crate::wire::form::Form> $crate::wire::form::Form for $name<T> {
            fn write(&self, to: &mut $crate::wire::form::Writer) {
                let Self { $($field),+ } = self;
                $($crate::wire::form::Form::write($field, to);)+
            }

            fn read(from: &mut $crate::wire::form::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                $(let $field = $crate::wire::form::Form::read(from)?;)+
                Ok(Self { $($field),+ })
            }
        }
    )+ };
}
pub(crate) use sequences;

/// The part of a form that says what is blank: nothing, the default, or what is empty.
macro_rules! may_be_blank {
    () => {};
    (may be blank) => {
        $crate::wire::form::may_be_blank!(|value| *value == Self::default());
    };
    (when empty) => {
        $crate::wire::form::may_be_blank!(|value| value.is_empty());
    };
    (|$value:ident| $is_blank:expr) => {
        fn is_blank(&self) -> bool {
            let $value = self;
            $is_blank
        }

        fn blank(_: &'static str) -> Result<Self, $crate::wire::WireError> {
            Ok(Self::default())
        }
    };
}
pub(crate) use may_be_blank;

/// Lists alternatives, each with its number and its fields; those of a tuple by position.
macro_rules! alternatives {
    ($($name:ty { $($number:literal $variant:ident $({ $($member:tt: $field:ident),+ })?),+ $(,)? })+) => { $(
        impl $crate::wire::form::Form for $name {
            fn write(&self, to: &mut $crate::wire::form::Writer) {
                match self {
                    $(Self::$variant $({ $($member: $field),+ })? => {
                        to.byte($number);
                        $($($crate::wire::form::Form::write($field, to);)+)?
                    })+
                }
            }

            fn read(from: &mut $crate::wire::form::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                match from.byte()? {
                    $($number => {
                        $($(let $field = $crate::wire::form::Form::read(from)?;)+)?
                        Ok(Self::$variant $({ $($member: $field),+ })?)
                    })+
                    _ => Err($crate::wire::WireError::Field { field: stringify!($name) }),
                }
            }
        }
    )+ };
}
pub(crate) use alternatives;
