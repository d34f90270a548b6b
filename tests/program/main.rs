//! The program as somebody types it, and what it shows of itself.
//!
//! All but the metrics endpoint start processes: the recorder of metrics belongs to the process, and that one test
//! counts on nobody else recording in this one.

mod command_line;
mod evaluate;
mod metrics_endpoint;
#[path = "../support/program.rs"]
mod program;
