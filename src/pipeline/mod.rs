//! What tracewarden makes of the [`engine`](crate::engine): four stages and the topics between them.
//!
//! A stage reads one topic (intake: the three outside ones).
//!
//! | stage | reads | keyed by | publishes |
//! |---|---|---|---|
//! | [`intake`] | procurement, dispensing, settlement | – | documents, deadletter |
//! | [`register`] | documents | document | alerts (line rules), observations, claims, documents (aliases) |
//! | [`monitor`] | observations | trace code | alerts (code rules), claims (verdicts) |
//! | [`adjudicate`] | claims | claim | decisions |

pub mod adjudicate;
pub mod intake;
mod lending;
pub(crate) mod meters;
pub mod monitor;
pub mod register;
pub mod tally;
pub mod topics;
