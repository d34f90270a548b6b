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
pub enum Role {
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
pub struct Observation {
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
    /// The header's text fields.
    pub header: BTreeMap<&'static str, String>,
    /// The line's product code.
    pub product_code: Option<String>,
    /// Whether the pack was opened.
    pub split: bool,
    /// The line's quantity in thousandths.
    pub quantity: Option<i128>,
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
pub type Order<'a> = (Timestamp, Role, &'a Side);

impl Observation {
    /// Its place in the timeline.
    pub fn order(&self) -> Order<'_> {
        (self.time, self.role, &self.side)
    }

    /// The institution where it happened.
    pub fn institution(&self) -> &str {
        &self.side.document.institution_id
    }

    /// A text field of the document's header.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).map(String::as_str)
    }

    /// The person's pseudonyms.
    pub fn person(&self) -> Person<'_> {
        Person { number: self.text("person_id"), certificate: self.text("person_cert") }
    }
}

/// "A person has up to two pseudonyms: number (`person_id`) and certificate (`person_cert`)."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person<'a> {
    number: Option<&'a str>,
    certificate: Option<&'a str>,
}

impl Person<'_> {
    /// "*same* or *different* by the numbers if both have one, else by the certificates if both have one, else
    /// *unknown*"
    pub fn is_same(&self, other: &Person) -> Option<bool> {
        let by_number = self.number.zip(other.number);
        by_number.or(self.certificate.zip(other.certificate)).map(|(one, another)| one == another)
    }

    fn has_any(&self) -> bool {
        self.number.is_some() || self.certificate.is_some()
    }
}

/// A dispensing and/or the settlement that reports the same hand-over.
#[derive(Clone, Debug)]
pub struct Sale<'a> {
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
    pub fn time(&self) -> Timestamp {
        self.dispensings.iter().map(|dispensing| dispensing.time).fold(self.anchor.time, Timestamp::min)
    }

    /// "person is the anchor's if it has any pseudonym, else the other half's"
    pub fn person(&self) -> Person<'a> {
        match self.dispensing {
            Some(dispensing) if !self.anchor.person().has_any() => dispensing.person(),
            _ => self.anchor.person(),
        }
    }

    /// Its place in the walk: "(its time, 1, its anchor's order)".
    pub fn order(&self) -> (Timestamp, Role, Order<'a>) {
        (self.time(), Role::Dispensing, self.anchor.order())
    }
}

/// "packs_per_code and units_per_pack of the product record of the first observation, in order, whose prefix has
/// one; else packs_per_code = 1"
#[derive(Clone, Copy, Debug)]
pub struct Pack {
    /// How many packs one code stands for.
    pub packs_per_code: i128,
    /// How many units one pack has.
    pub units_per_pack: Option<i128>,
}

/// How much of a pack an observation uses.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// In thousandths of units.
    pub amount: i128,
    /// "A need that came from a division by n > 1 (not split: and is below content) is an *estimate*."
    pub is_estimate: bool,
}

impl Pack {
    /// The pack of a timeline.
    pub fn of(observations: &[Observation]) -> Self {
        match observations.iter().find_map(|observation| observation.product.as_ref()) {
            Some(product) => {
                Self { packs_per_code: product.packs_per_code, units_per_pack: product.units_per_pack }
            }
            None => Self { packs_per_code: 1, units_per_pack: None },
        }
    }

    /// "packs_per_code × units_per_pack; where units_per_pack is unknown 1 stands for units_per_pack", in
    /// thousandths.
    pub fn content(&self) -> i128 {
        self.packs_per_code * self.units_per_pack.unwrap_or(1) * 1000
    }

    /// "Split: 0 when units_per_pack is unknown; else its own `units`; else quantity ÷ n; else 0. Not split:
    /// content when packs_per_code = 1 or the quantity is unknown; else the smaller of content and quantity ×
    /// units_per_pack ÷ n."
    pub fn need(&self, observation: &Observation) -> Need {
        let n = observation.distinct_codes;
        let exactly = |amount| Need { amount, is_estimate: false };
        if observation.split {
            return match (self.units_per_pack, observation.units, observation.quantity) {
                (None, _, _) => exactly(0),
                (_, Some(units), _) => exactly(units),
                (_, None, Some(quantity)) => Need { amount: quantity / n, is_estimate: n > 1 },
                (_, None, None) => exactly(0),
            };
        }
        match observation.quantity {
            Some(quantity) if self.packs_per_code != 1 => {
                let share = quantity * self.units_per_pack.unwrap_or(1) / n;
                let amount = share.min(self.content());
                Need { amount, is_estimate: n > 1 && amount < self.content() }
            }
            _ => exactly(self.content()),
        }
    }
}

/// All timelines: the observations of each unit code, in their order.
pub fn timelines(documents: &[Document], reference: &Reference) -> BTreeMap<String, Vec<Observation>> {
    let mut timelines: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    for document in documents {
        let Some(role) = role_of(&document.header.kind) else { continue };
        let day = document.header.occurred_at.day();
        let mut seen_not_split = BTreeSet::new();
        for (line_id, line) in &document.lines {
            for (code, units) in line.codes.valid.iter().filter(|(code, _)| code.is_unit) {
                let product = code.prefix.as_ref().and_then(|prefix| reference.product(prefix, day));
                let packs_per_code = product.as_ref().map_or(1, |product| product.packs_per_code);
                // "Of a document's non-split lines that carry a code with packs_per_code = 1 (or no product
                // record) only the first (line order) makes an observation; every other line makes one."
                if !line.fee.split && packs_per_code == 1 && !seen_not_split.insert(&code.normal) {
                    continue;
                }
                let observation = Observation {
                    units: *units,
                    product,
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
        header: document.header.texts.clone(),
        product_code: line.text("product_code").map(str::to_owned),
        split: line.fee.split,
        quantity: line.fee.quantity,
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
pub fn sales(observations: &[Observation]) -> Vec<Sale<'_>> {
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
        // "they have no kind of id in common, persons are *same*, |Δtime| ≤ sale_match_window (24 h)"
        _ => {
            let same = settlement.person().is_same(&dispensing.person()) == Some(true);
            settlement_ids.is_none() && visit_ids.is_none() && same && distance_ms <= SALE_MATCH_WINDOW_MS
        }
    }
}
