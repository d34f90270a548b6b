//! What an operator sees from outside: numbers for Prometheus ([`metrics`], [`exporter`]) and lines of a log
//! ([`logs`]).
//!
//! Every metric is declared once, in [`metrics`], and owns its handles; the reference page, the dashboard and the alarms
//! are all compared with that table. Nothing here takes part in a decision.

pub mod exporter;
pub mod labels;
pub mod limit;
pub mod logs;
pub mod metric;
pub mod metrics;
