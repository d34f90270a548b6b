//! What of a document is live: the view that observations, line rules and claims are computed from.
//!
//! A document exists when its header is live; a line when at least one of its facets is, and adjustments
//! ([`adjust`](super::adjust)) left something of it. Reference data are those attached to each part, chosen by the day of
//! the live header.

use std::collections::BTreeSet;

use super::adjust::{self, LiveAdjustment, Taken};
use super::lending::LentCode;
use super::merge::{Document, LineParts, Stamped};
use super::{CodesFacet, DocumentKey, FeeFacet, Header, Kind, Origin, ScannedCode};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::claim::amounts::{LineMoney, line_amounts};
use crate::domain::reference::{Institution, Product, Slice, region_of};
use crate::domain::time::{Day, Timestamp};
use crate::domain::trace_code::TraceCode;

/// A document whose header is live.
#[derive(Clone, Debug)]
pub struct LiveDocument<'a> {
    /// Its identity.
    pub key: &'a DocumentKey,
    /// Its header.
    pub header: &'a Stamped<Header>,
    /// Its lines, in line order: line ids as bytes.
    pub lines: Vec<LiveLine<'a>>,
    /// Its adjustments, in line order; a stocktake has none.
    pub adjustments: Vec<LiveAdjustment<'a>>,
    /// Region of the institution on the document's day.
    pub region: Text,
    /// Whether it would borrow, and more is offered to it than is kept.
    pub(super) is_overlent: bool,
}

/// A line with at least one live facet.
#[derive(Clone, Debug)]
pub struct LiveLine<'a> {
    /// Its identity within the document.
    pub line_id: &'a Text,
    /// Product, quantity, amounts.
    pub fee: Option<&'a Stamped<FeeFacet>>,
    /// Trace codes.
    pub codes: Option<&'a Stamped<CodesFacet>>,
    /// Quantity, where known: what adjustments left of it.
    pub(super) quantity: Option<Quantity>,
    /// Quantity before adjustments, of a line that they made smaller.
    pub quantity_before: Option<Quantity>,
    /// Amount, likewise after adjustments.
    amount: Option<Money>,
    /// The fund's part of it that the line states, likewise.
    fund_amount: Option<Money>,
    /// The latest issue of an adjustment that acts on it.
    pub adjusted_at: Option<Timestamp>,
    /// Codes borrowed from the hand-over, of a settlement; in the order of their text.
    pub(super) lent: Vec<LentCode<'a>>,
    /// The fund's amount of the line, of a settlement.
    pub claimed: Option<Money>,
}

/// Most lines of a live document that are judged; partial uploads can bring a document over what one upload may have.
pub const LINES_MAX: usize = 5_000;

/// Most codes of a live document that are judged.
pub const CODES_MAX: usize = 20_000;

impl Document {
    /// The live view, when the header is live.
    pub fn live<'a>(&'a self, key: &'a DocumentKey) -> Option<LiveDocument<'a>> {
        let header = self.header.as_deref()?;
        let mut document = LiveDocument {
            key,
            header,
            lines: self.lines.iter().map(LiveLine::new).collect(),
            adjustments: Vec::new(),
            region: Text::default(),
            is_overlent: false,
        };
        document.adjust();
        document.region = region_of(&key.institution_id, document.institution());
        if document.kind() == Kind::Settlement {
            let money: Vec<LineMoney> = document.lines.iter().map(LiveLine::money).collect();
            let amounts = line_amounts(header.part.content.fund_amount, &money);
            for (line, amount) in document.lines.iter_mut().zip(amounts) {
                line.claimed = Some(amount);
            }
        }
        Some(document)
    }
}

impl<'a> LiveDocument<'a> {
    /// Takes the adjustments out of the lines and lets them act.
    fn adjust(&mut self) {
        let mut adjustments = Vec::new();
        self.lines.retain(|line| {
            let adjustment = LiveAdjustment::of(line);
            let is_line = adjustment.is_none();
            adjustments.extend(adjustment);
            is_line
        });
        if self.kind() == Kind::Stocktake || adjustments.is_empty() {
            return;
        }
        adjust::act(&mut self.lines, &mut adjustments);
        self.adjustments = adjustments;
    }

