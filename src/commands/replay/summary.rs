//! What a replay says at its end: the accounting of the uploads, what was published, and how far time came.

use crate::domain::document::Origin;
use crate::domain::outcome::{InputOutcome, UploadOutcome};
use crate::domain::time::Timestamp;
use crate::evaluate::{Language, columns};
use crate::pipeline::tally::Tally;
use crate::present::figures::grouped;
use crate::run::local::Local;

/// Columns of the first word of a line, and of the second.
const COLUMNS: [usize; 2] = [12, 25];

/// The accounting of the run, what was published, and the time that was reached.
pub(super) fn summary(local: &Local, language: Language) -> String {
    let tally = local.tally();
    let mut lines = accounting(&tally, language);
    lines.extend(refused(&tally, language));
    lines.extend(published(&tally, language));
    lines.push(time(local.now(), local.moved_by(), language));
    lines.join("\n")
}

/// The two equations that hold at rest.
fn accounting(tally: &Tally, language: Language) -> Vec<String> {
    let rejected = tally.inputs_total(|outcome| matches!(outcome, InputOutcome::Rejected(_)));
    let ignored = tally.inputs_total(|outcome| outcome == InputOutcome::Ignored);
    let decoded = tally.inputs_total(|outcome| outcome == InputOutcome::Decoded);
    let merged = |outcome| tally.merged_as(outcome);
    let records = [
        (tally.read_total(), "读取", "read"),
        (rejected, "拒收", "rejected"),
        (ignored, "忽略", "ignored"),
        (decoded, "解码", "decoded"),
    ];
    let uploads = [
        (tally.derived_total(), "拆出", "derived"),
        (merged(UploadOutcome::Accepted), "接受", "accepted"),
        (merged(UploadOutcome::Duplicate), "重复", "duplicate"),
        (merged(UploadOutcome::Superseded), "已被取代", "superseded"),
        (merged(UploadOutcome::NoRoom), "超出容量", "without room"),
        (merged(UploadOutcome::TooLate), "超出保留期", "too late"),
        (tally.in_flight(), "在途", "in flight"),
    ];
    let mut lines = vec![
        equation(language.of("记录", "records"), &records, language),
        equation(language.of("上传", "uploads"), &uploads, language),
    ];
    if tally.reversed_at_issue > 0 {
        let told = language
            .of("份被同一时刻签发的冲正撤销", "by a reversal of the moment in which they were issued");
        let count = grouped(tally.reversed_at_issue);
        lines.push(format!("{}{count} {told}", padded(language.of("冲正", "reversed"), COLUMNS[0])));
    }
    lines
}

/// `records  7 read = 2 rejected + 5 decoded`; in Chinese the word is before its number.
fn equation(title: &str, terms: &[(u64, &str, &str)], language: Language) -> String {
    let mut text = padded(title, COLUMNS[0]);
    for (position, (count, zh, en)) in terms.iter().enumerate() {
        let sign = match position {
            0 => "",
            1 => " = ",
            _ => " + ",
        };
        let count = grouped(*count);
        text.push_str(&match language {
            Language::Chinese => format!("{sign}{zh} {count}"),
            Language::English => format!("{sign}{count} {en}"),
        });
    }
    text
}

fn refused(tally: &Tally, language: Language) -> Vec<String> {
    let title = language.of("拒收", "rejected");
    let whole = tally.inputs.iter().filter_map(|((_, outcome), count)| match outcome {
        InputOutcome::Rejected(reason) => Some(line(title, reason.name(), &grouped(*count))),
        _ => None,
    });
    let beside = language.of("份，同一记录中另有可用的上传", "beside other uploads of the same record");
    let parts = tally
        .rejected_uploads
        .iter()
        .map(|(reason, count)| line(title, reason.name(), &format!("{} {beside}", grouped(*count))));
    whole.chain(parts).collect()
}

