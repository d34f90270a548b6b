//! Codes that the hand-over lends to the settlement of the same sale.
//!
//! Most senders put no codes into the settlement; they report them in the dispensing that bears the same settlement id,
//! or the same visit id where the platform's answers are not in the stream. So a settlement line that its own codes do not
//! cover *borrows*: its document keeps what its possible lenders [offer](Offer), and [`lend`] shares the offered
//! codes out among the lines. Who gets which code is a pure function of the live documents: nearest lender first, borrowers
//! in line order, each until it is covered.
//!
//! What is wrong with a hand-over is not mended by it: once the line is covered the rest is lent to nobody, and a
//! line that finds no code at all takes one that cannot be read, so that it is held for that.
//!
//! An offer is newer or older than another of the same lender by the revision of the lender's document. One that has
//! nothing to lend any more is an offer of nothing: it must outlive what it withdraws, since the same lender may be heard
//! of in two ways.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::live::{LiveDocument, LiveLine};
use super::merge::Stamped;
use super::{CodesFacet, DocumentKey, Group, Header, Kind, Origin, ScannedCode, Version};
use crate::domain::Text;
use crate::domain::amount::Quantity;
use crate::domain::observation::{LentFrom, What};
use crate::domain::reference::{Institution, Product, Slice};
use crate::domain::time::{Day, Millis, Timestamp};

/// Most lenders under one alias, and most settlements that ever borrowed there.
pub const LENDERS_MAX: usize = 1_000;

/// Most codes that the lenders under one alias offer together.
pub const CODES_LENT_MAX: usize = 20_000;

/// How far apart in time a hand-over and its settlement may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// When they bear the same settlement id.
    pub by_settlement: Millis,
    /// When they have only the visit id in common.
    pub by_visit: Millis,
}

/// What a dispensing has to lend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// document_id of the dispensing.
    pub lender: Text,
    /// Its revision: of two offers of one lender the greater counts.
    pub revision: u64,
    /// When the hand-over happened.
    pub time: Timestamp,
    /// 结算ID.
    pub settlement_id: Option<Text>,
    /// 就医流水号.
    pub visit_id: Option<Text>,
    /// Its lines that have a product and codes.
    pub lines: Vec<OfferedLine>,
    /// The upload by which it came to say so.
    pub origin: Origin,
}

/// One line of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedLine {
    /// Its identity within the dispensing.
    pub line_id: Text,
    /// 医保目录编码.
    pub product_code: Text,
    /// 拆零.
    pub split: bool,
    /// Its codes.
    pub codes: Stamped<CodesFacet>,
}

/// The newest offer of each lender, and whose offers are too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    by_lender: BTreeMap<Text, Arc<Offer>>,
    /// document_id of the aliases under which more was offered than is kept.
    pub overfull: BTreeSet<Text>,
}

/// A code that a line borrowed.
#[derive(Clone, Copy, Debug)]
pub struct LentCode<'a> {
    /// The code, with the units it has where it stands first.
    pub scanned: &'a ScannedCode,
    /// document_id of the dispensing that it stands in.
    pub lender: &'a Text,
    /// The line that it stands on first.
    pub line: &'a OfferedLine,
}

impl LentCode<'_> {
    /// The line of the hand-over that it was lent by.
    pub fn lent_from(&self) -> LentFrom {
        LentFrom { document_id: self.lender.clone(), line_id: self.line.line_id.clone() }
    }
}

impl Offer {
    /// What the live document has to lend, if it is a hand-over that could lend at all.
    pub fn of(document: &LiveDocument<'_>, windows: Windows) -> Option<Self> {
        let header = &document.header.part.content;
        let is_named = header.settlement_id.is_some() || header.visit_id.is_some();
        if document.kind() != Kind::Dispense || !is_named || document.is_over_limit() {
            return None;
        }
        let lines: Vec<OfferedLine> = document.lines.iter().filter_map(OfferedLine::of).collect();
        if lines.is_empty() || !may_borrow_near(document, windows) {
            return None;
        }
        Some(Self {
            lender: document.key.document_id.clone(),
            revision: 0,
            time: header.moment(),
            settlement_id: header.settlement_id.clone(),
            visit_id: header.visit_id.clone(),
            lines,
            origin: document.header.origin.clone(),
        })
    }

