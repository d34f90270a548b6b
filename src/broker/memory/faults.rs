//! Faults of the in-memory broker: planned ones for a test of one case, random ones for a simulation.
//!
//! Random faults, the order in which partitions are read and the sizes of batches come from one seeded generator,
//! so the same seed and the same calls give the same run.

use std::collections::{BTreeMap, VecDeque};

/// What goes wrong with one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// It is aborted, and the session learns so: nothing is visible.
    Aborted,
    /// Everything is committed, but the answer is lost.
    UnknownAndCommitted,
    /// Nothing is committed, and the answer is lost.
    UnknownAndAborted,
}

/// How often faults happen by themselves, each in thousandths of the calls concerned. The default is never.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultRates {
    /// Commits that are aborted.
    pub aborted_per_mille: u16,
    /// Commits whose answer is lost; one half of them took place.
    pub unknown_per_mille: u16,
    /// Calls of any kind after which the session is gone.
    pub lost_per_mille: u16,
    /// Polls before which the group is rebalanced.
    pub rebalance_per_mille: u16,
}

/// The source of everything that goes wrong.
#[derive(Debug)]
pub(super) struct Faults {
    random: Option<u64>,
    pub(super) rates: FaultRates,
    planned: BTreeMap<String, VecDeque<CommitFault>>,
}

impl Faults {
    pub(super) fn new(seed: Option<u64>, rates: FaultRates) -> Self {
        Self { random: seed, rates, planned: BTreeMap::new() }
    }

    pub(super) fn plan(&mut self, member: &str, fault: CommitFault) {
        self.planned.entry(member.to_owned()).or_default().push_back(fault);
    }

    /// What happens to a member's commit.
    pub(super) fn commit(&mut self, member: &str) -> Option<CommitFault> {
        if let Some(fault) = self.planned.get_mut(member).and_then(VecDeque::pop_front) {
            return Some(fault);
        }
        if self.happens(self.rates.aborted_per_mille) {
            return Some(CommitFault::Aborted);
        }
        if self.happens(self.rates.unknown_per_mille) {
            let took_place = self.below(2) == 0;
            return Some(if took_place {
                CommitFault::UnknownAndCommitted
            } else {
                CommitFault::UnknownAndAborted
            });
        }
        None
    }

    /// Whether something that happens in so many of a thousand cases happens now; never without a seed.
    pub(super) fn happens(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.random.is_some() && self.below(1000) < usize::from(per_mille)
    }

    /// A number below `bound`; 0 without a seed.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let Some(state) = &mut self.random else { return 0 };
        // SplitMix64: small, and good enough to pick an order.
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed % bound.max(1) as u64) as usize
    }

    /// Whether there is a seed, so that order and sizes vary.
    pub(super) fn is_random(&self) -> bool {
        self.random.is_some()
    }
}
