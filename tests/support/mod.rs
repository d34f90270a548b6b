//! What the tests of several binaries need, each thing once.

// Every test binary compiles this for itself and uses a part of it.
#![allow(dead_code)]

pub(crate) mod cases;
pub(crate) mod fold;
pub(crate) mod installation;
pub(crate) mod kafka;
pub(crate) mod local;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod watcher;
pub(crate) mod world;
