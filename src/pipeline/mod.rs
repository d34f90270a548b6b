//! What tracewarden makes of the [`engine`](crate::engine): four stages and the topics between them.
//!
//! A stage reads one topic (intake: the outside ones).
//!
//! | stage | reads | keyed by | publishes |
//! |---|---|---|---|
//! | [`intake`] | procurement, dispensing, settlement, handling | – | documents, deadletter |
//! | [`register`] | documents | document | alerts (line rules), observations, claims, documents (aliases), deadletter, senders |
//! | [`monitor`] | observations | trace code | alerts (code rules), claims (verdicts), observations (timers) |
//! | [`adjudicate`] | claims | claim | decisions, claims (timers) |
//!
//! [`PIPELINE`] is that table; the service, the local runner and the outbox go by it.

pub mod adjudicate;
mod aliases;
pub mod intake;
mod lending;
mod meters;
pub mod monitor;
pub mod outputs;
mod received;
mod refusals;
pub mod register;
mod senders;
pub mod tally;
pub mod topics;

use adjudicate::Adjudicate;
use monitor::Monitor;
use outputs::Outputs;
use register::Register;
use tally::Tally;
use topics::{Topic, Topology};

use crate::broker::OutRecord;
use crate::domain::observation::Moment;
use crate::domain::rules::ruleset::RuleSet;
use crate::domain::time::Millis;
use crate::engine::Keyed;
use crate::engine::context::Context;
use crate::wire::entries::{self, Entry, NoBody};

/// A stage of this pipeline.
pub type StageRow = crate::engine::topology::StageRow<Topic>;

/// Names the rows of [`PIPELINE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StageName {
    /// Decodes uploads.
    Intake,
    /// Keeps documents.
    Register,
    /// Keeps timelines.
    Monitor,
    /// Decides.
    Adjudicate,
}

/// The stages, in the order of the flow.
pub const PIPELINE: [StageRow; 4] = [
    StageRow { name: "intake", reads: &Topic::INPUTS, writes: &[Topic::Documents, Topic::Deadletter] },
    StageRow {
        name: "register",
        reads: &[Topic::Documents],
        writes: &[
            Topic::Documents,
            Topic::Observations,
            Topic::Claims,
            Topic::Alerts,
            Topic::Deadletter,
            Topic::Senders,
        ],
    },
    StageRow {
        name: "monitor",
        reads: &[Topic::Observations],
        writes: &[Topic::Observations, Topic::Claims, Topic::Alerts],
    },
    StageRow { name: "adjudicate", reads: &[Topic::Claims], writes: &[Topic::Claims, Topic::Decisions] },
];

impl StageName {
    /// All stages, in the order of the flow.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Register, Self::Monitor, Self::Adjudicate];

    /// Its row.
    pub const fn row(self) -> &'static StageRow {
        &PIPELINE[self as usize]
    }
}

/// What the keyed stages are set up with.
#[derive(Clone, Copy, Debug)]
pub struct StageOptions {
    /// Least progress of time that is passed on to the monitor.
    pub tick_observations: Millis,
    /// Least progress of the wall clock that is passed on to the adjudicator.
    pub tick_claims: Millis,
    /// Most timers fired by one entry, where the terms in force do not say.
    pub timers_per_entry_max: usize,
    /// Least time between two records of what an institution sends on a day.
    pub senders_every: Millis,
    /// How what leaves is published.
    pub outputs: Outputs,
}

impl Default for StageOptions {
    /// Every step of time is passed on.
    fn default() -> Self {
        Self {
            tick_observations: Millis::default(),
            tick_claims: Millis::default(),
            timers_per_entry_max: 10_000,
            senders_every: Millis::default(),
            outputs: Outputs::default(),
        }
    }
}

/// What is to be done with a keyed stage, whichever it is.
pub trait WithStage {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<K>(self, stage: K) -> Self::Output
    where
        K: Keyed<Topic = Topic, Tally = Tally> + Clone;
}

/// Makes the keyed stage of that name and does something with it; intake is none.
pub fn with_stage<W: WithStage>(name: StageName, options: &StageOptions, what: W) -> Option<W::Output> {
    let StageOptions { tick_observations, tick_claims, timers_per_entry_max, senders_every, outputs } =
        *options;
    Some(match name {
        StageName::Intake => return None,
        StageName::Register => what.with(Register {
            tick_observations,
            tick_claims,
            timers_per_entry_max,
            senders_every,
            outputs,
        }),
        StageName::Monitor => what.with(Monitor { timers_per_entry_max, outputs }),
        StageName::Adjudicate => what.with(Adjudicate { timers_per_entry_max, outputs }),
    })
}

