//! The numbers of a result: counts, shares, times and money.

use std::collections::BTreeMap;

use crate::domain::amount::Money;

/// How one rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleScore {
    /// Statements of the truth.
    pub expected: u64,
    /// Of those, found.
    pub found: u64,
    /// Open in the end, and not in the truth.
    pub unexplained: u64,
    /// Open for a while, withdrawn in the end, and not in the truth.
    pub passing: u64,
    /// Alerts open in the end.
    pub alerts: u64,
    /// From when a statement can be known to its alert; negative when that came sooner.
    pub delay: Option<Spread>,
    /// How long the passing alerts stood.
    pub stood: Option<Spread>,
    /// Money at risk in the statements found.
    pub money_found: Money,
    /// Money at risk in those not found.
    pub money_missed: Money,
}

/// How lengths of time are spread, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Half of them are at most this long.
    pub median_ms: i64,
    /// 95 of 100 are at most this long.
    pub p95_ms: i64,
    /// The longest.
    pub max_ms: i64,
}

/// How the acts of one kind were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActScore {
    /// Acts that brought something about.
    pub planted: u64,
    /// Of those, found by at least one statement.
    pub noticed: u64,
    /// Of those, found in full.
    pub found: u64,
}

/// How the payment of lines was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineScore {
    /// Claim lines decided.
    pub decided: u64,
    /// Pairs of line and reason that must be there.
    pub expected: u64,
    /// Of those, there.
    pub found: u64,
    /// Pairs that must not be there.
    pub unexplained: u64,
}

impl RuleScore {
    /// Found of expected; none when nothing is expected.
    pub fn recall(&self) -> Option<f64> {
        share(self.found, self.expected)
    }

    /// Right of published; none when nothing was published.
    pub fn precision(&self) -> Option<f64> {
        share(self.found, self.found + self.unexplained)
    }
}

/// Alerts per 10,000 scans; none when nothing was scanned.
pub(super) fn per_ten_thousand(alerts: u64, scans: Option<u64>) -> Option<f64> {
    share(alerts, scans?).map(|share| share * 10_000.0)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Spread {
    /// None of nothing.
    fn of(mut lengths: Vec<i64>) -> Option<Self> {
        lengths.sort_unstable();
        let at = |percent: usize| {
            let rank = (lengths.len() * percent).div_ceil(100).max(1) - 1;
            lengths.get(rank).copied()
        };
        Some(Self { median_ms: at(50)?, p95_ms: at(95)?, max_ms: at(100)? })
    }
}

/// Lengths of time by rule, gathered before they are summed up.
#[derive(Debug, Default)]
pub(super) struct Times {
    delays: BTreeMap<String, Vec<i64>>,
    stood: BTreeMap<String, Vec<i64>>,
}

impl Times {
    pub(super) fn alert_after(&mut self, rule: &str, milliseconds: i64) {
        self.delays.entry(rule.to_owned()).or_default().push(milliseconds);
    }

    pub(super) fn stood_for(&mut self, rule: &str, milliseconds: i64) {
        self.stood.entry(rule.to_owned()).or_default().push(milliseconds);
    }

    pub(super) fn enter(self, rules: &mut BTreeMap<String, RuleScore>) {
        for (rule, lengths) in self.delays {
            rules.entry(rule).or_default().delay = Spread::of(lengths);
        }
        for (rule, lengths) in self.stood {
            rules.entry(rule).or_default().stood = Spread::of(lengths);
        }
    }
}

/// A published moment in Unix milliseconds.
pub(super) fn milliseconds(moment: &str) -> Option<i64> {
    moment.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// A published amount, which always has two places.
pub(super) fn money(amount: &str) -> Option<Money> {
    let (yuan, fen) = amount.split_once('.')?;
    let fen: i64 = (fen.len() == 2).then(|| fen.parse().ok())??;
    Some(Money::from_fen(yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fen)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_spread_by_rank() {
        assert_eq!(Spread::of(Vec::new()), None);
        let one = Spread { median_ms: 7, p95_ms: 7, max_ms: 7 };
        assert_eq!(Spread::of(vec![7]), Some(one));
        let hundred = Spread { median_ms: 50, p95_ms: 95, max_ms: 100 };
        assert_eq!(Spread::of((1..=100).rev().collect()), Some(hundred));
        let early = Spread { median_ms: -5, p95_ms: 3, max_ms: 3 };
        assert_eq!(Spread::of(vec![3, -5]), Some(early));
    }

    #[test]
    fn published_amounts_and_moments_are_read() {
        assert_eq!(money("24.92"), Some(Money::from_fen(2492)));
        for wrong in ["24", "24.9", "x.10", "9223372036854775807.00"] {
            assert_eq!(money(wrong), None, "{wrong}");
        }
        assert_eq!(milliseconds("1970-01-01T08:00:00.001+08:00"), Some(1));
        assert_eq!(milliseconds("yesterday"), None);
    }
}
