//! `reference load`: publishes reference records to the compacted topic.

use std::path::PathBuf;

use super::{ConfigArguments, Failure, files, publisher, say};
use crate::broker::{OutRecord, TopicPartition};
use crate::domain::reference::Change;
use crate::pipeline::topics::{Topic, Topology};
use crate::present::figures::grouped;
use crate::run::topics::topology;
use crate::wire::inbound::reference;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Publish the records of a file, one a line. A record with `"deleted": true` deletes.
    Load {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

/// Runs the command. Every line is checked before the first record is published.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Action::Load { file, config } = &arguments.action;
    let config = config.load()?;
    let topology = topology(&config);
    let mut records = Vec::new();
    files::for_each_reference(file, |change| {
        records.push(record(&topology, &change));
        Ok(())
    })?;
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
    Ok(())
}

/// The record of a reference change.
pub(super) fn record(topology: &Topology, change: &Change) -> OutRecord {
    OutRecord {
        target: TopicPartition::new(topology.name(Topic::Reference).clone(), 0),
        key: Some(reference::encode_key(&change.record)),
        payload: (!change.deleted).then(|| reference::encode_json(change).into_bytes()),
        headers: Vec::new(),
    }
}
