//! How many units a code holds, and how many an observation needs of them.
//!
//! Quantities are thousandths; products come before divisions, and a division rounds down. Products are made
//! in 128 bits, so no input can overflow them.

use crate::domain::amount::Quantity;
use crate::domain::observation::Observation;

/// What one code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Packs behind one code, at least 1.
    pub packs_per_code: u32,
    /// Units in one pack, where known.
    pub units_per_pack: Option<u32>,
}

/// Units that an observation takes of the content, or gives back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// How many.
    pub amount: Quantity,
    /// Whether they are a share of a line, of several codes or made smaller by adjustments, so that they may be wrong
    /// for this code.
    pub is_estimate: bool,
}

impl Pack {
    /// The pack of a timeline: from the first observation whose prefix has a product record, else a single pack.
    pub fn of(observations: &[Observation]) -> Self {
        let record = observations.iter().find_map(|observation| observation.product.as_ref());
        record.map_or(Self { packs_per_code: 1, units_per_pack: None }, |product| Self {
            packs_per_code: product.packs_per_code.max(1),
            units_per_pack: product.units_per_pack.map(|units| units.max(1)),
        })
    }

    /// Whether one code is one pack.
    pub const fn is_single(&self) -> bool {
        self.packs_per_code == 1
    }

    /// Units behind one code; unknown units count as one to the pack.
    pub fn content(&self) -> Quantity {
        times(Quantity::from_whole(self.packs_per_code), self.units())
    }

    /// What an observation needs.
    pub fn need(&self, observation: &Observation) -> Need {
        let before = observation.quantity_before.or(observation.quantity);
        let need = if observation.split {
            self.split_need(observation, before)
        } else {
            self.whole_need(observation, before)
        };
        match (observation.quantity_before, observation.quantity) {
            (Some(before), Some(left)) => self.adjusted_need(need, left, before),
            _ => Need { is_estimate: need.is_estimate && need.amount > Quantity::ZERO, ..need },
        }
    }

    /// The share of a need that adjustments of the line left: for which of its codes, nobody says.
    fn adjusted_need(&self, need: Need, left: Quantity, before: Quantity) -> Need {
        let product = i128::from(need.amount.thousandths()).saturating_mul(i128::from(left.thousandths()));
        let amount =
            held(product.checked_div(i128::from(before.thousandths())).unwrap_or_default()).min(need.amount);
        let is_part = amount < self.content();
        Need { amount, is_estimate: amount > Quantity::ZERO && (is_part || need.is_estimate) }
    }

    fn split_need(&self, observation: &Observation, quantity: Option<Quantity>) -> Need {
        match (self.units_per_pack, observation.units, quantity) {
            (None, _, _) | (_, None, None) => Need::default(),
            (Some(_), Some(units), _) => Need { amount: units, is_estimate: false },
            (Some(_), None, Some(quantity)) => {
                Need { amount: share(quantity, 1, observation), is_estimate: observation.codes_on_line > 1 }
            }
        }
    }

    fn whole_need(&self, observation: &Observation, quantity: Option<Quantity>) -> Need {
        let content = self.content();
        match quantity {
            Some(quantity) if !self.is_single() => {
                let share = share(quantity, self.units(), observation);
                let is_estimate = observation.codes_on_line > 1 && share < content;
                Need { amount: share.min(content), is_estimate }
            }
            _ => Need { amount: content, is_estimate: false },
        }
    }

    fn units(&self) -> u32 {
        self.units_per_pack.unwrap_or(1)
    }
}

/// `quantity` × `factor`, divided among the codes of the line.
fn share(quantity: Quantity, factor: u32, observation: &Observation) -> Quantity {
    let product = i128::from(quantity.thousandths()).saturating_mul(i128::from(factor));
    held(product / i128::from(observation.codes_on_line.max(1)))
}

fn times(quantity: Quantity, factor: u32) -> Quantity {
    held(i128::from(quantity.thousandths()).saturating_mul(i128::from(factor)))
}

/// Back to 64 bits, held at their greatest value.
pub(super) fn held(thousandths: i128) -> Quantity {
    Quantity::from_thousandths(i64::try_from(thousandths).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Kind::{Dispense, PurchaseIn};
    use crate::domain::timeline::story::{HOSPITAL, Tell, told};

    fn need(packs_per_code: u32, units_per_pack: Option<u32>, observation: &Observation) -> (String, bool) {
        let need = Pack { packs_per_code, units_per_pack }.need(observation);
        (need.amount.to_string(), need.is_estimate)
    }

    #[test]
    fn what_an_observation_needs() {
        let sold = told(Dispense, HOSPITAL, "D1", 5);
        let units =
            |o: Observation, thousandths| o.with(|o| o.units = Some(Quantity::from_thousandths(thousandths)));
        let unsaid = |o: Observation| o.with(|o| o.quantity = None);
        let cases = [
            (
                "a whole pack, whatever the quantity",
                1,
                Some(20),
                sold.clone().quantity(7).codes(3),
                "20",
                false,
            ),
            ("unknown units count as one", 1, None, sold.clone(), "1", false),
            ("a carton of unknown quantity", 10, Some(48), unsaid(sold.clone()), "480", false),
            ("part of a carton", 10, Some(48), sold.clone().quantity(3), "144", false),
            ("no more than the carton", 10, Some(48), sold.clone().quantity(30), "480", false),
            ("a share of two cartons", 10, Some(48), sold.clone().quantity(15).codes(2), "360", true),
            ("two full cartons", 10, Some(48), sold.clone().quantity(20).codes(2), "480", false),
            ("division rounds down", 3, None, sold.clone().quantity(1).codes(3), "0.333", true),
            ("two of three boxes", 1, Some(20), sold.clone().codes(3).adjusted(3, 2), "13.333", true),
            (
                "a carton that was full before",
                10,
                Some(48),
                sold.clone().codes(2).adjusted(20, 15),
                "360",
                true,
            ),
            (
                "units as said, less",
                1,
                Some(20),
                units(sold.clone().split(7), 6000).adjusted(7, 1),
                "0.857",
                true,
            ),
            ("more than a carton left", 10, Some(48), sold.clone().adjusted(20, 10), "240", true),
            ("nothing is no estimate", 1, None, sold.clone().split(7).codes(2).adjusted(9, 3), "0", false),
            ("split", 1, Some(20), sold.clone().split(7), "7", false),
            ("split among codes", 1, Some(20), sold.clone().split(7).codes(2), "3.5", true),
            ("split as said", 1, Some(20), units(sold.clone().split(7).codes(2), 1500), "1.5", false),
            ("split of unknown units", 1, None, units(sold.clone().split(7), 1500), "0", false),
            ("split of unknown quantity", 1, Some(20), unsaid(sold.split(7).codes(2)), "0", false),
        ];
        for (what, packs, units, observation, amount, is_estimate) in cases {
            assert_eq!(need(packs, units, &observation), (amount.to_owned(), is_estimate), "{what}");
        }
    }

    #[test]
    fn the_first_observation_with_a_record_says_what_a_code_holds() {
        let story = [
            told(PurchaseIn, HOSPITAL, "B1", 1).uncatalogued(None),
            told(PurchaseIn, HOSPITAL, "B2", 2).carton(10),
            told(PurchaseIn, HOSPITAL, "B3", 3),
        ];
        assert_eq!(Pack::of(&story), Pack { packs_per_code: 10, units_per_pack: Some(20) });
        assert_eq!(Pack::of(&story).content(), Quantity::from_whole(200));
        assert_eq!(Pack::of(&[]).content(), Quantity::from_whole(1));
    }
}
