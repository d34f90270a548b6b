//! `over_split` 拆零超量: more units sold out of a pack than it holds.
//!
//! **Catches** a split sale whose units, with those of the open split sales before it, are more than the
//! content. The counterpart is the latest open split sale, if there is one. Held; only an alert when a need
//! involved is an estimate.
//!
//! **Silent** when the units of a pack are unknown (then split sales need nothing), and as long as the sum fits;
//! units that were given back count no more.
//!
//! **Example.** Of twenty tablets seven, seven and six are sold: fine. One more is over, counterpart the six.

use super::docket::{Docket, Statement};
use crate::domain::amount::Quantity;
use crate::domain::finding::Attributes;
use crate::domain::rules::entry::{Judges, RuleEntry, Words, subject};
use crate::domain::rules::{Action, RuleId, Severity};
use crate::domain::timeline::sale::Sale;
use crate::domain::timeline::walk::Walk;

/// What the rule is.
pub(in crate::domain::rules) const ENTRY: RuleEntry = RuleEntry {
    id: RuleId::OverSplit,
    number: 9,
    name: "over_split",
    title: Words { zh: "拆零超量", en: "split over content" },
    judges: Judges::Code(Words {
        zh: "{package}拆零销售超量：{event}，{sums}，超出部分没有实物对应{money}。",
        en: "{mine} by the unit: {sums}; nothing stands behind the excess{money}.",
    }),
    subject: subject::ANCHOR,
    action: Action::Hold,
    severity: Severity::Medium,
    grace: None,
    is_alert: true,
    allowable: true,
    basis: "a pack cannot give more units than it holds; no official counting rule for split packs is known",
    catches: "units taken out of an opened pack add up to more than it holds; an alert where an estimate took part",
};

const RULE: RuleId = RuleId::OverSplit;

pub(super) fn judge(sale: &Sale<'_>, walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let need = sale.need();
    let content = walk.timeline().pack.content();
    let used = walk.used_split();
    if !sale.is_split() || need.amount <= Quantity::ZERO || !used.overflows(need.amount, content) {
        return;
    }
    let Some(setting) = docket.setting(RULE, sale.anchor.observation) else {
        return;
    };
    let estimate = need.is_estimate || used.has_estimate();
    let action = if estimate { Action::Alert } else { Action::Hold };
    let mut statement = Statement::about(RULE, action, setting, sale.anchor);
    if let Some(latest) = walk.open_latest_first().find(|open| open.sale.is_split()) {
        statement = statement.against(latest.sale.anchor).with_scope();
    }
    statement = statement.resting_on(sale).resting_on_split_use(walk);
    statement.attributes = Attributes {
        need: Some(need.amount),
        used: Some(used.amount()),
        content: Some(content),
        estimate,
        ..Attributes::default()
    };
    docket.enter(statement, walk);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, DispenseReturn, Settlement};
    use crate::domain::timeline::story::{HOSPITAL, Tell, found, told};

    #[test]
    fn twenty_tablets_and_one_more() {
        let sold = |id, on, units| told(Settlement, HOSPITAL, id, on).split(units);
        let mut story = vec![sold("S1", 5, 7), sold("S2", 6, 7), sold("S3", 7, 6)];
        assert_eq!(found(RULE, story.clone(), 20), Vec::<String>::new());
        story.push(sold("S4", 9, 1));
        assert_eq!(found(RULE, story.clone(), 20), ["S4 against S3 institution hold"]);
        story.push(told(DispenseReturn, HOSPITAL, "R1", 8).split(1).gives_back("S1"));
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }

    #[test]
    fn a_single_sale_can_be_over() {
        let story = vec![told(Dispense, HOSPITAL, "D1", 5).split(21)];
        assert_eq!(found(RULE, story, 20), ["D1 against nobody hold"]);
    }

    #[test]
    fn a_share_of_a_line_with_several_codes_only_alerts() {
        let story = vec![told(Dispense, HOSPITAL, "D1", 5).split(42).codes(2)];
        assert_eq!(found(RULE, story, 20), ["D1 against nobody alert"]);
        let said = told(Dispense, HOSPITAL, "D1", 5)
            .split(42)
            .codes(2)
            .with(|o| o.units = Some(crate::domain::amount::Quantity::from_whole(21)));
        assert_eq!(found(RULE, vec![said], 20), ["D1 against nobody hold"]);
    }

    #[test]
    fn whole_sales_do_not_count_and_unknown_units_need_nothing() {
        let story = vec![told(Dispense, HOSPITAL, "D1", 5), told(Dispense, HOSPITAL, "D2", 6).split(20)];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
        let unknown = told(Dispense, HOSPITAL, "D1", 5).split(900).with(|o| {
            if let Some(product) = &mut o.product {
                product.units_per_pack = None;
            }
        });
        assert_eq!(found(RULE, vec![unknown], 20), Vec::<String>::new());
    }

    #[test]
    fn the_counterpart_is_a_split_sale() {
        let story = vec![
            told(Dispense, HOSPITAL, "D1", 5).split(15),
            told(Dispense, HOSPITAL, "D2", 6),
            told(Dispense, HOSPITAL, "D3", 7).split(6),
        ];
        assert_eq!(found(RULE, story, 20), ["D3 against D1 institution hold"]);
    }
}
