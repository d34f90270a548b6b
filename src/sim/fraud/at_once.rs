//! Acts whose parts stand alone: what is wrong shows in one claim, or in a few of the same place.

use super::{Plot, Sale};
use crate::domain::document::Kind;
use crate::domain::rules::{Basis, RuleId};
use crate::sim::dirt::Filed;
use crate::sim::document::{Full, Line, Lot, Pack, Scan};
use crate::sim::truth::Effect;
use crate::sim::verdict::Fact;

impl Plot<'_> {
    /// The claim names a dearer product than the one whose codes were scanned and handed over.
    pub(super) fn catalogue_swap(&mut self) {
        let given = self.product();
        let Some(claimed) = self.another_product(given) else {
            return;
        };
        let place = self.place_selling(given, claimed);
        let packs = self.packs(given);
        let at = self.delivery(0);
        self.buy(at, place, &packs, true);
        let sale = self.sell_falsely(place, &packs, claimed);
        let basis = Some(Basis::Catalogue);
        let fact = Fact::about(RuleId::Swap, &sale.settled, 0);
        self.prove(Fact { basis, effect: Effect::Refuse, ..fact });
        if sale.settled.is_bare {
            for row in 0..sale.dispensed.rows_of(0) {
                let fact = Fact::about(RuleId::Swap, &sale.dispensed, 0);
                self.prove(Fact { basis, row, ..fact });
            }
        }
    }

    /// Claims another product than the one handed over. Codes are lent to lines of their product alone, so who leaves
    /// them to the hand-over must lie there as well.
    fn sell_falsely(&mut self, place: u32, packs: &[Pack], claimed: u32) -> Sale {
        let honest = self.line(packs);
        let false_line = Line { product: claimed, ..honest.clone() };
        let handed = if self.lending(place).is_some() { false_line.clone() } else { honest };
        let at = self.at(1);
        let person = self.person();
        self.sell_as(at, place, (person, person), (handed, false_line))
    }

    /// The same with a maker's own code: no catalogue knows it, but it was bought as something else.
    pub(super) fn declared_swap(&mut self) {
        let makers = &self.province.world.catalogue.makers;
        let given = makers[self.province.plans.pick(makers.len())];
        let claimed = self.product();
        let place = self.place_selling(given, claimed);
        let packs = self.packs(given);
        let at = self.delivery(0);
        let bought = self.buy(at, place, &packs, true);
        let sale = self.sell_falsely(place, &packs, claimed);
        for pack in &packs {
            let basis = Some(Basis::Declared);
            let fact = Fact::pair(RuleId::Swap, pack, &sale.settled, &bought);
            self.prove(Fact { basis, effect: Effect::Hold, ..fact });
            if sale.settled.is_bare {
                self.prove(Fact { basis, ..Fact::pair(RuleId::Swap, pack, &sale.dispensed, &bought) });
            }
        }
    }

    /// A shampoo is handed over under the code of a pack, which stays on the shelf. Days later somebody buys the pack,
    /// under the only code that it has.
    pub(super) fn goods_swap(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let washed = self.person();
        let ill = self.person_other_than(washed);
        let at = self.at(1);
        let first = self.sell(at, place, washed, &packs);
        let at = self.at(5);
        let again = self.sell(at, place, ill, &packs);
        for pack in &packs {
            self.prove_sold_again(pack, &again.settled, &first.settled);
        }
    }

    /// Somebody collects cards: a person's card is swiped at two shops on different days, and nothing is handed over.
    pub(super) fn empty_swipe(&mut self) {
        let person = self.person();
        for swipe in 0..2 {
            let product = self.product();
            let (place, packs) = self.stocked(product);
            let at = self.at(1 + 2 * swipe);
            let number = self.province.name('V').number;
            let line = self.line(&packs);
            let settled = self.settle(at, (place, person), vec![line], number, None);
            self.prove_not_handed_over(&packs, &settled);
        }
    }

    /// Handed to one person, paid by the insurance of another: the same card at two institutions within days.
    pub(super) fn impersonation(&mut self) {
        let taker = self.person();
        let insured = self.person_other_than(taker);
        for visit in 0..2 {
            let product = self.product();
            let (place, packs) = self.stocked(product);
            let line = self.line(&packs);
            let at = self.at(1 + 2 * visit);
            let sale = self.sell_as(at, place, (taker, insured), (line.clone(), line));
            for pack in &packs {
                let fact = Fact::pair(RuleId::PersonMismatch, pack, &sale.settled, &sale.dispensed);
                self.prove(Fact { effect: Effect::Hold, ..fact });
            }
        }
    }

    /// Half a pack three times.
    pub(super) fn over_split(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let Some(pack) = packs.first().copied() else {
            return;
        };
        let units = self.province.world.catalogue.get(product).units_per_pack.unwrap_or(2);
        let half = Line { quantity: units.div_ceil(2), split: true, ..self.line(&[pack]) };
        let mut sales: Vec<Sale> = Vec::new();
        for draw in 0..3 {
            let at = self.at(1 + 2 * draw);
            let person = self.person();
            sales.push(self.sell_as(at, place, (person, person), (half.clone(), half.clone())));
        }
        if let [first, second, third] = sales.as_slice() {
            let fact = Fact::pair(RuleId::OverSplit, &pack, &third.settled, &second.settled);
            self.prove(Fact { effect: Effect::Hold, scoped: true, takes: Some(&first.settled), ..fact });
        }
    }

    /// A salesman's own stock: sold by two shops over some days without a purchase by anybody.
    pub(super) fn missing_purchase(&mut self) {
        let product = self.product();
        for sale in 0..2 {
            let place = self.place(product);
            let packs = self.packs(product);
            let at = self.at(2 * sale);
            let person = self.person();
            let sale = self.sell(at, place, person, &packs);
            for pack in &packs {
                let fact = Fact::about(RuleId::NotPurchased, &sale.settled, 0);
                self.prove(Fact { pack: Some(*pack), grace_hours: 72, ..fact });
            }
        }
    }

    /// Expired packs, or such of the recalled lot: two institutions have some and go on selling them.
    pub(super) fn banned_packs(&mut self, lot: fn(u16) -> Lot) {
        let product = self.product();
        // The recalled lot is the one of the first month: the reference data is written before the run.
        let recalled = matches!(lot(0), Lot::Recalled(_));
        let month = self.province.month(if recalled { 0 } else { self.day });
        for sale in 0..2 {
            let place = self.place(product);
            let pack = self.province.pack(product, lot(month));
            let at = self.delivery(sale);
            self.buy_unfit(at, place, pack);
            let at = self.at(4 + sale);
            let person = self.person();
            let sale = self.sell(at, place, person, &[pack]);
            let fact = Fact::about(RuleId::Banned, &sale.settled, 0);
            self.prove(Fact { effect: Effect::Refuse, ..fact });
        }
    }

    /// Bought as a good pack: the delivery says nothing of what is wrong with it.
    fn buy_unfit(&mut self, at: i64, place: u32, pack: Pack) {
        let good = Pack { lot: Lot::Month(self.province.month(self.day)), ..pack };
        self.buy(at, place, &[good], true);
    }

    /// Packs that have codes are handed over and settled without scanning any.
    pub(super) fn missing_codes(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let bare = Line { scans: Vec::new(), ..self.line(&packs) };
        let at = self.at(1);
        let person = self.person();
        let sale = self.sell_as(at, place, (person, person), (bare.clone(), bare));
        self.prove(Fact::about(RuleId::NoCode, &sale.dispensed, 0));
        self.prove(Fact { effect: Effect::Refuse, ..Fact::about(RuleId::NoCode, &sale.settled, 0) });
    }

    /// One code fewer than packs.
    pub(super) fn short_codes(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let line = self.line(&packs);
        let line = Line { quantity: line.quantity + 1, ..line };
        let at = self.at(1);
        let person = self.person();
        let sale = self.sell_as(at, place, (person, person), (line.clone(), line));
        self.prove(Fact { effect: Effect::Hold, ..Fact::about(RuleId::ShortCodes, &sale.settled, 0) });
    }

    /// One hand-over, two claims under different numbers.
    pub(super) fn settled_twice(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let person = self.person();
        let at = self.at(1);
        let sale = self.sell(at, place, person, &packs);
        let at = self.at(3);
        let number = self.province.name('V').number;
        let line = self.line(&packs);
        let again = self.settle(at, (place, person), vec![line], number, None);
        if again.is_bare {
            self.prove_not_handed_over(&packs, &again);
            return;
        }
        for pack in &packs {
            let fact = Fact::pair(RuleId::DuplicateSettlement, pack, &again, &sale.settled);
            self.prove(Fact { effect: Effect::Refuse, scoped: true, ..fact });
            self.prove_not_handed_over(std::slice::from_ref(pack), &again);
        }
    }

    /// Nothing was handed over for a claim: it has nobody to borrow codes from, or has codes that nobody handed over.
    fn prove_not_handed_over(&mut self, packs: &[Pack], settled: &Filed) {
        if settled.is_bare {
            self.prove(Fact { effect: Effect::Refuse, ..Fact::about(RuleId::NoCode, settled, 0) });
            return;
        }
        for pack in packs {
            let fact = Fact::about(RuleId::SettledNotDispensed, settled, 0);
            self.prove(Fact { pack: Some(*pack), grace_hours: 48, ..fact });
        }
    }

    /// Brought back, but the claim stays.
    pub(super) fn return_kept(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let person = self.person();
        let at = self.at(1);
        let sale = self.sell(at, place, person, &packs);
        let at = self.at(3);
        let mut full = Full::new(Kind::DispenseReturn, at, vec![self.line(&packs)]);
        full.person = Some(person);
        full.returns = Some(sale.dispensed.name);
        full.by_day = self.province.world.dates_returns_by_day(place);
        let back = self.province.file('R', place, full, self.handling());
        for pack in &packs {
            let fact = Fact::pair(RuleId::ReturnNotRefunded, pack, &back, &sale.settled);
            self.prove(Fact { takes: Some(&sale.dispensed), grace_hours: 72, ..fact });
        }
    }

    /// The same code on two lines of one claim.
    pub(super) fn repeated_line(&mut self) {
        let product = self.product();
        let (place, packs) = self.stocked(product);
        let Some(pack) = packs.first() else {
            return;
        };
        let line = Line { scans: vec![Scan::of(pack)], ..self.line(&[*pack]) };
        let number = self.province.name('V').number;
        let person = self.person();
        let at = self.at(1);
        let dispensed = self.hand_over(at, place, person, line.clone(), number);
        let lines = vec![line.clone(), line];
        let settled = self.settle(at + 60_000, (place, person), lines, number, Some(&dispensed));
        // A code is lent once; the second line has none.
        let (rule, effect) = if settled.is_bare {
            (RuleId::NoCode, Effect::Refuse)
        } else {
            (RuleId::RepeatedInDocument, Effect::Hold)
        };
        self.prove(Fact { effect, ..Fact::about(rule, &settled, 1) });
    }

    /// Packs of a product, lawfully bought by a place on the first day.
    fn stocked(&mut self, product: u32) -> (u32, Vec<Pack>) {
        let place = self.place(product);
        let packs = self.packs(product);
        let at = self.delivery(0);
        self.buy(at, place, &packs, true);
        (place, packs)
    }

    /// A place that sells both products with codes.
    fn place_selling(&mut self, given: u32, claimed: u32) -> u32 {
        let mut place = self.place(given);
        for _ in 0..64 {
            if super::sells_properly(&self.province.world, place, claimed) {
                break;
            }
            place = self.place(given);
        }
        place
    }

    /// Another product of the usual kind.
    fn another_product(&mut self, than: u32) -> Option<u32> {
        let plain = &self.province.world.catalogue.plain;
        let others: Vec<u32> = plain.iter().copied().filter(|&product| product != than).collect();
        (!others.is_empty()).then(|| others[self.province.plans.pick(others.len())])
    }
}
