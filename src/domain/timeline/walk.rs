//! The walk: what was so just before each event of a timeline.
//!
//! One walk serves all rules. [`Walk::reach`] an event, ask what the rules ask, then [`Walk::pass`] it.

use std::collections::BTreeMap;

use super::pack::{Need, held};
use super::returns::Return;
use super::sale::Sale;
use super::{Event, Fact, Timeline};
use crate::domain::amount::Quantity;
use crate::domain::document::Kind;

/// Whether an institution had taken the code into custody, and whether with papers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Custody {
    /// There was a purchase or a transfer into its stock.
    pub taken: bool,
    /// One of these has a delivery note or an invoice.
    pub has_proof: bool,
}

/// A sale that happened and is not returned.
#[derive(Debug)]
pub struct OpenSale<'a, 't> {
    /// The sale.
    pub sale: &'t Sale<'a>,
    /// What is still out of its need; an estimate when the need is, or what was given back.
    pub outstanding: Need,
    /// The returns that gave a part back.
    pub returns: Vec<Fact<'a>>,
}

/// A sum of outstanding needs. Kept in 128 bits, so that taking a part away again is exact.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    thousandths: i128,
    estimates: usize,
}

/// The observations that open sales rest on, their partial returns among them.
#[derive(Clone, Debug, Default)]
pub struct InUse {
    /// By position in the timeline.
    contains: Vec<bool>,
    count: usize,
}

/// How an institution stands to the code.
#[derive(Debug, Default)]
struct Standing<'a> {
    /// The step that made it a holder, while it is one.
    holder_since: Option<usize>,
    /// The stock out after which it should have nothing to sell.
    left: Option<Fact<'a>>,
    custody: Custody,
}

/// The state of the walk.
#[derive(Debug)]
pub struct Walk<'a, 't> {
    timeline: &'t Timeline<'a>,
    step: usize,
    open: BTreeMap<usize, OpenSale<'a, 't>>,
    used: Total,
    used_split: Total,
    in_use: InUse,
    in_split_use: InUse,
    standings: BTreeMap<&'a str, Standing<'a>>,
    made_holders: BTreeMap<usize, Fact<'a>>,
    custody_at: Vec<Custody>,
}

impl Total {
    fn add(&mut self, need: Need) {
        self.thousandths = self.thousandths.saturating_add(i128::from(need.amount.thousandths()));
        self.estimates = self.estimates.saturating_add(usize::from(need.is_estimate));
    }

    fn take(&mut self, need: Need) {
        self.thousandths = self.thousandths.saturating_sub(i128::from(need.amount.thousandths()));
        self.estimates = self.estimates.saturating_sub(usize::from(need.is_estimate));
    }

    /// The sum.
    pub fn amount(&self) -> Quantity {
        held(self.thousandths)
    }

    /// Whether an estimate is in it.
    pub const fn has_estimate(&self) -> bool {
        self.estimates > 0
    }

    /// Whether `need` more is more than `content`.
    pub fn overflows(&self, need: Quantity, content: Quantity) -> bool {
        self.thousandths.saturating_add(i128::from(need.thousandths())) > i128::from(content.thousandths())
    }

    /// Whether it fills `content`.
    pub fn fills(&self, content: Quantity) -> bool {
        self.thousandths >= i128::from(content.thousandths())
    }
}

impl InUse {
    /// Whether the fact is one of them.
    pub fn contains(&self, fact: &Fact<'_>) -> bool {
        self.contains.get(fact.position).copied().unwrap_or_default()
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    fn note(&mut self, fact: &Fact<'_>, is_in_use: bool) {
        if self.contains.len() <= fact.position {
            self.contains.resize(fact.position.saturating_add(1), false);
        }
        let Some(noted) = self.contains.get_mut(fact.position) else { return };
        if *noted != is_in_use {
            *noted = is_in_use;
            self.count = if is_in_use { self.count.saturating_add(1) } else { self.count.saturating_sub(1) };
        }
    }
}

impl<'a> OpenSale<'a, '_> {
    /// All that it rests on: the observations of the sale, then the returns that gave a part back.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'a>> {
        self.sale.facts().chain(self.returns.iter().copied())
    }
}

impl<'a, 't> Walk<'a, 't> {
    /// A walk that stands before the first event.
    pub fn over(timeline: &'t Timeline<'a>) -> Self {
        Self {
            timeline,
            step: 0,
            open: BTreeMap::new(),
            used: Total::default(),
            used_split: Total::default(),
            in_use: InUse::default(),
            in_split_use: InUse::default(),
            standings: BTreeMap::new(),
            made_holders: BTreeMap::new(),
            custody_at: vec![Custody::default(); timeline.facts.len()],
        }
    }

    /// The timeline that is walked.
    pub const fn timeline(&self) -> &'t Timeline<'a> {
        self.timeline
    }

    /// Σ outstanding of the open sales.
    pub const fn used(&self) -> Total {
        self.used
    }

    /// Σ outstanding of the open split sales.
    pub const fn used_split(&self) -> Total {
        self.used_split
    }

    /// The observations that the open sales rest on.
    pub const fn in_use(&self) -> &InUse {
        &self.in_use
    }

    /// The observations that the open split sales rest on.
    pub const fn in_split_use(&self) -> &InUse {
        &self.in_split_use
    }

    /// Whether a sale wants more than is left of the content.
    pub fn is_short(&self, sale: &Sale<'a>) -> bool {
        let need = sale.need().amount;
        need > Quantity::ZERO && self.used.overflows(need, self.timeline.pack.content())
    }

