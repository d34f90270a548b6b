//! Bytes to domain and back; nobody else knows a format.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable
)]

pub mod canonical;
pub mod control;
pub mod decimal;
pub mod entries;
pub mod intake;
pub mod moment;
pub mod nhsa;
pub mod pseudonym;
pub mod reference;
pub mod reject;

/// Messages generated from `proto/tracewarden/v1`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/tracewarden.v1.rs"));
}
