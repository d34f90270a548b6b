//! The command line. Every command is one file; errors say what is at fault and what to do.
//!
//! Exit codes: 0 ok, 1 failed, 64 bad usage or configuration.

mod config;
mod demo;
mod evaluate;
mod files;
mod folder;
mod inputs;
mod language;
mod publish;
mod reference;
mod replay;
mod rules;
mod run;
mod senders;
mod simulate;
mod snapshots;
mod speech;
mod tick;
mod topics;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use self::speech::{say, say_error, warn};
use crate::broker::kafka::publish::Publisher;
use crate::config::Config;
use crate::domain::time::Timestamp;

/// Bad usage or configuration, as in sysexits.h.
const EXIT_USAGE: u8 = 64;

/// 追溯卫士: watches trace codes, decides what the fund may pay.
#[derive(Debug, Parser)]
#[command(name = "tracewarden", version, about, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A simulated province through all stages, in memory: nothing to set up.
    Demo(demo::Arguments),
    /// The service, on Kafka.
    Run(run::Arguments),
    /// Uploads from files through all stages, in memory: for audits, back-tests and tests.
    Replay(replay::Arguments),
    /// What each institution sends in files, and whether it is ready: the admission test of a new sender.
    Senders(senders::Arguments),
    /// A simulated province, with what is planted in it, as files or to the input topics.
    Simulate(simulate::Arguments),
    /// Alerts and decisions against the truth of a simulated province.
    Evaluate(evaluate::Arguments),
    /// Create or verify the topics.
    Topics(topics::Arguments),
    /// Publish reference records.
    Reference(reference::Arguments),
    /// Publish uploads from files to the input topics.
    Publish(publish::Arguments),
    /// Move the clock of a back-test on Kafka.
    Tick(tick::Arguments),
    /// Snapshots of the state: list, verify, restore.
    Snapshots(snapshots::Arguments),
    /// Print the documented example configuration, or check a file.
    Config(config::Arguments),
    /// The table of rules.
    Rules(rules::Arguments),
}

/// Which configuration a command uses.
#[derive(Debug, clap::Args)]
struct ConfigArguments {
    /// Configuration file; without it the defaults hold, and environment variables over them.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArguments {
    fn load(&self) -> Result<Config, Failure> {
        Config::load(self.config.as_deref()).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// A command waits at most this long for the cluster to answer.
const REACH_WITHIN: Duration = Duration::from_secs(10);

/// Makes sure that the cluster answers.
fn reach(config: &Config) -> Result<(), Failure> {
    Ok(crate::run::topics::reach(config, REACH_WITHIN, || false)?)
}

/// A publisher to topics that are there, with the right partitions: what is published goes to a partition computed
/// here.
fn publisher(config: &Config) -> Result<Publisher, Failure> {
    reach(config)?;
    crate::run::topics::verify(config)?;
    Ok(Publisher::new(&crate::run::topics::kafka_settings(config))?)
}

/// How a command failed: what is printed, and the exit code.
#[derive(Debug)]
struct Failure {
    exit_code: u8,
    message: String,
}

impl Failure {
    /// Bad usage or configuration.
    fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: EXIT_USAGE, message: message.into() }
    }
}

/// Everything else that fails, with its causes.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { exit_code: 1, message }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // Help and version are answers, not errors; whether they could be printed changes nothing.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let done = match command_line.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Senders(arguments) => senders::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Topics(arguments) => topics::run(&arguments),
        Command::Reference(arguments) => reference::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Tick(arguments) => tick::run(&arguments),
        Command::Snapshots(arguments) => snapshots::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say_error(failure.message);
            ExitCode::from(failure.exit_code)
        }
    }
}

/// Reads a moment given on the command line.
fn parse_moment(text: &str) -> Result<Timestamp, String> {
    crate::wire::inbound::moment::rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no moment with an offset, such as 2026-01-20T09:00:00+08:00"))
}
