//! Copies of the state of partitions in an object store: what a lost disk is rebuilt from.
//!
//! # The problem
//! The log of the broker can rebuild any state, but not quickly, and only as long as it is kept from its beginning.
//!
//! # The choice
//! ```text
//! URL/tracewarden.observations-3/00000000000000120345.json                  manifest, written last
//! URL/tracewarden.observations-3/rows/00000000000000118200-SHA256.rows      rows, written at an earlier offset
//! URL/tracewarden.observations-3/rows/00000000000000120345-SHA256.rows
//! ```
//! A snapshot is all rows of a store at one offset, in files that are named by the hash of what they hold. The
//! manifest lists them; without it there is no snapshot, so one that was broken off is never taken for a whole one.
//! It is read from a [`View`] of the store on a thread of its own, while the worker goes on. The rows hold the digest
//! of the record seen last, so that a snapshot of another log is found out as a store of one is.
//!
//! Where files begin and end follows from the rows ([`rows`]), so a part of the state that did not change gives the
//! same files again, and those that the snapshot before has are not written a second time. How much that saves is up
//! to how the changes lie: codes at rest, the most of them, cost nothing.
//!
//! # Removing
//! The manifests of old snapshots are removed, and the files that no manifest named when that began. So files go one
//! round after the last manifest that names them: whoever is reading a snapshot that goes, or writes one that shares
//! files with it, has until then. Nothing of a later offset than the remover's own is touched: a previous owner of
//! the partition who does not know that he is one does no harm.
//!
//! # What it is not
//! Not a backup of the topics: without the log behind it a snapshot is refused.
//!
//! # Limits
//! Snapshots of a partition share files, so a damaged file damages all that name it; `verify` reads them all, and a
//! file that was removed is written again by the next snapshot. After topics were made anew, remove the snapshots of
//! the old ones.

mod place;
mod rows;
mod signing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::place::Place;
use self::rows::Pieces;
use super::{Batch, Change, Entry, Store, StoreError, View};

/// Version of the files and of the manifest; it goes up with that of the values too, likewise to that of a store.
const FORMAT: u32 = 3;
/// Folder of the files of a partition.
const ROWS: &str = "rows";
/// Bytes of rows written to a store at a time.
const RESTORE_BYTES: usize = 16 << 20;
/// How the name of a manifest ends, behind the offset.
const MANIFEST_END: &str = ".json";

/// Where the snapshots of an installation are. Clones are the same place.
#[derive(Clone)]
pub struct SnapshotHome {
    place: Place,
}

/// What a snapshot consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of manifest and files.
    pub format: u32,
    /// Topic that the stage reads.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// The offset of the first record that is not in the state.
    pub next_offset: i64,
    /// Files, in key order.
    pub files: Vec<SnapshotFile>,
}

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Name in the folder of the partition's files.
    pub name: String,
    /// Hash of its bytes, in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
}

/// A snapshot that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The snapshot.
    pub manifest: Manifest,
    /// How many of its files were written; the rest were there.
    pub files_written: usize,
    /// Their size.
    pub bytes_written: u64,
}

/// What is left of the snapshots of a partition after old ones were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots removed.
    pub removed: usize,
    /// Whole ones kept, up to the newest of the remover.
    pub kept: usize,
    /// The offset of the oldest of these.
    pub oldest: Option<i64>,
}

impl Manifest {
    /// Size of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Rows of all files.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

impl SnapshotHome {
    /// A place named by a path, a `file://` URL, or `s3://BUCKET/PREFIX` with endpoint and keys from the environment.
    /// A folder is made when there is none.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(
            url,
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// The same, with these variables in place of the environment.
    pub fn open_with(
        url: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        Ok(Self { place: Place::open(url, variables)? })
    }

    /// The same place; once `stop` is set, whatever is asked of it ends soon with [`StoreError::Stopped`].
    #[must_use]
    pub fn stopped_by(&self, stop: Arc<AtomicBool>) -> Self {
        Self { place: self.place.stopped_by(stop) }
    }

