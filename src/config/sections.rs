//! The typed tree of options with their defaults. What each option means to an operator stands in
//! [`options`](super::options); a test keeps the two together.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::secrets::{BrokerSettings, PseudonymKey};

/// Value of `http.listen` that turns the endpoint off.
pub(super) const LISTEN_OFF: &str = "off";

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The Kafka cluster, its topics and groups.
    pub kafka: Kafka,
    /// What is taken in.
    pub intake: Intake,
    /// The loop that every stage runs.
    pub stage: Stage,
    /// Decisions.
    pub adjudicate: Adjudicate,
    /// Form of alerts, decisions and dead letters.
    pub output: Output,
    /// State.
    pub store: Store,
    /// The metrics endpoint.
    pub http: Http,
    /// Logs.
    pub log: Log,
    /// The rule set, as written; absent: all defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<toml::Table>,
}

/// The Kafka cluster, its topics and groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Brokers to begin with, `host:port`, separated by commas.
    pub bootstrap_servers: String,
    /// What every topic name begins with.
    pub topic_prefix: String,
    /// Partitions of each internal topic.
    pub partitions: u32,
    /// Partitions of each input topic.
    pub input_partitions: u32,
    /// Copies of every topic.
    pub replication_factor: u16,
    /// After this long the brokers abort a transaction that nobody ends.
    pub transaction_timeout_ms: u32,
    /// A process not heard of for so long loses its partitions.
    pub session_timeout_ms: u32,
    /// What every consumer group and transactional id begins with; absent: the topic prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_prefix: Option<String>,
    /// Name of this process for static membership; absent: the host's name and the slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Tells processes on one host apart.
    pub instance_slot: u32,
    /// Settings handed to the Kafka client as they are.
    pub settings: BrokerSettings,
    /// Settings whose value is the text of a file.
    pub setting_files: BTreeMap<String, PathBuf>,
}

/// What is taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intake {
    /// Largest upload.
    pub upload_bytes_max: usize,
    /// Most lines of one upload.
    pub lines_max: usize,
    /// Most trace codes of one upload.
    pub codes_max: usize,
    /// Longest identifier.
    pub id_characters_max: usize,
    /// The key that pseudonyms are made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym_key: Option<PseudonymKey>,
    /// A file that holds that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym_key_file: Option<PathBuf>,
    /// Number of that key; pseudonyms of different numbers are never compared.
    pub pseudonym_key_id: u32,
    /// Beginnings of the national interface's med_type and what they mean.
    pub medical_types: String,
    /// Whether to start without any reference data.
    pub allow_empty_reference: bool,
}

/// The loop that every stage runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stage {
    /// Most records in one transaction.
    pub batch_records_max: usize,
    /// Most bytes read in one transaction.
    pub batch_bytes_max: usize,
    /// Longest time between two commits while there is input.
    pub commit_interval_ms: u64,
    /// Least time between two commits while there is input.
    pub commit_spacing_ms: u64,
    /// Largest internal record; what is more goes into the next one.
    pub record_bytes_max: usize,
    /// Worker threads of intake.
    pub intake_workers: usize,
    /// Worker threads of register.
    pub register_workers: usize,
    /// Worker threads of monitor.
    pub monitor_workers: usize,
    /// Worker threads of adjudicate.
    pub adjudicate_workers: usize,
    /// Most timers that one entry fires.
    pub timers_per_entry_max: usize,
    /// Time between two ticks to `documents` and `claims`.
    pub tick_claims_ms: u64,
    /// Time between two ticks to `observations`.
    pub tick_observations_ms: u64,
    /// Time between two ticks of an input partition where nothing comes.
    pub tick_idle_ms: u64,
}

/// Decisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adjudicate {
    /// After this long a claim without all verdicts gets a provisional decision.
    pub decision_deadline_ms: u64,
    /// What a line without all verdicts says in it.
    pub provisional: Provisional,
}

/// What a line without all its verdicts gets at the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provisional {
    /// Wait.
    Hold,
    /// Pay, and recover what turns out wrong.
    Pay,
}

/// Form of what is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Form of alerts and decisions.
    pub format: OutputFormat,
    /// Least time between two records of what an institution sends on a day.
    pub senders_interval_ms: u64,
}

