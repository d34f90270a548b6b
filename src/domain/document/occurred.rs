//! When a document happened: a moment, or a day of which nobody knows the hour.
//!
//! A sender that keeps days only says so, and midnight is not made of it: each kind has its own moment of a day, so that
//! what must come before a sale has come, and what must come after it has not.

use std::fmt;

use super::{Kind, Role};
use crate::domain::time::{Day, Millis, Timestamp};

/// When a document happened, as its sender says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OccurredAt {
    /// At that moment.
    Moment(Timestamp),
    /// Within that day, in Beijing.
    Day(Day),
}

impl OccurredAt {
    /// The moment by which a document of that kind is ordered.
    pub fn moment(self, kind: Kind) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Day(day) => day.begins_at().plus(within_day(kind.role())),
        }
    }

    /// The earliest moment at which it may have happened.
    pub fn earliest(self) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Day(day) => day.begins_at(),
        }
    }

    /// The calendar day.
    pub fn day(self) -> Day {
        match self {
            Self::Moment(moment) => moment.day(),
            Self::Day(day) => day,
        }
    }

    /// Whether only the day is known.
    pub const fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
    }
}

/// How far into its day a document stands of which only the day is known.
const fn within_day(role: Option<Role>) -> Millis {
    const LAST_SECOND: u64 = 86_399_000;
    match role {
        Some(Role::StockIn) | None => Millis::new(0),
        Some(Role::Dispensing | Role::Settlement) => Millis::new(LAST_SECOND),
        Some(Role::Return) => Millis::new(LAST_SECOND + 998),
        Some(Role::StockOut) => Millis::new(LAST_SECOND + 999),
    }
}

/// As canonical uploads write it.
impl fmt::Display for OccurredAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moment(moment) => moment.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl From<Timestamp> for OccurredAt {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_a_day_stock_comes_first_and_goes_last_and_a_sale_is_given_back_after_it() {
        let on = Day::from_civil(2026, 1, 5).map(OccurredAt::Day);
        let at = |kind: Kind| on.map(|on| on.moment(kind).to_string());
        for (kind, expected) in [
            (Kind::PurchaseIn, "2026-01-05T00:00:00+08:00"),
            (Kind::Stocktake, "2026-01-05T00:00:00+08:00"),
            (Kind::Dispense, "2026-01-05T23:59:59+08:00"),
            (Kind::Settlement, "2026-01-05T23:59:59+08:00"),
            (Kind::DispenseReturn, "2026-01-05T23:59:59.998+08:00"),
            (Kind::Destroyed, "2026-01-05T23:59:59.999+08:00"),
        ] {
            assert_eq!(at(kind).as_deref(), Some(expected));
        }
        assert_eq!(on.map(|on| on.to_string()).as_deref(), Some("2026-01-05"));
        assert!(Kind::ALL.iter().all(|kind| on.map(|on| on.moment(*kind).day()) == on.map(OccurredAt::day)));
    }
}
