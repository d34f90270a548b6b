//! Behaviour of the configuration as an operator sees it.

use super::options::{SECTIONS, Takes};
use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::read(text, "test.toml", [])
}

fn read_with(text: &str, variable: &str, value: &str) -> Result<Config, ConfigError> {
    Config::read(text, "test.toml", [(variable.to_owned(), value.to_owned())])
}

const HEX_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn the_example_holds_every_default_and_every_option() {
    let example = Config::example();
    assert_eq!(read(&example).unwrap(), Config::default());
    for section in SECTIONS {
        for entry in section.options {
            assert!(example.contains(&format!("{} = ", entry.key)), "{} is missing", entry.key);
        }
    }
}

#[test]
fn the_example_is_the_file_for_deployment() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/tracewarden.example.toml");
    if std::env::var_os("TRACEWARDEN_WRITE_GENERATED").is_some() {
        std::fs::write(&path, Config::example()).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert!(
        checked_in == Config::example(),
        "deploy/tracewarden.example.toml is not what `tracewarden config example` prints; run this test with \
         TRACEWARDEN_WRITE_GENERATED=1"
    );
}

#[test]
fn samples_of_options_without_default_can_be_used() {
    let key = format!("\"{HEX_KEY}\"");
    for section in SECTIONS {
        for entry in section.options {
            let Some(sample) = entry.sample else { continue };
            let sample = if entry.takes == Takes::Secret { key.as_str() } else { sample };
            // Snapshots are of state on disk.
            let beside =
                if entry.key == "snapshot_url" { "kind = \"disk\"\npath = \"/state\"\n" } else { "" };
            let result = read(&format!("[{}]\n{beside}{} = {sample}\n", section.name, entry.key));
            // A sample of a file need not exist here.
            let is_missing_file =
                matches!(&result, Err(ConfigError::Field { problem, .. }) if problem.contains("cannot read"));
            assert!(
                result.is_ok() || entry.takes == Takes::Path && is_missing_file,
                "{}: {result:?}",
                entry.key
            );
        }
    }
}

#[test]
fn the_table_of_options_and_the_tree_agree() {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    for (name, section) in &defaults {
        for key in section.as_table().unwrap().keys() {
            assert!(options::find(name, key).is_some(), "{name}.{key} is not documented");
        }
    }
    for section in SECTIONS {
        for entry in section.options {
            let has_default = defaults[section.name].get(entry.key).is_some();
            assert_ne!(has_default, entry.sample.is_some(), "{}.{}", section.name, entry.key);
        }
    }
}

