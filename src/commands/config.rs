//! `config`: prints the documented example, or checks a file.

use std::path::PathBuf;

use super::{Failure, say};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print every option with its default and its meaning.
    Example,
    /// Check a configuration file as `run` would; nothing is made, and the cluster is not asked.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Example => say(Config::example().trim_end())?,
        Action::Check { file } => {
            let usage = |message: String| Failure::usage(format!("{}: {message}", file.display()));
            let config = Config::load(Some(file)).map_err(|error| Failure::usage(error.to_string()))?;
            let rules = crate::run::check(&config, true, true).map_err(|error| usage(error.to_string()))?;
            say(format_args!("{} is valid; rule set {}", file.display(), rules.digest))?;
        }
    }
    Ok(())
}