fn published(tally: &Tally, language: Language) -> Vec<String> {
    let alerts = tally.alerts.iter().map(|((rule, status), count)| {
        let what = format!("{} {}", padded(rule.name(), COLUMNS[1] - 1), status.name());
        line(language.of("预警", "alerts"), &padded(&what, COLUMNS[1] + 10), &grouped(*count))
    });
    let allowed = tally.allowed.iter().map(|((rule, reason), count)| {
        let told = format!("{}{}{reason}", grouped(*count), language.of("，", ", "));
        line(language.of("已准许", "allowed"), rule.name(), &told)
    });
    let decisions = tally.decisions.iter().map(|((verdict, _), count)| {
        line(language.of("支付判定", "decisions"), verdict.name(), &grouped(*count))
    });
    alerts.chain(allowed).chain(decisions).collect()
}

/// The time that was reached, and what moved it there: an upload, or else `--until`.
fn time(now: Option<Timestamp>, moved_by: Option<(&Origin, Timestamp)>, language: Language) -> String {
    let told = match (now, moved_by) {
        (None, _) => {
            language.of("未曾推进：没有上传被接受", "never moved: no upload was accepted").to_owned()
        }
        (Some(now), None) => match language {
            Language::Chinese => format!("{now}，由 --until 指定；没有上传推进过时间"),
            Language::English => format!("{now}, by --until; no upload moved it"),
        },
        (Some(now), Some((origin, moment))) => {
            let (file, number) = (&origin.topic, origin.offset);
            match (language, moment < now) {
                (Language::Chinese, false) => format!("{now}，由 {file} 第 {number} 行推进至此"),
                (Language::Chinese, true) => {
                    format!("{now}，由 --until 指定；上传中推进最远的是 {file} 第 {number} 行，至 {moment}")
                }
                (Language::English, false) => format!("{now}, moved furthest by {file} line {number}"),
                (Language::English, true) => format!(
                    "{now}, by --until; of the uploads {file} line {number} moved it furthest, to {moment}"
                ),
            }
        }
    };
    format!("{}{told}", padded(language.of("时间", "time"), COLUMNS[0]))
}

/// `title  name  told`, in columns.
fn line(title: &str, name: &str, told: &str) -> String {
    format!("{}{}{told}", padded(title, COLUMNS[0]), padded(name, COLUMNS[1]))
}

/// Blanks behind a text up to this many columns.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mover_of_time_is_the_upload_or_the_option() {
        let moment = |seconds: i64| Timestamp::from_unix_millis(seconds * 1_000);
        let origin =
            Origin { topic: "a.ndjson".into(), partition: 0, offset: 7, received_at: Timestamp::default() };
        let told = |now: Option<i64>, moved_to: Option<i64>, language| {
            time(now.map(moment), moved_to.map(|to| (&origin, moment(to))), language)
        };
        for (now, moved_to, zh, en) in [
            (None, None, "未曾推进", "never moved"),
            (
                Some(9),
                Some(9),
                ":09+08:00，由 a.ndjson 第 7 行",
                ":09+08:00, moved furthest by a.ndjson line 7",
            ),
            (Some(9), None, "--until", ":09+08:00, by --until; no upload"),
            (
                Some(9),
                Some(5),
                "--until 指定；上传中推进最远的是 a.ndjson 第 7 行，至 1970-01-01T08:00:05",
                ":09+08:00, by --until; of the uploads a.ndjson line 7 moved it furthest, to 1970-01-01T08:00:05",
            ),
        ] {
            for (language, expected) in [(Language::Chinese, zh), (Language::English, en)] {
                let told = told(now, moved_to, language);
                assert!(told.contains(expected), "{told}");
            }
        }
    }

    #[test]
    fn an_equation_reads_as_its_language_does() {
        let terms = [(4, "读取", "read"), (0, "拒收", "rejected"), (4, "解码", "decoded")];
        let told = |language| equation("", &terms, language).trim_start().to_owned();
        assert_eq!(told(Language::Chinese), "读取 4 = 拒收 0 + 解码 4");
        assert_eq!(told(Language::English), "4 read = 0 rejected + 4 decoded");
    }

    #[test]
    fn titles_are_as_wide_in_both_languages() {
        assert_eq!(columns(&padded("支付判定", 12)), columns(&padded("decisions", 12)));
    }
}
