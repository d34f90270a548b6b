//! What each institution sends, by the day, and what is wrong with it: counts by which its vendor can be told what to mend.
//!
//! Two kinds of counts stand beside each other. What was [`Received`] is counted once and for all, under the day on which
//! it came. What stands ([`Standing`]) follows from the live documents, under the day on which they happened: it moves with
//! every correction, reversal and late upload, and in the end does not depend on their order.

use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::closed_set::closed_set;
use super::document::Kind;
use super::document::live::LiveDocument;
use super::outcome::{Leniency, RejectReason, add_counts};
use super::rules::line::needs_codes;
use super::time::{Day, Millis, Timestamp};

/// A document first issued longer than this after it happened is late.
pub const LATE_AFTER: Millis = Millis::from_hours(48);

closed_set! {
    /// Whose word a count is.
    pub enum Writer {
        /// What was received, as intake read it.
        Intake = "intake",
        /// What became of it, and what stands.
        Register = "register",
    }
}

/// An institution on one day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SenderDay {
    /// None where no institution could be read out of the records.
    pub institution_id: Option<Text>,
    /// The day in Beijing.
    pub day: Day,
}

/// What was received of an institution on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Records read.
    pub records: u64,
    /// Of them such as report no fact.
    pub ignored: u64,
    /// Of them such as were refused as a whole.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Uploads read out of records.
    pub uploads: u64,
    /// Uploads refused, beside others of their record or by their document.
    pub uploads_rejected: BTreeMap<RejectReason, u64>,
    /// Uploads that said nothing that was not known.
    pub duplicates: u64,
    /// Optional fields that could not be read and were left out, by name.
    pub left_out: BTreeMap<Text, u64>,
    /// What was read leniently.
    pub leniencies: BTreeMap<Leniency, u64>,
}

impl Received {
    /// Whether records as a whole and uploads beside others were refused for the same reason.
    pub fn is_refused_both_ways(&self, reason: RejectReason) -> bool {
        self.rejected.contains_key(&reason) && self.uploads_rejected.contains_key(&reason)
    }

    /// Adds what else was received.
    pub fn add(&mut self, other: &Self) {
        let Self { records, ignored, rejected, uploads, uploads_rejected, duplicates, left_out, leniencies } =
            other;
        self.records += records;
        self.ignored += ignored;
        self.uploads += uploads;
        self.duplicates += duplicates;
        add_counts(&mut self.rejected, rejected);
        add_counts(&mut self.uploads_rejected, uploads_rejected);
        add_counts(&mut self.left_out, left_out);
        add_counts(&mut self.leniencies, leniencies);
    }
}

/// What stands of an institution's documents of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Live documents.
    pub documents: u64,
    /// Of them such as came late.
    pub late: u64,
    /// Settlement lines that need codes.
    pub lines_need_codes: u64,
    /// Of them such as have a valid code, of their own or lent.
    pub lines_with_code: u64,
    /// Of these such as have it by lending alone.
    pub lines_with_lent_code_only: u64,
    /// Codes that settlements declared would follow.
    pub codes_declared: u64,
    /// Of them such as did not.
    pub codes_not_sent: u64,
    /// Settlements whose lines wait for codes and that have no number by which a hand-over could lend them any.
    pub claims_without_number: u64,
    /// Reversals of what never came.
    pub reversals_waiting: u64,
}

impl Standing {
    /// Of one live document, or of some of its lines; `first_issued_at` is when its first header that still counts was
    /// issued, `codes_sent` how many codes all its lines have ([`codes_sent`]).
    pub fn of(document: &LiveDocument<'_>, first_issued_at: Timestamp, codes_sent: u64) -> Self {
        let header = &document.header.part.content;
        let is_late = first_issued_at > ends_at(document).plus(LATE_AFTER);
        let of_document = Self { documents: 1, late: u64::from(is_late), ..Self::default() };
        if header.kind != Kind::Settlement {
            return of_document;
        }
        let mut standing = of_document;
        for line in &document.lines {
            if needs_codes(document, line) {
                let has_own = line.own_scans().iter().any(|scanned| scanned.scan.valid().is_some());
                let has_any = line.valid_codes().next().is_some();
                standing.lines_need_codes += 1;
                standing.lines_with_code += u64::from(has_any);
                standing.lines_with_lent_code_only += u64::from(has_any && !has_own);
            }
        }
        let circumstances = &header.circumstances;
        let declared = [circumstances.declared_codes, circumstances.declared_consumable_codes];
        standing.codes_declared = declared.into_iter().flatten().map(u64::from).sum();
        standing.codes_not_sent = standing.codes_declared.saturating_sub(codes_sent);
        let is_numbered = header.settlement_id.is_some() || header.visit_id.is_some();
        let waits = || document.lines.iter().any(|line| !line.has_scans() && needs_codes(document, line));
        standing.claims_without_number = u64::from(!is_numbered && waits());
        standing
    }

    /// Counts what else a document says.
    pub fn change(&mut self, StandingChange { less, more, .. }: &StandingChange) {
        *self = self.zip(*more, u64::saturating_add).zip(*less, u64::saturating_sub);
    }

    /// Adds what stands elsewhere.
    pub fn add(&mut self, other: Self) {
        *self = self.zip(other, u64::saturating_add);
    }

    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            documents: with(self.documents, other.documents),
            late: with(self.late, other.late),
            lines_need_codes: with(self.lines_need_codes, other.lines_need_codes),
            lines_with_code: with(self.lines_with_code, other.lines_with_code),
            lines_with_lent_code_only: with(self.lines_with_lent_code_only, other.lines_with_lent_code_only),
            codes_declared: with(self.codes_declared, other.codes_declared),
            codes_not_sent: with(self.codes_not_sent, other.codes_not_sent),
            claims_without_number: with(self.claims_without_number, other.claims_without_number),
            reversals_waiting: with(self.reversals_waiting, other.reversals_waiting),
        }
    }
}

