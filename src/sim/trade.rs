//! Honest trade: deliveries, stock keeping, visits, returns.
//!
//! What makes it honest by the rules: every pack has its own code and is delivered before it is sold (deliveries
//! at six, shops open at eight); it is sold once, or in parts that add up to its content, at one institution; a
//! transfer leaves one stock before it enters the other; what is brought back is refunded before it is on the
//! shelf again, the next morning at the earliest.

use super::HOUR;
use super::catalogue::Family;
use super::dirt::Filed;
use super::document::{Body, Document, Form, Full, Handling, Line, Lot, Pack, Scan, Supplier};
use super::parameters::Habits;
use super::province::{Province, Shelf};
use crate::domain::document::Kind;

/// Thousandths of a day's visits in each hour of the day.
const VISITS_BY_HOUR: [u64; 24] =
    [0, 0, 0, 0, 0, 0, 0, 0, 90, 130, 140, 100, 60, 60, 100, 100, 80, 50, 40, 30, 20, 0, 0, 0];

/// A line of a visit and where it came from.
pub(super) struct Taken {
    pub(super) line: Line,
    pub(super) packs: Vec<Pack>,
    /// Whole packs with their own codes, which can be brought back.
    pub(super) whole: bool,
}

impl Province {
    /// The morning's deliveries, and what was brought back returns to its shelf.
    pub(super) fn deliver(&mut self, day: u32, start: i64) {
        for (institution, pack) in self.comebacks.remove(&day).unwrap_or_default() {
            if let Some(shelf) = self.shelf(institution, pack.product) {
                shelf.packs.push_back(pack);
            }
        }
        let lot = Lot::Month(self.month(day));
        for institution in 0..self.shelves.len() as u32 {
            let ordered = self.orders(institution);
            if !ordered.is_empty() {
                self.deliver_to(institution, ordered, lot, start);
            }
        }
    }

    /// One delivery: how many codes of which products.
    fn deliver_to(&mut self, institution: u32, ordered: Vec<(u32, u32)>, lot: Lot, start: i64) {
        let mut lines = Vec::with_capacity(ordered.len());
        let mut mangled = Vec::new();
        for (product, codes) in ordered {
            // A pack that came round has a history that a mangled scan would change; new ones have none.
            let all_new = self.taken_back.get(&product).is_none_or(Vec::is_empty);
            let mut packs: Vec<Pack> = (0..codes).map(|_| self.delivered(product, lot)).collect();
            let mut line = self.line(product, &packs);
            if all_new && self.mangles(institution, &mut line) {
                mangled.push(lines.len());
                if let Some(first) = packs.first_mut() {
                    first.unrecorded = true;
                }
            }
            lines.push(line);
            if let Some(shelf) = self.shelf(institution, product) {
                shelf.packs.extend(packs);
            }
        }
        let at = start + self.life.within(0, HOUR / 1000 - 1) * 1000;
        let supplier = Supplier { index: self.life.below(9) as u32, papers: true };
        if self.world.institution(institution).uploads_stock {
            let mut full = Full::new(Kind::PurchaseIn, at, lines);
            full.supplier = Some(supplier);
            let handling = if mangled.is_empty() { Handling::Free } else { Handling::Counted };
            let filed = self.file('B', institution, full, handling);
            for line in mangled {
                self.state_mangled(&filed, line, None);
            }
        }
    }

    /// A pack from the wholesaler: one that was sent back, else a new one.
    fn delivered(&mut self, product: u32, lot: Lot) -> Pack {
        let sent_back = self.taken_back.get_mut(&product).and_then(Vec::pop);
        sent_back.map_or_else(
            || self.pack(product, lot),
            |pack| Pack { unrecorded: false, brought_back: false, ..pack },
        )
    }

