//! The live parts of one document, as the least summary of all its uploads that later uploads can be merged into.
//!
//! Uploads come in any order, more than once, and reversals before what they reverse. Kept is therefore, and nothing
//! else: the newest full stamp, the greatest version of each part, and the greatest reversal of each class of parts,
//! for the whole document and for single lines. Each is a maximum, so merging is commutative, associative and
//! idempotent.
//!
//! Parts that are dead are dropped. That loses nothing: the conditions under which a part is dead (stamped earlier than
//! the newest full upload, or no later than a reversal) compare its stamp with stamps that only grow, so it stays
//! dead, and whatever it was the greatest of is no greater and dead as well. A reversal of a line no later than
//! one of the whole document adds nothing and is dropped likewise. One of a line that is older than the newest full
//! stamp is kept: under an alias, it may have to be told to documents whose full uploads are older.
//!
//! A dropped part that comes again counts as superseded, not as duplicate.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::canonical_text::Canonical;
use super::{
    CodesFacet, DocumentKey, FeeFacet, Header, LineVersion, Origin, Part, Parts, Reversal, Upload, Version,
};
use crate::domain::Text;
use crate::domain::outcome::UploadOutcome;
use crate::domain::time::Timestamp;

/// One version of one part, with its stamp and the upload that carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped<T> {
    /// When its sender issued it.
    pub issued_at: Timestamp,
    /// What it says, with its reference data.
    pub part: Part<T>,
    /// The upload that carried it.
    pub origin: Origin,
}

/// The live parts of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineParts {
    /// Product, quantity, amounts.
    pub fee: Option<Arc<Stamped<FeeFacet>>>,
    /// Trace codes.
    pub codes: Option<Arc<Stamped<CodesFacet>>>,
}

/// The greatest reversal of one class of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalStamp {
    /// Parts stamped no later than this are taken back.
    pub issued_at: Timestamp,
    /// The upload that said so.
    pub origin: Origin,
}

/// The greatest reversal of each class of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reversed {
    /// Of the header; never set for a single line.
    pub header: Option<ReversalStamp>,
    /// Of fee facets.
    pub fee: Option<ReversalStamp>,
    /// Of codes facets.
    pub codes: Option<ReversalStamp>,
}

/// All that is known of one document and can still matter. Every map is in the order of line ids as bytes. Parts are
/// shared: a document is compared with what it was before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Stamp of the newest full upload.
    pub full: Option<Timestamp>,
    /// The live header.
    pub header: Option<Arc<Stamped<Header>>>,
    /// The live parts of lines; no line is without any.
    pub lines: BTreeMap<Text, LineParts>,
    /// Reversals of the whole document.
    pub reversed: Reversed,
    /// Reversals of single lines, where they are later than those of the whole document.
    pub reversed_lines: BTreeMap<Text, Reversed>,
    /// When header versions were issued that the live one superseded and that no reversal took back; ascending. It says
    /// nothing of the document but whether it came late. Of more than [`EARLIER_HEADERS_MAX`] the first are kept.
    pub earlier_headers: Vec<Timestamp>,
}

/// Most superseded versions of a header of which the issue is remembered.
pub const EARLIER_HEADERS_MAX: usize = 16;

/// What an upload changed in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing: the state is as before.
    Nothing,
    /// When it was first reported.
    Issue,
    /// The same content, with newer reference data.
    Reference,
    /// Content.
    Content,
}

/// What merging one upload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// How the upload is counted.
    pub outcome: UploadOutcome,
    /// What it changed.
    pub change: Change,
    /// Whether a part and a reversal of it bear the same stamp. The national interface stamps whole seconds: a new
    /// upload within the second of a cancellation ends cancelled, whatever its sender meant, so such pairs are
    /// counted. An upload that is sent again meets the reversal again.
    pub meets_reversal: bool,
}

/// What offering one part, or stamp, did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    Newer,
    SameButNewerReference,
    Same,
    Older,
}

impl Offer {
    /// Whether it takes the place of what was known.
    fn is_taken(self) -> bool {
        matches!(self, Self::Newer | Self::SameButNewerReference)
    }
}

