//! Acts across institutions: the same packs, or only their codes, appear in several places.

use super::Plot;
use crate::domain::document::Kind;
use crate::domain::rules::RuleId;
use crate::sim::dirt::Filed;
use crate::sim::document::Pack;
use crate::sim::truth::Effect;
use crate::sim::verdict::Fact;

impl Plot<'_> {
    /// A patient collects packs in two shops of a city within days; a shop of another city sells them again,
    /// without a purchase.
    pub(super) fn patient_resale(&mut self) {
        let product = self.product();
        let patient = self.person();
        let resold_at = self.place(product);
        let buyer = self.person_other_than(patient);
        for visit in 0..2 {
            let packs = self.packs(product);
            let shop = self.place_elsewhere(resold_at, product);
            let at = self.delivery(visit);
            self.buy(at, shop, &packs, true);
            let at = self.at(visit);
            let first = self.sell(at, shop, patient, &packs);
            let at = self.at(4 + visit);
            let again = self.sell(at, resold_at, buyer, &packs);
            for pack in &packs {
                self.prove_sold_again(pack, &again.settled, &first.settled);
                let fact = Fact::about(RuleId::NotPurchased, &again.settled, 0);
                self.prove(Fact { pack: Some(*pack), grace_hours: 72, ..fact });
            }
        }
    }

    /// Hired patients fetch packs in shops of other cities; a ring buys them back, a shop enters them as stock without
    /// papers, and settles them again.
    pub(super) fn reflow_ring(&mut self) {
        let product = self.product();
        let back_at = self.place(product);
        for errand in 0..2 {
            let source = self.place_elsewhere(back_at, product);
            let hired = self.person();
            let buyer = self.person_other_than(hired);
            let packs = self.packs(product);
            let at = self.delivery(errand);
            self.buy(at, source, &packs, true);
            let at = self.at(errand);
            let first = self.sell(at, source, hired, &packs);
            let at = self.delivery(5);
            let back = self.buy(at, back_at, &packs, false);
            let at = self.at(7 + errand);
            let again = self.sell(at, back_at, buyer, &packs);
            for pack in &packs {
                let fact = Fact::pair(RuleId::Reflow, pack, &back, &first.settled);
                self.prove(Fact { scoped: true, ..fact });
                self.prove_sold_again(pack, &again.settled, &first.settled);
            }
        }
    }

    /// A shop buys packs, keeps photographs of their codes and lets the packs go to a clinic elsewhere, which sells
    /// them; later the shop settles the codes while it hands over other goods.
    pub(super) fn photographed_codes(&mut self) {
        let product = self.product();
        let photographer = self.place(product);
        let clinic = self.place_elsewhere(photographer, product);
        let patient = self.person();
        let other = self.person_other_than(patient);
        let packs = self.packs(product);
        let at = self.delivery(0);
        let bought = self.buy(at, photographer, &packs, true);
        let at = self.delivery(2);
        let entered = self.buy(at, clinic, &packs, false);
        let at = self.at(3);
        let first = self.sell(at, clinic, patient, &packs);
        let at = self.at(8);
        let again = self.sell(at, photographer, other, &packs);
        for pack in &packs {
            let fact = Fact::pair(RuleId::DuplicatePurchase, pack, &entered, &bought);
            self.prove(Fact { scoped: true, ..fact });
            self.prove_sold_again(pack, &again.settled, &first.settled);
        }
    }

    /// One institution buys, another one sells: the pack never left the first one's stock.
    pub(super) fn cross_channel(&mut self) {
        let product = self.product();
        let seller = self.place(product);
        let buyer = self.place_elsewhere(seller, product);
        let packs = self.packs(product);
        let at = self.delivery(0);
        let bought = self.buy(at, buyer, &packs, true);
        let at = self.at(2);
        let person = self.person();
        let sale = self.sell(at, seller, person, &packs);
        for pack in &packs {
            let fact = Fact::pair(RuleId::HeldElsewhere, pack, &sale.settled, &bought);
            self.prove(fact);
            let fact = Fact::about(RuleId::NotPurchased, &sale.settled, 0);
            self.prove(Fact { pack: Some(*pack), grace_hours: 72, ..fact });
        }
    }

    /// Written off by its owner, then sold by it.
    pub(super) fn sold_after_write_off(&mut self) {
        let product = self.product();
        let place = self.place(product);
        let packs = self.packs(product);
        let at = self.delivery(0);
        self.buy(at, place, &packs, true);
        let at = self.at(1);
        let gone = self.move_stock(Kind::Destroyed, at, place, &packs);
        let at = self.at(4);
        let person = self.person();
        let sale = self.sell(at, place, person, &packs);
        for pack in &packs {
            let fact = Fact::pair(RuleId::SoldAfterStockOut, pack, &sale.settled, &gone);
            self.prove(Fact { effect: Effect::Hold, ..fact });
        }
    }

    /// The second sale of a pack to another person: settled twice, and sold again.
    pub(super) fn prove_sold_again(&mut self, pack: &Pack, again: &Filed, first: &Filed) {
        let fact = Fact::pair(RuleId::DuplicateSettlement, pack, again, first);
        // At one place a borrowed code may be another box's of the same hand-over: that is for a person to say.
        let lent_here = again.institution == first.institution && (again.is_bare || first.is_bare);
        let effect = if lent_here { Effect::Hold } else { Effect::Refuse };
        self.prove(Fact { effect, scoped: true, ..fact });
        let fact = Fact::pair(RuleId::Resale, pack, again, first);
        self.prove(Fact { effect: Effect::Hold, scoped: true, ..fact });
    }
}
