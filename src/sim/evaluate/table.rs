//! The result as a table of text, with Chinese or English headings.

use std::fmt::Write;

use super::{Report, Unexplained};
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
    const fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

impl Report {
    /// Planted acts by kind, rules with recall and precision, and the payment decisions, as lines of text.
    pub fn table(&self, language: Language) -> String {
        let mut out = String::new();
        render(&mut out, &self.act_rows(language));
        out.push('\n');
        render(&mut out, &self.rule_rows(language));
        let lines = &self.lines;
        let title = language.of("支付判定", "payment decisions");
        let _ = writeln!(
            out,
            "\n{title}: {} {}, {} {}, {} {}, {} {}",
            language.of("明细", "lines"),
            lines.decided,
            language.of("应停付", "to be stopped"),
            lines.expected,
            language.of("已停付", "stopped"),
            lines.found,
            language.of("误停付", "stopped wrongly"),
            lines.unexplained,
        );
        out
    }

    /// What was missed and what is unexplained, with the statement nearest to it: at most `most` lines of each.
    pub fn details(&self, language: Language, most: usize) -> String {
        let mut out = String::new();
        let missed = self.missed.iter().map(|truth| {
            let act = language.of(truth.act.title_zh(), truth.act.title_en());
            let at = place(&truth.subject, truth.code.as_deref());
            format!("{} ({act} {}) {at}", truth.rule, truth.act_number)
        });
        list(&mut out, language.of("未发现", "missed"), missed, most);
        let told = |one: &Unexplained| {
            let nearest = one.nearest.as_ref().map_or_else(String::new, |truth| {
                let act = language.of(truth.act.title_zh(), truth.act.title_en());
                format!("; {} {} ({act} {})", language.of("最近", "nearest"), truth.rule, truth.act_number)
            });
            format!("{} {}{nearest}", one.rule, place(&one.subject, one.code.as_deref()))
        };
        let unexplained = language.of("无法解释", "unexplained");
        list(&mut out, unexplained, self.unexplained.iter().map(told), most);
        let inexact = language.of("对方或范围不同", "other scope or counterpart");
        list(&mut out, inexact, self.inexact.iter().map(told), most);
        out
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
            let title = RuleId::from_name(rule)
                .map_or(rule.as_str(), |known| language.of(known.entry().title_zh, known.entry().title_en));
            rows.push(vec![
                title.to_owned(),
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

fn place(line: &LineRef, code: Option<&str>) -> String {
    let LineRef { institution_id, group, document_id, line_id } = line;
    let code = code.map_or_else(String::new, |code| format!(" {code}"));
    format!("{institution_id}/{group}/{document_id}/{line_id}{code}")
}

/// A heading with the number of items, and the first of them; nothing when there are none.
fn list(out: &mut String, title: &str, items: impl ExactSizeIterator<Item = String>, most: usize) {
    let count = items.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(out, "{title}: {count}");
    for item in items.take(most) {
        let _ = writeln!(out, "  {item}");
    }
    if count > most {
        let _ = writeln!(out, "  … {}", count - most);
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

/// Columns as wide as their widest cell: the first to the left, numbers to the right.
fn render(out: &mut String, rows: &[Vec<String>]) {
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
