//! The one table of options: what each is for, which values it takes. The check of a file, the names of
//! environment variables and the documented example are all made from it.

use super::Config;

/// A section of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name: `kafka`.
    pub name: &'static str,
    /// What it is about.
    pub help: &'static str,
    /// Its options, in the order of the example.
    pub options: &'static [OptionEntry],
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionEntry {
    /// Its key in the section, with the unit where it has one.
    pub key: &'static str,
    /// Which values it takes.
    pub takes: Takes,
    /// A value to show when there is no default, as it stands in a file.
    pub sample: Option<&'static str>,
    /// What it is for.
    pub help: &'static str,
}

/// Which values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number between the two, both included.
    Integer(i64, i64),
    /// True or false.
    Boolean,
    /// Text that is not empty.
    Text,
    /// Text that is part of topic, group or member names: letters, digits, `.`, `_` and `-`, at most 100.
    Name,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `address:port`, or `off`.
    Listen,
    /// The path of a file.
    Path,
    /// Text that is never shown.
    Secret,
    /// Settings of the Kafka client.
    Settings,
    /// Settings of the Kafka client, each with the file that holds it.
    SettingFiles,
}

const fn option(key: &'static str, takes: Takes, help: &'static str) -> OptionEntry {
    OptionEntry { key, takes, sample: None, help }
}

const fn without_default(
    key: &'static str,
    takes: Takes,
    sample: &'static str,
    help: &'static str,
) -> OptionEntry {
    OptionEntry { key, takes, sample: Some(sample), help }
}

const MINUTE_MS: i64 = 60_000;
const MEBIBYTE: i64 = 1024 * 1024;
const WORKERS: Takes = Takes::Integer(1, 256);

/// Settings of the Kafka client that the service decides itself, each with the reason.
pub const RESERVED_SETTINGS: &[(&str, &str)] = &[
    ("bootstrap.servers", "it is set by kafka.bootstrap_servers"),
    ("metadata.broker.list", "it is set by kafka.bootstrap_servers"),
    ("transaction.timeout.ms", "it is set by kafka.transaction_timeout_ms"),
    ("transactional.id", "it follows from kafka.group_prefix, the stage and the worker"),
    ("group.id", "it follows from kafka.group_prefix and the stage"),
    ("group.instance.id", "it follows from kafka.instance_id, the stage and the worker"),
    ("group.protocol", GROUPS),
    ("partition.assignment.strategy", GROUPS),
    ("session.timeout.ms", "it is set by kafka.session_timeout_ms"),
    ("heartbeat.interval.ms", GROUPS),
    ("max.poll.interval.ms", GROUPS),
    ("enable.auto.commit", COMMITTED_TOGETHER),
    ("enable.auto.offset.store", COMMITTED_TOGETHER),
    ("auto.offset.reset", "a missing offset must stop the service, never skip records"),
    ("enable.partition.eof", "the service itself judges whether it has read everything"),
    ("acks", EXACTLY_ONCE),
    ("request.required.acks", EXACTLY_ONCE),
    ("enable.idempotence", EXACTLY_ONCE),
    ("isolation.level", EXACTLY_ONCE),
    ("retry.backoff.ms", "the default makes every transaction wait 100 ms"),
    ("message.max.bytes", "the service checks the size of every record before it sends it"),
    ("partitioner", "the partition of every record is computed by the service"),
];

const EXACTLY_ONCE: &str = "exactly-once rests on it";
const COMMITTED_TOGETHER: &str = "offsets are committed with the outputs, in one transaction";
const GROUPS: &str = "the hand-over of partitions rests on it";

