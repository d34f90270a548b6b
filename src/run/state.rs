//! Where the workers of a process keep their state: from the configuration to the stores that they open.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::SetupError;
use crate::broker::Trim;
use crate::config::Config;
use crate::engine::snapshots::SnapshotPlan;
use crate::engine::worker::OpenStore;
use crate::store::Store;
use crate::store::folder::{Found, StateFolder};
use crate::store::memory::MemoryStore;
use crate::store::snapshot::SnapshotHome;

/// Where state is kept. Clones mean the same place and share its memory.
#[derive(Clone, Default)]
pub enum StateHome {
    /// In memory: every start begins with nothing.
    #[default]
    Memory,
    /// On disk.
    Disk(StateFolder),
}

/// Looks at the places of state and of snapshots, and makes nothing.
pub(super) fn check(config: &Config) -> Result<(), SetupError> {
    if let Some(path) = config.state_path()? {
        check_folder("store.path", path)?;
    }
    let Some(url) = &config.store.snapshot_url else { return Ok(()) };
    match folder_of(url) {
        Some(path) => check_folder("store.snapshot_url", path),
        // A bucket is not asked before it is used.
        None => Ok(SnapshotHome::open(url).map(drop)?),
    }
}

/// The folder that a URL of snapshots names, if it names one.
fn folder_of(url: &str) -> Option<&Path> {
    let path = match url.split_once("://") {
        None => url,
        Some(("file", path)) => path,
        Some(_) => return None,
    };
    (!path.is_empty()).then(|| Path::new(path))
}

/// A folder is there, or can be: the nearest part of the path that is there is one.
fn check_folder(field: &'static str, path: &Path) -> Result<(), SetupError> {
    match path.ancestors().find(|part| part.exists()) {
        Some(part) if !part.is_dir() => Err(SetupError::NoFolder { field, path: part.to_owned() }),
        _ => Ok(()),
    }
}

impl StateHome {
    /// What the configuration says. A folder of snapshots is made when there is none.
    pub fn from_config(config: &Config) -> Result<Self, SetupError> {
        let store = &config.store;
        Ok(match config.state_path()? {
            None => Self::Memory,
            Some(path) => {
                let folder = StateFolder::new(path, store.cache_bytes);
                Self::Disk(match &store.snapshot_url {
                    Some(url) => folder.with_snapshots(SnapshotHome::open(url)?),
                    None => folder,
                })
            }
        })
    }

    /// How often workers take snapshots, and what trims the log after them; none when the configuration names no place
    /// for them.
    pub fn snapshot_plan(&self, config: &Config, trim: Option<Arc<dyn Trim>>) -> Option<SnapshotPlan> {
        let Self::Disk(folder) = self else { return None };
        Some(SnapshotPlan {
            home: folder.snapshots()?.clone(),
            every: Duration::from_secs(config.store.snapshot_every_minutes * 60),
            kept: config.store.snapshots_kept,
            trim,
        })
    }

    /// Opens stores for a worker, by the policy of [`crate::store::folder`].
    pub fn opener(&self) -> OpenStore {
        match self {
            Self::Memory => Box::new(|_, _| Ok((Box::new(MemoryStore::default()), Found::Nothing))),
            Self::Disk(folder) => {
                let folder = folder.clone();
                Box::new(move |source, reach| {
                    let not_after = reach.committed.unwrap_or(i64::MAX);
                    let (topic, partition) = (&source.topic, source.partition);
                    let (store, found) = folder.open_within(topic, partition, reach.first, not_after)?;
                    if let Found::Ahead(offset) = found {
                        tracing::warn!(
                            partition = %source,
                            offset,
                            committed = not_after,
                            "the state on disk is ahead of what is committed, so it is discarded and rebuilt from \
                             the log"
                        );
                    }
                    Ok((Box::new(store) as Box<dyn Store>, found))
                })
            }
        }
    }
}

impl fmt::Debug for StateHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "Memory",
            Self::Disk(_) => "Disk",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_looked_at_and_not_made() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let checked = |path: &Path, url: String| {
            let text = format!("[store]\nkind = \"disk\"\npath = {path:?}\nsnapshot_url = {url:?}\n");
            let config = Config::read(&text, "test", []).unwrap();
            check(&config).map_err(|error| error.to_string())
        };
        let [state, snapshots] = ["a/state", "b/snapshots"].map(|name| home.path().join(name));
        let text = |path: &Path| path.display().to_string();
        assert_eq!(checked(&state, text(&snapshots)), Ok(()));
        assert_eq!(checked(&state, format!("file://{}", text(&snapshots))), Ok(()));
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "only the file is there");
        for (path, url, expected) in [
            (file.join("state"), text(&snapshots), "store.path: "),
            (state.clone(), text(&file), "store.snapshot_url: "),
            (state.clone(), "gs://bucket/x".to_owned(), "cannot be kept in `gs:`"),
            (state.clone(), "file://".to_owned(), "names no folder"),
            (state, "s3://".to_owned(), "names no bucket"),
        ] {
            let refused = checked(&path, url).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
