//! A visit: what is handed over, what the fund is asked to pay, and what is brought back.
//!
//! Both channels report the same hand-over, within minutes of each other and linked as the senders do it:
//! hospitals by the visit, pharmacies by the settlement, some by nothing but person and time.

use super::HOUR;
use super::dirt::Filed;
use super::document::{Body, Document, Full, Handling, Line, Name, Pack, Portion};
use super::parameters::UploadForm;
use super::province::Province;
use super::trade::Taken;
use super::truth::{Act, Effect};
use super::verdict::Fact;
use crate::domain::document::{Group, Kind};
use crate::domain::rules::RuleId;

/// How a dispensing says which settlement it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Visit,
    Settlement,
    /// Person and time.
    None,
}

/// One visit, before its documents are sent.
struct Visit {
    institution: u32,
    person: u32,
    at: i64,
    settled_at: i64,
    number: u64,
    link: Link,
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
        if visit.link == Link::None && !taken.iter().all(|line| line.whole || line.packs.is_empty()) {
            visit.link = Link::Settlement;
        }
        let unproved = unrecorded(&taken);
        let lines: Vec<Line> = taken.iter().map(|line| line.line.clone()).collect();
        let returned = back.flatten().filter(|_| {
            let linked = visit.settled && visit.link != Link::None;
            let certain = unproved.is_empty() && !self.is_mismastered(visit.institution, &lines);
            // What is settled again after the end of its stock without codes would have to have them.
            let lasting =
                !lines.iter().any(|line| self.world.has_no_code_stock(visit.institution, line.product));
            linked && certain && lasting && taken.first().is_some_and(|line| line.whole)
        });
        let (mut handed, mut claimed) = (lines.clone(), lines);
        let may_be_mangled = returned.is_none() && unproved.is_empty();
        let mangled = may_be_mangled.then(|| self.mangle_one(&visit, &mut handed, &mut claimed)).flatten();
        if returned.is_some() {
            visit.handling = Handling::Careful;
        } else if mangled.is_some() || !unproved.is_empty() {
            visit.handling = Handling::Counted;
        }
        let dispensing = visit.dispensed.then(|| self.hand_over(&visit, handed));
        let settlement = visit.settled.then(|| self.claim(&visit, claimed));
        if let Some((group, line)) = mangled {
            let act = self.state_mangled_sale(group, line, &taken, dispensing.as_ref(), settlement.as_ref());
            // A claim borrows what it lacks from a hand-over of its number; without one it is a code short as well.
            let borrows = dispensing.is_some() && visit.link == Link::Settlement;
            let claim = settlement.as_ref().filter(|_| group == Group::Settlement && !borrows);
            if let (Some(act), Some(claim)) = (act, claim) {
                let fact = Fact::about(RuleId::ShortCodes, claim, line);
                self.prove(act, Fact { effect: Effect::Hold, ..fact });
            }
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
            dispensed: place.uploads_dispensing,
            settled,
            cancelled,
            fees_first: place.hospital && fees_first,
            handling: Handling::Free,
        }
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
        full.visit = (visit.link == Link::Visit).then_some(visit.number);
        full.settlement = (visit.link == Link::Settlement && visit.settled).then_some(visit.number);
        self.file('D', visit.institution, full, visit.handling)
    }

    fn claim(&mut self, visit: &Visit, lines: Vec<Line>) -> Filed {
        let at = visit.settled_at;
        let mut full = Full::new(Kind::Settlement, at, lines);
        full.person = Some(visit.person);
        full.visit = Some(visit.number);
        full.settlement = Some(visit.number);
        if visit.cancelled {
            let first = self.file_silently('S', visit.institution, full.clone(), Handling::Careful);
            self.take_back(visit, at + 300_000, first.name, None);
            full.occurred_at = at + 600_000;
        }
        if visit.fees_first {
            return self.claim_in_two_parts(visit, full);
        }
        self.file('S', visit.institution, full, visit.handling)
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

    /// The first line comes back: a return, the refund of the claim's line, and the packs are for sale again.
    fn bring_back(
        &mut self,
        visit: &Visit,
        day: u32,
        taken: &[Taken],
        dispensing: Option<Filed>,
        settlement: Filed,
    ) {
        let Some(first) = taken.first() else {
            return;
        };
        let start = self.world.parameters.day_start(day) + 10 * HOUR;
        let at = start + self.life.within(0, 7 * 3600) * 1000;
        if let Some(dispensing) = dispensing {
            let mut full = Full::new(Kind::DispenseReturn, at, vec![first.line.clone()]);
            full.person = Some(visit.person);
            full.returns = Some(dispensing.name);
            self.file('R', visit.institution, full, Handling::Careful);
        }
        let issued_at = at + self.life.within(60, 600) * 1000;
        self.refund(visit, issued_at, settlement.name, taken);
        let packs = first.packs.iter().map(|pack| (visit.institution, *pack));
        self.comebacks.entry(day + 1).or_default().extend(packs);
    }

    /// Refunds the first line of a claim. The national form can only cancel all of it and settle the rest again; chance
    /// goes on as if it had not, so that both forms tell of the same province.
    fn refund(&mut self, visit: &Visit, issued_at: i64, target: Name, taken: &[Taken]) {
        let rest = taken.get(1..).unwrap_or_default();
        let whole = self.world.parameters.form == UploadForm::National;
        self.take_back(visit, issued_at, target, (!rest.is_empty() && !whole).then_some(0));
        if whole && !rest.is_empty() {
            let accidents = self.accidents.clone();
            let lines = rest.iter().map(|line| line.line.clone()).collect();
            let mut full = Full::new(Kind::Settlement, issued_at + 60_000, lines);
            full.person = Some(visit.person);
            full.visit = Some(visit.number);
            full.settlement = Some(visit.number);
            self.file('S', visit.institution, full, Handling::Careful);
            self.accidents = accidents;
        }
    }

    /// Takes back a settlement, or one line of it.
    fn take_back(&mut self, visit: &Visit, issued_at: i64, target: Name, line: Option<usize>) {
        let (name, institution) = (self.name('X'), visit.institution);
        let body = Body::Reversal { group: Group::Settlement, target, line, settlement: visit.number };
        self.send(Document { name, institution, issued_at, body }, Handling::Careful);
    }

    /// Mangles a code in one of the two channels, now and then.
    fn mangle_one(
        &mut self,
        visit: &Visit,
        handed: &mut [Line],
        claimed: &mut [Line],
    ) -> Option<(Group, usize)> {
        let group = match (visit.dispensed, visit.settled, self.accidents.chance(500_000)) {
            (true, true, true) | (true, false, _) => Group::Dispensing,
            (_, true, _) => Group::Settlement,
            (false, false, _) => return None,
        };
        let lines = if group == Group::Dispensing { handed } else { claimed };
        (0..lines.len())
            .find(|&at| {
                let single = self.world.catalogue.get(lines[at].product).packs_per_code == 1;
                let right = !self.is_mismastered(visit.institution, &lines[at..=at]);
                single && right && self.mangle(&mut lines[at])
            })
            .map(|at| (group, at))
    }

    fn state_mangled_sale(
        &mut self,
        group: Group,
        line: usize,
        taken: &[Taken],
        dispensing: Option<&Filed>,
        settlement: Option<&Filed>,
    ) -> Option<(Act, u64)> {
        let mangled = if group == Group::Dispensing { dispensing } else { settlement }?;
        let first = taken.get(line)?.packs.first()?;
        let unlinked = settlement.filter(|_| group == Group::Dispensing);
        Some(self.state_mangled(mangled, line, unlinked.map(|settlement| (settlement, first))))
    }

    /// A code of a line is mangled. At a dispensing that leaves the settlement of that pack without a hand-over. Returns
    /// the act that it is.
    pub(super) fn state_mangled(
        &mut self,
        mangled: &Filed,
        line: usize,
        unlinked: Option<(&Filed, &Pack)>,
    ) -> (Act, u64) {
        let kind = if mangled.group == Group::Procurement { Act::MangledDelivery } else { Act::MangledCode };
        let act = (kind, self.next_act());
        let effect = if mangled.group == Group::Settlement { Effect::Hold } else { Effect::Alert };
        self.prove(act, Fact { effect, ..Fact::about(RuleId::InvalidCode, mangled, line) });
        if let Some((settlement, pack)) = unlinked {
            let fact = Fact::about(RuleId::SettledNotDispensed, settlement, line);
            self.prove(act, Fact { pack: Some(*pack), grace_hours: 48, ..fact });
        }
        act
    }

    /// A pack whose purchase cannot be proved was sold.
    fn state_unproved(
        &mut self,
        line: usize,
        pack: Pack,
        dispensing: Option<&Filed>,
        settlement: Option<&Filed>,
    ) {
        if let Some(anchor) = settlement.or(dispensing) {
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
