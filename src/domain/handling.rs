//! What people did about a claim: rulings and payments.
//!
//! Both are facts of their own, beside the versions of the claim: they may come before it, and neither its corrections nor
//! its reversals touch them. Of several that name the same thing the greatest (issued_at, canonical text) counts, so it
//! does not matter in which order they come.
//!
//! A ruling that pays holds only while the claim is as it was when somebody looked at it: whoever changes or repeats the
//! claim afterwards is judged anew. Hold and refuse hold for good.
//!
//! What it is not: rulings change how findings act on a line, never the findings; payments change no verdict.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::amount::Money;
use super::claim::Verdict;
use super::document::canonical_text::{Canonical, Fields};
use super::document::live::{LiveDocument, LiveLine};
use super::document::{DocumentKey, Origin};
use super::rules::RuleId;
use super::time::{Day, Timestamp};

/// Most rulings of single lines that are kept of one claim: as many as a claim may have lines.
pub const LINE_RULINGS_MAX: usize = 5_000;

/// Most payments that are kept of one claim.
pub const PAYMENTS_MAX: usize = 100;

/// Rules that have no place among the line and code rules: those about parties. A ruling may name them.
const PARTY_RULES: [&str; 18] = [
    "suspended",
    "unregistered",
    "over_supply",
    "repeat_supply",
    "over_stock",
    "impossible_travel",
    "frequent",
    "rx_two_persons",
    "rx_reused",
    "crowd",
    "sold_over_stock",
    "uncoded_purchase",
    "low_coverage",
    "late_uploads",
    "growth",
    "resold_by_person",
    "resale_flow",
    "overused_party",
];

/// Whether a ruling may name the rule.
pub fn may_be_ruled(rule: &str) -> bool {
    let is_judged = RuleId::from_name(rule).is_some_and(|rule| rule != RuleId::OverLimit);
    is_judged || PARTY_RULES.contains(&rule)
}

/// One upload of the bureau about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handling {
    /// The settlement document.
    pub claim: DocumentKey,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// What it says.
    pub act: Act,
    /// Where it was read.
    pub origin: Origin,
}

/// What was done about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Somebody decided.
    Ruling {
        /// The line that it is about; none: the whole claim.
        line_id: Option<Text>,
        /// The decision.
        ruling: Ruling,
    },
    /// Money moved.
    Payment {
        /// The sender's number of it.
        payment_id: Text,
        /// The movement.
        payment: Payment,
    },
}

/// What an authorised person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The decision; none takes an earlier one back.
    pub verdict: Option<Verdict>,
    /// The rules that it is about, by name.
    pub rules: BTreeSet<Text>,
    /// Who decided.
    pub ruled_by: Text,
    /// On what grounds.
    pub basis: Text,
}

/// Money that was paid for a claim, or came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// How much.
    pub amount: Money,
    /// On which day.
    pub paid_on: Day,
    /// Whether it came back.
    pub recovered: bool,
    /// Whether it never was.
    pub withdrawn: bool,
}

/// A ruling as it acts on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRuling {
    /// How the findings of its rules act; hold and refuse act by themselves as well.
    pub verdict: Verdict,
    /// The rules.
    pub rules: BTreeSet<RuleId>,
}

/// What was paid for a claim, as far as payments are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Payments, less what came back.
    pub paid: Money,
    /// What came back, when anything did.
    pub recovered: Option<Money>,
}

/// An act with the time at which it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued<T> {
    /// When.
    pub issued_at: Timestamp,
    /// The act.
    pub act: T,
}

/// All acts that count about one claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The newest ruling of each line, and of the claim.
    pub rulings: BTreeMap<Option<Text>, Issued<Ruling>>,
    /// The newest word on each payment.
    pub payments: BTreeMap<Text, Issued<Payment>>,
}

/// What became of an act that was offered to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It counts from here on.
    Counts,
    /// It was known.
    Known,
    /// Something newer was known.
    Older,
    /// The book keeps as many as it may.
    NoRoom,
}

impl Book {
    /// Whether nothing was ever done.
    pub fn is_empty(&self) -> bool {
        self.rulings.is_empty() && self.payments.is_empty()
    }

