//! Failures on Apache Kafka itself.

#[path = "../support/mod.rs"]
mod support;

mod transactions;
