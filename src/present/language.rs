//! The language of what a command prints: as asked for, else as the terminal's locale has it.

/// The language of headings, names and sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// 中文.
    #[value(name = "zh")]
    Chinese,
    /// English.
    #[value(name = "en")]
    English,
}

impl Language {
    /// One of two texts.
    pub const fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }

    /// That of the process's locale.
    pub fn of_environment() -> Self {
        Self::of_locale(|name| std::env::var(name).ok())
    }

    /// Chinese where the first of the variables of the locale that is set says so.
    fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set =
            ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|text| !text.is_empty());
        if set.is_some_and(|locale| locale.starts_with("zh")) { Self::Chinese } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let language = |set: &[(&str, &str)]| {
            Language::of_locale(|name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
            })
        };
        assert_eq!(language(&[]), Language::English);
        assert_eq!(language(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(language(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(language(&[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")]), Language::English);
    }
}
