//! Apache Kafka as the broker.
//!
//! Everything that Kafka knows and we do not want to know elsewhere is in here: the settings on which the
//! guarantees rest (`settings`), what follows from which failure (`errors`), the transaction and the rebalance
//! (`session`), topics ([`admin`]), plain writing and reading ([`publish`], [`read`]), what the library logs (`chatter`).

pub mod admin;
mod chatter;
mod context;
mod errors;
pub mod publish;
pub mod read;
mod records;
mod session;
mod settings;
mod watermarks;

pub use session::KafkaSession;
pub use settings::KafkaSettings;

use super::{Broker, BrokerError, SessionOptions};

/// A Kafka cluster.
#[derive(Clone, Debug)]
pub struct KafkaBroker {
    settings: KafkaSettings,
}

impl KafkaBroker {
    /// A cluster reached with these settings; nothing is connected yet.
    pub fn new(settings: KafkaSettings) -> Self {
        Self { settings }
    }

    /// The settings it is reached with.
    pub fn settings(&self) -> &KafkaSettings {
        &self.settings
    }
}

impl Broker for KafkaBroker {
    type Session = KafkaSession;

    fn session(&self, options: &SessionOptions) -> Result<KafkaSession, BrokerError> {
        KafkaSession::open(&self.settings, options)
    }
}
