//! Every key that the engine writes to the store of a partition. Keys of different kinds never meet: each begins with the
//! byte of its space, and a space is one range. A store on disk keeps its format and the next offset under `0xff`
//! ([`store::disk`](crate::store)), which is no space.
//!
//! | space | key | value |
//! |---|---|---|
//! | [`Space::Meta`] | `facts` | time and terms ([`Facts`](super::partition::facts::Facts)) |
//! | [`Space::Meta`] | `last` | digest of the record applied last |
//! | [`Space::Value`] | key | its state ([`State`](super::State)) |
//! | [`Space::Timer`] | due time, key | nothing |
//! | [`Space::Row`] | length of the key, key, row | when it was noted |
//!
//! What a key is, a stage says: those of documents, aliases, senders, codes and claims stand in `pipeline/topics.rs`. Rows
//! are what is too large for one value: the documents behind an alias (`pipeline/aliases.rs`).
//!
//! Keys are part of what lies on disk: a changed one strands it.

use std::ops::Bound;

use crate::domain::time::Timestamp;

/// The kinds of rows of a store, by the first byte of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Space {
    /// What the partition knows besides.
    Meta = 0,
    /// State by key.
    Value = 1,
    /// Timers in order of (due time, key).
    Timer = 2,
    /// Rows that belong to a key, in order of (key, row).
    Row = 3,
}

impl Space {
    /// A key in this space.
    pub(super) fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
        key.push(self as u8);
        for part in parts {
            key.extend_from_slice(part);
        }
        key
    }

    /// The first key behind this space.
    pub(super) fn end(self) -> Vec<u8> {
        vec![self as u8 + 1]
    }
}

/// Time and terms of the partition.
pub(super) fn facts() -> Vec<u8> {
    Space::Meta.key(&[b"facts"])
}

/// The digest of the record applied last.
pub(super) fn last_record() -> Vec<u8> {
    Space::Meta.key(&[b"last"])
}

/// The state of a key.
pub(super) fn value(key: &[u8]) -> Vec<u8> {
    Space::Value.key(&[key])
}

/// The key whose state is at this row of the store.
pub(super) fn key_of_value(stored: &[u8]) -> &[u8] {
    stored.get(1..).unwrap_or_default()
}

/// A timer. They sort by (due time, key): the sign bit is flipped so that bytes sort as numbers do.
pub(super) fn timer(due: Timestamp, key: &[u8]) -> Vec<u8> {
    let sortable = due.unix_millis().cast_unsigned() ^ (1 << 63);
    Space::Timer.key(&[&sortable.to_be_bytes(), key])
}

/// When a timer is due.
pub(super) fn timer_due(stored: &[u8]) -> Option<Timestamp> {
    let sortable = u64::from_be_bytes(*stored.get(1..)?.first_chunk()?);
    Some(Timestamp::from_unix_millis((sortable ^ (1 << 63)).cast_signed()))
}

/// Whose timer it is.
pub(super) fn key_of_timer(stored: &[u8]) -> &[u8] {
    stored.get(9..).unwrap_or_default()
}

/// A row that belongs to a key; the empty row sorts before all others. The length keeps a key apart from a longer one
/// that begins with it.
pub(super) fn row(key: &[u8], row: &[u8]) -> Vec<u8> {
    let length = u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes();
    Space::Row.key(&[&length, key, row])
}

/// The first key of the store behind all rows that belong to a key.
pub(super) fn rows_end(key: &[u8]) -> Vec<u8> {
    let mut end = row(key, &[]);
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// The bounds of the rows of a key behind one of them.
pub(super) fn rows_after(key: &[u8], after: Option<&[u8]>) -> (Bound<Vec<u8>>, Vec<u8>) {
    let from = match after {
        Some(after) => Bound::Excluded(row(key, after)),
        None => Bound::Included(row(key, &[])),
    };
    (from, rows_end(key))
}

/// What a row is called among those of its key.
pub(super) fn name_of_row<'a>(key: &[u8], stored: &'a [u8]) -> &'a [u8] {
    stored.get(3 + key.len()..).unwrap_or_default()
}

/// The content of a row that was noted at that moment.
pub(super) fn noted(at: Timestamp) -> Vec<u8> {
    at.unix_millis().to_be_bytes().to_vec()
}

/// When a row was noted.
pub(super) fn noted_at(content: &[u8]) -> Option<Timestamp> {
    content.first_chunk().map(|millis| Timestamp::from_unix_millis(i64::from_be_bytes(*millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_sort_by_due_time_also_before_1970() {
        let due = [-5, -1, 0, 3].map(Timestamp::from_unix_millis);
        let timers = due.map(|due| timer(due, b"k"));
        assert!(timers.is_sorted());
        assert_eq!(timers.each_ref().map(|stored| timer_due(stored)), due.map(Some));
        assert!(timers.iter().all(|stored| key_of_timer(stored) == b"k"));
    }

    #[test]
    fn rows_of_a_key_lie_between_its_first_and_its_end_and_no_others_do() {
        for key in [&b""[..], b"a", b"a\xff", b"ab", b"\xff\xff"] {
            let within = |stored: &Vec<u8>| *stored >= row(key, &[]) && *stored < rows_end(key);
            assert!(within(&row(key, b"")) && within(&row(key, b"\xff\xff")));
            let others =
                [&b""[..], b"a", b"a\xff", b"ab", b"b", b"\xff\xff"].into_iter().filter(|it| *it != key);
            assert!(others.into_iter().all(|other| !within(&row(other, b"")) && !within(&row(other, b"z"))));
        }
    }
}