    /// What an institution orders: products and how many codes of each.
    fn orders(&self, institution: u32) -> Vec<(u32, u32)> {
        let shelves = &self.shelves[institution as usize];
        let habits = &self.world.parameters.habits;
        let demand = self.world.demand_thousandths(institution) * u64::from(habits.stock_days);
        let per_shelf = (demand / shelves.len() as u64).div_ceil(1000) as u32;
        let per_shelf = per_shelf.saturating_add(habits.packs_per_line_max);
        let short = |shelf: &Shelf| {
            let product = self.world.catalogue.get(shelf.product);
            let target = per_shelf.div_ceil(product.packs_per_code.max(1)) as usize;
            let low = shelf.packs.len() * 2 <= target;
            (product.has_unit_codes() && low && !self.world.exempt(institution, shelf.product))
                .then(|| (shelf.product, (target * 2 - shelf.packs.len()) as u32))
        };
        shelves.iter().filter_map(short).collect()
    }

    /// Transfers, what goes back to the wholesaler, write-offs and stocktakes, before the doors open.
    pub(super) fn keep_stock(&mut self, day: u32, start: i64) {
        let habits = self.world.parameters.habits.clone();
        for institution in 0..self.shelves.len() as u32 {
            if self.life.chance(habits.transfers_ppm) {
                self.transfer(institution, start);
            }
            if self.life.chance(habits.sent_back_ppm)
                && let Some(pack) = self.part_with(Kind::PurchaseReturn, institution, start)
            {
                // Who reports returns but no stock is still known to have what was brought back: it is not sold on.
                let reported = self.world.institution(institution).uploads_stock;
                if reported || !pack.brought_back {
                    self.taken_back.entry(pack.product).or_default().push(pack);
                }
            }
            if self.life.chance(habits.write_offs_ppm) {
                self.part_with(Kind::Destroyed, institution, start);
            }
            if habits.stocktake_days > 0 && (day + institution).is_multiple_of(habits.stocktake_days) {
                self.take_stock(institution, start);
            }
        }
    }

    fn transfer(&mut self, from: u32, start: i64) {
        let to = self.life.below(self.shelves.len() as u64) as u32;
        let reports = |at: u32| self.world.institution(at).uploads_stock;
        let shelf = self.life.pick(self.shelves[from as usize].len());
        let product = self.shelves[from as usize][shelf].product;
        let exempt = self.world.exempt(to, product);
        if from == to || !reports(from) || !reports(to) || exempt || self.shelf(to, product).is_none() {
            return;
        }
        let Some(mut pack) = self.shelves[from as usize][shelf].packs.pop_back() else {
            return;
        };
        let line = self.line(product, &[pack]);
        let leaves = start + self.life.within(5, 15) * 60_000;
        let arrives = leaves + self.life.within(15, 30) * 60_000;
        self.file('T', from, Full::new(Kind::TransferOut, leaves, vec![line.clone()]), Handling::Free);
        self.file('T', to, Full::new(Kind::TransferIn, arrives, vec![line]), Handling::Free);
        pack.unrecorded = false;
        if let Some(shelf) = self.shelf(to, product) {
            shelf.packs.push_back(pack);
        }
    }

    /// A pack leaves the stock for good.
    fn part_with(&mut self, kind: Kind, institution: u32, start: i64) -> Option<Pack> {
        let shelf = self.life.pick(self.shelves[institution as usize].len());
        let pack = self.shelves[institution as usize][shelf].packs.pop_back()?;
        let line = self.line(pack.product, &[pack]);
        let at = start + self.life.within(45, 55) * 60_000;
        if self.world.institution(institution).uploads_stock {
            self.file('W', institution, Full::new(kind, at, vec![line]), Handling::Free);
        }
        Some(pack)
    }

    fn take_stock(&mut self, institution: u32, start: i64) {
        if !self.world.institution(institution).uploads_stock {
            return;
        }
        let counted: Vec<(u32, Vec<Pack>)> = self.shelves[institution as usize]
            .iter()
            .filter(|shelf| !shelf.packs.is_empty())
            .map(|shelf| (shelf.product, shelf.packs.iter().copied().collect()))
            .collect();
        let lines: Vec<Line> = counted.iter().map(|(product, packs)| self.line(*product, packs)).collect();
        if !lines.is_empty() {
            let at = start + 57 * 60_000;
            self.file('K', institution, Full::new(Kind::Stocktake, at, lines), Handling::Free);
        }
    }

