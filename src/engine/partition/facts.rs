//! What a partition knows besides its values: time and terms. They are kept in the store with the values.

use std::sync::Arc;

use crate::domain::time::Timestamp;
use crate::engine::keyspace;
use crate::engine::watermark::Watermark;
use crate::store::{Rows, StoreError};
use crate::wire::entries::{self, Entry, NoBody, Terms, Tick};

/// Time and terms of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// How far its sources have come.
    pub watermark: Watermark,
    /// The newest `now` that was passed on to the next stages.
    pub passed_on: Option<Timestamp>,
    /// The newest wall clock that was passed on.
    pub wall_passed_on: Option<Timestamp>,
    /// The terms in force.
    pub terms: Arc<Terms>,
    /// What is older is forgotten: the furthest that a horizon in force ever reached. A longer horizon does not bring
    /// back what was forgotten before it came.
    pub forgotten_before: Option<Timestamp>,
}

/// Source names under which a partition keeps what it passed on.
const PASSED_ON: &str = "passed_on";
const WALL_PASSED_ON: &str = "wall_passed_on";
/// Likewise for how far it forgot.
const FORGOTTEN_BEFORE: &str = "forgotten_before";

impl Facts {
    /// Time passes.
    pub fn time_passes(&mut self, tick: &Tick) {
        self.watermark.update(tick);
        self.forget();
    }

    /// Other terms are in force from here on.
    pub fn put_in_force(&mut self, terms: Terms) {
        self.terms = Arc::new(terms);
        self.forget();
    }

    /// Whether what is as old as that is forgotten; none: it never is.
    pub fn forgets(&self, newest: Option<Timestamp>) -> bool {
        matches!((newest, self.forgotten_before), (Some(newest), Some(before)) if newest < before)
    }

    fn forget(&mut self) {
        if let Some(now) = self.watermark.now() {
            self.forgotten_before = self.forgotten_before.max(self.terms.forgets_before(now));
        }
    }

    /// Those of a store; of an empty one the defaults.
    pub(in crate::engine) fn load(rows: &dyn Rows) -> Result<Self, StoreError> {
        rows.get(&keyspace::facts())?.map_or_else(|| Ok(Self::default()), |bytes| Self::decode(&bytes))
    }

    /// They are kept in the form in which they travel: as entries.
    pub(super) fn encode(&self) -> Vec<u8> {
        let tick = |source: &str, now| {
            let (sources, wall) = (self.watermark.expected, self.watermark.wall);
            Entry::Tick(Tick { source: source.into(), sources, now, wall })
        };
        let mut entries = vec![Entry::<NoBody>::Terms(Box::new(self.terms.as_ref().clone()))];
        entries.extend(self.watermark.sources.iter().map(|(source, now)| tick(source, *now)));
        entries.extend(self.passed_on.map(|now| tick(PASSED_ON, now)));
        entries.extend(self.wall_passed_on.map(|wall| tick(WALL_PASSED_ON, wall)));
        entries.extend(self.forgotten_before.map(|to| tick(FORGOTTEN_BEFORE, to)));
        entries::encode(&entries, usize::MAX).concat()
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let unreadable = |problem: String| StoreError::Unreadable(problem);
        let entries = entries::decode::<NoBody>(bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut facts = Self::default();
        for entry in entries {
            match entry {
                Entry::Terms(terms) => facts.terms = Arc::new(*terms),
                Entry::Tick(tick) => match &*tick.source {
                    PASSED_ON => facts.passed_on = Some(tick.now),
                    WALL_PASSED_ON => facts.wall_passed_on = Some(tick.now),
                    FORGOTTEN_BEFORE => facts.forgotten_before = Some(tick.now),
                    _ => facts.watermark.update(&tick),
                },
                Entry::Body(_) | Entry::FireMore => {
                    return Err(unreadable("unexpected entry among the partition's facts".into()));
                }
            }
        }
        Ok(facts)
    }
}
