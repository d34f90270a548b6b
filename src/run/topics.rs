//! What the topics of an installation must be, and whether they are.

use std::time::{Duration, Instant};

use crate::broker::BrokerError;
use crate::broker::kafka::KafkaSettings;
use crate::broker::kafka::admin::{Retention, TopicDifference, TopicSpec, Topics};
use crate::config::Config;
use crate::pipeline::topics::{Topic, Topology};

/// Largest record of any topic: an internal entry of the largest upload with its reference data fits well within.
pub const RECORD_BYTES_MAX: usize = 8 << 20;

/// The cluster is asked again after this long.
const REACH_STEP: Duration = Duration::from_secs(3);

/// A replaced alert or decision stays readable for this long at least.
const OUTPUT_LAG_MIN: Duration = Duration::from_secs(7 * 24 * 3600);

/// Dead letters are kept for this long.
const DEADLETTER_RETENTION: Duration = Duration::from_secs(90 * 24 * 3600);

/// The Kafka client's settings of an installation.
pub fn kafka_settings(config: &Config) -> KafkaSettings {
    let kafka = &config.kafka;
    KafkaSettings {
        overrides: kafka.settings.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        transaction_timeout: Duration::from_millis(u64::from(kafka.transaction_timeout_ms)),
        session_timeout: Duration::from_millis(u64::from(kafka.session_timeout_ms)),
        record_bytes_max: RECORD_BYTES_MAX,
        ..KafkaSettings::at(kafka.bootstrap_servers.clone())
    }
}

/// Names and partition counts of an installation.
pub fn topology(config: &Config) -> Topology {
    let kafka = &config.kafka;
    let bounded = |partitions: u32| u16::try_from(partitions).unwrap_or(u16::MAX);
    Topology::new(&kafka.topic_prefix, bounded(kafka.partitions), bounded(kafka.input_partitions))
}

/// What every topic must be. Inputs and internal topics keep everything: the inputs for a replay with another number
/// of partitions, the internal ones because they are the changelogs of the stages.
pub fn specs(config: &Config) -> Vec<TopicSpec> {
    let topology = topology(config);
    let spec = |topic: Topic| TopicSpec {
        name: topology.name(topic).to_string(),
        partitions: topology.partitions(topic),
        replication: i32::from(config.kafka.replication_factor),
        retention: match topic {
            Topic::Reference => Retention::NewestPerKey { lag_min: Duration::ZERO },
            Topic::Alerts | Topic::Decisions | Topic::Senders => {
                Retention::NewestPerKey { lag_min: OUTPUT_LAG_MIN }
            }
            Topic::Deadletter => Retention::For(DEADLETTER_RETENTION),
            _ => Retention::Everything,
        },
        record_bytes_max: RECORD_BYTES_MAX,
    };
    Topic::ALL.map(spec).into()
}

/// Waits until the cluster answers, at most for `patience` or until `is_stopped` says so, and says what it waits for.
pub fn reach(config: &Config, patience: Duration, is_stopped: impl Fn() -> bool) -> Result<(), BrokerError> {
    let topics = Topics::new(&kafka_settings(config))?;
    let topic = topology(config).name(Topic::Reference).clone();
    let address = &config.kafka.bootstrap_servers;
    let started = Instant::now();
    loop {
        let reason = match topics.answers(&topic, REACH_STEP.min(patience)) {
            Err(BrokerError::SessionLost(reason)) => reason,
            done => return done,
        };
        if is_stopped() {
            return Ok(());
        }
        if started.elapsed() >= patience {
            return Err(BrokerError::Setup(format!(
                "Kafka at {address} did not answer within {} s ({reason}). Check that it runs, that \
                 kafka.bootstrap_servers is right, and kafka.settings if it wants TLS or a password",
                patience.as_secs()
            )));
        }
        tracing::warn!(reason, "Kafka at {address} does not answer yet, trying again");
    }
}

/// Refuses to go on when a topic is missing or has another number of partitions; other differences are returned.
pub fn verify(config: &Config) -> Result<Vec<TopicDifference>, BrokerError> {
    let differences = Topics::new(&kafka_settings(config))?.differences(&specs(config))?;
    let (missing, there): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|difference| difference.what == "topic");
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|difference| &*difference.topic).collect();
        return Err(BrokerError::Setup(format!(
            "topics are missing: {}. Create them with `tracewarden topics create`, or correct kafka.topic_prefix",
            names.join(", ")
        )));
    }
    let (wrong, other): (Vec<_>, Vec<_>) =
        there.into_iter().partition(|difference| difference.what == "partitions");
    if !wrong.is_empty() {
        let list: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        return Err(BrokerError::Setup(format!(
            "{}. The number of partitions of a topic in use cannot be changed: correct kafka.partitions or \
             kafka.input_partitions, or begin with a new kafka.topic_prefix and replay the inputs",
            list.join("; ")
        )));
    }
    Ok(other)
}
