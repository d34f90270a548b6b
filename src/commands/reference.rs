//! `reference load`: publishes reference records to the compacted topic.
//!
//! A record that can never match, or says something that nobody would read, is named and not published. The others are:
//! a province's catalogue should not wait for one line of it. The exit code tells.

use std::path::PathBuf;

use super::{ConfigArguments, Failure, files, publisher, say, say_error};
use crate::broker::{OutRecord, TopicPartition};
use crate::pipeline::topics::{Topic, Topology};
use crate::present::figures::grouped;
use crate::run::topics::topology;
use crate::wire::inbound::reference::Entry;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Publish the records of a file, one a line. A record with `"deleted": true` deletes. One that is refused is named
    /// with its line and field, and the exit code is 1.
    Load {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Publish nothing when a record is refused.
        #[arg(long)]
        strict: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

/// Runs the command. Every line is checked before the first record is published.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Action::Load { file, strict, config } = &arguments.action;
    let config = config.load()?;
    let topology = topology(&config);
    let mut records = Vec::new();
    let mut refused = 0_u64;
    files::for_each_reference(file, |read| match read {
        Ok(entry) => records.push(record(&topology, &entry)),
        Err(refusal) => {
            say_error(refusal.message);
            refused += 1;
        }
    })?;
    if *strict && refused > 0 {
        return Err(failure(refused, "nothing was published; correct them and load the file again"));
    }
    let publisher = publisher(&config)?;
    for record in &records {
        publisher.publish(record)?;
    }
    publisher.flush()?;
    say(format_args!(
        "{} reference records published to {}",
        grouped(records.len() as u64),
        topology.name(Topic::Reference)
    ))?;
    if refused > 0 {
        return Err(failure(refused, "the others were published; correct them and load them again"));
    }
    Ok(())
}

fn failure(refused: u64, then: &str) -> Failure {
    let refused = grouped(refused);
    Failure { exit_code: 1, message: format!("reference records refused: {refused}; {then}") }
}

/// The record of a reference record in its topic.
pub(super) fn record(topology: &Topology, entry: &Entry) -> OutRecord {
    OutRecord {
        target: TopicPartition::new(topology.name(Topic::Reference).clone(), 0),
        key: Some(entry.topic_key()),
        payload: entry.topic_payload(),
        headers: Vec::new(),
    }
}
