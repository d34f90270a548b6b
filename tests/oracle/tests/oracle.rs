//! The oracle against the examples whose answers two other implementations agreed on, and the generator of worlds
//! against what it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use oracle::upload::{self, Content};
use oracle::{Answer, Timestamp, World};
use serde_json::Value;

#[test]
fn every_example_has_the_demanded_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 62, "only {} examples in {}", names.len(), folder.display());
    let mut report = String::new();
    for example in names {
        let until = fs::read_to_string(example.join("until")).unwrap();
        let until = Timestamp::parse(until.trim()).unwrap();
        let text = |name: &str| fs::read_to_string(example.join(name)).unwrap();
        let expected = Answer::from_json(&serde_json::from_str(&text("expected.json")).unwrap());
        let answer = oracle::judge_text(&text("reference.ndjson"), &text("uploads.ndjson"), until);
        let difference = expected.difference(&answer);
        if !difference.is_empty() {
            writeln!(report, "{}\n{difference}", example.file_name().unwrap().display()).unwrap();
        }
    }
    assert!(report.is_empty(), "expected (-) and found (+) differ:\n{report}");
}

const SEEDS: u64 = 300;

/// What can alert: rule, basis, scope.
const FINDINGS: [(&str, &str, &str); 29] = [
    ("no_code", "-", "-"),
    ("short_codes", "-", "-"),
    ("invalid_code", "-", "-"),
    ("swap", "catalogue", "-"),
    ("swap", "declared", "-"),
    ("repeated_in_document", "-", "-"),
    ("refund_unmatched", "-", "-"),
    ("duplicate_settlement", "-", "institution"),
    ("duplicate_settlement", "-", "region"),
    ("duplicate_settlement", "-", "other_region"),
    ("resale", "-", "institution"),
    ("resale", "-", "region"),
    ("resale", "-", "other_region"),
    ("over_split", "-", "-"),
    ("over_split", "-", "institution"),
    ("over_split", "-", "region"),
    ("over_split", "-", "other_region"),
    ("held_elsewhere", "-", "-"),
    ("sold_after_stock_out", "-", "-"),
    ("person_mismatch", "-", "-"),
    ("reflow", "-", "institution"),
    ("reflow", "-", "region"),
    ("reflow", "-", "other_region"),
    // Never at one institution: the buyer is not a holder, the other one is.
    ("duplicate_purchase", "-", "region"),
    ("duplicate_purchase", "-", "other_region"),
    ("settled_not_dispensed", "-", "-"),
    ("not_purchased", "-", "-"),
    ("return_not_refunded", "-", "-"),
    ("reason of a decision", "banned", "-"),
];

/// Every kind of §1.3 and §5.
const KINDS: [&str; 18] = [
    "purchase_in",
    "transfer_in",
    "gift_in",
    "gain_in",
    "other_in",
    "purchase_return",
    "transfer_out",
    "gift_return",
    "loss_out",
    "destroyed",
    "other_out",
    "stocktake",
    "dispense",
    "dispense_return",
    "settlement",
    "reversal",
    "ruling",
    "payment",
];

#[test]
fn worlds_show_every_rule_and_every_kind() {
    let mut findings: BTreeMap<(String, String, String), BTreeSet<u64>> = BTreeMap::new();
    let mut kinds: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut rejected = BTreeSet::new();
    for seed in 0..SEEDS {
        let world = oracle::world(seed);
        for value in &world.uploads {
            let kind = match upload::read(value).map(|upload| upload.content) {
                Ok(Content::Parts(parts)) => parts.header.map(|header| header.kind),
                Ok(Content::Reversal { .. }) => Some("reversal".to_owned()),
                Ok(Content::Ruling(_)) => Some("ruling".to_owned()),
                Ok(Content::Payment) => Some("payment".to_owned()),
                Err(_) => {
                    rejected.insert(seed);
                    None
                }
            };
            kinds.entry(kind.unwrap_or_default()).or_default().insert(seed);
        }
        let answer = world.judged();
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        for alert in &answer.alerts {
            let key = (word(&alert["rule"]), word(&alert["basis"]), word(&alert["scope"]));
            findings.entry(key).or_default().insert(seed);
        }
        if answer.decisions.iter().any(|decision| decision["lines"].to_string().contains("\"banned\"")) {
            let key = ("reason of a decision".to_owned(), "banned".to_owned(), "-".to_owned());
            findings.entry(key).or_default().insert(seed);
        }
    }
    let mut table = format!("worlds of {SEEDS} with:\n{:5} a rejected upload\n", rejected.len());
    let mut rare = Vec::new();
    for (rule, basis, scope) in FINDINGS {
        let seeds = findings.remove(&(rule.into(), basis.into(), scope.into())).unwrap_or_default();
        writeln!(table, "{:5} {rule} {basis} {scope}", seeds.len()).unwrap();
        rare.extend((seeds.len() < 5).then(|| format!("{rule} {basis} {scope}")));
    }
    for kind in KINDS {
        let seeds = kinds.remove(kind).unwrap_or_default();
        writeln!(table, "{:5} {kind}", seeds.len()).unwrap();
        rare.extend((seeds.len() < 5).then(|| kind.to_owned()));
    }
    print_table(&table);
    assert!(rejected.len() >= 5, "hardly any rejected upload:\n{table}");
    assert!(rare.is_empty(), "too rare: {rare:?}\n{table}");
    assert!(findings.is_empty(), "not among the rules' findings: {findings:?}");
}