    /// The same as if it had no other lines than these.
    #[must_use]
    pub fn only(mut self, lines: &BTreeSet<Text>) -> Self {
        self.lines.retain(|line| lines.contains(line.line_id));
        self.adjustments.clear();
        self
    }

    /// What it reports.
    pub fn kind(&self) -> Kind {
        self.header.part.content.kind
    }

    /// Its calendar day, by which reference records are chosen.
    pub fn day(&self) -> Day {
        self.header.part.content.occurred_at.day()
    }

    /// The record of its institution.
    pub fn institution(&self) -> Option<&'a Institution> {
        self.header.part.reference.institution(&self.key.institution_id, self.day())
    }

    /// Tier of the institution.
    pub fn tier(&self) -> Option<&'a Text> {
        self.institution().and_then(|institution| institution.tier.as_ref())
    }

    /// The product record that a line's code is judged by.
    pub fn product(&self, line: &LiveLine<'a>, code: &TraceCode) -> Option<&'a Product> {
        line.reference_of(code)?.product(code.prefix.as_ref()?, self.day())
    }

    /// The newest reference version of its parts.
    pub fn reference_version(&self) -> u64 {
        let of_fee = self.lines.iter().filter_map(|line| line.fee);
        let of_fee = of_fee.chain(self.adjustments.iter().map(|adjustment| adjustment.fee));
        let of_fee = of_fee.map(|fee| fee.part.reference.version);
        let of_codes =
            self.lines.iter().filter_map(|line| line.codes).map(|codes| codes.part.reference.version);
        let of_lent = self.lines.iter().flat_map(|line| &line.lent).map(|lent| lent.line.reference().version);
        of_fee.chain(of_codes).chain(of_lent).fold(self.header.part.reference.version, u64::max)
    }

    /// How many codes of their own its lines carry, valid or not.
    pub fn code_count(&self) -> usize {
        self.lines.iter().map(|line| line.own_scans().len()).sum()
    }

    /// When the newest upload behind a line was issued: of the header, of the line's facets, and of what acts on them.
    pub fn newest_issue_of(&self, line: &LiveLine<'a>) -> Timestamp {
        let facets = [line.fee.map(|fee| fee.issued_at), line.codes_issued_at()];
        let issued = facets.into_iter().chain([line.adjusted_at]).flatten();
        issued.fold(self.header.issued_at, Timestamp::max)
    }

    /// Whether it grew past what is judged: then it makes no observations, and a claim is held as a whole.
    pub fn is_over_limit(&self) -> bool {
        let lines = self.lines.len().saturating_add(self.adjustments.len());
        lines > LINES_MAX || self.code_count() > CODES_MAX || self.is_overlent
    }
}

impl<'a> LiveLine<'a> {
    fn new((line_id, parts): (&'a Text, &'a LineParts)) -> Self {
        let stated = parts.fee.as_ref().map(|fee| &fee.part.content);
        Self {
            line_id,
            fee: parts.fee.as_deref(),
            codes: parts.codes.as_deref(),
            quantity: stated.and_then(|fee| fee.quantity),
            quantity_before: None,
            amount: stated.and_then(|fee| fee.amount),
            fund_amount: stated.and_then(|fee| fee.fund_amount),
            adjusted_at: None,
            lent: Vec::new(),
            claimed: None,
        }
    }

    /// Makes it smaller, nothing of it below zero.
    pub(super) fn take(&mut self, taken: Taken, issued_at: Timestamp) {
        if let (Some(left), Some(quantity)) = (self.quantity, taken.quantity) {
            let after = left.saturating_sub(quantity);
            if after < left {
                self.quantity_before = self.quantity_before.or(Some(left));
                self.quantity = Some(after);
            }
        }
        self.amount = self.amount.map(|amount| amount.saturating_sub(taken.amount));
        self.fund_amount = self.fund_amount.map(|amount| amount.saturating_sub(taken.fund_amount));
        self.adjusted_at = self.adjusted_at.max(Some(issued_at));
    }

