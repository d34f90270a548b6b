//! What an operator sees from outside: numbers for Prometheus ([`metrics`], [`exporter`]) and lines of a log
//! ([`logs`]).
//!
//! Every metric is declared once, in [`declared`]; the typed handles in [`metrics`], the reference page, the
//! dashboard and the alarms are all compared with that table. Nothing here takes part in a decision.

pub mod declared;
pub mod exporter;
pub mod logs;
pub mod metrics;