#[allow(clippy::print_stdout, reason = "the table is what --nocapture is for")]
fn print_table(table: &str) {
    println!("{table}");
}

#[test]
fn the_order_of_arrival_and_repetitions_mean_nothing() {
    for seed in 0..SEEDS {
        // Every second world as senders write it.
        let world = oracle::world(seed);
        let world = if seed % 2 == 0 { world } else { world.as_written() };
        let answer = world.judged();
        let mut reversed = world.clone();
        reversed.uploads.reverse();
        let mut doubled = world.clone();
        doubled.uploads.extend(world.uploads.iter().step_by(2).cloned());
        doubled.uploads.rotate_left(world.uploads.len() / 3);
        for other in [reversed, doubled] {
            let difference = answer.difference(&other.judged());
            assert!(difference.is_empty(), "seed {seed}:\n{difference}\n{}", world.to_ndjson());
        }
    }
}

#[test]
fn texts_and_objects_are_read_alike() {
    for seed in 0..SEEDS / 10 {
        let world = oracle::world(seed).as_written();
        let reference: String = world.reference.iter().map(|record| format!("{record}\n")).collect();
        let uploads: String = world.uploads.iter().map(|upload| World::text(upload) + "\n").collect();
        let until = Timestamp::parse(&world.until).unwrap();
        assert_eq!(oracle::judge_text(&reference, &uploads, until), world.judged(), "seed {seed}");
    }
}

#[test]
fn a_seed_is_a_world() {
    assert_eq!(oracle::world(7), oracle::world(7));
    assert_ne!(oracle::world(7), oracle::world(8));
}

#[test]
fn shrinking_keeps_what_fails_and_drops_the_rest() {
    let resells = |world: &World| world.judged().alerts.iter().any(|alert| alert["rule"] == "resale");
    let world =
        (0..SEEDS).map(oracle::world).find(|world| world.uploads.len() > 20 && resells(world)).unwrap();
    let small = oracle::shrink(world, &resells);
    assert!(resells(&small));
    // A resale is two sales of one code, each a document of one line with one code.
    assert_eq!(small.uploads.len(), 2, "{}", small.to_ndjson());
    for upload in &small.uploads {
        assert_eq!(upload["lines"].as_array().map(Vec::len), Some(1), "{}", small.to_ndjson());
        assert_eq!(
            upload["lines"][0]["trace_codes"].as_array().map(Vec::len),
            Some(1),
            "{}",
            small.to_ndjson()
        );
        assert!(upload["lines"][0].get("amount").is_none(), "{}", small.to_ndjson());
    }
}

#[test]
fn a_difference_names_what_is_missing_and_what_is_too_much() {
    let worlds = || (0..SEEDS).map(oracle::world).map(|world| world.judged());
    let answer = worlds().find(|answer| answer.alerts.len() > 1).unwrap();
    let mut other = answer.clone();
    let alert = other.alerts.remove(0);
    let missing = answer.difference(&other);
    assert!(
        missing.starts_with("- alert ") && missing.contains(alert["rule"].as_str().unwrap()),
        "{missing}"
    );
    assert!(other.difference(&answer).starts_with("+ alert "));
    assert_eq!(answer.difference(&answer), "");
}