/// Form of alerts and decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// JSON text.
    Json,
    /// Protobuf, as in `proto/tracewarden/v1`.
    Protobuf,
}

/// State.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Where it is kept.
    pub kind: StoreKind,
    /// Folder of state on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Memory for blocks read from disk, for all partitions together.
    pub cache_bytes: u64,
    /// Memory for changes that are not in tables on disk yet, for all partitions together.
    pub write_buffer_bytes: u64,
    /// Where snapshots go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_url: Option<String>,
    /// Minutes between two snapshots of a partition.
    pub snapshot_every_minutes: u64,
    /// Snapshots of a partition that are kept.
    pub snapshots_kept: usize,
    /// Days after which what nothing new was heard of is forgotten; none: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon_days: Option<u32>,
    /// Whether the internal topics are trimmed to what the kept snapshots need.
    pub trim_internal_topics: bool,
}

/// Where state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// In memory; rebuilt from the internal topics at start.
    Memory,
    /// In a folder.
    Disk,
}

/// The metrics endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where it listens; none: nowhere.
    #[serde(serialize_with = "write_listen", deserialize_with = "read_listen")]
    pub listen: Option<SocketAddr>,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Form of a line.
    pub format: LogFormat,
    /// Which lines: a level, or directives such as `info,tracewarden::engine=debug`.
    pub level: String,
}

/// Form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            bootstrap_servers: "127.0.0.1:9092".to_owned(),
            topic_prefix: "tracewarden.".to_owned(),
            partitions: 16,
            input_partitions: 8,
            replication_factor: 1,
            transaction_timeout_ms: 10_000,
            session_timeout_ms: 30_000,
            group_prefix: None,
            instance_id: None,
            instance_slot: 0,
            settings: BrokerSettings::default(),
            setting_files: BTreeMap::new(),
        }
    }
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            upload_bytes_max: 1024 * 1024,
            lines_max: 5_000,
            codes_max: 20_000,
            id_characters_max: 64,
            pseudonym_key: None,
            pseudonym_key_file: None,
            pseudonym_key_id: 1,
            medical_types: crate::wire::inbound::nhsa::medical::NATIONAL.to_owned(),
            allow_empty_reference: false,
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            batch_records_max: 3_000,
            batch_bytes_max: 2 * 1024 * 1024,
            commit_interval_ms: 50,
            commit_spacing_ms: 50,
            record_bytes_max: 256 * 1024,
            intake_workers: 1,
            register_workers: 1,
            monitor_workers: 1,
            adjudicate_workers: 1,
            timers_per_entry_max: 1_000,
            tick_claims_ms: 500,
            tick_observations_ms: 1_000,
            tick_idle_ms: 300_000,
        }
    }
}

impl Default for Adjudicate {
    fn default() -> Self {
        Self { decision_deadline_ms: 1_500, provisional: Provisional::Hold }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self { format: OutputFormat::Json, senders_interval_ms: 60_000 }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kind: StoreKind::Memory,
            path: None,
            cache_bytes: 96 * 1024 * 1024,
            write_buffer_bytes: 96 * 1024 * 1024,
            snapshot_url: None,
            snapshot_every_minutes: 15,
            snapshots_kept: 3,
            horizon_days: None,
            trim_internal_topics: false,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464)) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Kafka {
    /// What every consumer group and transactional id begins with.
    pub fn group_prefix(&self) -> &str {
        self.group_prefix.as_deref().unwrap_or(&self.topic_prefix)
    }

    /// Name of this process for static membership: as configured, else the host's name and the slot. It has to be
    /// the same after a restart and different from that of every other process.
    pub fn instance_id(&self) -> String {
        self.instance_id.clone().unwrap_or_else(|| format!("{}-{}", host_name(), self.instance_slot))
    }
}

/// The host's name, in characters that Kafka takes in a member's name.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    let plain: String = name
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .take(200)
        .collect();
    if plain.is_empty() { "localhost".to_owned() } else { plain }
}

fn write_listen<S: Serializer>(listen: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    match listen {
        Some(address) => serializer.collect_str(address),
        None => serializer.serialize_str(LISTEN_OFF),
    }
}

fn read_listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == LISTEN_OFF {
        return Ok(None);
    }
    text.parse().map(Some).map_err(D::Error::custom)
}
