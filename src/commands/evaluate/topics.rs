//! Alerts and decisions as any subscriber gets them: read from their topics, read-committed, until the end that they
//! have when the reading begins.
//!
//! The topics are compacted: of an alert that is older than their lag only the newest revision may be there. It counts,
//! but the time at which it was raised is not known then.

use crate::broker::kafka::read::PartitionReader;
use crate::broker::{Record, TopicPartition};
use crate::commands::{Failure, reach};
use crate::config::Config;
use crate::evaluate::Evaluation;
use crate::pipeline::topics::Topic;
use crate::run::topics::{kafka_settings, topology, verify};
use crate::wire::WireError;
use crate::wire::outbound::{alert, decision};

/// Takes everything that an installation has published.
pub(super) fn read(config: &Config, evaluation: &mut Evaluation) -> Result<(), Failure> {
    reach(config)?;
    // A partition more or less than configured, and something would be missed without a word.
    verify(config)?;
    let (settings, topology) = (kafka_settings(config), topology(config));
    for topic in [Topic::Alerts, Topic::Decisions] {
        for partition in topology.all(topic) {
            let mut problem = None;
            let reader = PartitionReader::from_beginning(&settings, &partition)?;
            reader.read_to_end(|records| {
                for record in &records {
                    if problem.is_none() {
                        let taken = take(topic, record, evaluation);
                        problem = taken.err().map(|error| at(&partition, record, &error));
                    }
                }
            })?;
            if let Some(failure) = problem {
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Why a record cannot be taken.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Form(#[from] WireError),
    #[error(transparent)]
    Content(#[from] serde_json::Error),
}

fn take(topic: Topic, record: &Record, evaluation: &mut Evaluation) -> Result<(), Unreadable> {
    let Some(payload) = record.payload.as_deref() else { return Ok(()) };
    let content_type = record.header("content-type");
    if topic == Topic::Alerts {
        let json = alert::to_json(payload, content_type)?;
        evaluation.recorded_alert(&String::from_utf8_lossy(&json), record.timestamp_millis)?;
    } else {
        let json = decision::to_json(payload, content_type)?;
        evaluation.decision(&String::from_utf8_lossy(&json))?;
    }
    Ok(())
}

fn at(partition: &TopicPartition, record: &Record, error: &Unreadable) -> Failure {
    let message = format!("{partition} offset {}: not as `run` publishes it: {error}", record.offset);
    Failure { exit_code: 1, message }
}
