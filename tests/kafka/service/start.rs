//! Starting, being watched and stopping: what is wrong is said in a clear sentence with its remedy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use tracewarden::telemetry::metrics::declarations;

use crate::support::installation::Installation;
use crate::support::kafka::Cluster;
use crate::support::watcher::{PATIENCE, Watcher};

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

#[test]
fn a_start_that_cannot_go_well_is_refused_with_the_remedy() {
    needs_kafka!();
    let installation = Installation::without_topics("refused");
    for arguments in [
        ["run", "--clock", "wall"],
        ["publish", "Cargo.toml", "Cargo.toml"],
        ["tick", "--at", "2026-01-20T09:00:00+08:00"],
    ] {
        let said = installation.refused(&arguments, 1);
        let topic = format!("{}documents", installation.prefix);
        assert_says(&said, &["topics are missing", &topic, "`tracewarden topics create`"]);
    }
    assert_says(&installation.succeed(&["topics", "create"]), &["all topics are as configured"]);
    assert_says(&installation.succeed(&["topics", "verify"]), &["all topics are as configured"]);

    let said = installation.refused(&["run"], 1);
    assert_says(
        &said,
        &["holds no reference data", "`tracewarden reference load FILE`", "intake.allow_empty_reference"],
    );

    let installation = installation.with("KAFKA_PARTITIONS", "5");
    let said = installation.refused(&["run"], 1);
    assert_says(
        &said,
        &["documents: partitions is 3, should be 5", "kafka.partitions", "kafka.topic_prefix"],
    );
    assert_says(&installation.refused(&["tick", "--at", "2026-01-20T09:00:00+08:00"], 1), &["should be 5"]);

    let installation = installation.with("KAFKA_PARTITIONS", "many");
    assert_says(&installation.refused(&["run"], 64), &["kafka.partitions", "TRACEWARDEN_KAFKA_PARTITIONS"]);

    let installation = installation.with("KAFKA_PARTITIONS", "3").with("INTAKE_PSEUDONYM_KEY", "short");
    assert_says(&installation.refused(&["run"], 64), &["intake.pseudonym_key", "32 random bytes"]);
    let said = installation.without("INTAKE_PSEUDONYM_KEY").refused(&["run"], 64);
    assert_says(&said, &["intake.pseudonym_key", "openssl rand -hex 32"]);
}

#[test]
fn a_cluster_that_does_not_answer_is_named() {
    needs_kafka!();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let installation = Installation::without_topics("nobody").with("KAFKA_BOOTSTRAP_SERVERS", &nobody);
    let started = Instant::now();
    let said = installation.refused(&["topics", "verify"], 1);
    assert_says(&said, &[&nobody, "did not answer within 10 s", "kafka.bootstrap_servers"]);
    assert!(started.elapsed() < Duration::from_secs(30));
    // The service waits longer, says so, and can be stopped meanwhile.
    let service = installation.run(0, &[]);
    let deadline = Instant::now() + PATIENCE;
    while !service.log().contains("does not answer yet, trying again") {
        assert!(Instant::now() < deadline, "it says nothing: {}", service.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    service.stop();
}

/// Two processes of the same name take each other's place again and again: the log says what to set.
#[test]
fn processes_of_one_name_are_told_to_take_another() {
    needs_kafka!();
    let installation = Installation::new("same-slot").with("INTAKE_ALLOW_EMPTY_REFERENCE", "true");
    let deadline = Instant::now() + PATIENCE;
    let first = installation.run(0, &[]);
    while !first.owns_partitions() {
        assert!(Instant::now() < deadline, "it does not start: {}", first.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = installation.run(0, &[]);
    while ![&first, &second].iter().any(|service| service.log().contains("kafka.instance_slot")) {
        assert!(Instant::now() < deadline, "not named:\n{}\n{}", first.log(), second.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn metrics_are_served_and_the_end_is_orderly() {
    needs_kafka!();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let installation = Installation::new("metrics").with("HTTP_LISTEN", &address.to_string());
    installation.load_reference([&json!({"type": "item", "product_code": "X1", "traceable": true})]);
    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &[]);
    let upload = json!({"document_id": "S1", "kind": "settlement", "institution_id": "P37020300001",
        "issued_at": "2026-01-05T09:31:02+08:00", "occurred_at": "2026-01-05T09:31:00+08:00",
        "lines": [{"line_id": "1", "product_code": "X1", "quantity": "1", "amount": "1.00"}]});
    let publisher = installation.publisher();
    publisher.publish(&installation.upload(&upload.to_string(), 0)).unwrap();
    publisher.flush().unwrap();
    watcher.read_until("an alert and a decision", |watcher| {
        !watcher.alerts.is_empty() && !watcher.decisions.is_empty()
    });
    let deadline = Instant::now() + PATIENCE;
    let wanted = [
        "tracewarden_inputs_read_total 1".to_owned(),
        "tracewarden_uploads_total{outcome=\"accepted\"} 1".to_owned(),
        "tracewarden_alerts_total{rule=\"no_code\",status=\"raised\"} 1".to_owned(),
        "tracewarden_partitions_owned{stage=\"intake\"} 8".to_owned(),
        format!("tracewarden_lag_records{{topic=\"{}settlement\",partition=\"0\"}} 0", installation.prefix),
    ];
    loop {
        let shown = get(address);
        let missing: Vec<&String> =
            wanted.iter().filter(|line| !shown.lines().any(|shown| shown == **line)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{missing:#?} is not in {shown}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let shown = get(address);
    let declared = |line: &str| declarations().any(|metric| line.split(' ').nth(2) == Some(metric.name));
    let kinds: Vec<&str> = shown.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert!(kinds.len() > 10 && kinds.iter().all(|line| declared(line)), "{kinds:#?}");
    service.stop();
}

/// A cluster that dies under the service: it waits, and a stop does not wait for the cluster.
#[test]
fn a_stop_does_not_wait_for_a_cluster_that_is_gone() {
    needs_kafka!();
    let mut cluster = Cluster::start(1);
    let installation = Installation::without_topics("gone")
        .with("KAFKA_BOOTSTRAP_SERVERS", cluster.bootstrap())
        .with("INTAKE_ALLOW_EMPTY_REFERENCE", "true");
    installation.succeed(&["topics", "create"]);
    let mut service = installation.run(0, &[]);
    let deadline = Instant::now() + PATIENCE;
    while !service.owns_partitions() {
        assert!(Instant::now() < deadline, "it does not start: {}", service.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    cluster.kill(0);
    service.terminate();
    service.ended_within(Duration::from_secs(25));
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
