//! Rules §3: observations of one code, its pack, and the sales that they make.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, DocumentId, Line};
use super::finding::Side;
use super::moment::{DAY_MS, Day, HOUR_MS, Timestamp};
use super::reference::{Product, Reference};
use super::upload::Codes;

const SALE_LINK_WINDOW_MS: i64 = 180 * DAY_MS;
const SALE_MATCH_WINDOW_MS: i64 = 24 * HOUR_MS;
const KNOWN_AT_LIMIT_MS: i64 = 7 * DAY_MS;

/// "rank: stock in 0, dispensing 1, settlement 2, return 3, stock out 4"
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Stock in.
    StockIn,
    /// Dispensing.
    Dispensing,
    /// Settlement.
    Settlement,
    /// Return.
    Return,
    /// Stock out.
    StockOut,
}

/// One code seen on one line.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    /// Its document and line.
    pub side: Side,
    /// The kind of the document.
    pub kind: String,
    /// What the kind makes of it.
    pub role: Role,
    /// "occurred_at of the document"
    pub time: Timestamp,
    /// "the later of time and issued_at of the codes facet, at most time + 7 days"
    pub known_at: Timestamp,
    /// When the codes facet was issued.
    pub codes_issued_at: Timestamp,
    /// Whether the document says on which day it happened, and no more.
    pub is_day: bool,
    /// The header's text fields.
    pub header: BTreeMap<&'static str, String>,
    /// The line's product code.
    pub product_code: Option<String>,
    /// Whether the pack was opened.
    pub split: bool,
    /// The line's quantity in thousandths.
    pub quantity: Option<i128>,
    /// Its quantity before adjustments, if it is adjusted.
    pub quantity_before: Option<i128>,
    /// Whether the code is lent to the line (§1.6).
    pub is_lent: bool,
    /// The units given with this code, in thousandths.
    pub units: Option<i128>,
    /// "number of distinct valid codes on its line"
    pub distinct_codes: i128,
    /// The product record of the code's prefix, valid on the document's day.
    pub product: Option<Product>,
    /// The region by the record valid on the document's day.
    pub region: String,
    /// Whether the institution uploaded its stock on that day.
    pub stock_uploaded: bool,
    /// Whether the institution uploaded its dispensings on that day.
    pub dispensing_uploaded: bool,
}

/// "(time, rank, institution_id, group, document_id, line_id)"
pub(crate) type Order<'a> = (Timestamp, Role, &'a Side);

impl Observation {
    /// Its place in the timeline.
    pub(crate) fn order(&self) -> Order<'_> {
        (self.time, self.role, &self.side)
    }

    /// The institution where it happened.
    pub(crate) fn institution(&self) -> &str {
        &self.side.document.institution_id
    }

    /// A text field of the document's header.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).map(String::as_str)
    }

    /// The person's pseudonyms.
    pub(crate) fn person(&self) -> Person<'_> {
        Person { number: self.text("person_id"), certificate: self.text("person_cert") }
    }
}

/// "A person has up to two pseudonyms: number (`person_id`) and certificate (`person_cert`)."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Person<'a> {
    number: Option<&'a str>,
    certificate: Option<&'a str>,
}

impl Person<'_> {
    /// "*same* or *different* by the numbers if both have one, else by the certificates if both have one, else
    /// *unknown*"
    pub(crate) fn is_same(&self, other: &Person) -> Option<bool> {
        let by_number = self.number.zip(other.number);
        by_number.or(self.certificate.zip(other.certificate)).map(|(one, another)| one == another)
    }

    fn has_any(&self) -> bool {
        self.number.is_some() || self.certificate.is_some()
    }
}

/// A dispensing and/or the settlement that reports the same hand-over.
#[derive(Clone, Debug)]
pub(crate) struct Sale<'a> {
    /// The settlement, if it has one.
    pub settlement: Option<&'a Observation>,
    /// "its *dispensing* = the first taken by the tiers"
    pub dispensing: Option<&'a Observation>,
    /// All of its dispensings.
    pub dispensings: Vec<&'a Observation>,
    /// "the settlement if it has one, else the dispensing"
    pub anchor: &'a Observation,
}

impl<'a> Sale<'a> {
    /// "the earliest time of all of them"
    pub(crate) fn time(&self) -> Timestamp {
        self.dispensings.iter().map(|dispensing| dispensing.time).fold(self.anchor.time, Timestamp::min)
    }

