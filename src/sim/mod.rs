//! A simulated province: what its institutions upload, and what was planted.
//!
//! Nobody gets real uploads to try the system with, so this is how users, rule authors and tests judge it. The
//! path of an upload: [`Province`] goes through the days hour by hour; honest trade (`trade`, `visit`) and planted
//! acts (`fraud`) make documents, each as its sender works (`senders`); they pass the accidents of `dirt`, are written as
//! canonical JSON by `writer`, or as messages of the national interface by `national`, and go out in the order of sending.
//! What must be found is stated as [`Truth`] at the same time, after the dirt; [`evaluate`](crate::evaluate) compares
//! alerts and decisions with it. The commands `simulate` and `evaluate` do both with files.
//!
//! Everything is a function of [`Parameters`]: the same seed gives the same bytes. It is not a model of how often
//! fraud happens, and it knows nothing of topics, partitions or the wire formats of the stages.

mod catalogue;
mod dirt;
mod document;
mod fraud;
mod masters;
mod national;
mod parameters;
mod places;
mod province;
mod random;
mod reference;
mod senders;
mod trade;
mod truth;
mod verdict;
mod visit;
mod writer;

pub use parameters::{Dirt, Fraud, Habits, Parameters, Senders, UploadForm};
pub use province::Province;
pub use truth::{Act, DocumentRef, Effect, LineRef, Truth};

use crate::domain::document::Group;
use crate::domain::reference::Book;
use crate::domain::time::Day;
use crate::wire::inbound::reference::from_json;
use crate::wire::inbound::reject::Reject;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
const DAY: i64 = 24 * HOUR;

/// The day of a moment, Beijing time.
fn day_of(at: i64) -> Day {
    Day::from_days_since_epoch(i32::try_from((at + 8 * HOUR).div_euclid(DAY)).unwrap_or(i32::MAX))
}

/// One upload and when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedUpload {
    /// When it reaches the topic, in Unix milliseconds.
    pub sent_at: i64,
    /// The topic it belongs to.
    pub group: Group,
    /// The upload in canonical form, or a message of the national interface; one line.
    pub json: String,
}

/// All uploads of a province in the order of their sending.
pub fn uploads(parameters: &Parameters) -> Province {
    Province::new(parameters)
}

/// The reference data of the province: one NDJSON record each.
pub fn reference(parameters: &Parameters) -> impl Iterator<Item = String> + use<> {
    reference::records(places::World::new(parameters))
}

/// The same, as those who attach it look it up.
pub fn book(parameters: &Parameters) -> Result<Book, Reject> {
    let mut book = Book::default();
    for record in reference(parameters) {
        book.extend(from_json(record.as_bytes())?.into_change());
    }
    Ok(book)
}

/// Everything that is true of the whole run. Makes and drops all uploads; who sends them anyway takes the truth
/// from [`Province::take_truth`] on the way.
pub fn truth(parameters: &Parameters) -> Vec<Truth> {
    let mut province = Province::new(parameters);
    let mut all = Vec::new();
    while province.next().is_some() {
        all.append(&mut province.take_truth());
    }
    all
}
