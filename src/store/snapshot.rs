//! Copies of the state of partitions in an object store: what a lost disk is rebuilt from.
//!
//! # The problem
//! The log of the broker can rebuild any state, but not quickly, and only as long as it is kept from its beginning.
//!
//! # The choice
//! ```text
//! URL/tracewarden.observations-3/00000000000000120345/0-SHA256.rows
//! URL/tracewarden.observations-3/00000000000000120345/manifest.json      written last
//! ```
//! A snapshot is all rows of a store at one offset, in files that are named by the hash of what they hold. The
//! manifest lists them; without it there is no snapshot, so one that was broken off is never taken for a whole one.
//! It is read from a [`View`] of the store on a thread of its own, while the worker goes on. The rows hold the digest
//! of the record seen last, so that a snapshot of another log is found out as a store of one is.
//!
//! # What it is not
//! Not incremental: each is whole, so one can be removed without a thought for the others. Not a backup of the
//! topics: without the log behind it a snapshot is refused.
//!
//! # Limits
//! Local folders only, as a path or `file://` URL: the client for S3 would bring a second TLS library and a C build;
//! mount the bucket, or copy the folder. After topics were made anew, remove the snapshots of the old ones.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Batch, Entry, Store, StoreError, View};

/// Version of the files and of the manifest.
const FORMAT: u32 = 1;
/// A file is closed when it is this large; also what a snapshot holds in memory.
const FILE_BYTES: usize = 8 << 20;
/// Rows written to a store at a time.
const RESTORE_ROWS: usize = 10_000;
/// Name of the manifest in the folder of a snapshot.
const MANIFEST: &str = "manifest.json";
/// A key or value that is longer is no row of ours.
const ROW_BYTES_MAX: usize = 1 << 30;

