//! The files of this package, as the tests of the house read them.

use std::fs;
use std::path::{Path, PathBuf};

/// A file and where it is, from the package's folder.
pub(crate) struct SourceFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn read(name: &str) -> Option<Self> {
        let text = fs::read_to_string(root().join(name)).ok()?;
        Some(Self { name: name.to_owned(), text })
    }

    /// The top-level module it belongs to: `domain`, `main`.
    pub(crate) fn layer(&self) -> String {
        let inside = self.name.trim_start_matches("src/");
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
    }

    /// Lines that are not comments, without a comment at their end, numbered from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(index, line)| (index + 1, line.split_once(" //").map_or(line, |(code, _)| code)))
    }
}

/// Whether a text names something as a word of its own.
pub(crate) fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        let ends_open = word.ends_with("::");
        !before.is_some_and(|c| is_part(c) || c == ':' && ends_open)
            && (ends_open || !after.is_some_and(is_part))
    })
}

pub(crate) fn code_files(folders: &[&str]) -> Vec<SourceFile> {
    text_files(folders, &["rs"])
}

/// All files with one of these endings (or names) below the folders, except build output.
pub(crate) fn text_files(folders: &[&str], endings: &[&str]) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    paths
        .iter()
        .filter(|path| {
            let ending = path.extension().or(path.file_name()).and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.contains(&ending))
        })
        .filter_map(|path| {
            let name = path.strip_prefix(root()).ok()?.to_str()?.trim_start_matches("./").to_owned();
            SourceFile::read(&name)
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_skipped = ["target", ".git", "examples"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_skipped {
            collect(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn comments_and_parts_of_words_are_no_code() {
    assert!(mentions("let t = Instant::now();", "Instant::now"));
    assert!(mentions("serde::Deserialize", "serde::") && !mentions("my_serde::x", "serde::"));
    assert!(!mentions("operand::x", "rand::") && !mentions("before nowhere", "for nowhere"));
    let file = SourceFile {
        name: "src/a.rs".into(),
        text: "//! crate::x\nuse a; // crate::y\nlet u = \"http://z\";".into(),
    };
    let lines: Vec<_> = file.code_lines().collect();
    assert_eq!(lines, [(2, "use a;"), (3, "let u = \"http://z\";")]);
}