    /// Its settlement and its dispensings.
    pub(crate) fn halves(&self) -> impl Iterator<Item = &'a Observation> {
        self.settlement.into_iter().chain(self.dispensings.iter().copied())
    }

    /// From when on a return may be bound to it: "A sale whose time is the moment of a document given as a day (and
    /// of no document with a time) may be bound from the beginning of that day on".
    pub(crate) fn bound_from(&self) -> Timestamp {
        let time = self.time();
        let mut first = self.halves().filter(|half| half.time == time);
        if first.all(|half| half.is_day) { time.day().beginning() } else { time }
    }

    /// "person is the anchor's if it has any pseudonym, else the other half's"
    pub(crate) fn person(&self) -> Person<'a> {
        match self.dispensing {
            Some(dispensing) if !self.anchor.person().has_any() => dispensing.person(),
            _ => self.anchor.person(),
        }
    }

    /// Its place in the walk: "(its time, 1, its anchor's order)".
    pub(crate) fn order(&self) -> (Timestamp, Role, Order<'a>) {
        (self.time(), Role::Dispensing, self.anchor.order())
    }
}

/// "packs_per_code and units_per_pack of the product record of the first observation, in order, whose prefix has
/// one; else packs_per_code = 1"
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pack {
    /// How many packs one code stands for.
    pub packs_per_code: i128,
    /// How many units one pack has.
    pub units_per_pack: Option<i128>,
}

/// How much of a pack an observation uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// In thousandths of units.
    pub amount: i128,
    /// Whether it is an *estimate*.
    pub is_estimate: bool,
}

impl Pack {
    /// The pack of a timeline.
    pub(crate) fn of(observations: &[Observation]) -> Self {
        match observations.iter().find_map(|observation| observation.product.as_ref()) {
            Some(product) => {
                Self { packs_per_code: product.packs_per_code, units_per_pack: product.units_per_pack }
            }
            None => Self { packs_per_code: 1, units_per_pack: None },
        }
    }

    /// "packs_per_code × units_per_pack; where units_per_pack is unknown 1 stands for units_per_pack", in
    /// thousandths.
    pub(crate) fn content(&self) -> i128 {
        self.packs_per_code * self.units_per_pack.unwrap_or(1) * 1000
    }

    /// "On an adjusted line the need is what it would be without adjustments (rounded) × quantity left ÷ quantity
    /// before; above 0 and below content it is an *estimate*. A need of 0 never is. A need that came from a division
    /// by n > 1 (not split: and is below content) is an *estimate*."
    pub(crate) fn need(&self, observation: &Observation) -> Need {
        let adjusted =
            observation.quantity_before.zip(observation.quantity).filter(|(before, _)| *before > 0);
        let quantity = adjusted.map_or(observation.quantity, |(before, _)| Some(before));
        let (whole, is_shared) = self.need_of(observation, quantity);
        let amount = adjusted.map_or(whole, |(before, left)| whole * left / before);
        let is_part = amount < self.content();
        let is_estimate =
            amount > 0 && (adjusted.is_some() && is_part || is_shared && (observation.split || is_part));
        Need { amount, is_estimate }
    }

    /// The need of a quantity, and whether it "came from a division by n > 1": "Split: 0 when units_per_pack is
    /// unknown; else its own `units`; else quantity ÷ n; else 0. Not split: content when the quantity is unknown, or
    /// when packs_per_code = 1; else the smaller of content and quantity × units_per_pack ÷ n."
    fn need_of(&self, observation: &Observation, quantity: Option<i128>) -> (i128, bool) {
        let n = observation.distinct_codes;
        if observation.split {
            return match (self.units_per_pack, observation.units, quantity) {
                (Some(_), Some(units), _) => (units, false),
                (Some(_), None, Some(quantity)) => (quantity / n, n > 1),
                _ => (0, false),
            };
        }
        match quantity {
            Some(quantity) if self.packs_per_code != 1 => {
                let share = quantity * self.units_per_pack.unwrap_or(1) / n;
                (share.min(self.content()), n > 1)
            }
            _ => (self.content(), false),
        }
    }
}

/// All timelines: the observations of each unit code, in their order.
pub(crate) fn timelines(documents: &[Document], reference: &Reference) -> BTreeMap<String, Vec<Observation>> {
    let mut timelines: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    for document in documents {
        let Some(role) = role_of(&document.header.kind) else { continue };
        let day = document.header.occurred_at.day();
        let mut seen_not_split = BTreeSet::new();
        for (line_id, line) in &document.lines {
            for (code, units) in line.codes.valid.iter().filter(|(code, _)| code.is_unit) {
                let product = reference.product_of(code, day);
                let packs_per_code = product.as_ref().map_or(1, |product| product.packs_per_code);
                // "Of a document's non-split lines that carry a code with packs_per_code = 1 (or no product
                // record) only the first (line order) makes an observation; every other line makes one."
                if !line.fee.split && packs_per_code == 1 && !seen_not_split.insert(&code.normal) {
                    continue;
                }
                let observation = Observation {
                    units: *units,
                    product,
                    is_lent: line.lent.contains(code),
                    ..observe(document, line_id, line, role, day, reference)
                };
                timelines.entry(code.normal.clone()).or_default().push(observation);
            }
        }
    }
    for observations in timelines.values_mut() {
        observations.sort_by(|one, other| one.order().cmp(&other.order()));
    }
    timelines
}

