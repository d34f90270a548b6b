//! A result as one page: tables, and bars drawn as inline SVG. It needs no network, no script and no font of its own.
//!
//! Bars are rectangles of a few lines, so they are drawn here; a plotting library would bring more than it saves.

use std::fmt::Write;

use super::table::{List, Table, percent, rule_title};
use super::{Language, Report};

/// Items of each list on the page.
const LISTED_MAX: usize = 200;
/// Width of a full bar, in pixels.
const BAR_WIDTH: f64 = 320.0;
/// Height of a row of the plot, in pixels.
const ROW_HEIGHT: usize = 34;
/// Where the bars begin, behind the names.
const BARS_LEFT: f64 = 220.0;

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em auto;max-width:1100px;\
padding:0 1em;color:#222;background:#fff}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}\
th,td{padding:.25em .6em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}th{background:#f4f4f4;white-space:normal}\
div.wide{overflow-x:auto}svg{max-width:100%;height:auto}svg text{font-size:13px;fill:#222}\
li{font-family:ui-monospace,monospace;font-size:12px;overflow-wrap:anywhere}";

impl Report {
    /// The page of this run; with another run of the same province, compared with it.
    pub fn html(&self, other: Option<&Self>, language: Language) -> String {
        let title = language.of("追溯卫士 评估报告", "tracewarden: evaluation");
        let tag = language.of("zh-CN", "en");
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
        );
        for line in self.sums(language) {
            let _ = writeln!(page, "<p>{}</p>", escaped(&line));
        }
        self.plot_of_shares(&mut page, language);
        self.plot_of_money(&mut page, language);
        if let Some(other) = other {
            table(&mut page, &self.comparison(other, language));
        }
        for one in &self.tables(language) {
            table(&mut page, one);
        }
        for one in &self.lists(language, LISTED_MAX) {
            list(&mut page, one);
        }
        page.push_str("</body></html>\n");
        page
    }

    /// Recall and precision, one pair of bars for each rule.
    fn plot_of_shares(&self, page: &mut String, language: Language) {
        let rows = self.rules.iter().map(|(rule, score)| {
            let bars =
                [score.recall(), score.precision()].map(|share| (share.unwrap_or(0.0), percent(share)));
            (rule_title(rule, language), bars)
        });
        let legend = [language.of("召回率", "recall"), language.of("准确率", "precision")];
        plot(page, language.of("召回率与准确率", "Recall and precision"), legend, rows.collect());
    }

    /// Money at risk, found and missed, relative to the greatest of all.
    fn plot_of_money(&self, page: &mut String, language: Language) {
        let money = |found: bool| {
            self.rules.values().map(move |score| if found { score.money_found } else { score.money_missed })
        };
        let greatest = money(true).chain(money(false)).max().map_or(1, |most| most.fen().max(1)) as f64;
        let with_money = self
            .rules
            .iter()
            .filter(|(_, score)| score.money_found.fen() > 0 || score.money_missed.fen() > 0);
        let rows = with_money.map(|(rule, score)| {
            let bars = [score.money_found, score.money_missed]
                .map(|amount| (amount.fen() as f64 / greatest, amount.to_string()));
            (rule_title(rule, language), bars)
        });
        let legend = [language.of("已发现", "found"), language.of("漏失", "missed")];
        plot(page, language.of("涉险金额（元）", "Money at risk (yuan)"), legend, rows.collect());
    }
}

/// A row of a plot: its name, and two bars, each with its length from 0 to 1 and its label.
type Bars<'a> = (&'a str, [(f64, String); 2]);

const COLOURS: [&str; 2] = ["#2b6cb0", "#dd8b2f"];

fn plot(page: &mut String, title: &str, legend: [&str; 2], rows: Vec<Bars<'_>>) {
    if rows.is_empty() {
        return;
    }
    let height = (rows.len() + 1) * ROW_HEIGHT;
    let width = BARS_LEFT + BAR_WIDTH + 120.0;
    let title = escaped(title);
    let _ = writeln!(
        page,
        "<h2>{title}</h2>\n<svg role=\"img\" aria-label=\"{title}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">"
    );
    for (number, (name, colour)) in legend.iter().zip(COLOURS).enumerate() {
        let x = BARS_LEFT + 130.0 * number as f64;
        let _ = writeln!(
            page,
            "<rect x=\"{x}\" y=\"6\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"17\">{}</text>",
            x + 18.0,
            escaped(name)
        );
    }
    for (number, (name, bars)) in rows.iter().enumerate() {
        let top = (number + 1) * ROW_HEIGHT;
        let _ = writeln!(
            page,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            BARS_LEFT - 10.0,
            top + 20,
            escaped(name)
        );
        for (nth, ((share, label), colour)) in bars.iter().zip(COLOURS).enumerate() {
            let (y, long) = (top + 2 + nth * 15, share.clamp(0.0, 1.0) * BAR_WIDTH);
            let _ = writeln!(
                page,
                "<rect x=\"{BARS_LEFT}\" y=\"{y}\" width=\"{long:.1}\" height=\"13\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                BARS_LEFT + long + 6.0,
                y + 11,
                escaped(label)
            );
        }
    }
    page.push_str("</svg>\n");
}

fn table(page: &mut String, table: &Table) {
    let _ = writeln!(page, "<h2>{}</h2>\n<div class=\"wide\"><table>", escaped(table.title));
    for (number, row) in table.rows.iter().enumerate() {
        let cell = if number == 0 { "th" } else { "td" };
        page.push_str("<tr>");
        for text in row {
            let _ = write!(page, "<{cell}>{}</{cell}>", escaped(text));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

fn list(page: &mut String, list: &List) {
    let _ = writeln!(page, "<h2>{}: {}</h2>\n<ul>", escaped(list.title), list.count);
    for item in &list.items {
        let _ = writeln!(page, "<li>{}</li>", escaped(item));
    }
    if list.count > list.items.len() {
        let _ = writeln!(page, "<li>… {}</li>", list.count - list.items.len());
    }
    page.push_str("</ul>\n");
}

/// Text from outside, harmless between tags and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
