//! `demo`: a simulated province through all stages on the memory twin, nothing to set up. It shows how the work goes
//! on, and in the end how well what was planted was found: in a few sentences, a table, and a page with plots.

mod next;
mod watch;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use self::next::Next;
use self::watch::Watch;
use super::files::{unwritable, write};
use super::folder::Folder;
use super::language::LanguageArguments;
use super::{Failure, say};
use crate::config::Config;
use crate::domain::time::Timestamp;
use crate::evaluate::{Language, scans_in};
use crate::present::figures::grouped;
use crate::present::progress::Block;
use crate::run::local::{Local, LocalOptions};
use crate::sim::{self, Parameters};

/// Uploads between two looks at what was published.
const LOOK_EVERY: u64 = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The same seed makes the same province.
    #[arg(long, default_value_t = 20_260_105)]
    seed: u64,
    /// Keep the province, what was published, and the report in this folder; without it only the report is kept, in a
    /// new folder among the temporary files.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    language: LanguageArguments,
}

/// Three weeks of some hundred institutions.
fn province(seed: u64) -> Parameters {
    Parameters {
        institutions: 300,
        persons: 20_000,
        codes_per_day: 2_000,
        products: 200,
        ..Parameters::demo(seed)
    }
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = arguments.language.language();
    let parameters = province(arguments.seed);
    // Refused before the work rather than after it.
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => fresh_folder(&std::env::temp_dir())?,
    };
    let mut files = match &arguments.out {
        Some(folder) => Some(Folder::of_province_and_outputs(folder, &parameters)?),
        None => None,
    };
    say(opening(&parameters, language))?;
    let started = Instant::now();
    let watch = judge(&parameters, files.as_mut(), language)?;
    let elapsed = started.elapsed();
    if let Some(files) = files {
        files.finish()?;
    }
    let report = watch.report();
    let page = folder.join("report.html");
    write(&page, &report.html(None, language)?)?;
    say(report.overview(language))?;
    say(watch.claims(language))?;
    say(watch.told(language))?;
    say(ending(&watch, elapsed, language))?;
    say(format_args!(
        "{}{}",
        language.of("评估报告（中文、英文，带图）：", "Report with plots: "),
        page.display()
    ))?;
    let next = Next {
        program: std::env::args_os().next(),
        kept: arguments.out.as_deref(),
        parameters: &parameters,
        code: watch.told_code(),
    };
    say(next.text(language))?;
    Ok(())
}

/// Feeds the province to all stages and watches what they publish.
fn judge(
    parameters: &Parameters,
    mut files: Option<&mut Folder>,
    language: Language,
) -> Result<Watch, Failure> {
    let mut local = set_up(parameters)?;
    let mut watch = Watch::new(parameters);
    let mut block = Block::new(language.of("；", "; "));
    let mut province = sim::uploads(parameters);
    loop {
        let upload = province.next();
        let truth = province.take_truth();
        if let Some(files) = &mut files {
            files.truth(&truth)?;
        }
        watch.expect(truth);
        let Some(upload) = upload else { break };
        if let Some(files) = &mut files {
            files.upload(&upload.json)?;
        }
        watch.count(scans_in(upload.json.as_bytes())?);
        local.feed(upload.json.into_bytes(), "province", watch.uploads())?;
        if watch.uploads().is_multiple_of(LOOK_EVERY) {
            watch.look(&mut local, files.as_deref_mut())?;
            if block.is_due() {
                block.show(&watch.live(local.now(), language));
            }
        }
    }
    local.finish(Some(Timestamp::from_unix_millis(parameters.until())))?;
    watch.look(&mut local, files.as_deref_mut())?;
    if let Some(files) = files {
        files.sender_days(local.sender_days())?;
    }
    block.finish();
    Ok(watch)
}

fn set_up(parameters: &Parameters) -> Result<Local, Failure> {
    let options =
        LocalOptions::from_config(&Config::default()).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Local::new(&options, sim::book(parameters)?)?)
}

/// A folder that nobody has yet. Its name tells when it was made.
fn fresh_folder(parent: &Path) -> Result<PathBuf, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut number = 0;
    loop {
        let folder = parent.join(format!("tracewarden-demo-{now}-{number}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1_000 => number += 1,
            Err(error) => return Err(unwritable(&folder, &error)),
        }
    }
}

fn opening(parameters: &Parameters, language: Language) -> String {
    let Parameters { seed, days, .. } = parameters;
    let [institutions, persons] =
        [parameters.institutions, parameters.persons].map(|count| grouped(count.into()));
    match language {
        Language::Chinese => format!(
            "追溯卫士 tracewarden · 演示\n\
             模拟省份：{institutions} 家定点医药机构，{persons} 名参保人，{days} 天（种子 {seed}）。\n\
             其中埋有欺诈；上传会迟到、重复、出错，一如现实。全部环节在本进程内存中运行。\n"
        ),
        Language::English => format!(
            "tracewarden · demo\n\
             A simulated province: {institutions} institutions, {persons} persons, {days} days (seed {seed}).\n\
             Fraud is planted in it. Uploads come late, twice and wrong, as in life. All stages run in this process.\n"
        ),
    }
}

fn ending(watch: &Watch, elapsed: Duration, language: Language) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let rate = |count: u64| grouped((count as f64 / seconds) as u64);
    let (uploads, scans) = (watch.uploads(), watch.scans());
    match language {
        Language::Chinese => format!(
            "用时 {seconds:.1} 秒：上传 {} 份（每秒 {}），扫码 {} 次（每秒 {}），单线程。",
            grouped(uploads),
            rate(uploads),
            grouped(scans),
            rate(scans)
        ),
        Language::English => format!(
            "It took {seconds:.1} s: {} uploads ({} a second), {} scans ({} a second), on one thread.",
            grouped(uploads),
            rate(uploads),
            grouped(scans),
            rate(scans)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        let folders = [(); 3].map(|()| fresh_folder(home.path()).unwrap());
        assert!(
            folders[0] != folders[1] && folders[1] != folders[2] && folders.iter().all(|one| one.is_dir())
        );
        assert_eq!(fresh_folder(&home.path().join("none")).unwrap_err().exit_code, 1);
    }
}
