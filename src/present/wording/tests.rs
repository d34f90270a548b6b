//! Every rule has something to say, in both languages.

use super::*;
use crate::domain::document::Kind;
use crate::domain::observation::{Cause, What};
use crate::domain::rules::RuleId;
use crate::domain::rules::catalogue::RULES;
use crate::domain::samples::{alert, resold, side};

#[test]
fn a_pair_is_told_with_both_sides_the_code_and_the_money() {
    let change = resold();
    assert_eq!(
        alert_zh(&change),
        "追溯码尾号016835的“盐酸氨溴索片 30mg×20片”已由机构P37020300001于2026年1月5日10:00结算，其后机构P44030500003于2026年1月7日10:00\
         结算（跨地区），同一追溯码的产品，医保基金只支付一次，涉及基金24.92元。"
    );
    assert_eq!(
        alert_en(&change),
        "On 7 Jan 2026 at 10:00 institution P44030500003 settled the package of \"盐酸氨溴索片 30mg×20片\" with code …016835, which \
         institution P37020300001 settled on 5 Jan 2026 at 10:00 in another region; the fund pays for a package once; \
         24.92 yuan of the fund are at stake."
    );
}

#[test]
fn a_withdrawal_names_the_document_that_explains_it() {
    let mut change = resold();
    change.status = Status::Withdrawn;
    let mut document = change.finding.subject.key.document.clone();
    document.document_id = "R-7".into();
    change.cause = Cause::of(document, What::Retracted);
    assert!(
        alert_zh(&change)
            .starts_with("【撤销】机构P44030500003的单据R-7撤销或更正后，该情形已不成立。原预警：")
    );
    assert!(
        alert_en(&change).starts_with("Withdrawn: document R-7 of institution P44030500003 was taken back")
    );
    change.cause = Cause::TIME;
    assert!(alert_en(&change).starts_with("Withdrawn: with the passing of time"));
}

#[test]
fn a_finding_that_moved_to_the_settlement_of_its_sale_is_not_called_explained() {
    let mut change = alert(RuleId::NotPurchased, side(Kind::Dispense, "P44030500003", "D1", 2), None);
    change.status = Status::Withdrawn;
    let settlement = side(Kind::Settlement, "P44030500003", "S1", 2).key.document;
    change.cause = Cause { moved_to_settlement: true, ..Cause::of(settlement, What::Asserted) };
    let beginning = "Withdrawn: document S1 of institution P44030500003 was uploaded since: the sale and its \
                     settlement are one, judged by the settlement. The alert was: ";
    assert!(alert_en(&change).starts_with(beginning), "{}", alert_en(&change));
    let beginning =
        "【撤销】机构P44030500003的单据S1上传后，该次销售已与其结算单合并，此后按结算单判定。原预警：";
    assert!(alert_zh(&change).starts_with(beginning), "{}", alert_zh(&change));
    change.cause.what = What::Retracted;
    let beginning = "Withdrawn: document S1 of institution P44030500003 was taken back or corrected, so the sale \
                     is judged by its settlement. ";
    assert!(alert_en(&change).starts_with(beginning), "{}", alert_en(&change));
    let beginning = "【撤销】机构P44030500003的单据S1撤销或更正后，该次销售改按其结算单判定。";
    assert!(alert_zh(&change).starts_with(beginning), "{}", alert_zh(&change));
}

#[test]
fn one_institution_is_named_once() {
    let (subject, before) = (
        side(Kind::Settlement, "P44030500003", "S2", 2),
        side(Kind::DispenseReturn, "P44030500003", "R1", 1),
    );
    let mut change = alert(RuleId::SoldAfterStockOut, subject, Some(before));
    change.finding.product_name = None;
    assert!(
        alert_en(&change).contains("after the same institution took it back on 6 Jan 2026"),
        "{}",
        alert_en(&change)
    );
    assert!(alert_zh(&change).contains("其后该机构又于2026年1月7日10:00结算"), "{}", alert_zh(&change));
}

#[test]
fn both_sides_say_whose_code_they_borrow() {
    let mut change = resold();
    let from = |document_id: &str| Some(LentFrom { document_id: document_id.into(), line_id: "7".into() });
    change.finding.counterpart =
        change.finding.counterpart.map(|side| Side { lent_from: from("D1"), ..side });
    change.finding.subject.lent_from = from("D2");
    let (zh, en) = (alert_zh(&change), alert_en(&change));
    let ends = "。结算单S2明细1未写该码，系取自同一机构发药单据D2明细7。结算单S1明细1未写该码，系取自同一机构发药单据D1明细7。";
    assert!(zh.ends_with(ends), "{zh}");
    assert!(
        en.contains(
            "the hand-over D2 at the same institution. Line 1 of settlement S1 has no such code itself"
        ),
        "{en}"
    );
}

#[test]
fn every_rule_says_something_of_its_own_about_both_sides() {
    let mut seen = std::collections::BTreeSet::new();
    let bases = RULES.iter().map(|entry| (entry.id, None)).chain([(RuleId::Swap, Some(Basis::Declared))]);
    for (rule, basis) in bases {
        let subject = side(Kind::Settlement, "P44030500003", "S2", 2);
        let mut change = alert(rule, subject, Some(side(Kind::PurchaseIn, "P37020300001", "B1", 0)));
        change.finding.basis = basis;
        for text in [alert_zh(&change), alert_en(&change)] {
            assert!(!text.contains(['{', '}']), "no language knows a name in: {text}");
            assert!(text.ends_with('.') || text.ends_with('。'), "{text}");
            let is_about_code = text.contains("016835");
            assert!(is_about_code || text.contains("S2"), "{text}");
            assert!(seen.insert(text.clone()), "said twice: {text}");
        }
    }
}

#[test]
fn only_the_end_of_a_code_is_spoken() {
    assert_eq!(tail("81773220000000016835"), "016835");
    assert_eq!(tail("1234"), "1234");
    assert_eq!(tail(""), "");
    assert_eq!(tail("追溯码是什么意思啊"), "是什么意思啊");
}
