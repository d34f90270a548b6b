//! The messages of the national interface: one table for the reader, the router of files and the guide.

use std::ops::RangeInclusive;

use super::{Message, Outcome, cancel, fees, inventory, sales, settlement};
use crate::domain::document::Group;
use crate::wire::inbound::reject::Reject;

/// What reads a message: its rows, to the documents that they become.
pub(super) type Read = fn(&Message<'_>) -> Result<Outcome, Reject>;

/// One message, or several that are alike.
#[derive(Debug)]
pub struct MessageKind {
    /// Its numbers. Variants (a letter behind the number) are read like the number.
    pub numbers: RangeInclusive<u16>,
    /// Its name at the interface.
    pub name: &'static str,
    /// What it becomes here, for people.
    pub becomes: &'static str,
    /// The topic that it belongs to.
    pub topic: Group,
    /// Its reader; none when it reports no fact: then it is counted as ignored.
    pub(super) read: Option<Read>,
}

const fn fact(
    numbers: RangeInclusive<u16>,
    topic: Group,
    name: &'static str,
    becomes: &'static str,
    read: Read,
) -> MessageKind {
    MessageKind { numbers, name, becomes, topic, read: Some(read) }
}

const fn no_fact(numbers: RangeInclusive<u16>, topic: Group, name: &'static str) -> MessageKind {
    MessageKind { numbers, name, becomes: "ignored: it reports no fact", topic, read: None }
}

use Group::{Dispensing, Procurement, Settlement};

/// Every message that is known, in the order of their numbers. What is not here is refused as `unknown_message`.
pub static MESSAGES: [MessageKind; 32] = [
    no_fact(1101..=1999, Settlement, "基础信息、目录查询"),
    no_fact(2001..=2099, Settlement, "待遇检查、备案"),
    no_fact(2101..=2101, Settlement, "药店预结算"),
    fact(
        2102..=2102,
        Settlement,
        "药店结算",
        "settlement: a full document of its lines",
        settlement::of_pharmacy,
    ),
    fact(2103..=2103, Settlement, "药店结算撤销", "reversal of the settlement", cancel::settlement),
    no_fact(2201..=2203, Settlement, "门诊挂号、就诊信息"),
    fact(2204..=2204, Settlement, "门诊费用明细上传", "settlement: fee lines of a batch", fees::documents),
    fact(2205..=2205, Settlement, "门诊费用明细撤销", "reversal of fee lines", fees::cancellations),
    no_fact(2206..=2206, Settlement, "门诊预结算"),
    fact(
        2207..=2207,
        Settlement,
        "门诊结算",
        "settlement: header and codes of a batch",
        settlement::of_visit,
    ),
    fact(2208..=2208, Settlement, "门诊结算撤销", "reversal of the settlement", cancel::settlement),
    fact(2301..=2301, Settlement, "住院费用明细上传", "settlement: fee lines of a stay", fees::documents),
    fact(2302..=2302, Settlement, "住院费用明细撤销", "reversal of fee lines", fees::cancellations),
    no_fact(2303..=2303, Settlement, "住院预结算"),
    fact(2304..=2304, Settlement, "住院结算", "settlement: header and codes of a stay", settlement::of_visit),
    fact(2305..=2305, Settlement, "住院结算撤销", "reversal of the settlement", cancel::settlement),
    no_fact(2401..=2499, Settlement, "入院、出院办理"),
    no_fact(2501..=2599, Settlement, "人员备案"),
    fact(2601..=2601, Settlement, "冲正", "reversal of what the request stated", cancel::by_message),
    no_fact(3101..=3199, Settlement, "事前、事中提醒"),
    no_fact(3201..=3399, Settlement, "对账、目录对照"),
    no_fact(3401..=3499, Settlement, "科室、床位信息"),
    fact(
        3501..=3504,
        Procurement,
        "盘存、库存变更、采购、采购退货",
        "stock: one document per row",
        inventory::documents,
    ),
    fact(
        3505..=3506,
        Dispensing,
        "商品销售、销售退货",
        "dispense, dispense_return: one document per row",
        sales::documents,
    ),
    fact(
        3507..=3507,
        Procurement,
        "商品信息删除",
        "reversal of the rows of a batch",
        cancel::stock_deletions,
    ),
    no_fact(3508..=3511, Procurement, "进销存记录查询"),
    no_fact(3512..=3513, Procurement, "药品追溯信息查询"),
    no_fact(4101..=4199, Settlement, "医疗保障基金结算清单"),
    no_fact(4201..=4999, Settlement, "自费信息、电子病历、检查检验"),
    no_fact(5101..=5999, Settlement, "信息查询"),
    no_fact(7101..=7999, Settlement, "电子处方流转"),
    no_fact(9001..=9199, Settlement, "签到、文件上传下载"),
];

/// The message of that number.
pub fn of_number(number: u16) -> Option<&'static MessageKind> {
    MESSAGES.iter().find(|message| message.numbers.contains(&number))
}

/// The message of a name as sent: four digits and perhaps a letter for the variant.
pub fn of_name(name: &str) -> Option<(u16, &'static MessageKind)> {
    let digits = name.strip_suffix(|variant: char| variant.is_ascii_alphabetic()).unwrap_or(name);
    let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| valid)?;
    Some((number, of_number(number)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_row_and_the_rows_are_in_order() {
        for pair in MESSAGES.windows(2) {
            if let [before, after] = pair {
                assert!(before.numbers.end() < after.numbers.start(), "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_name_is_four_digits_and_perhaps_a_letter() {
        let number = |name: &str| of_name(name).map(|(number, _)| number);
        assert_eq!(number("3505"), Some(3505));
        assert_eq!(number("2304A"), Some(2304));
        for name in ["", "350", "35055", "3505AB", "9952", "销售"] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
