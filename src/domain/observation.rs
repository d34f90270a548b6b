//! Observations: one code seen on one line, with all that the rules need to know of the document behind it.

use std::sync::Arc;

use super::Text;
use super::amount::{Money, Quantity};
use super::document::particulars::Surroundings;
use super::document::{DocumentKey, Group, Kind, Origin, Person, ReturnedSale, Role};
use super::reference::Product;
use super::time::{Day, Millis, Timestamp};

/// The identity of an observation within the timeline of its code. The order is that of the rules: institution,
/// group, document, line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationKey {
    /// The document.
    pub document: DocumentKey,
    /// The line.
    pub line_id: Text,
}

/// One code on one live line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which line of which document.
    pub key: ObservationKey,
    /// What the document reports.
    pub kind: Kind,
    /// What that says of the code.
    pub role: Role,
    /// occurred_at of the document.
    pub time: Timestamp,
    /// Whether the document says no more than the day; then `time` stands for it.
    pub is_day: bool,
    /// issued_at of the live codes facet.
    pub codes_issued_at: Timestamp,
    /// 拆零.
    pub split: bool,
    /// Quantity of the line, after adjustments.
    pub quantity: Option<Quantity>,
    /// What it was before them, of a line that they made smaller.
    pub quantity_before: Option<Quantity>,
    /// Units given with the code.
    pub units: Option<Quantity>,
    /// Number of distinct valid codes on the line, at least 1.
    pub codes_on_line: u32,
    /// 医保目录编码 of the line.
    pub product_code: Option<Text>,
    /// Name of the product on the line.
    pub product_name: Option<Text>,
    /// The product record of the code's prefix, valid on the document's day.
    pub product: Option<Product>,
    /// The insured person.
    pub person: Person,
    /// 就医流水号.
    pub visit_id: Option<Text>,
    /// 结算ID.
    pub settlement_id: Option<Text>,
    /// The sale that a return gives back.
    pub returns: Option<ReturnedSale>,
    /// The hand-over that lent the code to this line of a settlement.
    pub lent_from: Option<LentFrom>,
    /// Who and what stood around the line.
    pub surroundings: Option<Arc<Surroundings>>,
    /// Whether the document names a delivery note or an invoice.
    pub has_papers: bool,
    /// Region of the institution on the document's day.
    pub region: Text,
    /// Tier of the institution on the document's day.
    pub tier: Option<Text>,
    /// From this day on the institution uploads what it stocks.
    pub stock_uploaded_since: Option<Day>,
    /// From this day on the institution uploads what it hands over.
    pub dispensing_uploaded_since: Option<Day>,
    /// The fund's amount of the line, for settlements.
    pub fund_amount: Option<Money>,
    /// The document's revision at which this observation was last asserted.
    pub revision: u64,
    /// Reference version that `product` and the institution's facts were taken from.
    pub reference_version: u64,
    /// Where it came from: the upload that carries the codes facet.
    pub origin: Origin,
}

/// The line of a dispensing, at the same institution, that lent a code to a settlement line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LentFrom {
    /// The dispensing document.
    pub document_id: Text,
    /// Its line.
    pub line_id: Text,
}

/// Observations known late count from no later than this after they happened.
pub const KNOWN_LATE_MAX: Millis = Millis::from_days(7);

/// When something that happened at `time` became known by what was issued then: at most 7 days after it happened.
pub fn known_at(time: Timestamp, issued_at: Timestamp) -> Timestamp {
    time.max(issued_at).min(time.plus(KNOWN_LATE_MAX))
}

impl Observation {
    /// When it became known: the later of its time and the issue of its codes, at most 7 days after its time.
    pub fn known_at(&self) -> Timestamp {
        known_at(self.time, self.codes_issued_at)
    }

    /// The calendar day of the document.
    pub fn day(&self) -> Day {
        self.time.day()
    }

    /// Position in the timeline: (time, rank, institution, group, document, line).
    pub fn order(&self) -> (Timestamp, u8, &ObservationKey) {
        (self.time, self.role.rank(), &self.key)
    }

    /// The institution that reported it.
    pub fn institution_id(&self) -> &Text {
        &self.key.document.institution_id
    }

    /// Whether it is the settlement's half of a sale.
    pub fn is_settlement(&self) -> bool {
        self.key.document.group == Group::Settlement
    }

    /// Whether two observations say the same: all but revision, reference version and origin.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let mut other = other.clone();
        other.revision = self.revision;
        other.reference_version = self.reference_version;
        other.origin = self.origin.clone();
        *self == other
    }
}

/// What happened to the document behind a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It states something new.
    Asserted,
    /// Something of it was taken back.
    Retracted,
    /// Time passed.
    Tick,
    /// The same content was judged with newer reference data.
    Reference,
}

/// Why an alert or decision changed: the document that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The document; none when time alone passed.
    pub document: Option<DocumentKey>,
    /// What happened to it.
    pub what: What,
    /// Of a withdrawal: whether its subject was handed over in a sale that was joined with its settlement by that. The
    /// sale is judged by the settlement then, so nothing is explained yet. For the texts; what is found of the
    /// settlement is an alert of its own.
    pub moved_to_settlement: bool,
}

impl Cause {
    /// A document as the cause.
    pub const fn of(document: DocumentKey, what: What) -> Self {
        Self { document: Some(document), what, moved_to_settlement: false }
    }

    /// Time alone.
    pub const TIME: Self = Self { document: None, what: What::Tick, moved_to_settlement: false };
}

/// All that one upload changes of one code: an entry of the `observations` topic. Lines asserted again replace
/// what was known of them, in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChange {
    /// The code in normal form.
    pub code: Text,
    /// The document that changed.
    pub document: DocumentKey,
    /// Its revision after the change.
    pub document_revision: u64,
    /// What happened to it.
    pub what: What,
    /// Of a settlement that changed because of what was offered to it: the dispensing, at the same institution, to which
    /// `what` happened.
    pub lender: Option<Text>,
    /// Lines whose observation of this code is gone.
    pub retracted: Vec<Text>,
    /// Observations that are new or changed.
    pub asserted: Vec<Observation>,
    /// The upload that changed it.
    pub origin: Origin,
}

impl CodeChange {
    /// Why what is said of the code changes: the document to which something happened.
    pub fn cause(&self) -> Cause {
        let document = match &self.lender {
            Some(lender) => DocumentKey::of_lender(&self.document.institution_id, lender),
            None => self.document.clone(),
        };
        Cause::of(document, self.what)
    }
}

/// The moment at which an input is applied, as data: the domain reads no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The watermark: what graces are measured by. None before every source has spoken.
    pub now: Option<Timestamp>,
    /// The greatest wall clock seen; serves the decision deadline only. None in a back-test.
    pub wall: Option<Timestamp>,
    /// What is older is forgotten. None when nothing ever was.
    pub forgotten_before: Option<Timestamp>,
    /// When the input's record was written.
    pub detected_at: Timestamp,
}

impl What {
    /// The name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asserted => "asserted",
            Self::Retracted => "retracted",
            Self::Tick => "tick",
            Self::Reference => "reference",
        }
    }
}
