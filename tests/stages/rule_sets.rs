//! A rule set in a configuration file: each level of override changes what follows from a finding, an allowance silences
//! it, and both only where and when they say.

use tracewarden::pipeline::topics::Topic;
use tracewarden::telemetry::limit::Limit;

use crate::support::cases;
use crate::support::local::{Ended, fed, options};
use oracle::World;
use serde_json::{Value, json};

/// Example `settled-twice`: the hospital H37020300002 (tier 3, region 370203) settles on 12 January a box that a
/// pharmacy settled on the 3rd; nothing shows where the hospital got it.
const HOSPITAL_LINE: [(&str, &str); 5] = [
    ("rule = \"duplicate_settlement\"\nregion = \"370203\"", "region"),
    ("rule = \"duplicate_settlement\"\ntier = \"3\"", "tier"),
    ("rule = \"duplicate_settlement\"\ninstitution_id = \"H37020300002\"", "institution"),
    ("rule = \"duplicate_settlement\"\nproduct_code = \"XR05CBA198A001010100863\"", "product"),
    ("rule = \"duplicate_settlement\"\nvalid_from = 2026-01-12\nvalid_to = 2026-01-12", "day"),
];
const OTHERS: [&str; 6] = [
    "rule = \"duplicate_settlement\"\nregion = \"440305\"",
    "rule = \"duplicate_settlement\"\ntier = \"pharmacy\"",
    "rule = \"duplicate_settlement\"\ninstitution_id = \"P37020300001\"",
    "rule = \"duplicate_settlement\"\nproduct_code = \"XA10BXR068A001010102111\"",
    "rule = \"duplicate_settlement\"\nvalid_from = 2026-01-13",
    "rule = \"duplicate_settlement\"\nvalid_to = 2026-01-11",
];

/// Verdict and reasons of the hospital's claim, and the actions of its open alerts.
#[derive(Debug, PartialEq)]
struct Outcome {
    verdict: String,
    alerts: Vec<String>,
    digests: Vec<String>,
    allowed: Vec<String>,
}

fn outcome(config: &str) -> Outcome {
    let mut local = fed(&world(), &options(config));
    let tally = local.tally();
    let allowed = tally
        .allowed
        .iter()
        .map(|((rule, reason), count)| format!("{} {count} {reason}", rule.name()))
        .collect();
    let mut newest: std::collections::BTreeMap<String, Value> = Default::default();
    let mut digests = std::collections::BTreeSet::new();
    for topic in [Topic::Alerts, Topic::Decisions] {
        for record in local.records(topic).unwrap() {
            let value: Value = serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap();
            digests.insert(value["ruleset"].as_str().unwrap().to_owned());
            if topic == Topic::Alerts {
                newest.insert(value["alert_id"].to_string(), value);
            }
        }
    }
    let about_hospital = newest.values().filter(|alert| {
        alert["status"] != "withdrawn" && alert["subject"]["institution_id"] == "H37020300002"
    });
    let mut alerts: Vec<String> = about_hospital
        .map(|alert| {
            let text = |name: &str| alert[name].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("rule"), text("action"), text("severity"))
        })
        .collect();
    alerts.sort();
    let ended = Ended::of(&mut local);
    assert!(ended.gaps.is_empty(), "{:?}", ended.gaps);
    let decision = ended.answer.decisions.iter().find(|decision| decision["document_id"] == "S2").unwrap();
    let reasons = &decision["lines"][0]["reasons"];
    Outcome {
        verdict: format!(
            "{} {} {reasons}",
            decision["verdict"].as_str().unwrap(),
            decision["payable"].as_str().unwrap()
        ),
        alerts,
        digests: digests.into_iter().collect(),
        allowed,
    }
}

fn world() -> World {
    let case = cases::example("settled-twice");
    let upload = |line: &String| serde_json::from_str(line).expect("the example has no dirt");
    World { uploads: case.uploads.iter().map(upload).collect(), ..case.world() }
}

const REFUSED: &str = "refuse 0.00 [\"duplicate_settlement\",\"resale\"]";
const HELD: &str = "hold 0.00 [\"duplicate_settlement\",\"resale\"]";

#[test]
fn by_default_the_second_settlement_is_refused() {
    let outcome = outcome("");
    assert_eq!(outcome.verdict, REFUSED);
    for alert in ["duplicate_settlement refuse high", "not_purchased alert medium", "resale hold high"] {
        assert!(outcome.alerts.iter().any(|found| found == alert), "{alert} in {:?}", outcome.alerts);
    }
    assert_eq!(outcome.digests.len(), 1);
    assert!(outcome.allowed.is_empty());
}

