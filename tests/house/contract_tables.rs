//! The tables of `proto/README.md` are made from what the code and the contract say: kinds, fields, messages.
//!
//! They are written anew with `TRACEWARDEN_WRITE_GENERATED=1`.

use std::fmt::Write as _;
use std::fs;

use tracewarden::domain::document::{Kind, Role};
use tracewarden::wire::inbound::nhsa::messages::{MESSAGES, MessageKind};

use crate::source::root;

const PAGE: &str = "proto/README.md";

#[test]
fn the_contract_page_has_every_kind_field_and_message() {
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let contract = fs::read_to_string(root().join("proto/tracewarden/v1/upload.proto")).unwrap();
    let mut made = page.clone();
    for (name, table) in [("kinds", kinds()), ("fields", fields(&contract)), ("messages", messages())] {
        made = with_table(&made, name, &table);
    }
    if std::env::var_os("TRACEWARDEN_WRITE_GENERATED").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == made,
        "{PAGE} is out of date; run this test with TRACEWARDEN_WRITE_GENERATED=1"
    );
}

#[test]
fn the_reader_of_the_contract_sees_nested_fields_and_the_whole_of_a_comment() {
    let contract = "message Upload {\n  // One.\n  // Two | three.\n  string a = 1;\n  repeated Line lines = 2;\n  \
                    message Line {\n    optional bool split = 5;\n  }\n}\n";
    let expected = [
        ("a".to_owned(), "One. Two \\| three.".to_owned()),
        ("lines".to_owned(), String::new()),
        ("lines[].split".to_owned(), String::new()),
    ];
    assert_eq!(fields_in(contract), expected);
}

/// The page with what stands between the two marks of a table replaced.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- table: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{PAGE} has no `{begin}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{PAGE} has no `{end}`"));
    format!("{before}{begin}\n{table}\n{end}{after}")
}

fn kinds() -> String {
    let mut table = String::from("| `kind` | topic | says |\n|---|---|---|\n");
    for kind in Kind::ALL {
        let says = match kind.role() {
            Some(Role::StockIn) => "stock in",
            Some(Role::StockOut) => "stock out",
            Some(Role::Dispensing) => "a hand-over",
            Some(Role::Return) => "a return",
            Some(Role::Settlement) => "a claim",
            None => "kept as evidence only",
        };
        let _ = writeln!(table, "| `{}` | {} | {says} |", kind.name(), kind.group().name());
    }
    for (kind, topic, says) in [
        ("reversal", "that of its target", "takes a document or a line back"),
        ("ruling", "handling", "what a person decided about a claim"),
        ("payment", "handling", "what was paid for a claim, or came back"),
    ] {
        let _ = writeln!(table, "| `{kind}` | {topic} | {says} |");
    }
    table
}

fn fields(contract: &str) -> String {
    let fields = fields_in(contract);
    assert!(fields.len() > 60, "fields were not found: {fields:?}");
    let mut table = String::from("| field | says |\n|---|---|\n");
    for (field, says) in fields {
        let _ = writeln!(table, "| `{field}` | {says} |");
    }
    table
}

/// Every field of the message `Upload` and of what is inside it, by its path in JSON, with what stands above it.
fn fields_in(contract: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    let mut says: Vec<&str> = Vec::new();
    for line in contract.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//") {
            says.push(comment.trim());
        } else if let Some(name) = line.strip_prefix("message ") {
            let name = name.trim_end_matches([' ', '{']);
            let within = fields.iter().find(|(_, typed)| typed.starts_with(&format!("{name}\t")));
            inside.push(within.map(|(path, _)| format!("{path}.")).unwrap_or_default());
            says.clear();
        } else if line == "}" {
            inside.pop();
        } else if let (Some((declared, _)), false) = (line.split_once(" = "), inside.is_empty()) {
            let mut words = declared.split(' ').rev();
            let (name, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let is_list = words.next() == Some("repeated") && kind.starts_with(char::is_uppercase);
            let place = inside.last().cloned().unwrap_or_default();
            let list = if is_list { "[]" } else { "" };
            fields.push((format!("{place}{name}{list}"), format!("{kind}\t{}", says.join(" "))));
            says.clear();
        } else {
            says.clear();
        }
    }
    let told = |(path, typed): (String, String)| {
        let says = typed.split_once('\t').map(|(_, says)| says.replace('|', "\\|")).unwrap_or_default();
        (path.strip_suffix("[]").map(str::to_owned).unwrap_or(path), says)
    };
    fields.into_iter().map(told).collect()
}

fn messages() -> String {
    let mut table = String::from("| message | 名称 | topic | what becomes of it |\n|---|---|---|---|\n");
    for MessageKind { numbers, name, becomes, topic, .. } in &MESSAGES {
        let numbers = match (numbers.start(), numbers.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}–{last}"),
        };
        let _ = writeln!(table, "| {numbers} | {name} | {} | {becomes} |", topic.name());
    }
    table
}
