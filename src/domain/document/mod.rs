//! Documents: what one upload says, and the parts that it is made of.
//!
//! A document is identified by [`DocumentKey`] and consists of a header and lines; a line has two facets, *fee*
//! and *codes*. An upload is a [`Version`] of some of these parts or a [`Reversal`] of them, stamped `issued_at`
//! by its sender. [`merge`] keeps what counts of all uploads, [`live`] is the view of it, [`lending`] what the hand-over
//! adds to a settlement, [`observe`] what it says of codes.

pub mod adjust;
pub mod canonical_text;
pub mod lending;
pub mod live;
pub mod merge;
pub mod observe;
pub mod occurred;
pub mod particulars;
pub mod room;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use self::occurred::OccurredAt;
use self::particulars::{Circumstances, Prescription};
use super::Text;
use super::amount::{Money, Quantity};
use super::handling::Handling;
use super::reference::Slice;
use super::time::{Day, Timestamp};
use super::trace_code::Scan;

/// The three kinds of streams a document can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// 进销存: what is stocked.
    Procurement,
    /// 销售: what is handed over.
    Dispensing,
    /// 结算: what the fund is asked to pay.
    Settlement,
}

/// What a document reports. The kind decides the group and the role of its observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 采购入库.
    PurchaseIn,
    /// 调拨入库.
    TransferIn,
    /// 赠药入库.
    GiftIn,
    /// 盘盈.
    GainIn,
    /// 其他入库.
    OtherIn,
    /// 采购退货出库.
    PurchaseReturn,
    /// 调拨出库.
    TransferOut,
    /// 赠药退回出库.
    GiftReturn,
    /// 盘亏.
    LossOut,
    /// 销毁.
    Destroyed,
    /// 其他出库.
    OtherOut,
    /// 盘存: evidence only, no observations.
    Stocktake,
    /// 销售.
    Dispense,
    /// 销售退货.
    DispenseReturn,
    /// 结算.
    Settlement,
}

/// What an observation says of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The code came into stock.
    StockIn,
    /// The code was handed over.
    Dispensing,
    /// The fund was asked to pay for it.
    Settlement,
    /// The code was given back by a customer.
    Return,
    /// The code left the stock otherwise than by a sale.
    StockOut,
}

/// The identity of a document, or of an alias of documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey {
    /// 定点医药机构编号, 12 characters.
    pub institution_id: Text,
    /// The stream it belongs to.
    pub group: Group,
    /// The sender's number of the document, or an alias.
    pub document_id: Text,
}

impl DocumentKey {
    /// A dispensing that lends to a settlement, which is at the same institution.
    pub fn of_lender(institution_id: &Text, document_id: &Text) -> Self {
        Self {
            institution_id: institution_id.clone(),
            group: Group::Dispensing,
            document_id: document_id.clone(),
        }
    }
}

/// A keyed pseudonym of a person: HMAC-SHA-256 cut to 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym {
    /// Which key made it. Pseudonyms of different keys compare as absent.
    pub key_id: u32,
    /// The first 16 bytes of the HMAC.
    pub digest: [u8; 16],
}

impl fmt::Display for Pseudonym {
    /// As it stands in alerts and canonical texts: the key's id and the digest in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.key_id)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A person as known to one document: up to two pseudonyms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// Of the person number (`person_id`, psn_no).
    pub number: Option<Pseudonym>,
    /// Of the certificate (`person_cert`, certno).
    pub certificate: Option<Pseudonym>,
}

/// The other side of a stock movement.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counterparty {
    /// 供应商名称.
    pub name: Option<Text>,
    /// 供应商许可证号.
    pub license: Option<Text>,
    /// 随货同行单.
    pub delivery_note: Option<Text>,
    /// 发票号.
    pub invoice: Option<Text>,
}

/// The sale that a return gives back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReturnedSale {
    /// The dispensing or settlement document of that sale, at the same institution.
    pub document_id: Text,
    /// Its line, when one is named.
    pub line_id: Option<Text>,
}

/// The header: one part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the document reports.
    pub kind: Kind,
    /// When that happened.
    pub occurred_at: OccurredAt,
    /// The insured person.
    pub person: Person,
    /// 就医流水号.
    pub visit_id: Option<Text>,
    /// 结算ID.
    pub settlement_id: Option<Text>,
    /// The operator or pharmacist.
    pub operator_id: Option<Text>,
    /// What the fund pays for the whole document.
    pub fund_amount: Option<Money>,
    /// The other side of a stock movement.
    pub counterparty: Counterparty,
    /// The sale that a return gives back.
    pub returns: Option<ReturnedSale>,
    /// What else it says of the visit.
    pub circumstances: Circumstances,
}