#[test]
fn a_rule_is_changed_switched_off_and_waits_longer_by_its_section() {
    assert_eq!(outcome("[rules.duplicate_settlement]\naction = \"hold\"").verdict, HELD);
    assert_eq!(outcome("[rules.duplicate_settlement]\nenabled = false").verdict, "hold 0.00 [\"resale\"]");
    let severe = outcome("[rules.resale]\nseverity = \"critical\"");
    assert!(severe.alerts.iter().any(|alert| alert == "resale hold critical"), "{:?}", severe.alerts);
    let patient = outcome("[rules.not_purchased]\ngrace_hours = 9000");
    assert!(!patient.alerts.iter().any(|alert| alert.starts_with("not_purchased")), "{:?}", patient.alerts);
}

#[test]
fn an_override_of_each_level_holds_where_and_when_it_says() {
    for (whom, level) in HOSPITAL_LINE {
        let changed = outcome(&format!("[[rules.override]]\n{whom}\naction = \"hold\""));
        assert_eq!(changed.verdict, HELD, "{level}");
        assert_ne!(changed.digests, outcome("").digests, "{level}");
    }
    for whom in OTHERS {
        assert_eq!(
            outcome(&format!("[[rules.override]]\n{whom}\naction = \"hold\"")).verdict,
            REFUSED,
            "{whom}"
        );
    }
}

#[test]
fn an_allowance_silences_one_rule_for_one_subject_and_is_counted() {
    let allow = |rule: &str, whom: &str, expires_on: &str| {
        format!(
            "[[rules.allow]]\nrule = \"{rule}\"\n{whom}\nexpires_on = \"{expires_on}\"\nreason = \"fire\"\n"
        )
    };
    let hospital = "institution_id = \"H37020300002\"";
    let line =
        "institution_id = \"H37020300002\"\ngroup = \"settlement\"\ndocument_id = \"S2\"\nline_id = \"1\"";
    let code = "code = \" 81773220000000016835\"";
    for whom in [hospital, line, code] {
        let both = allow("duplicate_settlement", whom, "2026-01-12") + &allow("resale", whom, "2026-01-12");
        let paid = outcome(&both);
        assert_eq!(paid.verdict, "pay 14.00 []", "{whom}");
        assert!(!paid.alerts.iter().any(|alert| alert.starts_with("resale")), "{whom}: {:?}", paid.alerts);
        assert_eq!(paid.allowed.len(), 2, "{whom}: {:?}", paid.allowed);
        assert!(paid.allowed[0].starts_with("duplicate_settlement ") && paid.allowed[0].ends_with(" fire"));

        let one = outcome(&allow("duplicate_settlement", whom, "2026-01-12"));
        assert_eq!(one.verdict, "hold 0.00 [\"resale\"]", "{whom}");
        let expired = outcome(&allow("duplicate_settlement", whom, "2026-01-11"));
        assert_eq!((expired.verdict.as_str(), expired.allowed.len()), (REFUSED, 0), "{whom}");
    }
    let elsewhere = ["institution_id = \"P37020300001\"", "code = \"81773220000000016836\""];
    for whom in elsewhere {
        assert_eq!(outcome(&allow("duplicate_settlement", whom, "2026-12-31")).verdict, REFUSED, "{whom}");
    }
}

#[test]
fn the_windows_are_global() {
    let set = "[[rules.override]]\nrule = \"resale\"\nregion = \"370203\"\naction = \"hold\"\nsale_link_window_hours = 1";
    let config = tracewarden::config::Config::read(set, "test", []).unwrap();
    let refusal = tracewarden::run::local::LocalOptions::from_config(&config).err().unwrap().to_string();
    assert!(refusal.contains("rules.override number 1.sale_link_window_hours: is not known"), "{refusal}");
}

/// How many timers fire at once is in the log with the rules: the set in force counts, not how the stage was set up.
#[test]
fn the_set_in_force_says_how_many_timers_fire_at_once() {
    // A second code with the same story, so that two graces end at once.
    let mut world = world();
    let twin = |upload: &Value| {
        let mut twin = upload.clone();
        twin["document_id"] = format!("{}-2", upload["document_id"].as_str().unwrap()).into();
        for line in twin["lines"].as_array_mut().unwrap() {
            line["trace_codes"] = json!(["81773220000000016836"]);
        }
        twin
    };
    let twins: Vec<Value> = world.uploads.iter().map(twin).collect();
    world.uploads.extend(twins);
    let mut options = options("");
    let mut told = |most: Option<usize>| {
        options.rules.timers_per_entry_max = most;
        let mut local = fed(&world, &options);
        let reached = local.tally().limits.get(&Limit::TimersPerEntry).copied().unwrap_or_default();
        (reached, Ended::of(&mut local).answer)
    };
    let [one_by_one, all_at_once] = [Some(1), Some(1_000)].map(&mut told);
    assert!(one_by_one.0 > 0 && all_at_once.0 == 0, "{} and {}", one_by_one.0, all_at_once.0);
    assert!(one_by_one.1.difference(&all_at_once.1).is_empty());
}
