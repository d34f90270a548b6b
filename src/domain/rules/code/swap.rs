//! `swap` 串换, basis `declared`: one code, declared as two products.
//!
//! **Catches** an observation whose product differs from what the code was first stocked as, or, where no stock
//! in names a product, from the first observation that names one. That one is the counterpart. Held on a
//! settlement, else an alert.
//!
//! **Silent** as soon as any observation of the code has a product record for its prefix: then the catalogue
//! decides, by the line rule of the same name. Lines that name no product say nothing.
//!
//! **Example.** A code without catalogue entry is stocked as repaglinide and settled as ambroxol.

use super::docket::{Docket, Statement};
use crate::domain::document::Role;
use crate::domain::rules::{Action, Basis, RuleId};
use crate::domain::timeline::Fact;
use crate::domain::timeline::walk::Walk;

const RULE: RuleId = RuleId::Swap;

pub(super) fn judge(walk: &Walk<'_, '_>, docket: &mut Docket<'_>) {
    let facts = &walk.timeline().facts;
    if facts.iter().any(|fact| fact.observation.product.is_some()) {
        return;
    }
    let names_a_product = |fact: &&Fact<'_>| fact.observation.product_code.is_some();
    let stocked_as = facts.iter().filter(names_a_product).find(|fact| fact.observation.role == Role::StockIn);
    let Some(declared) = stocked_as.or_else(|| facts.iter().find(names_a_product)) else {
        return;
    };
    for subject in facts.iter().filter(names_a_product) {
        if subject.observation.product_code == declared.observation.product_code {
            continue;
        }
        let Some(setting) = docket.setting(RULE, subject.observation) else {
            continue;
        };
        let action = if subject.observation.role == Role::Settlement { Action::Hold } else { Action::Alert };
        let mut statement = Statement::about(RULE, action, setting, *subject).against(*declared);
        statement.basis = Some(Basis::Declared);
        docket.enter(statement, walk);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::domain::document::Kind::{Dispense, PurchaseIn, Settlement};
    use crate::domain::timeline::story::{PHARMACY, Tell, found, told};

    #[test]
    fn stocked_as_one_product_settled_as_another() {
        let story = vec![
            told(Dispense, PHARMACY, "D0", 1).uncatalogued(Some("XR05")),
            told(PurchaseIn, PHARMACY, "B1", 3).uncatalogued(Some("XA10")),
            told(Dispense, PHARMACY, "D1", 5).uncatalogued(Some("XA10")),
            told(Settlement, PHARMACY, "S1", 6).uncatalogued(Some("XR05")),
        ];
        assert_eq!(found(RULE, story, 20), ["D0 against B1 alert", "S1 against B1 hold"]);
    }

    #[test]
    fn without_a_stock_in_that_names_a_product_the_first_that_does_counts() {
        let story = vec![
            told(PurchaseIn, PHARMACY, "B1", 1).uncatalogued(None),
            told(Dispense, PHARMACY, "D1", 5).uncatalogued(Some("XA10")),
            told(Settlement, PHARMACY, "S1", 6).uncatalogued(Some("XR05")),
        ];
        assert_eq!(found(RULE, story, 20), ["S1 against D1 hold"]);
    }

    #[test]
    fn one_catalogue_record_silences_it() {
        let story = vec![
            told(PurchaseIn, PHARMACY, "B1", 1).uncatalogued(Some("XA10")),
            told(Settlement, PHARMACY, "S1", 6),
        ];
        assert_eq!(found(RULE, story, 20), Vec::<String>::new());
    }
}
