//! What each institution sends, by the day: what is counted of which record, that the sums do not depend on order, batches
//! or partitions, and what `senders` says to a vendor. That what stands equals the second implementation's counts is
//! looked at with the random worlds.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use tracewarden::run::local::LocalOptions;

use crate::support::local::{feed, options, start};

const PHARMACY: &str = "P37020300001";
const CLINIC: &str = "P44030500003";
const PACKS: [&str; 2] = ["81773220000000016835", "81773220000000016842"];
const DAY: &str = "2026-01-05";

/// A document of a line, at ten o'clock of a day, issued at a moment.
fn document(institution: &str, kind: &str, id: &str, day: &str, issued_at: &str, codes: &[&str]) -> Value {
    json!({
        "document_id": id, "kind": kind, "institution_id": institution, "issued_at": issued_at,
        "occurred_at": format!("{day}T10:00:00+08:00"), "settlement_id": format!("N-{institution}"),
        "lines": [{"line_id": "1", "product_code": "XR05CBA198A001010100863", "quantity": "1", "trace_codes": codes}],
    })
}

/// Two institutions' days: an honest claim that borrows, a late hand-over, a correction that is sent twice, a refused
/// record, one that names nobody, and a reversal of what never came.
fn uploads() -> Vec<String> {
    let at = |time: &str| format!("{DAY}T{time}+08:00");
    let reversal = json!({
        "document_id": "R1", "kind": "reversal", "institution_id": CLINIC, "issued_at": at("12:00:00"),
        "reverses": {"group": "dispensing", "document_id": "never came"},
    });
    let mut unreadable = document(CLINIC, "dispense", "D9", DAY, &at("10:00:00"), &[]);
    unreadable["lines"][0]["quantity"] = json!("two");
    let claim = document(PHARMACY, "settlement", "S1", DAY, &at("10:00:05"), &[]);
    [
        claim.clone(),
        claim,
        document(PHARMACY, "dispense", "D1", DAY, &at("10:00:01"), &PACKS[..1]),
        document(PHARMACY, "dispense", "D2", "2026-01-01", &at("10:00:02"), &PACKS[1..]),
        document(CLINIC, "settlement", "S1", DAY, &at("10:30:00"), &[]),
        unreadable,
        reversal,
    ]
    .iter()
    .map(Value::to_string)
    .chain(["no JSON".to_owned()])
    .collect()
}

/// The sums over all writers: by institution and day, the counts that are not 0; those by name as `field.name`.
fn counted(uploads: &[String], options: &LocalOptions) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut local = start(&[], options);
    feed(&mut local, uploads);
    local.finish(None).expect("the run ends");
    local.drain().expect("what was published can be read");
    let mut sums: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for record in local.sender_days() {
        let record: Value = serde_json::from_slice(record).expect("a record of senders is JSON");
        let key = format!(
            "{} {}",
            record["institution_id"].as_str().unwrap_or("-"),
            record["day"].as_str().expect("a day")
        );
        let sum = sums.entry(key).or_default();
        let mut add = |name: String, count: &Value| {
            if let Some(count @ 1..) = count.as_u64() {
                *sum.entry(name).or_default() += count;
            }
        };
        for (field, value) in record.as_object().expect("an object") {
            match value {
                Value::Object(named) => {
                    named.iter().for_each(|(name, count)| add(format!("{field}.{name}"), count));
                }
                _ if field != "revision" => add(field.clone(), value),
                _ => {}
            }
        }
    }
    sums
}

