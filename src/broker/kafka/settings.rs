//! How clients are set up: the settings that the guarantees rest on, and what an operator may change.
//!
//! librdkafka has some two hundred settings. A few decide whether the transactions hold or take 100 ms; those are
//! fixed here, each with its reason, and cannot be overridden. Everything else (TLS, SASL, buffer sizes) passes
//! through by its own name. Values given by the operator may be secrets, so they are never printed: not by `Debug`,
//! not in an error.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};

use super::errors;
use crate::broker::{BrokerError, SessionOptions};

/// Where Kafka is and how to talk to it.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// Settings of librdkafka by their own names, for TLS, SASL and tuning. Some are refused: see
    /// [`KafkaSettings::refused_overrides`].
    pub overrides: BTreeMap<String, String>,
    /// Whether a worker keeps its partitions over a short restart (`group.instance.id`). Without it a worker that
    /// leaves hands them on at once.
    pub static_members: bool,
    /// A worker not heard of for so long loses its partitions.
    pub session_timeout: Duration,
    /// A worker that does not poll for so long loses its partitions; restoring state must fit in.
    pub poll_interval_max: Duration,
    /// A transaction that stays open longer is aborted; until then it holds up readers when its producer died.
    pub transaction_timeout: Duration,
    /// How long other calls may wait for the cluster before the session counts as lost.
    pub call_timeout: Duration,
    /// The largest record written; the topics must take it (`max.message.bytes`).
    pub record_bytes_max: usize,
}

impl KafkaSettings {
    /// The defaults, for a cluster at this address.
    pub fn at(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.into(),
            overrides: BTreeMap::new(),
            static_members: true,
            session_timeout: Duration::from_secs(30),
            poll_interval_max: Duration::from_secs(600),
            transaction_timeout: Duration::from_secs(12),
            call_timeout: Duration::from_secs(30),
            record_bytes_max: 8 << 20,
        }
    }

    /// Overrides that would break what a session promises, or that have a field of their own here.
    pub fn refused_overrides(&self) -> Vec<&str> {
        self.overrides.keys().map(String::as_str).filter(|name| FIXED.contains(name)).collect()
    }

    /// What every client has in common.
    fn common(&self) -> Result<ClientConfig, BrokerError> {
        if let Some(name) = self.refused_overrides().first() {
            return Err(BrokerError::Setup(format!("the Kafka setting {name} cannot be overridden")));
        }
        let mut config = ClientConfig::new();
        config
            .set("client.id", "tracewarden")
            // Short pauses: with the defaults a broker that comes back is noticed after seconds.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "2000");
        for (name, value) in &self.overrides {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.bootstrap_servers);
        Ok(config)
    }

    /// A consumer that reads only what is committed and never commits or jumps by itself.
    fn consumer(&self) -> Result<ClientConfig, BrokerError> {
        let mut config = self.common()?;
        let defaults = [
            // An empty fetch is answered after this long; a non-empty one at once, also when a transaction ends. With 20,
            // half of what an idle installation cost the broker were empty fetches.
            ("fetch.wait.max.ms", "200"),
            // After its queue was full the client waits before it fetches again: 1 s by default.
            ("fetch.queue.backoff.ms", "5"),
            // Memory for records fetched ahead, per worker.
            ("queued.max.messages.kbytes", "8192"),
        ];
        set_missing(&mut config, &defaults);
        config
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that is not there must stop us loudly: jumping would lose records in silence.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "false");
        Ok(config)
    }

    /// The consumer of a session.
    pub(super) fn group_consumer(&self, options: &SessionOptions) -> Result<ClientConfig, BrokerError> {
        let mut config = self.consumer()?;
        config
            .set("group.id", &options.group)
            // Eager range: equal numbers of equally wide topics go to the same worker, and a rebalance is simple.
            .set("partition.assignment.strategy", "range")
            .set("group.protocol", "classic")
            .set("session.timeout.ms", millis(self.session_timeout))
            .set("heartbeat.interval.ms", millis(self.session_timeout / 10))
            .set("max.poll.interval.ms", millis(self.poll_interval_max.max(self.session_timeout)));
        if self.static_members {
            config.set("group.instance.id", &options.member);
        }
        Ok(config)
    }

    /// A consumer outside of any group.
    pub(super) fn plain_consumer(&self) -> Result<ClientConfig, BrokerError> {
        self.consumer()
    }

    /// A consumer that only asks for offsets: it reads nothing and commits nothing.
    pub(super) fn asking_consumer(&self) -> Result<ClientConfig, BrokerError> {
        let mut config = self.consumer()?;
        // The library makes no consumer without a group; this one never joins.
        config.set("group.id", "tracewarden-asking");
        Ok(config)
    }

    /// A client that manages topics.
    pub(super) fn admin(&self) -> Result<ClientConfig, BrokerError> {
        self.common()
    }

    /// A producer that neither loses, repeats nor reorders.
    pub(super) fn plain_producer(&self) -> Result<ClientConfig, BrokerError> {
        self.producer("5")
    }

    fn producer(&self, linger_ms: &str) -> Result<ClientConfig, BrokerError> {
        let mut config = self.common()?;
        set_missing(&mut config, &[("compression.type", "lz4"), ("linger.ms", linger_ms)]);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.max.bytes", self.record_bytes_max.to_string());
        Ok(config)
    }

    /// The producer of a session.
    pub(super) fn transactional_producer(
        &self,
        options: &SessionOptions,
    ) -> Result<ClientConfig, BrokerError> {
        // Everything of a transaction is handed over at once: nothing better comes by waiting.
        let mut config = self.producer("0")?;
        // Those pauses double: without a bound, a slow moment of the cluster makes one of up to a second of them.
        set_missing(&mut config, &[("retry.backoff.max.ms", "20")]);
        config
            .set("transactional.id", format!("{}/{}", options.group, options.member))
            .set("transaction.timeout.ms", millis(self.transaction_timeout))
            // The first request after a commit is often answered with "the last transaction is still ending" and is
            // repeated after this long, then twice as long and so on. The default of 100 makes every transaction
            // 100 ms long; measured back to back: 5 gives 8.8 ms, 1 gives 5.5 ms.
            .set("retry.backoff.ms", "1");
        Ok(config)
    }
}

