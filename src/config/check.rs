//! Checks a file, with what the environment overrides, against the table of options.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use toml::Value;

use super::error::ConfigError;
use super::options::{self, OptionEntry, RESERVED_SETTINGS, SECTIONS, Section, Takes};
use super::secrets::{self, PseudonymKey, setting_text};
use super::sections::LISTEN_OFF;

/// Longest name part of topics, groups and members; Kafka takes 249 characters for the whole.
const NAME_CHARACTERS_MAX: usize = 100;

const PREFIX: &str = "TRACEWARDEN_";

/// Puts the environment over the file. Answers which variable set which field.
pub(super) fn override_from(
    table: &mut toml::Table,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let known: BTreeMap<String, (&Section, &OptionEntry)> = SECTIONS
        .iter()
        .flat_map(|section| section.options.iter().map(move |entry| (section, entry)))
        .filter_map(|(section, entry)| Some((entry.variable(section)?, (section, entry))))
        .collect();
    let mut overrides = BTreeMap::new();
    for (variable, text) in environment {
        let Some((section, entry)) = known.get(&variable) else {
            refuse_mistyped(&variable, &known)?;
            continue;
        };
        let field = format!("{}.{}", section.name, entry.key);
        let value = from_variable(entry, &text).map_err(|problem| {
            let origin = format!("environment variable {variable}");
            ConfigError::field(&field, &origin, &problem, &remedy(entry))
        })?;
        let inner = table.entry(section.name).or_insert_with(|| Value::Table(toml::Table::new()));
        if let Value::Table(inner) = inner {
            inner.insert(entry.key.to_owned(), value);
        }
        overrides.insert(field, variable);
    }
    Ok(overrides)
}

/// A variable that looks like an option but is none is a mistake, unless a container platform set it to link a
/// service of that name (`…_SERVICE_HOST`, `…_PORT_9092_TCP`).
fn refuse_mistyped(
    variable: &str,
    known: &BTreeMap<String, (&Section, &OptionEntry)>,
) -> Result<(), ConfigError> {
    let Some(rest) = variable.strip_prefix(PREFIX) else { return Ok(()) };
    let is_link = rest.contains("_SERVICE_") || rest.ends_with("_PORT") || rest.contains("_PORT_");
    let Some(section) = SECTIONS.iter().find(|section| {
        rest.strip_prefix(&section.name.to_ascii_uppercase()).is_some_and(|key| key.starts_with('_'))
    }) else {
        return Ok(());
    };
    if is_link {
        return Ok(());
    }
    let names = known.keys().map(String::as_str);
    Err(ConfigError::field(
        section.name,
        &format!("environment variable {variable}"),
        "no option has this name",
        &did_you_mean(variable, names),
    ))
}

