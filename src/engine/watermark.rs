//! Time as data: how far all sources of a topic have come.

use std::collections::BTreeMap;

use crate::domain::Text;
use crate::domain::time::Timestamp;
use crate::wire::entries::Tick;

/// The newest word of every source of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watermark {
    /// The newest `now` of each source.
    pub sources: BTreeMap<Text, Timestamp>,
    /// How many sources there are in all, as last said.
    pub expected: u32,
    /// The greatest wall clock seen.
    pub wall: Option<Timestamp>,
}

impl Watermark {
    /// Takes note of a tick. Time never moves back, whatever a source says.
    pub fn update(&mut self, tick: &Tick) {
        let newest = self.sources.entry(tick.source.clone()).or_insert(tick.now);
        *newest = (*newest).max(tick.now);
        self.expected = self.expected.max(tick.sources);
        self.wall = self.wall.max(tick.wall);
    }

    /// The least over all sources; none before all of them have spoken.
    pub fn now(&self) -> Option<Timestamp> {
        if self.sources.len() < self.expected as usize {
            return None;
        }
        self.sources.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(source: &str, now: i64) -> Tick {
        Tick { source: source.into(), sources: 2, now: Timestamp::from_unix_millis(now), wall: None }
    }

    #[test]
    fn time_is_the_least_over_the_sources_once_all_have_spoken() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.now(), None);
        watermark.update(&tick("a/0", 50));
        assert_eq!(watermark.now(), None, "b/0 has not spoken");
        watermark.update(&tick("b/0", 20));
        assert_eq!(watermark.now(), Some(Timestamp::from_unix_millis(20)));
        watermark.update(&tick("b/0", 10));
        assert_eq!(watermark.now(), Some(Timestamp::from_unix_millis(20)), "time never moves back");
        watermark.update(&tick("b/0", 90));
        assert_eq!(watermark.now(), Some(Timestamp::from_unix_millis(50)), "a holds it back");
    }
}
