//! The page for whoever changes something: every file that it names is there, and it is found from where one looks first.

use std::collections::BTreeSet;

use crate::source::{SourceFile, root};

const PAGE: &str = "CONTRIBUTING.md";

/// What the page must tell.
const SUBJECTS: [&str; 8] = [
    "a rule",
    "a message of the national interface",
    "a canonical field",
    "a field of an observation",
    "a stage",
    "a metric",
    "an option",
    "a page that people read",
];

#[test]
fn the_page_names_files_that_exist_and_tells_every_change() {
    let page = SourceFile::read(PAGE).expect("there is the page").text;
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let subjects: BTreeSet<&str> =
        rows.iter().filter_map(|row| row.split('|').nth(1)).map(str::trim).collect();
    for subject in SUBJECTS {
        assert!(subjects.contains(subject), "{PAGE} does not tell how {subject} is changed");
    }
    let quoted = |row: &&str| row.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    for row in
        rows.iter().filter(|row| SUBJECTS.iter().any(|subject| row.starts_with(&format!("| {subject} "))))
    {
        assert!(quoted(row).iter().any(|word| is_path(word)), "{PAGE} names no file in: {row}");
    }
    let gone: BTreeSet<String> =
        rows.iter().flat_map(quoted).filter(|word| is_path(word) && !root().join(word).exists()).collect();
    assert!(gone.is_empty(), "{PAGE} names what is not there: {gone:?}");
}

#[test]
fn the_page_is_found_from_where_one_looks_first() {
    for place in ["README.md", "README.zh-CN.md", "src/lib.rs"] {
        let text = SourceFile::read(place).expect("it is there").text;
        assert!(text.contains(PAGE), "{place} does not name {PAGE}");
    }
}

fn is_path(word: &str) -> bool {
    word.contains('/') && !word.contains(' ')
}
