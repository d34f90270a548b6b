//! tracewarden (追溯卫士).
pub mod broker;
pub mod config;
pub mod domain;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod wire;
