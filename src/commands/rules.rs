//! `rules`: the catalogue of rules, as a table or as JSON.

use super::{Failure, say};
use crate::wire::ruleset;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    say(if arguments.json { ruleset::catalogue_json() } else { ruleset::catalogue_table() })?;
    Ok(())
}
