//! What several integration tests need.

// Every test binary compiles this for itself and uses a part of it.
#![allow(dead_code)]

pub(crate) mod kafka;
pub(crate) mod proxy;
pub(crate) mod world;
