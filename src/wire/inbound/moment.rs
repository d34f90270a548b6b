//! Moments and days in text: RFC 3339 with an offset, calendar days, and the national interface's Beijing time.
//!
//! Read strictly by hand: a general parser accepts week dates, missing offsets or zone names, and two senders'
//! systems would then disagree about what was accepted here.

use crate::domain::time::{Day, Timestamp};

/// Text that states what a moment must be.
pub const MOMENT_FORM: &str = "an RFC 3339 moment with an offset, like 2026-01-05T09:31:02+08:00";

/// Text that states what a day must be.
pub const DAY_FORM: &str = "a day, like 2027-05-01";

const MILLIS_PER_DAY: i64 = 86_400_000;
const BEIJING_OFFSET_SECONDS: i64 = 8 * 3600;

/// Longest moment that is looked at: RFC 3339 does not bound the digits of a second.
const MOMENT_BYTES_MAX: usize = 64;

/// A moment in RFC 3339 with its mandatory offset; finer parts than milliseconds are cut off.
pub fn rfc3339(text: &str) -> Option<Timestamp> {
    if text.len() > MOMENT_BYTES_MAX {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (millis, rest) = fraction_millis(rest)?;
    let local_millis = local_millis(day(date)?, clock_seconds(clock)?, millis);
    Some(Timestamp::from_unix_millis(local_millis - offset_seconds(rest)? * 1000))
}

/// A calendar day `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<Day> {
    match text.as_bytes() {
        [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => {
            Day::from_civil(i32::try_from(number(year)?).ok()?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
        }
        _ => None,
    }
}

/// A moment of the national interface: Beijing time as `yyyy-MM-dd HH:mm:ss`, also without the space, with a `T`,
/// with a fraction of a second or an offset, as bare digits `yyyyMMddHHmmss`, or a day alone (its midnight).
pub fn beijing(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MOMENT_BYTES_MAX {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return beijing_digits(text);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let day = match day(date) {
        Some(day) => day,
        None => day_with_slashes(date)?,
    };
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
    if rest.is_empty() {
        return Some(at_beijing(day, 0, 0));
    }
    let (clock, rest) = rest.split_at_checked(8)?;
    let (millis, rest) = fraction_millis(rest)?;
    if rest.is_empty() {
        return Some(at_beijing(day, clock_seconds(clock)?, millis));
    }
    let local_millis = local_millis(day, clock_seconds(clock)?, millis);
    Some(Timestamp::from_unix_millis(local_millis - offset_seconds(rest)? * 1000))
}

/// A day of the national interface: any moment that it accepts, its time of day passed over.
pub fn beijing_day(text: &str) -> Option<Day> {
    beijing(text).map(Timestamp::day)
}

fn beijing_digits(digits: &str) -> Option<Timestamp> {
    let (date, clock) = digits.split_at_checked(8)?;
    let bytes = date.as_bytes();
    let day = Day::from_civil(
        i32::try_from(number(bytes.get(..4)?)?).ok()?,
        number(bytes.get(4..6)?)?,
        number(bytes.get(6..)?)?,
    )?;
    let clock = clock.as_bytes();
    let (seconds, millis) = match clock.len() {
        0 => (0, 0),
        6 | 9 => {
            let seconds =
                of_day(number(clock.get(..2)?)?, number(clock.get(2..4)?)?, number(clock.get(4..6)?)?)?;
            (seconds, if clock.len() == 9 { i64::from(number(clock.get(6..)?)?) } else { 0 })
        }
        _ => return None,
    };
    Some(at_beijing(day, seconds, millis))
}

fn day_with_slashes(date: &str) -> Option<Day> {
    day(&date.replace('/', "-"))
}

fn at_beijing(day: Day, seconds: i64, millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(local_millis(day, seconds, millis) - BEIJING_OFFSET_SECONDS * 1000)
}

fn local_millis(day: Day, seconds: i64, millis: i64) -> i64 {
    i64::from(day.days_since_epoch()) * MILLIS_PER_DAY + seconds * 1000 + millis
}

/// `HH:MM:SS` as seconds of the day. A leap second counts as the second before it.
fn clock_seconds(clock: &str) -> Option<i64> {
    match clock.as_bytes() {
        [h1, h2, b':', m1, m2, b':', s1, s2] => {
            of_day(number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?)
        }
        _ => None,
    }
}

fn of_day(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let valid = hour <= 23 && minute <= 59 && second <= 60;
    valid.then(|| i64::from(hour * 3600 + minute * 60 + second.min(59)))
}

/// The milliseconds of a fraction `.5`, cut off, and what follows it.
fn fraction_millis(rest: &str) -> Option<(i64, &str)> {
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = fraction.split_at_checked(digits)?;
    if digits.is_empty() {
        return None;
    }
    let millis =
        digits.bytes().chain([b'0'; 3]).take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some((millis, rest))
}

fn offset_seconds(offset: &str) -> Option<i64> {
    match offset.as_bytes() {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let seconds = of_day(number(&[*h1, *h2])?, number(&[*m1, *m2])?, 0)?;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// A number of up to nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    let valid = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    valid.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_need_an_offset_and_are_cut_to_milliseconds() {
        for (text, expected) in [
            ("2026-01-05T09:31:02+08:00", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-05T01:31:02Z", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-04T20:31:02.0009-05:00", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-05T09:31:02.5+08:00", Some("2026-01-05T09:31:02.500+08:00")),
            ("2026-01-05T09:31:02.123999999999+08:00", Some("2026-01-05T09:31:02.123+08:00")),
            ("2026-01-05T09:31:02", None),
            ("2026-01-05T09:31:02.+08:00", None),
            ("2026-01-05T09:31+08:00", None),
            ("2026-02-29T09:31:02+08:00", None),
            ("2026-01-05T24:00:00+08:00", None),
            ("2026-01-05T09:31:02+0800", None),
            ("2026-01-05T09:31:02+08:00[Asia/Shanghai]", None),
            ("２026-01-05T09:31:02Z", None),
            ("", None),
        ] {
            assert_eq!(rfc3339(text).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_national_interface_writes_beijing_time_in_many_ways() {
        for (text, expected) in [
            ("2026-01-05 09:31:02", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-0509:31:02", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-05T09:31:02", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-05T01:31:02Z", Some("2026-01-05T09:31:02+08:00")),
            ("2026/01/05 09:31:02.0", Some("2026-01-05T09:31:02+08:00")),
            (" 20260105093102 ", Some("2026-01-05T09:31:02+08:00")),
            ("20260105093102250", Some("2026-01-05T09:31:02.250+08:00")),
            ("2026-01-05", Some("2026-01-05T00:00:00+08:00")),
            ("20260105", Some("2026-01-05T00:00:00+08:00")),
            ("2026-01-05 9:31:02", None),
            ("2026-13-05 09:31:02", None),
            ("无", None),
            ("", None),
        ] {
            assert_eq!(beijing(text).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
        }
    }
}
