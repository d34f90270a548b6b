//! What an alert says to people: one Chinese and one English sentence per rule.
//!
//! A sentence says what happened, where, when, and why it matters, with the last digits of the code, amounts and
//! both sides: good enough to be read aloud to an inspector. It states facts and accuses nobody. It is derived
//! from the other fields of the alert and says nothing that they do not; nobody should parse it.
//!
//! Texts do not name persons: the alert has only pseudonyms, and those mean nothing to a listener.

pub(super) mod en;
pub(super) mod zh;

use crate::domain::Text;
use crate::domain::alert::{AlertChange, Status};
use crate::domain::finding::{ConcernedCode, Finding, Side};
use crate::domain::time::Timestamp;

/// How much of a code is spoken.
const TAIL_CHARACTERS: usize = 6;
/// How many codes of a line are spoken; the rest is counted.
const SPOKEN_CODES_MAX: usize = 3;

/// The alert in Chinese.
pub fn alert_zh(change: &AlertChange) -> String {
    let sentence = finding_zh(&change.finding, change.code.as_ref());
    match change.status {
        Status::Raised => sentence,
        Status::Amended => format!("【更正】{sentence}"),
        Status::Withdrawn => format!("【撤销】{}原预警：{sentence}", zh::explanation(&change.cause)),
    }
}

/// The alert in English.
pub fn alert_en(change: &AlertChange) -> String {
    let sentence = finding_en(&change.finding, change.code.as_ref());
    match change.status {
        Status::Raised => sentence,
        Status::Amended => format!("Corrected: {sentence}"),
        Status::Withdrawn => {
            format!("Withdrawn: {} The alert was: {sentence}", en::explanation(&change.cause))
        }
    }
}

/// What is found, in Chinese; `code` is the code of a code rule.
pub fn finding_zh(finding: &Finding, code: Option<&Text>) -> String {
    zh::sentence(finding, code.map_or("", AsRef::as_ref))
}

/// What is found, in English; `code` is the code of a code rule.
pub fn finding_en(finding: &Finding, code: Option<&Text>) -> String {
    capitalised(&en::sentence(finding, code.map_or("", AsRef::as_ref)))
}

/// The sentence with a capital at its beginning.
fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// The last characters of a code.
fn tail(code: &str) -> &str {
    let start = code.char_indices().rev().nth(TAIL_CHARACTERS - 1).map_or(0, |(start, _)| start);
    code.get(start..).unwrap_or(code)
}

/// Hour and minute in Beijing time, as they stand in the moment's text.
fn hour_and_minute(moment: Timestamp) -> String {
    moment.to_string().split('T').nth(1).and_then(|time| time.get(..5)).unwrap_or_default().to_owned()
}

/// The other side; a rule that has none speaks of the subject itself.
fn other(finding: &Finding) -> &Side {
    finding.counterpart.as_ref().unwrap_or(&finding.subject)
}

/// The first few codes of a line as `speak` has them, and how many more there are.
fn spoken_codes(codes: &[ConcernedCode], speak: impl Fn(&ConcernedCode) -> String) -> (Vec<String>, usize) {
    let spoken = codes.iter().take(SPOKEN_CODES_MAX).map(speak).collect();
    (spoken, codes.len().saturating_sub(SPOKEN_CODES_MAX))
}

#[cfg(test)]
mod tests;
