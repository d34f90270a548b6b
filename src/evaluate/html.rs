//! A result as one page: sentences, plots, tables. It needs no network, no script and no font of its own, and speaks
//! Chinese and English: a switch at its top shows the one or the other.

use std::fmt::Write;

use super::plot::{COLOURS, PlotError, plots};
use super::table::{List, Table};
use super::{Language, Report};

/// Items of each list on the page.
const LISTED_MAX: usize = 200;

const STYLE: &str = "\
body{font:15px/1.55 system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',\
'Source Han Sans SC','WenQuanYi Micro Hei',sans-serif;margin:1.5em auto;max-width:1180px;padding:0 1.2em;\
color:#222;background:#fff}\
h1{font-size:1.55em;margin:.2em 0 .6em}h2{font-size:1.15em;margin:2.2em 0 .5em}\
ul.sums{padding-left:1.1em;margin:.4em 0}\
p.note{color:#555;font-size:13px;margin:.2em 0 .6em;max-width:70em}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}\
th,td{padding:.28em .65em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}th{background:#f4f4f4;white-space:normal;vertical-align:bottom}\
tbody tr:hover{background:#fafafa}\
div.wide{overflow-x:auto}\
div.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34em),1fr));gap:0 2em}\
figure{margin:0}svg{max-width:100%;height:auto}svg text{font-family:inherit}\
figcaption span{margin-right:1.4em;font-size:13px;white-space:nowrap}\
figcaption i{display:inline-block;width:.8em;height:.8em;margin-right:.45em}\
ol{padding-left:2.6em}summary{cursor:pointer;font-weight:bold;margin-top:1.2em}\
li.item{font-family:ui-monospace,Consolas,'Noto Sans Mono CJK SC',monospace;font-size:12px;overflow-wrap:anywhere}\
input.switch{position:absolute;opacity:0}\
nav{float:right}nav label{padding:.2em .8em;border:1px solid #bbb;cursor:pointer;font-size:13px}\
#zh:checked~nav label[for=zh],#en:checked~nav label[for=en]{background:#2b6cb0;border-color:#2b6cb0;color:#fff}\
#zh:focus-visible~nav label[for=zh],#en:focus-visible~nav label[for=en]{outline:2px solid #dd8b2f}\
#zh:checked~main.en,#en:checked~main.zh{display:none}\
@media print{nav{display:none}}";

impl Report {
    /// The page of this run; with another run of the same province, compared with it. It opens in this language.
    pub fn html(&self, other: Option<&Self>, language: Language) -> Result<String, PlotError> {
        let checked = |one: Language| if one == language { " checked" } else { "" };
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body>\n\
             <input class=\"switch\" type=\"radio\" name=\"language\" id=\"zh\"{}>\
             <input class=\"switch\" type=\"radio\" name=\"language\" id=\"en\"{}>\n\
             <nav><label for=\"zh\">中文</label><label for=\"en\">English</label></nav>\n",
            language.of("zh-CN", "en"),
            title(language),
            checked(Language::Chinese),
            checked(Language::English),
        );
        for one in [Language::Chinese, Language::English] {
            let (class, tag) = (one.of("zh", "en"), one.of("zh-CN", "en"));
            let _ = writeln!(page, "<main class=\"{class}\" lang=\"{tag}\">\n<h1>{}</h1>", title(one));
            self.body(&mut page, other, one)?;
            page.push_str("</main>\n");
        }
        page.push_str("</body></html>\n");
        Ok(page)
    }

    /// Everything below the heading, in one language.
    fn body(&self, page: &mut String, other: Option<&Self>, language: Language) -> Result<(), PlotError> {
        page.push_str("<ul class=\"sums\">\n");
        for line in self.sums(language) {
            let _ = writeln!(page, "<li>{}</li>", escaped(&line));
        }
        page.push_str("</ul>\n");
        let [rules, others @ ..] = self.tables(language);
        table(page, &rules);
        if let Some(other) = other {
            table(page, &self.comparison(other, language));
        }
        page.push_str("<div class=\"plots\">\n");
        for plot in plots(self, other, language) {
            figure(page, plot.title, plot.legend, &plot.svg()?);
        }
        page.push_str("</div>\n");
        for one in &others {
            table(page, one);
        }
        let _ = writeln!(page, "<h2>{}</h2>", language.of("逐条", "One by one"));
        let lists = self.lists(language, LISTED_MAX);
        if lists.is_empty() {
            let _ = writeln!(page, "<p>{}</p>", language.of("无可列。", "Nothing to list."));
        }
        for one in &lists {
            list(page, one, language);
        }
        Ok(())
    }
}

fn title(language: Language) -> &'static str {
    language.of("追溯卫士 评估报告", "tracewarden: evaluation")
}

fn figure(page: &mut String, title: &str, legend: [&str; 2], svg: &str) {
    let title = escaped(title);
    let _ =
        writeln!(page, "<section><h2>{title}</h2>\n<figure role=\"img\" aria-label=\"{title}\"><figcaption>");
    for (name, colour) in legend.iter().zip(COLOURS) {
        let (red, green, blue) = (colour.0, colour.1, colour.2);
        let _ = writeln!(
            page,
            "<span><i style=\"background:#{red:02x}{green:02x}{blue:02x}\"></i>{}</span>",
            escaped(name)
        );
    }
    let _ = writeln!(page, "</figcaption>\n{svg}</figure></section>");
}

fn table(page: &mut String, table: &Table) {
    let _ = writeln!(page, "<h2>{}</h2>", escaped(table.title));
    if !table.note.is_empty() {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escaped(table.note));
    }
    page.push_str("<div class=\"wide\"><table>\n");
    for (number, row) in table.rows.iter().enumerate() {
        let (cell, before, after) = match number {
            0 => ("th", "<thead>", "</thead><tbody>"),
            _ => ("td", "", ""),
        };
        let _ = write!(page, "{before}<tr>");
        for text in row {
            let _ = write!(page, "<{cell}>{}</{cell}>", escaped(text));
        }
        let _ = writeln!(page, "</tr>{after}");
    }
    page.push_str("</tbody></table></div>\n");
}

fn list(page: &mut String, list: &List, language: Language) {
    // What is wrong is open; what passed by itself is many, and closed.
    let open = if list.is_fault { " open" } else { "" };
    let _ = writeln!(page, "<details{open}><summary>{}</summary>\n<ol>", escaped(&list.heading(language)));
    for item in &list.items {
        let _ = writeln!(page, "<li class=\"item\">{}</li>", escaped(item));
    }
    page.push_str("</ol>\n");
    if list.count > list.items.len() {
        let _ = writeln!(page, "<p>{}</p>", list.left_out(language));
    }
    page.push_str("</details>\n");
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
