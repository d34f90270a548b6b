//! Rows in files: how they are written, and where one file ends and the next begins.
//!
//! A file ends behind a row whose key says so by its hash, so that where files begin and end follows from the rows
//! themselves: a row that changes, comes or goes changes the file that it is in, perhaps the next, and no other. The
//! larger a row, the more likely a file ends behind it, so that files have one size on average whatever the rows are.
//! Least and most sizes hold against keys that were made up to have all hashes alike.

use xxhash_rust::xxh3::xxh3_64;

use super::super::{Entry, StoreError};

/// Mean size of a file beyond the least.
const MEAN_BYTES: u64 = 384 << 10;
/// No file but the last is smaller.
const LEAST_BYTES: usize = 128 << 10;
/// A file ends when it is this large; also what a snapshot holds in memory, besides one row.
const MOST_BYTES: usize = 4 << 20;
/// A key or value that is longer is no row of ours.
const ROW_BYTES_MAX: usize = 1 << 30;

/// The content of one file.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
}

/// Cuts rows, which come in key order, into the contents of files.
pub(super) struct Pieces<I> {
    rows: I,
}

impl<I: Iterator<Item = Result<Entry, StoreError>>> Pieces<I> {
    pub(super) fn of(rows: I) -> Self {
        Self { rows }
    }
}

impl<I: Iterator<Item = Result<Entry, StoreError>>> Iterator for Pieces<I> {
    type Item = Result<Piece, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Piece::default();
        for row in self.rows.by_ref() {
            let (key, value) = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            let before = piece.bytes.len();
            for part in [&key, &value] {
                push_part(&mut piece.bytes, part);
            }
            piece.rows += 1;
            let size = piece.bytes.len();
            if size >= MOST_BYTES || (size >= LEAST_BYTES && ends_file(&key, size - before)) {
                break;
            }
        }
        (piece.rows > 0).then_some(Ok(piece))
    }
}

/// Whether a file may end behind this row.
fn ends_file(key: &[u8], row_bytes: usize) -> bool {
    xxh3_64(key) < (u64::MAX / MEAN_BYTES).saturating_mul(row_bytes as u64)
}

/// A row is key and value, each behind its length.
fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
}

/// The rows of a file; none when it is none of ours.
pub(super) fn read(mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let key = read_part(&mut bytes)?;
        rows.push((key, read_part(&mut bytes)?));
    }
    Some(rows)
}

fn read_part(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length =
        usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= ROW_BYTES_MAX)?;
    let (part, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

    fn pieces(rows: &Rows) -> Vec<Piece> {
        Pieces::of(rows.clone().into_iter().map(Ok)).map(Result::unwrap).collect()
    }

    fn rows(count: u64) -> Rows {
        (0..count).map(|n| (n.to_be_bytes().to_vec(), vec![n as u8; 150 + n as usize % 100])).collect()
    }

    #[test]
    fn files_hold_all_rows_in_order_and_keep_to_their_sizes() {
        let rows = rows(60_000);
        let pieces = pieces(&rows);
        let read: Vec<Entry> = pieces.iter().flat_map(|piece| read(&piece.bytes).unwrap()).collect();
        assert_eq!(read, rows.into_iter().collect::<Vec<_>>());
        let (last, others) = pieces.split_last().unwrap();
        assert!(last.bytes.len() <= MOST_BYTES);
        assert!(others.iter().all(|piece| (LEAST_BYTES..=MOST_BYTES).contains(&piece.bytes.len())));
        assert!((8..=60).contains(&pieces.len()), "{} files", pieces.len());
    }

    #[test]
    fn keys_that_all_end_a_file_or_none_do_not_change_the_bounds() {
        for wanted in [true, false] {
            let keys =
                (0_u64..).map(|n| n.to_be_bytes().to_vec()).filter(|key| ends_file(key, 1016) == wanted);
            let rows: Rows = keys.take(9_000).map(|key| (key, vec![0; 1000])).collect();
            let sizes: Vec<usize> = pieces(&rows).iter().map(|piece| piece.bytes.len()).collect();
            let bound = if wanted { LEAST_BYTES } else { MOST_BYTES };
            assert!(sizes.len() > 2, "{sizes:?}");
            assert!(sizes[..sizes.len() - 1].iter().all(|size| size.abs_diff(bound) < 1016), "{sizes:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Every changed row, be it longer, shorter, gone or new, changes a few files at most.
        #[test]
        fn a_change_leaves_the_other_files_as_they_were(
            changes in prop::collection::vec((0..40_000_u64, prop::option::of(0..400_usize)), 1..6),
        ) {
            let mut rows = rows(40_000);
            let before: BTreeSet<Vec<u8>> = pieces(&rows).into_iter().map(|piece| piece.bytes).collect();
            for (key, length) in &changes {
                let key = (*key * 2).to_be_bytes().to_vec();
                match length {
                    Some(length) => rows.insert(key, vec![7; *length]),
                    None => rows.remove(&key),
                };
            }
            let after = pieces(&rows);
            let new = after.iter().filter(|piece| !before.contains(&piece.bytes)).count();
            prop_assert!(new <= 3 * changes.len(), "{new} of {} files for {} changes", after.len(), changes.len());
        }

        #[test]
        fn anything_can_be_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
