//! `demo`: a simulated province through all stages on the memory twin, nothing to set up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Failure, say};
use crate::config::Config;
use crate::domain::claim::Verdict;
use crate::domain::reference::Book;
use crate::domain::time::Timestamp;
use crate::run::local::{Local, LocalOptions};
use crate::sim::evaluate::{Evaluation, Language};
use crate::sim::{self, Parameters};
use crate::stage::topology::Topic;
use crate::telemetry::progress::Progress;
use crate::wire::alert::{self, AlertMessage};
use crate::wire::decision;
use crate::wire::reference;

/// Uploads between two looks at what was published.
const LOOK_EVERY: u64 = 500;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The same seed makes the same province.
    #[arg(long, default_value_t = 20_260_105)]
    seed: u64,
    /// Also write the province to this folder: the files of `simulate`, and report.html, the evaluation.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let parameters = Parameters::demo(arguments.seed);
    say(format_args!(
        "追溯卫士 tracewarden: a simulated province (seed {}): {} institutions, {} persons, {} days, with planted \
         fraud and the dirt of real uploads. All stages run in this process, in memory.",
        parameters.seed, parameters.institutions, parameters.persons, parameters.days
    ));
    let mut book = Book::default();
    for record in sim::reference(&parameters) {
        book.apply(reference::from_json(record.as_bytes())?);
    }
    let config = Config::default();
    let options = LocalOptions::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?;
    let mut local = Local::new(&options, book)?;
    let mut watch = Watch::default();
    let mut files = arguments.out.as_deref().map(super::files::ProvinceFolder::create).transpose()?;
    if let Some(files) = &mut files {
        files.begin(&parameters)?;
    }

    let progress = Progress::of_count("demo", None);
    let mut province = sim::uploads(&parameters);
    let mut uploads = 0_u64;
    while let Some(upload) = province.next() {
        let truth = province.take_truth();
        uploads += 1;
        if let Some(files) = &mut files {
            files.truth(&truth)?;
            files.upload(&upload.json)?;
        }
        watch.evaluation.expect(truth);
        local.feed(upload.json.into_bytes(), "province", uploads)?;
        progress.advance(1);
        if uploads.is_multiple_of(LOOK_EVERY) {
            watch.look(&mut local)?;
            progress.say(watch.live_line(&local));
        }
    }
    let truth = province.take_truth();
    if let Some(files) = &mut files {
        files.truth(&truth)?;
    }
    watch.evaluation.expect(truth);
    local.finish(Some(Timestamp::from_unix_millis(parameters.until())))?;
    watch.look(&mut local)?;
    progress.finish();
    if let Some(files) = files {
        files.finish()?;
    }

    say(format_args!("\n{}", super::replay::summary(&local)));
    say(format_args!("\nWhat was planted, and what was found 埋设与发现\n"));
    let report = watch.evaluation.report();
    say(report.table(Language::English));
    say(watch.money());
    say("\nSome alerts, as an inspector would hear them 预警示例\n");
    for told in watch.told.values() {
        if let Some(text) = &told.text {
            say(format_args!("· {}\n  {}\n", text.zh, text.en));
        }
    }
    if let Some(folder) = &arguments.out {
        let page = folder.join("report.html");
        std::fs::write(&page, report.html(None, Language::English))
            .map_err(|error| super::files::of_path(&page, &error))?;
        say(format_args!("The evaluation as a page 评估报告: {}\n", page.display()));
    }
    say(WHAT_NEXT);
    Ok(())
}

const WHAT_NEXT: &str = "\
What to try next 接下来
  tracewarden demo --seed 7 --out /tmp/province     another province, kept as files
  tracewarden replay /tmp/province/uploads.ndjson --reference /tmp/province/reference.ndjson --out /tmp/out
  tracewarden simulate --days 7 --out /tmp/week     a province of your own, with its truth, for `evaluate`
  tracewarden rules                                 what each rule finds, and what it does
  README.md                                         the service on Apache Kafka";

/// What is seen of the outputs as they come.
#[derive(Default)]
struct Watch {
    evaluation: Evaluation,
    open_alerts: BTreeSet<String>,
    /// The first raised alert of each rule.
    told: BTreeMap<String, AlertMessage>,
    verdicts: BTreeMap<(String, String), decision::DecisionMessage>,
}

impl Watch {
    fn look(&mut self, local: &mut Local) -> Result<(), Failure> {
        for output in local.drain()? {
            let Some(payload) = output.record.payload else { continue };
            match output.topic {
                Topic::Alerts => {
                    self.evaluation.alert(&String::from_utf8_lossy(&payload))?;
                    let alert = alert::parse(&payload)?;
                    if alert.status == "withdrawn" {
                        self.open_alerts.remove(&alert.alert_id);
                    } else {
                        self.open_alerts.insert(alert.alert_id.clone());
                        self.told.entry(alert.rule.clone()).or_insert(alert);
                    }
                }
                Topic::Decisions => {
                    self.evaluation.decision(&String::from_utf8_lossy(&payload))?;
                    let decision = decision::parse(&payload)?;
                    let Some(claim) = decision.claim.clone() else { continue };
                    self.verdicts.insert((claim.institution_id, claim.document_id), decision);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn live_line(&self, local: &Local) -> String {
        let now = local.now().map_or_else(String::new, |now| now.to_string());
        format!("{now}  open alerts {}  claims decided {}", self.open_alerts.len(), self.verdicts.len())
    }

    /// Claims by verdict, with what is paid, not paid, and to be recovered.
    fn money(&self) -> String {
        let mut text = String::from("Decisions 支付判定\n\n");
        for verdict in [Verdict::Pay, Verdict::Hold, Verdict::Refuse] {
            let of_it = self.verdicts.values().filter(|d| !d.withdrawn && d.verdict == verdict.name());
            let (mut claims, mut payable, mut amount, mut recover) = (0_u64, 0, 0, 0);
            for decision in of_it {
                claims += 1;
                payable += fen(&decision.payable);
                recover += fen(&decision.recover);
                amount += decision.lines.iter().map(|line| fen(&line.amount)).sum::<i64>();
            }
            let _ = writeln!(
                text,
                "  {:<7} {claims:>6} claims   asked {:>12}   payable {:>12}   to recover {:>10}",
                verdict.name(),
                crate::domain::amount::Money::from_fen(amount).to_string(),
                crate::domain::amount::Money::from_fen(payable).to_string(),
                crate::domain::amount::Money::from_fen(recover).to_string(),
            );
        }
        let withdrawn = self.verdicts.values().filter(|decision| decision.withdrawn).count();
        let _ = writeln!(text, "  taken back {withdrawn:>3} claims");
        text
    }
}

fn fen(yuan: &str) -> i64 {
    crate::wire::decimal::money(yuan).map_or(0, crate::domain::amount::Money::fen)
}
