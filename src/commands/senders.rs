//! `senders`: what each institution sends in files, as a table, and whether it is ready to be settled by: the admission
//! test of a new sender.

use super::inputs::Inputs;
use super::language::LanguageArguments;
use super::{ConfigArguments, Failure, say};
use crate::domain::sender::Counts;
use crate::evaluate::admission::{Admission, Demands, Fault, Mend, Verdict};
use crate::evaluate::{Language, render};
use crate::pipeline::topics::Topic;
use crate::present::figures::grouped;
use crate::run::local::{Local, LocalOptions};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    /// Least share of the settlement lines that need a trace code which must have or borrow one.
    #[arg(long, default_value_t = 95, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    coded: u8,
    /// Least share of documents that must not be late: first issued within 48 hours of what they report.
    #[arg(long, default_value_t = 95, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    timely: u8,
    #[command(flatten)]
    language: LanguageArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the command. It fails where an institution is not ready.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let language = arguments.language.language();
    let admission = admission(arguments)?;
    let verdicts =
        admission.verdicts(Demands { coded_percent: arguments.coded, timely_percent: arguments.timely });
    say(table(&verdicts, language).trim_end())?;
    for verdict in &verdicts {
        say(told(verdict, language))?;
    }
    if verdicts.is_empty() {
        let nothing = language.of("文件中没有任何记录", "the files hold no records");
        return Err(Failure { exit_code: 1, message: nothing.to_owned() });
    }
    match verdicts.iter().filter(|verdict| !verdict.is_ready()).count() {
        0 => Ok(()),
        unready => Err(Failure { exit_code: 1, message: not_ready(unready, verdicts.len(), language) }),
    }
}

/// What the files say of each institution, through all stages.
fn admission(arguments: &Arguments) -> Result<Admission, Failure> {
    let config = arguments.config.load()?;
    let book = arguments.inputs.book()?;
    let options = LocalOptions::from_config(&config).map_err(|error| Failure::usage(error.to_string()))?;
    let mut local = Local::new(&options, book)?;
    let mut admission = Admission::default();
    arguments.inputs.feed("senders", &mut local, |local| look(local, &mut admission))?;
    for record in local.sender_days() {
        admission.sender_day(record)?;
    }
    Ok(admission)
}

/// Notes what was published since the last look.
fn look(local: &mut Local, admission: &mut Admission) -> Result<(), Failure> {
    for output in local.drain()? {
        let Some(payload) = output.record.payload.as_deref() else { continue };
        match output.topic {
            Topic::Alerts => admission.alert(payload)?,
            Topic::Deadletter => admission.dead_letter(payload)?,
            _ => {}
        }
    }
    Ok(())
}

