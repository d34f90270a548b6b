//! `simulate` to the input topics, the service, and `evaluate` from the output topics: everything planted is found, as a
//! subscriber sees it, and what was aborted is not seen.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use tracewarden::pipeline::topics::Topic;
use tracewarden::wire::inbound::moment;

use crate::support::installation::Installation;
use crate::support::kafka;
use crate::support::watcher::{PATIENCE, Watcher};

/// Two weeks long past, whatever day the test is run on, in which institutions report already.
const PROVINCE: &str = "seed = 6\nfirst_day = \"2025-09-01\"\ndays = 14\ninstitutions = 12\ncodes_per_day = 60\n\
                        products = 20\n[habits]\nshelves_per_institution = 20\n[fraud]\nacts_per_day = 9\n\
                        packs_per_act_max = 3\n";

#[test]
fn what_is_planted_is_found_in_the_topics() {
    needs_kafka!();
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    fs::write(home.path().join("province.toml"), PROVINCE).unwrap();
    let installation = Installation::new("judged");
    let parameters = path("province.toml");
    installation.succeed(&["simulate", "--parameters", &parameters, "--out", &path("p"), "--to-kafka"]);
    let until = fs::read_to_string(home.path().join("p/until")).unwrap();

    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &["--clock", "uploads"]);
    // Behind everything that was published. Nothing came in on the topic of rulings: without it time would stand still.
    installation.succeed(&["tick", "--at", until.trim()]);
    watcher.read_until_at_rest(moment::rfc3339(until.trim()).unwrap());
    service.stop();
    abort_an_alert(&installation);

    let nothing = Installation::new("judged-nothing");
    let (truth, uploads) = (path("p/truth.ndjson"), path("p/uploads.ndjson"));
    let table = installation.succeed(&[
        "evaluate",
        "--from-kafka",
        "--truth",
        &truth,
        "--uploads",
        &uploads,
        "--compare-prefix",
        &nothing.prefix,
        "--json",
        &path("r.json"),
        "--html",
        &path("r.html"),
    ]);
    let result = json(&home.path().join("r.json"));
    all_is_found(&result["this"], &table);
    for (rule, score) in result["other"]["rules"].as_object().unwrap() {
        assert_eq!((&score["recall"], &score["alerts"]), (&0.0.into(), &0.into()), "{rule}\n{table}");
    }
    assert!(fs::read_to_string(home.path().join("r.html")).unwrap().contains("100.00 % → 0.00 %"));
}

fn all_is_found(result: &Value, table: &str) {
    assert_eq!(result["times_count_from"], "receipt");
    let rules = result["rules"].as_object().unwrap();
    assert!(rules.len() >= 12, "only {} rules:\n{table}", rules.len());
    for (rule, score) in rules {
        assert_eq!((&score["recall"], &score["precision"]), (&1.0.into(), &1.0.into()), "{rule}\n{table}");
        if score["alerts"].as_u64() > Some(0) {
            let median = score["time_to_alert"]["median_ms"].as_i64().expect("alerts have times");
            assert!((0..PATIENCE.as_millis() as i64).contains(&median), "{rule}: {median}\n{table}");
        }
    }
    assert_eq!(result["money_missed"], "0.00", "{table}");
    assert_eq!(result["lines"]["expected"], result["lines"]["found"], "{table}");
}

/// Writes what is no alert in a transaction that is aborted: who reads it all the same fails.
fn abort_an_alert(installation: &Installation) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka::shared().bootstrap())
        .set("transactional.id", format!("{}stranger", installation.prefix))
        .create()
        .unwrap();
    let patience = Duration::from_secs(30);
    producer.init_transactions(patience).unwrap();
    producer.begin_transaction().unwrap();
    let topic = installation.topology.name(Topic::Alerts);
    producer
        .send(BaseRecord::<[u8], str>::to(topic).payload("no alert"))
        .map_err(|(error, _)| error)
        .unwrap();
    producer.flush(patience).unwrap();
    producer.abort_transaction(patience).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn topics_that_are_not_there_are_named() {
    needs_kafka!();
    let installation = Installation::without_topics("judged-none");
    let said = installation.refused(&["evaluate", "--from-kafka", "--truth", "Cargo.toml"], 1);
    assert!(said.contains("Cargo.toml line 1: no statement of the truth"), "{said}");
    let said = installation.refused(&["evaluate", "--from-kafka", "--truth", "/dev/null"], 1);
    assert!(said.contains("topics are missing") && said.contains("topics create"), "{said}");
    installation.refused(&["evaluate", "--truth", "/dev/null"], 64);
}
