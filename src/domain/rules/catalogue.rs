//! The one table of rules. Everything that lists rules (the command, the reference page, the example
//! configuration, metrics, alert texts) reads it.

use super::{Action, RuleId, Severity};
use crate::domain::time::Millis;

/// What a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judges {
    /// One line of one document, without history.
    Line,
    /// The timeline of one code.
    Code,
}

/// Description of one rule.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The rule.
    pub id: RuleId,
    /// Stable name in alerts, decisions, configuration and metrics.
    pub name: &'static str,
    /// Chinese name.
    pub title_zh: &'static str,
    /// English name.
    pub title_en: &'static str,
    /// What it judges.
    pub judges: Judges,
    /// Whom its alerts are about.
    pub subject: &'static str,
    /// The strongest action it takes by default, which is the one on settlements.
    pub action: Action,
    /// Severity by default.
    pub severity: Severity,
    /// The name and default of its grace, when it waits for one.
    pub grace: Option<(&'static str, Millis)>,
    /// Legal or practical basis.
    pub basis: &'static str,
}

/// Version of the rules' meaning, published with every alert.
pub const RULE_VERSION: &str = "1";

const fn entry(
    id: RuleId,
    (name, title_zh, title_en): (&'static str, &'static str, &'static str),
    (judges, subject): (Judges, &'static str),
    (action, severity): (Action, Severity),
    grace: Option<(&'static str, Millis)>,
    basis: &'static str,
) -> Entry {
    Entry { id, name, title_zh, title_en, judges, subject, action, severity, grace, basis }
}

const LINE: (Judges, &str) = (Judges::Line, "the line");
const ANCHOR: (Judges, &str) = (Judges::Code, "the sale's settlement, else its dispensing");
const SETTLEMENT: (Judges, &str) = (Judges::Code, "the settlement");
const STOCK_IN: (Judges, &str) = (Judges::Code, "the stock in");
const PAY_BY_CODE: &str =
    "依码结算、依码支付 (four-ministry notice of 19 Mar 2025; in force for settlements from 1 Jul 2025)";
const ONE_BOX_ONE_SALE: &str =
    "NHSA: one box, one sale record; a repeated code is a lead on resale, reflow or swap";
const PAPERS: &str = "NHSA: delivery note and invoice prove where a box came from";

/// All rules, in the order of their names.
pub const RULES: [Entry; 20] = [
    entry(
        RuleId::Banned,
        ("banned", "禁售", "banned from sale"),
        LINE,
        (Action::Refuse, Severity::High),
        None,
        "Drug Administration Law: expired and recalled packs are not sold",
    ),
    entry(
        RuleId::DuplicatePurchase,
        ("duplicate_purchase", "重复入库", "bought twice"),
        STOCK_IN,
        (Action::Alert, Severity::Medium),
        None,
        PAPERS,
    ),
    entry(
        RuleId::DuplicateSettlement,
        ("duplicate_settlement", "重复结算", "settled twice"),
        SETTLEMENT,
        (Action::Refuse, Severity::High),
        None,
        PAY_BY_CODE,
    ),
    entry(
        RuleId::HeldElsewhere,
        ("held_elsewhere", "窜码", "held elsewhere"),
        ANCHOR,
        (Action::Alert, Severity::Medium),
        None,
        PAPERS,
    ),
    entry(
        RuleId::InvalidCode,
        ("invalid_code", "错码", "invalid code"),
        LINE,
        (Action::Hold, Severity::Low),
        None,
        PAY_BY_CODE,
    ),
    entry(
        RuleId::NoCode,
        ("no_code", "无码", "no code"),
        LINE,
        (Action::Refuse, Severity::High),
        None,
        PAY_BY_CODE,
    ),
    entry(
        RuleId::NotPurchased,
        ("not_purchased", "无进货来源", "no purchase on record"),
        ANCHOR,
        (Action::Alert, Severity::Medium),
        Some(("purchase_grace", Millis::from_hours(72))),
        PAPERS,
    ),
    entry(
        RuleId::OverLimit,
        ("over_limit", "单据超限", "document over its limits"),
        (Judges::Line, "the document's first line"),
        (Action::Hold, Severity::Medium),
        None,
        "operational limit",
    ),
    entry(
        RuleId::OverSplit,
        ("over_split", "拆零超量", "split over content"),
        ANCHOR,
        (Action::Hold, Severity::Medium),
        None,
        "a pack cannot give more units than it holds",
    ),
    entry(
        RuleId::OverusedCode,
        ("overused_code", "追溯码滥用", "overused code"),
        (Judges::Code, "the code's first observation"),
        (Action::Hold, Severity::High),
        None,
        "operational limit",
    ),
    entry(
        RuleId::PersonMismatch,
        ("person_mismatch", "冒名", "handed to another person"),
        SETTLEMENT,
        (Action::Hold, Severity::High),
        None,
        "Social Insurance Fund regulations: impersonated purchase",
    ),
    entry(
        RuleId::Reflow,
        ("reflow", "回流", "reflow into stock"),
        STOCK_IN,
        (Action::Alert, Severity::Critical),
        Some(("purchase_grace", Millis::from_hours(72))),
        ONE_BOX_ONE_SALE,
    ),
    entry(
        RuleId::RepeatedInDocument,
        ("repeated_in_document", "同单重复", "repeated in the document"),
        LINE,
        (Action::Hold, Severity::Low),
        None,
        ONE_BOX_ONE_SALE,
    ),
    entry(
        RuleId::Resale,
        ("resale", "再次销售", "sold again"),
        ANCHOR,
        (Action::Hold, Severity::High),
        None,
        ONE_BOX_ONE_SALE,
    ),
    entry(
        RuleId::ReturnNotRefunded,
        ("return_not_refunded", "退药未退费", "returned, not refunded"),
        (Judges::Code, "the return"),
        (Action::Alert, Severity::Medium),
        Some(("refund_grace", Millis::from_hours(72))),
        "the fund must not pay for what was given back",
    ),
    entry(
        RuleId::SettledNotDispensed,
        ("settled_not_dispensed", "空刷", "settled, not dispensed"),
        SETTLEMENT,
        (Action::Alert, Severity::High),
        Some(("dispense_grace", Millis::from_hours(48))),
        "empty swiping; uploads are tolerated two days late",
    ),
    entry(
        RuleId::ShortCodes,
        ("short_codes", "码数不足", "too few codes"),
        LINE,
        (Action::Hold, Severity::Medium),
        None,
        PAY_BY_CODE,
    ),
    entry(
        RuleId::SoldAfterStockOut,
        ("sold_after_stock_out", "出库后销售", "sold after it left stock"),
        ANCHOR,
        (Action::Hold, Severity::High),
        None,
        ONE_BOX_ONE_SALE,
    ),
    entry(
        RuleId::Swap,
        ("swap", "串换", "swapped item"),
        (Judges::Line, "the line (catalogue); the observation (declared)"),
        (Action::Refuse, Severity::High),
        None,
        "实施细则: swapping for unpayable, lower-ratio or lower-priced items",
    ),
    entry(
        RuleId::UnknownProduct,
        ("unknown_product", "未知标识码", "unknown product prefix"),
        LINE,
        (Action::Observe, Severity::Info),
        None,
        "the catalogue of prefixes is incomplete",
    ),
];

impl RuleId {
    /// The description of the rule.
    pub fn entry(self) -> &'static Entry {
        match RULES.get(self as usize) {
            Some(entry) => entry,
            // The table has an entry for every rule at its own index: a test holds that.
            None => const { &RULES[0] },
        }
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The rule of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        RULES.iter().find(|entry| entry.name == name).map(|entry| entry.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_indexed_by_rule_and_sorted_by_name() {
        for (index, entry) in RULES.iter().enumerate() {
            assert_eq!(entry.id as usize, index, "{}", entry.name);
            assert_eq!(RuleId::from_name(entry.name), Some(entry.id));
        }
        assert!(RULES.is_sorted_by_key(|entry| entry.name));
    }
}
