//! From a simulated province through `replay` to `evaluate`, on the command line: everything planted is found and
//! nothing else, a worse configuration shows in the comparison, and wrong files are named. The same in one go: `demo`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{complaint, printed, tracewarden};

/// A province of a few seconds; enough acts for every kind within its days.
const SMALL: &str = "days = 14\ninstitutions = 12\ncodes_per_day = 60\nproducts = 20\n\
                     [habits]\nshelves_per_institution = 20\n[fraud]\nacts_per_day = 9\npacks_per_act_max = 3\n";

/// A folder with a province in `p` and what a replay of it published in `o`.
fn province(options: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    fs::write(folder.join("small.toml"), SMALL).expect("parameters");
    printed(folder, &format!("simulate --parameters small.toml --out p {options}"));
    replay(folder, "--out o");
    home
}

fn replay(folder: &Path, options: &str) {
    let until = fs::read_to_string(folder.join("p/until")).expect("a moment");
    let words = "replay p/uploads.ndjson --reference p/reference.ndjson --until";
    printed(folder, &format!("{words} {} {options}", until.trim()));
}

const EVALUATE: &str =
    "evaluate --alerts o/alerts.ndjson --decisions o/decisions.ndjson --truth p/truth.ndjson --json r.json";

fn json(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("r.json")).expect("a result")).expect("JSON")
}

#[test]
fn what_is_planted_is_found_in_a_clean_province_and_in_a_dirty_one() {
    for (seed, dirt) in [(1, "none"), (2, "usual")] {
        let home = province(&format!("--seed {seed} --dirt {dirt}"));
        let folder = home.path();
        let table = printed(folder, &format!("{EVALUATE} --uploads p/uploads.ndjson"));
        let result = json(folder);
        let rules = result["rules"].as_object().expect("rules");
        assert!(rules.len() >= 15, "{dirt}: only {}\n{table}", rules.len());
        for (rule, score) in rules {
            assert_eq!(
                (&score["recall"], &score["precision"]),
                (&1.0.into(), &1.0.into()),
                "{dirt}: {rule}\n{table}"
            );
            let is_alerted = score["alerts"].as_u64() > Some(0);
            assert_eq!(score["time_to_alert"].is_object(), is_alerted, "{dirt}: {rule}\n{table}");
        }
        for list in ["missed", "unexplained", "inexact"] {
            assert_eq!(result[list], Value::Array(Vec::new()), "{dirt}: {list}\n{table}");
        }
        assert_eq!(result["lines"]["expected"], result["lines"]["found"], "{dirt}\n{table}");
        assert_eq!(result["money_missed"], "0.00", "{dirt}");
        assert_ne!(result["money_found"], "0.00", "{dirt}");
        assert!(result["scans"].as_u64() > Some(2_000), "{dirt}: {}", result["scans"]);
        assert!(rules["resale"]["alerts_per_10000_scans"].as_f64() > Some(0.0), "{dirt}");
    }
}

/// One file holds the other's uploads, compressed.
#[test]
fn a_compressed_province_in_the_national_form_is_read_like_any_other() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    fs::write(folder.join("small.toml"), SMALL).expect("parameters");
    let simulate = "simulate --parameters small.toml --seed 6 --form national";
    printed(folder, &format!("{simulate} --out plain"));
    printed(folder, &format!("{simulate} --out p --uploads uploads.ndjson.zst"));
    let plain = fs::read(folder.join("plain/uploads.ndjson")).expect("uploads");
    let compressed = fs::read(folder.join("p/uploads.ndjson.zst")).expect("uploads");
    assert!(compressed.len() * 3 < plain.len(), "{} of {} bytes", compressed.len(), plain.len());
    assert_eq!(zstd::decode_all(compressed.as_slice()).expect("it is complete"), plain);

    let until = fs::read_to_string(folder.join("p/until")).expect("a moment");
    let words = "replay p/uploads.ndjson.zst --reference p/reference.ndjson --out o --until";
    printed(folder, &format!("{words} {}", until.trim()));
    let table = printed(folder, &format!("{EVALUATE} --uploads p/uploads.ndjson.zst"));
    let result = json(folder);
    for list in ["missed", "unexplained", "inexact"] {
        assert_eq!(result[list], Value::Array(Vec::new()), "{list}\n{table}");
    }
    assert!(result["scans"].as_u64() > Some(2_000), "{}", result["scans"]);

    fs::write(folder.join("cut.ndjson.zst"), &compressed[..compressed.len() / 2]).expect("a file");
    let said = complaint(folder, "replay cut.ndjson.zst --reference p/reference.ndjson", 1);
    assert!(said.contains("cut.ndjson.zst: "), "{said}");
}

#[test]
fn an_honest_clean_province_expects_nothing_and_gets_nothing() {
    let home = province("--seed 3 --no-fraud --dirt none");
    printed(home.path(), EVALUATE);
    let result = json(home.path());
    assert_eq!(result["rules"].as_object().map(|rules| rules.len()), Some(0), "{result:#}");
    assert!(result["lines"]["decided"].as_u64() > Some(300), "{}", result["lines"]);
}

