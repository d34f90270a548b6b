//! Putting the stages to work: all of them on the memory twin in one thread ([`local`]), or as threads on Apache
//! Kafka ([`service`]).

pub mod local;
pub mod service;
