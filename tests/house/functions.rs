//! No function is too long to be held in the head.

use crate::source::{SourceFile, code_files};

/// Longest function, from its signature to its closing brace.
const LINES_MAX: usize = 75;

/// Longer ones that there are, with their length: none may grow, and none may stand here once it is short enough.
const LONGER: &[(&str, &str, usize)] = &[];

#[test]
fn no_function_is_too_long_to_read() {
    let mut longer = Vec::new();
    for file in code_files(&["src", "tests", "benches", "proto"]) {
        let long = functions(&file).into_iter().filter(|(_, lines)| *lines > LINES_MAX);
        longer.extend(long.map(|(name, lines)| (file.name.clone(), name, lines)));
    }
    for (file, name, lines) in &longer {
        let listed = LONGER.iter().find(|row| row.0 == file && row.1 == name);
        let lines_max = listed.map_or(LINES_MAX, |row| row.2);
        assert!(*lines <= lines_max, "{file}: {name} has {lines} lines; part it, {lines_max} are enough");
    }
    for (file, name, _) in LONGER {
        let is_needed = longer.iter().any(|row| row.0 == *file && row.1 == *name);
        assert!(is_needed, "{file}: {name} is short enough; take it off the list");
    }
}

/// Every function of a file that rustfmt has put in form, with the number of its lines.
fn functions(file: &SourceFile) -> Vec<(String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let length = |start: usize| {
        let indent = lines[start].len() - lines[start].trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| {
            line.starts_with(&closing) || (line.ends_with(';') || line.ends_with('}')) && line.contains("fn ")
        });
        end.map_or(0, |end| end + 1)
    };
    let named = lines.iter().enumerate().filter_map(|(index, line)| Some((index, function_name(line)?)));
    named.map(|(start, name)| (name, length(start))).collect()
}

/// The name of the function whose signature begins on a line.
fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let is_signature = before
        .split_whitespace()
        .all(|word| word.starts_with("pub") || ["const", "async", "in", "unsafe"].contains(&word));
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (is_signature && !name.is_empty()).then_some(name)
}

#[test]
fn functions_are_seen_with_their_length() {
    let text = "fn short() {}\n\nimpl X {\n    pub(crate) fn long(\n        a: u8,\n    ) {\n        if a {\n        }\n    }\n}\n";
    let file = SourceFile { name: "a.rs".into(), text: text.into() };
    assert_eq!(functions(&file), [("short".to_owned(), 1), ("long".to_owned(), 6)]);
    assert_eq!(function_name("// a fn of x"), None);
    assert_eq!(function_name("let f = |x| fn_of(x);"), None);
}
