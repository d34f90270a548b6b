//! `rules`: the catalogue of rules, as a table or as JSON.

use super::{Failure, say};
use crate::config::rules;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    say(if arguments.json { rules::catalogue_json() } else { rules::catalogue_table() })?;
    Ok(())
}
