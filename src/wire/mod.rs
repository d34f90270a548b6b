//! Bytes to domain and back; nobody else knows a format.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable
)]

pub mod entries;
mod error;
pub mod form;
pub mod inbound;
pub mod outbound;
pub mod state;
#[cfg(test)]
mod testing;

pub use error::WireError;
pub use outbound::{Format, Message};

/// Messages generated from `proto/tracewarden/v1`: what comes in and what goes out.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/tracewarden.v1.rs"));
}
