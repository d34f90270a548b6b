//! `evaluate`: alerts and decisions against the truth that `simulate` wrote. They come from files, as `replay` writes
//! them, or from the topics of an installation, as `run` publishes them.

mod topics;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::language::LanguageArguments;
use super::{ConfigArguments, Failure, files, say};
use crate::config::Config;
use crate::evaluate::{Evaluation, Report, scans_in};
use crate::sim::Truth;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Alerts, every revision, one a line.
    #[arg(long, value_name = "FILE", required_unless_present = "from_kafka", conflicts_with = "from_kafka")]
    alerts: Option<PathBuf>,
    /// Decisions, every revision, one a line.
    #[arg(long, value_name = "FILE", required_unless_present = "from_kafka", conflicts_with = "from_kafka")]
    decisions: Option<PathBuf>,
    /// Read alerts and decisions from their topics, until the end that these have now.
    #[arg(long)]
    from_kafka: bool,
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
    /// The same from the topics of another installation on the same cluster: what its topic names begin with.
    #[arg(long, value_name = "PREFIX", conflicts_with = "compare")]
    compare_prefix: Option<String>,
    /// Write the result as JSON; with `--compare` of both runs. Times in milliseconds: a negative time to an alert is
    /// one that was early.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the result as a page with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Most misses, and most unexplained alerts, printed.
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    list: usize,
    #[command(flatten)]
    language: LanguageArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Where the alerts and decisions of a run are.
enum Published<'a> {
    Files { alerts: &'a Path, decisions: &'a Path },
    Topics(Box<Config>),
}

impl Arguments {
    fn this(&self) -> Result<Published<'_>, Failure> {
        match (&self.alerts, &self.decisions) {
            (Some(alerts), Some(decisions)) => Ok(Published::Files { alerts, decisions }),
            _ => Ok(Published::Topics(Box::new(self.config.load()?))),
        }
    }

    /// Every file that is read.
    fn inputs(&self) -> impl Iterator<Item = &Path> {
        let published = self.alerts.iter().chain(&self.decisions).chain(&self.compare);
        published.chain([&self.truth]).chain(&self.uploads).map(PathBuf::as_path)
    }

    fn other(&self) -> Result<Option<Published<'_>>, Failure> {
        if let Some(prefix) = &self.compare_prefix {
            let mut config = self.config.load()?;
            config.kafka.topic_prefix.clone_from(prefix);
            return Ok(Some(Published::Topics(Box::new(config))));
        }
        Ok(match self.compare.as_slice() {
            [alerts, decisions] => Some(Published::Files { alerts, decisions }),
            _ => None,
        })
    }
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = arguments.language.language();
    files::check_readable(arguments.inputs())?;
    arguments.json.iter().chain(&arguments.html).try_for_each(|path| files::check_writable(path))?;
    let mut scans = arguments.scans;
    for path in &arguments.uploads {
        *scans.get_or_insert(0) += scans_of(path)?;
    }
    let this = evaluated(&arguments.this()?, &arguments.truth, scans)?;
    let other = arguments.other()?.map(|other| evaluated(&other, &arguments.truth, scans)).transpose()?;
    say(this.table(language).trim_end())?;
    let details = this.details(language, arguments.list);
    if !details.is_empty() {
        say(format_args!("\n{}", details.trim_end()))?;
    }
    if let Some(other) = &other {
        say(format_args!("\n{}", this.compared_with(other, language).trim_end()))?;
    }
    if let Some(path) = &arguments.json {
        let json = match &other {
            None => this.json(),
            Some(other) => json!({"this": this.json(), "other": other.json()}),
        };
        files::write(path, &format!("{json:#}\n"))?;
    }
    if let Some(path) = &arguments.html {
        files::write(path, &this.html(other.as_ref(), language)?)?;
    }
    Ok(())
}

fn evaluated(published: &Published<'_>, truth: &Path, scans: Option<u64>) -> Result<Report, Failure> {
    let mut evaluation = Evaluation::default();
    for_each(truth, "no statement of the truth, as `simulate` writes them", |json| {
        evaluation.expect([serde_json::from_str::<Truth>(json)?]);
        Ok(())
    })?;
    match published {
        Published::Files { alerts, decisions } => {
            for_each(alerts, "no alert, as `replay` writes them", |json| evaluation.alert(json))?;
            for_each(decisions, "no decision, as `replay` writes them", |json| evaluation.decision(json))?;
        }
        Published::Topics(config) => topics::read(config, &mut evaluation)?,
    }
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
        read(&String::from_utf8_lossy(&line))
            .map_err(|error| files::at_line(path, number, format_args!("{expected}: {error}")))
    })
}

/// Codes on the lines of all uploads of a file.
fn scans_of(path: &Path) -> Result<u64, Failure> {
    let mut scans = 0;
    files::for_each_line(path, |number, line| {
        scans += scans_in(&line)
            .map_err(|reject| files::at_line(path, number, format_args!("no upload: {reject}")))?;
        Ok(())
    })?;
    Ok(scans)
}
