//! Worlds with known answers: the examples, and a simulated province judged by the same stages in memory.

use serde_json::Value;
use tracewarden::domain::time::Timestamp;
use tracewarden::sim::{self, Dirt, Fraud, Parameters};
use tracewarden::wire::inbound::moment;

use crate::support::cases;
use crate::support::local::{self, Ended};
use oracle::Answer;

/// Reference data, uploads in the order of sending, and what they end in.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) reference: Vec<Value>,
    pub(crate) uploads: Vec<String>,
    /// The time at which it ends.
    pub(crate) now: Timestamp,
    pub(crate) expected: Answer,
}

/// All examples, by name.
pub(crate) fn examples() -> Vec<Case> {
    cases::examples().into_iter().map(example).collect()
}

fn example(case: cases::Case) -> Case {
    let (now, _) = in_memory(&case.reference, &case.uploads, moment::rfc3339(&case.until));
    Case { name: case.name(), reference: case.reference, uploads: case.uploads, now, expected: case.expected }
}

/// A province of two weeks, with acts planted in the first days of it, and late, repeated and corrected uploads. In less
/// time than that no act could end, so none would begin.
pub(crate) fn province() -> Case {
    let mut parameters = Parameters::demo(7);
    parameters.institutions = 20;
    parameters.codes_per_day = 60;
    parameters.days = 14;
    parameters.products = 20;
    parameters.fraud = Fraud { acts_per_day: 10, packs_per_act_max: 3 };
    parameters.dirt =
        Dirt { issued_late_ppm: 100_000, held_up_ppm: 100_000, deleted_ppm: 30_000, ..Dirt::usual() };
    case_of("province", &parameters)
}

/// A simulated province by name.
pub(crate) fn case_of(name: &str, parameters: &Parameters) -> Case {
    let reference: Vec<Value> =
        sim::reference(parameters).map(|record| serde_json::from_str(&record).unwrap()).collect();
    let uploads: Vec<String> = sim::uploads(parameters).map(|upload| upload.json).collect();
    let until = Timestamp::from_unix_millis(parameters.until());
    let (now, expected) = in_memory(&reference, &uploads, Some(until));
    Case { name: name.to_owned(), reference, uploads, now, expected }
}

/// Where the same stages end in memory: when, and with what.
fn in_memory(reference: &[Value], uploads: &[String], until: Option<Timestamp>) -> (Timestamp, Answer) {
    let mut local = local::start(reference, &local::options(""));
    local::feed(&mut local, uploads);
    local.finish(until).unwrap();
    let now = local.now().expect("some upload is accepted");
    (now, Ended::of(&mut local).answer)
}