/// Creates a client.
pub(super) fn client<C: ClientContext, T: FromClientConfigAndContext<C>>(
    config: &ClientConfig,
    context: C,
) -> Result<T, BrokerError> {
    config.create_with_context(context).map_err(|error| errors::setup("creating a Kafka client", &error))
}

/// What an operator may not override.
const FIXED: &[&str] = &[
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.poll.interval.ms",
    "message.max.bytes",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "retry.backoff.ms",
    "session.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

fn set_missing(config: &mut ClientConfig, defaults: &[(&str, &str)]) {
    for (name, value) in defaults {
        if config.get(name).is_none() {
            config.set(*name, *value);
        }
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("overrides", &self.overrides.keys())
            .field("static_members", &self.static_members)
            .field("session_timeout", &self.session_timeout)
            .field("poll_interval_max", &self.poll_interval_max)
            .field("transaction_timeout", &self.transaction_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("record_bytes_max", &self.record_bytes_max)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Broker;
    use crate::broker::kafka::KafkaBroker;

    fn options() -> SessionOptions {
        SessionOptions { group: "g".into(), member: "m".into(), topics: Vec::new(), poll_records_max: 1 }
    }

    fn with(name: &str, value: &str) -> KafkaSettings {
        let mut settings = KafkaSettings::at("127.0.0.1:1");
        settings.overrides.insert(name.to_owned(), value.to_owned());
        settings
    }

    #[test]
    fn values_of_overrides_are_shown_nowhere() {
        // One that is taken, one whose value is refused, one whose name is refused.
        for name in ["sasl.password", "socket.timeout.ms", "no.such.setting"] {
            let broker = KafkaBroker::new(with(name, "s3cret"));
            assert!(!format!("{broker:?}").contains("s3cret"));
            if name != "sasl.password" {
                let error = broker.session(&options()).err().unwrap().to_string();
                assert!(error.contains(name) && !error.contains("s3cret"), "{error}");
            }
        }
    }

    #[test]
    fn what_the_guarantees_rest_on_cannot_be_overridden() {
        for name in FIXED {
            let error = KafkaBroker::new(with(name, "1")).session(&options()).err().unwrap();
            assert!(matches!(error, BrokerError::Setup(sentence) if sentence.contains(name)));
        }
    }

    #[test]
    fn tuning_by_the_operator_wins_over_the_defaults() {
        let config = with("linger.ms", "7").transactional_producer(&options()).unwrap();
        assert_eq!(config.get("linger.ms"), Some("7"));
    }
}
