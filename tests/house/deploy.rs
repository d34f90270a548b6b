//! What stands in deploy/ and the READMEs exists: every option, metric, alarm, file and command that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tracewarden::config::Config;
use tracewarden::config::options::{self, SECTIONS};
use tracewarden::domain::alert::FINDINGS_KEPT_MAX;
use tracewarden::domain::document::live::{CODES_MAX, LINES_MAX};
use tracewarden::domain::document::room::PARTS_KEPT_MAX;
use tracewarden::domain::finding::EVIDENCE_MAX;
use tracewarden::domain::timeline::{OBSERVATIONS_KEPT_MAX, OBSERVATIONS_WALKED_MAX};
use tracewarden::present::figures::grouped;
use tracewarden::telemetry::limit::Limit;
use tracewarden::telemetry::metric::{Kind, Metric};
use tracewarden::telemetry::metrics::declarations;

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let dashboard: Value = serde_json::from_str(&read("deploy/dashboard.json")).unwrap();
    let mut shown = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{} shows nothing", panel["title"]);
        for target in targets {
            shown.extend(metrics_in(target["expr"].as_str().unwrap()));
        }
    }
    let declared: BTreeSet<_> = declarations().map(|metric| metric.name).collect();
    assert_eq!(shown, declared);
}

#[test]
fn alarms_use_declared_metrics_and_are_explained() {
    let alarms = yaml("deploy/alarms.yaml");
    let guide = read("deploy/README.md");
    let rules = alarms["groups"][0]["rules"].as_array().unwrap();
    let mut names = BTreeSet::new();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands there twice");
        let expr = rule["expr"].as_str().unwrap();
        let watched = metrics_in(expr);
        assert!(!watched.is_empty() || expr.contains("up{"), "{name} watches nothing");
        assert!(rule["annotations"]["summary"].is_string(), "{name} has no summary");
        assert!(
            guide.contains(&format!("\n### {name}\n")),
            "deploy/README.md does not say what to do for {name}"
        );
    }
    let explained = guide.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(explained, names.len(), "deploy/README.md explains alarms that do not exist");
}

/// Every limit that the code counts, and every fixed bound, stands in the table of limits.
#[test]
fn the_guide_names_every_limit() {
    let guide = read("deploy/README.md");
    let table = guide.split("\n## Limits\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let named: BTreeSet<&str> =
        table.split("limit `").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert_eq!(named, Limit::ALL.iter().map(|limit| limit.name()).collect());
    for bound in [
        OBSERVATIONS_WALKED_MAX,
        OBSERVATIONS_KEPT_MAX,
        LINES_MAX,
        CODES_MAX,
        PARTS_KEPT_MAX,
        FINDINGS_KEPT_MAX,
        EVIDENCE_MAX,
    ] {
        assert!(table.contains(&format!("{} ", grouped(bound as u64))), "{bound} is not there");
    }
    for word in words(table).filter(|word| word.starts_with("tracewarden_")) {
        assert!(declarations().any(|metric| metric.name == word), "there is no {word}");
    }
}

#[test]
fn compose_uses_options_services_and_files_that_exist() {
    let compose = yaml("deploy/compose.yaml");
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for (variable, value) in service["environment"].as_object().unwrap() {
            if variable.starts_with("TRACEWARDEN_") {
                variable_is_an_option(variable, value.as_str().unwrap());
            }
        }
        if let Some(needed) = service["depends_on"].as_object() {
            for other in needed.keys() {
                assert!(services.contains_key(other), "{name} depends on {other}, which is not there");
            }
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            assert!(compose["secrets"][secret.as_str().unwrap()].is_object(), "{name}: {secret}");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let exists = match source.strip_prefix("../") {
                Some(path) => root().join(path).exists(),
                None => compose["volumes"].as_object().unwrap().contains_key(source),
            };
            assert!(exists, "{name}: {source} is not there");
        }
    }
    let build = &services["tracewarden"]["build"];
    assert!(root().join("deploy").join(build["context"].as_str().unwrap()).join("Cargo.toml").exists());
    assert!(root().join(build["dockerfile"].as_str().unwrap()).exists());
}