    /// Writes a snapshot of a view: the files that the snapshot before does not have, then the manifest.
    pub fn take(&self, topic: &str, partition: i32, view: View) -> Result<Taken, StoreError> {
        let next_offset = view.next_offset;
        let there = self.files_of_newest(topic, partition, next_offset)?;
        let folder = folder(topic, partition).join(ROWS);
        let mut files = Vec::new();
        let (mut files_written, mut bytes_written) = (0, 0);
        for piece in Pieces::of(view.rows) {
            let piece = piece?;
            let sha256 = hash(&piece.bytes);
            if let Some(file) = there.get(&sha256) {
                files.push(file.clone());
                continue;
            }
            let name = format!("{}-{sha256}.rows", offset_name(next_offset));
            let bytes = piece.bytes.len() as u64;
            self.place.put(&folder.clone().join(name.as_str()), piece.bytes)?;
            files_written += 1;
            bytes_written += bytes;
            files.push(SnapshotFile { name, sha256, bytes, rows: piece.rows });
        }
        let manifest = Manifest { format: FORMAT, topic: topic.to_owned(), partition, next_offset, files };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StoreError::Failed(format!("the manifest cannot be written: {error}")))?;
        self.place.put(&manifest_path(topic, partition, next_offset), text)?;
        Ok(Taken { manifest, files_written, bytes_written })
    }

