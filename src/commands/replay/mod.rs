//! `replay`: uploads from files through all stages on the memory twin; every revision is written out in order.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::folder::Folder;
use super::{ConfigArguments, Failure, files, parse_moment, say, warn};
use crate::domain::document::merge::Outcome;
use crate::domain::reference::Book;
use crate::domain::time::Timestamp;
use crate::domain::wording::explain;
use crate::run::local::{Local, LocalOptions};
use crate::stage::tally::{InputOutcome, Tally};
use crate::telemetry::progress::Progress;

/// Uploads between two looks at what was published.
const DRAIN_EVERY: u64 = 10_000;

/// `run` would refuse to start; for a back-test it may be meant.
const NO_REFERENCE: &str = "there is no reference data, so no product, exemption or institution is known: lines are \
    judged as if their products were unmapped, and rules that need to know whether an institution reports stay \
    silent. Name the records with --reference FILE";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of uploads, one a line, canonical or national form, .zst compressed; read in the order given.
    #[arg(required = true, value_name = "FILE")]
    uploads: Vec<PathBuf>,
    /// Files of reference records, one a line; may be repeated.
    #[arg(long, value_name = "FILE")]
    reference: Vec<PathBuf>,
    /// Time moves on to this moment at the end, if it is later than the last upload.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Timestamp>,
    /// Folder for alerts.ndjson, decisions.ndjson and deadletter.ndjson; every revision, in order.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Partitions of the internal topics; the outcome does not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    partitions: u16,
    /// Most records in a batch; the outcome does not depend on it.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// A trace code, in any scanned form, whose timeline, findings and verdicts are printed at the end; may be repeated.
    #[arg(long, value_name = "CODE")]
    explain: Vec<String>,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let codes = arguments.explain.iter().map(|scanned| explain::code_of(scanned));
    let codes =
        codes.collect::<Result<Vec<_>, _>>().map_err(|why| Failure::usage(format!("--explain: {why}")))?;
    let mut book = Book::default();
    for path in &arguments.reference {
        files::for_each_reference(path, |change| {
            book.apply(change);
            Ok(())
        })?;
    }
    if book.is_empty() {
        warn(NO_REFERENCE);
    }
    let options = LocalOptions {
        partitions: arguments.partitions,
        batch_records_max: usize::from(arguments.batch),
        ..LocalOptions::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?
    };
    let mut local = Local::new(&options, book)?;
    let mut out = arguments.out.as_deref().map(Folder::of_outputs).transpose()?;
    let progress = Progress::of_count("replay", None);
    let mut fed = 0_u64;
    for path in &arguments.uploads {
        let file = path.display().to_string();
        files::for_each_line(path, |line_number, line| {
            local.feed(line, &file, line_number)?;
            fed += 1;
            progress.advance(1);
            if fed.is_multiple_of(DRAIN_EVERY) {
                write_outputs(&mut local, out.as_mut())?;
            }
            Ok(())
        })?;
    }
    local.finish(arguments.until)?;
    write_outputs(&mut local, out.as_mut())?;
    if let Some(out) = out {
        out.finish()?;
    }
    progress.finish();
    say(summary(&local))?;
    for code in &codes {
        let state = local.code_state(code)?;
        say(format_args!("\n{}", explain::explain(code, &state, &options.rules, local.now())))?;
    }
    Ok(())
}

fn write_outputs(local: &mut Local, mut out: Option<&mut Folder>) -> Result<(), Failure> {
    for output in local.drain()? {
        if let Some(out) = &mut out {
            out.output(output.topic, &output.record)?;
        }
    }
    Ok(())
}

/// The accounting of the run, and what was published.
pub(super) fn summary(local: &Local) -> String {
    let tally = local.tally();
    let mut text = accounting(&tally);
    let mut line = |text_of_line: String| {
        text.push('\n');
        text.push_str(&text_of_line);
    };
    for ((rule, status), count) in &tally.alerts {
        line(format!("alerts      {:<24} {:<10} {count}", rule.name(), status.name()));
    }
    for ((rule, reason), count) in &tally.allowed {
        line(format!("allowed     {:<24} {count}, {reason}", rule.name()));
    }
    for ((verdict, _), count) in &tally.decisions {
        line(format!("decisions   {:<24} {count}", verdict.name()));
    }
    match (local.now(), local.moved_by()) {
        (Some(now), Some(origin)) => {
            line(format!("time        {now}, moved furthest by {} line {}", origin.topic, origin.offset));
        }
        (Some(now), None) => line(format!("time        {now}")),
        (None, _) => line("time        never moved: no upload was accepted".into()),
    }
    text
}

/// The two equations that hold at rest.
fn accounting(tally: &Tally) -> String {
    let rejected = tally.inputs_total(|outcome| matches!(outcome, InputOutcome::Rejected(_)));
    let mut text = format!(
        "records     {} read = {rejected} rejected + {} ignored + {} decoded\n\
         uploads     {} derived = {} accepted + {} duplicate + {} superseded + {} without room + {} in flight",
        tally.read_total(),
        tally.inputs_total(|outcome| outcome == InputOutcome::Ignored),
        tally.inputs_total(|outcome| outcome == InputOutcome::Decoded),
        tally.derived_total(),
        tally.merged_as(Outcome::Accepted),
        tally.merged_as(Outcome::Duplicate),
        tally.merged_as(Outcome::Superseded),
        tally.merged_as(Outcome::NoRoom),
        tally.in_flight(),
    );
    if tally.reversed_at_issue > 0 {
        let _ = write!(
            text,
            "\nreversed    {} by a reversal of the moment in which they were issued",
            tally.reversed_at_issue
        );
    }
    for ((_, outcome), count) in &tally.inputs {
        if let InputOutcome::Rejected(reason) = outcome {
            let _ = write!(text, "\nrejected    {reason:<24} {count}");
        }
    }
    for (reason, count) in &tally.rejected_uploads {
        let _ = write!(text, "\nrejected    {reason:<24} {count} beside other uploads of the same record");
    }
    text
}