    /// The visits of an hour.
    pub(super) fn open_doors(&mut self, day: u32, hour: u32, start: i64) {
        let habits = &self.world.parameters.habits;
        // Lines and packs are drawn evenly from 1 to their most, so the mean of each is (1 + most) / 2.
        let packs = (1 + u64::from(habits.lines_per_visit_max)) * (1 + u64::from(habits.packs_per_line_max))
            + longer(habits);
        let packs_today = u64::from(self.world.parameters.codes_per_day);
        let visits_thousandths = packs_today * 4 * VISITS_BY_HOUR[hour as usize % 24] / packs.max(1);
        let more = self.life.below(1000) < visits_thousandths % 1000;
        for _ in 0..visits_thousandths / 1000 + u64::from(more) {
            // A claim may be made two minutes before the hand-over is entered, its fee lines a minute before that.
            let at = start + self.life.within(180, HOUR / 1000 - 1) * 1000;
            self.visit(day, at);
        }
    }

    /// Takes what a visit needs off the shelves.
    pub(super) fn take(&mut self, institution: u32, day: u32) -> Vec<Taken> {
        let habits = &self.world.parameters.habits;
        let (most_lines, most_packs) = (habits.lines_per_visit_max.max(1), habits.packs_per_line_max.max(1));
        let longest = i64::from(habits.long_prescription_packs_max.max(most_packs.saturating_add(1)));
        let long = self.life.chance(habits.long_prescriptions_ppm);
        let split_ppm = if self.world.institution(institution).hospital { habits.split_ppm } else { 0 };
        let count = self.life.within(1, i64::from(most_lines)) as usize;
        let shelves = self.shelves[institution as usize].len();
        let first = self.life.pick(shelves);
        let step = 1 + self.life.pick(shelves / most_lines as usize);
        let mut taken = Vec::with_capacity(count);
        for at in 0..count.min(shelves) {
            let shelf = (first + at * step) % shelves;
            if at > 0 && shelf == first {
                break;
            }
            let mut packs = self.life.within(1, i64::from(most_packs)) as u32;
            let mut split = self.life.chance(split_ppm);
            if long && at == 0 {
                packs = self.life.within(i64::from(most_packs) + 1, longest) as u32;
                split = false;
            }
            taken.extend(self.take_line(institution, shelf, day, packs, split));
        }
        taken
    }

    /// Takes up to `packs` packs, or a part of one, off a shelf; nothing when it is empty.
    fn take_line(
        &mut self,
        institution: u32,
        shelf: usize,
        day: u32,
        packs: u32,
        split: bool,
    ) -> Option<Taken> {
        let index = self.shelves[institution as usize][shelf].product;
        let product = self.world.catalogue.get(index);
        let lot_code = product.family == Family::Gs1Lot;
        if lot_code || !product.has_codes() || self.world.sold_without_code(institution, index, day) {
            let month = self.month(day);
            let scan = Scan { product: index, number: u64::from(month), form: Form::Plain };
            let line = Line {
                product: index,
                quantity: packs,
                split: false,
                amount_fen: product.price_fen * i64::from(packs),
                lot: Lot::Month(month),
                scans: if lot_code { vec![scan] } else { Vec::new() },
            };
            return Some(Taken { line, packs: Vec::new(), whole: false });
        }
        if product.packs_per_code > 1 || split && product.splittable() {
            return self.take_part(institution, shelf, packs);
        }
        let stock = &mut self.shelves[institution as usize][shelf].packs;
        let count = stock.len().min(packs as usize);
        let packs: Vec<Pack> = stock.drain(..count).collect();
        (count > 0).then(|| Taken { line: self.line(index, &packs), packs, whole: true })
    }

