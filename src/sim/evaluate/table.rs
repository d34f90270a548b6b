//! The result as a table of text, with Chinese or English headings.

use std::fmt::Write;

use super::score::per_ten_thousand;
use super::{Report, Spread, Unexplained};
use crate::domain::rules::RuleId;
use crate::sim::truth::LineRef;

/// The language of headings and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    pub(super) const fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

/// Rows of cells under a title. The first row is the heading, the first column names.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Vec<String>>,
}

/// Items under a title: the first of all that there are.
pub(super) struct List {
    pub(super) title: &'static str,
    pub(super) count: usize,
    pub(super) items: Vec<String>,
}

impl Report {
    /// Planted acts by kind, rules with recall and precision, and the payment decisions, as lines of text.
    pub fn table(&self, language: Language) -> String {
        let mut out = String::new();
        for (number, table) in self.tables(language).iter().enumerate() {
            out.push_str(if number > 0 { "\n" } else { "" });
            render(&mut out, &table.rows);
        }
        for line in self.sums(language) {
            let _ = write!(out, "\n{line}");
        }
        out.push('\n');
        out
    }

    /// What was missed and what is unexplained, with the statement nearest to it: at most `most` lines of each.
    pub fn details(&self, language: Language, most: usize) -> String {
        let mut out = String::new();
        for list in self.lists(language, most) {
            let _ = writeln!(out, "{}: {}", list.title, list.count);
            for item in &list.items {
                let _ = writeln!(out, "  {item}");
            }
            if list.count > list.items.len() {
                let _ = writeln!(out, "  … {}", list.count - list.items.len());
            }
        }
        out
    }

    pub(super) fn tables(&self, language: Language) -> [Table; 3] {
        [
            Table { title: language.of("埋设", "Planted"), rows: self.act_rows(language) },
            Table { title: language.of("规则", "Rules"), rows: self.rule_rows(language) },
            Table {
                title: language.of("预警、时间与金额", "Alerts, times and money"),
                rows: self.effect_rows(language),
            },
        ]
    }

    /// Payment decisions and money over all rules, one sentence each.
    pub(super) fn sums(&self, language: Language) -> Vec<String> {
        let lines = &self.lines;
        let decisions = format!(
            "{}: {} {}, {} {}, {} {}, {} {}",
            language.of("支付判定", "payment decisions"),
            language.of("明细", "lines"),
            lines.decided,
            language.of("应停付", "to be stopped"),
            lines.expected,
            language.of("已停付", "stopped"),
            lines.found,
            language.of("误停付", "stopped wrongly"),
            lines.unexplained,
        );
        let money = format!(
            "{}: {} {}, {} {}",
            language.of("涉险金额（元，每条明细计一次）", "money at risk (yuan, each line once)"),
            language.of("已发现", "found"),
            self.money_found,
            language.of("漏失", "missed"),
            self.money_missed,
        );
        let mut sums = vec![decisions, money];
        if let Some(scans) = self.scans {
            let alerts = self.rules.values().map(|score| score.alerts).sum();
            sums.push(format!(
                "{}: {scans}, {} {alerts}, {} {}",
                language.of("扫码次数", "scans"),
                language.of("预警", "alerts"),
                language.of("每万次扫码", "per 10,000 scans"),
                rate(alerts, self.scans),
            ));
        }
        sums
    }

    /// The lists that are not empty.
    pub(super) fn lists(&self, language: Language, most: usize) -> Vec<List> {
        let missed = self.missed.iter().map(|truth| {
            let act = language.of(truth.act.title_zh(), truth.act.title_en());
            let at = place(&truth.subject, truth.code.as_deref());
            format!("{} ({act} {}) {at}", truth.rule, truth.act_number)
        });
        let told = |one: &Unexplained| {
            let nearest = one.nearest.as_ref().map_or_else(String::new, |truth| {
                let act = language.of(truth.act.title_zh(), truth.act.title_en());
                format!("; {} {} ({act} {})", language.of("最近", "nearest"), truth.rule, truth.act_number)
            });
            format!("{} {}{nearest}", one.rule, place(&one.subject, one.code.as_deref()))
        };
        let lists = [
            List {
                title: language.of("未发现", "missed"),
                count: self.missed.len(),
                items: missed.take(most).collect(),
            },
            List {
                title: language.of("无法解释", "unexplained"),
                count: self.unexplained.len(),
                items: self.unexplained.iter().take(most).map(told).collect(),
            },
            List {
                title: language.of("对方或范围不同", "other scope or counterpart"),
                count: self.inexact.len(),
                items: self.inexact.iter().take(most).map(told).collect(),
            },
            List {
                title: language.of("曾误报（已撤回）", "passing, withdrawn in the end"),
                count: self.passing.len(),
                items: self.passing.iter().take(most).map(told).collect(),
            },
        ];
        lists.into_iter().filter(|list| list.count > 0).collect()
    }

