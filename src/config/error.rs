//! How a configuration is refused: always with the field, the problem and the remedy.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {}: {problem}; check the path and who may read it", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// The file is not TOML.
    #[error(
        "{name}, line {line}, column {column}: not valid TOML: {problem}; `tracewarden config example` prints a file to start from"
    )]
    Syntax {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// An option has a value that cannot be used.
    #[error("{field} ({origin}): {problem}; {remedy}")]
    Field {
        /// The option: `kafka.partitions`.
        field: String,
        /// Where it was set.
        origin: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
}

impl ConfigError {
    /// A refusal of one option.
    pub fn field(field: &str, origin: &str, problem: &str, remedy: &str) -> Self {
        Self::Field {
            field: field.to_owned(),
            origin: origin.to_owned(),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// The parser's complaint without the line's text, which may hold a secret.
pub(super) fn syntax(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    ConfigError::Syntax {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
        problem: error.message().to_owned(),
    }
}

/// A refusal by the typed tree of something that passed the table of options.
pub(super) fn untypable(name: &str, error: &toml::de::Error) -> ConfigError {
    let shown = error.to_string();
    let field =
        shown.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next()).unwrap_or("configuration");
    let remedy = "`tracewarden config example` documents every option";
    ConfigError::field(field, name, error.message(), remedy)
}