#[test]
fn a_worse_configuration_shows_in_the_comparison() {
    let home = province("--seed 4");
    let folder = home.path();
    fs::write(folder.join("worse.toml"), "[rules.resale]\nenabled = false\n").expect("a configuration");
    replay(folder, "--config worse.toml --out w");
    let compare = "--compare w/alerts.ndjson w/decisions.ndjson --html r.html --language zh";
    let table = printed(folder, &format!("{EVALUATE} {compare}"));
    assert!(table.contains("100.00 % → 0.00 %"), "{table}");
    let result = json(folder);
    assert_eq!(result["this"]["rules"]["resale"]["recall"], 1.0);
    let worse = &result["other"]["rules"]["resale"];
    assert_eq!((&worse["recall"], &worse["alerts"]), (&0.0.into(), &0.into()));
    let missed = result["other"]["missed"].as_array().expect("a list");
    assert_eq!(missed.len() as u64, worse["expected"].as_u64().expect("a count"));
    let page = fs::read_to_string(folder.join("r.html")).expect("a page");
    assert!(page.contains("<svg") && page.contains("两次运行对比") && page.contains("再次销售"), "{page}");
}

#[test]
fn wrong_files_and_parameters_are_named() {
    let home = province("--seed 5");
    let folder = home.path();
    let files = |alerts: &str, decisions: &str, truth: &str| {
        format!("evaluate --alerts {alerts} --decisions {decisions} --truth {truth}")
    };
    let (alerts, decisions, truth) = ("o/alerts.ndjson", "o/decisions.ndjson", "p/truth.ndjson");
    for (words, expected) in [
        (files(decisions, decisions, truth), "o/decisions.ndjson line 1: no alert"),
        (files(alerts, truth, truth), "p/truth.ndjson line 1: no decision"),
        (files(alerts, decisions, decisions), "o/decisions.ndjson line 1: no statement of the truth"),
        (files("none", decisions, truth), "none: "),
        (files(alerts, decisions, truth) + " --uploads small.toml", "small.toml line 1: no upload"),
    ] {
        let said = complaint(folder, &words, 1);
        assert!(said.contains(expected), "{words}: {said}");
    }
    fs::write(folder.join("bad.toml"), "[dirt]\nlate_hours = 3\n").expect("parameters");
    for (words, expected) in [
        ("simulate", "--out DIR"),
        ("simulate --out q --parameters bad.toml", "late_hours"),
        ("simulate --out q --rate 5", "--to-kafka"),
        ("simulate --out q --fraud 5 --no-fraud", "--no-fraud"),
    ] {
        let said = complaint(folder, words, 64);
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn the_parameters_kept_with_a_province_make_it_again() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let example = printed(folder, "simulate --example");
    fs::write(folder.join("example.toml"), example).expect("parameters");
    printed(folder, "simulate --parameters example.toml --days 2 --seed 9 --out a");
    printed(folder, "simulate --parameters a/parameters.toml --out b");
    for name in ["reference.ndjson", "uploads.ndjson", "truth.ndjson", "until", "parameters.toml"] {
        let [a, b] = ["a", "b"].map(|one| fs::read(folder.join(one).join(name)).expect("a file"));
        assert!(a == b && !a.is_empty(), "{name}");
    }
}

#[test]
fn the_demo_finds_what_it_planted_and_keeps_what_it_shows() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let shown = printed(folder, "demo --seed 7 --language zh --out d");
    assert!(shown.contains("召回率 100.00 %") && shown.contains("准确率 100.00 %"), "{shown}");
    assert!(shown.contains("d/report.html") && !shown.contains("Found:"), "{shown}");
    let page = fs::read_to_string(folder.join("d/report.html")).expect("a page");
    assert!(page.contains("id=\"zh\" checked") && page.contains("Recall and precision"), "{page}");
    // What it kept says the same to `evaluate`.
    let files = "--alerts d/alerts.ndjson --decisions d/decisions.ndjson --truth d/truth.ndjson";
    let table =
        printed(folder, &format!("evaluate {files} --uploads d/uploads.ndjson --language zh --list 0"));
    let sums = table.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>();
    assert!(sums.len() == 5 && sums.iter().all(|line| shown.contains(line)), "{sums:#?}\n{shown}");

    // What it proposes next can be pasted as it stands.
    let (_, next) = shown.split_once("\n接下来\n").expect("commands");
    let proposed: Vec<&str> = next.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(proposed.len() == 5 && proposed.iter().any(|line| line.contains("--explain")), "{proposed:#?}");
    for line in proposed.into_iter().filter(|line| !line.contains(" demo ")) {
        let output = Command::new("sh").args(["-c", line]).current_dir(folder).output().expect("a shell");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_cannot_be_used_is_said_before_the_work() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    fs::write(folder.join("uploads.ndjson"), "{}\n").expect("uploads");
    let said = complaint(folder, "replay uploads.ndjson --out o --explain 123", 64);
    assert!(said.contains("--explain") && said.contains("123") && !folder.join("o").exists(), "{said}");
    let output = tracewarden(folder, "replay uploads.ndjson");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("--reference FILE"), "{said}");

    let key = format!("[intake]\npseudonym_key = \"{}\"\n[store]\n", "5a".repeat(32));
    for (store, expected) in [
        ("kind = \"disk\"\npath = \"state\"\nsnapshot_url = \"gs://bucket/x\"", "cannot be kept in `gs:`"),
        ("snapshot_url = \"snapshots\"", "store.kind is \"memory\""),
    ] {
        fs::write(folder.join("wrong.toml"), format!("{key}{store}\n")).expect("a configuration");
        let said = complaint(folder, "run --config wrong.toml", 64);
        assert!(said.contains("store.snapshot_url") && said.contains(expected), "{said}");
    }
}
