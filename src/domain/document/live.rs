//! What of a document is live: the view that observations, line rules and claims are computed from.
//!
//! A document exists when its header is live; a line when at least one of its facets is. Reference data are those
//! attached to each part, chosen by the day of the live header.

use super::merge::{Document, LineParts, Stamped};
use super::{CodesFacet, DocumentKey, FeeFacet, Header, Kind, Origin, ScannedCode};
use crate::domain::Text;
use crate::domain::amount::{Money, Quantity};
use crate::domain::claim::amounts::{LineMoney, line_amounts};
use crate::domain::reference::{Institution, Product, region_of};
use crate::domain::time::Day;
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
    /// Region of the institution on the document's day.
    pub region: Text,
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
        let header = self.header.as_ref()?;
        let mut document = LiveDocument {
            key,
            header,
            lines: self.lines.iter().map(LiveLine::new).collect(),
            region: Text::default(),
        };
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
        line.codes?.part.reference.product(code.prefix.as_ref()?, self.day())
    }

    /// The newest reference version of its parts.
    pub fn reference_version(&self) -> u64 {
        let of_fee = self.lines.iter().filter_map(|line| line.fee).map(|fee| fee.part.reference.version);
        let of_codes =
            self.lines.iter().filter_map(|line| line.codes).map(|codes| codes.part.reference.version);
        of_fee.chain(of_codes).fold(self.header.part.reference.version, u64::max)
    }

    /// How many codes its lines carry, valid or not.
    pub fn code_count(&self) -> usize {
        self.lines.iter().map(|line| line.scans().len()).sum()
    }

    /// Whether it grew past what is judged: then it makes no observations, and a claim is held as a whole.
    pub fn is_over_limit(&self) -> bool {
        self.lines.len() > LINES_MAX || self.code_count() > CODES_MAX
    }
}

impl<'a> LiveLine<'a> {
    fn new((line_id, parts): (&'a Text, &'a LineParts)) -> Self {
        Self { line_id, fee: parts.fee.as_ref(), codes: parts.codes.as_ref(), claimed: None }
    }

    fn money(&self) -> LineMoney {
        let fee = self.fee_content();
        LineMoney { amount: fee.and_then(|fee| fee.amount), fund_amount: fee.and_then(|fee| fee.fund_amount) }
    }

    /// What the fee facet says.
    pub fn fee_content(&self) -> Option<&'a FeeFacet> {
        self.fee.map(|fee| &fee.part.content)
    }

    /// 医保目录编码, where known.
    pub fn product_code(&self) -> Option<&'a Text> {
        self.fee_content().and_then(|fee| fee.product_code.as_ref())
    }

    /// Quantity, where known.
    pub fn quantity(&self) -> Option<Quantity> {
        self.fee_content().and_then(|fee| fee.quantity)
    }

    /// 拆零, said with the fee or beside the codes; not so where unknown.
    pub fn is_split(&self) -> bool {
        let said_beside_codes = self.codes.is_some_and(|codes| codes.part.content.split);
        said_beside_codes || self.fee_content().is_some_and(|fee| fee.split)
    }

    /// Its distinct codes, valid or not.
    pub fn scans(&self) -> &'a [ScannedCode] {
        self.codes.map(|codes| codes.part.content.scans.as_slice()).unwrap_or_default()
    }

    /// Its distinct valid codes: unit and lot codes.
    pub fn valid_codes(&self) -> impl Iterator<Item = &'a TraceCode> + use<'a> {
        self.scans().iter().filter_map(|scanned| scanned.scan.valid())
    }

    /// The upload behind it: of the codes, else of the fee.
    pub fn origin(&self) -> Option<&'a Origin> {
        self.codes.map(|codes| &codes.origin).or(self.fee.map(|fee| &fee.origin))
    }
}
