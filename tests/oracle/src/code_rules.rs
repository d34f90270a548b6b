//! Rules §4: evaluated on the walk of each code.

use super::document::Document;
use super::finding::{Action, Finding};
use super::moment::{HOUR_MS, Timestamp};
use super::reference::Reference;
use super::timeline::{self, Observation, Role, Sale};
use super::walk::{Binding, Event, OpenSale, Past, Walk};

const DISPENSE_GRACE_MS: i64 = 48 * HOUR_MS;
const PURCHASE_GRACE_MS: i64 = 72 * HOUR_MS;
const REFUND_GRACE_MS: i64 = 72 * HOUR_MS;

/// The code rules' findings on all codes, at `now`.
pub(crate) fn findings(documents: &[Document], reference: &Reference, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (code, observations) in timeline::timelines(documents, reference) {
        let walk = Walk::new(&observations, timeline::sales(&observations));
        let about = About { observations: &observations, walk: &walk, now };
        let mut found = about.swap_declared();
        let mut past = Past::default();
        for (step, event) in walk.events.iter().enumerate() {
            match event {
                Event::StockIn(stock_in) => found.extend(about.on_stock_in(&past, stock_in)),
                Event::Sale(at) => found.extend(about.on_sale(&past, *at)),
                Event::Return(back, binding) => found.extend(about.return_not_refunded(back, *binding)),
                Event::StockOut(_) => {}
            }
            past.pass(&walk, step, *event);
        }
        findings.extend(found.into_iter().map(|finding| Finding { code: Some(code.clone()), ..finding }));
    }
    findings
}

/// One code's timeline and walk.
pub(crate) struct About<'a> {
    pub(crate) observations: &'a [Observation],
    pub(crate) walk: &'a Walk<'a>,
    pub(crate) now: Timestamp,
}

fn found(rule: &'static str, subject: &Observation, action: Action) -> Finding {
    Finding::new(rule, subject.side.clone(), action)
}

fn against(finding: Finding, counterpart: &Observation) -> Finding {
    Finding { counterpart: Some(counterpart.side.clone()), ..finding }
}

/// "Attribute scope of a pair: `institution`, `region`, `other_region` (institutions equal; regions equal;
/// else)."
fn scoped(finding: Finding, subject: &Observation, counterpart: &Observation) -> Finding {
    let scope = if subject.institution() == counterpart.institution() {
        "institution"
    } else if subject.region == counterpart.region {
        "region"
    } else {
        "other_region"
    };
    Finding { scope: Some(scope), ..against(finding, counterpart) }
}

