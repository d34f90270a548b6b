//! Moments and days.
//!
//! "Times have millisecond precision, the rest cut off. 'Day' means the calendar day in Asia/Shanghai,
//! '1 day' as a length 24 h." Written by hand from RFC 3339, because the other implementation uses a library.
//! Limit: the offset of Asia/Shanghai is taken as +08:00, which holds for every time that is not out of range.

/// One second in milliseconds.
pub(crate) const SECOND_MS: i64 = 1_000;
/// One hour in milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600 * SECOND_MS;
/// One day as a length, in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

const SHANGHAI_OFFSET_MS: i64 = 8 * HOUR_MS;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Timestamp {
    /// Reads RFC 3339 with an offset; what is finer than a millisecond is cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let day = Day::parse(date)?;
        let rest = rest.strip_prefix(['T', 't'])?;
        let (clock, rest) = rest.split_at_checked(8)?;
        let [hour, minute, second] = clock.split(':').collect::<Vec<_>>()[..] else { return None };
        let (hour, minute, second) =
            (two_digits(hour, 23)?, two_digits(minute, 59)?, two_digits(second, 59)?);
        let (millis, rest) = match rest.strip_prefix('.') {
            None => (0, rest),
            Some(fraction) => {
                let end = fraction.find(|c: char| !c.is_ascii_digit())?;
                let (digits, rest) = fraction.split_at(end);
                if digits.is_empty() {
                    return None;
                }
                let three: String = digits.chars().chain("000".chars()).take(3).collect();
                (three.parse::<i64>().ok()?, rest)
            }
        };
        let offset_minutes = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = if rest.starts_with('+') { 1 } else { -1 };
                let (hours, minutes) = rest.strip_prefix(['+', '-'])?.split_once(':')?;
                sign * (two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?)
            }
        };
        let local = day.0 * DAY_MS + ((hour * 60 + minute) * 60 + second) * SECOND_MS + millis;
        Some(Self(local - offset_minutes * 60 * SECOND_MS))
    }

    /// The calendar day in Asia/Shanghai.
    pub fn day(self) -> Day {
        Day((self.0 + SHANGHAI_OFFSET_MS).div_euclid(DAY_MS))
    }

    /// This moment as RFC 3339 at an offset, with `fraction` (`""`, `".000"`, …) instead of its milliseconds.
    pub fn text(self, offset_minutes: i64, zone: &str, fraction: &str) -> String {
        let local = self.0 + offset_minutes * 60 * SECOND_MS;
        let second_of_day = local.rem_euclid(DAY_MS) / SECOND_MS;
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        let day = Day(local.div_euclid(DAY_MS)).text();
        format!("{day}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    }
}

impl Day {
    /// Its first moment, in Asia/Shanghai.
    pub fn beginning(self) -> Timestamp {
        Timestamp(self.0 * DAY_MS - SHANGHAI_OFFSET_MS)
    }

    /// The day so many days later, or earlier.
    pub fn later(self, days: i64) -> Day {
        Day(self.0 + days)
    }

    /// Reads `YYYY-MM-DD`, an existing day.
    pub fn parse(text: &str) -> Option<Self> {
        let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return None };
        if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, month, day) = (year.parse::<i64>().ok()?, two_digits(month, 12)?, two_digits(day, 31)?);
        if year == 0 || month == 0 || day == 0 || day > month_length(year, month) {
            return None;
        }
        Some(Self(first_of_year(year) + (1..month).map(|m| month_length(year, m)).sum::<i64>() + day - 1))
    }

    /// The day as `YYYY-MM-DD`.
    pub fn text(self) -> String {
        let mut year = 1970;
        while first_of_year(year + 1) <= self.0 {
            year += 1;
        }
        let mut left = self.0 - first_of_year(year);
        let mut month = 1;
        while left >= month_length(year, month) {
            left -= month_length(year, month);
            month += 1;
        }
        format!("{year:04}-{month:02}-{:02}", left + 1)
    }
}

fn two_digits(text: &str, greatest: i64) -> Option<i64> {
    let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if right { text.parse::<i64>().ok()? } else { return None };
    (number <= greatest).then_some(number)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day number of 1 January.
fn first_of_year(year: i64) -> i64 {
    let before = |year: i64| 365 * (year - 1) + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    before(year) - before(1970)
}
