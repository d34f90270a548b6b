//! Moments in milliseconds and calendar days in Asia/Shanghai.
//!
//! Beijing time has been UTC+8 without daylight saving since 1991, and moments before 2015 are refused at
//! intake, so a fixed offset is exact here.

use std::fmt;

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Finer parts of a second are cut off at intake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A calendar day in Asia/Shanghai, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(u64);

const MILLIS_PER_DAY: i64 = 86_400_000;
const BEIJING_OFFSET_MILLIS: i64 = 8 * 3_600_000;

impl Millis {
    /// A length of `millis` milliseconds.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// A length of whole hours.
    pub const fn from_hours(hours: u32) -> Self {
        Self((hours as u64).saturating_mul(3_600_000))
    }

    /// A length of whole days of 24 hours.
    pub const fn from_days(days: u32) -> Self {
        Self::from_hours(days.saturating_mul(24))
    }

    /// The length in milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Timestamp {
    /// The moment `unix_millis` milliseconds after the epoch.
    pub const fn from_unix_millis(unix_millis: i64) -> Self {
        Self(unix_millis)
    }

    /// Milliseconds since the epoch.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// The moment `length` later, held at the end of time.
    pub const fn plus(self, length: Millis) -> Self {
        Self(self.0.saturating_add_unsigned(length.0))
    }

    /// The moment `length` earlier, held at the start of time.
    pub const fn minus(self, length: Millis) -> Self {
        Self(self.0.saturating_sub_unsigned(length.0))
    }

    /// The length between two moments, whichever is first.
    pub const fn distance(self, other: Self) -> Millis {
        Millis(self.0.abs_diff(other.0))
    }

    /// The calendar day in Asia/Shanghai.
    pub fn day(self) -> Day {
        let days = self.0.saturating_add(BEIJING_OFFSET_MILLIS).div_euclid(MILLIS_PER_DAY);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }
}

impl Day {
    /// The day `days` after 1970-01-01.
    pub const fn from_days_since_epoch(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days_since_epoch(self) -> i32 {
        self.0
    }

    /// The day of a civil date, when there is one: years 0 to 9999 of the Gregorian calendar.
    pub fn from_civil(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return None;
        }
        let candidate = Self(days_from_civil(year, month, day));
        (candidate.civil() == (year, month, day)).then_some(candidate)
    }

    /// Midnight in Beijing, with which it begins.
    pub const fn begins_at(self) -> Timestamp {
        let local_millis = (self.0 as i64).saturating_mul(MILLIS_PER_DAY);
        Timestamp(local_millis.saturating_sub(BEIJING_OFFSET_MILLIS))
    }

    /// Year, month (1–12) and day of the month.
    pub fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }
}

/// `YYYY-MM-DD`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// RFC 3339 in Beijing time, milliseconds only where there are any: `2026-01-05T09:31:00+08:00`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.0.saturating_add(BEIJING_OFFSET_MILLIS).rem_euclid(MILLIS_PER_DAY);
        let (seconds, millis) = (of_day / 1000, of_day % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.day())?;
        if millis != 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str("+08:00")
    }
}

/// Days since the epoch of a civil date, by counting in eras of 400 years that begin in March.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).unwrap_or(i32::MAX)
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (
        i32::try_from(year).unwrap_or(i32::MAX),
        u32::try_from(month).unwrap_or(1),
        u32::try_from(day).unwrap_or(1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip_over_the_supported_years() {
        let mut expected = Day::from_civil(1999, 12, 31).map(Day::days_since_epoch);
        for year in 2000..2101 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(found) = Day::from_civil(year, month, day) {
                        expected = expected.map(|previous| previous + 1);
                        assert_eq!(Some(found.days_since_epoch()), expected);
                        assert_eq!(found.civil(), (year, month, day));
                    }
                }
            }
        }
        assert_eq!(Day::from_civil(2026, 2, 29), None);
        assert_eq!(Day::from_civil(1970, 1, 1), Some(Day(0)));
    }

    #[test]
    fn the_day_turns_at_midnight_in_beijing() {
        let last = Timestamp::from_unix_millis(1_767_283_199_999);
        assert_eq!(last.to_string(), "2026-01-01T23:59:59.999+08:00");
        assert_eq!(last.plus(Millis::new(1)).to_string(), "2026-01-02T00:00:00+08:00");
    }
}