/// All sections and options, in the order of the example.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "kafka",
        help: "The Kafka cluster, its topics and consumer groups.",
        options: &[
            option(
                "bootstrap_servers",
                Takes::Text,
                "Brokers to begin with, host:port, separated by commas.",
            ),
            option(
                "topic_prefix",
                Takes::Name,
                "What every topic name begins with: tracewarden.procurement and so on. Two installations on one \
                 cluster need two prefixes.",
            ),
            option(
                "partitions",
                Takes::Integer(1, 1024),
                "Partitions of each internal topic (documents, observations, claims). Fixed once the topics exist: \
                 going wider means a new topic_prefix and a replay of the inputs.",
            ),
            option(
                "input_partitions",
                Takes::Integer(1, 1024),
                "Partitions of each input topic that `tracewarden topics create` makes (the reference topic has \
                 one).",
            ),
            option(
                "replication_factor",
                Takes::Integer(1, 15),
                "Copies of every topic that `tracewarden topics create` makes: 3 in production, 1 on a single \
                 broker.",
            ),
            option(
                "transaction_timeout_ms",
                Takes::Integer(1_000, 15 * MINUTE_MS),
                "After this long the brokers abort the transaction of a worker that died; until then readers of \
                 the partitions it wrote to wait.",
            ),
            option(
                "session_timeout_ms",
                Takes::Integer(1_000, 30 * MINUTE_MS),
                "A process not heard of for so long loses its partitions to the others; it must come back sooner to \
                 keep them over a restart. The brokers allow 6,000 to 1,800,000 unless told otherwise.",
            ),
            without_default(
                "group_prefix",
                Takes::Name,
                "\"tracewarden.\"",
                "What every consumer group and transactional id begins with; without it, topic_prefix.",
            ),
            without_default(
                "instance_id",
                Takes::Name,
                "\"node-1-0\"",
                "Name of this process for static membership: the same after a restart, different from every other \
                 process. Without it, the host's name and instance_slot.",
            ),
            option(
                "instance_slot",
                Takes::Integer(0, 9_999),
                "Tells processes on one host apart: give each its own number.",
            ),
            option(
                "settings",
                Takes::Settings,
                "Settings handed to the Kafka client (librdkafka) as they are, for example \
                 { \"security.protocol\" = \"SASL_SSL\", \"sasl.username\" = \"tracewarden\" }. They are never \
                 logged. Settings that exactly-once depends on are refused.",
            ),
            option(
                "setting_files",
                Takes::SettingFiles,
                "Settings whose value is read from a file, for example \
                 { \"sasl.password\" = \"/run/secrets/kafka-password\" }: the place for secrets.",
            ),
        ],
    },
    Section {
        name: "intake",
        help: "What is taken in. An upload over a limit is rejected as over_limit, with a dead letter.",
        options: &[
            option(
                "upload_bytes_max",
                Takes::Integer(1_024, 2 * MEBIBYTE),
                "Largest upload, in bytes. Its internal record, reference data included, must fit into 8 MiB.",
            ),
            option("lines_max", Takes::Integer(1, 20_000), "Most lines of one upload."),
            option("codes_max", Takes::Integer(1, 100_000), "Most trace codes of one upload."),
            option("id_characters_max", Takes::Integer(12, 1_000), "Longest identifier, in characters."),
            without_default(
                "pseudonym_key",
                Takes::Secret,
                "\"64 hexadecimal digits or base64\"",
                "The key that pseudonyms of persons are made with, at least 32 bytes in hexadecimal or base64. \
                 `tracewarden run` does not start without one. Better kept in a file, see below.",
            ),
            without_default(
                "pseudonym_key_file",
                Takes::Path,
                "\"/run/secrets/tracewarden-pseudonym-key\"",
                "A file that holds that key, in place of pseudonym_key.",
            ),
            option(
                "pseudonym_key_id",
                Takes::Integer(0, u32::MAX as i64),
                "Number of the key. Give a new key a new number: pseudonyms of different numbers are never \
                 compared.",
            ),
            option(
                "medical_types",
                Takes::Text,
                "What the national interface's med_type means, by its first digits (the longest that fits counts): \
                 outpatient, chronic, emergency, inpatient or pharmacy; what is not here is outpatient. Dictionaries are local.",
            ),
            option(
                "allow_empty_reference",
                Takes::Boolean,
                "Whether to start while the reference topic is empty. Then no product, institution or exemption \
                 is known.",
            ),
        ],
    },
    Section {
        name: "stage",
        help: "The loop that every stage runs: read a batch, apply it, commit outputs and offsets together.",
        options: &[
            option("batch_records_max", Takes::Integer(1, 1_000_000), "Most records in one transaction."),
            option(
                "batch_bytes_max",
                Takes::Integer(1_024, 1_024 * MEBIBYTE),
                "Most bytes read in one transaction.",
            ),
            option(
                "commit_interval_ms",
                Takes::Integer(1, 10_000),
                "Longest time between two commits while there is input; a worker whose input runs dry commits as \
                 soon as commit_spacing_ms lets it.",
            ),
            option(
                "commit_spacing_ms",
                Takes::Integer(0, 10_000),
                "Least time between two commits of a worker while there is input: each costs the brokers the same, \
                 however little is in it. What comes after a pause is committed at once.",
            ),
            option(
                "record_bytes_max",
                Takes::Integer(4_096, 4 * MEBIBYTE),
                "Largest internal record, in bytes; what is more goes into the next one. Must be below the \
                 brokers' message.max.bytes.",
            ),
            option("intake_workers", WORKERS, "Worker threads of intake in this process."),
            option("register_workers", WORKERS, "Worker threads of register in this process."),
            option("monitor_workers", WORKERS, "Worker threads of monitor in this process."),
            option("adjudicate_workers", WORKERS, "Worker threads of adjudicate in this process."),
            option(
                "timers_per_entry_max",
                Takes::Integer(1, 1_000_000),
                "Most timers that fire at once; the rest follow in further entries.",
            ),
            option(
                "tick_claims_ms",
                Takes::Integer(10, MINUTE_MS),
                "Time between two ticks on the way to decisions; bounds how late a decision deadline is noticed.",
            ),
            option(
                "tick_observations_ms",
                Takes::Integer(10, 10 * MINUTE_MS),
                "Time between two ticks to the timelines of codes; bounds how late a grace is noticed.",
            ),
            option(
                "tick_idle_ms",
                Takes::Integer(10, 10 * MINUTE_MS),
                "Time between two ticks of an input partition where nothing comes. Every tick is written to all \
                 partitions behind it; while any partition is idle, graces may be noticed this much later.",
            ),
        ],
    },
    Section {
        name: "adjudicate",
        help: "Decisions whether a claim may be paid.",
        options: &[
            option(
                "decision_deadline_ms",
                Takes::Integer(10, 60 * MINUTE_MS),
                "After this long a claim that still lacks verdicts gets a provisional decision; the final one \
                 follows.",
            ),
            option(
                "provisional",
                Takes::OneOf(&["hold", "pay"]),
                "What a provisional decision says. With pay, what turns out wrong is to be recovered.",
            ),
        ],
    },
    Section {
        name: "output",
        help: "Form of what is published.",
        options: &[
            option(
                "format",
                Takes::OneOf(&["json", "protobuf"]),
                "Form of alerts and decisions; the content-type header says which.",
            ),
            option(
                "senders_interval_ms",
                Takes::Integer(0, 60 * MINUTE_MS),
                "Least time between two records to senders about the same institution and day from the same partition; \
                 what changes within it is published with the next one. While uploads are worked off that are older, an \
                 eighth of their age instead.",
            ),
        ],
    },
    Section {
        name: "store",
        help: "State of the stages: documents, the timelines of codes, claims.",
        options: &[
            option(
                "kind",
                Takes::OneOf(&["memory", "disk"]),
                "Where state is kept. memory: all of it in memory, rebuilt from the internal topics at every start; for \
                 trying things out. disk: in the folder store.path, so that a restart only replays what is missing \
                 there; for everything that lasts.",
            ),
            without_default(
                "path",
                Takes::Path,
                "\"/var/lib/tracewarden\"",
                "Folder for kind = \"disk\", on a local disk. Every partition has its own folder in it; removing one \
                 makes the state be rebuilt from the log. Processes on one host may share it.",
            ),
            option(
                "cache_bytes",
                Takes::Integer(MEBIBYTE, 1024 * 1024 * MEBIBYTE),
                "Memory for blocks read from disk, for all partitions of this process together.",
            ),
            option(
                "write_buffer_bytes",
                Takes::Integer(4 * MEBIBYTE, 64 * 1024 * MEBIBYTE),
                "Memory for changes that are committed and not written to disk yet, for all partitions of this process \
                 together. When it is full, those that hold more than the average of it are written. More makes writing cheaper, and a \
                 start after a crash longer: what was not written is read from the log again.",
            ),
            without_default(
                "horizon_days",
                Takes::Integer(90, 36_500),
                "1825",
                "Days after which a code, a document or a claim that nothing new was heard of is forgotten, by the \
                 time of the log; without this option, never. Uploads about older moments are refused then. It must be \
                 longer than the shelf life of what is sold: a code that is heard of again afterwards begins anew.",
            ),
            without_default(
                "snapshot_url",
                Takes::Text,
                "\"file:///mnt/backup/tracewarden\"",
                "Place for snapshots of the state on disk that survives the loss of store.path: a folder, as a path or \
                 file:// URL, or s3://BUCKET/PREFIX, whose endpoint and keys come from the environment \
                 (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). Every instance must reach \
                 the same one. A partition without a local store is filled from the newest; without this option, from \
                 the log alone. Only for kind = \"disk\".",
            ),
            option(
                "snapshot_every_minutes",
                Takes::Integer(0, 7 * 24 * 60),
                "Time between two snapshots of a partition; with 0 they follow one another, for tests. Internal topics \
                 must be kept for longer than this.",
            ),
            option(
                "snapshots_kept",
                Takes::Integer(1, 1000),
                "Snapshots of each partition that are kept; older ones are removed.",
            ),
            option(
                "trim_internal_topics",
                Takes::Boolean,
                "Whether records of the internal topics that no kept snapshot needs are deleted, once as many snapshots \
                 are there as are kept. It needs snapshot_url. From then on the state cannot be rebuilt from the log \
                 alone: without local store and snapshots it is lost.",
            ),
        ],
    },
    Section {
        name: "http",
        help: "The endpoint for Prometheus. It has no authentication: keep it on loopback or a private network.",
        options: &[option(
            "listen",
            Takes::Listen,
            "Address and port of /metrics; off turns it off. Every process on one host needs its own port.",
        )],
    },
    Section {
        name: "log",
        help: "Logs, written to standard error.",
        options: &[
            option(
                "format",
                Takes::OneOf(&["text", "json"]),
                "text for people, json for collectors (one object a line).",
            ),
            option(
                "level",
                Takes::Text,
                "error, warn, info, debug or trace, for all or per module: info,tracewarden::engine=debug.",
            ),
        ],
    },
];

