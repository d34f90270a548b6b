//! The service on Apache Kafka itself: the built binary as a process of its own, uploads published to the input
//! topics, alerts and decisions read by an independent read-committed consumer.
//!
//! Every test has an installation (topic prefix) of its own on one small cluster.

mod answers;
mod evaluate;
mod handling;
mod lending;
mod lost_disk;
mod simulate;
mod start;
mod time;
mod worlds;
