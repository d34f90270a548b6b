//! A visit: what is handed over, what the fund is asked to pay, and what is brought back.
//!
//! Both channels report the same hand-over, within minutes of each other and linked as the senders do it:
//! hospitals by the visit, pharmacies by the settlement, some by nothing but person and time. What senders do otherwise
//! is in [`super::senders`]; here it is adopted. What is brought back is in `back`, what was scanned wrongly in `scans`.

mod back;
mod scans;

use std::collections::BTreeSet;

use super::dirt::Filed;
use super::document::{Body, Document, Full, Handling, Line, Pack, Portion};
use super::places::Master;
use super::province::Province;
use super::senders::Lending;
use super::trade::Taken;
use super::truth::Act;
use super::verdict::Fact;
use super::writer;
use crate::domain::document::Kind;
use crate::domain::rules::RuleId;

/// How a dispensing says which settlement it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Visit,
    Settlement,
    /// Person and time.
    None,
    /// Person and time, beside a visit number of the sender's own.
    Own,
}

impl Link {
    /// Whether both reports have a number in common.
    fn is_certain(self) -> bool {
        matches!(self, Self::Visit | Self::Settlement)
    }
}

/// One visit, before its documents are sent.
struct Visit {
    institution: u32,
    person: u32,
    at: i64,
    settled_at: i64,
    number: u64,
    link: Link,
    /// How the claim finds the hand-over whose codes it borrows; none of a claim with its own codes.
    lending: Option<Lending>,
    dispensed: bool,
    settled: bool,
    /// The claim was cancelled at the counter and is made a second time.
    cancelled: bool,
    /// The fee lines of the claim are uploaded ahead of it.
    fees_first: bool,
    handling: Handling,
}

impl Province {
    /// A visit of some person to some institution at `at`.
    pub(super) fn visit(&mut self, day: u32, at: i64) {
        let mut visit = self.receive(at);
        let taken = self.take(visit.institution, day);
        let back = self.life.chance(self.world.parameters.habits.returns_ppm).then(|| self.return_day(day));
        if taken.is_empty() {
            return;
        }
        self.adopt_habits(&mut visit, &taken);
        let unproved = unrecorded(&taken);
        let mut lines: Vec<Line> = taken.iter().map(|line| line.line.clone()).collect();
        let returned = back.flatten().filter(|_| {
            let linked = visit.settled && visit.link.is_certain() && visit.lending != Some(Lending::Visit);
            let certain = unproved.is_empty() && !self.is_mismastered(visit.institution, &lines);
            // What is settled again after the end of its stock without codes would have to have them.
            let lasting =
                !lines.iter().any(|line| self.world.has_no_code_stock(visit.institution, line.product));
            linked && certain && lasting && taken.first().is_some_and(|line| line.whole)
        });
        let filled =
            if returned.is_none() { self.fill_in(visit.institution, &mut lines) } else { Vec::new() };
        let (mut handed, mut claimed) = (lines.clone(), lines);
        let may_be_mangled = returned.is_none() && unproved.is_empty();
        let mangled = may_be_mangled.then(|| self.mangle_one(&visit, &mut handed, &mut claimed)).flatten();
        if returned.is_some() {
            visit.handling = Handling::Careful;
        } else if mangled.is_some() || !unproved.is_empty() || !filled.is_empty() {
            visit.handling = Handling::Counted;
        }
        let dispensing = visit.dispensed.then(|| self.hand_over(&visit, handed));
        let settlement = visit.settled.then(|| self.claim(&visit, claimed, dispensing.as_ref()));
        if let Some(mangled) = mangled {
            self.state_mangled_visit(&visit, mangled, &taken, dispensing.as_ref(), settlement.as_ref());
        }
        for line in filled {
            self.state_filled(line, dispensing.as_ref(), settlement.as_ref());
        }
        for (line, pack) in unproved {
            self.state_unproved(line, pack, dispensing.as_ref(), settlement.as_ref());
        }
        if let (Some(day), Some(settlement)) = (returned, settlement) {
            self.bring_back(&visit, day, &taken, dispensing, settlement);
        }
    }

    /// Who comes where, and how it will be reported.
    fn receive(&mut self, at: i64) -> Visit {
        let institution = self.world.visited(&mut self.life);
        let number = self.name('V').number;
        let habits = &self.world.parameters.habits;
        let person = self.life.below(u64::from(self.world.parameters.persons.max(1))) as u32;
        let settled = !self.life.chance(habits.self_pay_ppm);
        let unlinked = self.life.chance(habits.unlinked_ppm);
        let cancelled = self.life.chance(habits.cancelled_ppm);
        let fees_first = self.life.chance(habits.fees_first_ppm);
        let place = self.world.institution(institution);
        let link = match (place.hospital, unlinked) {
            (true, _) => Link::Visit,
            (false, true) => Link::None,
            (false, false) => Link::Settlement,
        };
        Visit {
            institution,
            person,
            at,
            settled_at: at + self.life.within(-120, 300) * 1000,
            number,
            link,
            lending: None,
            dispensed: place.uploads_dispensing,
            settled,
            cancelled,
            fees_first: place.hospital && fees_first,
            handling: Handling::Free,
        }
    }

