//! Two runs against the same truth, side by side: what a change of parameters brought.

use std::collections::BTreeSet;

use super::table::{Table, percent, render, rule_title, time_to_alert};
use super::{Language, Report, RuleScore};
use crate::present::figures::{grouped, yuan};

impl Report {
    /// This run and another one of the same province, rule by rule: `this → other`, one value where both agree.
    pub fn compared_with(&self, other: &Self, language: Language) -> String {
        let mut out = String::new();
        render(&mut out, &self.comparison(other, language).rows);
        out
    }

    pub(super) fn comparison(&self, other: &Self, language: Language) -> Table {
        let head = [
            language.of("本次 → 另一次", "this → other"),
            language.of("发现", "found"),
            language.of("无法解释", "unexplained"),
            language.of("曾误报", "withdrawn"),
            language.of("召回率", "recall"),
            language.of("准确率", "precision"),
            language.of("到预警：中位", "to alert: median"),
            language.of("发现金额", "money found"),
            language.of("漏失金额", "money missed"),
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        let rules: BTreeSet<&String> = self.rules.keys().chain(other.rules.keys()).collect();
        for rule in rules {
            let score = |report: &Self| report.rules.get(rule).copied().unwrap_or_default();
            rows.push(compared(rule_title(rule, language), &score(self), &score(other), language));
        }
        let mut total = compared(language.of("合计", "together"), &self.total(), &other.total(), language);
        // A line that several rules concern counts once here, so these are not the sums of their columns.
        let money = [
            side_by_side(&yuan(self.money_found), &yuan(other.money_found)),
            side_by_side(&yuan(self.money_missed), &yuan(other.money_missed)),
        ];
        total.truncate(total.len() - money.len());
        total.extend(money);
        rows.push(total);
        Table {
            title: language.of("两次运行对比", "Two runs compared"),
            note: language.of(
                "本次 → 另一次；相同则只写一个值。合计的金额每条明细计一次。",
                "this run → the other one; one value where both agree. Together each line's money counts once.",
            ),
            rows,
        }
    }
}

fn compared(title: &str, this: &RuleScore, other: &RuleScore, language: Language) -> Vec<String> {
    let median = |score: &RuleScore| time_to_alert(score.delay.map(|delay| delay.median_ms), language);
    vec![
        title.to_owned(),
        side_by_side(&grouped(this.found), &grouped(other.found)),
        side_by_side(&grouped(this.unexplained), &grouped(other.unexplained)),
        side_by_side(&grouped(this.passing), &grouped(other.passing)),
        side_by_side(&percent(this.recall()), &percent(other.recall())),
        side_by_side(&percent(this.precision()), &percent(other.precision())),
        side_by_side(&median(this), &median(other)),
        side_by_side(&yuan(this.money_found), &yuan(other.money_found)),
        side_by_side(&yuan(this.money_missed), &yuan(other.money_missed)),
    ]
}

fn side_by_side(this: &str, other: &str) -> String {
    if this == other { this.to_owned() } else { format!("{this} → {other}") }
}
