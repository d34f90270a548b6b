//! Everything that needs Apache Kafka itself: the contract of a session, the service as a process of its own, and
//! what happens when either is killed.

mod broker;
mod chaos;
mod service;
#[path = "../support/mod.rs"]
mod support;
