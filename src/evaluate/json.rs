//! A result for programs: counts and lists as they are, shares as numbers between 0 and 1, lengths of time in
//! milliseconds, money as text in yuan. A negative time to an alert is one that people read as early.

use serde_json::{Map, Value, json};

use super::score::per_ten_thousand;
use super::{Report, RuleScore, Spread, Timing, Unexplained};

impl Report {
    /// The whole result, nothing cut off.
    pub fn json(&self) -> Value {
        let rules = self.rules.iter().map(|(rule, score)| (rule.clone(), self.rule(score)));
        let acts = self.acts.iter().map(|(act, score)| {
            json!({"act": act, "title_zh": act.title_zh(), "title_en": act.title_en(), "planted": score.planted,
                   "noticed": score.noticed, "found": score.found})
        });
        json!({
            "rules": rules.collect::<Map<_, _>>(),
            "acts": acts.collect::<Vec<_>>(),
            "lines": {
                "decided": self.lines.decided,
                "expected": self.lines.expected,
                "found": self.lines.found,
                "unexplained": self.lines.unexplained,
            },
            "money_found": self.money_found.to_string(),
            "money_missed": self.money_missed.to_string(),
            "scans": self.scans,
            "times_count_from": match self.timing {
                Timing::SinceKnown => "known",
                Timing::SinceReceipt => "receipt",
            },
            "missed": self.missed,
            "unexplained": self.unexplained.iter().map(unexplained).collect::<Vec<_>>(),
            "passing": self.passing.iter().map(unexplained).collect::<Vec<_>>(),
            "inexact": self.inexact.iter().map(unexplained).collect::<Vec<_>>(),
        })
    }

    fn rule(&self, score: &RuleScore) -> Value {
        json!({
            "expected": score.expected,
            "found": score.found,
            "unexplained": score.unexplained,
            "passing": score.passing,
            "recall": score.recall(),
            "precision": score.precision(),
            "alerts": score.alerts,
            "alerts_per_10000_scans": per_ten_thousand(score.alerts, self.scans),
            "time_to_alert": score.delay.map(spread),
            "passing_stood": score.stood.map(spread),
            "money_found": score.money_found.to_string(),
            "money_missed": score.money_missed.to_string(),
        })
    }
}

fn spread(spread: Spread) -> Value {
    json!({"median_ms": spread.median_ms, "p95_ms": spread.p95_ms, "max_ms": spread.max_ms})
}

fn unexplained(one: &Unexplained) -> Value {
    json!({"rule": one.rule, "code": one.code, "subject": one.subject, "nearest": one.nearest})
}
