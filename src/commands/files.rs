//! Files of one JSON value a line, compressed with zstd when their name ends in `.zst`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::domain::reference::Change;
use crate::domain::time::Timestamp;
use crate::sim::{self, Parameters, Truth};
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
        let change = reference::from_json(&line).map_err(|error| Failure {
            exit_code: 1,
            message: format!("{} line {number}: {error}", path.display()),
        })?;
        each(change)
    })
}

/// A folder with a province: its reference data, its uploads, its truth, the moment at which all can be known, and
/// the parameters that made it.
pub(super) struct ProvinceFolder {
    folder: PathBuf,
    uploads: LineFile,
    truth: BufWriter<File>,
}

impl ProvinceFolder {
    /// The name of the file of uploads, unless another is asked for.
    pub(super) const UPLOADS: &'static str = "uploads.ndjson";

    /// Creates the folder and the two files that grow.
    pub(super) fn create(folder: &Path) -> Result<Self, Failure> {
        Self::with_uploads_in(folder, Self::UPLOADS)
    }

    /// The same with another name for the file of uploads.
    pub(super) fn with_uploads_in(folder: &Path, uploads: &str) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| of_path(folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            uploads: LineFile::create(&folder.join(uploads))?,
            truth: create(folder, "truth.ndjson")?,
        })
    }

    /// Writes what is known before the first upload.
    pub(super) fn begin(&self, parameters: &Parameters) -> Result<(), Failure> {
        let mut reference = create(&self.folder, "reference.ndjson")?;
        for record in sim::reference(parameters) {
            writeln!(reference, "{record}")?;
        }
        reference.flush()?;
        let until = Timestamp::from_unix_millis(parameters.until());
        for (name, text) in
            [("until", format!("{until}\n")), ("parameters.toml", toml::to_string(parameters)?)]
        {
            let mut file = create(&self.folder, name)?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        Ok(())
    }

    /// Writes statements of the truth.
    pub(super) fn truth(&mut self, truth: &[Truth]) -> Result<(), Failure> {
        for one in truth {
            writeln!(self.truth, "{}", serde_json::to_string(one)?)?;
        }
        Ok(())
    }

    /// Writes one upload.
    pub(super) fn upload(&mut self, json: &str) -> Result<(), Failure> {
        self.uploads.line(json)
    }

    /// Makes sure that everything is written.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.truth.flush()?;
        self.uploads.finish()
    }
}

/// A file of lines that grows, compressed when its name ends in `.zst`.
struct LineFile {
    path: PathBuf,
    writer: LineWriter,
}

enum LineWriter {
    Plain(BufWriter<File>),
    Compressed(zstd::Encoder<'static, BufWriter<File>>),
}

impl LineFile {
    fn create(path: &Path) -> Result<Self, Failure> {
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

    fn line(&mut self, json: &str) -> Result<(), Failure> {
        let writer: &mut dyn Write = match &mut self.writer {
            LineWriter::Plain(file) => file,
            LineWriter::Compressed(encoder) => encoder,
        };
        let written = writer.write_all(json.as_bytes()).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|error| of_path(&self.path, &error))
    }

    /// A compressed file is one only with its end.
    fn finish(self) -> Result<(), Failure> {
        let finished = match self.writer {
            LineWriter::Plain(mut file) => file.flush(),
            LineWriter::Compressed(encoder) => encoder.finish().and_then(|mut file| file.flush()),
        };
        finished.map_err(|error| of_path(&self.path, &error))
    }
}

/// Creates a file in a folder.
pub(super) fn create(folder: &Path, name: &str) -> Result<BufWriter<File>, Failure> {
    let path = folder.join(name);
    File::create(&path).map(BufWriter::new).map_err(|error| of_path(&path, &error))
}

/// A failure that names the file or folder.
pub(super) fn of_path(path: &Path, error: &io::Error) -> Failure {
    Failure { exit_code: 1, message: format!("{}: {error}", path.display()) }
}