    /// The files, by hash, of the newest snapshot that can be read and is not ahead, as far as they are still there.
    fn files_of_newest(
        &self,
        topic: &str,
        partition: i32,
        not_after: i64,
    ) -> Result<BTreeMap<String, SnapshotFile>, StoreError> {
        let offsets = self.offsets(topic, partition)?;
        let older = offsets.into_iter().rev().filter(|offset| *offset <= not_after);
        for offset in older {
            match self.manifest(topic, partition, offset) {
                Ok(Some(manifest)) => {
                    let there = self.files(topic, partition)?;
                    let files = manifest.files.into_iter().filter(|file| there.contains(&file.name));
                    return Ok(files.map(|file| (file.sha256.clone(), file)).collect());
                }
                Ok(None) => {}
                Err(StoreError::SnapshotDamaged { snapshot, problem }) => {
                    tracing::warn!(snapshot, problem, "a damaged snapshot is passed over");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(BTreeMap::new())
    }

    /// Whole snapshots of a partition, the newest first.
    pub fn list(&self, topic: &str, partition: i32) -> Result<Vec<Manifest>, StoreError> {
        let mut manifests = Vec::new();
        for offset in self.offsets(topic, partition)?.into_iter().rev() {
            manifests.extend(self.manifest(topic, partition, offset)?);
        }
        Ok(manifests)
    }

    /// The newest whole snapshot of a partition that is not ahead of an offset.
    pub fn newest(
        &self,
        topic: &str,
        partition: i32,
        not_after: i64,
    ) -> Result<Option<Manifest>, StoreError> {
        for offset in self.offsets(topic, partition)?.into_iter().rev().filter(|offset| *offset <= not_after)
        {
            if let Some(manifest) = self.manifest(topic, partition, offset)? {
                return Ok(Some(manifest));
            }
        }
        Ok(None)
    }

    /// Whole snapshots of all partitions, by partition and the newest first.
    pub fn list_all(&self) -> Result<Vec<Manifest>, StoreError> {
        let mut manifests = Vec::new();
        for folder in self.place.list(None)?.common_prefixes {
            let name = folder.filename().and_then(|name| name.rsplit_once('-'));
            let Some((topic, Ok(partition))) = name.map(|(topic, number)| (topic, number.parse())) else {
                continue;
            };
            manifests.extend(self.list(topic, partition)?);
        }
        Ok(manifests)
    }

    /// The offsets of a partition's manifests.
    fn offsets(&self, topic: &str, partition: i32) -> Result<BTreeSet<i64>, StoreError> {
        let found = self.place.list(Some(&folder(topic, partition)))?.objects;
        let offset = |path: &Path| path.filename()?.strip_suffix(MANIFEST_END)?.parse().ok();
        Ok(found.iter().filter_map(|object| offset(&object.location)).collect())
    }

    /// The names of a partition's files.
    fn files(&self, topic: &str, partition: i32) -> Result<BTreeSet<String>, StoreError> {
        let found = self.place.list(Some(&folder(topic, partition).join(ROWS)))?.objects;
        Ok(found.iter().filter_map(|object| Some(object.location.filename()?.to_owned())).collect())
    }

    /// The manifest at an offset; none when it is not there (any more).
    fn manifest(&self, topic: &str, partition: i32, offset: i64) -> Result<Option<Manifest>, StoreError> {
        let path = manifest_path(topic, partition, offset);
        let Some(bytes) = self.place.get(&path)? else { return Ok(None) };
        let damaged = |problem: String| damaged(&path, problem);
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(damaged(format!(
                "its format is {}, and this program knows {FORMAT}",
                manifest.format
            )));
        }
        if (manifest.topic.as_str(), manifest.partition, manifest.next_offset) != (topic, partition, offset) {
            return Err(damaged("its manifest is that of another partition or offset".to_owned()));
        }
        Ok(Some(manifest))
    }

    /// Reads every file of a snapshot and compares it with its hash.
    pub fn verify(&self, manifest: &Manifest) -> Result<(), StoreError> {
        self.for_rows_of_each_file(manifest, |_| Ok(()))
    }

    /// Fills an empty store. Until the last row is there the store says that it is unfinished.
    pub fn restore(&self, manifest: &Manifest, store: &mut dyn Store) -> Result<(), StoreError> {
        let (mut changes, mut bytes): (Vec<Change>, usize) = (Vec::new(), 0);
        self.for_rows_of_each_file(manifest, |rows| {
            bytes += rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
            changes.extend(rows.into_iter().map(|(key, value)| (key.into(), Some(value.into()))));
            if bytes < RESTORE_BYTES {
                return Ok(());
            }
            bytes = 0;
            store.write(Batch { changes: std::mem::take(&mut changes), next_offset: super::UNFINISHED })
        })?;
        store.write(Batch { changes, next_offset: manifest.next_offset })
    }

    fn for_rows_of_each_file(
        &self,
        manifest: &Manifest,
        mut take: impl FnMut(Vec<Entry>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let manifest_path = manifest_path(&manifest.topic, manifest.partition, manifest.next_offset);
        let folder = folder(&manifest.topic, manifest.partition).join(ROWS);
        let paths = manifest.files.iter().map(|file| folder.clone().join(file.name.as_str()));
        let mut files = manifest.files.iter();
        self.place.get_each(paths, |bytes| {
            let Some(file) = files.next() else { return Ok(()) };
            let damaged =
                |problem: &str| damaged(&manifest_path, format!("its file {} {problem}", file.name));
            let bytes = bytes.ok_or_else(|| damaged("is missing"))?;
            if hash(&bytes) != file.sha256 {
                return Err(damaged("is not what was written: its hash differs"));
            }
            take(rows::read(&bytes).ok_or_else(|| damaged("holds no rows"))?)
        })
    }

    /// Removes all but `kept` of the snapshots up to the one at `newest`, and files that no snapshot named when this
    /// began.
    pub fn prune(&self, topic: &str, partition: i32, newest: i64, kept: usize) -> Result<Pruned, StoreError> {
        let offsets = self.offsets(topic, partition)?;
        let mut named = BTreeSet::new();
        let mut note = |manifest: Manifest| named.extend(manifest.files.into_iter().map(|file| file.name));
        for offset in offsets.iter().filter(|offset| **offset > newest) {
            self.manifest(topic, partition, *offset)?.into_iter().for_each(&mut note);
        }
        let mut pruned = Pruned::default();
        let mut old = Vec::new();
        for offset in offsets.into_iter().rev().filter(|offset| *offset <= newest) {
            let is_old = pruned.kept >= kept.max(1);
            match self.manifest(topic, partition, offset) {
                Ok(None) => continue,
                Ok(Some(manifest)) => note(manifest),
                // What it named is not known; what else names it keeps it.
                Err(StoreError::SnapshotDamaged { .. }) if is_old => {}
                Err(error) => return Err(error),
            }
            if is_old {
                old.push(offset);
            } else {
                pruned.kept += 1;
                pruned.oldest = Some(offset);
            }
        }
        pruned.removed = old.len();
        for offset in old {
            self.place.delete(&manifest_path(topic, partition, offset))?;
        }
        for name in self.files(topic, partition)? {
            let written_at = name.split('-').next().and_then(|offset| offset.parse::<i64>().ok());
            if !named.contains(&name) && written_at.is_some_and(|offset| offset <= newest) {
                self.place.delete(&folder(topic, partition).join(ROWS).join(name.as_str()))?;
            }
        }
        Ok(pruned)
    }
}

impl fmt::Debug for SnapshotHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotHome").field(&self.place).finish()
    }
}

fn folder(topic: &str, partition: i32) -> Path {
    Path::from(format!("{topic}-{partition}"))
}

fn manifest_path(topic: &str, partition: i32, next_offset: i64) -> Path {
    folder(topic, partition).join(format!("{}{MANIFEST_END}", offset_name(next_offset)))
}

/// Offsets as text that sorts as they do.
fn offset_name(offset: i64) -> String {
    format!("{offset:020}")
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn damaged(manifest: &Path, problem: String) -> StoreError {
    StoreError::SnapshotDamaged { snapshot: manifest.to_string(), problem }
}
