//! Rules §3, returns and the **walk**: what is open, used, held and left just before each event.
//!
//! Everything that a rule may ask of the past is recomputed here from the events already walked.

use std::collections::{BTreeMap, BTreeSet};

use super::moment::Timestamp;
use super::timeline::{Need, Observation, Order, Pack, Role, Sale};

/// One step of the walk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// Stock in.
    StockIn(&'a Observation),
    /// A sale, by its place among the sales.
    Sale(usize),
    /// A return.
    Return(&'a Observation, Binding),
    /// Stock out.
    StockOut(&'a Observation),
}

/// What a return gives back to which sale.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Binding {
    /// The sale that it is bound to, "or to none".
    pub sale: Option<usize>,
    /// What it gives back of that sale's need.
    gives_back: i128,
    /// Whether what it gives back comes from an estimate.
    is_estimate: bool,
}

/// A timeline prepared for the walk.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The pack of the timeline.
    pub pack: Pack,
    /// The sales, in walk order.
    pub sales: Vec<Sale<'a>>,
    /// The need of each sale: its anchor's.
    pub needs: Vec<Need>,
    /// All events, in order.
    pub events: Vec<Event<'a>>,
}

impl<'a> Walk<'a> {
    /// The returns bound to a sale.
    pub(crate) fn returns_of(&self, sale: usize) -> impl Iterator<Item = &'a Observation> {
        self.events.iter().filter_map(move |event| match event {
            Event::Return(observation, binding) if binding.sale == Some(sale) => Some(*observation),
            _ => None,
        })
    }
}

impl<'a> Walk<'a> {
    /// Binds the returns and puts all events in order.
    pub(crate) fn new(observations: &'a [Observation], sales: Vec<Sale<'a>>) -> Self {
        let pack = Pack::of(observations);
        let needs: Vec<Need> = sales.iter().map(|sale| pack.need(sale.anchor)).collect();
        let mut events: Vec<((Timestamp, Role, Order<'a>), Event<'a>)> = Vec::new();
        for (at, sale) in sales.iter().enumerate() {
            events.push((sale.order(), Event::Sale(at)));
        }
        let mut outstanding: Vec<i128> = needs.iter().map(|need| need.amount).collect();
        let mut is_returned = vec![false; sales.len()];
        for observation in observations {
            let own = (observation.time, observation.role, observation.order());
            match observation.role {
                Role::StockIn => events.push((own, Event::StockIn(observation))),
                Role::StockOut => events.push((own, Event::StockOut(observation))),
                // "Returns are bound before the walk, in their order."
                Role::Return => {
                    let binding = bind(observation, &sales, &pack, &mut outstanding, &mut is_returned);
                    // "It takes effect at max(its time, its sale's time), unbound at its time."
                    let sale_time = binding.sale.map(|at| sales[at].time());
                    let effect = sale_time.map_or(observation.time, |time| time.max(observation.time));
                    events.push((
                        (effect, Role::Return, observation.order()),
                        Event::Return(observation, binding),
                    ));
                }
                Role::Dispensing | Role::Settlement => {}
            }
        }
        events.sort_by_key(|(order, _)| *order);
        Self { pack, sales, needs, events: events.into_iter().map(|(_, event)| event).collect() }
    }
}

fn bind(
    observation: &Observation,
    sales: &[Sale],
    pack: &Pack,
    outstanding: &mut [i128],
    is_returned: &mut [bool],
) -> Binding {
    let mut candidates = (0..sales.len())
        .filter(|at| sales[*at].anchor.institution() == observation.institution() && !is_returned[*at]);
    let bound = match observation.text("returns.document_id") {
        // "bound to the first sale (in walk order) at its institution whose settlement or one of whose
        // dispensings is that document (and line, if named) and is not entirely returned by earlier ones"
        Some(document_id) => candidates.find(|at| {
            let line_id = observation.text("returns.line_id");
            sales[*at].halves().any(|half| {
                half.side.document.document_id == document_id
                    && line_id.is_none_or(|line_id| line_id == half.side.line_id)
            })
        }),
        // "bound to the latest sale with time ≤ its own at its institution, person not *different*, not entirely
        // returned by earlier ones"
        None => {
            let may_be = |at: &usize| {
                let is_same = observation.person().is_same(&sales[*at].person());
                sales[*at].bound_from() <= observation.time && is_same != Some(false)
            };
            let such: Vec<usize> = candidates.filter(may_be).collect();
            // "one given as a day to the earliest such sale whose time lies in its day, else to the latest before"
            let in_day = such
                .iter()
                .find(|at| observation.is_day && sales[**at].time().day() == observation.time.day());
            in_day.or(such.last()).copied()
        }
    };
    let Some(sale) = bound else { return Binding::default() };
    // "A split return with need > 0, and any return where packs_per_code > 1, gives back its need, at most what
    // is outstanding; every other return gives back all of it, but on an adjusted line with need > 0 its need".
    let need = pack.need(observation);
    let is_part = observation.split || observation.quantity_before.is_some();
    let by_need = is_part && need.amount > 0 || pack.packs_per_code > 1;
    let gives_back = if by_need { need.amount.min(outstanding[sale]) } else { outstanding[sale] };
    outstanding[sale] -= gives_back;
    is_returned[sale] = outstanding[sale] == 0;
    Binding { sale: Some(sale), gives_back, is_estimate: by_need && need.is_estimate }
}

/// What the walk keeps. "'open', 'holder', 'left' as they are just before the event."
#[derive(Debug, Default)]
pub(crate) struct Past<'a> {
    /// The open sales, in walk order: "it came earlier in the walk and is not *returned*".
    pub open: Vec<OpenSale>,
    /// What made each institution a holder, and when in the walk.
    pub holders: BTreeMap<&'a str, (usize, &'a Observation)>,
    /// The stock out after which an institution no longer had the code.
    pub left: BTreeMap<&'a str, &'a Observation>,
    /// The institutions with custody.
    pub custody: BTreeSet<&'a str>,
}