impl<'a> About<'a> {
    fn sale(&self, open: &OpenSale) -> &Sale<'a> {
        &self.walk.sales[open.at]
    }

    /// "A sale is **short** when its need > 0 and used + need > content."
    pub(crate) fn is_short(&self, past: &Past, at: usize) -> bool {
        let need = self.walk.needs[at].amount;
        need > 0 && past.used() + need > self.walk.pack.content()
    }

    fn on_sale(&self, past: &Past<'a>, at: usize) -> Vec<Finding> {
        let sale = &self.walk.sales[at];
        [
            self.duplicate_settlement(past, at),
            self.resale(past, at),
            self.over_split(past, at),
            self.held_elsewhere(past, sale),
            self.sold_after_stock_out(past, sale),
            self.person_mismatch(sale),
            self.settled_not_dispensed(sale),
            self.not_purchased(sale),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn on_stock_in(&self, past: &Past<'a>, stock_in: &Observation) -> Vec<Finding> {
        [self.reflow(past, stock_in), self.duplicate_purchase(past, stock_in)].into_iter().flatten().collect()
    }

    /// "a settled sale is short, and there is an open settled sale, not both split; scope"; "latest such".
    fn duplicate_settlement(&self, past: &Past, at: usize) -> Option<Finding> {
        let sale = &self.walk.sales[at];
        let settlement = sale.settlement?;
        if !self.is_short(past, at) {
            return None;
        }
        let such = past.open.iter().rfind(|open| {
            let other = self.sale(open);
            other.settlement.is_some() && !(sale.anchor.split && other.anchor.split)
        })?;
        // "refuse; hold when its need or an outstanding summed in `used` comes from an estimate (of a sale or of
        // a return), or when at the subject's sale its institution had custody and the counterpart's institution
        // had none at the counterpart's sale, or when both are at one institution and the code is lent to one of
        // them, or when a document of one side … is given as a day on which a document of the other side … lies"
        let is_estimate = self.walk.needs[at].is_estimate || past.open.iter().any(|open| open.is_estimate);
        let only_subject_had_custody = past.custody.contains(settlement.institution()) && !such.had_custody;
        let counterpart = self.sale(such).anchor;
        let is_told_twice = settlement.institution() == counterpart.institution()
            && (settlement.is_lent || counterpart.is_lent);
        let is_unsure =
            is_estimate || only_subject_had_custody || is_told_twice || self.meet_on_a_day(at, such.at);
        let action = if is_unsure { Action::Hold } else { Action::Refuse };
        Some(scoped(found("duplicate_settlement", settlement, action), settlement, counterpart))
    }

    /// "a document of one side (the subject's sale; the counterpart's sale and the returns bound to it) is given as
    /// a day on which a document of the other side (the same one too) lies"
    pub(crate) fn meet_on_a_day(&self, subject: usize, counterpart: usize) -> bool {
        let ours: Vec<&Observation> = self.walk.sales[subject].halves().collect();
        let theirs: Vec<&Observation> =
            self.walk.sales[counterpart].halves().chain(self.walk.returns_of(counterpart)).collect();
        let mut pairs = ours.iter().flat_map(|one| theirs.iter().map(move |other| (*one, *other)));
        pairs.any(|(one, other)| (one.is_day || other.is_day) && one.time.day() == other.time.day())
    }

    /// "a sale is short, and there is an open sale, not both split, at another institution or to a *different*
    /// person; scope"; "latest such".
    fn resale(&self, past: &Past, at: usize) -> Option<Finding> {
        let sale = &self.walk.sales[at];
        if !self.is_short(past, at) {
            return None;
        }
        let such = past.open.iter().rfind(|open| {
            let other = self.sale(open);
            let elsewhere = other.anchor.institution() != sale.anchor.institution();
            let to_another = sale.person().is_same(&other.person()) == Some(false);
            !(sale.anchor.split && other.anchor.split) && (elsewhere || to_another)
        })?;
        Some(scoped(found("resale", sale.anchor, Action::Hold), sale.anchor, self.sale(such).anchor))
    }

    /// "a split sale with need > 0, and need + Σ outstanding of open split sales > content; scope if there is a
    /// counterpart"; "latest open split sale, if any"; "hold; alert when its need, or an outstanding summed,
    /// comes from an estimate (likewise)".
    fn over_split(&self, past: &Past, at: usize) -> Option<Finding> {
        let (sale, need) = (&self.walk.sales[at], self.walk.needs[at]);
        let split_sales: Vec<_> = past.open.iter().filter(|open| self.sale(open).anchor.split).collect();
        let outstanding: i128 = split_sales.iter().map(|open| open.outstanding).sum();
        if !sale.anchor.split || need.amount == 0 || need.amount + outstanding <= self.walk.pack.content() {
            return None;
        }
        let is_estimate = need.is_estimate || split_sales.iter().any(|open| open.is_estimate);
        let finding =
            found("over_split", sale.anchor, if is_estimate { Action::Alert } else { Action::Hold });
        Some(match split_sales.last() {
            Some(latest) => scoped(finding, sale.anchor, self.sale(latest).anchor),
            None => finding,
        })
    }

    /// "a sale at Y, Y not in holders, some X in holders".
    fn held_elsewhere(&self, past: &Past<'a>, sale: &Sale) -> Option<Finding> {
        if past.holders.contains_key(sale.anchor.institution()) {
            return None;
        }
        Some(against(found("held_elsewhere", sale.anchor, Action::Alert), past.latest_holder()?))
    }

    /// "a sale at X with `left[X]`"; counterpart "that stock out".
    fn sold_after_stock_out(&self, past: &Past<'a>, sale: &Sale) -> Option<Finding> {
        let stock_out = past.left.get(sale.anchor.institution())?;
        Some(against(found("sold_after_stock_out", sale.anchor, Action::Hold), stock_out))
    }

    /// "a sale with both halves, whose own persons are *different*"; counterpart "the dispensing".
    fn person_mismatch(&self, sale: &Sale) -> Option<Finding> {
        let (settlement, dispensing) = (sale.settlement?, sale.dispensing?);
        if settlement.person().is_same(&dispensing.person()) != Some(false) {
            return None;
        }
        Some(against(found("person_mismatch", settlement, Action::Hold), dispensing))
    }

    /// "no observation of the code has a product record for its prefix; the observation's product_code is known
    /// and differs from that of the first stock in that names one (whenever it occurred), or where there is none
    /// of the first observation that names one".
    fn swap_declared(&self) -> Vec<Finding> {
        let names_one = |observation: &&Observation| observation.product_code.is_some();
        let stock_in = self.observations.iter().filter(|observation| observation.role == Role::StockIn);
        let first = stock_in.clone().find(names_one).or_else(|| self.observations.iter().find(names_one));
        let Some(first) = first else { return Vec::new() };
        if self.observations.iter().any(|observation| observation.product.is_some()) {
            return Vec::new();
        }
        let differs = |observation: &&Observation| {
            names_one(observation) && observation.product_code != first.product_code
        };
        let finding = |observation: &Observation| {
            let is_settlement = observation.role == Role::Settlement;
            let action = if is_settlement { Action::Hold } else { Action::Alert };
            Finding { basis: Some("declared"), ..against(found("swap", observation, action), first) }
        };
        self.observations.iter().filter(differs).map(finding).collect()
    }

    /// "a stock in at X while (packs_per_code = 1 or used ≥ content) and there is an open sale, other than one at
    /// X with time ≥ the stock in's − purchase_grace (a purchase entered late); scope"; "latest such".
    fn reflow(&self, past: &Past, stock_in: &Observation) -> Option<Finding> {
        let pack = &self.walk.pack;
        if pack.packs_per_code != 1 && past.used() < pack.content() {
            return None;
        }
        let such = past.open.iter().rfind(|open| {
            let sale = self.sale(open);
            let at_same = sale.anchor.institution() == stock_in.institution();
            !(at_same && sale.time().0 >= stock_in.time.0 - PURCHASE_GRACE_MS)
        })?;
        Some(scoped(found("reflow", stock_in, Action::Alert), stock_in, self.sale(such).anchor))
    }

    /// "a purchase_in at Y, some X ≠ Y in holders, Y not in holders; scope".
    fn duplicate_purchase(&self, past: &Past<'a>, stock_in: &Observation) -> Option<Finding> {
        if stock_in.kind != "purchase_in" || past.holders.contains_key(stock_in.institution()) {
            return None;
        }
        let finding = found("duplicate_purchase", stock_in, Action::Alert);
        Some(scoped(finding, stock_in, past.latest_holder()?))
    }

    /// "a sale without dispensing, and no sale of this code by another line of the same settlement document has
    /// one; dispensing_uploaded_since of the institution ≤ its day; now ≥ known_at of the settlement +
    /// dispense_grace (48 h)".
    fn settled_not_dispensed(&self, sale: &Sale) -> Option<Finding> {
        let settlement = sale.settlement?;
        let another_line_has_one = self.walk.sales.iter().any(|other| {
            let same_document =
                other.settlement.is_some_and(|other| other.side.document == settlement.side.document);
            same_document && other.dispensing.is_some()
        });
        let is_over = self.now.0 >= settlement.known_at.0 + DISPENSE_GRACE_MS;
        if sale.dispensing.is_some() || another_line_has_one || !settlement.dispensing_uploaded || !is_over {
            return None;
        }
        Some(found("settled_not_dispensed", settlement, Action::Alert))
    }

    /// "a sale at X; stock_uploaded_since of X ≤ its day; now ≥ known_at of the anchor + purchase_grace (72 h); no
    /// stock in at X with time ≤ sale time + purchase_grace".
    fn not_purchased(&self, sale: &Sale) -> Option<Finding> {
        let is_over = self.now.0 >= sale.anchor.known_at.0 + PURCHASE_GRACE_MS;
        let has_stock_in = self.observations.iter().any(|observation| {
            observation.role == Role::StockIn
                && observation.institution() == sale.anchor.institution()
                && observation.time.0 <= sale.time().0 + PURCHASE_GRACE_MS
        });
        if !sale.anchor.stock_uploaded || !is_over || has_stock_in {
            return None;
        }
        Some(found("not_purchased", sale.anchor, Action::Alert))
    }

    /// "a return bound to a settled sale; the settlement's codes facet was issued no later than the return's
    /// codes facet; now ≥ known_at of the return + refund_grace (72 h)"; counterpart "the settlement".
    fn return_not_refunded(&self, back: &Observation, binding: Binding) -> Option<Finding> {
        let settlement = self.walk.sales[binding.sale?].settlement?;
        let is_over = self.now.0 >= back.known_at.0 + REFUND_GRACE_MS;
        if settlement.codes_issued_at > back.codes_issued_at || !is_over {
            return None;
        }
        Some(against(found("return_not_refunded", back, Action::Alert), settlement))
    }
}
