//! What is brought back after a visit, and how its money comes back.

use super::{Filed, Lending, Line, Pack, Province, Taken, Visit};
use crate::domain::document::{Group, Kind};
use crate::domain::rules::RuleId;
use crate::sim::HOUR;
use crate::sim::dirt::Which;
use crate::sim::document::{Body, Document, Full, Handling, Name};
use crate::sim::parameters::UploadForm;
use crate::sim::random::mix3;
use crate::sim::truth::Act;
use crate::sim::verdict::Fact;

impl Province {
    /// The first line comes back, all of it or a part: a return, the refund of the claim's line, and the packs are for
    /// sale again.
    pub(super) fn bring_back(
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
        let in_part = self.world.refunds_in_part(visit.institution);
        // What nobody reported as handed over cannot be reported as brought back: then all of it goes.
        let partly = in_part && dispensing.is_some();
        let count = if partly { self.part(visit, first.packs.len()) } else { first.packs.len() };
        let (line, packs) = (part_of(&first.line, count), first.packs.get(..count).unwrap_or_default());
        let mut back = None;
        if let Some(dispensing) = dispensing {
            let mut full = Full::new(Kind::DispenseReturn, at, vec![line.clone()]);
            full.person = Some(visit.person);
            full.returns = Some(dispensing.name);
            full.by_day = self.world.dates_returns_by_day(visit.institution);
            back = Some((self.file('R', visit.institution, full, Handling::Careful), dispensing));
        }
        let issued_at = at + self.life.within(60, 600) * 1000;
        if in_part {
            let body = Body::Refund { line, visit: visit.number };
            let (name, institution) = (settlement.name, visit.institution);
            self.send(Document { name, institution, issued_at, body }, Handling::Careful);
        } else {
            let lender = back.as_ref().map(|(_, dispensing)| dispensing);
            self.refund(visit, issued_at, settlement.name, taken, lender);
        }
        if let Some((back, dispensing)) = back
            && count < first.packs.len()
        {
            let left = first.packs.len() - count;
            let claimed = self.on_claim(visit.lending, &first.packs, left, &dispensing);
            self.state_in_part(packs, &claimed, &back, &dispensing, &settlement);
        }
        let packs = packs.iter().map(|pack| (visit.institution, Pack { brought_back: true, ..*pack }));
        self.comebacks.entry(day + 1).or_default().extend(packs);
    }

    /// How many of so many packs come back. Nothing is drawn for it: other chances stay as they are.
    fn part(&self, visit: &Visit, packs: usize) -> usize {
        let drawn = mix3(self.world.parameters.seed, visit.number, 0xba);
        1 + (drawn % packs.max(1) as u64) as usize
    }

    /// The packs of a line that a claim is about when so many are left of it: all whose codes it has itself, those that
    /// stand first in the hand-over where it borrows.
    fn on_claim(
        &self,
        lending: Option<Lending>,
        packs: &[Pack],
        left: usize,
        dispensing: &Filed,
    ) -> Vec<Pack> {
        let mut packs = packs.to_vec();
        if lending.is_some() {
            packs.sort_by_cached_key(|pack| {
                let document_id = dispensing.line(&self.world, 0, Which::Of(*pack)).document_id;
                (document_id, self.world.catalogue.get(pack.product).normal_code(pack.number))
            });
            packs.truncate(left);
        }
        packs
    }

    /// A pack that came back while its code is still claimed: nobody says that it was not another one of the line.
    fn state_in_part(
        &mut self,
        brought: &[Pack],
        claimed: &[Pack],
        back: &Filed,
        dispensing: &Filed,
        settlement: &Filed,
    ) {
        for pack in brought.iter().filter(|pack| claimed.contains(pack)) {
            let act = (Act::PartialRefund, self.next_act());
            let fact = Fact::pair(RuleId::ReturnNotRefunded, pack, back, settlement);
            self.prove(act, Fact { takes: Some(dispensing), grace_hours: 72, ..fact });
        }
    }

    /// Refunds the first line of a claim. The national form can only cancel all of it and settle the rest again; chance
    /// goes on as if it had not, so that both forms tell of the same province.
    fn refund(
        &mut self,
        visit: &Visit,
        issued_at: i64,
        target: Name,
        taken: &[Taken],
        lender: Option<&Filed>,
    ) {
        let rest = taken.get(1..).unwrap_or_default();
        let whole = self.world.parameters.form == UploadForm::National;
        self.take_back(visit, issued_at, target, (!rest.is_empty() && !whole).then_some(0));
        if whole && !rest.is_empty() {
            let accidents = self.accidents.clone();
            let lines = rest.iter().map(|line| line.line.clone()).collect();
            let full = Self::claimed(visit, issued_at + 60_000, lines, lender);
            self.file('S', visit.institution, full, Handling::Careful);
            self.accidents = accidents;
        }
    }

    /// Takes back a settlement, or one line of it.
    pub(super) fn take_back(&mut self, visit: &Visit, issued_at: i64, target: Name, line: Option<usize>) {
        let (name, institution) = (self.name('X'), visit.institution);
        let body = Body::Reversal { group: Group::Settlement, target, line, settlement: visit.number };
        self.send(Document { name, institution, issued_at, body }, Handling::Careful);
    }
}

/// A line of so many of its packs.
fn part_of(line: &Line, count: usize) -> Line {
    let all = line.scans.len().max(1);
    Line {
        quantity: count as u32,
        amount_fen: line.amount_fen * count as i64 / all as i64,
        scans: line.scans.iter().take(count).copied().collect(),
        ..line.clone()
    }
}
