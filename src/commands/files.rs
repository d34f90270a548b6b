//! Files of one JSON value a line, compressed with zstd when their name ends in `.zst`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::wire::inbound::reference::{self, Entry};

/// Longest line that is read; a longer one is refused by the decoder, which sees this much of it.
const LINE_BYTES_MAX: u64 = 4 << 20;

/// Calls `each` with every line that is not blank, and its number from 1.
pub(super) fn for_each_line(
    path: &Path,
    mut each: impl FnMut(u64, Vec<u8>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let of_file = |error: io::Error| unreadable(path, &error);
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

/// Calls `each` with every reference record of a file, or with what is wrong with it and where it stands.
pub(super) fn for_each_reference(
    path: &Path,
    mut each: impl FnMut(Result<Entry, Failure>),
) -> Result<(), Failure> {
    for_each_line(path, |number, line| {
        each(reference::from_json(&line).map_err(|refusal| at_line(path, number, refusal)));
        Ok(())
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
        let writer = writer().map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Writes one line.
    pub(super) fn line(&mut self, text: &[u8]) -> Result<(), Failure> {
        let writer: &mut dyn Write = match &mut self.writer {
            LineWriter::Plain(file) => file,
            LineWriter::Compressed(encoder) => encoder,
        };
        let written = writer.write_all(text).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|error| unwritable(&self.path, &error))
    }

    /// Makes sure that everything is written: a compressed file is one only with its end.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = match self.writer {
            LineWriter::Plain(mut file) => file.flush(),
            LineWriter::Compressed(encoder) => encoder.finish().and_then(|mut file| file.flush()),
        };
        finished.map_err(|error| unwritable(&self.path, &error))
    }
}

/// A failure that names the line of a file.
pub(super) fn at_line(path: &Path, number: u64, problem: impl std::fmt::Display) -> Failure {
    Failure { exit_code: 1, message: format!("{} line {number}: {problem}", path.display()) }
}

/// Refuses files that cannot be opened, before anything else is done or said. What is no plain file, such as a pipe, is
/// only opened when it is read: it gives what it has once.
pub(super) fn check_readable<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    paths.into_iter().try_for_each(|path| {
        let of_file = |error: io::Error| unreadable(path, &error);
        let metadata = fs::metadata(path).map_err(of_file)?;
        if metadata.is_dir() {
            return Err(of_file(ErrorKind::IsADirectory.into()));
        }
        if metadata.is_file() {
            File::open(path).map_err(of_file)?;
        }
        Ok(())
    })
}

/// Refuses a file that cannot be written, before the work whose result is to go there. What is there stays; what was not
/// there is not there afterwards. A symbolic link stays too: of one that leads nowhere yet, only the folder that it leads
/// to is looked at.
pub(super) fn check_writable(path: &Path) -> Result<(), Failure> {
    let of_file = |error: io::Error| unwritable(path, &error);
    if let Err(error) = fs::symlink_metadata(path) {
        if error.kind() != ErrorKind::NotFound {
            return Err(of_file(error));
        }
        File::create_new(path).map_err(of_file)?;
        return fs::remove_file(path).map_err(of_file);
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(of_file(ErrorKind::IsADirectory.into())),
        Ok(metadata) if metadata.is_file() => {
            File::options().append(true).open(path).map(drop).map_err(of_file)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let target = fs::read_link(path).map_err(of_file)?;
            let target = path.parent().unwrap_or(Path::new("")).join(target);
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.unwrap_or(Path::new(".")).is_dir() { Ok(()) } else { Err(of_file(error)) }
        }
        Err(error) => Err(of_file(error)),
    }
}

/// Writes a whole file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

/// An input that cannot be read: which, why, and what to do.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied => "let this user read it",
        ErrorKind::IsADirectory => "name a file in it",
        _ if is_compressed(path) => "check that it is a whole file of zstd",
        _ => "check the path and what is there",
    };
    Failure { exit_code: 1, message: format!("cannot read {}: {error}; {remedy}", path.display()) }
}

/// A file or folder that cannot be written: which, why, and what to do.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        ErrorKind::NotFound => "make the folder first that it is to be in",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "name a place that this user may write to"
        }
        ErrorKind::IsADirectory => "name a file, not a folder",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "name another place: a file is in the way",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room",
        _ => "check the path and the disk",
    };
    Failure { exit_code: 1, message: format!("cannot write {}: {error}; {remedy}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_yet_is_kept_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let (link, lost) = (home.path().join("link"), home.path().join("lost"));
        std::os::unix::fs::symlink("target", &link).unwrap();
        std::os::unix::fs::symlink("no-folder/target", &lost).unwrap();
        assert!(check_writable(&link).is_ok());
        assert!(check_writable(&lost).unwrap_err().message.contains("make the folder first"));
        assert!(link.is_symlink() && lost.is_symlink() && !home.path().join("target").exists());
    }

    #[test]
    fn what_cannot_be_read_or_written_is_said_before_the_work_and_nothing_is_left() {
        let home = tempfile::tempdir().unwrap();
        let (there, new) = (home.path().join("there"), home.path().join("new"));
        fs::write(&there, "kept").unwrap();
        assert!(check_readable([there.as_path()]).is_ok());
        assert!(check_writable(&there).is_ok() && check_writable(&new).is_ok());
        assert_eq!((fs::read_to_string(&there).unwrap().as_str(), new.exists()), ("kept", false));

        let told = |checked: Result<(), Failure>| checked.unwrap_err().message;
        let below = there.join("below");
        for (told, expected) in [
            (told(check_readable([there.as_path(), &new])), "cannot read "),
            (told(check_readable([home.path()])), "name a file in it"),
            (told(check_writable(home.path())), "name a file, not a folder"),
            (told(check_writable(&new.join("below"))), "make the folder first"),
            (told(check_writable(&below)), "a file is in the way"),
        ] {
            assert!(told.contains(expected), "{told}");
        }
    }
}
