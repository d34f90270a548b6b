//! The slow, obviously right second implementation of the rules.
//!
//! *The problem.* The stages decide incrementally, from state, in whatever order facts arrive. Whether what they
//! end with is right cannot be seen from their own code.
//!
//! *The choice.* [`judge`] is a pure function of (reference, uploads, until), written from the text of the rules
//! alone, section by section, with the text's own words in its comments, sharing neither code nor types with
//! `src/`. It recomputes everything from the whole set every time. [`world`] makes random nasty worlds to compare
//! on, [`shrink`] makes a small world of one on which two implementations differ.
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
//! | [`upload`] | design §4(a): reading and refusing |
//! | [`document`] | §1: what is live |
//! | [`reference`] | §1.4 |
//! | [`code`], [`device_code`] | §1.5 |
//! | [`line_rules`] | §2 |
//! | [`timeline`] | §3: observations, pack, need, persons, sales |
//! | [`walk`] | §3: returns, walk |
//! | [`code_rules`] | §4 |
//! | [`decision`] | §5 |
//!
//! What tests use: [`judge`], [`Answer`], [`World`], [`world()`], [`shrink()`], [`world::dice`], and [`upload::read`] to
//! see what is rejected. The rest is public to be read.

pub mod answer;
pub mod code;
pub mod code_rules;
pub mod decision;
pub mod device_code;
pub mod document;
pub mod finding;
pub mod line_rules;
pub mod moment;
pub mod reference;
pub mod shrink;
pub mod timeline;
pub mod upload;
pub mod walk;
pub mod world;

use serde_json::Value;

pub use answer::Answer;
pub use moment::Timestamp;
pub use shrink::shrink;
pub use world::{World, world};

use reference::Reference;
use upload::Upload;

/// The open alerts and the final decisions for a set of uploads, "at now = the greater of `--until` and the
/// greatest issued_at of the uploads not rejected".
pub fn judge(reference: &[Value], uploads: &[Value], until: Timestamp) -> Answer {
    let reference = Reference::new(reference);
    let uploads: Vec<Upload> = uploads.iter().filter_map(|value| upload::read(value).ok()).collect();
    let now = uploads.iter().map(|upload| upload.issued_at).fold(until, Timestamp::max);
    let documents = document::live(&uploads);
    let mut findings = line_rules::findings(&documents, &reference);
    findings.extend(code_rules::findings(&documents, &reference, now));
    let alerts =
        findings.iter().filter(|finding| finding.is_alert()).map(|finding| finding.to_json()).collect();
    Answer::new(alerts, decision::decisions(&documents, &findings))
}
