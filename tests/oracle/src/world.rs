//! Random nasty worlds: small enough to be read, dense enough that everything collides.
//!
//! A world has few institutions, few packages and a coarse grid of times, so that sales meet sales, stamps tie and
//! graces end near `until`. Each world has a taste of its own ([`episodes::Taste`]); the same seed makes the same world.
//!
//! What worlds leave out because the text does not decide it: two versions of one header with one stamp and
//! different persons; code objects without `code`; `returns` and `counterparty` objects without content; HIBC codes
//! with a serial; closing brackets and separators within values of bracketed element strings.

mod carriers;
mod codes;
pub mod dice;
mod dirt;
mod episodes;
mod hand_over;
mod handling;
mod lines;
mod reference_log;
mod versions;
mod written;

use std::collections::BTreeMap;

use serde_json::Value;

use self::dice::Dice;
use self::episodes::{Episodes, Taste, read_time, write_time};
use super::moment::{DAY_MS, Day, HOUR_MS, SECOND_MS, Timestamp};
use super::{Answer, Standing, judge, standing_of};

/// Everything that an answer depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The reference log.
    pub reference: Vec<Value>,
    /// The uploads, in order of arrival: objects, or the texts of uploads as they were written.
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

    /// What stands of each institution's documents by day.
    pub fn standing(&self) -> Standing {
        standing_of(&self.reference, &self.uploads)
    }

    /// The same world with most uploads as senders write them: texts in place of objects, in which names stand twice
    /// and the like. Some uploads are malformed only so, and the answer is another one.
    pub fn as_written(&self) -> World {
        let uploads = self.uploads.iter().map(|upload| match upload {
            Value::Object(_) => Value::String(written::written(upload)),
            _ => upload.clone(),
        });
        World { uploads: uploads.collect(), ..self.clone() }
    }

    /// The text of an upload of a world, whether it stands there as an object or as a text.
    pub fn text(upload: &Value) -> String {
        upload.as_str().map_or_else(|| upload.to_string(), str::to_owned)
    }

    /// The world as NDJSON: `reference.ndjson`, `uploads.ndjson` and `until` of an example, each under its name.
    pub fn to_ndjson(&self) -> String {
        let lines = |values: &[Value]| values.iter().map(|value| format!("{value}\n")).collect::<String>();
        let reference = lines(&self.reference);
        let uploads: String = self.uploads.iter().map(|upload| World::text(upload) + "\n").collect();
        format!("== reference.ndjson\n{reference}== uploads.ndjson\n{uploads}== until\n{}\n", self.until)
    }
}

/// What happens more in a world than anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Nothing: whatever the seed has a taste for.
    Anything,
    /// Hand-overs that lend to settlements, one or two to one or two, corrected and taken back on either side, days
    /// late.
    Lending,
    /// Rulings of claims, before, between and after their versions, and payments.
    Handling,
}

/// The world of a seed.
pub fn world(seed: u64) -> World {
    themed(seed, Theme::Anything)
}

/// The world of a seed in which one thing happens most.
pub fn themed(seed: u64, theme: Theme) -> World {
    let dice = &mut Dice::new(seed);
    let institutions = reference_log::institutions(dice);
    // Some worlds lie around the day of the duty (2025-07-01).
    let first_day = Day::parse(dice.pick(&["2026-03-01", "2026-03-01", "2026-03-01", "2025-06-29"]));
    let first_day = first_day.expect("it is a day");
    let reference = reference_log::log(dice, &institutions, first_day);
    let mut taste = taste(dice, institutions, &reference, first_day);
    let count = dice.pick(&[4, 8, 14, 20, 30]);
    let [mut again_percent, mut dirt_percent] = [dice.pick(&[5, 25, 50]), dice.pick(&[0, 5, 15])];
    let mut handling_percent = dice.pick(&[0, 15, 40]);
    match theme {
        Theme::Anything => {}
        Theme::Lending => {
            taste.lend_percent = 80;
            taste.late_ms_max = dice.pick(&[DAY_MS, 2 * DAY_MS, 9 * DAY_MS]);
            // Few places, so that numbers meet.
            taste.institutions.truncate(dice.pick(&[1, 1, 2]));
            again_percent = 60;
            dirt_percent = 0;
        }
        Theme::Handling => {
            taste.lend_percent = dice.pick(&[10, 45]);
            taste.institutions.truncate(dice.pick(&[1, 2, 3]));
            handling_percent = 95;
        }
    }
    let mut episodes = Episodes { dice, taste, uploads: Vec::new() };
    for _ in 0..count {
        episodes.happen();
        if episodes.dice.chance(again_percent) {
            episodes.happen_again();
        }
        if episodes.dice.chance(handling_percent) {
            episodes.handle();
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

fn taste(dice: &mut Dice, institutions: Vec<String>, reference: &[Value], first_day: Day) -> Taste {
    let packages: Vec<_> = (0..dice.between(1, 4)).map(|_| codes::package(dice)).collect();
    let product = |prefix: String| {
        // A GTIN stands in the reference with or without the zeros before it.
        let is_same = |written: &str| written.trim_start_matches('0') == prefix.trim_start_matches('0');
        let is_product =
            |record: &&Value| record["type"] == "product" && record["prefix"].as_str().is_some_and(is_same);
        reference.iter().rfind(is_product)?["product_code"].as_str().map(|code| code.trim().to_owned())
    };
    Taste {
        products: packages.iter().map(|package| package.prefix().and_then(product)).collect(),
        packages,
        institutions,
        first_day,
        split_percent: dice.pick(&[0, 10, 50, 95]),
        grid_ms: dice.pick(&[HOUR_MS / 2, 8 * HOUR_MS, 12 * HOUR_MS, DAY_MS]),
        steps: dice.pick(&[3, 8, 16]),
        late_ms_max: dice.pick(&[0, DAY_MS, 2 * DAY_MS, 9 * DAY_MS]),
        id_percent: dice.pick(&[10, 50, 90]),
        many_percent: dice.pick(&[10, 30, 80]),
        odd_percent: dice.pick(&[3, 12, 30]),
        mangled_percent: dice.pick(&[0, 10, 40]),
        day_percent: dice.pick(&[0, 0, 15, 60]),
        plain_percent: dice.pick(&[0, 10, 40]),
        refund_percent: dice.pick(&[0, 5, 30]),
        lend_percent: dice.pick(&[0, 10, 45]),
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
    // A sale given as a day counts as of its last second.
    let times = times.filter_map(|time| match time.as_str().and_then(Day::parse) {
        Some(day) => Some(Timestamp(day.later(1).beginning().0 - SECOND_MS)),
        None => read_time(time),
    });
    let times: Vec<Timestamp> = times.collect();
    let Some(latest) = times.iter().max().copied() else { return "2026-03-10T00:00:00+08:00".to_owned() };
    let until = match dice.below(10) {
        0 => Timestamp(latest.0 - 30 * DAY_MS),
        1..=3 => Timestamp(latest.0 + 30 * DAY_MS),
        _ => {
            let grace = dice.pick(&[48 * HOUR_MS, 72 * HOUR_MS]);
            // What is known late counts as known after seven days.
            let grace = grace + dice.pick(&[0, 0, 0, 7 * DAY_MS]);
            Timestamp(dice.pick(&times).0 + grace + dice.between(-1, 1))
        }
    };
    write_time(dice, until)
}
