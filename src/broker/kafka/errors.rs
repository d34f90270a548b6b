//! What follows from each failure that librdkafka reports. The only place that decides it.
//!
//! The rule behind it: only a transaction that was certainly aborted may be done again by the same session.
//! Whatever else goes wrong during a transaction, a time-out included, leaves its outcome unknown, so the session
//! ends; a new one finds out by reading the committed offset. Errors of the connection outside of a transaction
//! heal by themselves.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::broker::BrokerError;

/// What to do about an error met while reading.
#[derive(Debug)]
pub(super) enum Reading {
    /// The client goes on by itself.
    Transient,
    /// Some partition was read at an offset that is not there.
    OutOfRange,
    /// The call fails.
    Fails(BrokerError),
}

/// An error met while reading.
pub(super) fn reading(error: &KafkaError) -> Reading {
    let code = error.rdkafka_error_code();
    if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
        return Reading::Fails(lost("reading", error));
    }
    match code {
        Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => Reading::OutOfRange,
        Some(Code::Fatal | Code::FencedInstanceId) => Reading::Fails(lost("reading", error)),
        Some(code) if is_setup(code) => Reading::Fails(setup("reading", error)),
        _ => Reading::Transient,
    }
}

/// An error of a question to the cluster (offsets, watermarks, metadata).
pub(super) fn asking(what: &str, error: &KafkaError) -> BrokerError {
    match error.rdkafka_error_code() {
        Some(code) if is_setup(code) => setup(what, error),
        _ => lost(what, error),
    }
}

/// An error of a question about partitions that were there a moment ago: a broker that has just come back may not
/// know them yet.
pub(super) fn asking_of_known(what: &str, error: &KafkaError) -> BrokerError {
    match error.rdkafka_error_code() {
        Some(Code::UnknownPartition | Code::UnknownTopic | Code::UnknownTopicOrPartition) => {
            lost(what, error)
        }
        _ => asking(what, error),
    }
}

/// What to do about an error met inside a transaction.
#[derive(Debug)]
pub(super) enum InTransaction {
    /// Abort; after that the batch may be done again.
    Abort(String),
    /// Abort as far as possible; the session has lost its place.
    Ends(BrokerError),
}

/// An error met inside a transaction.
pub(super) fn in_transaction(what: &str, error: &KafkaError) -> InTransaction {
    match error.rdkafka_error_code() {
        Some(code) if is_fenced(code) => InTransaction::Ends(lost(what, error)),
        Some(code) if is_setup(code) => InTransaction::Ends(setup(what, error)),
        _ => match error {
            KafkaError::Transaction(cause) if cause.txn_requires_abort() && !cause.is_fatal() => {
                InTransaction::Abort(sentence(what, error))
            }
            _ => InTransaction::Ends(lost(what, error)),
        },
    }
}

/// The session ends.
pub(super) fn lost(what: &str, error: &KafkaError) -> BrokerError {
    BrokerError::SessionLost(sentence(what, error))
}

/// The set-up is wrong.
pub(super) fn setup(what: &str, error: &KafkaError) -> BrokerError {
    BrokerError::Setup(sentence(what, error))
}

/// What happened, without the value of any setting: it may be a secret, and the library repeats it.
pub(super) fn sentence(what: &str, error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, _, name, _) => {
            format!("{what} failed: the Kafka setting {name} is not known, or its value is not one it takes")
        }
        KafkaError::Transaction(cause) => {
            format!("{what} failed: {} ({}){}", cause.string(), cause.name(), remedy(error))
        }
        _ => format!("{what} failed: {error}{}", remedy(error)),
    }
}

/// Another member of the same name has joined the group.
pub(super) fn name_taken(member: &str) -> BrokerError {
    BrokerError::SessionLost(format!("another process has joined as {member}{NAME_TAKEN}"))
}

/// What to do about it, where that is known.
fn remedy(error: &KafkaError) -> &'static str {
    match error.rdkafka_error_code() {
        Some(Code::Fenced | Code::ProducerFenced | Code::FencedInstanceId) => NAME_TAKEN,
        _ => "",
    }
}

/// Two processes of one name take each other's place again and again.
const NAME_TAKEN: &str = ". Is there another process of the same name? Each one on a host needs a \
    kafka.instance_slot of its own, or a kafka.instance_id";

/// The group or a newer producer of the same name has taken our place.
fn is_fenced(code: Code) -> bool {
    matches!(
        code,
        Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::FencedInstanceId
            | Code::RebalanceInProgress
            | Code::Fenced
            | Code::InvalidProducerEpoch
            | Code::ProducerFenced
            | Code::StaleMemberEpoch
    )
}

/// Failures that happen again every time.
pub(super) fn is_setup(code: Code) -> bool {
    matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::InvalidTransactionTimeout
            | Code::InvalidSessionTimeout
            | Code::InconsistentGroupProtocol
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::InvalidTopic
            | Code::PolicyViolation
    )
}