/// The fee facet of a line: one part of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeeFacet {
    /// 医保目录编码.
    pub product_code: Option<Text>,
    /// Name as the sender writes it.
    pub product_name: Option<Text>,
    /// How many pricing units.
    pub quantity: Option<Quantity>,
    /// 拆零: sold by the unit out of a pack.
    pub split: bool,
    /// Amount of the line.
    pub amount: Option<Money>,
    /// The fund's part of it.
    pub fund_amount: Option<Money>,
    /// 生产批号.
    pub lot: Option<Text>,
    /// 有效期至.
    pub expires_on: Option<Day>,
    /// Which line of the document was sold by so much less: then it is an adjustment, and no line otherwise.
    pub adjusts: Option<Adjusts>,
    /// What it says of the prescription.
    pub prescription: Prescription,
}

/// What an adjustment is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Adjusts {
    /// That line.
    Line(Text),
    /// Lines of the same product: the sender does not say which.
    SameProduct,
}

/// The codes facet of a line: one part of a document. Equal codes are one, their given units add up; in the
/// order of their text.
///
/// The national interface reports 拆零 beside the codes of a settlement, where the fee facet is another message's: said
/// there it belongs to this part, and the line is split when either facet says so. Canonical uploads say it in the
/// fee facet only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodesFacet {
    /// Distinct scans.
    pub scans: Vec<ScannedCode>,
    /// 拆零, where it was said beside the codes.
    pub split: bool,
}

/// One code on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedCode {
    /// What the scan turned out to be.
    pub scan: Scan,
    /// Units taken out of the pack, when said.
    pub units: Option<Quantity>,
}

/// A part of a document with the reference data that it is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// What the upload says.
    pub content: T,
    /// All dated reference records of the keys that the content names. Empty until intake attaches them.
    pub reference: Slice,
}

/// What one upload says of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineVersion {
    /// The line's identity within the document.
    pub line_id: Text,
    /// Its fee facet, when the upload carries it.
    pub fee: Option<Part<FeeFacet>>,
    /// Its codes facet, when the upload carries it.
    pub codes: Option<Part<CodesFacet>>,
}

/// Where a fact came from and when. Carried for evidence; never compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The input topic, or the file's name in a replay.
    pub topic: Text,
    /// Its partition.
    pub partition: i32,
    /// The record's offset, or the line number in a replay.
    pub offset: i64,
    /// When the record was received by the broker.
    pub received_at: Timestamp,
}

/// An upload that states parts of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The document.
    pub key: DocumentKey,
    /// When its sender issued it.
    pub issued_at: Timestamp,
    /// A full upload replaces what was stamped earlier; else it only adds or replaces the parts it carries.
    pub full: bool,
    /// The header, when carried; a full upload always does.
    pub header: Option<Part<Header>>,
    /// The lines carried, each `line_id` once.
    pub lines: Vec<LineVersion>,
    /// Where it came from.
    pub origin: Origin,
}

/// Which parts of a document a reversal takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parts {
    /// The header.
    pub header: bool,
    /// Fee facets.
    pub fee: bool,
    /// Codes facets.
    pub codes: bool,
}

/// An upload that takes back parts of a document stamped no later than itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The document, or an alias of documents.
    pub target: DocumentKey,
    /// Whether the target is an alias; they have a key space of their own.
    pub of_alias: bool,
    /// Only this line; else the whole document.
    pub line_id: Option<Text>,
    /// What is taken back.
    pub parts: Parts,
    /// When its sender issued it.
    pub issued_at: Timestamp,
    /// Where it came from.
    pub origin: Origin,
}

/// One upload after intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It states parts.
    Version(Box<Version>),
    /// It takes parts back.
    Reversal(Reversal),
    /// It says what people did about a claim.
    Handling(Box<Handling>),
}

impl Adjusts {
    /// How uploads write [`Adjusts::SameProduct`].
    pub const SAME_PRODUCT: &str = "*";

    /// What a text of an upload says.
    pub fn from_text(text: Text) -> Self {
        if &*text == Self::SAME_PRODUCT { Self::SameProduct } else { Self::Line(text) }
    }

    /// The text of uploads.
    pub fn text(&self) -> Text {
        match self {
            Self::Line(line_id) => line_id.clone(),
            Self::SameProduct => Self::SAME_PRODUCT.into(),
        }
    }
}

impl Header {
    /// The moment by which the document is ordered.
    pub fn moment(&self) -> Timestamp {
        self.occurred_at.moment(self.kind)
    }
}

impl<T> Part<T> {
    /// A part to which no reference data is attached yet.
    pub fn bare(content: T) -> Self {
        Self { content, reference: Slice::default() }
    }
}

impl CodesFacet {
    /// Merges scans into a facet: equal ones are one, their given units add up.
    pub fn collect(scans: impl IntoIterator<Item = (Scan, Option<Quantity>)>) -> Self {
        let mut distinct: BTreeMap<(Text, Scan), Option<Quantity>> = BTreeMap::new();
        for (scan, units) in scans {
            let known = distinct.entry((scan.text().clone(), scan)).or_default();
            *known = match (*known, units) {
                (Some(known), Some(units)) => Some(known.saturating_add(units)),
                (known, units) => known.or(units),
            };
        }
        let scans = distinct.into_iter().map(|((_, scan), units)| ScannedCode { scan, units });
        Self { scans: scans.collect(), split: false }
    }
}