fn counts(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn every_record_counts_under_its_institution_and_day() {
    let found = counted(&uploads(), &options(""));
    let expected = [
        ("P37020300001 2026-01-01", counts(&[("documents", 1), ("documents_late", 1)])),
        (
            "P37020300001 2026-01-05",
            counts(&[
                ("documents", 2),
                ("lines_need_codes", 1),
                ("lines_with_code", 1),
                ("lines_with_lent_code_only", 1),
                ("records_read", 4),
                ("uploads_duplicate", 1),
                ("uploads_read", 4),
            ]),
        ),
        (
            "P44030500003 2026-01-05",
            counts(&[
                ("documents", 1),
                ("lines_need_codes", 1),
                ("records_read", 3),
                ("records_rejected.malformed_field", 1),
                ("reversals_waiting", 1),
                ("uploads_read", 2),
            ]),
        ),
        // Of the day of the upload before it.
        ("- 2026-01-05", counts(&[("records_read", 1), ("records_rejected.unparseable", 1)])),
    ];
    let expected: BTreeMap<String, _> =
        expected.into_iter().map(|(key, counts)| (key.to_owned(), counts)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_sums_do_not_depend_on_order_batches_or_partitions() {
    let uploads = uploads();
    let expected = counted(&uploads, &options(""));
    for turn in 0..uploads.len() {
        let mut turned = uploads.clone();
        // What names nothing stays behind something that says a day.
        turned[..uploads.len() - 1].rotate_left(turn % (uploads.len() - 1));
        let shape = LocalOptions { batch_records_max: turn + 1, partitions: 3, ..options("") };
        assert_eq!(counted(&turned, &shape), expected, "turned by {turn}");
    }
}

#[test]
fn a_reversal_waits_until_what_it_takes_back_comes() {
    let at = |time: &str| format!("{DAY}T{time}+08:00");
    let late = document(CLINIC, "dispense", "never came", DAY, &at("11:00:00"), &[]).to_string();
    let waiting = |uploads: &[String]| {
        let counts = counted(uploads, &options(""));
        let of_clinic = &counts[&format!("{CLINIC} {DAY}")];
        [of_clinic.get("reversals_waiting").copied(), of_clinic.get("documents").copied()]
    };
    let mut uploads = uploads();
    assert_eq!(waiting(&uploads), [Some(1), Some(1)]);
    uploads.push(late.clone());
    assert_eq!(waiting(&uploads), [None, Some(1)], "it came and is taken back");
    uploads.insert(0, uploads[uploads.len() - 1].clone());
    assert_eq!(waiting(&uploads), [None, Some(1)]);
}

#[test]
fn the_schema_says_what_a_record_has() {
    let schema = include_str!("../../proto/tracewarden/v1/sender.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    let mut local = start(&[], &options(""));
    feed(&mut local, &uploads());
    local.finish(None).expect("the run ends");
    local.drain().expect("what was published can be read");
    for record in local.sender_days() {
        let record: Value = serde_json::from_slice(record).expect("a record of senders is JSON");
        let record = record.as_object().expect("an object");
        let properties = schema["properties"].as_object().expect("properties");
        assert_eq!(record.keys().collect::<Vec<_>>(), properties.keys().collect::<Vec<_>>());
        assert_eq!(schema["required"].as_array().map(Vec::len), Some(properties.len()));
        for (name, value) in record {
            let types = &properties[name]["type"];
            let is = match value {
                Value::Null => "null",
                Value::String(_) => "string",
                Value::Object(_) => "object",
                _ => "integer",
            };
            assert!(
                types == is || types.as_array().is_some_and(|types| types.contains(&json!(is))),
                "{name}"
            );
        }
    }
}

#[test]
fn the_command_ends_with_a_verdict_that_a_vendor_can_work_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("uploads.ndjson");
    let run = |uploads: &[String], language: &str| {
        std::fs::write(&file, uploads.join("\n")).expect("the uploads are written");
        let ended = Command::new(env!("CARGO_BIN_EXE_tracewarden"))
            .args(["senders", "--language", language])
            .arg(&file)
            .output()
            .expect("the binary runs");
        (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    let (code, said) = run(&uploads(), "en");
    assert_eq!(code, Some(1), "{said}");
    for told in [
        "P44030500003: to be mended",
        "1 of 1 settlement lines that need a trace code neither have one nor borrow one",
        "1 of 3 records are rejected as a whole (malformed_field)",
        &format!("{}:6  `lines[0].quantity` must be", file.display()),
        "1 of 3 documents were first issued more than 48 hours after they happened",
        "notice: reversals that wait for what they take back: 1",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    let honest = &uploads()[..3];
    let (code, said) = run(honest, "zh");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("P37020300001：合格"), "{said}");
}