/// Sums up the offers of one upload.
#[derive(Default)]
struct Tally {
    newer: bool,
    reference: bool,
    older: bool,
    meets_reversal: bool,
}

impl Tally {
    fn count(&mut self, offer: Offer) {
        match offer {
            Offer::Newer => self.newer = true,
            Offer::SameButNewerReference => self.reference = true,
            Offer::Same => {}
            Offer::Older => self.older = true,
        }
    }

    fn merged(&self, stamp_moved: bool, issue_moved: bool) -> Merged {
        let outcome = match (self.newer, self.older) {
            (true, _) => UploadOutcome::Accepted,
            (false, true) => UploadOutcome::Superseded,
            (false, false) => UploadOutcome::Duplicate,
        };
        let change = match (self.newer || stamp_moved, self.reference) {
            (true, _) => Change::Content,
            (false, true) => Change::Reference,
            (false, false) if issue_moved => Change::Issue,
            (false, false) => Change::Nothing,
        };
        Merged { outcome, change, meets_reversal: self.meets_reversal }
    }
}

impl<T: Clone> Stamped<T> {
    fn of(part: &Part<T>, version: &Version) -> Self {
        Self { issued_at: version.issued_at, part: part.clone(), origin: version.origin.clone() }
    }
}

impl Document {
    /// What merging an upload that states parts would do. Most that comes is known already: that is found out by looking,
    /// before anything is copied or changed.
    pub fn weigh(&self, version: &Version) -> Merged {
        let mut tally = Tally::default();
        let mut issue_is_new = false;
        let full_is_newer = self.is_outdated_by(version);
        if full_is_newer {
            let lines_are_dead =
                self.is_fee_dead(None, version.issued_at) && self.is_codes_dead(None, version.issued_at);
            tally.count(if lines_are_dead { Offer::Older } else { Offer::Newer });
        }
        if let Some(header) = &version.header {
            tally.meets_reversal |= bears(self.reversed.header.as_ref(), version.issued_at);
            tally.count(self.weigh_header(header, version.issued_at));
            issue_is_new = self.earlier_issue(version.issued_at).is_some();
        }
        for line in &version.lines {
            self.weigh_line(line, version.issued_at, &mut tally);
        }
        tally.merged(full_is_newer, issue_is_new)
    }

    /// When the header version was issued that another one issued then supersedes, or that it is superseded by, where this is
    /// not known.
    fn earlier_issue(&self, issued_at: Timestamp) -> Option<Timestamp> {
        let live_since = self.header.as_ref()?.issued_at;
        let is_dead = is_reversed(issued_at, self.reversed.header.as_ref());
        let earlier = live_since.min(issued_at);
        let place = self.earlier_headers.binary_search(&earlier).err()?;
        (!is_dead && live_since != issued_at && place < EARLIER_HEADERS_MAX).then_some(earlier)
    }

    fn note_issue(&mut self, earlier: Timestamp) {
        let place = self.earlier_headers.partition_point(|known| *known < earlier);
        self.earlier_headers.insert(place, earlier);
        self.earlier_headers.truncate(EARLIER_HEADERS_MAX);
    }

    /// When the first header version was issued that no reversal took back.
    pub fn first_issued_at(&self) -> Option<Timestamp> {
        let live = self.header.as_ref().map(|header| header.issued_at);
        self.earlier_headers.first().copied().or(live)
    }

    fn weigh_header(&self, header: &Part<Header>, issued_at: Timestamp) -> Offer {
        let dead = is_reversed(issued_at, self.reversed.header.as_ref());
        weigh(self.header.as_deref(), header, issued_at, dead)
    }