impl Parts {
    /// Everything: what a reversal in the canonical form takes back.
    pub const ALL: Self = Self { header: true, fee: true, codes: true };
    /// The fee facets only.
    pub const FEE: Self = Self { header: false, fee: true, codes: false };
    /// The header and the codes facets; the fee lines stay.
    pub const HEADER_AND_CODES: Self = Self { header: true, fee: false, codes: true };
}

impl Group {
    /// All groups.
    pub const ALL: [Self; 3] = [Self::Procurement, Self::Dispensing, Self::Settlement];

    /// The name in documents, and of the input topic.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Procurement => "procurement",
            Self::Dispensing => "dispensing",
            Self::Settlement => "settlement",
        }
    }

    /// The group of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::PurchaseIn,
        Self::TransferIn,
        Self::GiftIn,
        Self::GainIn,
        Self::OtherIn,
        Self::PurchaseReturn,
        Self::TransferOut,
        Self::GiftReturn,
        Self::LossOut,
        Self::Destroyed,
        Self::OtherOut,
        Self::Stocktake,
        Self::Dispense,
        Self::DispenseReturn,
        Self::Settlement,
    ];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PurchaseIn => "purchase_in",
            Self::TransferIn => "transfer_in",
            Self::GiftIn => "gift_in",
            Self::GainIn => "gain_in",
            Self::OtherIn => "other_in",
            Self::PurchaseReturn => "purchase_return",
            Self::TransferOut => "transfer_out",
            Self::GiftReturn => "gift_return",
            Self::LossOut => "loss_out",
            Self::Destroyed => "destroyed",
            Self::OtherOut => "other_out",
            Self::Stocktake => "stocktake",
            Self::Dispense => "dispense",
            Self::DispenseReturn => "dispense_return",
            Self::Settlement => "settlement",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The stream it belongs to.
    pub const fn group(self) -> Group {
        match self {
            Self::Dispense | Self::DispenseReturn => Group::Dispensing,
            Self::Settlement => Group::Settlement,
            _ => Group::Procurement,
        }
    }

    /// The role of its observations; a stocktake makes none.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::PurchaseIn | Self::TransferIn | Self::GiftIn | Self::GainIn | Self::OtherIn => {
                Some(Role::StockIn)
            }
            Self::PurchaseReturn
            | Self::TransferOut
            | Self::GiftReturn
            | Self::LossOut
            | Self::Destroyed
            | Self::OtherOut => Some(Role::StockOut),
            Self::Stocktake => None,
            Self::Dispense => Some(Role::Dispensing),
            Self::DispenseReturn => Some(Role::Return),
            Self::Settlement => Some(Role::Settlement),
        }
    }
}

impl Role {
    /// The name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StockIn => "stock_in",
            Self::Dispensing => "dispensing",
            Self::Settlement => "settlement",
            Self::Return => "return",
            Self::StockOut => "stock_out",
        }
    }

    /// The rank among observations of the same moment; it is the order of declaration.
    pub const fn rank(self) -> u8 {
        self as u8
    }
}

/// Whether two persons are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The pseudonyms that both have are equal.
    Same,
    /// They differ.
    Different,
    /// The two have no kind of pseudonym in common.
    Unknown,
}

impl Person {
    /// Compares by the numbers if both have one, else by the certificates if both have one.
    pub fn compare(&self, other: &Self) -> Identity {
        for (mine, theirs) in [(self.number, other.number), (self.certificate, other.certificate)] {
            if let (Some(mine), Some(theirs)) = (mine, theirs)
                && mine.key_id == theirs.key_id
            {
                return if mine.digest == theirs.digest { Identity::Same } else { Identity::Different };
            }
        }
        Identity::Unknown
    }

    /// Whether there is any pseudonym.
    pub const fn is_known(&self) -> bool {
        self.number.is_some() || self.certificate.is_some()
    }
}

impl Upload {
    /// The document, or alias, at whose partition the upload is handled.
    pub fn key(&self) -> &DocumentKey {
        match self {
            Self::Version(version) => &version.key,
            Self::Reversal(reversal) => &reversal.target,
            Self::Handling(handling) => &handling.claim,
        }
    }

    /// When its sender issued it.
    pub fn issued_at(&self) -> Timestamp {
        match self {
            Self::Version(version) => version.issued_at,
            Self::Reversal(reversal) => reversal.issued_at,
            Self::Handling(handling) => handling.issued_at,
        }
    }

    /// Sets the time of receipt to that of issue, for uploads read from a file, which nobody stamped.
    pub fn receive_when_issued(&mut self) {
        match self {
            Self::Version(version) => version.origin.received_at = version.issued_at,
            Self::Reversal(reversal) => reversal.origin.received_at = reversal.issued_at,
            Self::Handling(handling) => handling.origin.received_at = handling.issued_at,
        }
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Version(version) => &version.origin,
            Self::Reversal(reversal) => &reversal.origin,
            Self::Handling(handling) => &handling.origin,
        }
    }
}
