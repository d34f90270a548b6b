//! A document followed by its reversal leaves the same open alerts and decisions as never having been seen, at the
//! same `now`. Their revisions and the withdrawn ones tell that it was there.

use serde_json::{Value, json};

use super::worlds::run;
use oracle::world::dice::Dice;
use oracle::{World, world};

/// Random worlds, each with a few of its documents taken back.
const WORLDS: u64 = 60;
/// Documents of one world that are taken back, one at a time.
const TAKEN_BACK: usize = 3;

#[test]
fn what_was_taken_back_was_never_there() {
    let mut tried = 0;
    for seed in 0..WORLDS {
        let world = world(seed);
        let dice = &mut Dice::new(seed);
        let mut documents: Vec<(String, &str, String)> = world.uploads.iter().filter_map(identity).collect();
        documents.sort();
        documents.dedup();
        dice.shuffle(&mut documents);
        for document in documents.iter().take(TAKEN_BACK) {
            tried += 1;
            let (without, with) = taken_back(&world, document, dice);
            let (never_seen, reversed) = (run(&without, 1000, 1), run(&with, 7, 2));
            let text = reversed.complaint(&never_seen.answer);
            assert!(text.is_empty(), "seed {seed}, {document:?}:\n{text}\n{}", with.to_ndjson());
        }
    }
    assert!(tried > 100, "too few documents were tried: {tried}");
}

/// The world without the document, and with the document and its reversal, which may come before it. Both end at the
/// same moment, the last at which anything was issued or later.
fn taken_back(world: &World, document: &(String, &str, String), dice: &mut Dice) -> (World, World) {
    const AFTER_ALL: &str = "2031-01-01T00:00:00+08:00";
    let (institution_id, group, document_id) = document;
    let reversal = json!({
        "document_id": "taken-back", "kind": "reversal", "institution_id": institution_id, "issued_at": AFTER_ALL,
        "reverses": { "group": group, "document_id": document_id },
    });
    let others = world.uploads.iter().filter(|upload| identity(upload).as_ref() != Some(document));
    let without = World { uploads: others.cloned().collect(), until: AFTER_ALL.into(), ..world.clone() };
    let mut with = World { until: AFTER_ALL.into(), ..world.clone() };
    with.uploads.push(reversal);
    dice.shuffle(&mut with.uploads);
    (without, with)
}

/// Institution, group and document id of an upload that is a version of a document.
fn identity(upload: &Value) -> Option<(String, &'static str, String)> {
    let group = match upload["kind"].as_str()? {
        "reversal" | "ruling" | "payment" => return None,
        "settlement" => "settlement",
        "dispense" | "dispense_return" => "dispensing",
        _ => "procurement",
    };
    let text = |name: &str| upload[name].as_str().map(str::to_owned);
    Some((text("institution_id")?, group, text("document_id")?))
}