    /// The open sales, latest first.
    pub fn open_latest_first(&self) -> impl Iterator<Item = &OpenSale<'a, 't>> {
        self.open.values().rev()
    }

    /// Whether the institution is a holder.
    pub fn is_holder(&self, institution_id: &str) -> bool {
        self.standings.get(institution_id).is_some_and(|standing| standing.holder_since.is_some())
    }

    /// Of what made the holders what they are, the latest.
    pub fn latest_made_holder(&self) -> Option<Fact<'a>> {
        self.made_holders.last_key_value().map(|(_, fact)| *fact)
    }

    /// What made each holder one, the latest first.
    pub fn made_holders(&self) -> impl Iterator<Item = Fact<'a>> {
        self.made_holders.values().rev().copied()
    }

    /// The stock out after which the institution should have nothing to sell.
    pub fn left(&self, institution_id: &str) -> Option<Fact<'a>> {
        self.standings.get(institution_id).and_then(|standing| standing.left)
    }

    /// Whether the fact's institution had custody when the walk reached the fact.
    pub fn custody_at(&self, fact: &Fact<'a>) -> Custody {
        self.custody_at.get(fact.position).copied().unwrap_or_default()
    }

    /// Comes to an event; nothing of it counts yet.
    pub fn reach(&mut self, event: &Event<'a, 't>) {
        match event {
            Event::StockIn(fact) | Event::StockOut(fact) => self.note_custody(fact),
            Event::Return(given_back) => self.note_custody(&given_back.fact),
            Event::Sale(sale) => sale.facts().for_each(|fact| self.note_custody(&fact)),
        }
    }

    /// Lets the event that was reached count.
    pub fn pass(&mut self, event: &Event<'a, 't>) {
        match event {
            Event::StockIn(fact) => self.pass_stock_in(*fact),
            Event::Sale(sale) => self.pass_sale(sale),
            Event::Return(given_back) => self.pass_return(given_back),
            Event::StockOut(fact) => self.pass_stock_out(*fact),
        }
        self.step = self.step.saturating_add(1);
    }

    fn pass_stock_in(&mut self, fact: Fact<'a>) {
        self.make_holder(fact);
        let standing = self.standing(fact.institution_id());
        standing.left = None;
        if matches!(fact.observation.kind, Kind::PurchaseIn | Kind::TransferIn) {
            standing.custody.taken = true;
            standing.custody.has_proof |= fact.observation.has_papers;
        }
    }

    fn pass_sale(&mut self, sale: &'t Sale<'a>) {
        let need = sale.need();
        let open = OpenSale { sale, outstanding: need, returns: Vec::new() };
        self.note_use(&open, true);
        self.open.insert(sale.number, open);
        self.used.add(need);
        if sale.is_split() {
            self.used_split.add(need);
        }
        if need.amount > Quantity::ZERO && self.used.fills(self.timeline.pack.content()) {
            self.unmake_holder(sale.institution_id());
        }
    }

    fn pass_return(&mut self, given_back: &'t Return<'a>) {
        if let Some(number) = given_back.sale {
            self.give_back(number, given_back);
            self.standing(given_back.fact.institution_id()).left = None;
        }
        self.make_holder(given_back.fact);
    }

    fn give_back(&mut self, number: usize, given_back: &'t Return<'a>) {
        let Some(mut open) = self.open.remove(&number) else {
            return;
        };
        let before = open.outstanding;
        let after = Need {
            amount: before.amount.saturating_sub(given_back.gives_back.amount),
            is_estimate: before.is_estimate || given_back.gives_back.is_estimate,
        };
        let is_split = open.sale.is_split();
        self.used.take(before);
        if is_split {
            self.used_split.take(before);
        }
        if after.amount > Quantity::ZERO {
            self.used.add(after);
            if is_split {
                self.used_split.add(after);
            }
            open.outstanding = after;
            open.returns.push(given_back.fact);
            self.note_use(&open, true);
            self.open.insert(number, open);
        } else {
            self.note_use(&open, false);
        }
    }

    fn note_use(&mut self, open: &OpenSale<'a, 't>, is_in_use: bool) {
        for fact in open.facts() {
            self.in_use.note(&fact, is_in_use);
            if open.sale.is_split() {
                self.in_split_use.note(&fact, is_in_use);
            }
        }
    }

    fn pass_stock_out(&mut self, fact: Fact<'a>) {
        if fact.need.amount < self.timeline.pack.content() {
            return;
        }
        self.unmake_holder(fact.institution_id());
        let leaves_for_good = matches!(
            fact.observation.kind,
            Kind::PurchaseReturn | Kind::GiftReturn | Kind::LossOut | Kind::Destroyed
        );
        if leaves_for_good && self.timeline.pack.is_single() {
            self.standing(fact.institution_id()).left = Some(fact);
        }
    }

    fn make_holder(&mut self, fact: Fact<'a>) {
        self.unmake_holder(fact.institution_id());
        let step = self.step;
        self.standing(fact.institution_id()).holder_since = Some(step);
        self.made_holders.insert(step, fact);
    }

    fn unmake_holder(&mut self, institution_id: &'a str) {
        if let Some(step) = self.standing(institution_id).holder_since.take() {
            self.made_holders.remove(&step);
        }
    }

    fn note_custody(&mut self, fact: &Fact<'a>) {
        let custody =
            self.standings.get(fact.institution_id().as_str()).map_or_else(Custody::default, |s| s.custody);
        if let Some(noted) = self.custody_at.get_mut(fact.position) {
            *noted = custody;
        }
    }

    fn standing(&mut self, institution_id: &'a str) -> &mut Standing<'a> {
        self.standings.entry(institution_id).or_default()
    }
}
