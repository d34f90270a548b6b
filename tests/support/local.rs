//! A run of all stages on the memory twin, and what it must keep in any case.

use std::fmt::Write as _;

use serde_json::Value;
use tracewarden::config::Config;
use tracewarden::domain::outcome::InputOutcome;
use tracewarden::domain::reference::Book;
use tracewarden::pipeline::tally::Tally;
use tracewarden::pipeline::topics::Topic;
use tracewarden::run::local::{Local, LocalOptions};
use tracewarden::wire::inbound::{moment, reference};
use tracewarden::wire::outbound::sender;

use super::fold::Fold;
use oracle::{Answer, Standing, World};

/// What a configuration says.
pub(crate) fn options(config: &str) -> LocalOptions {
    let config = Config::read(config, "test", []).expect("the configuration is valid");
    LocalOptions::from_config(&config).expect("the configuration is valid")
}

/// The defaults, but for the batch size and the number of partitions, which must make no difference.
pub(crate) fn shaped((batch_records_max, partitions): (usize, u16)) -> LocalOptions {
    LocalOptions { partitions, batch_records_max, ..options("") }
}

/// Reference data of these records. One that is refused changes nothing, as in a replay: cases have such on purpose.
pub(crate) fn book(records: &[Value]) -> Book {
    let mut book = Book::default();
    for entry in records.iter().filter_map(|record| reference::from_json(record.to_string().as_bytes()).ok())
    {
        book.extend(entry.into_change());
    }
    book
}

/// All stages with these reference records.
pub(crate) fn start(records: &[Value], options: &LocalOptions) -> Local {
    Local::new(options, book(records)).expect("the stages start")
}

/// Hands uploads over, a line each.
pub(crate) fn feed(local: &mut Local, uploads: &[String]) {
    for (line, upload) in (1..).zip(uploads) {
        local.feed(upload.clone().into_bytes(), "uploads.ndjson", line).expect("an upload is taken in");
    }
}

/// Lets everything come to rest and looks at what was published.
pub(crate) fn finish(mut local: Local, until: Option<&str>) -> Ended {
    let until = until.map(|until| moment::rfc3339(until).expect("until is a moment"));
    local.finish(until).expect("the run ends");
    Ended::of(&mut local)
}

/// All stages after a world, at rest.
pub(crate) fn fed(world: &World, options: &LocalOptions) -> Local {
    let mut local = start(&world.reference, options);
    let uploads: Vec<String> = world.uploads.iter().map(World::text).collect();
    feed(&mut local, &uploads);
    local.finish(moment::rfc3339(&world.until)).expect("the run ends");
    local
}

/// What a run ended with.
pub(crate) struct Ended {
    pub(crate) answer: Answer,
    /// The newest revision of every alert that is not withdrawn, whole.
    pub(crate) open_alerts: Vec<Value>,
    /// What stands of every claim, in the form in which it is compared.
    pub(crate) decisions: Vec<Value>,
    /// The newest revision of every decision, whole.
    pub(crate) whole_decisions: Vec<Value>,
    pub(crate) dead_letters: Vec<Value>,
    pub(crate) gaps: Vec<String>,
    pub(crate) tally: Tally,
    /// What stands of each institution's documents by day, those counts left out that are 0.
    pub(crate) standing: Standing,
}

impl Ended {
    /// What was published by stages at rest, folded to what holds.
    pub(crate) fn of(local: &mut Local) -> Self {
        let mut fold = Fold::default();
        let mut dead_letters = Vec::new();
        for output in local.drain().expect("outputs are readable") {
            let payload = output.record.payload.as_deref().unwrap_or_default();
            match output.topic {
                Topic::Alerts => fold.alert(payload),
                Topic::Decisions => fold.decision(payload),
                _ => dead_letters.push(serde_json::from_slice(payload).expect("a dead letter is JSON")),
            }
        }
        Self {
            answer: fold.answer(),
            open_alerts: fold.open_alerts(),
            decisions: fold.decisions(),
            whole_decisions: fold.whole_decisions(),
            dead_letters,
            gaps: fold.gaps,
            tally: local.tally(),
            standing: standing(local),
        }
    }

    /// What is wrong with it, or nothing.
    pub(crate) fn complaint(&self, expected: &Answer) -> String {
        expected.difference(&self.answer) + &self.faults()
    }

    /// What is wrong with what it counted of those who sent a world.
    pub(crate) fn miscount(&self, world: &World) -> String {
        let expected = world.standing();
        if self.standing == expected {
            return String::new();
        }
        let one_sided = |these: &Standing, those: &Standing| {
            let these = these.iter().filter(|(key, counts)| those.get(*key) != Some(*counts));
            these.map(|(key, counts)| format!("{key:?} {counts:?}\n")).collect::<String>()
        };
        let (missing, found) = (one_sided(&expected, &self.standing), one_sided(&self.standing, &expected));
        format!("counts of senders, expected:\n{missing}found:\n{found}")
    }

    /// What is wrong with any run: gaps between revisions, accounts that do not add up.
    pub(crate) fn faults(&self) -> String {
        let mut text = String::new();
        for gap in &self.gaps {
            let _ = writeln!(text, "{gap}");
        }
        if !adds_up(&self.tally) {
            let _ = writeln!(text, "the accounting does not add up: {:?}", self.tally);
        }
        text
    }
}

/// The counts that stand, summed over all who write them.
fn standing(local: &Local) -> Standing {
    let mut standing = Standing::new();
    for record in local.sender_days() {
        let message = sender::parse(record).expect("a record of a sender is JSON");
        let counts = [
            ("documents", message.documents),
            ("documents_late", message.documents_late),
            ("lines_need_codes", message.lines_need_codes),
            ("lines_with_code", message.lines_with_code),
            ("lines_with_lent_code_only", message.lines_with_lent_code_only),
            ("codes_declared", message.codes_declared),
            ("codes_not_sent", message.codes_not_sent),
            ("claims_without_number", message.claims_without_number),
            ("reversals_waiting", message.reversals_waiting),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let key = (message.institution_id.clone().unwrap_or_default(), message.day.clone());
            *standing.entry(key).or_default().entry(name).or_default() += count;
        }
    }
    standing
}

/// The two equations that hold at rest.
fn adds_up(tally: &Tally) -> bool {
    let rejected = tally.inputs_total(|outcome| matches!(outcome, InputOutcome::Rejected(_)));
    let ignored = tally.inputs_total(|outcome| outcome == InputOutcome::Ignored);
    let decoded = tally.inputs_total(|outcome| outcome == InputOutcome::Decoded);
    let merged: u64 = tally.merged.values().sum();
    tally.read_total() == rejected + ignored + decoded && tally.derived_total() == merged
}
