//! State on disk: the store itself, its snapshots, and how stages come back with it.

mod readers;
mod recovery;
mod snapshots;
mod store;
#[path = "../support/mod.rs"]
mod support;
