//! What tracewarden makes of the [`engine`](crate::engine): four stages and the topics between them.
//!
//! A stage reads one topic (intake: the outside ones).
//!
//! | stage | reads | keyed by | publishes |
//! |---|---|---|---|
//! | [`intake`] | procurement, dispensing, settlement, handling | – | documents, deadletter |
//! | [`register`] | documents | document | alerts (line rules), observations, claims, documents (aliases), deadletter |
//! | [`monitor`] | observations | trace code | alerts (code rules), claims (verdicts), observations (timers) |
//! | [`adjudicate`] | claims | claim | decisions, claims (timers) |
//!
//! [`PIPELINE`] is that table; the service, the local runner and the outbox go by it.

pub mod adjudicate;
pub mod intake;
mod lending;
pub(crate) mod meters;
pub mod monitor;
pub mod register;
pub mod tally;
pub mod topics;

use topics::Topic;

/// A stage of the pipeline: what it reads, and what it may publish to. The engine refuses to publish anywhere else.
#[derive(Debug, PartialEq, Eq)]
pub struct StageRow {
    /// The name in logs, metrics, consumer groups and on the command line.
    pub name: &'static str,
    /// The topics that it reads.
    pub reads: &'static [Topic],
    /// The topics that it publishes to.
    pub writes: &'static [Topic],
}

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
        writes: &[Topic::Documents, Topic::Observations, Topic::Claims, Topic::Alerts, Topic::Deadletter],
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

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::telemetry::labels::STAGES;

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
}
