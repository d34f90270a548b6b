//! Uploads and topics that are not as they should be, on Kafka itself; and uploads that are merely odd, which must end
//! the same in whatever order they come.

use std::time::{SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use serde_json::{Value, json};
use tracewarden::broker::{OutRecord, TopicPartition};
use tracewarden::domain::time::Timestamp;
use tracewarden::pipeline::topics::Topic;

use super::CLUSTER;
use super::account::Expected;
use super::feed::Sent;
use crate::support::installation::Installation;
use crate::support::watcher::Watcher;
use oracle::World;

const PHARMACY: &str = "P37020300001";
const HOSPITAL: &str = "H37020300002";
const PRODUCT: &str = "XR05CBA198A001010100863";
const HOUR: i64 = 3_600_000;

fn installation(name: &str) -> Installation {
    let installation = Installation::on(CLUSTER.bootstrap(), name, 2, 1)
        .with("INTAKE_ALLOW_EMPTY_REFERENCE", "true")
        .with("INTAKE_UPLOAD_BYTES_MAX", "100000");
    installation.succeed(&["topics", "create"]);
    installation
}

fn now_millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn moment(millis: i64) -> String {
    Timestamp::from_unix_millis(millis).to_string()
}

fn rfc3339(text: &str) -> i64 {
    tracewarden::wire::inbound::moment::rfc3339(text).expect("it is a moment").unix_millis()
}

fn settlement(number: u32, issued_at: i64) -> Value {
    json!({
        "document_id": format!("S{number}"), "kind": "settlement", "institution_id": PHARMACY,
        "issued_at": moment(issued_at), "occurred_at": moment(issued_at),
        "lines": [{"line_id": "1", "product_code": PRODUCT, "quantity": "1", "amount": "10.00",
                   "fund_amount": "7.00", "trace_codes": [format!("8177322{number:013}")]}],
    })
}

/// What nobody can use ends as a dead letter, each with its reason; what comes behind it in the same partition is decided,
/// by a process that never stopped.
#[test]
fn poison_and_oversize_records_become_dead_letters_and_hold_nothing_up() {
    needs_kafka!();
    let installation = installation("poison");
    let mut watcher = Watcher::new(&installation);
    let mut service = installation.run(0, &[]);
    watcher.read_until("time passes", |watcher| watcher.has_time());
    let now = now_millis();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut upload = settlement(1, now);
        change(&mut upload);
        Some(upload.to_string().into_bytes())
    };
    let poison: [(Option<Vec<u8>>, &str); 11] = [
        (None, "unparseable"),
        (Some(Vec::new()), "unparseable"),
        (Some(b"no upload".to_vec()), "unparseable"),
        (Some(vec![0xff; 1_000]), "unparseable"),
        (Some("[".repeat(90_000).into_bytes()), "unparseable"),
        (with(&|upload| upload["lines"][0]["product_name"] = "x".repeat(200_000).into()), "over_limit"),
        (with(&|upload| upload["document_id"] = "x".repeat(65).into()), "over_limit"),
        (with(&|upload| upload["document_id"] = Value::Null), "missing_field"),
        (with(&|upload| upload["issued_at"] = "yesterday".into()), "malformed_field"),
        (with(&|upload| upload["kind"] = "dispense".into()), "wrong_topic"),
        // A clock that is wrong by days.
        (with(&|upload| upload["issued_at"] = moment(now + 49 * HOUR).into()), "time_out_of_range"),
    ];
    let publisher = installation.publisher();
    let send = |payload: Option<Vec<u8>>| {
        let target = TopicPartition::new(installation.topology.name(Topic::Settlement).clone(), 0);
        publisher.publish(&OutRecord { target, key: None, payload, headers: Vec::new() }).unwrap();
    };
    for (payload, _) in &poison {
        send(payload.clone());
    }
    send(Some(settlement(2, now).to_string().into_bytes()));
    publisher.flush().unwrap();

    watcher.read_until("what comes behind is decided", |watcher| {
        watcher.decisions.iter().any(|decision| decision["claim"]["document_id"] == "S2")
            && watcher.dead_letters.len() >= poison.len()
    });
    // The dead letters of one input partition may be in several.
    watcher.dead_letters.sort_by_key(|letter| {
        letter["source"]["offset"].to_string().trim_matches('"').parse::<u64>().unwrap()
    });
    let reasons: Vec<&str> =
        watcher.dead_letters.iter().filter_map(|letter| letter["reason"].as_str()).collect();
    assert_eq!(reasons, poison.map(|(_, reason)| reason));
    assert_eq!(watcher.lost_and_doubled(), (Vec::new(), Vec::new()));
    assert_eq!(service.ended(), None, "{}", service.log());
    service.stop();
}

