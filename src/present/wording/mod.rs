//! What an alert says to people: one Chinese and one English sentence per rule, which the rule's own entry has
//! ([`Judges`]). A name in braces in it stands for what the finding says: each language knows how to speak it ([`zh`],
//! [`en`]), and here they are put together.
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
use crate::domain::observation::{LentFrom, ObservationKey};
use crate::domain::rules::Basis;
use crate::domain::rules::entry::{Judges, Words};
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
    let piece = |name: &str| zh::piece(name, finding, code.map_or("", AsRef::as_ref));
    fill(template(finding).zh, piece) + &lent_sides(finding).map(zh::lent).collect::<String>()
}

/// What is found, in English; `code` is the code of a code rule.
pub fn finding_en(finding: &Finding, code: Option<&Text>) -> String {
    let piece = |name: &str| en::piece(name, finding, code.map_or("", AsRef::as_ref));
    capitalised(&fill(template(finding).en, piece)) + &lent_sides(finding).map(en::lent).collect::<String>()
}

/// The sides whose code is a hand-over's: what is said of the settlement was written there.
fn lent_sides(finding: &Finding) -> impl Iterator<Item = (&ObservationKey, &LentFrom)> {
    let sides = [Some(&finding.subject), finding.counterpart.as_ref()];
    sides.into_iter().flatten().filter_map(|side| Some((&side.key, side.lent_from.as_ref()?)))
}

/// The sentence of the finding's rule, by what it is about.
fn template(finding: &Finding) -> Words {
    match finding.rule.entry().judges {
        Judges::Line(words) | Judges::Code(words) => words,
        Judges::Both { line, code } => match finding.basis {
            Some(Basis::Declared) => code,
            Some(Basis::Catalogue) | None => line,
        },
    }
}

/// The template with every name in braces replaced by what `piece` has for it. One that nobody knows stays as it is: a
/// test holds that there is none.
fn fill(template: &str, piece: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = split_at_name(rest) {
        text.push_str(before);
        text.push_str(&piece(name).unwrap_or_else(|| format!("{{{name}}}")));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// What is before the first name in braces, the name, and what is after it.
fn split_at_name(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
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
