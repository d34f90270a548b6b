//! The same province told in the national interface's messages: everything that they can carry is found in them, and
//! the answers are those of the canonical form.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use tracewarden::evaluate::Language;
use tracewarden::sim::{Act, Dirt, Parameters, UploadForm};

use super::judged::filthy;
use super::stages::play;
use oracle::Answer;

/// A province of two weeks with all acts.
fn province(seed: u64, dirt: Dirt) -> Parameters {
    let mut parameters = Parameters { dirt, ..Parameters::demo(seed) };
    parameters.institutions = 40;
    parameters.codes_per_day = 200;
    parameters.days = 14;
    parameters.fraud.acts_per_day = 10;
    parameters.habits.returns_ppm = 50_000;
    parameters.habits.cancelled_ppm = 30_000;
    parameters.habits.sent_back_ppm = 50_000;
    parameters.habits.transfers_ppm = 50_000;
    parameters
}

fn in_messages(parameters: &Parameters) -> Parameters {
    Parameters { form: UploadForm::National, ..parameters.clone() }
}

#[test]
fn everything_that_messages_can_carry_is_found_in_them() {
    for (seed, dirt) in [(1, Dirt::none()), (2, Dirt::usual()), (3, filthy())] {
        let report = play(&in_messages(&province(seed, dirt))).report;
        let text = report.table(Language::English) + &report.details(Language::English, 5);
        assert!(report.missed.is_empty(), "seed {seed}: missed\n{text}");
        assert!(report.unexplained.is_empty(), "seed {seed}: unexplained\n{text}");
        assert!(report.inexact.is_empty(), "seed {seed}: inexact\n{text}");
        assert_eq!(report.lines.expected, report.lines.found, "seed {seed}\n{text}");
        // What is banned shows in a lot or a last day of use, which claims in this form do not have.
        let planted = report.acts.keys().filter(|act| Act::PLANTED.contains(act)).count();
        assert_eq!(planted, Act::PLANTED.len() - 2, "seed {seed}\n{text}");
    }
}

#[test]
fn the_answers_are_those_of_the_canonical_form() {
    for (seed, dirt) in [(4, Dirt::none()), (5, filthy())] {
        let canonical = province(seed, dirt);
        let expected = nameless(&play(&canonical).answer);
        let found = nameless(&play(&in_messages(&canonical)).answer);
        let mut differences = String::new();
        for key in expected.keys().chain(found.keys().filter(|key| !expected.contains_key(*key))) {
            let (expected, found) = (expected.get(key).unwrap_or(&0), found.get(key).unwrap_or(&0));
            if expected != found {
                let _ = writeln!(differences, "{expected} -> {found}: {key}");
            }
        }
        assert!(differences.is_empty(), "seed {seed}\n{differences}");
    }
}

/// How often each statement occurs when documents have no names, which differ between the forms, and when nothing is
/// said of what is banned, which messages cannot carry.
fn nameless(answer: &Answer) -> BTreeMap<String, u64> {
    let mut statements = BTreeMap::new();
    let mut state = |statement: String| *statements.entry(statement).or_insert(0) += 1;
    for alert in &answer.alerts {
        let side = |side: &Value| format!("{}/{}", side["institution_id"], side["group"]);
        let [rule, basis, scope, code] = ["rule", "basis", "scope", "code"].map(|name| &alert[name]);
        let (subject, counterpart) = (side(&alert["subject"]), side(&alert["counterpart"]));
        state(format!("{rule} {basis} {scope} {code} {subject} {counterpart}"));
    }
    for decision in &answer.decisions {
        let lines = decision["lines"].as_array().into_iter().flatten();
        let mut reasons: Vec<String> = lines
            .map(|line| line["reasons"].as_array().into_iter().flatten())
            .map(|reasons| reasons.filter(|reason| *reason != "banned").map(Value::to_string).collect())
            .collect();
        reasons.sort();
        state(format!("{} {reasons:?}", decision["institution_id"]));
    }
    statements
}
