//! Every file is used: code hangs on a module tree, anything else is named by what uses it.

use std::collections::BTreeSet;

use crate::source::{SourceFile, code_files, text_files};

/// Where compilation begins; test binaries and benches are found by their place.
const ROOTS: [&str; 5] = [
    "src/lib.rs",
    "src/main.rs",
    "proto/build.rs",
    "tests/oracle/src/lib.rs",
    "tests/oracle/tests/oracle.rs",
];

#[test]
fn every_file_of_code_is_a_module_of_something() {
    let files = code_files(&["src", "tests", "benches", "proto"]);
    let is_root = |name: &str| {
        let parts: Vec<&str> = name.split('/').collect();
        ROOTS.contains(&name)
            || matches!(parts[..], ["benches", _])
            || matches!(parts[..], ["tests", _, "main.rs"])
    };
    let roots: BTreeSet<String> =
        files.iter().map(|file| file.name.clone()).filter(|name| is_root(name)).collect();
    let mut reached = roots.clone();
    let mut waiting: Vec<String> = roots.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        let Some(file) = files.iter().find(|file| file.name == name) else { continue };
        let modules = modules(file, roots.contains(&name));
        waiting.extend(modules.into_iter().filter(|module| reached.insert(module.clone())));
    }
    let dead: Vec<&str> =
        files.iter().map(|file| file.name.as_str()).filter(|name| !reached.contains(*name)).collect();
    assert!(dead.is_empty(), "no module names these: {dead:?}");
}

/// Where the modules that a file declares may lie.
fn modules(file: &SourceFile, is_root: bool) -> Vec<String> {
    let (folder, own) = file.name.rsplit_once('/').unwrap_or(("", &file.name));
    let home = match own.trim_end_matches(".rs") {
        "mod" => folder.to_owned(),
        _ if is_root => folder.to_owned(),
        stem => format!("{folder}/{stem}"),
    };
    let mut places = Vec::new();
    let mut path_of_next = None;
    for line in file.text.lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            path_of_next = Some(joined(folder, path));
        } else if let Some(name) = declared(line) {
            match path_of_next.take() {
                Some(path) => places.push(path),
                None => places.extend([format!("{home}/{name}.rs"), format!("{home}/{name}/mod.rs")]),
            }
        }
    }
    places
}

/// The module that a line declares in another file.
fn declared(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let is_declaration = before.is_empty() || before.starts_with("pub");
    after.strip_suffix(';').filter(|_| is_declaration)
}

fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_other_file_is_named_by_what_uses_it() {
    let endings = ["md", "toml", "yaml", "yml", "json", "txt", "svg", "html", "xml", "service", "proto"];
    let others = text_files(&["src", "deploy", "proto", "benches", "tests/support", ".ci"], &endings);
    let mut readers = code_files(&["src", "tests", "benches", "proto"]);
    readers.extend(text_files(&["deploy", "proto", "benches", ".ci"], &endings));
    readers.extend(text_files(&["deploy", ".ci"], &["Dockerfile", "dockerignore", "kafka-local", "run"]));
    readers.extend(["README.md", "README.zh-CN.md", "Cargo.toml"].into_iter().filter_map(SourceFile::read));
    // Compiled by folder, and used by package.
    let is_compiled = |name: &str| name.starts_with("proto/tracewarden/");
    let unnamed: Vec<&str> = others
        .iter()
        .filter(|file| !is_compiled(&file.name))
        .filter(|file| {
            let own = file.name.rsplit('/').next().unwrap_or(&file.name);
            !readers.iter().any(|reader| reader.name != file.name && reader.text.contains(own))
        })
        .map(|file| file.name.as_str())
        .collect();
    assert!(unnamed.is_empty(), "nothing names these: {unnamed:?}");
}
