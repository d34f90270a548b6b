//! Which folder of the source may use which, and that the domain is pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::source::{code_files, mentions, root};

/// What each layer uses of ours besides itself: no more is allowed, and nothing stands here that is not needed.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("present", &["domain"]),
    ("wire", &["domain", "present"]),
    ("broker", &[]),
    ("store", &[]),
    ("config", &["domain", "wire"]),
    ("telemetry", &["domain", "config"]),
    ("engine", &["domain", "wire", "broker", "store", "telemetry"]),
    ("pipeline", &["domain", "wire", "broker", "store", "telemetry", "engine"]),
    ("run", &["domain", "wire", "broker", "store", "config", "telemetry", "engine", "pipeline"]),
    ("sim", &["domain", "wire"]),
    ("evaluate", &["domain", "present", "wire", "sim"]),
    (
        "commands",
        &[
            "domain",
            "present",
            "wire",
            "broker",
            "store",
            "config",
            "telemetry",
            "pipeline",
            "run",
            "sim",
            "evaluate",
        ],
    ),
    ("main", &[]),
    ("lib", &[]),
];

#[test]
fn layers_use_what_is_below_them_and_have_no_permission_beyond() {
    let mut used: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for file in code_files(&["src"]) {
        let uses = used.entry(file.layer()).or_default();
        for (number, line) in file.code_lines() {
            for name in used_modules(line).into_iter().filter(|name| *name != file.layer()) {
                uses.entry(name).or_insert_with(|| format!("{}:{number}", file.name));
            }
        }
    }
    let mut faults = Vec::new();
    let listed: BTreeSet<&str> = LAYERS.iter().map(|(layer, _)| *layer).collect();
    let there: BTreeSet<&str> = used.keys().map(String::as_str).collect();
    assert_eq!(listed, there, "the table names the folders of src, each once");
    for (layer, allowed) in LAYERS {
        let uses = &used[*layer];
        for (name, place) in uses.iter().filter(|(name, _)| !allowed.contains(&name.as_str())) {
            faults.push(format!("{place}: {layer} must not use {name}"));
        }
        for name in allowed.iter().filter(|name| !uses.contains_key(**name)) {
            faults.push(format!("{layer} does not use {name}: take the permission away"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What the engine may know of what it carries: time, texts, and the entries that are its own.
const ENGINE_KNOWS: [&str; 5] =
    ["domain::Text", "domain::time", "wire::WireError", "wire::entries", "wire::form::Writer"];

#[test]
fn the_engine_knows_nothing_of_codes() {
    let mut faults = Vec::new();
    for file in code_files(&["src/engine"]) {
        for (number, line) in file.code_lines() {
            for layer in ["domain", "wire"] {
                let used = line.matches(&format!("crate::{layer}")).count();
                let known = ENGINE_KNOWS.iter().map(|path| line.matches(&format!("crate::{path}")).count());
                if used > known.sum() {
                    faults.push(format!("{}:{number}: {line}", file.name));
                }
            }
            for body in ["DocumentEntry", "ClaimEntry", "CodeChange"] {
                if mentions(line, body) {
                    faults.push(format!("{}:{number}: the engine must not know {body}", file.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The one dependency of the domain, and where it is named.
const TEXTS: (&str, &str) = ("smol_str", "src/domain/text.rs");

#[test]
fn the_domain_uses_std_and_its_type_of_texts_only_and_is_pure() {
    let dependencies = dependencies();
    assert!(dependencies.iter().any(|name| name == "serde"), "dependencies were not found");
    let impure = ["SystemTime", "Instant::now", "rand::", "std::fs", "std::env", "std::net"];
    let mut faults = Vec::new();
    for file in code_files(&["src/domain"]) {
        for (number, line) in file.code_lines() {
            let crates = dependencies.iter().filter(|name| mentions(line, &format!("{name}::")));
            let crates = crates.filter(|name| (name.as_str(), &*file.name) != TEXTS);
            let calls = impure.iter().filter(|call| mentions(line, call));
            for used in crates.map(String::as_str).chain(calls.copied()) {
                faults.push(format!("{}:{number}: the domain must not use {used}", file.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Our top-level modules that a line of code names.
fn used_modules(line: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (start, _) in line.match_indices("crate::") {
        let rest = &line[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split_once('}').map_or(group, |(group, _)| group);
                used.extend(group.split(',').map(|part| leading_name(part.trim())));
            }
            None => used.push(leading_name(rest)),
        }
    }
    used
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Names of the package's own dependencies, as they stand in code.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

#[test]
fn modules_of_ours_are_seen_in_code() {
    assert_eq!(used_modules("use crate::wire::entries::Tick;"), ["wire"]);
    assert_eq!(used_modules("use crate::{domain::Text, engine};"), ["domain", "engine"]);
    assert_eq!(used_modules("let x: Vec<crate::store::Entry> = crate::broker::x();"), ["store", "broker"]);
    assert_eq!(used_modules("pub(crate) fn f() {}"), [""; 0]);
}