    /// How the sender reports the visit, where that is not as the book has it.
    fn adopt_habits(&self, visit: &mut Visit, taken: &[Taken]) {
        let whole = taken.iter().all(|line| line.whole || line.packs.is_empty());
        // Parts of packs add up, so nobody could tell which hand-over is whose.
        if visit.link == Link::None && !whole {
            visit.link = Link::Settlement;
        }
        if visit.settled && visit.dispensed && self.tells_products_apart(visit.institution, taken) {
            visit.lending = self.world.lending(visit.institution);
        }
        match visit.lending {
            Some(Lending::Settlement) => visit.link = Link::Settlement,
            Some(Lending::Visit) => {
                visit.link = Link::Visit;
                // Nobody can say what to cancel who does not know the number of the settlement.
                visit.cancelled = false;
            }
            None if whole && self.world.numbers_visits_itself(visit.institution) => visit.link = Link::Own,
            None => {}
        }
    }

    /// Whether no two lines are called the same product: codes are lent by product, so which line borrows which would
    /// be a matter of their order.
    fn tells_products_apart(&self, institution: u32, taken: &[Taken]) -> bool {
        let mut seen = BTreeSet::new();
        taken.iter().all(|taken| match writer::mastered(&self.world, institution, &taken.line) {
            (Some(product), _) => seen.insert(product),
            (None, _) => true,
        })
    }

    /// The day on which something is brought back, when the run lasts that long.
    fn return_day(&mut self, day: u32) -> Option<u32> {
        let most = i64::from(self.world.parameters.habits.return_days_max.max(1));
        let back = day + self.life.within(1, most) as u32;
        (back < self.world.parameters.days).then_some(back)
    }

    fn hand_over(&mut self, visit: &Visit, lines: Vec<Line>) -> Filed {
        let mut full = Full::new(Kind::Dispense, visit.at, lines);
        full.person = Some(visit.person);
        full.own_number = self.world.numbers_visits_itself(visit.institution)
            && (visit.link == Link::Own || visit.lending == Some(Lending::Settlement));
        let hospital = self.world.institution(visit.institution).hospital;
        let names_both = visit.lending.is_some() && (hospital || full.own_number);
        let names_visit = matches!(visit.link, Link::Visit | Link::Own) || names_both;
        full.visit = names_visit.then_some(visit.number);
        full.settlement = (visit.link == Link::Settlement && visit.settled).then_some(visit.number);
        self.file('D', visit.institution, full, visit.handling)
    }

    /// What a claim says besides its lines.
    fn claimed(visit: &Visit, at: i64, lines: Vec<Line>, lender: Option<&Filed>) -> Full {
        let mut full = Full::new(Kind::Settlement, at, lines);
        full.person = Some(visit.person);
        full.visit = Some(visit.number);
        full.settlement = (visit.lending != Some(Lending::Visit)).then_some(visit.number);
        full.bare = visit.lending.is_some();
        full.lender = lender.filter(|_| full.bare).map(|lender| Box::new(lender.clone()));
        full
    }

    fn claim(&mut self, visit: &Visit, lines: Vec<Line>, dispensing: Option<&Filed>) -> Filed {
        let at = visit.settled_at;
        let mut full = Self::claimed(visit, at, lines, dispensing);
        if visit.cancelled {
            let first = self.file_silently('S', visit.institution, full.clone(), Handling::Careful);
            self.take_back(visit, at + 300_000, first.name, None);
            full.occurred_at = at + 600_000;
        }
        if visit.fees_first {
            return self.claim_in_two_parts(visit, full);
        }
        // What is known by its request alone occurred when that was issued.
        let by_request = visit.lending == Some(Lending::Visit);
        let handling = if by_request { Handling::Careful } else { visit.handling };
        self.file('S', visit.institution, full, handling)
    }

    /// The fee lines first, header and codes at the settlement: two uploads of one document.
    fn claim_in_two_parts(&mut self, visit: &Visit, mut full: Full) -> Filed {
        let (name, institution) = (self.name('S'), visit.institution);
        let wrong = self.wrong_lines(institution, &full);
        let settled_at = full.occurred_at;
        let mut part = |portion, issued_at| {
            full.portion = portion;
            let body = Body::Full(full.clone());
            self.send(Document { name, institution, issued_at, body }, Handling::Careful)
        };
        let fees = part(Portion::Fees, visit.at.min(settled_at) - 60_000);
        let codes = part(Portion::Codes, settled_at);
        let filed = Filed { sent_at: fees.sent_at.max(codes.sent_at), ..codes };
        self.state_wrong_lines(&filed, &wrong);
        filed
    }

    fn has_product(&self, institution: u32, product: u32) -> bool {
        self.world.master(institution, product) != Master::NoProduct
    }

    /// A pack whose purchase cannot be proved was sold.
    fn state_unproved(
        &mut self,
        line: usize,
        pack: Pack,
        dispensing: Option<&Filed>,
        settlement: Option<&Filed>,
    ) {
        // A claim that borrows nothing for want of a product is about no pack.
        let claims = |claim: &&Filed| !claim.is_bare || self.has_product(claim.institution, pack.product);
        if let Some(anchor) = settlement.filter(claims).or(dispensing) {
            let number = self.next_act();
            let fact = Fact::about(RuleId::NotPurchased, anchor, line);
            let fact = Fact { pack: Some(pack), grace_hours: 72, ..fact };
            self.prove((Act::MangledDelivery, number), fact);
        }
    }
}

/// Packs whose delivery was scanned wrongly, with their lines.
fn unrecorded(taken: &[Taken]) -> Vec<(usize, Pack)> {
    taken
        .iter()
        .enumerate()
        .flat_map(|(at, line)| line.packs.iter().filter(|pack| pack.unrecorded).map(move |pack| (at, *pack)))
        .collect()
}