    fn act_rows(&self, language: Language) -> Vec<Vec<String>> {
        let head = [
            language.of("植入行为", "planted"),
            language.of("起数", "acts"),
            language.of("已发现", "noticed"),
            language.of("全部发现", "in full"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (act, score) in &self.acts {
            rows.push(vec![
                language.of(act.title_zh(), act.title_en()).to_owned(),
                score.planted.to_string(),
                score.noticed.to_string(),
                score.found.to_string(),
            ]);
        }
        rows
    }

    fn rule_rows(&self, language: Language) -> Vec<Vec<String>> {
        let head = [
            language.of("规则", "rule"),
            language.of("应有", "expected"),
            language.of("发现", "found"),
            language.of("无法解释", "unexplained"),
            language.of("曾误报", "passing"),
            language.of("召回率", "recall"),
            language.of("准确率", "precision"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (rule, score) in &self.rules {
            rows.push(vec![
                rule_title(rule, language).to_owned(),
                score.expected.to_string(),
                score.found.to_string(),
                score.unexplained.to_string(),
                score.passing.to_string(),
                percent(score.recall()),
                percent(score.precision()),
            ]);
        }
        rows
    }
}

impl Report {
    /// What a rule costs and brings: alerts, times, money.
    fn effect_rows(&self, language: Language) -> Vec<Vec<String>> {
        let head = [
            language.of("规则", "rule"),
            language.of("预警", "alerts"),
            language.of("每万次扫码", "per 10,000 scans"),
            language.of("到预警：中位", "to alert: median"),
            language.of("95%", "95 %"),
            language.of("最长", "longest"),
            language.of("曾误报存续：中位", "passing stood: median"),
            language.of("最长", "longest"),
            language.of("发现金额", "money found"),
            language.of("漏失金额", "money missed"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (rule, score) in &self.rules {
            let of = |spread: Option<Spread>, pick: fn(Spread) -> i64| length(spread.map(pick));
            rows.push(vec![
                rule_title(rule, language).to_owned(),
                score.alerts.to_string(),
                rate(score.alerts, self.scans),
                of(score.delay, |spread| spread.median_ms),
                of(score.delay, |spread| spread.p95_ms),
                of(score.delay, |spread| spread.max_ms),
                of(score.stood, |spread| spread.median_ms),
                of(score.stood, |spread| spread.max_ms),
                score.money_found.to_string(),
                score.money_missed.to_string(),
            ]);
        }
        rows
    }
}

/// The name of a rule for people.
pub(super) fn rule_title(rule: &str, language: Language) -> &str {
    RuleId::from_name(rule).map_or(rule, |known| language.of(known.entry().title_zh, known.entry().title_en))
}

fn place(line: &LineRef, code: Option<&str>) -> String {
    let LineRef { institution_id, group, document_id, line_id } = line;
    let code = code.map_or_else(String::new, |code| format!(" {code}"));
    format!("{institution_id}/{group}/{document_id}/{line_id}{code}")
}

pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

pub(super) fn rate(alerts: u64, scans: Option<u64>) -> String {
    per_ten_thousand(alerts, scans).map_or_else(|| "–".to_owned(), |rate| format!("{rate:.2}"))
}

/// A length of time in the unit that suits it, with a sign where it is negative.
pub(super) fn length(milliseconds: Option<i64>) -> String {
    let Some(milliseconds) = milliseconds else { return "–".to_owned() };
    match milliseconds.unsigned_abs() {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1e3),
        60_000..3_600_000 => format!("{:.1} min", milliseconds as f64 / 6e4),
        _ => format!("{:.1} h", milliseconds as f64 / 3.6e6),
    }
}

/// Columns as wide as their widest cell: the first to the left, numbers to the right.
pub(super) fn render(out: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |text| width(text));
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or(0)).collect();
    for row in rows {
        for (column, (text, wide)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(wide - width(text));
            let _ = if column == 0 { write!(out, "{text}{blanks}") } else { write!(out, "  {blanks}{text}") };
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// Columns that a text takes on a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}
