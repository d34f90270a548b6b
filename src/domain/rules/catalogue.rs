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
    /// What it catches, in one sentence that begins in lower case and has no full stop.
    pub catches: &'static str,
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
    catches: &'static str,
) -> Entry {
    Entry { id, name, title_zh, title_en, judges, subject, action, severity, grace, basis, catches }
}

const LINE: (Judges, &str) = (Judges::Line, "the line");
const ANCHOR: (Judges, &str) = (Judges::Code, "the sale's settlement, else its dispensing");
const SETTLEMENT: (Judges, &str) = (Judges::Code, "the settlement");
const STOCK_IN: (Judges, &str) = (Judges::Code, "the stock in");
const PAY_BY_CODE: &str = "依码结算、依码支付: unscanned or scanned twice is not paid (four-ministry notice of 19 Mar 2025; from 1 Jul 2025)";
const ONE_BOX_ONE_SALE: &str =
    "NHSA: one box, one sale record; a repeated code is a lead on resale, reflow or swap";
const RESELLING: &str = "实施细则 (in force 1 Apr 2026): buying up and reselling what the fund paid for; one box, one sale record";
const PAPERS: &str = "随货同行单 and invoice are the proof that inspectors ask for of where a box came from";

/// All rules, in the order of their names.
pub const RULES: [Entry; 21] = [
    entry(
        RuleId::Banned,
        ("banned", "禁售", "banned from sale"),
        LINE,
        (Action::Refuse, Severity::High),
        None,
        "《药品管理法》: expired drugs count as substandard; recalled and listed ones must not be sold",
        "the product was expired on the day of sale, its lot was recalled, or its code is listed; speaks by decisions only, and dispensings are only counted",
    ),
    entry(
        RuleId::DuplicatePurchase,
        ("duplicate_purchase", "重复入库", "bought twice"),
        STOCK_IN,
        (Action::Alert, Severity::Medium),
        None,
        PAPERS,
        "an institution purchases a code that another still holds",
    ),
    entry(
        RuleId::DuplicateSettlement,
        ("duplicate_settlement", "重复结算", "settled twice"),
        SETTLEMENT,
        (Action::Refuse, Severity::High),
        None,
        PAY_BY_CODE,
        "the fund is asked to pay again for content that an earlier settlement has used up; held instead of refused where an estimate took part, or where only this institution had bought the code in",
    ),
    entry(
        RuleId::HeldElsewhere,
        ("held_elsewhere", "窜码", "held elsewhere"),
        ANCHOR,
        (Action::Alert, Severity::Medium),
        None,
        PAPERS,
        "a code is sold at one institution while the records have it in the stock of another",
    ),
    entry(
        RuleId::InvalidCode,
        ("invalid_code", "错码", "invalid code"),
        LINE,
        (Action::Hold, Severity::Low),
        None,
        PAY_BY_CODE,
        "a code on the line is no trace code: a product barcode, cut off, scanned twice in one, wrong check digit; elsewhere than on settlements an alert",
    ),
    entry(
        RuleId::NoCode,
        ("no_code", "无码", "no code"),
        LINE,
        (Action::Refuse, Severity::High),
        Some(("codes_grace", Millis::from_hours(48))),
        PAY_BY_CODE,
        "a line that needs a trace code has none; on a dispensing an alert; on a settlement also where the product is unknown, then held",
    ),
    entry(
        RuleId::NotPurchased,
        ("not_purchased", "无进货来源", "no purchase on record"),
        ANCHOR,
        (Action::Alert, Severity::Medium),
        Some(("purchase_grace", Millis::from_hours(72))),
        PAPERS,
        "a sale at an institution that uploads its stock, without any stock in of the code by then",
    ),
    entry(
        RuleId::OverLimit,
        ("over_limit", "单据超限", "document over its limits"),
        (Judges::Line, "the document's first line"),
        (Action::Hold, Severity::Medium),
        None,
        "operational limit: what is not judged is not paid",
        "a document grew past its limits by partial uploads; it is kept and not judged, and a claim is held as a whole",
    ),
    entry(
        RuleId::OverSplit,
        ("over_split", "拆零超量", "split over content"),
        ANCHOR,
        (Action::Hold, Severity::Medium),
        None,
        "a pack cannot give more units than it holds; no official counting rule for split packs is known",
        "units taken out of an opened pack add up to more than it holds; an alert where an estimate took part",
    ),
    entry(
        RuleId::OverusedCode,
        ("overused_code", "追溯码滥用", "overused code"),
        (Judges::Code, "the code's first observation"),
        (Action::Hold, Severity::High),
        None,
        "operational limit: what is not judged is not paid",
        "a code has more than 2,000 live records; it is kept and not walked, and all its settlement lines are held",
    ),
    entry(
        RuleId::PersonMismatch,
        ("person_mismatch", "冒名", "handed to another person"),
        SETTLEMENT,
        (Action::Hold, Severity::High),
        None,
        "《医疗保障基金使用监督管理条例》 and its 实施细则 (in force 1 Apr 2026): impersonated purchases",
        "a sale was dispensed to one person and settled for another",
    ),
    entry(
        RuleId::Reflow,
        ("reflow", "回流", "reflow into stock"),
        STOCK_IN,
        (Action::Alert, Severity::Critical),
        Some(("purchase_grace", Millis::from_hours(72))),
        RESELLING,
        "a code that was sold and not given back comes into stock again",
    ),
    entry(
        RuleId::RefundUnmatched,
        ("refund_unmatched", "退费无对应", "refund without match"),
        (Judges::Line, "the adjustment"),
        (Action::Alert, Severity::Low),
        None,
        "a refund takes back what was claimed; one that fits nothing hides an error or a claim that is still to come",
        "an adjustment of a settlement takes off more than there is, or nothing that it could be meant for is there",
    ),
    entry(
        RuleId::RepeatedInDocument,
        ("repeated_in_document", "同单重复", "repeated in the document"),
        LINE,
        (Action::Hold, Severity::Low),
        None,
        ONE_BOX_ONE_SALE,
        "the same pack is on an earlier line of the same document; elsewhere than on settlements an alert",
    ),
    entry(
        RuleId::Resale,
        ("resale", "再次销售", "sold again"),
        ANCHOR,
        (Action::Hold, Severity::High),
        None,
        RESELLING,
        "content that an open sale has used is sold again, at another institution or to another person",
    ),
    entry(
        RuleId::ReturnNotRefunded,
        ("return_not_refunded", "退药未退费", "returned, not refunded"),
        (Judges::Code, "the return"),
        (Action::Alert, Severity::Medium),
        Some(("refund_grace", Millis::from_hours(72))),
        "the fund does not pay for what was given back; settlement and return are reversed by separate messages",
        "a sale was given back and its settlement still stands",
    ),
    entry(
        RuleId::SettledNotDispensed,
        ("settled_not_dispensed", "空刷", "settled, not dispensed"),
        SETTLEMENT,
        (Action::Alert, Severity::High),
        Some(("dispense_grace", Millis::from_hours(48))),
        "空刷, empty swiping, is one of the causes of repeated codes that NHSA names; sale records may be two days late",
        "a settlement at an institution that uploads its dispensings, without any dispensing of the code",
    ),
    entry(
        RuleId::ShortCodes,
        ("short_codes", "码数不足", "too few codes"),
        LINE,
        (Action::Hold, Severity::Medium),
        None,
        PAY_BY_CODE,
        "fewer packs were scanned than are claimed",
    ),
    entry(
        RuleId::SoldAfterStockOut,
        ("sold_after_stock_out", "出库后销售", "sold after it left stock"),
        ANCHOR,
        (Action::Hold, Severity::High),
        None,
        ONE_BOX_ONE_SALE,
        "a code is sold by an institution that has returned, written off or destroyed it",
    ),
    entry(
        RuleId::Swap,
        ("swap", "串换", "swapped item"),
        (Judges::Line, "the line (catalogue); the observation (declared)"),
        (Action::Refuse, Severity::High),
        None,
        "实施细则 (in force 1 Apr 2026): swapping for unpayable, lower-ratio or lower-priced items",
        "the code belongs to another product than the line claims: by the catalogue of prefixes (refused on a settlement, elsewhere an alert), or by what was declared of the code before (held on a settlement, elsewhere an alert)",
    ),
    entry(
        RuleId::UnknownProduct,
        ("unknown_product", "未知标识码", "unknown product prefix"),
        LINE,
        (Action::Observe, Severity::Info),
        None,
        "the catalogue of prefixes is incomplete, which is nobody's fault",
        "the prefix of a valid code has no product record",
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
