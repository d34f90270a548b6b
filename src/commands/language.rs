//! The language of what a command prints: as asked for, else as the terminal's locale has it.

use crate::sim::evaluate::Language;

/// Which language a command speaks.
#[derive(Debug, clap::Args)]
pub(super) struct LanguageArguments {
    /// Language of what is printed; without it the locale decides.
    #[arg(long, value_enum)]
    language: Option<Name>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// 中文.
    Zh,
    /// English.
    En,
}

impl LanguageArguments {
    /// The language asked for, else the locale's.
    pub(super) fn language(&self) -> Language {
        match self.language {
            Some(Name::Zh) => Language::Chinese,
            Some(Name::En) => Language::English,
            None => of_locale(|name| std::env::var(name).ok()),
        }
    }
}

/// Chinese where the first of the variables of the locale that is set says so.
fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Language {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|text| !text.is_empty());
    if set.is_some_and(|locale| locale.starts_with("zh")) { Language::Chinese } else { Language::English }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let language = |set: &[(&str, &str)]| {
            of_locale(|name| set.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
        };
        assert_eq!(language(&[]), Language::English);
        assert_eq!(language(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(language(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(language(&[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")]), Language::English);
    }
}