/// A sale that came earlier and is not returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenSale {
    /// Its place among the sales.
    pub at: usize,
    /// "its need, less what was given back"
    pub outstanding: i128,
    /// Whether what is outstanding comes from an estimate, of the sale or of a return.
    pub is_estimate: bool,
    /// Whether its institution had custody at the sale.
    pub had_custody: bool,
}

impl<'a> Past<'a> {
    /// "`used` = Σ outstanding of open sales."
    pub(crate) fn used(&self) -> i128 {
        self.open.iter().map(|sale| sale.outstanding).sum()
    }

    /// "what made a holder one, the latest of them in the walk"
    pub(crate) fn latest_holder(&self) -> Option<&'a Observation> {
        self.holders.values().max_by_key(|(step, _)| *step).map(|(_, observation)| *observation)
    }

    /// Goes past an event, which is the `step`th.
    pub(crate) fn pass(&mut self, walk: &Walk<'a>, step: usize, event: Event<'a>) {
        match event {
            Event::StockIn(observation) => {
                let institution = observation.institution();
                // "stock in or return (bound or not) at X adds X"
                self.holders.insert(institution, (step, observation));
                // "until a stock in or a bound return at X"
                self.left.remove(institution);
                // "there was a purchase_in or transfer_in of this code at X; nothing ends it"
                if observation.kind == "purchase_in" || observation.kind == "transfer_in" {
                    self.custody.insert(institution);
                }
            }
            Event::Sale(at) => {
                let institution = walk.sales[at].anchor.institution();
                let Need { amount, is_estimate } = walk.needs[at];
                let had_custody = self.custody.contains(institution);
                self.open.push(OpenSale { at, outstanding: amount, is_estimate, had_custody });
                // "so does a sale at X with need > 0 after which used ≥ content"
                if amount > 0 && self.used() >= walk.pack.content() {
                    self.holders.remove(institution);
                }
            }
            Event::Return(observation, binding) => {
                self.holders.insert(observation.institution(), (step, observation));
                if let Some(sale) = binding.sale {
                    self.left.remove(observation.institution());
                    self.give_back(sale, binding);
                }
            }
            Event::StockOut(observation) => {
                if walk.pack.need(observation).amount < walk.pack.content() {
                    return;
                }
                // "a stock out at X with need ≥ content removes X"
                self.holders.remove(observation.institution());
                // "where packs_per_code = 1: the latest purchase_return, gift_return, loss_out or destroyed"
                let kinds = ["purchase_return", "gift_return", "loss_out", "destroyed"];
                if walk.pack.packs_per_code == 1 && kinds.contains(&observation.kind.as_str()) {
                    self.left.insert(observation.institution(), observation);
                }
            }
        }
    }

    /// "The sale is *returned* when nothing is outstanding after a bound return."
    fn give_back(&mut self, at: usize, binding: Binding) {
        for sale in self.open.iter_mut().filter(|sale| sale.at == at) {
            sale.outstanding -= binding.gives_back;
            sale.is_estimate |= binding.is_estimate;
        }
        self.open.retain(|sale| sale.at != at || sale.outstanding > 0);
    }
}
