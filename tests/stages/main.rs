//! All stages together on the memory twin. In every order of arrival, whatever the batch sizes and the number of
//! partitions, and whatever happens to workers on the way, everything ends as the rules demand.

mod batches;
mod command;
mod edges;
mod explain;
mod horizon;
mod lent;
mod national;
mod province;
mod reversal;
mod rule_sets;
mod rulings;
mod senders;
mod sides;
mod simulation;
#[path = "../support/mod.rs"]
mod support;
mod worlds;
