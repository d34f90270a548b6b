//! Planted acts: each is a plan of documents over days and institutions, and the statements that it makes true.
//!
//! Acts use packs of their own and happen at institutions that upload stock and dispensing, so that everything
//! they bring about is certain and is stated: what rules find besides the one meant is part of the truth. An act
//! is written when it begins, with its later documents waiting for their time; one that would not end within the
//! run is not begun.

mod across;
mod at_once;

use super::DAY;
use super::HOUR;
use super::dirt::Filed;
use super::document::{Full, Handling, Line, Lot, Pack, Supplier};
use super::parameters::Parameters;
use super::places::{Master, World};
use super::province::Province;
use super::senders::Lending;
use super::truth::Act;
use super::verdict::Fact;
use crate::domain::document::Kind;

/// Days that an act takes at most; none begins later than this before the end.
const DAYS_MAX: u32 = 10;

/// Both reports of one hand-over.
struct Sale {
    dispensed: Filed,
    settled: Filed,
}

/// One act under way.
struct Plot<'a> {
    province: &'a mut Province,
    act: Act,
    number: u64,
    /// Midnight of its first day.
    start: i64,
    /// First day of the run.
    day: u32,
}

impl Province {
    /// Why no act begins, ever, although acts are asked for.
    pub fn plants_nothing(&self) -> Option<String> {
        let Parameters { days, fraud, .. } = &self.world.parameters;
        if fraud.acts_per_day == 0 {
            return None;
        }
        if *days <= DAYS_MAX {
            return Some(format!(
                "an act takes up to {DAYS_MAX} days, and one that would not end within the {days} days of the run is \
                 not begun; ask for at least {} days",
                DAYS_MAX + 1
            ));
        }
        (!self.has_places()).then(|| {
            "acts need two institutions that report both stock and dispensing; ask for more institutions"
                .to_owned()
        })
    }

    fn has_places(&self) -> bool {
        self.world.reporters.len() >= 2
    }

    /// Begins the acts of a day.
    pub(super) fn begin_acts(&mut self, day: u32) {
        if day + DAYS_MAX >= self.world.parameters.days || !self.has_places() {
            return;
        }
        for _ in 0..self.world.parameters.fraud.acts_per_day {
            let act = Act::PLANTED[(self.plans_made % Act::PLANTED.len() as u64) as usize];
            self.plans_made += 1;
            let number = self.next_act();
            let start = self.world.parameters.day_start(day);
            let mut plot = Plot { province: self, act, number, start, day };
            plot.carry_out();
        }
    }
}

