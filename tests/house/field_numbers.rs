//! Numbers of what is written are never changed nor used again: old records must stay readable.

use std::collections::BTreeSet;

use tracewarden::domain::rules::catalogue::RULES;

use crate::source::code_files;

/// Of the Protobuf contracts.
const COMPILED: &str = include_str!(concat!(env!("OUT_DIR"), "/field-numbers.txt"));

#[test]
fn every_field_of_the_contracts_has_its_number_still() {
    hold("proto/field-numbers.txt", COMPILED);
}

#[test]
fn every_field_of_the_log_and_the_stores_has_its_number_still() {
    let mut lines = String::new();
    for file in code_files(&["src/wire"]).iter().filter(|file| !file.name.ends_with("/tests.rs")) {
        let openings = ["alternatives", "structures", "sequences"].map(|name| format!("\n{name}! {{"));
        for list in openings.iter().flat_map(|opening| file.text.split(opening.as_str()).skip(1)) {
            let list = list.split("\n}").next().unwrap_or_default();
            numbers_in(list).iter().for_each(|line| lines.push_str(line));
        }
    }
    RULES.iter().for_each(|entry| lines.push_str(&format!("Rule.{} = {}\n", entry.name, entry.number)));
    assert!(lines.contains("Observation.fund_amount = "), "the lists are not found where they were");
    let mut taken = BTreeSet::new();
    for (owner, rest) in lines.lines().filter_map(|line| line.split_once('.')) {
        let number = rest.rsplit(' ').next().unwrap_or_default();
        assert!(taken.insert((owner, number)), "{owner} has the number {number} twice");
    }
    hold("src/wire/form/numbers.txt", &lines);
}

/// `Name { 0 field, 1 field }`: one line for each.
fn numbers_in(list: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut owner = "";
    let mut number = None;
    let is_part = |c: char| !c.is_alphanumeric() && c != '_';
    let without_comments: Vec<&str> = list.lines().filter(|line| !line.trim().starts_with("//")).collect();
    let mut depth = 0;
    for piece in without_comments.join(" ").split_inclusive(['{', '}', ',', ' ']) {
        let word = piece.trim_matches(is_part);
        match number.take() {
            Some(number) if !word.is_empty() => numbers.push(format!("{owner}.{word} = {number}\n")),
            _ if depth == 0 && word.starts_with(char::is_uppercase) => owner = word,
            _ if depth == 1 && word.parse::<u8>().is_ok() => number = Some(word),
            _ => {}
        }
        depth += piece.matches('{').count();
        depth -= piece.matches('}').count();
    }
    numbers
}

fn hold(path: &str, found: &str) {
    let mut found: Vec<&str> = found.lines().collect();
    found.sort_unstable();
    if std::env::var_os("UPDATE_FIELD_NUMBERS").is_some() {
        std::fs::write(path, found.join("\n") + "\n").unwrap();
    }
    let found: BTreeSet<&str> = found.into_iter().collect();
    let listed = std::fs::read_to_string(path).unwrap();
    let listed: BTreeSet<&str> = listed.lines().collect();
    let broken: Vec<&&str> = listed.difference(&found).collect();
    assert!(broken.is_empty(), "changed or gone, which makes old records unreadable: {broken:#?}");
    let unlisted: Vec<&&str> = found.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "new fields are not protected yet; run this test with UPDATE_FIELD_NUMBERS=1: {unlisted:#?}"
    );
}
