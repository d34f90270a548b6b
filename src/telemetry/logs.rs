//! Logs: lines for people or JSON objects for collectors, on standard error. Standard output belongs to results.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// Logs could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error(
        "log.level: \"{level}\" cannot be used: {problem}; give error, warn, info, debug or trace, for all or per \
         module: info,tracewarden::engine=debug"
    )]
    Level {
        /// What was configured.
        level: String,
        /// What is wrong with it.
        problem: ParseError,
    },
    /// Something else in the process already logs.
    #[error("logs are already started in this process: {0}")]
    Started(#[from] TryInitError),
}

/// Starts logging as configured; once in a process.
pub fn start(log: &Log) -> Result<(), LogError> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(&log.level)?)
        .with_writer(std::io::stderr)
        // Else it would print what it cannot print, and panic: a service whose log nobody takes works on.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => lines.finish().try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}

/// The engine of the stores, which tells of every write; whoever wants to hear it names it.
const QUIET: &str = "fjall=warn,lsm_tree=warn";

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(format!("{QUIET},{level}"))
        .map_err(|problem| LogError::Level { level: level.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn levels_for_all_and_per_module_are_taken() {
        for level in ["info", "warn,tracewarden::engine=debug", "off"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        let named = filter("info,lsm_tree=debug").unwrap().to_string();
        assert!(named.contains("lsm_tree=debug") && !named.contains("lsm_tree=warn"), "{named}");
    }

    #[test]
    fn a_wrong_level_names_the_option() {
        let problem = filter("info,tracewarden=loud").unwrap_err().to_string();
        assert!(problem.starts_with("log.level: \"info,tracewarden=loud\" cannot be used"), "{problem}");
    }
}
