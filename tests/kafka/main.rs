//! The service on Apache Kafka itself: the built binary as a process of its own, uploads published to the input
//! topics, alerts and decisions read by an independent read-committed consumer.
//!
//! Every test has an installation (topic prefix) of its own on one small cluster.

#[path = "../support/fold.rs"]
mod fold;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod evaluate;
mod installation;
mod lost_disk;
mod simulate;
mod start;
mod time;
mod watcher;
mod worlds;
