//! Files of one JSON value a line, compressed with zstd when their name ends in `.zst`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

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
    let mut reader = open(path).map_err(of_file)?;
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

/// The text of a file, decompressed by its extension.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let file = File::open(path)?;
    if is_compressed(path) {
        return Ok(Box::new(BufReader::with_capacity(1 << 20, zstd::Decoder::new(file)?)));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zst"))
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
        each(reference::from_json(&line).map_err(|error| at_line(path, number, error))?)
    })
}

/// A file of lines that grows, compressed when its name ends in `.zst`.
pub(super) struct LineFile {
    path: PathBuf,
    writer: LineWriter,
}

enum LineWriter {
    Plain(BufWriter<File>),
    Compressed(zstd::Encoder<'static, BufWriter<File>>),
}

impl LineFile {
    /// Creates it; what was there is gone.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let writer = || {
            let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
            if !is_compressed(path) {
                return Ok(LineWriter::Plain(file));
            }
            let mut encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            encoder.include_checksum(true)?;
            Ok(LineWriter::Compressed(encoder))
        };
        let writer = writer().map_err(|error| of_path(path, &error))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Writes one line.
    pub(super) fn line(&mut self, text: &[u8]) -> Result<(), Failure> {
        let writer: &mut dyn Write = match &mut self.writer {
            LineWriter::Plain(file) => file,
            LineWriter::Compressed(encoder) => encoder,
        };
        let written = writer.write_all(text).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|error| of_path(&self.path, &error))
    }

    /// Makes sure that everything is written: a compressed file is one only with its end.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = match self.writer {
            LineWriter::Plain(mut file) => file.flush(),
            LineWriter::Compressed(encoder) => encoder.finish().and_then(|mut file| file.flush()),
        };
        finished.map_err(|error| of_path(&self.path, &error))
    }
}

/// A failure that names the line of a file.
pub(super) fn at_line(path: &Path, number: u64, problem: impl std::fmt::Display) -> Failure {
    Failure { exit_code: 1, message: format!("{} line {number}: {problem}", path.display()) }
}

/// A failure that names the file or folder.
pub(super) fn of_path(path: &Path, error: &io::Error) -> Failure {
    Failure { exit_code: 1, message: format!("{}: {error}", path.display()) }
}
