//! The result as a table of text, with Chinese or English headings.

use std::fmt::Write;

use super::score::per_ten_thousand;
use super::{Report, RuleScore, Spread, Timing, Unexplained};
use crate::domain::rules::RuleId;
use crate::present::figures::{grouped, yuan};
use crate::present::language::Language;
use crate::sim::LineRef;

/// Rows of cells under a title. The first row is the heading, the first column names.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// What its columns mean; may be empty.
    pub(super) note: &'static str,
    pub(super) rows: Vec<Vec<String>>,
}

/// Items under a title: the first of all that there are.
pub(super) struct List {
    pub(super) title: &'static str,
    /// Whether something is wrong with each of them.
    pub(super) is_fault: bool,
    pub(super) count: usize,
    pub(super) items: Vec<String>,
}

impl List {
    /// How many items are not listed.
    pub(super) fn left_out(&self, language: Language) -> String {
        let count = grouped(self.count.saturating_sub(self.items.len()) as u64);
        match language {
            Language::Chinese => format!("另有 {count} 条未列出"),
            Language::English => format!("and {count} more"),
        }
    }

    /// Title and count.
    pub(super) fn heading(&self, language: Language) -> String {
        format!("{}{}{}", self.title, language.of("：", ": "), grouped(self.count as u64))
    }
}

impl Report {
    /// The result in sentences, then rules, times, and planted acts, as lines of text.
    pub fn table(&self, language: Language) -> String {
        let mut out = self.overview(language);
        for table in self.tables(language).iter().skip(1) {
            out.push('\n');
            render(&mut out, &table.rows);
        }
        out
    }

    /// The result in sentences, and the table of rules.
    pub fn overview(&self, language: Language) -> String {
        let mut out = self.sums(language).join("\n");
        out.push_str("\n\n");
        render(&mut out, &self.rule_rows(language));
        out
    }

    /// What was missed and what is unexplained, with the statement nearest to it: at most `most` lines of each.
    pub fn details(&self, language: Language, most: usize) -> String {
        let mut out = String::new();
        for list in self.lists(language, most) {
            let _ = writeln!(out, "{}", list.heading(language));
            for item in &list.items {
                let _ = writeln!(out, "  {item}");
            }
            if list.count > list.items.len() {
                let _ = writeln!(out, "  {}", list.left_out(language));
            }
        }
        out
    }

    /// The table of rules first.
    pub(super) fn tables(&self, language: Language) -> [Table; 3] {
        [
            Table {
                title: language.of("规则", "Rules"),
                note: language.of(
                    "应有：真值中应报的；无法解释：报出而真值中没有的。金额：判定中涉险明细的基金金额。",
                    "expected: what the truth demands; unexplained: reported, and not in the truth. Money: what the fund \
                     would pay for the claim lines at risk.",
                ),
                rows: self.rule_rows(language),
            },
            Table {
                title: language.of("预警与时间", "Alerts and times"),
                note: language.of(
                    "“提前”：预警早于真值可知之时，如等待期设得较短，或上传方时钟偏慢。曾误报：因上传迟到而一度成立、后来自行撤回的预警，以及它们存续的时间。",
                    "early: the alert came before the truth could be known, as with a shorter wait or a sender's slow \
                     clock. withdrawn: alerts that stood for a while because \
                     something came late, and how long they stood.",
                ),
                rows: self.time_rows(language),
            },
            Table {
                title: language.of("植入的行为", "What was planted"),
                note: language.of(
                    "一起行为通常应引出多条预警：已发现为至少一条，全部发现为每一条。",
                    "An act usually has several alerts: noticed is at least one of them, in full is all.",
                ),
                rows: self.act_rows(language),
            },
        ]
    }

    /// All rules together.
    pub(super) fn total(&self) -> RuleScore {
        let mut total = RuleScore::default();
        for score in self.rules.values() {
            total.expected += score.expected;
            total.found += score.found;
            total.unexplained += score.unexplained;
            total.passing += score.passing;
            total.alerts += score.alerts;
        }
        total
    }

    /// The result over all rules, the most important first, one sentence each.
    pub(super) fn sums(&self, language: Language) -> Vec<String> {
        match language {
            Language::Chinese => self.sums_zh(),
            Language::English => self.sums_en(),
        }
    }

    fn sums_en(&self) -> Vec<String> {
        let (total, lines) = (self.total(), &self.lines);
        let scans = self.scans.map_or_else(String::new, |scans| {
            format!(", {} per 10,000 scans ({} scans)", rate(total.alerts, self.scans), grouped(scans))
        });
        let mut sums = vec![
            format!(
                "Found: {} of {} expected (recall {}); {} unexplained (precision {}).",
                grouped(total.found),
                grouped(total.expected),
                percent(total.recall()),
                grouped(total.unexplained),
                percent(total.precision())
            ),
            format!(
                "Money at risk: {} yuan found, {} missed; each line once.",
                yuan(self.money_found),
                yuan(self.money_missed)
            ),
            format!(
                "Payments: {} lines decided; {} of {} reasons to stop found, {} wrong ones.",
                grouped(lines.decided),
                grouped(lines.found),
                grouped(lines.expected),
                grouped(lines.unexplained)
            ),
            format!(
                "Alerts: {} open in the end{scans}; {} withdrawn before.",
                grouped(total.alerts),
                grouped(total.passing)
            ),
        ];
        if self.rules.values().any(|score| score.delay.is_some()) {
            let told = match self.timing {
                Timing::SinceKnown => {
                    "Times to alerts count from when the truth can be known, in the time of the senders; early: \
                     before that."
                }
                Timing::SinceReceipt => {
                    "Times to alerts count from the receipt of the upload that decided; waiting periods are part of \
                     them."
                }
            };
            sums.push(told.to_owned());
        }
        sums
    }