impl Plot<'_> {
    fn carry_out(&mut self) {
        match self.act {
            Act::PatientResale => self.patient_resale(),
            Act::ReflowRing => self.reflow_ring(),
            Act::PhotographedCodes => self.photographed_codes(),
            Act::GoodsSwap => self.goods_swap(),
            Act::CrossChannel => self.cross_channel(),
            Act::CatalogueSwap => self.catalogue_swap(),
            Act::DeclaredSwap => self.declared_swap(),
            Act::EmptySwipe => self.empty_swipe(),
            Act::Impersonation => self.impersonation(),
            Act::OverSplit => self.over_split(),
            Act::MissingPurchase => self.missing_purchase(),
            Act::ExpiredPack => self.banned_packs(Lot::Expired),
            Act::RecalledPack => self.banned_packs(Lot::Recalled),
            Act::MissingCodes => self.missing_codes(),
            Act::ShortCodes => self.short_codes(),
            Act::SettledTwice => self.settled_twice(),
            Act::SoldAfterWriteOff => self.sold_after_write_off(),
            Act::ReturnKept => self.return_kept(),
            Act::RepeatedLine => self.repeated_line(),
            Act::MangledCode
            | Act::MangledDelivery
            | Act::WrongMaster
            | Act::PlaceholderCode
            | Act::PartialRefund => {}
        }
    }

    /// A moment on day `day` of the act, within opening hours.
    fn at(&mut self, day: i64) -> i64 {
        self.start + day * DAY + 9 * HOUR + self.province.plans.within(0, 10 * 3600) * 1000
    }

    /// A moment at which deliveries come, before any sale of that day.
    fn delivery(&mut self, day: i64) -> i64 {
        self.start + day * DAY + 6 * HOUR + self.province.plans.within(0, 3600) * 1000
    }

    /// An institution that reports everything and sells the product with codes.
    fn place(&mut self, product: u32) -> u32 {
        let reporters = self.province.world.reporters.len();
        let first = self.province.plans.pick(reporters);
        let world = &self.province.world;
        let sells = |&place: &u32| sells_properly(world, place, product);
        let around = (0..reporters).map(|step| world.reporters[(first + step) % reporters]);
        around.clone().find(sells).unwrap_or(world.reporters[first])
    }

    /// Another one that does, in another region when there is one.
    fn place_elsewhere(&mut self, than: u32, product: u32) -> u32 {
        let reporters = self.province.world.reporters.len();
        let first = self.province.plans.pick(reporters);
        let world = &self.province.world;
        let region = world.institution(than).region;
        let around = (0..reporters).map(|step| world.reporters[(first + step) % reporters]);
        let others = around.filter(|&place| place != than && sells_properly(world, place, product));
        let elsewhere = others.clone().find(|&place| world.institution(place).region != region);
        elsewhere.or_else(|| others.clone().next()).unwrap_or(than)
    }

    fn person(&mut self) -> u32 {
        let persons = u64::from(self.province.world.parameters.persons.max(1));
        self.province.plans.below(persons) as u32
    }

    /// A person other than `than`.
    fn person_other_than(&mut self, than: u32) -> u32 {
        let persons = self.province.world.parameters.persons.max(2);
        let step = 1 + self.province.plans.below(u64::from(persons - 1)) as u32;
        (than + step) % persons
    }

    /// A product of the usual kind.
    fn product(&mut self) -> u32 {
        let plain = &self.province.world.catalogue.plain;
        plain[self.province.plans.pick(plain.len())]
    }

    /// Between one and the most packs that an act moves.
    fn packs(&mut self, product: u32) -> Vec<Pack> {
        let most = i64::from(self.province.world.parameters.fraud.packs_per_act_max.max(1));
        let count = self.province.plans.within(1, most);
        (0..count).map(|_| self.pack(product)).collect()
    }

    fn pack(&mut self, product: u32) -> Pack {
        let month = self.province.month(self.day);
        self.province.pack(product, Lot::Month(month))
    }

    /// A delivery with or without papers.
    fn buy(&mut self, at: i64, place: u32, packs: &[Pack], papers: bool) -> Filed {
        let mut full = Full::new(Kind::PurchaseIn, at, vec![self.line(packs)]);
        full.supplier = Some(Supplier { index: 9, papers });
        self.province.file('B', place, full, self.handling())
    }

    /// A hand-over reported by both channels.
    fn sell(&mut self, at: i64, place: u32, person: u32, packs: &[Pack]) -> Sale {
        let line = self.line(packs);
        self.sell_as(at, place, (person, person), (line.clone(), line))
    }

    /// The same, with persons and lines that may differ: (dispensing, settlement).
    fn sell_as(&mut self, at: i64, place: u32, persons: (u32, u32), lines: (Line, Line)) -> Sale {
        let number = self.province.name('V').number;
        let dispensed = self.hand_over(at, place, persons.0, lines.0, number);
        let at = at + 60_000;
        let settled = self.settle(at, (place, persons.1), vec![lines.1], number, Some(&dispensed));
        Sale { dispensed, settled }
    }

    /// A hand-over under the number of its settlement, or of the visit where nobody knows that one.
    fn hand_over(&mut self, at: i64, place: u32, person: u32, line: Line, number: u64) -> Filed {
        let mut full = Full::new(Kind::Dispense, at, vec![line]);
        full.person = Some(person);
        match self.lending(place) {
            Some(Lending::Visit) => full.visit = Some(number),
            Some(Lending::Settlement) | None => full.settlement = Some(number),
        }
        self.province.file('D', place, full, self.handling())
    }

    /// A claim; without codes where the institution leaves them to the hand-over, if there is one.
    fn settle(
        &mut self,
        at: i64,
        (place, person): (u32, u32),
        lines: Vec<Line>,
        number: u64,
        dispensed: Option<&Filed>,
    ) -> Filed {
        let mut full = Full::new(Kind::Settlement, at, lines);
        full.person = Some(person);
        let lending = self.lending(place);
        // What is known by its request alone occurred when that was issued.
        let handling = match lending {
            Some(Lending::Visit) => Handling::Careful,
            Some(Lending::Settlement) | None => self.handling(),
        };
        match lending {
            Some(Lending::Visit) => full.visit = Some(number),
            Some(Lending::Settlement) | None => full.settlement = Some(number),
        }
        full.bare = lending.is_some();
        full.lender = dispensed.filter(|_| full.bare).map(|dispensed| Box::new(dispensed.clone()));
        self.province.file('S', place, full, handling)
    }

    /// How claims of a place find the codes that they leave to the hand-over.
    fn lending(&self, place: u32) -> Option<Lending> {
        self.province.world.lending(place)
    }

    /// What may befall the documents of the act. A return and the claim that it leaves standing depend on which of
    /// them was issued first.
    fn handling(&self) -> Handling {
        if self.act == Act::ReturnKept { Handling::Careful } else { Handling::Counted }
    }

    /// A document about stock other than a purchase.
    fn move_stock(&mut self, kind: Kind, at: i64, place: u32, packs: &[Pack]) -> Filed {
        let full = Full::new(kind, at, vec![self.line(packs)]);
        self.province.file('W', place, full, self.handling())
    }

    /// A line of whole packs with all their codes.
    fn line(&mut self, packs: &[Pack]) -> Line {
        let product = packs.first().map_or(0, |pack| pack.product);
        self.province.line(product, packs)
    }

    fn prove(&mut self, fact: Fact<'_>) {
        self.province.prove((self.act, self.number), fact);
    }
}

/// Whether an institution sells a product always with codes and knows it by its right name.
fn sells_properly(world: &World, place: u32, product: u32) -> bool {
    !world.exempt(place, product)
        && !world.has_no_code_stock(place, product)
        && world.master(place, product) == Master::Right
}