    fn weigh_line(&self, line: &LineVersion, issued_at: Timestamp, tally: &mut Tally) {
        let of_line = self.reversed_lines.get(&line.line_id);
        let meets = |class: fn(&Reversed) -> Option<&ReversalStamp>| {
            bears(class(&self.reversed), issued_at) || bears(of_line.and_then(class), issued_at)
        };
        tally.meets_reversal |= line.fee.is_some() && meets(|reversed| reversed.fee.as_ref())
            || line.codes.is_some() && meets(|reversed| reversed.codes.as_ref());
        let known = self.lines.get(&line.line_id);
        if let Some(fee) = &line.fee {
            let dead = self.is_fee_dead(Some(&line.line_id), issued_at);
            tally.count(weigh(known.and_then(|known| known.fee.as_deref()), fee, issued_at, dead));
        }
        if let Some(codes) = &line.codes {
            let dead = self.is_codes_dead(Some(&line.line_id), issued_at);
            tally.count(weigh(known.and_then(|known| known.codes.as_deref()), codes, issued_at, dead));
        }
    }

    /// Merges an upload that states parts.
    pub fn merge(&mut self, version: &Version) -> Merged {
        let merged = self.weigh(version);
        if merged.change == Change::Nothing {
            return merged;
        }
        let full_is_newer = self.is_outdated_by(version);
        if full_is_newer {
            self.full = Some(version.issued_at);
        }
        if let Some(header) = &version.header {
            if let Some(earlier) = self.earlier_issue(version.issued_at) {
                self.note_issue(earlier);
            }
            if self.weigh_header(header, version.issued_at).is_taken() {
                self.header = Some(Arc::new(Stamped::of(header, version)));
            }
        }
        for line in &version.lines {
            self.merge_line(line, version);
        }
        if full_is_newer {
            self.drop_dead_lines();
        }
        merged
    }

    fn merge_line(&mut self, line: &LineVersion, version: &Version) {
        let fee_is_dead = self.is_fee_dead(Some(&line.line_id), version.issued_at);
        let codes_are_dead = self.is_codes_dead(Some(&line.line_id), version.issued_at);
        let (fee, codes) =
            (line.fee.as_ref().filter(|_| !fee_is_dead), line.codes.as_ref().filter(|_| !codes_are_dead));
        if fee.is_none() && codes.is_none() {
            return;
        }
        let parts = self.lines.entry(line.line_id.clone()).or_default();
        if let Some(fee) = fee {
            offer(&mut parts.fee, fee, version);
        }
        if let Some(codes) = codes {
            offer(&mut parts.codes, codes, version);
        }
    }

    /// Takes an upload. What people did about a claim is no part of it and is kept elsewhere.
    pub fn take(&mut self, upload: &Upload) {
        match upload {
            Upload::Version(version) => {
                self.merge(version);
            }
            Upload::Reversal(reversal) => {
                self.reverse(reversal);
            }
            Upload::Handling(_) => {}
        }
    }

    /// Whether the upload is a full one, newer than any known.
    pub(super) fn is_outdated_by(&self, version: &Version) -> bool {
        version.full && self.full < Some(version.issued_at)
    }

    /// What merging a reversal would do.
    pub fn weigh_reversal(&self, reversal: &Reversal) -> Merged {
        self.raised_by(reversal).1
    }

    /// The reversals of what it takes back, raised by it, and what that does.
    fn raised_by(&self, reversal: &Reversal) -> (Reversed, Merged) {
        let mut tally = Tally { meets_reversal: self.has_part_of_its_moment(reversal), ..Tally::default() };
        let raised = match &reversal.line_id {
            None => {
                let mut whole = self.reversed.clone();
                whole.raise(reversal.parts, reversal, &mut tally);
                whole
            }
            Some(line_id) => {
                let known = self.reversed_lines.get(line_id).cloned().unwrap_or_default();
                let mut of_line = known.or_later(&self.reversed);
                of_line.raise(Parts { header: false, ..reversal.parts }, reversal, &mut tally);
                of_line
            }
        };
        (raised, tally.merged(false, false))
    }

