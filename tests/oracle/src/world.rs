//! Random nasty worlds: small enough to be read, dense enough that everything collides.
//!
//! A world has few institutions, few packages and a coarse grid of times, so that sales meet sales, stamps tie and
//! graces end near `until`. Each world has a taste of its own ([`episodes::Taste`]); the same seed makes the same world.
//!
//! What worlds leave out because the text does not decide it: two versions of one header with one stamp and
//! different persons; code objects without `code`; `returns` and `counterparty` objects without content; HIBC codes
//! with a serial; AIs other than 01, 10, 17 and 21 in valid codes.

mod codes;
pub mod dice;
mod dirt;
mod episodes;
mod reference_log;
mod versions;

use std::collections::BTreeMap;

use serde_json::Value;

use self::dice::Dice;
use self::episodes::{Episodes, Taste, write_time};
use super::moment::{DAY_MS, HOUR_MS, Timestamp};
use super::{Answer, judge};

/// Everything that an answer depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The reference log.
    pub reference: Vec<Value>,
    /// The uploads, in order of arrival.
    pub uploads: Vec<Value>,
    /// The end of time, RFC 3339.
    pub until: String,
}

impl World {
    /// The oracle's answer.
    pub fn judged(&self) -> Answer {
        let until = Timestamp::parse(&self.until).expect("worlds end at a time that can be read");
        judge(&self.reference, &self.uploads, until)
    }

    /// The world as NDJSON: `reference.ndjson`, `uploads.ndjson` and `until` of an example, each under its name.
    pub fn to_ndjson(&self) -> String {
        let lines = |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
        let (reference, uploads) = (lines(&self.reference), lines(&self.uploads));
        format!("== reference.ndjson\n{reference}== uploads.ndjson\n{uploads}== until\n{}\n", self.until)
    }
}

/// The world of a seed.
pub fn world(seed: u64) -> World {
    let dice = &mut Dice::new(seed);
    let institutions = reference_log::institutions(dice);
    let reference = reference_log::log(dice, &institutions);
    let taste = taste(dice, institutions, &reference);
    let count = dice.pick(&[4, 8, 14, 20, 30]);
    let [again_percent, dirt_percent] = [dice.pick(&[5, 25, 50]), dice.pick(&[0, 5, 15])];
    let mut episodes = Episodes { dice, taste, uploads: Vec::new() };
    for _ in 0..count {
        episodes.happen();
        if episodes.dice.chance(again_percent) {
            episodes.happen_again();
        }
        if episodes.dice.chance(dirt_percent) {
            episodes.spoil();
        }
    }
    let mut uploads = episodes.uploads;
    agree_on_persons(&mut uploads);
    dice.shuffle(&mut uploads);
    let until = until(dice, &uploads);
    World { reference, uploads, until }
}

fn taste(dice: &mut Dice, institutions: Vec<String>, reference: &[Value]) -> Taste {
    let packages: Vec<_> = (0..dice.between(1, 4)).map(|_| codes::package(dice)).collect();
    let product = |prefix: String| {
        let record =
            reference.iter().rfind(|record| record["type"] == "product" && record["prefix"] == *prefix)?;
        record["product_code"].as_str().map(str::to_owned)
    };
    Taste {
        products: packages.iter().map(|package| package.prefix().and_then(product)).collect(),
        packages,
        institutions,
        split_percent: dice.pick(&[0, 10, 50, 95]),
        grid_ms: dice.pick(&[HOUR_MS / 2, 8 * HOUR_MS, 12 * HOUR_MS, DAY_MS]),
        steps: dice.pick(&[3, 8, 16]),
        late_ms_max: dice.pick(&[0, DAY_MS, 2 * DAY_MS, 9 * DAY_MS]),
        id_percent: dice.pick(&[10, 50, 90]),
        many_percent: dice.pick(&[10, 30, 80]),
        odd_percent: dice.pick(&[3, 12, 30]),
    }
}

/// Of header versions of one document with one stamp all name the first one's person: their pseudonyms would decide
/// otherwise, and those the oracle does not know.
fn agree_on_persons(uploads: &mut [Value]) {
    let mut persons: BTreeMap<String, [Option<Value>; 2]> = BTreeMap::new();
    for upload in uploads {
        let issued_at = upload["issued_at"].as_str().and_then(Timestamp::parse);
        let key = format!("{} {} {issued_at:?}", upload["institution_id"], upload["document_id"]);
        let Some(fields) = upload.as_object_mut() else { continue };
        if !fields.contains_key("occurred_at") {
            continue;
        }
        let own = ["person_id", "person_cert"].map(|name| fields.get(name).cloned());
        let agreed = persons.entry(key).or_insert(own).clone();
        for (name, value) in ["person_id", "person_cert"].into_iter().zip(agreed) {
            match value {
                Some(value) => drop(fields.insert(name.to_owned(), value)),
                None => drop(fields.remove(name)),
            }
        }
    }
}

/// An end: around the end of a grace of some upload, or long after everything.
fn until(dice: &mut Dice, uploads: &[Value]) -> String {
    let times = uploads.iter().flat_map(|upload| [&upload["issued_at"], &upload["occurred_at"]]);
    let times: Vec<Timestamp> = times.filter_map(|time| Timestamp::parse(time.as_str()?)).collect();
    let Some(latest) = times.iter().max().copied() else { return "2026-03-10T00:00:00+08:00".to_owned() };
    let until = match dice.below(10) {
        0 => Timestamp(latest.0 - 30 * DAY_MS),
        1..=3 => Timestamp(latest.0 + 30 * DAY_MS),
        _ => {
            let grace = dice.pick(&[48 * HOUR_MS, 72 * HOUR_MS]);
            Timestamp(dice.pick(&times).0 + grace + dice.between(-1, 1))
        }
    };
    write_time(dice, until)
}