    /// An offer of nothing, that takes the place of an earlier one.
    #[must_use]
    pub fn withdrawn(&self) -> Self {
        Self { settlement_id: None, visit_id: None, ..self.without_lines() }
    }

    /// What happened to the dispensing, to those who borrow: one with nothing to lend was taken back or corrected.
    pub fn what(&self) -> What {
        if self.lines.is_empty() { What::Retracted } else { What::Asserted }
    }

    /// The dispensing, which is at the institution of the settlement.
    pub fn lender_key(&self, institution_id: &Text) -> DocumentKey {
        DocumentKey::of_lender(institution_id, &self.lender)
    }

    /// Whether two offers say the same: all but revision and origin.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { lender, revision: _, time, settlement_id, visit_id, lines, origin: _ } = self;
        *lender == other.lender
            && *time == other.time
            && *settlement_id == other.settlement_id
            && *visit_id == other.visit_id
            && *lines == other.lines
    }

    /// The aliases under which it is heard of.
    pub fn aliases(&self, institution_id: &Text) -> Vec<DocumentKey> {
        let of_settlement = self.settlement_id.as_ref().map(|id| settlement_alias(institution_id, id));
        let of_visit = self.visit_id.as_ref().map(|id| visit_alias(institution_id, id));
        of_settlement.into_iter().chain(of_visit).collect()
    }

    /// How many codes it has.
    pub fn code_count(&self) -> usize {
        self.lines.iter().map(|line| line.codes.part.content.scans.len()).sum()
    }

    /// The same without its lines, where they are of no use.
    #[must_use]
    pub fn without_lines(&self) -> Self {
        Self { lines: Vec::new(), ..self.clone() }
    }

    /// Whether it lends to a settlement with that header.
    fn is_for(&self, header: &Header, windows: Windows) -> bool {
        let apart = self.time.distance(header.moment());
        match (&header.settlement_id, &header.visit_id) {
            (Some(settlement_id), _) => {
                self.settlement_id.as_ref() == Some(settlement_id) && apart <= windows.by_settlement
            }
            (None, Some(visit_id)) => self.visit_id.as_ref() == Some(visit_id) && apart <= windows.by_visit,
            (None, None) => false,
        }
    }
}

impl OfferedLine {
    fn of(line: &LiveLine<'_>) -> Option<Self> {
        let codes = line.codes.filter(|codes| !codes.part.content.scans.is_empty())?;
        Some(Self {
            line_id: line.line_id.clone(),
            product_code: line.product_code()?.clone(),
            split: line.is_split(),
            codes: codes.clone(),
        })
    }

    /// Reference data of its codes.
    pub fn reference(&self) -> &Slice {
        &self.codes.part.reference
    }
}

impl Offers {
    /// Takes an offer that is newer than the known one of its lender, or of the same revision with lines that were left
    /// out. Whether it was taken.
    pub fn take(&mut self, offer: Arc<Offer>) -> bool {
        let is_news = self.is_news(&offer);
        if is_news {
            self.by_lender.insert(offer.lender.clone(), offer);
        }
        is_news
    }

    /// Whether an offer would be taken.
    pub fn is_news(&self, offer: &Offer) -> bool {
        self.by_lender.get(&offer.lender).is_none_or(|known| {
            offer.revision > known.revision
                || (offer.revision == known.revision && known.lines.is_empty() && !offer.lines.is_empty())
        })
    }

    /// Takes all that is newer in others.
    pub fn take_all(&mut self, others: Self) {
        for offer in others.by_lender.into_values() {
            self.take(offer);
        }
        self.overfull.extend(others.overfull);
    }

