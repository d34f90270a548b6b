//! The national interface's payloads through all stages, on the memory twin.
//!
//! Each folder of `tests/nhsa` holds, beside its messages: `reference.ndjson`, `until`, `expected.json` (open alerts
//! and decisions at the end), `expected-deadletter.ndjson` (what is refused: line, reason, field). The answers were
//! derived from the specification, not copied from what came out. A course also has `expected-steps.ndjson`: what
//! holds after so many lines of its file, at that time.

mod aliases;
mod courses;
mod field;
mod joins;
mod messages;
mod replay;
pub(crate) mod run;
mod samples;
