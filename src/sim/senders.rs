//! How an institution's software works where it does not keep to the interface's book.
//!
//! A sender does so in all that it sends. Which one does what depends on the seed and the institution alone, so that a
//! share of 0 leaves every other chance of the run as it was.

use super::places::World;

/// How a claim finds the hand-over whose codes it borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lending {
    /// Both have the number of the settlement.
    Settlement,
    /// The claim is known by its request alone, which has no number of a settlement: both have that of the visit.
    Visit,
}

/// Of so many hospitals that lend one sends requests without answers.
const LEND_BY_VISIT_EVERY: u64 = 3;

impl World {
    /// Whether claims of the institution borrow the codes of their hand-overs, and how they find them.
    pub(super) fn lending(&self, institution: u32) -> Option<Lending> {
        let place = self.institution(institution);
        let lends =
            place.uploads_dispensing && self.is_one(institution, 0, self.parameters.senders.lending_ppm);
        let by_visit = place.hospital && self.pair(institution, 10, 0xb).is_multiple_of(LEND_BY_VISIT_EVERY);
        lends.then_some(if by_visit { Lending::Visit } else { Lending::Settlement })
    }

    /// Whether every box that is handed over or brought back has a message of its own.
    pub(super) fn reports_boxes(&self, institution: u32) -> bool {
        self.is_one(institution, 1, self.parameters.senders.boxes_ppm)
    }

    /// Whether returns tell the day only.
    pub(super) fn dates_returns_by_day(&self, institution: u32) -> bool {
        self.is_one(institution, 2, self.parameters.senders.day_returns_ppm)
    }

    /// Whether refunds are lines that take something off; at hospitals, whose claims grow by fee lines.
    pub(super) fn refunds_in_part(&self, institution: u32) -> bool {
        self.institution(institution).hospital
            && self.is_one(institution, 3, self.parameters.senders.partial_refunds_ppm)
    }

    /// Whether something is written where there is nothing.
    pub(super) fn fills(&self, institution: u32) -> bool {
        self.is_one(institution, 4, self.parameters.senders.fillers_ppm)
    }

    /// Whether hand-overs have visit numbers of the sender's own.
    pub(super) fn numbers_visits_itself(&self, institution: u32) -> bool {
        self.is_one(institution, 5, self.parameters.senders.own_numbers_ppm)
    }

    fn is_one(&self, institution: u32, habit: u32, share: u32) -> bool {
        share > 0 && self.pair(institution, habit, 0xb) < u64::from(share)
    }
}