    /// Whether there is room for an offer beside those of other lenders.
    pub fn has_room_for(&self, offer: &Offer) -> bool {
        let others = self.iter().filter(|known| known.lender != offer.lender);
        let (lenders, codes) = others.fold((1_usize, offer.code_count()), |(lenders, codes), known| {
            (lenders.saturating_add(1), codes.saturating_add(known.code_count()))
        });
        lenders <= LENDERS_MAX && codes <= CODES_LENT_MAX
    }

    /// The offer of a lender.
    pub fn of(&self, lender: &Text) -> Option<&Arc<Offer>> {
        self.by_lender.get(lender)
    }

    /// All of them, in order of their lenders.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Offer>> {
        self.by_lender.values()
    }

    /// Those of lenders behind `after`, in order.
    pub fn after<'o>(&'o self, after: Option<&Text>) -> impl Iterator<Item = &'o Arc<Offer>> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_lender.range::<Text, _>((from, std::ops::Bound::Unbounded)).map(|(_, offer)| offer)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_lender.is_empty() && self.overfull.is_empty()
    }

    /// When the newest of them came.
    pub fn newest(&self) -> Option<Timestamp> {
        self.iter().map(|offer| offer.time.max(offer.origin.received_at)).max()
    }
}

impl FromIterator<Offer> for Offers {
    fn from_iter<T: IntoIterator<Item = Offer>>(offers: T) -> Self {
        let mut all = Self::default();
        for offer in offers {
            all.take(Arc::new(offer));
        }
        all
    }
}

const SETTLEMENT_SPACE: &str = "setl";
const VISIT_SPACE: &str = "lend";

/// The alias of all settlements with that settlement id; what the platform cancels goes there too.
pub fn settlement_alias(institution_id: &Text, settlement_id: &str) -> DocumentKey {
    alias(institution_id, SETTLEMENT_SPACE, settlement_id)
}

/// The alias of all settlements with that visit id and no settlement id.
pub fn visit_alias(institution_id: &Text, visit_id: &str) -> DocumentKey {
    alias(institution_id, VISIT_SPACE, visit_id)
}

/// `/` is escaped inside the id, so that different ids never join to the same alias.
fn alias(institution_id: &Text, space: &str, id: &str) -> DocumentKey {
    let id = id.replace('%', "%25").replace('/', "%2F");
    DocumentKey {
        institution_id: institution_id.clone(),
        group: Group::Settlement,
        document_id: format!("{space}/{id}").into(),
    }
}

/// The alias that a settlement is a member of by its settlement id.
pub fn alias_by_settlement_id(version: &Version) -> Option<DocumentKey> {
    let header = version.header.as_ref().map(|header| &header.content);
    let header = header.filter(|header| header.kind == Kind::Settlement)?;
    header.settlement_id.as_ref().map(|id| settlement_alias(&version.key.institution_id, id))
}

/// The alias where a settlement hears of what it can borrow; none while its own codes cover all its lines, or it may not.
pub fn borrows_under(document: &LiveDocument<'_>) -> Option<DocumentKey> {
    if document.kind() != Kind::Settlement || writes_codes_itself(document.institution(), document.day()) {
        return None;
    }
    let alias = alias_of(&document.key.institution_id, &document.header.part.content)?;
    (!borrowers(document).is_empty()).then_some(alias)
}

fn alias_of(institution_id: &Text, header: &Header) -> Option<DocumentKey> {
    match (&header.settlement_id, &header.visit_id) {
        (Some(settlement_id), _) => Some(settlement_alias(institution_id, settlement_id)),
        (None, visit_id) => visit_id.as_ref().map(|visit_id| visit_alias(institution_id, visit_id)),
    }
}

