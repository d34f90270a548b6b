//! Documents as the simulator thinks of them: indices and numbers, no text until the writer writes.

use std::fmt;

use super::dirt::Filed;
use super::{DAY, HOUR, day_of};
use crate::domain::document::{Group, Kind};
use crate::domain::time::Day;

/// The number of a document: `S123`, or `S123-1` when it was sent again under a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) letter: char,
    pub(super) number: u64,
    pub(super) again: u8,
}

impl Name {
    pub(super) const fn new(letter: char, number: u64) -> Self {
        Self { letter, number, again: 0 }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:06}", self.letter, self.number)?;
        if self.again > 0 { write!(f, "-{}", self.again) } else { Ok(()) }
    }
}

/// One pack: a product and a number that no other pack of the product has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pack {
    pub(super) product: u32,
    pub(super) number: u64,
    pub(super) lot: Lot,
    /// The delivery's scan of it was mangled: nobody can prove the purchase.
    pub(super) unrecorded: bool,
    /// A customer brought it back, so that everybody knows where it is.
    pub(super) brought_back: bool,
}

/// The lot of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lot {
    /// Made in a month, counted from 1970; good for three years.
    Month(u16),
    /// The lot of its product that is recalled.
    Recalled(u16),
    /// Expired when it is sold.
    Expired(u16),
}

impl Lot {
    const fn month(self) -> u16 {
        match self {
            Self::Month(month) | Self::Recalled(month) | Self::Expired(month) => month,
        }
    }

    /// The last day of use.
    pub(super) fn expires_on(self) -> Day {
        let shelf_life = if matches!(self, Self::Expired(_)) { -40 } else { 3 * 365 };
        Day::from_days_since_epoch(i32::from(self.month()) * 30 + shelf_life)
    }
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self {
            Self::Month(_) => 'A',
            Self::Recalled(_) => 'R',
            Self::Expired(_) => 'E',
        };
        write!(f, "{letter}{:04}", self.month())
    }
}

/// How a code came out of the scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it should.
    Plain,
    /// GS1 as the raw element string with expiry and lot in between.
    RawElements,
    /// Full-width digits; means the same.
    FullWidth,
    /// Blanks and a symbology mark around it; means the same.
    Marked,
    /// The last digit is missing.
    Truncated,
    /// Scanned twice into one field.
    Doubled,
    /// One digit too many.
    Overlong,
    /// The product's 69… barcode instead.
    Barcode69,
    /// Twenty times one digit, by somebody who must write something.
    Placeholder,
}

impl Form {
    /// The forms that no family of codes accepts.
    pub(super) const MANGLED: [Self; 4] = [Self::Truncated, Self::Doubled, Self::Overlong, Self::Barcode69];
}

/// One code on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) product: u32,
    pub(super) number: u64,
    pub(super) form: Form,
}

impl Scan {
    pub(super) const fn of(pack: &Pack) -> Self {
        Self { product: pack.product, number: pack.number, form: Form::Plain }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The product it says it is.
    pub(super) product: u32,
    pub(super) quantity: u32,
    pub(super) split: bool,
    pub(super) amount_fen: i64,
    pub(super) lot: Lot,
    pub(super) scans: Vec<Scan>,
}

/// Where delivered packs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Supplier {
    pub(super) index: u32,
    /// With delivery note and invoice.
    pub(super) papers: bool,
}

/// What a document reports.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Full(Full),
    /// Takes back a document of the same institution, or one line of it.
    Reversal {
        group: Group,
        target: Name,
        line: Option<usize>,
        /// The settlement's number, when it takes one back.
        settlement: u64,
    },
    /// Takes so much off the first line of a claim.
    Refund {
        /// What comes off.
        line: Line,
        /// The number of the claim's visit.
        visit: u64,
    },
}

/// Which parts of a document an upload carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// Everything.
    Whole,
    /// The fee facets of the lines, ahead of the rest.
    Fees,
    /// The header and the codes of the lines.
    Codes,
}

/// A document with header and lines.
#[derive(Clone, Debug)]
pub(super) struct Full {
    pub(super) kind: Kind,
    pub(super) portion: Portion,
    pub(super) occurred_at: i64,
    pub(super) person: Option<u32>,
    /// The number shared by visit and settlement, when the document names them.
    pub(super) visit: Option<u64>,
    pub(super) settlement: Option<u64>,
    pub(super) supplier: Option<Supplier>,
    pub(super) returns: Option<Name>,
    /// The number of the visit is the sender's own.
    pub(super) own_number: bool,
    /// It tells the day on which it occurred, and no time.
    pub(super) by_day: bool,
    /// A claim whose codes are not written: they stand in the hand-over, if anywhere.
    pub(super) bare: bool,
    /// The hand-over whose codes it borrows.
    pub(super) lender: Option<Box<Filed>>,
    pub(super) lines: Vec<Line>,
}

impl Full {
    pub(super) fn new(kind: Kind, occurred_at: i64, lines: Vec<Line>) -> Self {
        Self {
            kind,
            portion: Portion::Whole,
            occurred_at,
            person: None,
            visit: None,
            settlement: None,
            supplier: None,
            returns: None,
            own_number: false,
            by_day: false,
            bare: false,
            lender: None,
            lines,
        }
    }

    /// The number of the visit as the sender writes it.
    pub(super) fn visit_number(&self) -> Option<String> {
        self.visit.map(|visit| visit_number(visit, self.own_number))
    }

    /// When it counts as having occurred: what is brought back within a day, just before that ends.
    pub(super) fn moment(&self) -> i64 {
        if !self.by_day {
            return self.occurred_at;
        }
        let next_midnight = (i64::from(day_of(self.occurred_at).days_since_epoch()) + 1) * DAY - 8 * HOUR;
        next_midnight - 2
    }
}

/// A visit's number, of which senders of their own numbers make another one.
pub(super) fn visit_number(visit: u64, is_own: bool) -> String {
    if is_own { format!("ZY{visit:08}") } else { format!("V{visit}") }
}

/// What may befall a document on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handling {
    /// Anything: other documents or the truth do not depend on its number and stamp.
    Free,
    /// Anything but a second document of the same: the truth counts it, under the number that it ends with.
    Counted,
    /// It may come late or twice, nothing else.
    Careful,
}

/// One upload before it is written.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) name: Name,
    pub(super) institution: u32,
    pub(super) issued_at: i64,
    pub(super) body: Body,
}

impl Document {
    pub(super) fn group(&self) -> Group {
        match &self.body {
            Body::Full(full) => full.kind.group(),
            Body::Reversal { group, .. } => *group,
            Body::Refund { .. } => Group::Settlement,
        }
    }

    /// The number of its settlement; 0 when it names none.
    pub(super) fn settlement(&self) -> u64 {
        match &self.body {
            Body::Full(full) => full.settlement.unwrap_or_default(),
            Body::Reversal { settlement, .. } => *settlement,
            Body::Refund { .. } => 0,
        }
    }
}
