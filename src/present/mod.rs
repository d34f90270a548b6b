//! What people read: the sentences of alerts ([`wording`]), the life of a code ([`explain`]), numbers ([`figures`])
//! and the progress of long work ([`progress`]), in the language that is asked for ([`language`]).
//!
//! Texts for people and nothing else: whatever a program reads is a matter of `wire`. Nothing here decides anything.

pub mod explain;
pub mod figures;
pub mod language;
pub mod progress;
pub mod wording;
