//! The one table of rules: a row for each, which names it and where its entry is. A rule that is not here does not
//! compile, since its entry names it.

use super::entry::RuleEntry;
use super::{code, line};

/// Version of the rules' meaning, published with every alert.
pub const RULE_VERSION: &str = "1";

/// Makes of the rows the names of the rules, and the way from each to its entry and back.
macro_rules! table {
    ($($(#[$title:meta])* $rule:ident => $entry:path,)+) => {
        /// A rule. The order is that of the names, as reasons are listed in it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $($(#[$title])* $rule,)+
        }

        /// All rules, in the order of their names.
        pub static RULES: [&RuleEntry; [$(RuleId::$rule),+].len()] = [$(&$entry),+];

        impl RuleId {
            /// The description of the rule.
            pub const fn entry(self) -> &'static RuleEntry {
                match self {
                    $(Self::$rule => const { &$entry },)+
                }
            }
        }
    };
}

table! {
    /// 禁售.
    Banned => line::banned::ENTRY,
    /// 重复入库.
    DuplicatePurchase => code::duplicate_purchase::ENTRY,
    /// 重复结算.
    DuplicateSettlement => code::duplicate_settlement::ENTRY,
    /// 窜码.
    HeldElsewhere => code::held_elsewhere::ENTRY,
    /// 错码.
    InvalidCode => line::invalid_code::ENTRY,
    /// 无码.
    NoCode => line::no_code::ENTRY,
    /// 无进货来源.
    NotPurchased => code::not_purchased::ENTRY,
    /// 单据超限: a document that grew past its limits by partial uploads.
    OverLimit => line::over_limit::ENTRY,
    /// 拆零超量.
    OverSplit => code::over_split::ENTRY,
    /// 追溯码滥用: a code with more observations than are walked.
    OverusedCode => code::overused_code::ENTRY,
    /// 冒名.
    PersonMismatch => code::person_mismatch::ENTRY,
    /// 回流.
    Reflow => code::reflow::ENTRY,
    /// 退费无对应.
    RefundUnmatched => line::refund_unmatched::ENTRY,
    /// 同单重复.
    RepeatedInDocument => line::repeated_in_document::ENTRY,
    /// 再次销售.
    Resale => code::resale::ENTRY,
    /// 退药未退费.
    ReturnNotRefunded => code::return_not_refunded::ENTRY,
    /// 空刷.
    SettledNotDispensed => code::settled_not_dispensed::ENTRY,
    /// 码数不足.
    ShortCodes => line::short_codes::ENTRY,
    /// 出库后销售.
    SoldAfterStockOut => code::sold_after_stock_out::ENTRY,
    /// 串换.
    Swap => line::swap::ENTRY,
    /// 未知标识码.
    UnknownProduct => line::unknown_product::ENTRY,
}

impl RuleId {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// The rule of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        RULES.iter().find(|entry| entry.name == name).map(|entry| entry.id)
    }

    /// The rule of that number in the log.
    pub fn from_number(number: i32) -> Option<Self> {
        RULES.iter().find(|entry| entry.number == number).map(|entry| entry.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_leads_to_the_entry_of_its_rule_and_rows_are_sorted_by_name() {
        for (index, entry) in RULES.iter().enumerate() {
            assert_eq!(entry.id as usize, index, "{}", entry.name);
            assert_eq!(entry.id.entry().name, entry.name);
            assert_eq!(RuleId::from_name(entry.name), Some(entry.id));
            assert_eq!(RuleId::from_number(entry.number), Some(entry.id));
        }
        assert!(RULES.is_sorted_by_key(|entry| entry.name));
        let numbers: BTreeSet<i32> = RULES.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers.len(), RULES.len());
    }
}
