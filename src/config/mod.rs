//! The configuration: one documented tree, read from a TOML file and the environment.
//!
//! # The problem
//! A service that decides about payments must not start with a setting that somebody believes in and it ignores.
//!
//! # The choice
//! [`sections`] holds the typed tree with its defaults, [`options`] the one table that documents every option,
//! says what values it takes and names its environment variable. A file is first checked against the table, so
//! that every refusal names the field, what is wrong with the value and what to do; only then is it read into the
//! tree. A value that is set but bad is an error, never replaced by a default. Secrets can come from files, are
//! kept in types whose `Debug` shows nothing, and never appear in an error.
//!
//! # What it is not
//! The rule set is no part of the tree: `[rules]` is carried as a raw table and read by [`rules`]. Nothing here is
//! reloaded while running.
//!
//! # Limits
//! A file of configuration or of a secret is at most 1 MiB.

mod check;
mod error;
pub mod options;
pub mod rules;
mod secrets;
pub mod sections;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

pub use error::ConfigError;
pub use secrets::{BrokerSettings, PseudonymKey};
pub use sections::{
    Adjudicate, Config, Http, Intake, Kafka, Log, LogFormat, Output, OutputFormat, Provisional, Stage, Store,
    StoreKind,
};

/// Largest file of configuration or of a secret.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Config {
    /// Reads the file, if one is named, and the process's environment. Without either, the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        match path {
            Some(path) => Self::read(&read_file(path)?, &path.display().to_string(), environment),
            None => Self::read("", "the defaults", environment),
        }
    }

    /// Reads the text of a configuration file, called `name` in errors, with these environment variables over it.
    pub fn read(
        text: &str,
        name: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| error::syntax(name, text, &error))?;
        let overrides = check::override_from(&mut table, environment)?;
        let origin = |field: &str| match overrides.get(field) {
            Some(variable) => format!("environment variable {variable}"),
            None => name.to_owned(),
        };
        check::check(&table, &origin)?;
        let mut config: Self =
            toml::Value::Table(table).try_into().map_err(|error| error::untypable(name, &error))?;
        config.read_secret_files(&origin)?;
        config.check_snapshots(&origin)?;
        Ok(config)
    }

    /// The documented example: every option with its default. `deploy/tracewarden.example.toml` is this text.
    pub fn example() -> String {
        options::example()
    }

    /// The key for pseudonyms, which a running service must have.
    pub fn require_pseudonym_key(&self) -> Result<&PseudonymKey, ConfigError> {
        self.intake.pseudonym_key.as_ref().ok_or_else(|| {
            ConfigError::field(
                "intake.pseudonym_key",
                "the configuration",
                "there is no key, so persons cannot be pseudonymised",
                "make one with `openssl rand -hex 32`, keep it in a file that only the service can read, and name \
                 the file in intake.pseudonym_key_file",
            )
        })
    }

    /// The folder of state on disk; none when state is kept in memory.
    pub fn state_path(&self) -> Result<Option<&Path>, ConfigError> {
        match (self.store.kind, &self.store.path) {
            (StoreKind::Memory, _) => Ok(None),
            (StoreKind::Disk, Some(path)) => Ok(Some(path)),
            (StoreKind::Disk, None) => Err(ConfigError::field(
                "store.path",
                "the configuration",
                "it is missing, and store.kind is \"disk\"",
                "name a folder on a local disk that only the service can write to",
            )),
        }
    }

    /// State in memory has no snapshots: somebody who names a place for them believes that there are some. What is
    /// trimmed can only be rebuilt from them.
    fn check_snapshots(&self, origin: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let refuse = |field: &str, problem: &str, remedy: &str| {
            Err(ConfigError::field(field, &origin(field), problem, remedy))
        };
        match (self.store.kind, &self.store.snapshot_url) {
            (StoreKind::Memory, Some(_)) => refuse(
                "store.snapshot_url",
                "there are no snapshots of state in memory, and store.kind is \"memory\"",
                "set store.kind = \"disk\" and store.path, or remove store.snapshot_url",
            ),
            (_, None) if self.store.trim_internal_topics => refuse(
                "store.trim_internal_topics",
                "it is true, and there is no store.snapshot_url: what is trimmed can only be rebuilt from snapshots",
                "set store.snapshot_url, or leave this false",
            ),
            _ => Ok(()),
        }
    }

    /// Replaces every `*_file` by what the file holds.
    fn read_secret_files(&mut self, origin: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(path) = self.intake.pseudonym_key_file.clone() {
            let field = "intake.pseudonym_key_file";
            if self.intake.pseudonym_key.is_some() {
                return Err(ConfigError::field(
                    field,
                    &origin(field),
                    "intake.pseudonym_key is set too, and only one can hold",
                    "remove one of the two; the file is the safer place",
                ));
            }
            let key = PseudonymKey::from_text(&secret_text(field, origin, &path)?).map_err(|problem| {
                ConfigError::field(
                    field,
                    &origin(field),
                    &format!("{}: {problem}", path.display()),
                    secrets::KEY_REMEDY,
                )
            })?;
            self.intake.pseudonym_key = Some(key);
        }
        let mut from_files = BTreeMap::new();
        for (setting, path) in &self.kafka.setting_files {
            let field = format!("kafka.setting_files.\"{setting}\"");
            from_files.insert(setting.clone(), secret_text(&field, origin, path)?);
        }
        self.kafka.settings.extend(from_files);
        Ok(())
    }
}

fn secret_text(field: &str, origin: &dyn Fn(&str) -> String, path: &Path) -> Result<String, ConfigError> {
    let text = read_file(path).map_err(|error| {
        ConfigError::field(
            field,
            &origin(field),
            &error.to_string(),
            "name a file that the user of the service can read",
        )
    })?;
    Ok(text.trim_ascii().to_owned())
}

/// Reads a whole text file, up to the limit.
fn read_file(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |problem: String| ConfigError::File { path: path.to_owned(), problem };
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = String::new();
    let bytes_read = file
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes_read as u64 > FILE_BYTES_MAX {
        return Err(unreadable(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}
