//! `replay`: uploads from files through all stages on the memory twin; every revision is written out in order.

mod summary;

use std::path::PathBuf;

use self::summary::summary;
use super::folder::Folder;
use super::language::LanguageArguments;
use super::{ConfigArguments, Failure, files, parse_moment, say, warn};
use crate::domain::reference::Book;
use crate::domain::time::Timestamp;
use crate::evaluate::Language;
use crate::present::explain::{self, Sentence};
use crate::present::progress::Progress;
use crate::run::local::{Local, LocalOptions};

/// Uploads between two looks at what was published: few, since one of them may bring about many and long records.
const DRAIN_EVERY: u64 = 50;

/// `run` would refuse to start; for a back-test it may be meant.
const NO_REFERENCE: &str = "there is no reference data, so no product, exemption or institution is known: lines are \
    judged as if their products were unmapped, and rules that need to know whether an institution reports stay \
    silent. Name the records with --reference FILE";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of uploads, one a line, canonical or national form, .zst compressed; read in the order given.
    #[arg(required = true, value_name = "FILE")]
    uploads: Vec<PathBuf>,
    /// Files of reference records, one a line; may be repeated. A record that is refused is named and left out.
    #[arg(long, value_name = "FILE")]
    reference: Vec<PathBuf>,
    /// Time moves on to this moment at the end, if it is later than the last upload.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Timestamp>,
    /// Folder for alerts.ndjson, decisions.ndjson and deadletter.ndjson, every revision in order, and for senders.ndjson,
    /// what each institution sent by day.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Partitions of the internal topics; the outcome does not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    partitions: u16,
    /// Most records in a batch; the outcome does not depend on it.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// A trace code, in any scanned form, whose timeline, findings and verdicts are printed at the end, in the language of
    /// --language; may be repeated.
    #[arg(long, value_name = "CODE")]
    explain: Vec<String>,
    #[command(flatten)]
    language: LanguageArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = arguments.language.language();
    let config = arguments.config.load()?;
    let codes = arguments.explain.iter().map(|scanned| explain::code_of(scanned));
    let codes = codes
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| Failure::usage(format!("--explain: {}", in_language(&why, language))))?;
    files::check_readable(arguments.uploads.iter().chain(&arguments.reference).map(PathBuf::as_path))?;
    let mut book = Book::default();
    for path in &arguments.reference {
        files::for_each_reference(path, |read| match read {
            Ok(entry) => book.extend(entry.into_change()),
            Err(refused) => warn(format_args!("reference record left out: {}", refused.message)),
        })?;
    }
    let options = LocalOptions {
        partitions: arguments.partitions,
        batch_records_max: usize::from(arguments.batch),
        ..LocalOptions::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?
    };
    let has_no_reference = book.is_empty();
    let mut local = Local::new(&options, book)?;
    let mut out = arguments.out.as_deref().map(Folder::of_outputs).transpose()?;
    if has_no_reference {
        warn(NO_REFERENCE);
    }
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
    if let Some(mut out) = out {
        out.sender_days(local.sender_days())?;
        out.finish()?;
    }
    progress.finish();
    say(summary(&local, language))?;
    for code in &codes {
        let state = local.code_state(code)?;
        if state.is_empty() {
            say(format_args!("\n{}", in_language(&explain::never_reported(code), language)))?;
        } else {
            let page = explain::explain(code, &state, &options.rules, local.now(), language);
            say(format_args!("\n{page}"))?;
        }
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

fn in_language(sentence: &Sentence, language: Language) -> &str {
    language.of(&sentence.zh, &sentence.en)
}
