//! `topics`: creates the topics of an installation, or tells how they differ from what they should be.

use super::{ConfigArguments, Failure, reach, say};
use crate::broker::kafka::admin::{Creation, Topics};
use crate::run::topics::{kafka_settings, specs};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Create the topics that are missing; existing ones stay as they are.
    Create(ConfigArguments),
    /// Tell how the topics differ from what is configured; exit code 1 when they do.
    Verify(ConfigArguments),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Create(config) => {
            let config = config.load()?;
            let specs = specs(&config);
            reach(&config)?;
            let topics = Topics::new(&kafka_settings(&config))?;
            for (spec, creation) in specs.iter().zip(topics.create(&specs)?) {
                let outcome = match creation {
                    Creation::Created => "created",
                    Creation::AlreadyThere => "was there",
                };
                say(format_args!("{:<40} {} partitions  {outcome}", spec.name, spec.partitions))?;
            }
            report(&topics.differences(&specs)?)
        }
        Action::Verify(config) => {
            let config = config.load()?;
            reach(&config)?;
            report(&Topics::new(&kafka_settings(&config))?.differences(&specs(&config))?)
        }
    }
}

fn report(differences: &[crate::broker::kafka::admin::TopicDifference]) -> Result<(), Failure> {
    if differences.is_empty() {
        say("all topics are as configured")?;
        return Ok(());
    }
    for difference in differences {
        say(difference)?;
    }
    Err(Failure { exit_code: 1, message: format!("{} differences", differences.len()) })
}