    /// What would become of an act. Most that comes again is known: that is found out by looking, before anything is copied
    /// or changed.
    pub fn weigh(&self, handling: &Handling) -> Filed {
        let issued_at = handling.issued_at;
        match &handling.act {
            Act::Ruling { line_id, ruling } => {
                let of_lines =
                    self.rulings.len().saturating_sub(usize::from(self.rulings.contains_key(&None)));
                let has_room = line_id.is_none() || of_lines < LINE_RULINGS_MAX;
                weigh(self.rulings.get(line_id), issued_at, ruling, has_room)
            }
            Act::Payment { payment_id, payment } => {
                let has_room = self.payments.len() < PAYMENTS_MAX;
                weigh(self.payments.get(payment_id), issued_at, payment, has_room)
            }
        }
    }

    /// Files an act where it counts.
    pub fn file(&mut self, handling: &Handling) -> Filed {
        let filed = self.weigh(handling);
        if filed != Filed::Counts {
            return filed;
        }
        let issued_at = handling.issued_at;
        match &handling.act {
            Act::Ruling { line_id, ruling } => {
                self.rulings.insert(line_id.clone(), Issued { issued_at, act: ruling.clone() });
            }
            Act::Payment { payment_id, payment } => {
                self.payments.insert(payment_id.clone(), Issued { issued_at, act: payment.clone() });
            }
        }
        filed
    }

    /// What was paid; none while there is no payment that was not withdrawn.
    pub fn paid(&self) -> Option<Paid> {
        let standing =
            || self.payments.values().map(|payment| &payment.act).filter(|payment| !payment.withdrawn);
        standing().next()?;
        let sum = |recovered: bool| {
            let amounts = standing().filter(|payment| payment.recovered == recovered);
            amounts.fold(Money::ZERO, |sum, payment| sum.saturating_add(payment.amount))
        };
        let came_back = sum(true);
        let recovered = standing().any(|payment| payment.recovered).then_some(came_back);
        Some(Paid { paid: sum(false).less(came_back), recovered })
    }

    /// The ruling that acts on a line: its own, also where that does not hold, else that of its claim.
    pub fn on(&self, claim: &LiveDocument<'_>, line: &LiveLine<'_>) -> Option<LineRuling> {
        let standing = |line_id: Option<&Text>| {
            self.rulings.get(&line_id.cloned()).filter(|ruling| ruling.act.verdict.is_some())
        };
        let ruling = standing(Some(line.line_id)).or_else(|| standing(None))?;
        let verdict = ruling.act.verdict?;
        if verdict == Verdict::Pay && ruling.issued_at < claim.newest_issue_of(line) {
            return None;
        }
        let rules = ruling.act.rules.iter().filter_map(|rule| RuleId::from_name(rule));
        Some(LineRuling { verdict, rules: rules.collect() })
    }

    /// When the newest act was issued.
    pub fn newest(&self) -> Option<Timestamp> {
        let of_rulings = self.rulings.values().map(|ruling| ruling.issued_at);
        of_rulings.chain(self.payments.values().map(|payment| payment.issued_at)).max()
    }
}

fn weigh<T: Canonical>(known: Option<&Issued<T>>, issued_at: Timestamp, act: &T, has_room: bool) -> Filed {
    let Some(known) = known else {
        return if has_room { Filed::Counts } else { Filed::NoRoom };
    };
    let order =
        issued_at.cmp(&known.issued_at).then_with(|| act.canonical_text().cmp(&known.act.canonical_text()));
    match order {
        Ordering::Greater => Filed::Counts,
        Ordering::Equal => Filed::Known,
        Ordering::Less => Filed::Older,
    }
}

/// The name of a ruling's verdict in uploads.
pub const fn verdict_name(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(verdict) => verdict.name(),
        None => "none",
    }
}

impl Canonical for Ruling {
    fn canonical_text(&self) -> String {
        let mut fields = Fields::default();
        fields.put("verdict", Some(verdict_name(self.verdict)));
        fields.put("ruled_by", Some(&self.ruled_by));
        fields.put("basis", Some(&self.basis));
        for rule in &self.rules {
            fields.put("rules", Some(rule));
        }
        fields.into_text()
    }
}

impl Canonical for Payment {
    fn canonical_text(&self) -> String {
        let mut fields = Fields::default();
        fields.put("amount", Some(self.amount.fen()));
        fields.put("paid_on", Some(self.paid_on));
        fields.put("recovered", self.recovered.then_some("true"));
        fields.put("withdrawn", self.withdrawn.then_some("true"));
        fields.into_text()
    }
}

#[cfg(test)]
mod tests;
