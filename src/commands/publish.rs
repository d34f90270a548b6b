//! `publish`: uploads from files to the input topics. The topic follows from the kind; what has no readable kind
//! goes to the settlement topic, where intake refuses it with its reason.

use std::path::PathBuf;

use super::{ConfigArguments, Failure, files, publisher, say};
use crate::broker::OutRecord;
use crate::pipeline::topics::{Topic, Topology};
use crate::present::figures::grouped;
use crate::present::progress::Progress;
use crate::run::topics::topology;
use crate::wire::inbound::route::{Route, route};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of uploads, one a line, canonical or national form, .zst compressed.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    files::check_readable(arguments.files.iter().map(PathBuf::as_path))?;
    let config = arguments.config.load()?;
    let topology = topology(&config);
    let publisher = publisher(&config)?;
    let progress = Progress::of_count("publish", None);
    let (mut published, mut unknown) = (0_u64, 0_u64);
    for path in &arguments.files {
        files::for_each_line(path, |number, line| {
            let routing = route(&line);
            unknown += u64::from(routing.inlet.is_none());
            publisher
                .publish(&record(&topology, routing, line))
                .map_err(|error| files::at_line(path, number, error))?;
            published += 1;
            progress.advance(1);
            Ok(())
        })?;
    }
    publisher.flush().map_err(|error| Failure {
        exit_code: 1,
        message: format!("after the last of {published} uploads: {error}"),
    })?;
    progress.finish();
    say(format_args!("{} uploads published", grouped(published)))?;
    if unknown > 0 {
        say(format_args!(
            "{} of them have no known kind or message number: intake refuses them with the reason",
            grouped(unknown)
        ))?;
    }
    Ok(())
}

/// The record of an upload: its topic follows from its kind, its partition from its institution.
pub(super) fn record(topology: &Topology, routing: Route, upload: Vec<u8>) -> OutRecord {
    let topic = routing.inlet.map_or(Topic::Settlement, Topic::of_inlet);
    let key = routing.institution_id.map(String::into_bytes);
    OutRecord {
        target: topology.target(topic, key.as_deref().unwrap_or_default()),
        key,
        payload: Some(upload),
        headers: Vec::new(),
    }
}
