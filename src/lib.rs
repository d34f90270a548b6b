//! tracewarden (追溯卫士): one timeline per trace code, and a decision for every claim line.
//!
//! # The path of a document
//!
//! 1. A hospital's upload is a record on an input topic. [`broker`] brings it as bytes: [`broker::kafka`] in the
//!    service, [`broker::memory`] in `demo`, `replay` and tests.
//! 2. [`pipeline::intake`] has [`wire::inbound::intake`] decode it: canonical JSON or Protobuf
//!    ([`wire::inbound::canonical`]) or a message of the national interface ([`wire::inbound::nhsa`]). Codes get their
//!    normal form ([`domain::trace_code`]), persons become pseudonyms ([`wire::inbound::pseudonym`]), reference records
//!    are attached ([`domain::reference`]). What is refused goes to the dead letters ([`wire::inbound::reject`],
//!    [`wire::outbound::deadletter`]); the rest, as entries ([`wire::entries`]), to the partition of its document.
//! 3. [`pipeline::register`] merges it into its document ([`domain::register`], [`domain::document::merge`]), evaluates
//!    the line rules ([`domain::rules::line`]) and publishes what changed: alerts, one change per code
//!    ([`domain::observation`]), the claim ([`domain::claim`]). A claim without codes borrows those of its hand-over
//!    ([`domain::document::lending`]), which find their way by the aliases that both documents have.
//! 4. [`pipeline::monitor`] applies each change to the timeline of its code ([`domain::monitor`],
//!    [`domain::timeline`]), where returns find the sales that they give back, evaluates the code rules ([`domain::rules::code`]), publishes alerts, and answers every
//!    settlement with a verdict.
//! 5. [`pipeline::adjudicate`] joins claim and verdicts by revision ([`domain::adjudicator`]) and publishes the
//!    decision. What people did about a claim ([`domain::handling`]) takes the same way: the register keeps it with the
//!    document, here it is applied.
//! 6. What each institution sends, and what of it is wrong, is counted by day ([`domain::sender`],
//!    [`pipeline::register`]) and published for whoever answers its vendor.
//! 7. What is published differs from what was published before by [`domain::alert`] and goes out in the form of
//!    [`wire::outbound::alert`], [`wire::outbound::decision`] and [`wire::outbound::sender`].
//!
//! What each stage reads and publishes to is one table, [`pipeline::PIPELINE`]. Every stage is the same loop,
//! [`engine::worker`]: a batch is applied to what the partition's [`store`] holds, outputs and input offsets are
//! committed in one transaction, and only then may the changes reach the store, at once or with those of later batches: after
//! a crash the log is replayed from where the store is. Other threads read what is committed ([`engine::readers`]).
//! Copies of the store go elsewhere ([`store::snapshot`]), and the log behind them may be trimmed ([`engine::snapshots`]).
//! Time travels with the entries ([`engine::watermark`]); the domain reads no clock, and forgets by that time alone ([`domain::horizon`]).
//!
//! [`run::service`] runs the stages as threads on Kafka, [`run::local`] all of them in one thread on the broker
//! in memory, the twin of Kafka. [`commands`] is the command line, [`config`] the configuration, [`telemetry`] what an operator sees,
//! [`present`] what people read, [`sim`] a simulated province to try it all with, [`evaluate`] how well it was judged.
//!
//! `CONTRIBUTING.md` says which file to open for which change.
//!
//! # Layers
//!
//! `domain` uses itself, `std` and a type of texts, `present` makes texts of it. `wire` is the only place that knows formats, `broker`
//! the only one that knows Kafka; `engine` runs stages of any kind, `pipeline` says which there are. Nothing imports
//! `commands`. A test holds this.

pub mod broker;
pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod evaluate;
pub mod pipeline;
pub mod present;
pub mod run;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod wire;
