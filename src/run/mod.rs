//! Putting the stages to work: all of them on the memory twin in one thread ([`local`]), or as threads on Apache
//! Kafka ([`service`]). What both take from the configuration is here.

pub mod local;
pub mod service;
pub mod state;
pub mod topics;

use std::path::PathBuf;

use crate::broker::BrokerError;
use crate::broker::kafka::admin::Topics;
use crate::config::rules::{RuleSetError, Terms};
use crate::config::{Config, ConfigError, OutputFormat, Provisional};
use crate::domain::adjudicator::Policy;
use crate::domain::claim::Verdict;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Millis;
use crate::wire::Format;
use crate::wire::inbound::intake::Limits;
use crate::wire::inbound::nhsa::medical::{MEDICAL_TYPES, MedicalTypes};
use crate::wire::inbound::pseudonym::{KeyError, Pseudonymiser};

/// What intake accepts at most.
pub fn limits(config: &Config) -> Limits {
    let intake = &config.intake;
    Limits {
        payload_bytes_max: intake.upload_bytes_max,
        lines_max: intake.lines_max,
        codes_max: intake.codes_max,
        id_characters_max: intake.id_characters_max,
        ..Limits::default()
    }
}

/// What medical types of the national interface are called.
pub fn medical_types(config: &Config) -> Result<MedicalTypes, SetupError> {
    MedicalTypes::parse(&config.intake.medical_types).map_err(|entry| SetupError::MedicalTypes { entry })
}

/// What is wrong with the set-up of a run.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The place of snapshots.
    #[error("store.snapshot_url: {0}")]
    Snapshots(#[from] crate::store::StoreError),
    /// The key of pseudonyms.
    #[error("intake.pseudonym_key: {0}")]
    PseudonymKey(#[from] KeyError),
    /// The table of medical types.
    #[error("intake.medical_types: `{entry}` is no entry; write the first digits of a med_type and one of {}, like `11 outpatient`", MEDICAL_TYPES.join(", "))]
    MedicalTypes {
        /// The entry at fault.
        entry: String,
    },
    /// The rule set.
    #[error(transparent)]
    Rules(#[from] RuleSetError),
    /// A place that is to be a folder and cannot be one.
    #[error("{field}: {} is no folder; name a folder, or a place where one can be made", path.display())]
    NoFolder {
        /// The option.
        field: &'static str,
        /// What is in the way.
        path: PathBuf,
    },
    /// What the Kafka client says of its settings.
    #[error("kafka.settings: {0}")]
    Kafka(#[from] BrokerError),
}

/// Looks at everything in the configuration that a service needs, with the rule set that it gives. Neither makes nor
/// reaches anything: `config check` on a desk says what `run` would say on the server.
pub fn check(config: &Config, has_deadline: bool, has_intake: bool) -> Result<RuleSet, SetupError> {
    let rules = rules(config, has_deadline)?;
    if has_intake {
        pseudonymiser(config)?;
    }
    state::check(config)?;
    // The client looks at its settings when it is made; it does so without a cluster.
    Topics::new(&topics::kafka_settings(config))?;
    Ok(rules)
}

/// The configured key of pseudonyms, which a service must have.
pub fn pseudonymiser(config: &Config) -> Result<Pseudonymiser, SetupError> {
    let key = config.require_pseudonym_key()?;
    Ok(Pseudonymiser::from_bytes(config.intake.pseudonym_key_id, key.bytes())?)
}

/// The form of what is published.
pub fn format(config: &Config) -> Format {
    match config.output.format {
        OutputFormat::Json => Format::Json,
        OutputFormat::Protobuf => Format::Protobuf,
    }
}

/// The rule set, with everything beside the rules that changes what is concluded: what is decided when not every verdict
/// is there in time, how far back is remembered, how many timers fire at once. Without a wall clock there is no deadline.
pub fn rules(config: &Config, has_deadline: bool) -> Result<RuleSet, RuleSetError> {
    let policy = Policy {
        decision_deadline: Millis::new(config.adjudicate.decision_deadline_ms),
        provisional: match config.adjudicate.provisional {
            Provisional::Hold => Verdict::Hold,
            Provisional::Pay => Verdict::Pay,
        },
        deadline_enabled: has_deadline,
    };
    let terms = Terms {
        policy,
        horizon: config.store.horizon_days.map(Millis::from_days),
        timers_per_entry_max: Some(config.stage.timers_per_entry_max),
    };
    crate::config::rules::from_config(config.rules.as_ref(), terms)
}