fn from_variable(entry: &OptionEntry, text: &str) -> Result<Value, String> {
    match entry.takes {
        Takes::Integer(..) => text
            .trim()
            .replace('_', "")
            .parse()
            .map(Value::Integer)
            .map_err(|_| format!("\"{text}\" is no whole number")),
        Takes::Boolean => text
            .trim()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| format!("\"{text}\" is neither true nor false")),
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// Checks every section and option; `origin` tells where a field was set.
pub(super) fn check(table: &toml::Table, origin: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
    for (name, value) in table {
        let Some(section) = SECTIONS.iter().find(|section| section.name == name) else {
            if name == "rules" {
                continue;
            }
            let names = SECTIONS.iter().map(|section| section.name).chain(["rules"]);
            let problem = "there is no such section";
            return Err(ConfigError::field(name, &origin(name), problem, &did_you_mean(name, names)));
        };
        let Value::Table(inner) = value else {
            let remedy = format!("write it as a section: [{name}]");
            return Err(ConfigError::field(name, &origin(name), "it is a section, not a value", &remedy));
        };
        for (key, value) in inner {
            check_option(section, key, value, origin)?;
        }
    }
    Ok(())
}

fn check_option(
    section: &Section,
    key: &str,
    value: &Value,
    origin: &dyn Fn(&str) -> String,
) -> Result<(), ConfigError> {
    let field = format!("{}.{key}", section.name);
    let Some(entry) = options::find(section.name, key) else {
        let names = section.options.iter().map(|entry| entry.key);
        let problem = "there is no such option";
        return Err(ConfigError::field(&field, &origin(&field), problem, &did_you_mean(key, names)));
    };
    value_problem(entry.takes, value)
        .map_or(Ok(()), |problem| Err(ConfigError::field(&field, &origin(&field), &problem, &remedy(entry))))
}

/// What is wrong with a value; secrets are never repeated.
fn value_problem(takes: Takes, value: &Value) -> Option<String> {
    match (takes, value) {
        (Takes::Integer(least, most), Value::Integer(number)) => {
            (*number < least || *number > most).then(|| format!("{number} is out of range"))
        }
        (Takes::Boolean, Value::Boolean(_)) => None,
        (Takes::Text | Takes::Path, Value::String(text)) => {
            text.trim().is_empty().then(|| "it is empty".to_owned())
        }
        (Takes::Name, Value::String(text)) => name_problem(text),
        (Takes::OneOf(words), Value::String(text)) => {
            (!words.contains(&text.as_str())).then(|| format!("\"{text}\" is none of its values"))
        }
        (Takes::Listen, Value::String(text)) => (text != LISTEN_OFF && text.parse::<SocketAddr>().is_err())
            .then(|| format!("\"{text}\" is no address and port")),
        (Takes::Secret, Value::String(text)) => PseudonymKey::from_text(text).err(),
        (Takes::Settings, Value::Table(settings)) => settings.iter().find_map(|(name, value)| {
            reserved_problem(name).or_else(|| {
                setting_text(value)
                    .is_none()
                    .then(|| format!("the value of \"{name}\" is neither text, number nor boolean"))
            })
        }),
        (Takes::SettingFiles, Value::Table(files)) => files.iter().find_map(|(name, path)| {
            reserved_problem(name).or_else(|| {
                (!path.is_str()).then(|| format!("the value of \"{name}\" is not the path of a file"))
            })
        }),
        _ => Some(format!("it has the wrong type, {}", value.type_str())),
    }
}

fn name_problem(text: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() {
        Some("it is empty".to_owned())
    } else if text.chars().count() > NAME_CHARACTERS_MAX {
        Some(format!("it is longer than {NAME_CHARACTERS_MAX} characters"))
    } else {
        text.chars()
            .find(|c| !is_plain(*c))
            .map(|c| format!("the character {c:?} is not allowed in names of topics and groups"))
    }
}

fn reserved_problem(setting: &str) -> Option<String> {
    let (name, reason) = RESERVED_SETTINGS.iter().find(|(name, _)| *name == setting)?;
    Some(format!("\"{name}\" cannot be set here: {reason}"))
}

fn remedy(entry: &OptionEntry) -> String {
    match entry.takes {
        Takes::Integer(least, most) => format!("give a whole number between {least} and {most}"),
        Takes::Boolean => "give true or false".to_owned(),
        Takes::Text => "give a text in quotes".to_owned(),
        Takes::Name => {
            format!("give a text of 1 to {NAME_CHARACTERS_MAX} letters, digits, '.', '_' or '-'")
        }
        Takes::OneOf(words) => format!("give one of {}", quoted(words)),
        Takes::Listen => "give an IP address and port such as \"127.0.0.1:9464\", or \"off\"".to_owned(),
        Takes::Path => "give the path of a file, in quotes".to_owned(),
        Takes::Secret => secrets::KEY_REMEDY.to_owned(),
        Takes::Settings => {
            "give librdkafka settings such as { \"security.protocol\" = \"SASL_SSL\" } without this one"
                .to_owned()
        }
        Takes::SettingFiles => {
            "give settings with paths, such as { \"sasl.password\" = \"/run/secrets/kafka-password\" }"
                .to_owned()
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// Proposes the nearest name, else lists all.
fn did_you_mean<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    // Whatever somebody wrote there: no name is as long.
    let start: String = wrong.chars().take(100).collect();
    let nearest = names.iter().map(|name| (strsim::levenshtein(&start, name), *name)).min();
    match nearest {
        Some((distance, name)) if distance <= 3.max(wrong.len() / 4) => format!("did you mean {name}?"),
        _ if names.len() > 20 => "`tracewarden config example` documents every option".to_owned(),
        _ => format!("known are {}", names.join(", ")),
    }
}