impl OptionEntry {
    /// The environment variable that overrides it; none for maps.
    pub fn variable(&self, section: &Section) -> Option<String> {
        (!matches!(self.takes, Takes::Settings | Takes::SettingFiles)).then(|| {
            format!("TRACEWARDEN_{}_{}", section.name.to_ascii_uppercase(), self.key.to_ascii_uppercase())
        })
    }
}

/// The option of that name in the section of that name.
pub fn find(section: &str, key: &str) -> Option<&'static OptionEntry> {
    SECTIONS.iter().find(|entry| entry.name == section)?.options.iter().find(|entry| entry.key == key)
}

/// The documented example: every option with its default.
pub(super) fn example() -> String {
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let mut text = String::from(
        "# Configuration of tracewarden. Every option stands here with its default; remove what you do not change.\n\
         # `tracewarden config check FILE` checks a file.\n\
         #\n\
         # An environment variable overrides each option but the two maps: TRACEWARDEN_, the section, the key, as\n\
         # in TRACEWARDEN_KAFKA_BOOTSTRAP_SERVERS. Secrets belong into files: see the options that end in _file(s).\n",
    );
    for section in SECTIONS {
        text.push('\n');
        push_comment(&mut text, section.help);
        text.push_str(&format!("[{}]\n", section.name));
        for entry in section.options {
            push_comment(&mut text, entry.help);
            if let Takes::Integer(least, most) = entry.takes {
                push_comment(&mut text, &format!("Between {least} and {most}."));
            }
            let default = defaults.get(section.name).and_then(|table| table.get(entry.key));
            match (default, entry.sample) {
                (Some(value), _) => text.push_str(&format!("{} = {value}\n", entry.key)),
                (None, sample) => {
                    text.push_str(&format!("#{} = {}\n", entry.key, sample.unwrap_or_default()))
                }
            }
        }
    }
    text.push('\n');
    push_comment(
        &mut text,
        "Which rules act, and how, stands in the section [rules]; `tracewarden rules` lists the rules with their \
         defaults. Without the section all defaults hold.",
    );
    text
}

/// Writes a comment, broken into lines.
fn push_comment(text: &mut String, comment: &str) {
    const COLUMNS_MAX: usize = 100;
    let mut columns = 0;
    for word in comment.split_whitespace() {
        let starts_line = columns == 0 || columns + 1 + word.len() > COLUMNS_MAX;
        if starts_line {
            text.push_str(if columns == 0 { "#" } else { "\n#" });
            columns = 1;
        }
        text.push(' ');
        text.push_str(word);
        columns += 1 + word.len();
    }
    text.push('\n');
}
