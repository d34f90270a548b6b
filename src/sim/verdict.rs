//! Turns what the simulator knows into statements of the truth.

use super::HOUR;
use super::dirt::{Filed, Which};
use super::document::Pack;
use super::national;
use super::parameters::UploadForm;
use super::province::Province;
use super::truth::{Act, Effect, Truth};
use crate::domain::rules::{Basis, RuleId, Scope};

/// One rule's statement about one line, in the simulator's terms.
#[derive(Clone, Copy)]
pub(super) struct Fact<'a> {
    pub(super) rule: RuleId,
    pub(super) basis: Option<Basis>,
    /// The code, for rules of codes.
    pub(super) pack: Option<Pack>,
    pub(super) subject: &'a Filed,
    pub(super) line: usize,
    /// Which row of the line, for rules of lines.
    pub(super) row: usize,
    pub(super) counterpart: Option<&'a Filed>,
    pub(super) effect: Effect,
    /// Whether the rule says how far apart the two sides are.
    pub(super) scoped: bool,
    /// A third document without which it cannot be known.
    pub(super) takes: Option<&'a Filed>,
    /// How long the rule waits for an explanation.
    pub(super) grace_hours: i64,
}

impl<'a> Fact<'a> {
    /// An alert of a rule about a line, to be completed.
    pub(super) const fn about(rule: RuleId, subject: &'a Filed, line: usize) -> Self {
        Self {
            rule,
            basis: None,
            pack: None,
            subject,
            line,
            row: 0,
            counterpart: None,
            effect: Effect::Alert,
            scoped: false,
            takes: None,
            grace_hours: 0,
        }
    }

    /// A finding about a pack with its other side.
    pub(super) fn pair(rule: RuleId, pack: &Pack, subject: &'a Filed, counterpart: &'a Filed) -> Self {
        Self { pack: Some(*pack), counterpart: Some(counterpart), ..Self::about(rule, subject, 0) }
    }
}

impl Province {
    /// The number of a new act.
    pub(super) fn next_act(&mut self) -> u64 {
        self.acts_begun += 1;
        self.acts_begun
    }

    /// States a fact of an act.
    pub(super) fn prove(&mut self, (act, act_number): (Act, u64), fact: Fact<'_>) {
        let world = &self.world;
        if world.parameters.form == UploadForm::National && !national::carries(fact.rule) {
            return;
        }
        let sides = [Some(fact.subject), fact.takes, fact.counterpart];
        let documents =
            sides.into_iter().flatten().flat_map(|one| [Some(one), one.lender.as_deref()]).flatten();
        let deciding =
            documents.fold(fact.subject, |last, one| if one.sent_at > last.sent_at { one } else { last });
        let grace_over =
            if fact.grace_hours > 0 { fact.subject.codes_known_at() + fact.grace_hours * HOUR } else { 0 };
        let which = fact.pack.map_or(Which::Row(fact.row), Which::Of);
        let scope = fact.counterpart.filter(|_| fact.scoped).map(|other| {
            let (a, b) = (world.institution(fact.subject.institution), world.institution(other.institution));
            match (a.id == b.id, a.region == b.region) {
                (true, _) => Scope::Institution,
                (false, true) => Scope::Region,
                (false, false) => Scope::OtherRegion,
            }
        });
        let truth = Truth {
            act,
            act_number,
            title_zh: act.title_zh().to_owned(),
            title_en: act.title_en().to_owned(),
            rule: fact.rule.name().to_owned(),
            basis: fact.basis.map(|basis| basis.name().to_owned()),
            scope: scope.map(|scope| scope.name().to_owned()),
            code: fact.pack.map(|pack| world.catalogue.get(pack.product).normal_code(pack.number)),
            subject: fact.subject.line(world, fact.line, which),
            counterpart: fact.counterpart.map(|other| other.line(world, 0, which)),
            effect: fact.effect,
            alerted: fact.rule != RuleId::Banned,
            deciding_upload: deciding.document(world),
            known_from: deciding.sent_at.max(grace_over),
        };
        self.state(truth);
    }
}