#[test]
fn every_refusal_names_the_field_the_problem_and_the_remedy() {
    let cases: &[(&str, &str)] = &[
        (
            "[kafka]\npartitions = 0",
            "kafka.partitions (test.toml): 0 is out of range; give a whole number between 1 and 1024",
        ),
        (
            "[kafka]\npartitions = \"many\"",
            "kafka.partitions (test.toml): it has the wrong type, string; give a whole number between 1 and 1024",
        ),
        (
            "[kafka]\npartition = 4",
            "kafka.partition (test.toml): there is no such option; did you mean partitions?",
        ),
        ("[kafak]", "kafak (test.toml): there is no such section; did you mean kafka?"),
        ("kafka = 1", "kafka (test.toml): it is a section, not a value; write it as a section: [kafka]"),
        (
            "[output]\nformat = \"xml\"",
            "output.format (test.toml): \"xml\" is none of its values; give one of \"json\", \"protobuf\"",
        ),
        (
            "[http]\nlisten = \"localhost\"",
            "http.listen (test.toml): \"localhost\" is no address and port; give an IP address and port such as \
             \"127.0.0.1:9464\", or \"off\"",
        ),
        (
            "[kafka]\ntopic_prefix = \"追溯\"",
            "kafka.topic_prefix (test.toml): the character '追' is not allowed in names of topics and groups; give \
             a text of 1 to 100 letters, digits, '.', '_' or '-'",
        ),
        (
            "[kafka]\nbootstrap_servers = \" \"",
            "kafka.bootstrap_servers (test.toml): it is empty; give a text in quotes",
        ),
        (
            "[kafka.settings]\n\"enable.auto.commit\" = true",
            "kafka.settings (test.toml): \"enable.auto.commit\" cannot be set here: offsets are committed with the \
             outputs, in one transaction; give librdkafka settings such as { \"security.protocol\" = \"SASL_SSL\" } \
             without this one",
        ),
        (
            "[stage]\nbatch_records_max = ",
            "test.toml, line 2, column 21: not valid TOML: string values must be quoted, expected literal string; \
             `tracewarden config example` prints a file to start from",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(&read(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn the_environment_overrides_the_file_and_is_named_when_wrong() {
    let file = "[kafka]\nbootstrap_servers = \"file:9092\"\npartitions = 4";
    let config = read_with(file, "TRACEWARDEN_KAFKA_BOOTSTRAP_SERVERS", "environment:9092").unwrap();
    assert_eq!((config.kafka.bootstrap_servers.as_str(), config.kafka.partitions), ("environment:9092", 4));
    assert!(
        read_with("", "TRACEWARDEN_INTAKE_ALLOW_EMPTY_REFERENCE", "true")
            .unwrap()
            .intake
            .allow_empty_reference
    );
    assert_eq!(read_with("", "TRACEWARDEN_HTTP_LISTEN", "off").unwrap().http.listen, None);

    let wrong = read_with(file, "TRACEWARDEN_KAFKA_PARTITIONS", "9999").unwrap_err().to_string();
    assert!(
        wrong.starts_with("kafka.partitions (environment variable TRACEWARDEN_KAFKA_PARTITIONS): 9999"),
        "{wrong}"
    );
    let wrong = read_with(file, "TRACEWARDEN_KAFKA_PARTITIONS", "four").unwrap_err().to_string();
    assert!(wrong.contains("\"four\" is no whole number"), "{wrong}");
    let wrong = read_with("", "TRACEWARDEN_KAFKA_PARTITION", "4").unwrap_err().to_string();
    assert!(wrong.contains("did you mean TRACEWARDEN_KAFKA_PARTITIONS?"), "{wrong}");
}

#[test]
fn variables_that_are_none_of_ours_are_passed_over() {
    for variable in [
        "TRACEWARDEN_SERVICE_HOST",
        "TRACEWARDEN_KAFKA_PORT_9092_TCP_ADDR",
        "TRACEWARDEN_HTTP_SERVICE_PORT",
        "TRACEWARDEN_WRITE_GENERATED",
        "KAFKA_PARTITIONS",
    ] {
        assert_eq!(read_with("", variable, "x").unwrap(), Config::default(), "{variable}");
    }
}

#[test]
fn a_pseudonym_key_is_read_from_hexadecimal_base64_or_a_file() {
    let bytes: Vec<u8> = (0..32).collect();
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for text in [HEX_KEY, base64, base64.trim_end_matches('=')] {
        let config = read(&format!("[intake]\npseudonym_key = \"{text}\"")).unwrap();
        assert_eq!(config.require_pseudonym_key().unwrap().bytes(), bytes, "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{HEX_KEY}\n")).unwrap();
    let config = read(&format!("[intake]\npseudonym_key_file = {path:?}")).unwrap();
    assert_eq!(config.require_pseudonym_key().unwrap().bytes(), bytes);

    let both = format!("[intake]\npseudonym_key_file = {path:?}\npseudonym_key = \"{HEX_KEY}\"");
    assert!(read(&both).unwrap_err().to_string().contains("only one can hold"));
    let missing = "[intake]\npseudonym_key_file = \"/nonexistent/key\"";
    let problem = read(missing).unwrap_err().to_string();
    assert!(
        problem.starts_with("intake.pseudonym_key_file (test.toml): cannot read /nonexistent/key"),
        "{problem}"
    );
    assert!(
        Config::default().require_pseudonym_key().unwrap_err().to_string().contains("openssl rand -hex 32")
    );
}

#[test]
fn a_bad_key_is_refused_without_being_shown() {
    for bad in ["abcdef0123", "not a key at all!", "AAECAwQFBgcICQoLDA0O", "A"] {
        let problem = read(&format!("[intake]\npseudonym_key = \"{bad}\"")).unwrap_err().to_string();
        assert!(problem.starts_with("intake.pseudonym_key (test.toml): the key "), "{problem}");
        assert!(!problem.contains(&format!("\"{bad}\"")), "{problem}");
    }
    let problem = read("[intake]\npseudonym_key = 123456789").unwrap_err().to_string();
    assert!(!problem.contains("123456789"), "{problem}");
    // A line that is no TOML may hold a secret too.
    let problem = read("[intake]\npseudonym_key = s3cr3t-value").unwrap_err().to_string();
    assert!(!problem.contains("s3cr3t-value"), "{problem}");
}

#[test]
fn client_settings_come_from_the_file_and_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hush-hush\n").unwrap();
    let config = read(&format!(
        "[kafka.settings]\n\"security.protocol\" = \"SASL_SSL\"\n\"queued.max.messages.kbytes\" = 1024\n\
         \"sasl.username\" = \"open-sesame\"\n[kafka.setting_files]\n\"sasl.password\" = {path:?}"
    ))
    .unwrap();
    let settings: Vec<_> = config.kafka.settings.iter().collect();
    assert_eq!(
        settings,
        [
            ("queued.max.messages.kbytes", "1024"),
            ("sasl.password", "hush-hush"),
            ("sasl.username", "open-sesame"),
            ("security.protocol", "SASL_SSL"),
        ]
    );
    let shown = format!("{config:?}{}", toml::to_string(&config).unwrap());
    assert!(
        shown.contains("sasl.password") && !shown.contains("hush-hush") && !shown.contains("open-sesame")
    );
    let keyed = read(&format!("[intake]\npseudonym_key = \"{HEX_KEY}\"")).unwrap();
    assert!(!format!("{keyed:?}{}", toml::to_string(&keyed).unwrap()).contains(HEX_KEY));
}

#[test]
fn rules_are_carried_as_they_are() {
    let config = read("[rules.swap]\naction = \"alert\"").unwrap();
    assert_eq!(config.rules.unwrap()["swap"]["action"].as_str(), Some("alert"));
}

#[test]
fn names_of_groups_and_members_have_defaults() {
    let kafka = read("[kafka]\ntopic_prefix = \"p.\"\ninstance_slot = 3").unwrap().kafka;
    assert_eq!(kafka.group_prefix(), "p.");
    assert!(kafka.instance_id().ends_with("-3") && kafka.instance_id().len() > 2);
    let kafka = read("[kafka]\ngroup_prefix = \"g.\"\ninstance_id = \"a\"").unwrap().kafka;
    assert_eq!((kafka.group_prefix(), kafka.instance_id().as_str()), ("g.", "a"));
}

#[test]
fn state_on_disk_needs_a_folder_and_state_in_memory_none() {
    let path = |text: &str| read(text).unwrap().state_path().map(|path| path.map(std::path::Path::to_owned));
    assert_eq!(path("").unwrap(), None);
    assert_eq!(path("[store]\npath = \"/state\"").unwrap(), None);
    assert_eq!(path("[store]\nkind = \"disk\"\npath = \"/state\"").unwrap(), Some("/state".into()));
    let problem = path("[store]\nkind = \"disk\"").unwrap_err().to_string();
    assert!(problem.starts_with("store.path (the configuration): it is missing"), "{problem}");
}

#[test]
fn snapshots_need_state_on_disk() {
    assert!(read("[store]\nkind = \"disk\"\npath = \"/state\"\nsnapshot_url = \"/snapshots\"").is_ok());
    let problem = read("[store]\nsnapshot_url = \"/snapshots\"").unwrap_err().to_string();
    assert!(problem.starts_with("store.snapshot_url (test.toml): there are no snapshots"), "{problem}");
}

#[test]
fn trimming_without_snapshots_is_refused() {
    let store = "[store]\nkind = \"disk\"\npath = \"/state\"\ntrim_internal_topics = true\n";
    assert!(read(&format!("{store}snapshot_url = \"/snapshots\"")).is_ok());
    let problem = read(store).unwrap_err().to_string();
    assert!(problem.starts_with("store.trim_internal_topics (test.toml): it is true"), "{problem}");
}