/// Somebody gave an internal topic one more partition: codes would be looked for where they are not.
#[test]
fn a_changed_partition_count_is_refused_at_the_start() {
    needs_kafka!();
    let installation = installation("widened");
    let documents = installation.topology.name(Topic::Documents).clone();
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", CLUSTER.bootstrap()).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wider = NewPartitions::new(&documents, 3);
    let results = runtime.block_on(admin.create_partitions([&wider], &AdminOptions::new())).unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let said = installation.refused(&["run"], 1);
    for part in
        [&*format!("{documents}: partitions is 3, should be 2"), "kafka.topic_prefix", "replay the inputs"]
    {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// Clocks that differ, uploads that come months late, equal stamps, and one identity with two contents.
fn odd_world() -> World {
    let day = 24 * HOUR;
    let start = rfc3339("2026-01-05T09:00:00+08:00");
    let mut claim = settlement(1, start);
    claim["person_id"] = "somebody".into();
    // The same identity and stamp, another content: the greater text counts, whichever came first.
    let mut other_content = claim.clone();
    other_content["lines"][0]["fund_amount"] = "9.00".into();
    // The same pack settled elsewhere, by a sender whose clock is hours ahead.
    let mut ahead = claim.clone();
    ahead["institution_id"] = HOSPITAL.into();
    ahead["document_id"] = "H1".into();
    ahead["issued_at"] = moment(start + 20 * HOUR).into();
    ahead["occurred_at"] = moment(start + 20 * HOUR).into();
    // Months later somebody uploads that the first was given back, the day after, and when it was bought.
    let given_back = json!({
        "document_id": "T1", "kind": "dispense_return", "institution_id": PHARMACY,
        "issued_at": moment(start + 90 * day), "occurred_at": moment(start + 10 * HOUR),
        "returns": {"document_id": "S1"}, "lines": claim["lines"],
    });
    let bought = json!({
        "document_id": "B1", "kind": "purchase_in", "institution_id": PHARMACY,
        "issued_at": moment(start + 90 * day), "occurred_at": moment(start - 3 * day), "lines": claim["lines"],
    });
    World {
        reference: vec![
            json!({"type": "product", "prefix": "8177322", "product_code": PRODUCT, "packs_per_code": 1}),
            json!({"type": "institution", "institution_id": PHARMACY, "name": "甲药店", "region": "370203",
                   "stock_uploaded_since": "2020-01-01", "dispensing_uploaded_since": "2020-01-01"}),
        ],
        uploads: vec![claim, other_content, ahead, given_back, bought],
        until: moment(start + 120 * day),
    }
}

#[test]
fn skewed_clocks_months_late_uploads_equal_stamps_and_other_content_end_the_same_in_every_order() {
    needs_kafka!();
    let world = odd_world();
    let demanded = world.judged();
    assert!(!demanded.alerts.is_empty() && demanded.decisions.len() == 2, "{demanded:?}");
    let mut orders = Vec::new();
    permutations(&mut (0..world.uploads.len()).collect(), 0, &mut orders);
    assert_eq!(orders.len(), 120);
    let end = rfc3339(&world.until);
    for order in orders {
        let uploads = order.iter().map(|index| world.uploads[*index].to_string()).collect();
        let sent = Sent { uploads, end: Timestamp::from_unix_millis(end) };
        let found = Expected::of(&world.reference, &sent).answer;
        assert_eq!(demanded.difference(&found), "", "in the order {order:?}");
    }
}

fn permutations(indices: &mut Vec<usize>, from: usize, all: &mut Vec<Vec<usize>>) {
    if from == indices.len() {
        all.push(indices.clone());
    }
    for other in from..indices.len() {
        indices.swap(from, other);
        permutations(indices, from + 1, all);
        indices.swap(from, other);
    }
}
