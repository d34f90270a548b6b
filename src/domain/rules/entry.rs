//! What a rule says of itself: one [`RuleEntry`], a constant in the rule's own file.
//!
//! Every field is required, so a rule without a number, a name or a sentence in both languages does not compile.
//! Everything that lists or names rules (the log, the command, the reference page, the configuration, metrics, alert
//! texts, allowances) reads the entries through the table in [`catalogue`](super::catalogue).

use super::{Action, RuleId, Severity};
use crate::domain::time::Millis;

/// Description of one rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleEntry {
    /// The rule.
    pub id: RuleId,
    /// Its number in the log and in stores: never used again for another rule.
    pub number: i32,
    /// Stable name in alerts, decisions, configuration and metrics.
    pub name: &'static str,
    /// Its names for people.
    pub title: Words,
    /// What it judges, and the sentences in which its findings are told.
    pub judges: Judges,
    /// Whom its alerts are about.
    pub subject: &'static str,
    /// The strongest action it takes by default, which is the one on settlements.
    pub action: Action,
    /// Severity by default.
    pub severity: Severity,
    /// Its grace, when it waits for one.
    pub grace: Option<Grace>,
    /// Whether its findings become alerts; false: it speaks by decisions alone.
    pub is_alert: bool,
    /// Whether an allowance can silence it; false for operational limits: what is not judged is not paid.
    pub allowable: bool,
    /// Legal or practical basis.
    pub basis: &'static str,
    /// What it catches, in one sentence that begins in lower case and has no full stop.
    pub catches: &'static str,
}

/// The same text in both languages.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// 中文.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// What a rule judges, with the sentences of its findings. Names in braces stand for what the finding says; which there
/// are, and how each is spoken, is a matter of `present::wording`. An English sentence begins in lower case.
#[derive(Clone, Copy, Debug)]
pub enum Judges {
    /// One line of one document, without history.
    Line(Words),
    /// The timeline of one code.
    Code(Words),
    /// Both, on different bases.
    Both {
        /// Of a line.
        line: Words,
        /// Of a code.
        code: Words,
    },
}

/// How long a rule waits for what would explain its finding.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// What the text of the rules calls it.
    pub name: &'static str,
    /// Its length unless configured.
    pub default: Millis,
}

impl Judges {
    /// The name in the catalogue; a rule that judges both is listed with those of lines.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Line(_) | Self::Both { .. } => "line",
            Self::Code(_) => "code",
        }
    }

    /// Whether some of its findings are about a code.
    pub const fn is_about_codes(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Both { .. })
    }
}

/// Subjects that several rules have.
pub(super) mod subject {
    pub(in crate::domain::rules) const LINE: &str = "the line";
    pub(in crate::domain::rules) const ANCHOR: &str = "the sale's settlement, else its dispensing";
    pub(in crate::domain::rules) const SETTLEMENT: &str = "the settlement";
    pub(in crate::domain::rules) const STOCK_IN: &str = "the stock in";
}

/// Bases that several rules have.
pub(super) mod basis {
    pub(in crate::domain::rules) const PAY_BY_CODE: &str = "依码结算、依码支付: unscanned or scanned twice is not paid (four-ministry notice of 19 Mar 2025; from 1 Jul 2025)";
    pub(in crate::domain::rules) const ONE_BOX_ONE_SALE: &str =
        "NHSA: one box, one sale record; a repeated code is a lead on resale, reflow or swap";
    pub(in crate::domain::rules) const RESELLING: &str = "实施细则 (in force 1 Apr 2026): buying up and reselling what the fund paid for; one box, one sale record";
    pub(in crate::domain::rules) const PAPERS: &str =
        "随货同行单 and invoice are the proof that inspectors ask for of where a box came from";
    pub(in crate::domain::rules) const NOT_JUDGED_NOT_PAID: &str =
        "operational limit: what is not judged is not paid";
}
