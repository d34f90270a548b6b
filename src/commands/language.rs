//! `--language`: which language a command speaks.

use crate::present::language::Language;

/// Which language a command speaks.
#[derive(Debug, clap::Args)]
pub(super) struct LanguageArguments {
    /// Language of what is printed; without it the locale decides.
    #[arg(long, value_enum)]
    language: Option<Language>,
}

impl LanguageArguments {
    /// The language asked for, else the locale's.
    pub(super) fn language(&self) -> Language {
        self.language.unwrap_or_else(Language::of_environment)
    }
}