/// Whether the institution puts the codes into its settlements itself on that day.
pub fn writes_codes_itself(institution: Option<&Institution>, day: Day) -> bool {
    institution.and_then(|record| record.codes_in_settlement_since).is_some_and(|since| since <= day)
}

/// Whether a settlement on some day near the hand-over may borrow, by all that is known of the institution.
fn may_borrow_near(document: &LiveDocument<'_>, windows: Windows) -> bool {
    let header = &document.header.part;
    let apart = windows.by_settlement.max(windows.by_visit);
    let time = header.content.moment();
    let (first, last) = (time.minus(apart).day(), time.plus(apart).day());
    // What is known of the institution changes on these days alone, and once it writes codes itself it goes on.
    let changes = header.reference.records().iter().flat_map(|record| {
        let behind =
            record.valid_to.map(|to| Day::from_days_since_epoch(to.days_since_epoch().saturating_add(1)));
        record.valid_from.into_iter().chain(behind)
    });
    let days = changes.filter(|day| (first..=last).contains(day)).chain([first]);
    let institution_id = &document.key.institution_id;
    let mut closed =
        days.map(|day| writes_codes_itself(header.reference.institution(institution_id, day), day));
    !closed.all(|closed| closed)
}

/// Shares out what the offers lend among the lines of a settlement.
pub fn lend<'a>(document: &mut LiveDocument<'a>, offers: &'a Offers, windows: Windows) {
    let header = &document.header.part.content;
    if document.kind() != Kind::Settlement || writes_codes_itself(document.institution(), document.day()) {
        return;
    }
    let alias = alias_of(&document.key.institution_id, header);
    if alias.is_some_and(|alias| offers.overfull.contains(&alias.document_id)) {
        document.is_overlent = !borrowers(document).is_empty();
        return;
    }
    let lenders: Vec<&'a Arc<Offer>> =
        offers.iter().filter(|offer| !offer.lines.is_empty() && offer.is_for(header, windows)).collect();
    if lenders.is_empty() {
        return;
    }
    let mut pools = Pools::new(document, lenders, header.moment());
    for (product_code, borrowers) in borrowers(document) {
        let pool = pools.of(product_code);
        pools.give(document, pool, &borrowers);
    }
}

/// Places of the lines that borrow, by product, both in order.
fn borrowers<'a>(document: &LiveDocument<'a>) -> BTreeMap<&'a Text, Vec<usize>> {
    let mut borrowers: BTreeMap<&'a Text, Vec<usize>> = BTreeMap::new();
    for (index, line) in document.lines.iter().enumerate() {
        let Some(product_code) = line.product_code() else { continue };
        if !Coverage::of(document, line).is_enough() {
            borrowers.entry(product_code).or_default().push(index);
        }
    }
    borrowers
}

/// All that is offered, the front of each pool first, and what is no longer to be had.
struct Pools<'a> {
    offered: BTreeMap<&'a Text, Vec<LentCode<'a>>>,
    gone: HashSet<&'a Text>,
}

impl<'a> Pools<'a> {
    /// The lenders are given in their order; their lines, and the codes of each, are in order.
    fn new(document: &LiveDocument<'a>, mut lenders: Vec<&'a Arc<Offer>>, time: Timestamp) -> Self {
        lenders.sort_by_key(|lender| lender.time.distance(time));
        let mut offered: BTreeMap<&'a Text, Vec<LentCode<'a>>> = BTreeMap::new();
        for lender in lenders {
            for line in &lender.lines {
                let codes = line.codes.part.content.scans.iter();
                let codes = codes.map(|scanned| LentCode { scanned, lender: &lender.lender, line });
                offered.entry(&line.product_code).or_default().extend(codes);
            }
        }
        let own = document.lines.iter().flat_map(LiveLine::own_scans);
        Self { offered, gone: own.map(|scanned| scanned.scan.text()).collect() }
    }

