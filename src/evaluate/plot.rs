//! Plots of a result as SVG, to stand in a page: horizontal bars in pairs, one pair for each rule.
//!
//! Names and numbers are part of the picture as text, so that it can be read without its axes; the page chooses the
//! font. What came early has no bar, only its number.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::score::per_ten_thousand;
use super::table::{percent, rate, rule_title, time_to_alert};
use super::{Language, Report, RuleScore};
use crate::domain::amount::Money;
use crate::present::figures::{self, grouped};

/// A plot cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the plot \"{title}\" cannot be drawn: {problem}")]
pub struct PlotError {
    title: String,
    problem: String,
}

/// Width of a plot, in pixels.
const WIDTH: u32 = 560;
/// Height of the two bars of a row, in pixels.
const ROW_HEIGHT: u32 = 32;
/// Height of the scale below the rows, in pixels.
const SCALE_HEIGHT: u32 = 26;
/// Room for the names on the left, in pixels.
const NAMES_WIDTH: u32 = 165;
/// Room for the number behind the longest bar, in pixels.
const NUMBERS_WIDTH: u32 = 75;
/// Any font: the page has its own.
const FONT: &str = "sans-serif";

/// Colours of the first and the second bar of each pair.
pub(super) const COLOURS: [RGBColor; 2] = [RGBColor(0x2b, 0x6c, 0xb0), RGBColor(0xdd, 0x8b, 0x2f)];
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);

/// One plot: what its bars mean, and a row of two for each name.
pub(super) struct Plot<'a> {
    pub(super) title: &'static str,
    pub(super) legend: [&'static str; 2],
    rows: Vec<(&'a str, [Bar; 2])>,
    /// What stands behind the numbers of the scale.
    unit: &'static str,
}

/// A length on the scale of its plot, and how it is written.
struct Bar {
    length: f64,
    label: String,
}

impl Bar {
    fn new(length: Option<f64>, label: String) -> Self {
        Self { length: length.unwrap_or(0.0).max(0.0), label }
    }
}

/// The plots of a report; with another run, of both side by side. None is empty.
pub(super) fn plots<'a>(report: &'a Report, other: Option<&'a Report>, language: Language) -> Vec<Plot<'a>> {
    let all = match other {
        None => vec![
            shares(report, language),
            frequency(report, language),
            times(report, language),
            money(report, language),
        ],
        Some(other) => compared(report, other, language).into(),
    };
    all.into_iter().filter(|plot| !plot.rows.is_empty()).collect()
}

fn shares(report: &Report, language: Language) -> Plot<'_> {
    let share = |share: Option<f64>| Bar::new(share.map(|share| share * 100.0), percent(share));
    Plot {
        title: language.of("召回率与准确率", "Recall and precision"),
        legend: [language.of("召回率", "recall"), language.of("准确率", "precision")],
        rows: rows(report, language, |score| Some([share(score.recall()), share(score.precision())])),
        unit: " %",
    }
}

/// How often a rule speaks: by scan where they were counted, else in all.
fn frequency(report: &Report, language: Language) -> Plot<'_> {
    let bar = |count: u64| match report.scans {
        Some(_) => Bar::new(per_ten_thousand(count, report.scans), rate(count, report.scans)),
        None => Bar::new(Some(count as f64), grouped(count)),
    };
    Plot {
        title: match report.scans {
            Some(_) => language.of("每万次扫码的预警", "Alerts per 10,000 scans"),
            None => language.of("预警数", "Alerts"),
        },
        legend: [language.of("最终有效", "open in the end"), language.of("曾误报后撤回", "withdrawn")],
        rows: rows(report, language, |score| {
            (score.alerts + score.passing > 0).then(|| [bar(score.alerts), bar(score.passing)])
        }),
        unit: "",
    }
}

fn times(report: &Report, language: Language) -> Plot<'_> {
    let scale = TimeScale::of([report]);
    Plot {
        title: language.of("到预警的时间", "Time to the alert"),
        legend: [language.of("中位", "median"), language.of("95% 不超过", "95 % at most")],
        rows: rows(report, language, |score| {
            score.delay.map(|delay| {
                [scale.bar(Some(delay.median_ms), language), scale.bar(Some(delay.p95_ms), language)]
            })
        }),
        unit: scale.unit,
    }
}

/// The unit in which a scale of times has small round numbers.
struct TimeScale {
    unit: &'static str,
    milliseconds: f64,
}

impl TimeScale {
    fn of<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Self {
        let scores = reports.into_iter().flat_map(|report| report.rules.values());
        let longest = scores.filter_map(|score| Some(score.delay?.p95_ms)).max().unwrap_or_default();
        let (unit, milliseconds) = match longest {
            ..1_000 => (" ms", 1.0),
            1_000..120_000 => (" s", 1e3),
            120_000..7_200_000 => (" min", 6e4),
            _ => (" h", 3.6e6),
        };
        Self { unit, milliseconds }
    }