    pub(super) fn money(&self) -> LineMoney {
        LineMoney { amount: self.amount, fund_amount: self.fund_amount }
    }

    /// Whether adjustments made its quantity smaller: nobody says which of its codes came back.
    pub const fn is_adjusted(&self) -> bool {
        self.quantity_before.is_some()
    }

    /// What the fee facet says.
    pub fn fee_content(&self) -> Option<&'a FeeFacet> {
        self.fee.map(|fee| &fee.part.content)
    }

    /// 医保目录编码, where known.
    pub fn product_code(&self) -> Option<&'a Text> {
        self.fee_content().and_then(|fee| fee.product_code.as_ref())
    }

    /// Quantity, where known, after adjustments.
    pub const fn quantity(&self) -> Option<Quantity> {
        self.quantity
    }

    /// 拆零, said with the fee, beside the codes or by a line that lent it a code; not so where unknown.
    pub fn is_split(&self) -> bool {
        let said_beside_codes = self.codes.is_some_and(|codes| codes.part.content.split);
        said_beside_codes
            || self.fee_content().is_some_and(|fee| fee.split)
            || self.lent.iter().any(|lent| lent.line.split)
    }

    /// The distinct codes of its own, valid or not.
    pub fn own_scans(&self) -> &'a [ScannedCode] {
        self.codes.map(|codes| codes.part.content.scans.as_slice()).unwrap_or_default()
    }

    /// Its distinct codes, valid or not: its own, then those lent to it.
    pub fn scans(&self) -> impl Iterator<Item = &'a ScannedCode> {
        self.own_scans().iter().chain(self.lent.iter().map(|lent| lent.scanned))
    }

    /// Whether it has any code, valid or not.
    pub fn has_scans(&self) -> bool {
        !self.own_scans().is_empty() || !self.lent.is_empty()
    }

    /// Its distinct valid codes: unit and lot codes.
    pub fn valid_codes(&self) -> impl Iterator<Item = &'a TraceCode> {
        self.scans().filter_map(|scanned| scanned.scan.valid())
    }

    /// The codes lent to it.
    pub fn lent(&self) -> &[LentCode<'a>] {
        &self.lent
    }

    /// Whether it borrows the same codes as the same line does under other offers: known by where they are kept, so two
    /// offers that say the same are told apart.
    pub fn borrows_like(&self, other: &Self) -> bool {
        let is_same = |(mine, theirs): (&LentCode<'_>, &LentCode<'_>)| {
            std::ptr::eq(mine.scanned, theirs.scanned) && std::ptr::eq(mine.line, theirs.line)
        };
        self.lent.len() == other.lent.len() && self.lent.iter().zip(&other.lent).all(is_same)
    }

    /// How a code was lent to it; none of a code of its own.
    pub fn lent_as(&self, code: &Text) -> Option<&LentCode<'a>> {
        let index = self.lent.binary_search_by(|lent| lent.scanned.scan.text().cmp(code)).ok()?;
        self.lent.get(index)
    }

    /// The reference data that one of its codes is judged by.
    pub fn reference_of(&self, code: &TraceCode) -> Option<&'a Slice> {
        match self.lent_as(&code.normal) {
            Some(lent) => Some(lent.line.reference()),
            None => self.codes.map(|codes| &codes.part.reference),
        }
    }

    /// The latest issue of its own codes and of those that lent to it.
    pub fn codes_issued_at(&self) -> Option<Timestamp> {
        let of_lent = self.lent.iter().map(|lent| lent.line.codes.issued_at).max();
        self.codes.map(|codes| codes.issued_at).max(of_lent)
    }

    /// Takes codes from the hand-over.
    pub(super) fn borrow(&mut self, codes: Vec<LentCode<'a>>) {
        self.lent.extend(codes);
        self.lent.sort_by(|a, b| a.scanned.scan.text().cmp(b.scanned.scan.text()));
    }

    /// The upload behind it: of the codes, else of the fee.
    pub fn origin(&self) -> Option<&'a Origin> {
        self.codes.map(|codes| &codes.origin).or(self.fee.map(|fee| &fee.origin))
    }
}