/// The rule set as records for every internal partition: whatever changes conclusions is in the log.
pub fn terms_records(topology: &Topology, rules: &RuleSet) -> Vec<OutRecord> {
    let payload = entries::encode(&[Entry::<NoBody>::Terms(Box::new(rules.clone()))], usize::MAX).concat();
    let targets = Topic::INTERNAL.into_iter().flat_map(|topic| topology.all(topic));
    let records = targets.map(|target| OutRecord {
        target,
        key: None,
        payload: Some(payload.clone()),
        headers: Vec::new(),
    });
    records.collect()
}

/// The moment of an entry: the partition's time, and when the record was written.
fn moment<K: Keyed>(cx: &Context<'_, K>) -> Moment {
    Moment {
        now: cx.now(),
        wall: cx.wall(),
        forgotten_before: cx.forgotten_before(),
        detected_at: cx.written_at,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clap::ValueEnum;

    use super::*;
    use crate::domain::observation::CodeChange;
    use crate::domain::time::Timestamp;
    use crate::engine::outbox::Outbox;
    use crate::telemetry::labels::STAGES;
    use crate::wire::entries::{ClaimEntry, DocumentEntry, Tick};

    #[test]
    fn the_table_the_command_line_and_the_metrics_name_the_same_stages() {
        assert_eq!(PIPELINE.each_ref().map(|row| row.name), STAGES);
        for stage in StageName::ALL {
            let value = stage.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(value.as_deref(), Some(stage.row().name));
        }
    }

    #[test]
    fn every_topic_between_the_stages_is_written_and_read_by_one_stage() {
        for topic in Topic::INTERNAL {
            assert_eq!(PIPELINE.iter().filter(|row| row.reads.contains(&topic)).count(), 1, "{topic:?}");
            assert!(PIPELINE.iter().any(|row| row.writes.contains(&topic)), "{topic:?}");
        }
        for topic in Topic::INPUTS {
            assert!(PIPELINE.iter().all(|row| !row.writes.contains(&topic)), "{topic:?}");
        }
    }

    /// The table at the head of this file says what the constant says.
    #[test]
    fn the_documentation_names_what_each_stage_reads_and_publishes() {
        let documented: Vec<Vec<&str>> = include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | [`"))
            .map(|line| line.split('|').collect())
            .collect();
        assert_eq!(documented.len(), PIPELINE.len());
        for (row, columns) in PIPELINE.iter().zip(documented) {
            assert!(columns[0].starts_with(row.name), "{columns:?}");
            for (column, topics) in [(columns[1], row.reads), (columns[3], row.writes)] {
                for topic in Topic::ALL {
                    let is_named = column.split([',', ' ', '(']).any(|word| word == topic.name());
                    assert_eq!(is_named, topics.contains(&topic), "{}: {}", row.name, topic.name());
                }
            }
        }
    }

    #[test]
    fn a_stage_that_publishes_where_it_must_not_fails() {
        let topology = Arc::new(Topology::new("", 1, 1));
        let tick = Tick { source: "a/0".into(), sources: 1, now: Timestamp::default(), wall: None };
        for stage in StageName::ALL {
            let row = stage.row();
            for topic in Topic::INTERNAL {
                let mut outbox = Outbox::new(topology.clone(), usize::MAX);
                outbox.belongs_to(row);
                match topic {
                    Topic::Documents => outbox.tick::<DocumentEntry>(&tick),
                    Topic::Observations => outbox.tick::<CodeChange>(&tick),
                    _ => outbox.tick::<ClaimEntry>(&tick),
                }
                let refused = outbox.take_records().err().map(|error| error.to_string());
                assert_eq!(refused.is_none(), row.writes.contains(&topic), "{}: {refused:?}", row.name);
            }
        }
    }

    /// A keyed stage reads the topic that carries its bodies, and can go on with its timers there.
    #[test]
    fn every_keyed_stage_reads_what_its_bodies_travel_on() {
        struct Check(&'static StageRow);
        impl WithStage for Check {
            type Output = ();

            fn with<K: Keyed<Topic = Topic, Tally = Tally> + Clone>(self, stage: K) {
                use crate::engine::outbox::Carried;
                assert_eq!(stage.row(), self.0);
                assert_eq!(stage.row().reads, [K::Body::TOPIC]);
                assert!(stage.row().writes.contains(&K::Body::TOPIC), "{}", self.0.name);
            }
        }
        for name in StageName::ALL {
            let is_keyed = with_stage(name, &StageOptions::default(), Check(name.row())).is_some();
            assert_eq!(is_keyed, name != StageName::Intake);
        }
    }
}
