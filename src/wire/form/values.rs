//! What the fields of facts are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Form, Reader, WireError, Writer, may_be_blank};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::time::{Day, Millis, Timestamp};

impl Form for Text {
    fn write(&self, to: &mut Writer) {
        to.text(self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.text()
    }
}

impl Form for bool {
    may_be_blank!(may be blank);

    fn write(&self, to: &mut Writer) {
        to.byte(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Field { field: "bool" }),
        }
    }

    fn write_said(&self, _: &mut Writer) {}

    fn read_said(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(true)
    }
}

impl Form for Timestamp {
    fn write(&self, to: &mut Writer) {
        to.moment(self.unix_millis());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        from.moment().map(Self::from_unix_millis)
    }
}

/// Numbers: nothing is as good as zero.
macro_rules! numbers {
    ($($name:ty, $write:ident, $read:ident, |$value:ident| $number:expr, |$read_back:ident| $made:expr;)+) => { $(
        impl Form for $name {
            may_be_blank!(may be blank);

            fn write(&self, to: &mut Writer) {
                let $value = *self;
                to.$write($number);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
                let $read_back = from.$read()?;
                $made.map_err(|_| WireError::Field { field: stringify!($name) })
            }
        }
    )+ };
}

type Any<T> = Result<T, std::num::TryFromIntError>;

numbers! {
    u64, number, number, |value| value, |number| Any::Ok(number);
    u32, number, number, |value| value.into(), |number| number.try_into();
    usize, number, number, |value| value as u64, |number| number.try_into();
    i64, signed, signed, |value| value, |number| Any::Ok(number);
    i32, signed, signed, |value| value.into(), |number| number.try_into();
    Day, signed, signed, |value| value.days_since_epoch().into(), |number| number.try_into().map(Day::from_days_since_epoch);
    Millis, number, number, |value| value.get(), |number| Any::Ok(Millis::new(number));
    Money, signed, signed, |value| value.fen(), |number| Any::Ok(Money::from_fen(number));
    Quantity, signed, signed, |value| value.thousandths(), |number| Any::Ok(Quantity::from_thousandths(number));
}

impl<T: Form> Form for Option<T> {
    may_be_blank!(|value| value.is_none());

    fn write(&self, to: &mut Writer) {
        self.is_some().write(to);
        self.write_said(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        if bool::read(from)? { Self::read_said(from) } else { Ok(None) }
    }

    fn write_said(&self, to: &mut Writer) {
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read_said(from: &mut Reader<'_>) -> Result<Self, WireError> {
        T::read(from).map(Some)
    }
}

/// What is kept elsewhere has the form of itself.
macro_rules! pointers {
    ($($pointer:ident)+) => { $(
        impl<T: Form> Form for $pointer<T> {
            fn is_blank(&self) -> bool {
                self.as_ref().is_blank()
            }

            fn blank(field: &'static str) -> Result<Self, WireError> {
                T::blank(field).map(Self::new)
            }

            fn write(&self, to: &mut Writer) {
                self.as_ref().write(to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
                T::read(from).map(Self::new)
            }
        }
    )+ };
}

pointers! { Box Arc }

/// How many there are, then each.
impl<T: Form> Form for Vec<T> {
    may_be_blank!(when empty);

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|each| each.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = from.count()?;
        // Elements are larger than their bytes: room is made as they come.
        let mut all = Self::with_capacity(count.min(64));
        for _ in 0..count {
            all.push(T::read(from)?);
        }
        Ok(all)
    }
}

impl<T: Form + Ord> Form for BTreeSet<T> {
    may_be_blank!(when empty);

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        self.iter().for_each(|each| each.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Vec::read(from)?.into_iter().collect())
    }
}

impl<K: Form + Ord, V: Form> Form for BTreeMap<K, V> {
    may_be_blank!(when empty);

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        for (key, value) in self {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Vec::<(K, V)>::read(from)?.into_iter().collect())
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
        self.1.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok((A::read(from)?, B::read(from)?))
    }
}
