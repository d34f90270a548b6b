//! Where the workers of a process keep their state: from the configuration to the stores that they open.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::SetupError;
use crate::broker::Trim;
use crate::config::Config;
use crate::stage::snapshots::SnapshotPlan;
use crate::stage::worker::OpenStore;
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

impl StateHome {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> Result<Self, SetupError> {
        let store = &config.store;
        Ok(match config.state_path()? {
            None => Self::Memory,
            Some(path) => {
                let folder = StateFolder::new(path, store.cache_bytes, store.write_buffer_bytes);
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
