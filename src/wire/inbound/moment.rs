//! Moments and days in text: RFC 3339 with an offset, calendar days, and the national interface's Beijing time.
//!
//! Read strictly by hand: a general parser accepts week dates, missing offsets or zone names, and two senders'
//! systems would then disagree about what was accepted here.

use super::reject::Words;
use crate::domain::document::occurred::OccurredAt;
use crate::domain::time::{Day, Timestamp};

/// What a moment must be.
pub const MOMENT_FORM: Words = Words::new(
    "带时区的 RFC 3339 时间，如 2026-01-05T09:31:02+08:00",
    "an RFC 3339 moment with an offset, like 2026-01-05T09:31:02+08:00",
);

/// What a day must be.
pub const DAY_FORM: Words = Words::new("日期，如 2027-05-01", "a day, like 2027-05-01");

/// What a moment or a day must be, where either will do.
pub const MOMENT_OR_DAY_FORM: Words = Words::new(
    "带时区的 RFC 3339 时间（如 2026-01-05T09:31:02+08:00）或日期（如 2026-01-05）",
    "an RFC 3339 moment with an offset, like 2026-01-05T09:31:02+08:00, or a day, like 2026-01-05",
);

/// What a moment of the national interface must be.
pub const BEIJING_FORM: Words =
    Words::new("北京时间，如 2026-01-05 09:31:02", "Beijing time, like 2026-01-05 09:31:02");

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

/// A moment or a day of the national interface, Beijing time unless it says otherwise, in every form that senders
/// write: year, month and day in this order, with `-` `/` `.` or 年月日 between them, then perhaps a time of day and an
/// offset; bare digits `yyyyMMdd`, `yyyyMMddHHmmss`, with milliseconds; `/Date(ms)/`; 13 digits as Unix milliseconds.
pub fn beijing(text: &str) -> Option<OccurredAt> {
    let text = text.trim();
    if text.len() > MOMENT_BYTES_MAX {
        return None;
    }
    if let Some(date) = text.strip_prefix("/Date(") {
        return dot_net(date).map(OccurredAt::Moment);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return beijing_digits(text);
    }
    let (day, rest) = date_in_words(text)?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim();
    if rest.is_empty() {
        return Some(OccurredAt::Day(day));
    }
    let (millis_of_day, rest) = time_of_day(rest)?;
    let offset = match rest.trim_start() {
        "" => BEIJING_OFFSET_SECONDS,
        offset => loose_offset_seconds(offset)?,
    };
    let local_millis = i64::from(day.days_since_epoch()) * MILLIS_PER_DAY + millis_of_day;
    Some(OccurredAt::Moment(Timestamp::from_unix_millis(local_millis - offset * 1000)))
}

/// A day of the national interface: any moment that it accepts, its time of day passed over, or a month (its last day).
pub fn beijing_day(text: &str) -> Option<Day> {
    beijing(text).map(OccurredAt::day).or_else(|| last_day_of_month(text.trim()))
}

/// `2027-12` or `202712`.
fn last_day_of_month(text: &str) -> Option<Day> {
    let (year, rest) = text.split_at_checked(4)?;
    let month = match rest.strip_prefix(DATE_MARKS) {
        Some(month) => month.strip_suffix('月').unwrap_or(month),
        None if rest.len() == 2 => rest,
        None => return None,
    };
    let (year, month) = (i32::try_from(number(year.as_bytes())?).ok()?, short_number(month)?);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Day::from_civil(year, month, 1)?;
    let next = Day::from_civil(next_year, next_month, 1)?;
    Some(Day::from_days_since_epoch(next.days_since_epoch() - 1))
}

/// What stands behind the year and behind the month.
const DATE_MARKS: [char; 5] = ['-', '/', '.', '年', '月'];

/// A date of four digits and twice one or two, with marks between them, and what follows it.
fn date_in_words(text: &str) -> Option<(Day, &str)> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, rest) = digits_of(rest.strip_prefix(DATE_MARKS)?)?;
    let (day, rest) = digits_of(rest.strip_prefix(DATE_MARKS)?)?;
    let day = Day::from_civil(i32::try_from(number(year.as_bytes())?).ok()?, month, day)?;
    Some((day, rest.strip_prefix('日').unwrap_or(rest)))
}

/// Hours and minutes, perhaps seconds and a fraction, as milliseconds of the day; what follows. 24:00:00 is the end of
/// the day.
fn time_of_day(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = digits_of(text)?;
    let (minute, rest) = digits_of(rest.strip_prefix(':')?)?;
    let (second, millis, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (second, rest) = digits_of(rest)?;
            let (millis, rest) = fraction_millis(rest)?;
            (second, millis, rest)
        }
        None => (0, 0, rest),
    };
    if (hour, minute, second, millis) == (24, 0, 0, 0) {
        return Some((MILLIS_PER_DAY, rest));
    }
    Some((of_day(hour, minute, second)? * 1000 + millis, rest))
}

