//! `snapshots`: lists the snapshots of an installation, compares them with their hashes, or fills local stores.

use super::{ConfigArguments, Failure, say};
use crate::present::figures::grouped;
use crate::run::state::StateHome;
use crate::store::folder::{Found, StateFolder};
use crate::store::snapshot::{Manifest, SnapshotHome};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Every whole snapshot, by partition and the newest first.
    List(ConfigArguments),
    /// Read every file of every snapshot; exit code 1 when one is not what was written.
    Verify(ConfigArguments),
    /// Fill the local stores that are missing from the newest snapshots, as `run` would when it gets a partition.
    Restore(ConfigArguments),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::List(config) => list(&folder(config)?),
        Action::Verify(config) => verify(&folder(config)?),
        Action::Restore(config) => restore(&folder(config)?),
    }
}

fn folder(config: &ConfigArguments) -> Result<StateFolder, Failure> {
    let home = StateHome::from_config(&config.load()?).map_err(|error| Failure::usage(error.to_string()))?;
    match home {
        StateHome::Disk(folder) if folder.snapshots().is_some() => Ok(folder),
        _ => Err(Failure::usage(
            "no snapshots are configured: set store.kind = \"disk\", store.path and store.snapshot_url",
        )),
    }
}

fn snapshots(folder: &StateFolder) -> Result<(&SnapshotHome, Vec<Manifest>), Failure> {
    let Some(home) = folder.snapshots() else { return Err(Failure::usage("no snapshots are configured")) };
    Ok((home, home.list_all()?))
}

fn list(folder: &StateFolder) -> Result<(), Failure> {
    let (_, manifests) = snapshots(folder)?;
    for manifest in &manifests {
        say(line(manifest))?;
    }
    say(format_args!("{} snapshots", grouped(manifests.len() as u64)))?;
    Ok(())
}

fn verify(folder: &StateFolder) -> Result<(), Failure> {
    let (home, manifests) = snapshots(folder)?;
    let mut damaged = 0;
    for manifest in &manifests {
        match home.verify(manifest) {
            Ok(()) => say(format_args!("{}  whole", line(manifest)))?,
            Err(error) => {
                damaged += 1;
                say(format_args!("{}  {error}", line(manifest)))?;
            }
        }
    }
    if damaged == 0 {
        return Ok(());
    }
    Err(Failure { exit_code: 1, message: format!("{damaged} of {} snapshots are damaged", manifests.len()) })
}

fn restore(folder: &StateFolder) -> Result<(), Failure> {
    let (_, mut manifests) = snapshots(folder)?;
    manifests.dedup_by(|later, first| (&later.topic, later.partition) == (&first.topic, first.partition));
    for manifest in &manifests {
        let name = format!("{}-{}", manifest.topic, manifest.partition);
        match folder.open(&manifest.topic, manifest.partition, i64::MAX)?.1 {
            Found::Snapshot(offset) => say(format_args!("{name:<40} filled from the snapshot at {offset}"))?,
            _ => say(format_args!("{name:<40} has a store, which stays"))?,
        }
    }
    Ok(())
}

fn line(manifest: &Manifest) -> String {
    let name = format!("{}-{}", manifest.topic, manifest.partition);
    let (offset, rows, bytes) = (manifest.next_offset, grouped(manifest.rows()), grouped(manifest.bytes()));
    format!("{name:<40} offset {offset:>12}  {rows:>13} rows  {bytes:>17} bytes")
}
