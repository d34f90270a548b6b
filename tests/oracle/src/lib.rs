//! The slow, obviously right second implementation of the rules.
//!
//! *The problem.* The stages decide incrementally, from state, in whatever order facts arrive. Whether what they
//! end with is right cannot be seen from their own code.
//!
//! *The choice.* [`judge`] is a pure function of (reference, uploads, until), written from the text of the rules
//! alone, section by section, with the text's own words in its comments, sharing neither code nor types with
//! `src/`. It recomputes everything from the whole set every time. [`mod@world`] makes random nasty worlds to compare
//! on, [`shrink()`] makes a small world of one on which two implementations differ.
//!
//! *What it is not.* It publishes nothing, keeps no history, and knows no topics, no watermarks and no records'
//! timestamps. It reads canonical JSON only, not the national interface's own payloads.
//!
//! *Limits.* Ties of `issued_at` between header versions that differ in a person are broken by the persons
//! themselves instead of their pseudonyms, so worlds have none. Codes and documents over their limits (`overused_code`)
//! are outside the comparison.
//!
//! | module | section |
//! |---|---|
//! | [`json`], [`fields`], [`upload`] | design §4(a): reading and refusing |
//! | [`document`], [`adjustment`] | §1: what is live |
//! | [`mod@reference`] | §1.4 |
//! | [`code`], [`clean`], [`link`], [`element`], [`device_code`] | §1.5 |
//! | [`lending`] | §1.6 |
//! | [`line_rules`] | §2 |
//! | [`timeline`] | §3: observations, pack, need, persons, sales |
//! | [`walk`] | §3: returns, walk |
//! | [`code_rules`] | §4 |
//! | [`decision`], [`ruling`] | §5 |
//! | [`standing`] | design §3, `senders` |
//!
//! What tests use: [`judge`] and [`judge_text`], [`Answer`], [`World`], [`world()`], [`shrink()`], [`world::dice`], and
//! [`upload::read`] to see what is rejected.

mod adjustment;
mod answer;
mod clean;
mod code;
mod code_rules;
mod decision;
mod device_code;
mod document;
mod element;
#[cfg(test)]
mod features;
mod fields;
mod finding;
mod json;
mod lending;
mod line_rules;
mod link;
mod moment;
mod reference;
mod ruling;
mod shrink;
mod standing;
mod timeline;
pub mod upload;
mod walk;
pub mod world;

use serde_json::Value;

pub use answer::Answer;
pub use moment::Timestamp;
pub use shrink::shrink;
pub use standing::Standing;
pub use world::{Theme, World, themed, world};

use reference::Reference;
use ruling::Rulings;
use upload::Upload;

/// The open alerts and the final decisions for a set of uploads, "at now = the greater of `--until` and the
/// greatest issued_at of the uploads not rejected".
pub fn judge(reference: &[Value], uploads: &[Value], until: Timestamp) -> Answer {
    judge_read(reference, uploads.iter().filter_map(|value| upload::read(value).ok()).collect(), until)
}

/// The answer for NDJSON as it was written: lines that are no JSON are rejected uploads, and a field that stands
/// twice in one object is read as design §4(a) says.
pub fn judge_text(reference: &str, uploads: &str, until: Timestamp) -> Answer {
    let record = |line: &str| serde_json::from_str(line.trim_start_matches('\u{FEFF}')).ok();
    let reference: Vec<Value> = reference.lines().filter_map(record).collect();
    // A line is ended by LF alone: other ends of lines stand unescaped in texts.
    let uploads = uploads.split('\n').filter_map(|line| upload::read_text(line).ok());
    judge_read(&reference, uploads.collect(), until)
}

/// What stands of each institution's documents, by day.
pub(crate) fn standing_of(reference: &[Value], uploads: &[Value]) -> Standing {
    let uploads: Vec<Upload> = uploads.iter().filter_map(|value| upload::read(value).ok()).collect();
    let reference = Reference::new(reference);
    let mut documents = document::live(&uploads);
    lending::lend(&mut documents, &reference);
    standing::standing(&uploads, &documents, &reference)
}

fn judge_read(reference: &[Value], uploads: Vec<Upload>, until: Timestamp) -> Answer {
    let reference = Reference::new(reference);
    let now = uploads.iter().map(|upload| upload.issued_at).fold(until, Timestamp::max);
    let mut documents = document::live(&uploads);
    lending::lend(&mut documents, &reference);
    let mut findings = line_rules::findings(&documents, &reference, now);
    findings.extend(code_rules::findings(&documents, &reference, now));
    let alerts =
        findings.iter().filter(|finding| finding.is_alert()).map(|finding| finding.to_json()).collect();
    Answer::new(alerts, decision::decisions(&documents, &findings, &Rulings::of(&uploads)))
}
