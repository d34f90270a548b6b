//! Cases in folders: reference data, uploads and the time at which they end, with the answer that the specification
//! demands.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use oracle::{Answer, World};

/// One folder.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    pub(crate) reference: Vec<Value>,
    /// A line each, as they were sent; one that is no JSON is an upload too, which must be refused.
    pub(crate) uploads: Vec<String>,
    pub(crate) until: String,
    /// Open alerts and decisions at the end.
    pub(crate) expected: Answer,
}

impl Case {
    /// The case in this folder.
    pub(crate) fn read(folder: PathBuf) -> Self {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Self {
            reference: values(&folder.join("reference.ndjson")),
            uploads: text("uploads.ndjson").lines().map(str::to_owned).collect(),
            until: text("until").trim().to_owned(),
            expected: Answer::from_json(&serde_json::from_str(&text("expected.json")).expect("JSON")),
            folder,
        }
    }

    pub(crate) fn name(&self) -> String {
        self.folder.file_name().expect("a folder has a name").display().to_string()
    }

    /// What the second implementation judges: uploads as they were written, in which a name may stand twice.
    pub(crate) fn world(&self) -> World {
        World {
            reference: self.reference.clone(),
            uploads: self.uploads.iter().cloned().map(Value::String).collect(),
            until: self.until.clone(),
        }
    }
}

/// The examples, by name: cases in the canonical form.
pub(crate) fn examples() -> Vec<Case> {
    folders("tests/examples").into_iter().map(Case::read).collect()
}

/// One example.
pub(crate) fn example(name: &str) -> Case {
    Case::read(root().join("tests/examples").join(name))
}

/// Cases in the form of the national interface, by name.
pub(crate) fn national() -> Vec<Case> {
    let is_plain = |path: &PathBuf| !is_field(path);
    folders("tests/nhsa").into_iter().filter(is_plain).map(Case::read).collect()
}

/// Whether a folder is one of what senders really write, which have a form of their own.
pub(crate) fn is_field(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("field-"))
}

/// The lines of a file, each JSON.
pub(crate) fn values(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// The folders in a folder, by name.
pub(crate) fn folders(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the cases are there");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    folders.sort();
    folders
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