/// How many codes the lines of a document have, of their own or lent.
pub fn codes_sent(document: &LiveDocument<'_>) -> u64 {
    document.lines.iter().map(|line| (line.own_scans().len() + line.lent().len()) as u64).sum()
}

/// When a document was over, of which perhaps only the day is known.
fn ends_at(document: &LiveDocument<'_>) -> Timestamp {
    let header = &document.header.part.content;
    match header.occurred_at.is_day() {
        true => header.occurred_at.day().begins_at().plus(Millis::from_days(1)),
        false => header.moment(),
    }
}

/// What else a document says of one day than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingChange {
    /// The day.
    pub day: Day,
    /// What stands no longer.
    pub less: Standing,
    /// What stands now and did not.
    pub more: Standing,
}

/// What a document says of each day.
pub type Standings = BTreeMap<Day, Standing>;

/// The days of which something else is said than before.
pub fn changes(before: &Standings, after: &Standings) -> Vec<StandingChange> {
    let days: BTreeSet<Day> = before.keys().chain(after.keys()).copied().collect();
    let of = |standings: &Standings, day: Day| standings.get(&day).copied().unwrap_or_default();
    let changes = days.into_iter().map(|day| {
        let (before, after) = (of(before, day), of(after, day));
        let (less, more) = (before.zip(after, u64::saturating_sub), after.zip(before, u64::saturating_sub));
        StandingChange { day, less, more }
    });
    changes.filter(|change| change.less != change.more).collect()
}

/// All that is counted of an institution on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What was received.
    pub received: Received,
    /// What stands.
    pub standing: Standing,
}

impl Counts {
    /// Adds what another writer counted.
    pub fn add(&mut self, other: &Self) {
        self.received.add(&other.received);
        self.standing.add(other.standing);
    }
}

/// What is kept of an institution, day and writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderState {
    /// The sums.
    pub counts: Counts,
    /// The newest moment of the day, by which it is forgotten some day.
    pub newest: Option<Timestamp>,
    /// Revision last published.
    pub revision: u64,
    /// When that was.
    pub published_at: Option<Timestamp>,
    /// When what changed since is to be published.
    pub due: Option<Timestamp>,
}

/// How often a sum is published that is to be published once in `every` at most, at `now` in the log and `wall` outside. While
/// the log is far behind, its time runs faster than the clock, and nobody waits for what a sum was meanwhile: an eighth of
/// the way that is left.
pub fn spacing(every: Millis, now: Option<Timestamp>, wall: Option<Timestamp>) -> Millis {
    let behind = match (now, wall) {
        (Some(now), Some(wall)) if every > Millis::default() && wall > now => now.distance(wall),
        _ => Millis::default(),
    };
    every.max(Millis::new(behind.get() / 8))
}

impl SenderState {
    /// Takes note that it changed at `now`: whether it is to be published at once. Else its timer is set, so that it is
    /// published once in `every` at most, and not before that long after it first changed.
    pub fn changed(&mut self, now: Option<Timestamp>, every: Millis) -> bool {
        let since = self.published_at.or(now).filter(|_| every > Millis::default());
        let earliest = self.due.or(since.map(|since| since.plus(every)));
        let is_due = earliest.is_none_or(|earliest| now.is_some_and(|now| now >= earliest));
        self.due = earliest.filter(|_| !is_due);
        is_due
    }

    /// It is published now, under the next revision.
    pub fn published(&mut self, now: Option<Timestamp>) {
        self.revision = self.revision.saturating_add(1);
        self.published_at = now.max(self.published_at);
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = Millis::new(60_000);

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_unix_millis(seconds * 1000))
    }

    #[test]
    fn a_sum_is_published_once_in_a_while_and_never_left_out() {
        let mut sum = SenderState::default();
        assert!(!sum.changed(at(0), MINUTE));
        assert_eq!(sum.due, at(60), "it waits for more");
        assert!(!sum.changed(at(59), MINUTE));
        assert_eq!(sum.due, at(60), "and not for longer because more came");
        assert!(sum.changed(at(61), MINUTE));
        sum.published(at(61));
        assert!(!sum.changed(at(62), MINUTE));
        assert_eq!(sum.due, at(121));
    }

    #[test]
    fn every_change_is_published_where_no_time_is_to_be_between() {
        let mut sum = SenderState::default();
        for second in [0, 0, 1] {
            assert!(sum.changed(at(second), Millis::default()));
            sum.published(at(second));
        }
        assert!(SenderState::default().changed(None, MINUTE), "before there is time nothing could wake it");
    }

    #[test]
    fn sums_are_rare_while_the_log_is_far_behind() {
        assert_eq!(spacing(MINUTE, at(0), at(0)), MINUTE);
        assert_eq!(spacing(MINUTE, at(0), at(479)), MINUTE);
        assert_eq!(spacing(MINUTE, at(0), at(4_800)), Millis::new(600_000));
        assert_eq!(spacing(MINUTE, at(9), at(0)), MINUTE, "a clock that went back");
        assert_eq!(spacing(MINUTE, at(9), None), MINUTE, "no clock, in a back-test");
        assert_eq!(spacing(Millis::default(), at(0), at(4_800)), Millis::default());
    }
}