    /// Merges a reversal, whether or not its target was seen. The target's identity is not compared: under an alias,
    /// this is where reversals wait for documents.
    pub fn reverse(&mut self, reversal: &Reversal) -> Merged {
        let (raised, merged) = self.raised_by(reversal);
        if merged.change == Change::Nothing {
            return merged;
        }
        match &reversal.line_id {
            None => self.reversed = raised,
            Some(line_id) => {
                self.reversed_lines.insert(line_id.clone(), raised);
            }
        }
        self.drop_reversals_told_by_the_whole();
        self.drop_dead_lines();
        if self
            .header
            .as_ref()
            .is_some_and(|header| is_reversed(header.issued_at, self.reversed.header.as_ref()))
        {
            self.header = None;
        }
        let taken_back = self.reversed.header.as_ref();
        self.earlier_headers.retain(|issued_at| !is_reversed(*issued_at, taken_back));
        merged
    }

    /// The reversals kept, addressed to `target`: what a document that turns up behind an alias has to be told.
    pub fn reversals(&self, target: &DocumentKey) -> Vec<Reversal> {
        let of_lines = self.reversed_lines.iter().map(|(line_id, reversed)| (Some(line_id), reversed));
        let scopes = std::iter::once((None, &self.reversed)).chain(of_lines);
        scopes.flat_map(|(line_id, reversed)| reversed.as_reversals(target, line_id)).collect()
    }

    /// Whether the reversal takes back a live part that bears its own stamp.
    fn has_part_of_its_moment(&self, reversal: &Reversal) -> bool {
        let Parts { header, fee, codes } = reversal.parts;
        let at = |issued_at: Option<Timestamp>| issued_at == Some(reversal.issued_at);
        let of_line = |parts: &LineParts| {
            fee && at(parts.fee.as_ref().map(|fee| fee.issued_at))
                || codes && at(parts.codes.as_ref().map(|codes| codes.issued_at))
        };
        match &reversal.line_id {
            Some(line_id) => self.lines.get(line_id).is_some_and(of_line),
            None => {
                header && at(self.header.as_ref().map(|header| header.issued_at))
                    || self.lines.values().any(of_line)
            }
        }
    }

    fn is_fee_dead(&self, line_id: Option<&Text>, issued_at: Timestamp) -> bool {
        let of_line = line_id.and_then(|line_id| self.reversed_lines.get(line_id));
        Some(issued_at) < self.full
            || is_reversed(issued_at, self.reversed.fee.as_ref())
            || is_reversed(issued_at, of_line.and_then(|reversed| reversed.fee.as_ref()))
    }

    fn is_codes_dead(&self, line_id: Option<&Text>, issued_at: Timestamp) -> bool {
        let of_line = line_id.and_then(|line_id| self.reversed_lines.get(line_id));
        Some(issued_at) < self.full
            || is_reversed(issued_at, self.reversed.codes.as_ref())
            || is_reversed(issued_at, of_line.and_then(|reversed| reversed.codes.as_ref()))
    }

    fn drop_dead_lines(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|line_id, parts| {
            if parts.fee.as_ref().is_some_and(|fee| self.is_fee_dead(Some(line_id), fee.issued_at)) {
                parts.fee = None;
            }
            if parts.codes.as_ref().is_some_and(|codes| self.is_codes_dead(Some(line_id), codes.issued_at)) {
                parts.codes = None;
            }
            parts.fee.is_some() || parts.codes.is_some()
        });
        self.lines = lines;
    }

    fn drop_reversals_told_by_the_whole(&mut self) {
        let whole = &self.reversed;
        let is_told =
            |of_line: &Option<ReversalStamp>, of_whole: &Option<ReversalStamp>| match (of_line, of_whole) {
                (Some(line), Some(whole)) => line.issued_at <= whole.issued_at,
                _ => of_line.is_none(),
            };
        self.reversed_lines.retain(|_, reversed| {
            if is_told(&reversed.fee, &whole.fee) {
                reversed.fee = None;
            }
            if is_told(&reversed.codes, &whole.codes) {
                reversed.codes = None;
            }
            reversed.fee.is_some() || reversed.codes.is_some()
        });
    }
}

