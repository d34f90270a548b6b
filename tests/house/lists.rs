//! What is written down twice is held together by a test: here stands which list by which.

use crate::source::{SourceFile, code_files};

/// What is listed, the files where it stands, and the test that compares them: its file and its name.
const TIED: &[(&str, &[&str], (&str, &str))] = &[
    (
        "metrics on the dashboard",
        &["src/telemetry/metrics.rs", "deploy/dashboard.json"],
        ("tests/house/deploy.rs", "the_dashboard_shows_every_metric_and_no_other"),
    ),
    (
        "alarms and what to do for them",
        &["deploy/alarms.yaml", "deploy/README.md"],
        ("tests/house/deploy.rs", "alarms_use_declared_metrics_and_are_explained"),
    ),
    (
        "limits",
        &["src/telemetry/limit.rs", "deploy/README.md"],
        ("tests/house/deploy.rs", "the_guide_names_every_limit"),
    ),
    (
        "options of the configuration",
        &["src/config/options.rs", "deploy/tracewarden.example.toml"],
        ("src/config/tests.rs", "the_example_holds_every_default_and_every_option"),
    ),
    (
        "commands",
        &["src/commands/mod.rs", "README.md", "README.zh-CN.md", "deploy/README.md"],
        ("tests/house/documented_commands.rs", "every_command_shown_exists"),
    ),
    (
        "field numbers",
        &["proto/build.rs", "proto/field-numbers.txt"],
        ("tests/house/field_numbers.rs", "every_field_of_the_contracts_has_its_number_still"),
    ),
    (
        "numbers of what the log and the stores hold",
        &["src/wire/form/mod.rs", "src/wire/form/numbers.txt"],
        ("tests/house/field_numbers.rs", "every_field_of_the_log_and_the_stores_has_its_number_still"),
    ),
    (
        "kinds, fields and messages of uploads",
        &["proto/tracewarden/v1/upload.proto", "src/wire/inbound/nhsa/messages.rs", "proto/README.md"],
        ("tests/house/contract_tables.rs", "the_contract_page_has_every_kind_field_and_message"),
    ),
    (
        "parameters of a simulated province",
        &["src/sim/parameters.rs", "src/sim/province.example.toml"],
        ("src/sim/parameters.rs", "the_example_has_every_parameter_with_its_default"),
    ),
    (
        "classes of failure",
        &["tests/kafka/chaos/mod.rs"],
        ("tests/house/tidy.rs", "every_class_of_failure_has_its_test"),
    ),
];

#[test]
fn every_list_that_stands_twice_is_tied_by_a_test_that_is_there() {
    let code = code_files(&["src", "tests"]);
    for (what, places, (file, test)) in TIED {
        for place in *places {
            assert!(SourceFile::read(place).is_some(), "{what}: there is no {place}");
        }
        let home = code.iter().find(|code| code.name == *file);
        let home = home.unwrap_or_else(|| panic!("{what}: there is no {file}"));
        let test = format!("#[test]\n    fn {test}(");
        let is_there = home.text.contains(&test) || home.text.contains(&test.replace("\n    ", "\n"));
        assert!(is_there, "{what}: {file} has no such {test}");
    }
}
