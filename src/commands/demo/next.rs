//! What somebody may do after the demo: commands to be copied as they stand, with the paths of this demo in them.
//!
//! The program is named as it was called, so that `target/release/tracewarden demo` is followed by commands that find it
//! too. Each command stands alone on its line, below what it does.

use std::ffi::OsString;
use std::path::Path;

use crate::domain::time::Timestamp;
use crate::evaluate::Language;
use crate::sim::Parameters;

/// Where the files of the demo go when nothing was kept yet.
const FOLDER: &str = "tracewarden-demo";
/// Where a province of one's own goes.
const PROVINCE: &str = "tracewarden-province";

/// What the commands are made of.
pub(super) struct Next<'a> {
    /// How the program was called.
    pub(super) program: Option<OsString>,
    /// The folder in which everything was kept, if it was.
    pub(super) kept: Option<&'a Path>,
    /// The province that was shown.
    pub(super) parameters: &'a Parameters,
    /// A code that an alert is about.
    pub(super) code: Option<&'a str>,
}

/// A command and what it does.
struct Step {
    zh: &'static str,
    en: &'static str,
    words: String,
}

impl Next<'_> {
    /// All of it, as lines of text.
    pub(super) fn text(&self, language: Language) -> String {
        let program = match &self.program {
            Some(program) => quoted(&program.to_string_lossy()),
            None => "tracewarden".to_owned(),
        };
        let mut text = language.of("\n接下来\n", "\nNext\n").to_owned();
        for Step { zh, en, words } in self.steps(language) {
            text.push_str(&format!("  {}\n    {program} {words}\n", language.of(zh, en)));
        }
        text.push_str(language.of(
            "  在 Apache Kafka 上运行服务：见 README.zh-CN.md",
            "  The service on Apache Kafka: see README.md",
        ));
        text
    }

    fn steps(&self, language: Language) -> Vec<Step> {
        let Parameters { seed, .. } = self.parameters;
        let folder = self.kept.map_or(FOLDER.to_owned(), |folder| folder.display().to_string());
        let file = |name: &str| quoted(&format!("{folder}/{name}"));
        let mut steps = Vec::new();
        if self.kept.is_none() {
            steps.push(Step {
                zh: "保留全部文件，供以下两条使用：",
                en: "Keep all files, for the next two:",
                words: format!("demo --seed {seed} --out {}", quoted(&folder)),
            });
        }
        let explain = self.code.map_or(String::new(), |code| format!(" --explain {}", quoted(code)));
        steps.push(Step {
            zh: "从文件重放同样的上传，并说明其中一个码的来龙去脉：",
            en: "Replay the same uploads from files, and tell the life of one of the codes:",
            words: format!(
                "replay {} --reference {} --until {} --out {}{explain}",
                file("uploads.ndjson"),
                file("reference.ndjson"),
                Timestamp::from_unix_millis(self.parameters.until()),
                file("replayed")
            ),
        });
        steps.push(Step {
            zh: "将重放所得与埋设的真值对照：",
            en: "Compare what the replay published with what was planted:",
            words: format!(
                "evaluate --alerts {} --decisions {} --truth {} --uploads {}",
                file("replayed/alerts.ndjson"),
                file("replayed/decisions.ndjson"),
                file("truth.ndjson"),
                file("uploads.ndjson")
            ),
        });
        steps.push(Step {
            zh: "自定规模的省份及其真值：",
            en: "A province of your own, with its truth:",
            words: format!("simulate --institutions 60 --days 14 --out {PROVINCE}"),
        });
        steps.push(Step {
            zh: "每条规则查什么、如何处置：",
            en: "What each rule finds, and what it does:",
            words: "rules".to_owned(),
        });
        let other = match language {
            Language::Chinese => "en",
            Language::English => "zh",
        };
        steps.push(Step {
            zh: "The same in English:",
            en: "中文演示：",
            words: format!("demo --seed {seed} --language {other}"),
        });
        steps
    }
}

/// A word for a shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_must_be() {
        for (word, expected) in [
            ("target/release/tracewarden", "target/release/tracewarden"),
            ("my folder/x", "'my folder/x'"),
            ("it's", r"'it'\''s'"),
            ("(01)06901234567892(21)A", "'(01)06901234567892(21)A'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
