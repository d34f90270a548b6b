//! Failures on Apache Kafka itself.
//!
//! `cargo test --release --test chaos -- --ignored` kills two hundred times, with three brokers.

mod account;
mod feed;
mod fleet;
#[path = "../support/fold.rs"]
mod fold;
mod inputs;
#[path = "../kafka/installation.rs"]
#[allow(dead_code, reason = "shared with the tests of the service")]
mod installation;
#[path = "../oracle/mod.rs"]
mod oracle;
mod plan;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod transactions;
#[path = "../kafka/watcher.rs"]
#[allow(dead_code, reason = "shared with the tests of the service")]
mod watcher;

use std::sync::LazyLock;

use run::Size;
use support::kafka::Cluster;

/// One broker for all tests that do not kill it.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(1));

#[test]
fn killed_again_and_again_it_loses_and_doubles_nothing() {
    let size =
        Size { seed: 1, kills: 20, brokers: 1, processes: 2, uploads_per_second: 60, codes_per_day: 300 };
    run::run(&size.or_from_environment());
}

#[test]
#[ignore = "takes half an hour and three brokers"]
fn killed_two_hundred_times_it_loses_and_doubles_nothing() {
    let size =
        Size { seed: 1, kills: 200, brokers: 3, processes: 3, uploads_per_second: 60, codes_per_day: 2_000 };
    run::run(&size.or_from_environment());
}