    fn sums_zh(&self) -> Vec<String> {
        let (total, lines) = (self.total(), &self.lines);
        let scans = self.scans.map_or_else(String::new, |scans| {
            format!("，每万次扫码 {} 条（共扫码 {} 次）", rate(total.alerts, self.scans), grouped(scans))
        });
        let mut sums = vec![
            format!(
                "发现：应有 {} 条，发现 {} 条（召回率 {}）；无法解释 {} 条（准确率 {}）。",
                grouped(total.expected),
                grouped(total.found),
                percent(total.recall()),
                grouped(total.unexplained),
                percent(total.precision())
            ),
            format!(
                "涉险金额：已发现 {} 元，漏失 {} 元；每条明细计一次。",
                yuan(self.money_found),
                yuan(self.money_missed)
            ),
            format!(
                "支付判定：明细 {} 行；应停付理由 {} 项，判出 {} 项，误判 {} 项。",
                grouped(lines.decided),
                grouped(lines.expected),
                grouped(lines.found),
                grouped(lines.unexplained)
            ),
            format!(
                "预警：最终有效 {} 条{scans}；此前撤回 {} 条。",
                grouped(total.alerts),
                grouped(total.passing)
            ),
        ];
        if self.rules.values().any(|score| score.delay.is_some()) {
            sums.push(match self.timing {
                Timing::SinceKnown => {
                    "到预警的时间：从真值可知之时起算，按上传方的时间；“提前”指早于此时。".to_owned()
                }
                Timing::SinceReceipt => {
                    "到预警的时间：从收到起决定作用的上传起算，含规则的等待期。".to_owned()
                }
            });
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
                format!("{} {} ({act} {})", language.of("；最近", "; nearest"), truth.rule, truth.act_number)
            });
            format!("{} {}{nearest}", one.rule, place(&one.subject, one.code.as_deref()))
        };
        let lists = [
            List {
                title: language.of("未发现", "missed"),
                is_fault: true,
                count: self.missed.len(),
                items: missed.take(most).collect(),
            },
            List {
                title: language.of("无法解释", "unexplained"),
                is_fault: true,
                count: self.unexplained.len(),
                items: self.unexplained.iter().take(most).map(told).collect(),
            },
            List {
                title: language.of("对方或范围不同", "other scope or counterpart"),
                is_fault: true,
                count: self.inexact.len(),
                items: self.inexact.iter().take(most).map(told).collect(),
            },
            List {
                title: language.of("曾误报（已撤回）", "passing, withdrawn in the end"),
                is_fault: false,
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
                grouped(score.planted),
                grouped(score.noticed),
                grouped(score.found),
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
            language.of("召回率", "recall"),
            language.of("准确率", "precision"),
            language.of("到预警", "to alert"),
            language.of("发现金额", "money found"),
            language.of("漏失金额", "missed"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (rule, score) in &self.rules {
            rows.push(vec![
                rule_title(rule, language).to_owned(),
                grouped(score.expected),
                grouped(score.found),
                grouped(score.unexplained),
                percent(score.recall()),
                percent(score.precision()),
                time_to_alert(score.delay.map(|delay| delay.median_ms), language),
                yuan(score.money_found),
                yuan(score.money_missed),
            ]);
        }
        rows
    }

    /// What a rule costs its readers, and when it speaks.
    fn time_rows(&self, language: Language) -> Vec<Vec<String>> {
        let head = [
            language.of("规则", "rule"),
            language.of("预警", "alerts"),
            language.of("每万次扫码", "per 10,000 scans"),
            language.of("到预警：中位", "to alert: median"),
            language.of("95%", "95 %"),
            language.of("最长", "longest"),
            language.of("曾误报", "withdrawn"),
            language.of("存续：中位", "stood: median"),
            language.of("最长", "longest"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (rule, score) in &self.rules {
            let to_alert = |pick: fn(Spread) -> i64| time_to_alert(score.delay.map(pick), language);
            let stood = |pick: fn(Spread) -> i64| length(score.stood.map(pick));
            rows.push(vec![
                rule_title(rule, language).to_owned(),
                grouped(score.alerts),
                rate(score.alerts, self.scans),
                to_alert(|spread| spread.median_ms),
                to_alert(|spread| spread.p95_ms),
                to_alert(|spread| spread.max_ms),
                grouped(score.passing),
                stood(|spread| spread.median_ms),
                stood(|spread| spread.max_ms),
            ]);
        }
        rows
    }
}

/// The name of a rule for people.
pub fn rule_title(rule: &str, language: Language) -> &str {
    RuleId::from_name(rule).map_or(rule, |known| language.of(known.entry().title.zh, known.entry().title.en))
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

/// How long an alert took from the moment that counts; one that came sooner was early.
pub(super) fn time_to_alert(milliseconds: Option<i64>, language: Language) -> String {
    match milliseconds {
        Some(milliseconds) if milliseconds < 0 => {
            let early = length(Some(milliseconds.saturating_neg()));
            match language {
                Language::Chinese => format!("提前 {early}"),
                Language::English => format!("{early} early"),
            }
        }
        _ => length(milliseconds),
    }
}

/// A length of time in the unit that suits it.
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
pub(crate) fn render(out: &mut String, rows: &[Vec<String>]) {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |text| columns(text));
    let widths: Vec<usize> =
        (0..count).map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or(0)).collect();
    for row in rows {
        for (column, (text, wide)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(wide - columns(text));
            let _ = if column == 0 { write!(out, "{text}{blanks}") } else { write!(out, "  {blanks}{text}") };
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// Columns that a text takes on a terminal: Chinese characters take two.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}
