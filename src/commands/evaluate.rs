//! `evaluate`: alerts and decisions, as `replay` writes them, against the truth that `simulate` wrote.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Failure, files, say};
use crate::sim::Truth;
use crate::sim::evaluate::{Evaluation, Language, Report, scans_in};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Alerts, every revision, one a line.
    #[arg(long, value_name = "FILE")]
    alerts: PathBuf,
    /// Decisions, every revision, one a line.
    #[arg(long, value_name = "FILE")]
    decisions: PathBuf,
    /// The truth of the province.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The uploads, to count the scans in them for the alert rate; may be repeated.
    #[arg(long, value_name = "FILE")]
    uploads: Vec<PathBuf>,
    /// The number of scans, where it is known.
    #[arg(long, conflicts_with = "uploads")]
    scans: Option<u64>,
    /// Alerts and decisions of another run of the same province, to compare with.
    #[arg(long, num_args = 2, value_names = ["ALERTS", "DECISIONS"])]
    compare: Vec<PathBuf>,
    /// Write the result as JSON; with `--compare` of both runs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the result as a page with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Language of table and page.
    #[arg(long, value_enum, default_value = "en")]
    language: ArgumentLanguage,
    /// Most misses, and most unexplained alerts, printed.
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    list: usize,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ArgumentLanguage {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = match arguments.language {
        ArgumentLanguage::Zh => Language::Chinese,
        ArgumentLanguage::En => Language::English,
    };
    let mut scans = arguments.scans;
    for path in &arguments.uploads {
        *scans.get_or_insert(0) += scans_of(path)?;
    }
    let this = evaluated(&arguments.alerts, &arguments.decisions, &arguments.truth, scans)?;
    let other = match arguments.compare.as_slice() {
        [alerts, decisions] => Some(evaluated(alerts, decisions, &arguments.truth, scans)?),
        _ => None,
    };
    say(this.table(language).trim_end());
    let details = this.details(language, arguments.list);
    if !details.is_empty() {
        say(format_args!("\n{}", details.trim_end()));
    }
    if let Some(other) = &other {
        say(format_args!("\n{}", this.compared_with(other, language).trim_end()));
    }
    if let Some(path) = &arguments.json {
        let json = match &other {
            None => this.json(),
            Some(other) => json!({"this": this.json(), "other": other.json()}),
        };
        write(path, &format!("{json:#}\n"))?;
    }
    if let Some(path) = &arguments.html {
        write(path, &this.html(other.as_ref(), language))?;
    }
    Ok(())
}

fn evaluated(alerts: &Path, decisions: &Path, truth: &Path, scans: Option<u64>) -> Result<Report, Failure> {
    let mut evaluation = Evaluation::default();
    for_each(truth, "no statement of the truth, as `simulate` writes them", |json| {
        evaluation.expect([serde_json::from_str::<Truth>(json)?]);
        Ok(())
    })?;
    for_each(alerts, "no alert, as `replay` writes them", |json| evaluation.alert(json))?;
    for_each(decisions, "no decision, as `replay` writes them", |json| evaluation.decision(json))?;
    if let Some(scans) = scans {
        evaluation.scanned(scans);
    }
    Ok(evaluation.report())
}

/// Reads every line of a file; an error names file, line, and what was expected there.
fn for_each(
    path: &Path,
    expected: &str,
    mut read: impl FnMut(&str) -> Result<(), serde_json::Error>,
) -> Result<(), Failure> {
    files::for_each_line(path, |number, line| {
        read(&String::from_utf8_lossy(&line)).map_err(|error| Failure {
            exit_code: 1,
            message: format!("{} line {number}: {expected}: {error}", path.display()),
        })
    })
}

/// Codes on the lines of all uploads of a file.
fn scans_of(path: &Path) -> Result<u64, Failure> {
    let mut scans = 0;
    files::for_each_line(path, |number, line| {
        scans += scans_in(&line).map_err(|reject| Failure {
            exit_code: 1,
            message: format!("{} line {number}: no upload: {reject}", path.display()),
        })?;
        Ok(())
    })?;
    Ok(scans)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| files::of_path(path, &error))
}