/// A line for each institution.
fn table(verdicts: &[Verdict<'_>], language: Language) -> String {
    let titles = [
        language.of("机构", "institution"),
        language.of("记录", "records"),
        language.of("忽略", "ignored"),
        language.of("拒收记录", "rejected"),
        language.of("上传", "uploads"),
        language.of("拒收上传", "refused"),
        language.of("重复", "duplicate"),
        language.of("单据", "documents"),
        language.of("迟报", "late"),
        language.of("应扫码行", "need codes"),
        language.of("有码", "have one"),
        language.of("仅借码", "lent only"),
        language.of("待冲正", "reversals waiting"),
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(verdicts.iter().map(|verdict| {
        let Counts { received, standing } = verdict.counts;
        let figures = [
            received.records,
            received.ignored,
            received.rejected.values().sum(),
            received.uploads,
            received.uploads_rejected.values().sum(),
            received.duplicates,
            standing.documents,
            standing.late,
            standing.lines_need_codes,
            standing.lines_with_code,
            standing.lines_with_lent_code_only,
            standing.reversals_waiting,
        ];
        std::iter::once(name(verdict, language)).chain(figures.map(grouped)).collect()
    }));
    let mut table = String::new();
    render(&mut table, &rows);
    table
}

fn name(verdict: &Verdict<'_>, language: Language) -> String {
    verdict.institution_id.unwrap_or(language.of("（无机构）", "(names none)")).to_owned()
}

/// Ready, or what is to be mended, worst first.
fn told(verdict: &Verdict<'_>, language: Language) -> String {
    let name = name(verdict, language);
    let ending = match (verdict.to_mend.is_empty(), verdict.has_documents()) {
        (false, _) => language.of("：需整改", ": to be mended"),
        (true, true) => language.of("：合格", ": ready"),
        (true, false) => {
            language.of("：没有有效单据，无从评判", ": no document stands, so nothing can be said")
        }
    };
    let mut lines = vec![format!("\n{name}{ending}")];
    for (number, mend) in verdict.to_mend.iter().enumerate() {
        lines.push(format!("  {}. {}", number + 1, fault(mend, language)));
        for (place, words) in &mend.places {
            let words = words.as_ref().map_or(String::new(), |(zh, en)| format!("  {}", language.of(zh, en)));
            lines.push(format!("     {place}{words}"));
        }
    }
    lines.extend(noticed(verdict.counts, language).into_iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

fn fault(mend: &Mend, language: Language) -> String {
    let (concerned, of) = (grouped(mend.concerned), grouped(mend.of));
    match language {
        Language::Chinese => match &mend.fault {
            Fault::RecordsRejected(reason) => {
                format!("{of} 条记录中有 {concerned} 条被整条拒收（{}）", reason.name())
            }
            Fault::UploadsRejected(reason) => {
                format!("读入 {of} 份上传，另有 {concerned} 份被拒收（{}）", reason.name())
            }
            Fault::FieldUnreadable(field) => {
                format!("必要字段 {field} 有 {concerned} 处无法读取，已略去")
            }
            Fault::Uncoded => {
                format!("{of} 行应扫码的结算明细中有 {concerned} 行既无追溯码，也未由发药记录借到码")
            }
            Fault::Late => format!("{of} 份单据中有 {concerned} 份在事后 48 小时以后才首次上传"),
        },
        Language::English => match &mend.fault {
            Fault::RecordsRejected(reason) => {
                format!("{concerned} of {of} records are rejected as a whole ({})", reason.name())
            }
            Fault::UploadsRejected(reason) => {
                format!("uploads refused: {concerned}, beside {of} that were read ({})", reason.name())
            }
            Fault::FieldUnreadable(field) => {
                format!("the needed field {field} cannot be read in {concerned} places and is left out")
            }
            Fault::Uncoded => format!(
                "{concerned} of {of} settlement lines that need a trace code neither have one nor borrow one from the \
                 hand-over"
            ),
            Fault::Late => {
                format!(
                    "{concerned} of {of} documents were first issued more than 48 hours after they happened"
                )
            }
        },
    }
}

/// What is no fault by itself and yet worth a look.
fn noticed(counts: &Counts, language: Language) -> Vec<String> {
    let standing = &counts.standing;
    let lines = [
        (
            standing.claims_without_number,
            "既无结算编号也无就诊编号、发药记录无法为其借码的结算（国家接口：请随交易一并上报平台的应答）",
            "settlements with neither a settlement nor a visit number, which no hand-over can lend codes to (national \
             interface: send the platform's answers with the messages)",
        ),
        (standing.codes_not_sent, "已申明而未见上传的追溯码", "codes declared and never sent"),
        (standing.reversals_waiting, "找不到所冲单据的冲正", "reversals that wait for what they take back"),
    ];
    let told = lines.into_iter().filter(|(count, ..)| *count > 0).map(|(count, zh, en)| match language {
        Language::Chinese => format!("注意：{zh}：{}", grouped(count)),
        Language::English => format!("notice: {en}: {}", grouped(count)),
    });
    told.collect()
}

fn not_ready(unready: usize, all: usize, language: Language) -> String {
    match language {
        Language::Chinese => format!("{all} 家机构中有 {unready} 家尚不合格"),
        Language::English => format!("{unready} of {all} institutions are not ready"),
    }
}