impl Reversed {
    /// Raises each of the named classes by the reversal.
    fn raise(&mut self, Parts { header, fee, codes }: Parts, reversal: &Reversal, tally: &mut Tally) {
        for (named, known) in [(header, &mut self.header), (fee, &mut self.fee), (codes, &mut self.codes)] {
            if !named {
                continue;
            }
            tally.count(match known {
                Some(known) if known.issued_at == reversal.issued_at => Offer::Same,
                Some(known) if known.issued_at > reversal.issued_at => Offer::Older,
                _ => {
                    *known = Some(ReversalStamp {
                        issued_at: reversal.issued_at,
                        origin: reversal.origin.clone(),
                    });
                    Offer::Newer
                }
            });
        }
    }

    /// What holds for a line: its own reversals or, where later, those of the whole document.
    fn or_later(self, whole: &Self) -> Self {
        let later = |mine: Option<ReversalStamp>, whole: &Option<ReversalStamp>| match (mine, whole) {
            (Some(mine), Some(whole)) if whole.issued_at >= mine.issued_at => Some(whole.clone()),
            (None, whole) => whole.clone(),
            (mine, _) => mine,
        };
        Self { header: None, fee: later(self.fee, &whole.fee), codes: later(self.codes, &whole.codes) }
    }

    /// As reversals, one for all classes with the same stamp and origin.
    fn as_reversals(&self, target: &DocumentKey, line_id: Option<&Text>) -> Vec<Reversal> {
        const NO_PARTS: Parts = Parts { header: false, fee: false, codes: false };
        let classes = [
            (&self.header, Parts { header: true, ..NO_PARTS }),
            (&self.fee, Parts { fee: true, ..NO_PARTS }),
            (&self.codes, Parts { codes: true, ..NO_PARTS }),
        ];
        let mut reversals: Vec<Reversal> = Vec::new();
        for (stamp, parts) in classes {
            let Some(ReversalStamp { issued_at, origin }) = stamp else {
                continue;
            };
            let same = |known: &&mut Reversal| known.issued_at == *issued_at && known.origin == *origin;
            match reversals.iter_mut().find(same) {
                Some(known) => {
                    known.parts.fee |= parts.fee;
                    known.parts.codes |= parts.codes;
                }
                None => reversals.push(Reversal {
                    target: target.clone(),
                    of_alias: false,
                    line_id: line_id.cloned(),
                    parts,
                    issued_at: *issued_at,
                    origin: origin.clone(),
                }),
            }
        }
        reversals
    }
}

/// Whether the reversal bears this very stamp.
fn bears(reversal: Option<&ReversalStamp>, issued_at: Timestamp) -> bool {
    reversal.is_some_and(|reversal| reversal.issued_at == issued_at)
}

fn is_reversed(issued_at: Timestamp, reversal: Option<&ReversalStamp>) -> bool {
    reversal.is_some_and(|reversal| issued_at <= reversal.issued_at)
}

/// Weighs one version of a part: the greatest (stamp, canonical text, reference version) counts.
fn weigh<T>(known: Option<&Stamped<T>>, part: &Part<T>, issued_at: Timestamp, dead: bool) -> Offer
where
    T: Canonical + PartialEq,
{
    if dead {
        return Offer::Older;
    }
    let Some(known) = known else { return Offer::Newer };
    match compare(issued_at, part, known) {
        Ordering::Greater => Offer::Newer,
        Ordering::Less => Offer::Older,
        Ordering::Equal if part.reference.version > known.part.reference.version => {
            Offer::SameButNewerReference
        }
        Ordering::Equal => Offer::Same,
    }
}

/// Keeps a version of a part that is not dead where it counts.
fn offer<T>(known: &mut Option<Arc<Stamped<T>>>, part: &Part<T>, version: &Version)
where
    T: Canonical + Clone + PartialEq,
{
    if weigh(known.as_deref(), part, version.issued_at, false).is_taken() {
        *known = Some(Arc::new(Stamped::of(part, version)));
    }
}

fn compare<T>(issued_at: Timestamp, part: &Part<T>, known: &Stamped<T>) -> Ordering
where
    T: Canonical + PartialEq,
{
    issued_at.cmp(&known.issued_at).then_with(|| {
        if part.content == known.part.content {
            return Ordering::Equal;
        }
        part.content.canonical_text().cmp(&known.part.content.canonical_text())
    })
}