/// What all codes of a line have in common.
fn observe(
    document: &Document,
    line_id: &str,
    line: &Line,
    role: Role,
    day: Day,
    reference: &Reference,
) -> Observation {
    let DocumentId { institution_id, .. } = &document.id;
    let time = document.header.occurred_at;
    let codes_issued_at = line.codes_issued_at.unwrap_or(time);
    let Codes { valid, .. } = &line.codes;
    Observation {
        side: Side { document: document.id.clone(), line_id: line_id.to_owned() },
        kind: document.header.kind.clone(),
        role,
        time,
        known_at: Timestamp(time.0.max(codes_issued_at.0).min(time.0 + KNOWN_AT_LIMIT_MS)),
        codes_issued_at,
        is_day: document.header.is_day,
        header: document.header.texts.clone(),
        product_code: line.text("product_code").map(str::to_owned),
        split: line.fee.split,
        quantity: line.fee.quantity,
        quantity_before: line.quantity_before,
        is_lent: false,
        units: None,
        distinct_codes: valid.len() as i128,
        product: None,
        region: reference.region(institution_id, day),
        stock_uploaded: reference.has_uploaded("stock_uploaded_since", institution_id, day),
        dispensing_uploaded: reference.has_uploaded("dispensing_uploaded_since", institution_id, day),
    }
}

/// §1.3: "role of its observations"
fn role_of(kind: &str) -> Option<Role> {
    match kind {
        "purchase_in" | "transfer_in" | "gift_in" | "gain_in" | "other_in" => Some(Role::StockIn),
        "purchase_return" | "transfer_out" | "gift_return" | "loss_out" | "destroyed" | "other_out" => {
            Some(Role::StockOut)
        }
        "dispense" => Some(Role::Dispensing),
        "dispense_return" => Some(Role::Return),
        "settlement" => Some(Role::Settlement),
        _ => None,
    }
}

/// **Sales**, in walk order.
pub(crate) fn sales(observations: &[Observation]) -> Vec<Sale<'_>> {
    let with = |role| observations.iter().filter(move |observation| observation.role == role);
    let mut free: Vec<&Observation> = with(Role::Dispensing).collect();
    let mut sales = Vec::new();
    // "Walk the settlements in order. Each takes one dispensing not yet taken …"
    for settlement in with(Role::Settlement) {
        let dispensing = (1..=3).find_map(|tier| {
            let fits = free.iter().filter(|dispensing| in_tier(tier, settlement, dispensing));
            // "Within a tier the smallest |Δtime|, then order."
            fits.min_by_key(|dispensing| (distance_ms(settlement, dispensing), dispensing.order())).copied()
        });
        free.retain(|other| dispensing.is_none_or(|taken| taken.side != other.side));
        let dispensings = dispensing.into_iter().collect();
        sales.push(Sale { settlement: Some(settlement), dispensing, dispensings, anchor: settlement });
    }
    // "After the last settlement, a dispensing not taken whose document has a taken one joins the first sale (in
    // the order of the settlements) that took one of that document."
    for dispensing in free {
        let took_one = |sale: &&mut Sale| {
            sale.settlement.is_some()
                && sale.dispensing.is_some_and(|taken| taken.side.document == dispensing.side.document)
        };
        match sales.iter_mut().find(took_one) {
            Some(sale) => sale.dispensings.push(dispensing),
            None => sales.push(Sale {
                settlement: None,
                dispensing: Some(dispensing),
                dispensings: vec![dispensing],
                anchor: dispensing,
            }),
        }
    }
    sales.sort_by(|one, other| one.order().cmp(&other.order()));
    sales
}

fn distance_ms(one: &Observation, other: &Observation) -> i64 {
    (one.time.0 - other.time.0).abs()
}

/// "at the same institution, with |Δtime| ≤ sale_link_window, from the first non-empty tier"
fn in_tier(tier: u8, settlement: &Observation, dispensing: &Observation) -> bool {
    let distance_ms = distance_ms(settlement, dispensing);
    if settlement.institution() != dispensing.institution() || distance_ms > SALE_LINK_WINDOW_MS {
        return false;
    }
    let both = |name| settlement.text(name).zip(dispensing.text(name));
    let equal = |(one, other): (&str, &str)| one == other;
    let (settlement_ids, visit_ids) = (both("settlement_id"), both("visit_id"));
    match tier {
        // "both have a settlement_id and they are equal"
        1 => settlement_ids.is_some_and(equal),
        // "both have a visit_id, they are equal, and not both have a settlement_id"
        2 => visit_ids.is_some_and(equal) && settlement_ids.is_none(),
        // "not both have a settlement_id, persons are *same*, |Δtime| ≤ sale_match_window (24 h)"
        _ => {
            let same = settlement.person().is_same(&dispensing.person()) == Some(true);
            settlement_ids.is_none() && same && distance_ms <= SALE_MATCH_WINDOW_MS
        }
    }
}
