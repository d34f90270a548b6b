//! The files that a run in memory reads: the same options, and the same way into the stages, for every command that has
//! one.

use std::path::PathBuf;

use super::{Failure, files, parse_moment, warn};
use crate::domain::reference::Book;
use crate::domain::time::Timestamp;
use crate::present::progress::Progress;
use crate::run::local::Local;

/// Uploads between two looks at what was published: few, since one of them may bring about many and long records.
const LOOK_EVERY: u64 = 50;

#[derive(Debug, clap::Args)]
pub(super) struct Inputs {
    /// Files of uploads, one a line, canonical or national form, .zst compressed; read in the order given.
    #[arg(required = true, value_name = "FILE")]
    uploads: Vec<PathBuf>,
    /// Files of reference records, one a line; may be repeated. A record that is refused is named and left out.
    #[arg(long, value_name = "FILE")]
    reference: Vec<PathBuf>,
    /// Time moves on to this moment at the end, if it is later than the last upload.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Timestamp>,
}

impl Inputs {
    /// The reference data, once all files are known to be there.
    pub(super) fn book(&self) -> Result<Book, Failure> {
        files::check_readable(self.uploads.iter().chain(&self.reference).map(PathBuf::as_path))?;
        let mut book = Book::default();
        for path in &self.reference {
            files::for_each_reference(path, |read| match read {
                Ok(entry) => book.extend(entry.into_change()),
                Err(refused) => warn(format_args!("reference record left out: {}", refused.message)),
            })?;
        }
        Ok(book)
    }

    /// Takes all uploads in and lets the run end; `look` is called now and then, and at the end, to deal with what was
    /// published.
    pub(super) fn feed(
        &self,
        name: &'static str,
        local: &mut Local,
        mut look: impl FnMut(&mut Local) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let progress = Progress::of_count(name, None);
        let mut fed = 0_u64;
        for path in &self.uploads {
            let file = path.display().to_string();
            files::for_each_line(path, |line_number, line| {
                local.feed(line, &file, line_number)?;
                fed += 1;
                progress.advance(1);
                if fed.is_multiple_of(LOOK_EVERY) { look(local) } else { Ok(()) }
            })?;
        }
        local.finish(self.until)?;
        look(local)?;
        progress.finish();
        Ok(())
    }
}
