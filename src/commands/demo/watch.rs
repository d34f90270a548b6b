//! What is seen of the outputs as they come: counts while the work goes on, the evaluation and some words at its end.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Instant;

use crate::commands::Failure;
use crate::commands::folder::Folder;
use crate::domain::amount::Money;
use crate::domain::claim::Verdict;
use crate::domain::time::{Day, Timestamp};
use crate::evaluate::{Evaluation, Language, Report, columns, rule_title};
use crate::pipeline::topics::Topic;
use crate::present::figures::{grouped, yuan};
use crate::run::local::Local;
use crate::sim::{Parameters, Truth};
use crate::wire::outbound::alert::{self, AlertMessage};
use crate::wire::outbound::decision::{self, DecisionMessage};

/// Alerts told in words at the end.
const TOLD_MAX: usize = 3;
/// Columns of the live block.
const COLUMNS: usize = 100;
/// Severities, the worst first.
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];

/// What was fed and what was published.
pub(super) struct Watch {
    began: Instant,
    evaluation: Evaluation,
    first_day: Day,
    days: u32,
    uploads: u64,
    scans: u64,
    /// Open alerts by their ids.
    open: BTreeMap<String, AlertMessage>,
    claims: BTreeMap<(String, String), DecisionMessage>,
}

impl Watch {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self {
            began: Instant::now(),
            evaluation: Evaluation::default(),
            first_day: parameters.first_day,
            days: parameters.days,
            uploads: 0,
            scans: 0,
            open: BTreeMap::new(),
            claims: BTreeMap::new(),
        }
    }

    /// These must be found.
    pub(super) fn expect(&mut self, truth: Vec<Truth>) {
        self.evaluation.expect(truth);
    }

    /// One more upload, with so many scans.
    pub(super) fn count(&mut self, scans: u64) {
        self.uploads += 1;
        self.scans += scans;
        self.evaluation.scanned(scans);
    }

    pub(super) fn uploads(&self) -> u64 {
        self.uploads
    }

    pub(super) fn scans(&self) -> u64 {
        self.scans
    }

    pub(super) fn report(&self) -> Report {
        self.evaluation.report()
    }

    /// Takes what was published since the last look.
    pub(super) fn look(&mut self, local: &mut Local, mut files: Option<&mut Folder>) -> Result<(), Failure> {
        for output in local.drain()? {
            if let Some(files) = &mut files {
                files.output(output.topic, &output.record)?;
            }
            let Some(payload) = output.record.payload else { continue };
            match output.topic {
                Topic::Alerts => {
                    self.evaluation.alert(&String::from_utf8_lossy(&payload))?;
                    self.alert(alert::parse(&payload)?);
                }
                Topic::Decisions => {
                    self.evaluation.decision(&String::from_utf8_lossy(&payload))?;
                    self.decision(decision::parse(&payload)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn alert(&mut self, alert: AlertMessage) {
        if alert.status == "withdrawn" {
            self.open.remove(&alert.alert_id);
        } else {
            self.open.insert(alert.alert_id.clone(), alert);
        }
    }

    fn decision(&mut self, decision: DecisionMessage) {
        if let Some(claim) = decision.claim.clone() {
            self.claims.insert((claim.institution_id, claim.document_id), decision);
        }
    }

    /// How the work goes on, a few lines.
    pub(super) fn live(&self, now: Option<Timestamp>, language: Language) -> Vec<String> {
        let mut lines = vec![self.time_line(now, language), self.rate_line(language)];
        let verdicts = [Verdict::Pay, Verdict::Hold, Verdict::Refuse].map(|verdict| {
            let count = self.claims_of(verdict).count() as u64;
            format!("{} {}", verdict_title(verdict, language), grouped(count))
        });
        lines.push(format!("{}  {}", language.of("支付判定", "decisions"), verdicts.join(" · ")));
        lines.extend(self.open_lines(language));
        lines
    }

    fn rate_line(&self, language: Language) -> String {
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let [uploads, scans] = [self.uploads, self.scans].map(grouped);
        let [uploads_rate, scans_rate] =
            [self.uploads, self.scans].map(|count| grouped((count as f64 / seconds) as u64));
        match language {
            Language::Chinese => {
                format!("上传 {uploads}（每秒 {uploads_rate}）  扫码 {scans}（每秒 {scans_rate}）")
            }
            Language::English => {
                format!("uploads {uploads} ({uploads_rate}/s)   scans {scans} ({scans_rate}/s)")
            }
        }
    }

    fn time_line(&self, now: Option<Timestamp>, language: Language) -> String {
        let Some(now) = now else { return language.of("开始", "beginning").to_owned() };
        let day = now.day().days_since_epoch() - self.first_day.days_since_epoch() + 1;
        let minute: String = now.to_string().chars().take(16).collect();
        let minute = minute.replace('T', " ");
        // Late uploads come after the last day.
        let day = i64::from(day).min(i64::from(self.days));
        match language {
            Language::Chinese => format!("{minute}  第 {day} 天，共 {} 天", self.days),
            Language::English => format!("{minute}  day {day} of {}", self.days),
        }
    }

    /// Open alerts by rule, the most frequent first.
    fn open_lines(&self, language: Language) -> Vec<String> {
        let mut of_rules: BTreeMap<&str, u64> = BTreeMap::new();
        for alert in self.open.values() {
            *of_rules.entry(&alert.rule).or_default() += 1;
        }
        let mut of_rules: Vec<(&str, u64)> = of_rules.into_iter().collect();
        of_rules.sort_by_key(|(rule, count)| (Reverse(*count), *rule));
        let count = grouped(self.open.len() as u64);
        let mut line = match language {
            Language::Chinese => format!("有效预警 {count}："),
            Language::English => format!("open alerts {count}:"),
        };
        let mut lines = Vec::new();
        for (rule, count) in of_rules {
            let part = format!("  {} {}", rule_title(rule, language), grouped(count));
            if columns(&line) + columns(&part) > COLUMNS {
                lines.push(std::mem::replace(&mut line, "   ".to_owned()));
            }
            line.push_str(&part);
        }
        lines.push(line);
        lines
    }

    fn claims_of(&self, verdict: Verdict) -> impl Iterator<Item = &DecisionMessage> {
        self.claims.values().filter(move |one| !one.withdrawn && one.verdict == verdict.name())
    }

    /// Claims by verdict, with what was asked for, what is paid, and what is to be recovered.
    pub(super) fn claims(&self, language: Language) -> String {
        let mut lines = Vec::new();
        for verdict in [Verdict::Pay, Verdict::Hold, Verdict::Refuse] {
            let (mut claims, mut asked, mut payable, mut recover) = (0, 0, 0, 0);
            for decision in self.claims_of(verdict) {
                claims += 1;
                payable += fen(&decision.payable);
                recover += fen(&decision.recover);
                asked += decision.lines.iter().map(|line| fen(&line.amount)).sum::<i64>();
            }
            let title = verdict_title(verdict, language);
            let [asked, payable, recover] = [asked, payable, recover].map(|fen| yuan(Money::from_fen(fen)));
            let claims = grouped(claims);
            lines.push(match language {
                Language::Chinese => {
                    format!("  {title}：结算 {claims} 笔，申请 {asked} 元，支付 {payable} 元，追回 {recover} 元")
                }
                Language::English => format!(
                    "  {title}: {claims} claims, {asked} yuan asked for, {payable} payable, {recover} to recover"
                ),
            });
        }
        format!("{}\n{}\n", language.of("支付判定", "Decisions"), lines.join("\n"))
    }

    /// A few of the worst open alerts, each of another rule, as an inspector would hear them.
    pub(super) fn told(&self, language: Language) -> String {
        let texts = self.worst().into_iter().filter_map(|alert| alert.text.as_ref()).take(TOLD_MAX);
        let lines: Vec<String> =
            texts.map(|text| format!("  · {}", language.of(&text.zh, &text.en))).collect();
        format!("{}\n{}\n", language.of("预警示例", "Some alerts in words"), lines.join("\n"))
    }

    /// The code of the worst open alert that is about a code.
    pub(super) fn told_code(&self) -> Option<&str> {
        self.worst().into_iter().find_map(|alert| alert.code.as_deref())
    }

    /// Of every rule the open alert with the most money at risk, the most severe rules first.
    fn worst(&self) -> Vec<&AlertMessage> {
        let amount = |alert: &AlertMessage| alert.amount_at_risk.as_deref().map_or(0, fen);
        let mut worst_of_rules: BTreeMap<&str, &AlertMessage> = BTreeMap::new();
        for alert in self.open.values() {
            let worst = worst_of_rules.entry(&alert.rule).or_insert(alert);
            if amount(alert) > amount(worst) {
                *worst = alert;
            }
        }
        let mut alerts: Vec<&AlertMessage> = worst_of_rules.into_values().collect();
        alerts.sort_by_key(|alert| {
            let severity = SEVERITIES.iter().position(|severity| *severity == alert.severity);
            (severity.unwrap_or(SEVERITIES.len()), Reverse(amount(alert)))
        });
        alerts
    }
}

const fn verdict_title(verdict: Verdict, language: Language) -> &'static str {
    match verdict {
        Verdict::Pay => language.of("支付", "pay"),
        Verdict::Hold => language.of("暂缓", "hold"),
        Verdict::Refuse => language.of("拒付", "refuse"),
    }
}

fn fen(yuan: &str) -> i64 {
    crate::wire::inbound::decimal::money(yuan).map_or(0, Money::fen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_alerts_are_told_by_rule_and_go_when_they_are_withdrawn() {
        let mut watch = Watch::new(&Parameters::demo(1));
        let alert = |id: &str, rule: &str, status: &str| AlertMessage {
            alert_id: id.into(),
            rule: rule.into(),
            status: status.into(),
            ..AlertMessage::default()
        };
        for (id, rule, status) in [
            ("a", "reflow", "raised"),
            ("b", "resale", "raised"),
            ("c", "resale", "raised"),
            ("b", "resale", "amended"),
            ("d", "no_code", "raised"),
            ("d", "no_code", "withdrawn"),
        ] {
            watch.alert(alert(id, rule, status));
        }
        assert_eq!(
            watch.open_lines(Language::English),
            ["open alerts 3:  sold again 2  reflow into stock 1"]
        );
        assert_eq!(watch.open_lines(Language::Chinese), ["有效预警 3：  再次销售 2  回流 1"]);
    }
}