/// Where the snapshots of an installation are. Clones are the same place.
#[derive(Clone)]
pub struct SnapshotHome {
    objects: Arc<dyn ObjectStore>,
    url: String,
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
    /// Name within the folder of the snapshot.
    pub name: String,
    /// Hash of its bytes, in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
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
    /// A place named by a path or a `file://` URL; the folder is made when there is none.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let path = match url.split_once("://") {
            None => url,
            Some(("file", path)) => path,
            Some((scheme, _)) => {
                return Err(StoreError::Failed(format!(
                    "snapshots cannot be kept in `{scheme}:`; name a folder, which may be a mounted bucket"
                )));
            }
        };
        let path = FilePath::new(path);
        std::fs::create_dir_all(path).map_err(|error| super::disk::io_error(path, &error))?;
        let objects = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(url, &error))?;
        Ok(Self { objects: Arc::new(objects), url: url.to_owned() })
    }

    /// Writes a snapshot of a view. None when `cancelled` was set meanwhile: what is there has no manifest.
    pub fn take(
        &self,
        topic: &str,
        partition: i32,
        view: View,
        cancelled: &AtomicBool,
    ) -> Result<Option<Manifest>, StoreError> {
        let next_offset = view.next_offset;
        let folder = folder(topic, partition, next_offset);
        let mut files = Vec::new();
        let mut bytes = Vec::new();
        let mut rows = 0;
        for entry in view.rows {
            if cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            push_row(&mut bytes, &entry?);
            rows += 1;
            if bytes.len() >= FILE_BYTES {
                files.push(self.put_file(&folder, files.len(), std::mem::take(&mut bytes), rows)?);
                rows = 0;
            }
        }
        if rows > 0 {
            files.push(self.put_file(&folder, files.len(), bytes, rows)?);
        }
        let manifest = Manifest { format: FORMAT, topic: topic.to_owned(), partition, next_offset, files };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StoreError::Failed(format!("the manifest cannot be written: {error}")))?;
        self.put(&folder.clone().join(MANIFEST), text)?;
        Ok(Some(manifest))
    }

    fn put_file(
        &self,
        folder: &Path,
        number: usize,
        bytes: Vec<u8>,
        rows: u64,
    ) -> Result<SnapshotFile, StoreError> {
        let sha256 = hash(&bytes);
        let name = format!("{number}-{sha256}.rows");
        let size = bytes.len() as u64;
        self.put(&folder.clone().join(name.as_str()), bytes)?;
        Ok(SnapshotFile { name, sha256, bytes: size, rows })
    }

    /// Whole snapshots of a partition, the newest first.
    pub fn list(&self, topic: &str, partition: i32) -> Result<Vec<Manifest>, StoreError> {
        let parent = Path::from(format!("{topic}-{partition}"));
        let found = self.wait(self.objects.list_with_delimiter(Some(&parent)))?;
        let mut manifests = Vec::new();
        for folder in found.common_prefixes {
            manifests.extend(
                self.manifest(&folder)?.filter(|found| found.topic == topic && found.partition == partition),
            );
        }
        manifests.sort_by_key(|manifest| std::cmp::Reverse(manifest.next_offset));
        Ok(manifests)
    }

    /// The newest whole snapshot of a partition that is not ahead of an offset.
    pub fn newest(
        &self,
        topic: &str,
        partition: i32,
        not_after: i64,
    ) -> Result<Option<Manifest>, StoreError> {
        Ok(self.list(topic, partition)?.into_iter().find(|found| found.next_offset <= not_after))
    }

    /// Whole snapshots of all partitions, by partition and the newest first.
    pub fn list_all(&self) -> Result<Vec<Manifest>, StoreError> {
        let mut manifests = Vec::new();
        for folder in self.wait(self.objects.list_with_delimiter(None))?.common_prefixes {
            let name = folder.filename().and_then(|name| name.rsplit_once('-'));
            let Some((topic, Ok(partition))) = name.map(|(topic, number)| (topic, number.parse())) else {
                continue;
            };
            manifests.extend(self.list(topic, partition)?);
        }
        Ok(manifests)
    }

    /// The manifest in a folder; none when the snapshot was never finished.
    fn manifest(&self, folder: &Path) -> Result<Option<Manifest>, StoreError> {
        let Some(bytes) = self.get(&folder.clone().join(MANIFEST))? else { return Ok(None) };
        let damaged = |problem: String| damaged(folder, problem);
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(damaged(format!(
                "its format is {}, and this program knows {FORMAT}",
                manifest.format
            )));
        }
        if folder.filename() != Some(offset_name(manifest.next_offset).as_str()) {
            return Err(damaged("its manifest names another offset than its folder".to_owned()));
        }
        Ok(Some(manifest))
    }

    /// Reads every file of a snapshot and compares it with its hash.
    pub fn verify(&self, manifest: &Manifest) -> Result<(), StoreError> {
        manifest.files.iter().try_for_each(|file| self.rows(manifest, file).map(drop))
    }

    /// Fills an empty store. Until the last row is there the store says that it is unfinished.
    pub fn restore(&self, manifest: &Manifest, store: &mut dyn Store) -> Result<(), StoreError> {
        for file in &manifest.files {
            let mut rows = self.rows(manifest, file)?.into_iter().map(|(key, value)| (key, Some(value)));
            loop {
                let changes: Vec<_> = rows.by_ref().take(RESTORE_ROWS).collect();
                if changes.is_empty() {
                    break;
                }
                store.write(Batch { changes, next_offset: super::UNFINISHED })?;
            }
        }
        store.write(Batch { changes: Vec::new(), next_offset: manifest.next_offset })
    }

    fn rows(&self, manifest: &Manifest, file: &SnapshotFile) -> Result<Vec<Entry>, StoreError> {
        let folder = folder(&manifest.topic, manifest.partition, manifest.next_offset);
        let damaged = |problem: &str| damaged(&folder, format!("{} {problem}", file.name));
        let bytes =
            self.get(&folder.clone().join(file.name.as_str()))?.ok_or_else(|| damaged("is missing"))?;
        if hash(&bytes) != file.sha256 {
            return Err(damaged("is not what was written: its hash differs"));
        }
        read_rows(&bytes).ok_or_else(|| damaged("holds no rows"))
    }

    /// Removes all but `kept` of the snapshots up to the one at `newest`, and what older ones left unfinished.
    pub fn prune(&self, topic: &str, partition: i32, newest: i64, kept: usize) -> Result<usize, StoreError> {
        let parent = Path::from(format!("{topic}-{partition}"));
        let found = self.wait(self.objects.list_with_delimiter(Some(&parent)))?;
        let offsets: BTreeSet<i64> =
            found.common_prefixes.iter().filter_map(|folder| folder.filename()?.parse().ok()).collect();
        let mut whole = 0;
        let mut removed = 0;
        for offset in offsets.into_iter().rev().filter(|offset| *offset <= newest) {
            let folder = folder(topic, partition, offset);
            if whole >= kept.max(1) {
                self.remove(&folder)?;
                removed += 1;
            } else if self.get(&folder.clone().join(MANIFEST))?.is_some() {
                whole += 1;
            }
        }
        Ok(removed)
    }

    /// Removes a snapshot, its manifest first.
    fn remove(&self, folder: &Path) -> Result<(), StoreError> {
        let manifest = folder.clone().join(MANIFEST);
        let files = self.wait(self.objects.list_with_delimiter(Some(folder)))?.objects;
        let files = files.into_iter().map(|object| object.location).filter(|path| *path != manifest);
        for path in std::iter::once(manifest.clone()).chain(files) {
            let delete = async {
                match self.objects.delete(&path).await {
                    Err(object_store::Error::NotFound { .. }) => Ok(()),
                    done => done,
                }
            };
            self.wait(delete)?;
        }
        Ok(())
    }

    fn put(&self, path: &Path, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.wait(self.objects.put(path, bytes.into())).map(drop)
    }

    fn get(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let read = async {
            match self.objects.get(path).await {
                Ok(found) => found.bytes().await.map(|bytes| Some(bytes.to_vec())),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.wait(read)
    }

    /// Waits for the object store, on a thread that runs no futures.
    fn wait<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> Result<T, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error: io::Error| failed(&self.url, &error))?;
        runtime.block_on(work).map_err(|error| failed(&self.url, &error))
    }
}

impl fmt::Debug for SnapshotHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotHome").field(&self.url).finish()
    }
}

fn folder(topic: &str, partition: i32, next_offset: i64) -> Path {
    Path::from(format!("{topic}-{partition}")).join(offset_name(next_offset))
}

/// Offsets as text that sorts as they do.
fn offset_name(offset: i64) -> String {
    format!("{offset:020}")
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A row is key and value, each behind its length.
fn push_row(bytes: &mut Vec<u8>, (key, value): &Entry) {
    for part in [key, value] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
}

fn read_rows(mut bytes: &[u8]) -> Option<Vec<Entry>> {
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

fn failed(url: &str, error: &dyn std::error::Error) -> StoreError {
    StoreError::Failed(format!("the snapshots in {url}: {error}"))
}

fn damaged(folder: &Path, problem: String) -> StoreError {
    StoreError::SnapshotDamaged { snapshot: folder.to_string(), problem }
}