    /// What is to be had of a product, each code once, where it stands first; the front of the pool first.
    fn of(&mut self, product_code: &Text) -> Vec<LentCode<'a>> {
        let mut offered = self.offered.remove(product_code).unwrap_or_default();
        let mut seen = HashSet::with_capacity(offered.len());
        offered.retain(|code| {
            let text = code.scanned.scan.text();
            !self.gone.contains(text) && seen.insert(text)
        });
        offered
    }

    /// Lends the codes of one pool to the borrowers of its product.
    fn give(&mut self, document: &mut LiveDocument<'a>, pool: Vec<LentCode<'a>>, borrowers: &[usize]) {
        let (valid, invalid): (Vec<LentCode<'a>>, Vec<LentCode<'a>>) =
            pool.into_iter().partition(|code| code.scanned.scan.valid().is_some());
        let (mut valid, mut invalid) = (valid.into_iter().peekable(), invalid.into_iter());
        let day = document.day();
        for index in borrowers {
            let Some(mut coverage) = document.lines.get(*index).map(|line| Coverage::of(document, line))
            else {
                continue;
            };
            let mut taken = Vec::new();
            while valid.peek().is_some() && !coverage.is_enough() {
                if let Some(code) = valid.next() {
                    coverage.take(&code, day);
                    taken.push(code);
                }
            }
            self.hand_over(document, *index, taken);
        }
        for index in borrowers {
            let has_none = document.lines.get(*index).is_some_and(|line| !line.has_scans());
            if has_none && let Some(code) = invalid.next() {
                self.hand_over(document, *index, vec![code]);
            }
        }
    }

    fn hand_over(&mut self, document: &mut LiveDocument<'a>, index: usize, taken: Vec<LentCode<'a>>) {
        // Of the same product nothing is given twice; what matters is that it is not in the pools that are left.
        if !self.offered.is_empty() {
            self.gone.extend(taken.iter().map(|code| code.scanned.scan.text()));
        }
        if let Some(line) = document.lines.get_mut(index) {
            line.borrow(taken);
        }
    }
}

/// How much of a line's quantity its valid codes stand for.
struct Coverage {
    quantity: Option<Quantity>,
    is_split: bool,
    has_own_lot_code: bool,
    valid: usize,
    packs: i128,
    /// None when it cannot be said.
    units: Option<i128>,
}

impl Coverage {
    /// By the line's own codes.
    fn of(document: &LiveDocument<'_>, line: &LiveLine<'_>) -> Self {
        let mut coverage = Self {
            quantity: line.quantity(),
            is_split: line.is_split(),
            has_own_lot_code: line.valid_codes().any(|code| !code.is_unit),
            valid: 0,
            packs: 0,
            units: Some(0),
        };
        for code in line.valid_codes() {
            coverage.add(document.product(line, code));
        }
        coverage
    }

    fn add(&mut self, product: Option<&Product>) {
        let packs = i128::from(product.map_or(1, |product| product.packs_per_code));
        let units = product.and_then(|product| product.units_per_pack);
        self.valid = self.valid.saturating_add(1);
        self.packs = self.packs.saturating_add(packs);
        self.units = self
            .units
            .zip(units)
            .map(|(sum, units)| sum.saturating_add(packs.saturating_mul(i128::from(units))));
    }

    fn take(&mut self, code: &LentCode<'_>, day: Day) {
        self.is_split |= code.line.split;
        let prefix = code.scanned.scan.valid().and_then(|code| code.prefix.as_ref());
        self.add(prefix.and_then(|prefix| code.line.reference().product(prefix, day)));
    }

    fn is_enough(&self) -> bool {
        let stands_for = if self.is_split { self.units } else { Some(self.packs) };
        let is_reached = match (stands_for, self.quantity) {
            (Some(sum), Some(quantity)) => sum.saturating_mul(1000) >= i128::from(quantity.thousandths()),
            _ => true,
        };
        self.has_own_lot_code || (self.valid > 0 && is_reached)
    }
}

#[cfg(test)]
mod tests;
