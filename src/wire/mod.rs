//! Bytes to domain and back; nobody else knows a format.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable
)]

pub mod inbound;
pub mod log;
pub mod outbound;
pub mod state;
#[cfg(test)]
mod testing;

pub use log::WireError;
pub use outbound::{Format, Message};

/// Messages generated from `proto/tracewarden/v1`: what comes in and what goes out.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/tracewarden.v1.rs"));
}

/// Messages generated from `proto/tracewarden/internal/v1`: what stages say to each other and keep.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod pb_internal {
    include!(concat!(env!("OUT_DIR"), "/tracewarden.internal.v1.rs"));
}