    /// Takes a part of what one code stands for: some quarters of a pack, or some packs of a case.
    fn take_part(&mut self, institution: u32, shelf: usize, wanted: u32) -> Option<Taken> {
        let stock = &mut self.shelves[institution as usize][shelf];
        let product = self.world.catalogue.get(stock.product);
        let split = product.packs_per_code == 1;
        let content = if split { product.units_per_pack? } else { product.packs_per_code };
        let (pack, left) = match stock.open.take() {
            Some(open) => open,
            None => (stock.packs.pop_front()?, content),
        };
        let wanted = if split { (content / 4).max(1).saturating_mul(wanted) } else { wanted };
        let quantity = wanted.min(left);
        stock.open = (left > quantity).then_some((pack, left - quantity));
        let price = if split { product.price_fen / i64::from(content.max(1)) } else { product.price_fen };
        let line = Line {
            product: stock.product,
            quantity,
            split,
            amount_fen: price.max(1) * i64::from(quantity),
            lot: pack.lot,
            scans: vec![Scan::of(&pack)],
        };
        Some(Taken { line, packs: vec![pack], whole: false })
    }

    /// The stock of a product at an institution that keeps it.
    pub(super) fn shelf(&mut self, institution: u32, product: u32) -> Option<&mut Shelf> {
        let shelves = self.shelves.get_mut(institution as usize)?;
        let at = shelves.binary_search_by_key(&product, |shelf| shelf.product).ok()?;
        shelves.get_mut(at)
    }

    /// A line of whole packs with all their codes.
    pub(super) fn line(&mut self, product: u32, packs: &[Pack]) -> Line {
        let made_of = self.world.catalogue.get(product);
        let quantity = packs.len() as u32 * made_of.packs_per_code;
        let (family, price_fen) = (made_of.family, made_of.price_fen);
        let mut scans: Vec<Scan> = packs.iter().map(Scan::of).collect();
        for scan in &mut scans {
            if family == Family::Gs1 && scan.number % 2 == 0 {
                scan.form = Form::RawElements;
            } else if self.accidents.chance(self.world.parameters.dirt.decorated_ppm) {
                scan.form = if self.accidents.chance(500_000) { Form::FullWidth } else { Form::Marked };
            }
        }
        let lot = packs.first().map_or(Lot::Month(0), |pack| pack.lot);
        Line { product, quantity, split: false, amount_fen: price_fen * i64::from(quantity), lot, scans }
    }

    /// Mangles the first code of a line, now and then, where an institution reports what it stocks.
    fn mangles(&mut self, institution: u32, line: &mut Line) -> bool {
        let single = self.world.catalogue.get(line.product).packs_per_code == 1;
        let reports = self.world.institution(institution).uploads_stock;
        let right = !self.is_mismastered(institution, std::slice::from_ref(line));
        reports && single && right && self.mangle(line)
    }

    /// Mangles the first code of a line of 20-digit codes, now and then.
    pub(super) fn mangle(&mut self, line: &mut Line) -> bool {
        let drug = self.world.catalogue.get(line.product).family == Family::Drug20;
        let form = Form::MANGLED[self.accidents.pick(Form::MANGLED.len())];
        if !self.accidents.chance(self.world.parameters.dirt.mangled_ppm) || !drug || line.split {
            return false;
        }
        let scanned = line.scans.first_mut().filter(|scan| scan.form != Form::Placeholder);
        scanned.map(|scan| scan.form = form).is_some()
    }

    /// Sends a document with header and lines, and states what a wrong drug master makes of it.
    pub(super) fn file(&mut self, letter: char, institution: u32, full: Full, handling: Handling) -> Filed {
        let wrong = self.wrong_lines(institution, &full);
        let counted = handling == Handling::Free && !wrong.is_empty();
        let handling = if counted { Handling::Counted } else { handling };
        let filed = self.file_silently(letter, institution, full, handling);
        self.state_wrong_lines(&filed, &wrong);
        filed
    }

    /// The same of a document that will be taken back: nothing is true of it in the end.
    pub(super) fn file_silently(
        &mut self,
        letter: char,
        institution: u32,
        full: Full,
        handling: Handling,
    ) -> Filed {
        let name = self.name(letter);
        self.send(
            Document { name, institution, issued_at: full.occurred_at, body: Body::Full(full) },
            handling,
        )
    }
}

/// Four times the packs by which long prescriptions make the mean visit larger: their first line has, on average, half
/// the longest where another has half the most.
fn longer(habits: &Habits) -> u64 {
    let more = u64::from(habits.long_prescription_packs_max) * u64::from(habits.long_prescriptions_ppm);
    2 * more / 1_000_000
}
