//! The run of a simulated province: hour by hour, uploads in the order of their sending.
//!
//! An hour of traffic is made, each document passes the accidents of [`super::dirt`], is written, and waits in a
//! heap until its sending. Everything sent before the next hour begins can go out, because nothing made later is
//! sent earlier. So memory holds an hour of traffic, the late ones (at most `late_hours_max`), the acts under
//! way, and the stock on the shelves; the number of days does not matter.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::document::{Lot, Name, Pack};
use super::parameters::Parameters;
use super::places::World;
use super::random::{Random, mix3};
use super::truth::Truth;
use super::{DAY, HOUR, TimedUpload};
use crate::domain::document::Group;

/// A simulated province under way: an iterator over its uploads in the order of their sending.
pub struct Province {
    pub(super) world: World,
    /// Chances of honest life.
    pub(super) life: Random,
    /// Chances of planted acts.
    pub(super) plans: Random,
    /// Chances of accidents.
    pub(super) accidents: Random,
    pub(super) shelves: Vec<Vec<Shelf>>,
    /// Packs brought back, by the day on which they are on the shelf again.
    pub(super) comebacks: BTreeMap<u32, Vec<(u32, Pack)>>,
    /// Packs that wholesalers took back, by product: delivered again before new ones.
    pub(super) taken_back: BTreeMap<u32, Vec<Pack>>,
    pub(super) acts_begun: u64,
    /// Planted acts, for taking turns.
    pub(super) plans_made: u64,
    packs_made: Vec<u64>,
    documents_made: u64,
    outgoing: BinaryHeap<Reverse<Outgoing>>,
    sent: u64,
    next_hour: u32,
    truth: Vec<Truth>,
}

/// The stock of one product at one institution.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub(super) product: u32,
    pub(super) packs: VecDeque<Pack>,
    /// A pack of which a part is left: units when split, packs when one code stands for several.
    pub(super) open: Option<(Pack, u32)>,
}

/// A written upload that waits for its sending.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Outgoing {
    sent_at: i64,
    sequence: u64,
    group: Group,
    json: String,
}

impl Province {
    /// The province at midnight of its first day.
    pub fn new(parameters: &Parameters) -> Self {
        let world = World::new(parameters);
        let mut life = Random::new(parameters.seed, 2);
        let shelves = (0..world.institutions.len()).map(|_| shelves(&world, &mut life)).collect();
        Self {
            life,
            plans: Random::new(parameters.seed, 3),
            accidents: Random::new(parameters.seed, 4),
            shelves,
            comebacks: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            acts_begun: 0,
            plans_made: 0,
            packs_made: vec![0; world.catalogue.products.len()],
            documents_made: 0,
            outgoing: BinaryHeap::new(),
            sent: 0,
            next_hour: 0,
            truth: Vec::new(),
            world,
        }
    }

    /// What has become true since the last call. A statement may be handed out before its last upload is sent;
    /// `known_from` says when a monitor can know it.
    pub fn take_truth(&mut self) -> Vec<Truth> {
        std::mem::take(&mut self.truth)
    }

    pub(super) fn state(&mut self, truth: Truth) {
        self.truth.push(truth);
    }

    /// A new document number.
    pub(super) fn name(&mut self, letter: char) -> Name {
        self.documents_made += 1;
        Name::new(letter, self.documents_made)
    }

    /// A new pack of a product.
    pub(super) fn pack(&mut self, product: u32, lot: Lot) -> Pack {
        let made = &mut self.packs_made[product as usize];
        *made += 1;
        Pack { product, number: *made, lot, unrecorded: false, brought_back: false }
    }

    /// The month in which packs of day `day` were made.
    pub(super) fn month(&self, day: u32) -> u16 {
        let days = self.world.parameters.first_day.days_since_epoch().saturating_add_unsigned(day);
        u16::try_from(days / 30).unwrap_or(u16::MAX)
    }

    /// Puts a written upload among those that wait.
    pub(super) fn enqueue(&mut self, sent_at: i64, group: Group, json: String) {
        self.sent += 1;
        self.outgoing.push(Reverse(Outgoing { sent_at, sequence: self.sent, group, json }));
    }

    /// When something sent at `sent_at` really goes out: an institution may be silent for a day.
    pub(super) fn after_silence(&self, institution: u32, sent_at: i64) -> i64 {
        let parameters = &self.world.parameters;
        let day = (sent_at - parameters.day_start(0)).div_euclid(DAY);
        let chance = mix3(parameters.seed ^ 0x51, u64::from(institution), day as u64) % 1_000_000;
        if chance >= u64::from(parameters.dirt.silent_days_ppm) {
            return sent_at;
        }
        let next_morning = parameters.day_start(0) + (day + 1) * DAY + 9 * HOUR;
        next_morning + (sent_at.rem_euclid(DAY)) / 24
    }

    /// Makes the traffic of the next hour.
    fn advance(&mut self) {
        let (day, hour) = (self.next_hour / 24, self.next_hour % 24);
        self.next_hour += 1;
        let start = self.world.parameters.day_start(day) + i64::from(hour) * HOUR;
        match hour {
            0 => self.begin_acts(day),
            6 => self.deliver(day, start),
            7 => self.keep_stock(day, start),
            _ => self.open_doors(day, hour, start),
        }
    }

    /// The moment before which everything has been made.
    fn made_until(&self) -> i64 {
        self.world.parameters.day_start(0) + i64::from(self.next_hour) * HOUR
    }
}

impl Iterator for Province {
    type Item = TimedUpload;

    fn next(&mut self) -> Option<TimedUpload> {
        let hours = self.world.parameters.days.saturating_mul(24);
        while self.next_hour < hours
            && self.outgoing.peek().is_none_or(|Reverse(first)| first.sent_at >= self.made_until())
        {
            self.advance();
        }
        let Reverse(first) = self.outgoing.pop()?;
        Some(TimedUpload { sent_at: first.sent_at, group: first.group, json: first.json })
    }
}

/// The products that an institution keeps, in their order.
fn shelves(world: &World, random: &mut Random) -> Vec<Shelf> {
    let products = world.catalogue.products.len();
    let kept = (world.parameters.habits.shelves_per_institution as usize).clamp(1, products);
    let start = random.pick(products);
    let mut indices: Vec<u32> = (0..kept).map(|at| ((start + at) % products) as u32).collect();
    indices.sort_unstable();
    indices.into_iter().map(|product| Shelf { product, packs: VecDeque::new(), open: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most uploads and packs that are held at once.
    fn most_held(parameters: &Parameters) -> usize {
        let mut province = Province::new(parameters);
        let mut most = 0;
        while province.next().is_some() {
            province.take_truth();
            let shelves = province.shelves.iter().flatten().map(|shelf| shelf.packs.len()).sum::<usize>();
            let coming = province.comebacks.values().map(Vec::len).sum::<usize>();
            let sent_back = province.taken_back.values().map(Vec::len).sum::<usize>();
            most = most.max(province.outgoing.len() + shelves + coming + sent_back);
        }
        most
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_days() {
        let run = |days| most_held(&Parameters { days, ..Parameters::demo(3) });
        let (short, long) = (run(20), run(80));
        assert!(long < short + short / 4, "{short} in 20 days, {long} in 80");
    }
}
