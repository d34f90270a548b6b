//! Everything that needs Apache Kafka itself: the contract of a session, the service as a process of its own, and
//! what happens when either is killed.

/// Ends a test here when there is no Kafka for it, which it says aloud.
macro_rules! needs_kafka {
    () => {
        if $crate::support::kafka::is_missing() {
            return;
        }
    };
}

mod broker;
mod chaos;
mod service;
#[path = "../support/mod.rs"]
mod support;