/// One or two digits, and what follows them.
fn digits_of(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((number(digits.as_bytes())?, rest))
}

fn short_number(digits: &str) -> Option<u32> {
    if digits.len() > 2 { None } else { number(digits.as_bytes()) }
}

/// `Z`, or an offset with or without its colon and minutes.
fn loose_offset_seconds(offset: &str) -> Option<i64> {
    match offset.as_bytes() {
        [sign @ (b'+' | b'-'), h1, h2] => offset_seconds(&spelled_offset(*sign, [*h1, *h2, b'0', b'0'])),
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            offset_seconds(&spelled_offset(*sign, [*h1, *h2, *m1, *m2]))
        }
        _ => offset_seconds(offset),
    }
}

fn spelled_offset(sign: u8, [h1, h2, m1, m2]: [u8; 4]) -> String {
    [sign, h1, h2, b':', m1, m2].map(char::from).iter().collect()
}

/// `1767576661000)/`, perhaps with an offset that only says how to show it.
fn dot_net(date: &str) -> Option<Timestamp> {
    let millis = date.strip_suffix(")/")?;
    let shown = millis.find(['+', '-']).filter(|at| *at > 0);
    let millis = shown.map_or(Some(millis), |at| millis.get(..at))?;
    unix_millis(millis)
}

fn unix_millis(digits: &str) -> Option<Timestamp> {
    let valid = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| valid).map(Timestamp::from_unix_millis)
}

fn beijing_digits(digits: &str) -> Option<OccurredAt> {
    if digits.len() == 13 {
        return unix_millis(digits).map(OccurredAt::Moment);
    }
    let (date, clock) = digits.split_at_checked(8)?;
    let bytes = date.as_bytes();
    let day = Day::from_civil(
        i32::try_from(number(bytes.get(..4)?)?).ok()?,
        number(bytes.get(4..6)?)?,
        number(bytes.get(6..)?)?,
    )?;
    let part = |range| number(clock.as_bytes().get(range)?);
    let millis = match clock.len() {
        0 => return Some(OccurredAt::Day(day)),
        6 => 0,
        9 => i64::from(part(6..9)?),
        _ => return None,
    };
    let (hour, minute, second) = (part(0..2)?, part(2..4)?, part(4..6)?);
    let seconds = match (hour, minute, second, millis) {
        (24, 0, 0, 0) => 86_400,
        _ => of_day(hour, minute, second)?,
    };
    Some(OccurredAt::Moment(at_beijing(day, seconds, millis)))
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
            ("2026-01-05T01:31:02.000+0000", Some("2026-01-05T09:31:02+08:00")),
            ("2026-01-05 01:31:02 +00", Some("2026-01-05T09:31:02+08:00")),
            ("2026/01/05 09:31:02.0", Some("2026-01-05T09:31:02+08:00")),
            ("2026/1/2 8:03:05", Some("2026-01-02T08:03:05+08:00")),
            ("2026.1.2  8:03", Some("2026-01-02T08:03:00+08:00")),
            ("2026年1月2日 8:03:05", Some("2026-01-02T08:03:05+08:00")),
            ("2026年01月02日", Some("2026-01-02")),
            (" 20260105093102 ", Some("2026-01-05T09:31:02+08:00")),
            ("20260105093102250", Some("2026-01-05T09:31:02.250+08:00")),
            ("1767576662250", Some("2026-01-05T09:31:02.250+08:00")),
            ("/Date(1767576662250)/", Some("2026-01-05T09:31:02.250+08:00")),
            ("/Date(1767576662250+0800)/", Some("2026-01-05T09:31:02.250+08:00")),
            ("2026-01-05 24:00:00", Some("2026-01-06T00:00:00+08:00")),
            ("20260105240000", Some("2026-01-06T00:00:00+08:00")),
            ("2026-01-05", Some("2026-01-05")),
            ("2026/1/5", Some("2026-01-05")),
            ("20260105", Some("2026-01-05")),
            ("2026-01-05 24:00:01", None),
            ("2026-01-05 9", None),
            ("2026-13-05 09:31:02", None),
            ("05/01/2026 09:31:02", None),
            ("26-01-05 09:31:02", None),
            ("/Date(-1)/", None),
            ("无", None),
            ("", None),
        ] {
            assert_eq!(beijing(text).map(|moment| moment.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_expiry_by_month_is_its_last_day() {
        for (text, expected) in [
            ("2027-12", Some("2027-12-31")),
            ("202712", Some("2027-12-31")),
            ("2028/2", Some("2028-02-29")),
            ("2027年2月", Some("2027-02-28")),
            ("2027-05-01 00:00:00", Some("2027-05-01")),
            ("20270501", Some("2027-05-01")),
            ("2027-13", None),
            ("2027", None),
            ("长期", None),
        ] {
            assert_eq!(beijing_day(text).map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
    }
}
