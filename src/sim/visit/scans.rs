//! What was scanned wrongly at a visit, or written where nothing was scanned, and what that makes true.

use super::{Filed, Link, Pack, Province, Taken, Visit};
use crate::domain::document::Group;
use crate::domain::rules::RuleId;
use crate::sim::document::{Form, Line, Scan};
use crate::sim::truth::{Act, Effect};
use crate::sim::verdict::Fact;

impl Province {
    /// Mangles a code in one of the two channels, now and then.
    pub(super) fn mangle_one(
        &mut self,
        visit: &Visit,
        handed: &mut [Line],
        claimed: &mut [Line],
    ) -> Option<(Group, usize)> {
        let group = match (visit.dispensed, visit.settled, self.accidents.chance(500_000)) {
            _ if visit.lending.is_some() => Group::Dispensing,
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

    /// Something for the code of every line without one, where the sender does so; the lines.
    pub(super) fn fill_in(&self, institution: u32, lines: &mut [Line]) -> Vec<usize> {
        if !self.world.fills(institution) {
            return Vec::new();
        }
        let bare = lines.iter_mut().enumerate().filter(|(_, line)| line.scans.is_empty());
        let fill = |(at, line): (usize, &mut Line)| {
            // Another digit on each line, so that no line of a claim borrows what stands for another.
            let number = (at % 10) as u64;
            line.scans.push(Scan { product: line.product, number, form: Form::Placeholder });
            at
        };
        bare.map(fill).collect()
    }

    /// Both reports say something that is no code.
    pub(super) fn state_filled(
        &mut self,
        line: usize,
        dispensing: Option<&Filed>,
        settlement: Option<&Filed>,
    ) {
        let act = (Act::PlaceholderCode, self.next_act());
        for (filed, effect) in [(dispensing, Effect::Alert), (settlement, Effect::Hold)] {
            if let Some(filed) = filed {
                self.prove(act, Fact { effect, ..Fact::about(RuleId::InvalidCode, filed, line) });
            }
        }
    }

    /// What a mangled code makes of the visit.
    pub(super) fn state_mangled_visit(
        &mut self,
        visit: &Visit,
        (group, line): (Group, usize),
        taken: &[Taken],
        dispensing: Option<&Filed>,
        settlement: Option<&Filed>,
    ) {
        if let (Some(dispensing), Some(claim), Some(_)) = (dispensing, settlement, visit.lending) {
            let codes = taken.get(line).map_or(0, |taken| taken.line.scans.len());
            self.state_mangled_loan(dispensing, claim, line, codes);
            return;
        }
        let act = self.state_mangled_sale(group, line, taken, dispensing, settlement);
        // A claim borrows what it lacks from a hand-over of its number; without one it is a code short as well.
        let borrows = dispensing.is_some() && visit.link == Link::Settlement;
        let claim = settlement.filter(|_| group == Group::Settlement && !borrows);
        if let (Some(act), Some(claim)) = (act, claim) {
            let fact = Fact::about(RuleId::ShortCodes, claim, line);
            self.prove(act, Fact { effect: Effect::Hold, ..fact });
        }
    }

    /// The hand-over has a code too few to lend. A claim borrows what is no code only where there is nothing else.
    fn state_mangled_loan(&mut self, dispensing: &Filed, claim: &Filed, line: usize, codes: usize) {
        let act = self.state_mangled(dispensing, line, None);
        let invalid = (codes == 1).then_some(RuleId::InvalidCode);
        for rule in invalid.into_iter().chain([RuleId::ShortCodes]) {
            self.prove(act, Fact { effect: Effect::Hold, ..Fact::about(rule, claim, line) });
        }
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
    pub(in crate::sim) fn state_mangled(
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
}
