//! Files of one JSON value a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::Failure;
use crate::domain::reference::Change;
use crate::wire::reference;

/// Longest line that is read; a longer one is refused by the decoder, which sees this much of it.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Calls `each` with every line that is not blank, and its number from 1.
pub(super) fn for_each_line(
    path: &Path,
    mut each: impl FnMut(u64, Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let of_file = |error: io::Error| of_path(path, &error);
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(of_file)?);
    for number in 1.. {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(of_file)?;
        if read == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 == LINE_BYTES_MAX {
            skip_line(&mut reader).map_err(of_file)?;
        }
        if !line.trim_ascii().is_empty() {
            each(number, line)?;
        }
    }
    Ok(())
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(());
        }
        let (used, at_end) = match available.iter().position(|byte| *byte == b'\n') {
            Some(newline) => (newline + 1, true),
            None => (available.len(), false),
        };
        reader.consume(used);
        if at_end {
            return Ok(());
        }
    }
}

/// Calls `each` with every reference record of a file.
pub(super) fn for_each_reference(
    path: &Path,
    mut each: impl FnMut(Change) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for_each_line(path, |number, line| {
        let change = reference::from_json(&line).map_err(|error| Failure {
            exit_code: 1,
            message: format!("{} line {number}: {error}", path.display()),
        })?;
        each(change)
    })
}

/// A failure that names the file or folder.
pub(super) fn of_path(path: &Path, error: &io::Error) -> Failure {
    Failure { exit_code: 1, message: format!("{}: {error}", path.display()) }
}