#[test]
fn the_unit_sets_options_that_exist() {
    let unit = read("deploy/tracewarden.service");
    let variables: Vec<_> = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="))
        .map(|line| line.split_once('=').unwrap())
        .collect();
    assert!(!variables.is_empty());
    for (variable, value) in variables {
        variable_is_an_option(variable, value);
    }
    for needed in
        ["NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes", "RestartPreventExitStatus=64"]
    {
        assert!(unit.lines().any(|line| line == needed), "{needed} is missing");
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular() {
    let image = read("deploy/Dockerfile");
    let last_stage = image.rsplit_once("\nFROM ").unwrap().1;
    assert!(last_stage.lines().any(|line| line == "USER 10001"));
    assert!(image.contains("--locked"));
}

#[test]
fn guides_name_options_that_exist() {
    for page in ["deploy/README.md", "README.md", "README.zh-CN.md"] {
        let text = read(page);
        let spans = text.split('`').skip(1).step_by(2);
        for span in spans {
            let Some((section, key)) = span.split_once('.') else { continue };
            if !SECTIONS.iter().any(|entry| entry.name == section) {
                continue;
            }
            let entry = SECTIONS.iter().find(|entry| entry.name == section).unwrap();
            let exists = match key.split_once('*') {
                Some((start, end)) => entry
                    .options
                    .iter()
                    .any(|option| option.key.starts_with(start) && option.key.ends_with(end)),
                None => options::find(section, key).is_some(),
            };
            assert!(exists, "{page}: {span} is no option");
        }
        for variable in words(&text).filter(|word| word.starts_with("TRACEWARDEN_")) {
            assert!(is_variable(variable), "{page}: {variable} is no option");
        }
    }
}

#[test]
fn guides_link_and_use_files_that_exist() {
    for (page, folder) in [("README.md", ""), ("README.zh-CN.md", ""), ("deploy/README.md", "deploy/")] {
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(root().join(folder).join(link).exists(), "{page} links {link}");
        }
        let paths = text.split([' ', '\n', '`', '(']).filter(|word| {
            ["tests/", "deploy/"].iter().any(|start| word.starts_with(start))
                && !word.ends_with("pseudonym-key")
        });
        for path in paths {
            assert!(root().join(path.trim_end_matches([')', ',', '.'])).exists(), "{page} names {path}");
        }
    }
}

#[test]
fn both_readmes_have_the_same_commands() {
    let commands = |page: &str| -> Vec<String> {
        let text = read(page);
        let lines = text.lines().filter(|line| {
            ["cargo ", "deploy/", "docker ", "openssl ", "export "]
                .iter()
                .any(|start| line.starts_with(start))
        });
        lines.map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect()
    };
    let english = commands("README.md");
    assert!(english.len() > 10);
    assert_eq!(english, commands("README.zh-CN.md"));
}

/// The metrics that a query names; each must be declared, and each label in braces must be one of its labels.
fn metrics_in(query: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for word in words(query).filter(|word| word.starts_with("tracewarden_")) {
        let metric = declared(word).unwrap_or_else(|| panic!("{word} is not declared ({query})"));
        for selector in query.split(word).skip(1).filter_map(|rest| rest.strip_prefix('{')) {
            let label = selector.split(['=', '!']).next().unwrap();
            assert!(metric.labels.contains(&label), "{word} has no label {label}");
        }
        found.insert(metric.name);
    }
    found
}

fn declared(name: &str) -> Option<&'static Metric> {
    declarations().find(|metric| match metric.kind {
        Kind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| name.strip_suffix(end) == Some(metric.name))
        }
        _ => metric.name == name,
    })
}

/// The variable is one (or an allocator's), and its value passes (or fails only because a file is not on this machine).
fn variable_is_an_option(variable: &str, value: &str) {
    if ["MALLOC_ARENA_MAX", "MIMALLOC_PURGE_DELAY"].contains(&variable) {
        return;
    }
    assert!(is_variable(variable), "{variable} is no option");
    if let Err(error) = Config::read("", "test", [(variable.to_owned(), value.to_owned())]) {
        assert!(error.to_string().contains("cannot read"), "{variable}={value}: {error}");
    }
}

fn is_variable(variable: &str) -> bool {
    let mut entries =
        SECTIONS.iter().flat_map(|section| section.options.iter().map(move |entry| (section, entry)));
    entries.any(|(section, entry)| entry.variable(section).as_deref() == Some(variable))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn yaml(path: &str) -> Value {
    let mut value: serde_yaml_ng::Value = serde_yaml_ng::from_str(&read(path)).unwrap();
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
