//! A visit: what is handed over, what the fund is asked to pay, and what is brought back.
//!
//! Both channels report the same hand-over, within minutes of each other and linked as the senders do it:
//! hospitals by the visit, pharmacies by the settlement, some by nothing but person and time.

use super::dirt::Filed;
use super::document::{Body, Document, Full, Handling, Line, Name, Pack};
use super::province::Province;
use super::trade::Taken;
use super::truth::{Act, Effect};
use super::verdict::Fact;
use super::{DAY, HOUR};
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
    number: u64,
    link: Link,
    dispensed: bool,
    settled: bool,
    handling: Handling,
}

impl Province {
    /// A visit of some person to some institution at `at`.
    pub(super) fn visit(&mut self, day: u32, at: i64) {
        let institution = self.world.visited(&mut self.life);
        let person = self.life.below(u64::from(self.world.parameters.persons.max(1))) as u32;
        let taken = self.take(institution, day);
        let self_pay = self.life.chance(self.world.parameters.habits.self_pay_ppm);
        let unlinked = self.life.chance(self.world.parameters.habits.unlinked_ppm);
        let back = self.life.chance(self.world.parameters.habits.returns_ppm).then(|| self.return_day(day));
        let settled_after = self.life.within(-120, 300) * 1000;
        if taken.is_empty() {
            return;
        }
        let place = self.world.institution(institution);
        let whole = taken.iter().all(|line| line.whole || line.packs.is_empty());
        let link = match (place.hospital, unlinked && whole) {
            (true, _) => Link::Visit,
            (false, true) => Link::None,
            (false, false) => Link::Settlement,
        };
        let dispensed = place.uploads_dispensing;
        let number = self.name('V').number;
        let mut visit = Visit {
            institution,
            person,
            at,
            number,
            link,
            dispensed,
            settled: !self_pay,
            handling: Handling::Free,
        };
        let unproved: Vec<(usize, Pack)> = unrecorded(&taken);
        let returned = back.flatten().filter(|_| {
            visit.settled
                && link != Link::None
                && unproved.is_empty()
                && taken.first().is_some_and(|l| l.whole)
        });
        let lines: Vec<Line> = taken.iter().map(|line| line.line.clone()).collect();
        let (mut handed, mut claimed) = (lines.clone(), lines);
        let mangled = if returned.is_none() && unproved.is_empty() {
            self.mangle_one(&visit, &mut handed, &mut claimed)
        } else {
            None
        };
        if returned.is_some() || mangled.is_some() || !unproved.is_empty() {
            visit.handling = Handling::Careful;
        }
        let dispensing = visit.dispensed.then(|| self.hand_over(&visit, handed));
        let settlement = visit.settled.then(|| self.claim(&visit, at + settled_after, claimed));
        if let Some((group, line)) = mangled {
            self.state_mangled_sale(group, line, &taken, dispensing.as_ref(), settlement.as_ref());
        }
        for (line, pack) in unproved {
            self.state_unproved(line, pack, dispensing.as_ref(), settlement.as_ref());
        }
        if let (Some(day), Some(settlement)) = (returned, settlement) {
            self.bring_back(&visit, day, &taken, dispensing, settlement);
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

    fn claim(&mut self, visit: &Visit, at: i64, lines: Vec<Line>) -> Filed {
        let mut full = Full::new(Kind::Settlement, at, lines);
        full.person = Some(visit.person);
        full.visit = Some(visit.number);
        full.settlement = Some(visit.number);
        self.file('S', visit.institution, full, visit.handling)
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
        let line = (taken.len() > 1).then_some(0);
        let issued_at = at + self.life.within(60, 600) * 1000;
        self.take_back(visit.institution, issued_at, settlement.name, line);
        let packs = first.packs.iter().map(|pack| (visit.institution, *pack));
        self.comebacks.entry(day + 1).or_default().extend(packs);
    }

    /// Takes back a settlement, or one line of it.
    fn take_back(&mut self, institution: u32, issued_at: i64, target: Name, line: Option<usize>) {
        let name = self.name('X');
        let body = Body::Reversal { group: Group::Settlement, target, line };
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
                single && self.mangle(&mut lines[at])
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
    ) {
        let (Some(mangled), Some(first)) = (
            if group == Group::Dispensing { dispensing } else { settlement },
            taken.get(line).and_then(|line| line.packs.first()),
        ) else {
            return;
        };
        let unlinked = settlement.filter(|_| group == Group::Dispensing);
        self.state_mangled(mangled, line, unlinked.map(|settlement| (settlement, first)));
    }

    /// A code of a line is mangled. On a settlement it is one code too few as well; at a dispensing it leaves the
    /// settlement of that pack without a hand-over.
    pub(super) fn state_mangled(&mut self, mangled: &Filed, line: usize, unlinked: Option<(&Filed, &Pack)>) {
        let act = if mangled.group == Group::Procurement { Act::MangledDelivery } else { Act::MangledCode };
        let number = self.next_act();
        let on_claim = mangled.group == Group::Settlement;
        let effect = if on_claim { Effect::Hold } else { Effect::Alert };
        self.prove((act, number), Fact { effect, ..Fact::about(RuleId::InvalidCode, mangled, line) });
        if on_claim {
            self.prove((act, number), Fact { effect, ..Fact::about(RuleId::ShortCodes, mangled, line) });
        }
        if let Some((settlement, pack)) = unlinked {
            let fact = Fact::about(RuleId::SettledNotDispensed, settlement, line);
            let fact = Fact { pack: Some(*pack), grace_hours: 48, ..fact };
            self.prove((act, number), fact);
        }
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

/// A day of the run ends before the next one begins: what is brought back on day d is on the shelf on d + 1.
const _: () = assert!(DAY == 24 * HOUR);
