//! A folder of files that a command writes, most of them line by line: a province, what was published, or both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use super::files::{LineFile, unwritable, write};
use crate::broker::Record;
use crate::domain::time::Timestamp;
use crate::pipeline::topics::Topic;
use crate::sim::{self, Parameters, Truth};

/// The name of the file of uploads, unless another is asked for.
pub(super) const UPLOADS: &str = "uploads.ndjson";
const TRUTH: &str = "truth.ndjson";
const PUBLISHED: [&str; 4] = ["alerts.ndjson", "decisions.ndjson", "deadletter.ndjson", SENDERS];
const SENDERS: &str = "senders.ndjson";

/// A folder and its files that grow.
pub(super) struct Folder {
    path: PathBuf,
    /// By what is in them.
    growing: BTreeMap<&'static str, LineFile>,
}

impl Folder {
    /// A folder for what was published.
    pub(super) fn of_outputs(path: &Path) -> Result<Self, Failure> {
        Self::create(path, &PUBLISHED.map(|name| (name, name)))
    }

    /// A folder for a province: its reference data, its uploads, its truth, the moment at which all can be known, and
    /// the parameters that made it. What is known beforehand is written at once.
    pub(super) fn of_province(path: &Path, parameters: &Parameters) -> Result<Self, Failure> {
        Self::with_uploads_in(UPLOADS, path, parameters)
    }

    /// The same with another name for the file of uploads; compressed when it ends in `.zst`.
    pub(super) fn with_uploads_in(
        uploads: &str,
        path: &Path,
        parameters: &Parameters,
    ) -> Result<Self, Failure> {
        let folder = Self::create(path, &[(UPLOADS, uploads), (TRUTH, TRUTH)])?;
        folder.describe(parameters)?;
        Ok(folder)
    }

    /// A folder for both.
    pub(super) fn of_province_and_outputs(path: &Path, parameters: &Parameters) -> Result<Self, Failure> {
        let mut folder = Self::of_province(path, parameters)?;
        folder.growing.append(&mut Self::of_outputs(path)?.growing);
        Ok(folder)
    }

    /// Creates the folder and, in it, files by what is in them and their names.
    fn create(path: &Path, files: &[(&'static str, &str)]) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(|error| unwritable(path, &error))?;
        let mut growing = BTreeMap::new();
        for (content, name) in files {
            growing.insert(*content, LineFile::create(&path.join(name))?);
        }
        Ok(Self { path: path.to_owned(), growing })
    }

    fn describe(&self, parameters: &Parameters) -> Result<(), Failure> {
        let reference: String = sim::reference(parameters).map(|record| record + "\n").collect();
        let until = Timestamp::from_unix_millis(parameters.until());
        for (name, text) in [
            ("reference.ndjson", reference),
            ("until", format!("{until}\n")),
            ("parameters.toml", toml::to_string(parameters)?),
        ] {
            write(&self.path.join(name), &text)?;
        }
        Ok(())
    }

    /// Writes statements of the truth.
    pub(super) fn truth(&mut self, truth: &[Truth]) -> Result<(), Failure> {
        truth.iter().try_for_each(|one| self.line(TRUTH, serde_json::to_string(one)?.as_bytes()))
    }

    /// Writes one upload.
    pub(super) fn upload(&mut self, json: &str) -> Result<(), Failure> {
        self.line(UPLOADS, json.as_bytes())
    }

    /// Writes a published record; tombstones and records of other topics are none of its business.
    pub(super) fn output(&mut self, topic: Topic, record: &Record) -> Result<(), Failure> {
        let [alerts, decisions, deadletter, _] = PUBLISHED;
        let name = match topic {
            Topic::Alerts => alerts,
            Topic::Decisions => decisions,
            Topic::Deadletter => deadletter,
            _ => return Ok(()),
        };
        record.payload.as_deref().map_or(Ok(()), |payload| self.line(name, payload))
    }

    /// Writes what institutions sent, a line for each of them, day and writer.
    pub(super) fn sender_days<'a>(
        &mut self,
        mut records: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), Failure> {
        records.try_for_each(|record| self.line(SENDERS, record))
    }

    fn line(&mut self, content: &str, text: &[u8]) -> Result<(), Failure> {
        self.growing.get_mut(content).map_or(Ok(()), |file| file.line(text))
    }

    /// Makes sure that everything is written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.growing.into_values().try_for_each(LineFile::finish)
    }
}
