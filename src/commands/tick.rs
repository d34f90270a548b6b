//! `tick`: moves the clock of a back-test on Kafka (`run --clock uploads`) on, at every input partition.

use super::{ConfigArguments, Failure, parse_moment, publisher, say};
use crate::broker::{Header, OutRecord};
use crate::domain::time::Timestamp;
use crate::pipeline::topics::Topic;
use crate::run::topics::topology;
use crate::wire::inbound::control;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Time is at least this from here on.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    at: Timestamp,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let topology = topology(&config);
    let publisher = publisher(&config)?;
    let mut partitions = 0;
    for topic in Topic::INPUTS {
        for target in topology.all(topic) {
            publisher.publish(&OutRecord {
                target,
                key: None,
                payload: Some(control::encode_tick(arguments.at)),
                headers: vec![Header {
                    name: "content-type".into(),
                    value: control::TICK_CONTENT_TYPE.into(),
                }],
            })?;
            partitions += 1;
        }
    }
    publisher.flush()?;
    say(format_args!("time moved to {} at {partitions} input partitions", arguments.at))?;
    Ok(())
}