    fn bar(&self, milliseconds: Option<i64>, language: Language) -> Bar {
        let length = milliseconds.map(|length| length as f64 / self.milliseconds);
        Bar::new(length, time_to_alert(milliseconds, language))
    }
}

fn money(report: &Report, language: Language) -> Plot<'_> {
    Plot {
        title: language.of("涉险金额（元）", "Money at risk (yuan)"),
        legend: [language.of("已发现", "found"), language.of("漏失", "missed")],
        rows: rows(report, language, |score| {
            let (found, missed) = (score.money_found, score.money_missed);
            (found.fen() > 0 || missed.fen() > 0).then(|| [yuan(found.fen()), yuan(missed.fen())])
        }),
        unit: "",
    }
}

fn compared<'a>(report: &'a Report, other: &'a Report, language: Language) -> [Plot<'a>; 4] {
    let legend = [language.of("本次", "this run"), language.of("另一次", "other run")];
    let plot = |title, unit, bar: &dyn Fn(&RuleScore) -> Bar| {
        let mut names: Vec<&String> = report.rules.keys().chain(other.rules.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let of = |report: &Report, rule| bar(&report.rules.get(rule).copied().unwrap_or_default());
        let rows =
            names.into_iter().map(|rule| (rule_title(rule, language), [of(report, rule), of(other, rule)]));
        Plot { title, legend, rows: rows.collect(), unit }
    };
    let share = |share: Option<f64>| Bar::new(share.map(|share| share * 100.0), percent(share));
    let time = TimeScale::of([report, other]);
    [
        plot(language.of("召回率", "Recall"), " %", &|score| share(score.recall())),
        plot(language.of("准确率", "Precision"), " %", &|score| share(score.precision())),
        plot(language.of("到预警的时间：中位", "Time to the alert: median"), time.unit, &|score| {
            time.bar(score.delay.map(|delay| delay.median_ms), language)
        }),
        plot(language.of("发现金额（元）", "Money found (yuan)"), "", &|score| {
            yuan(score.money_found.fen())
        }),
    ]
}

fn rows(
    report: &Report,
    language: Language,
    bars: impl Fn(&RuleScore) -> Option<[Bar; 2]>,
) -> Vec<(&str, [Bar; 2])> {
    let rows =
        report.rules.iter().filter_map(|(rule, score)| Some((rule_title(rule, language), bars(score)?)));
    rows.collect()
}

fn yuan(fen: i64) -> Bar {
    Bar::new(Some(fen as f64 / 100.0), figures::yuan(Money::from_fen(fen)))
}

fn short_number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

impl Plot<'_> {
    /// The picture, as an `svg` element without a name space of its own: it stands in HTML.
    pub(super) fn svg(&self) -> Result<String, PlotError> {
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|error| PlotError { title: self.title.to_owned(), problem: error.to_string() })?;
        Ok(svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1))
    }

    fn draw(&self, svg: &mut String) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let height = count.saturating_mul(ROW_HEIGHT).saturating_add(SCALE_HEIGHT);
        let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .set_label_area_size(LabelAreaPosition::Left, NAMES_WIDTH)
            .set_label_area_size(LabelAreaPosition::Bottom, SCALE_HEIGHT)
            .margin_right(NUMBERS_WIDTH)
            .build_cartesian_2d(0.0..self.greatest(), 0.0..f64::from(count))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .y_labels(0)
            .x_labels(5)
            .x_label_formatter(&|value| short_number(*value) + self.unit)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(GRID)
            .label_style((FONT, 12).into_font().color(&INK))
            .draw()?;
        for (row, (name, bars)) in (0..count).zip(&self.rows) {
            let top = i32::try_from(row * ROW_HEIGHT).unwrap_or(i32::MAX);
            let middle = top + ROW_HEIGHT as i32 / 2;
            root.draw(&Text::new(*name, (NAMES_WIDTH as i32 - 10, middle), text(13, HPos::Right)))?;
            for ((bar, colour), offset) in bars.iter().zip(COLOURS).zip([0.06, 0.5]) {
                let upper = f64::from(count - row) - offset;
                let lower = upper - 0.4;
                let area = Rectangle::new([(0.0, upper), (bar.length, lower)], colour.filled());
                chart.draw_series([area])?;
                let label = EmptyElement::at((bar.length, (upper + lower) / 2.0))
                    + Text::new(bar.label.clone(), (6, 0), text(12, HPos::Left));
                chart.draw_series([label])?;
            }
        }
        root.present()
    }

    /// Where the scale ends.
    fn greatest(&self) -> f64 {
        let lengths = self.rows.iter().flat_map(|(_, bars)| bars).map(|bar| bar.length);
        let greatest = lengths.fold(0.0, f64::max);
        if greatest > 0.0 { greatest } else { 1.0 }
    }
}

fn text(size: i32, side: HPos) -> TextStyle<'static> {
    TextStyle::from((FONT, size).into_font()).color(&INK).pos(Pos::new(side, VPos::Center))
}
