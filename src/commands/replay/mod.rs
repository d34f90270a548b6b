//! `replay`: uploads from files through all stages on the memory twin; every revision is written out in order.

mod summary;

use std::path::{Path, PathBuf};

use self::summary::summary;
use super::folder::Folder;
use super::inputs::Inputs;
use super::language::LanguageArguments;
use super::{ConfigArguments, Failure, say, warn};
use crate::evaluate::Language;
use crate::present::explain::{self, Sentence};
use crate::run::local::{Local, LocalOptions};
use crate::run::state::StateHome;
use crate::store::folder::StateFolder;

/// `run` would refuse to start; for a back-test it may be meant.
const NO_REFERENCE: &str = "there is no reference data, so no product, exemption or institution is known: lines are \
    judged as if their products were unmapped, and rules that need to know whether an institution reports stay \
    silent. Name the records with --reference FILE";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
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
    /// Keeps state in this folder on a local disk instead of in memory, for more than fits there. The folder must be empty:
    /// what a run leaves there serves no later one, and may be removed.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
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
    let book = arguments.inputs.book()?;
    let options = LocalOptions {
        partitions: arguments.partitions,
        batch_records_max: usize::from(arguments.batch),
        state: match &arguments.store {
            Some(path) => StateHome::Disk(StateFolder::new(empty_folder(path)?, config.store.cache_bytes)),
            None => StateHome::Memory,
        },
        ..LocalOptions::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?
    };
    let has_no_reference = book.is_empty();
    let mut local = Local::new(&options, book)?;
    let mut out = arguments.out.as_deref().map(Folder::of_outputs).transpose()?;
    if has_no_reference {
        warn(NO_REFERENCE);
    }
    arguments.inputs.feed("replay", &mut local, |local| write_outputs(local, out.as_mut()))?;
    if let Some(mut out) = out {
        out.sender_days(local.sender_days())?;
        out.finish()?;
    }
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

/// The folder, when there is nothing in it.
fn empty_folder(path: &Path) -> Result<&Path, Failure> {
    match path.read_dir().map(|mut entries| entries.next().is_none()) {
        Ok(false) => Err(Failure::usage(format!(
            "--store: {} is not empty; name another folder, or remove it, since the state of another run serves none",
            path.display()
        ))),
        Ok(true) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Err(error) => Err(Failure::usage(format!("--store: cannot read {}: {error}", path.display()))),
    }
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
