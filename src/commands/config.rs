//! `config`: prints the documented example, or checks a file.

use std::path::PathBuf;

use super::{Failure, check_kafka_settings, say};
use crate::config::Config;
use crate::wire::ruleset;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print every option with its default and its meaning.
    Example,
    /// Check a configuration file as `run` would.
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
            let rules =
                ruleset::from_config(config.rules.as_ref()).map_err(|error| usage(error.to_string()))?;
            crate::run::pseudonymiser(&config).map_err(|error| usage(error.to_string()))?;
            check_kafka_settings(&config).map_err(|failure| usage(failure.message))?;
            say(format_args!("{} is valid; rule set {}", file.display(), rules.digest))?;
        }
    }
    Ok(())
}
