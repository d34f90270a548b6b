//! Claims and the decision to pay: joined by revision, amounts to the last fen.

pub mod amounts;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Text;
use super::amount::Money;
use super::closed_set::closed_set;
use super::document::{DocumentKey, Origin};
use super::handling::{LineRuling, Paid};
use super::rules::RuleId;
use super::time::Timestamp;

closed_set! {
    /// May a line, or a claim, be paid? Ordered from best to worst.
    #[derive(Default)]
    pub enum Verdict {
        /// Pay.
        #[default]
        Pay = "pay",
        /// Hold until somebody has looked at it.
        Hold = "hold",
        /// Refuse.
        Refuse = "refuse",
    }
}

/// A live settlement document as the register knows it: an entry of the `claims` topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The settlement document.
    pub key: DocumentKey,
    /// The document's revision.
    pub revision: u64,
    /// Whether the claim was taken back; then it has no lines.
    pub withdrawn: bool,
    /// When the settlement happened.
    pub occurred_at: Timestamp,
    /// Its lines, in line order.
    pub lines: Vec<ClaimLine>,
    /// The rule set of the register when it judged the lines.
    pub ruleset: Text,
    /// The newest reference version of its parts.
    pub reference_version: u64,
    /// The upload that changed it.
    pub origin: Origin,
}

/// Some lines of a claim that say something else than before, none more and none less: an entry of the `claims` topic. All
/// else of it is as it was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimChange {
    /// The settlement document.
    pub key: DocumentKey,
    /// The document's revision.
    pub revision: u64,
    /// The lines, in line order.
    pub lines: Vec<ClaimLine>,
    /// The rule set of the register when it judged them.
    pub ruleset: Text,
    /// The newest reference version of the parts of the claim.
    pub reference_version: u64,
    /// The upload that changed it.
    pub origin: Origin,
}

/// One line of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLine {
    /// The line.
    pub line_id: Text,
    /// What the fund would pay for it.
    pub amount: Money,
    /// Line rules whose findings alert, hold or refuse, each once, in rule order; those that alert let pay.
    pub reasons: BTreeMap<RuleId, Verdict>,
    /// The ruling that acts on it.
    pub ruling: Option<LineRuling>,
    /// The codes whose verdict the line waits for, each with the revision at which its observation was last asserted.
    pub awaits: BTreeMap<Text, u64>,
    /// The codes that the hand-over lent to it.
    pub lent: Vec<LentTo>,
}

/// A code that a hand-over lent to a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LentTo {
    /// The code, or the text of one that cannot be read.
    pub code: Text,
    /// The dispensing document, at the same institution.
    pub document_id: Text,
    /// Its line.
    pub line_id: Text,
}

/// The monitor's answer to one settlement observation: an entry of the `claims` topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeVerdict {
    /// The claim.
    pub key: DocumentKey,
    /// The line.
    pub line_id: Text,
    /// The code.
    pub code: Text,
    /// The revision of the observation that is judged.
    pub revision: u64,
    /// Code rules whose findings on it alert, hold or refuse; those that alert let pay.
    pub reasons: BTreeMap<RuleId, Verdict>,
}

/// What was paid for a claim: an entry of the `claims` topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPaid {
    /// The claim.
    pub key: DocumentKey,
    /// All payments together; none while there is none that stands.
    pub paid: Option<Paid>,
}

/// The published answer to one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The settlement document.
    pub key: DocumentKey,
    /// Gapless per claim, from 1.
    pub revision: u32,
    /// The worst of the lines; `pay` without lines.
    pub verdict: Verdict,
    /// Sum of the amounts of the lines with verdict pay.
    pub payable: Money,
    /// Whether not every verdict was there at the deadline.
    pub provisional: bool,
    /// When a final decision was due, of a provisional one.
    pub deadline: Option<Timestamp>,
    /// What was paid, or else payable of the last revision that released money, less payable now, at least zero.
    pub recover: Money,
    /// What was paid, where payments are known.
    pub paid: Option<Paid>,
    /// Per line, in line order.
    pub lines: Vec<Arc<DecisionLine>>,
    /// Whether the claim was taken back.
    pub withdrawn: bool,
    /// When the settlement happened.
    pub occurred_at: Timestamp,
    /// When the upload behind the claim was received.
    pub received_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Digest of the rule set in force.
    pub ruleset: Text,
    /// The newest reference version in play.
    pub reference_version: u64,
}

/// The answer to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLine {
    /// The line.
    pub line_id: Text,
    /// May it be paid?
    pub verdict: Verdict,
    /// Rules whose findings act hold or refuse, each once.
    pub reasons: Vec<RuleId>,
    /// Whether a ruling holds or refuses it.
    pub is_ruled: bool,
    /// Rules whose findings act milder by a ruling, each once.
    pub overruled: Vec<RuleId>,
    /// What the fund would pay for it.
    pub amount: Money,
    /// The codes that the hand-over lent to it.
    pub lent: Vec<LentTo>,
}

impl DecisionLine {
    /// The reason that a ruling gives.
    const RULING: &str = "ruling";

    /// Why it is not paid, by name, sorted.
    pub fn reason_names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.reasons.iter().map(|rule| rule.name()).collect();
        names.extend(self.is_ruled.then_some(Self::RULING));
        names.sort_unstable();
        names
    }
}
