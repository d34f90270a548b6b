//! `simulate --to-kafka`: a province straight to the topics, at a rate or in sped-up time, and what the service makes of
//! it.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracewarden::domain::document::Group;
use tracewarden::pipeline::topics::Topic;
use tracewarden::sim::{self, Parameters, UploadForm};

use super::worlds::case_of;
use crate::support::installation::Installation;
use crate::support::kafka;
use crate::support::watcher::{PATIENCE, Watcher};

/// A province of a day, which is written in no time.
fn of_a_day() -> Parameters {
    let mut parameters = Parameters::demo(3);
    (parameters.days, parameters.institutions, parameters.codes_per_day) = (1, 6, 60);
    parameters
}

/// The options that make a province.
fn options(parameters: &Parameters) -> Vec<String> {
    let number = |name: &str, value: u64| [format!("--{name}"), value.to_string()];
    let form = match parameters.form {
        UploadForm::Canonical => "canonical",
        UploadForm::National => "national",
    };
    let mut options = vec!["simulate".to_owned(), "--to-kafka".to_owned(), format!("--form={form}")];
    options.extend(number("seed", parameters.seed));
    options.extend(number("days", u64::from(parameters.days)));
    options.extend(number("institutions", u64::from(parameters.institutions)));
    options.extend(number("codes-per-day", u64::from(parameters.codes_per_day)));
    options
}

/// Runs `simulate`; how long it took.
fn simulate(installation: &Installation, parameters: &Parameters, pace: &[&str]) -> Duration {
    let options = options(parameters);
    let words: Vec<&str> = options.iter().map(String::as_str).chain(pace.iter().copied()).collect();
    let began = Instant::now();
    installation.succeed(&words);
    began.elapsed()
}

/// What was written to a topic: partition and payload, in the order of each partition.
fn written(installation: &Installation, topic: Topic) -> Vec<(i32, String)> {
    let reader: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka::shared().bootstrap())
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut asked = TopicPartitionList::new();
    let mut missing = 0;
    for target in installation.topology.all(topic) {
        asked.add_partition_offset(&target.topic, target.partition, Offset::Beginning).unwrap();
        missing += reader.fetch_watermarks(&target.topic, target.partition, PATIENCE).unwrap().1;
    }
    reader.assign(&asked).unwrap();
    let (mut records, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while missing > 0 {
        assert!(Instant::now() < deadline, "{missing} records of {topic:?} cannot be read");
        if let Some(Ok(message)) = reader.poll(Duration::from_millis(20)) {
            let payload = String::from_utf8(message.payload().unwrap_or_default().to_vec()).unwrap();
            records.push((message.partition(), payload));
            missing -= 1;
        }
    }
    records
}

/// Every upload is in its topic, one institution's in one partition, in the order of their sending.
fn assert_written(installation: &Installation, parameters: &Parameters) {
    let uploads: Vec<_> = sim::uploads(parameters).collect();
    for group in [Group::Procurement, Group::Dispensing, Group::Settlement] {
        let expected: Vec<&str> = uploads
            .iter()
            .filter(|upload| upload.group == group)
            .map(|upload| upload.json.as_str())
            .collect();
        let found = written(installation, Topic::of_group(group));
        assert_eq!(found.len(), expected.len(), "{group:?}");
        for partition in 0..installation.topology.partitions(Topic::of_group(group)) {
            let mut rest = expected.iter();
            let of_partition = found.iter().filter(|(at, _)| *at == partition);
            for (_, upload) in of_partition {
                assert!(rest.any(|sent| sent == upload), "{group:?} {partition}: out of order: {upload}");
            }
        }
    }
}

#[test]
fn uploads_are_sent_at_the_rate_asked_for() {
    needs_kafka!();
    let parameters = of_a_day();
    let uploads = sim::uploads(&parameters).count() as u32;
    let rate = uploads / 2;
    let installation = Installation::new("rate");
    let took = simulate(&installation, &parameters, &["--rate", &rate.to_string()]);
    let at_least = Duration::from_secs(1) * (uploads - 1) / rate;
    assert!(took >= at_least, "{uploads} uploads at {rate} a second in {took:?}");
    assert!(took < at_least + PATIENCE, "{uploads} uploads at {rate} a second in {took:?}");
    assert_written(&installation, &parameters);
    assert_eq!(written(&installation, Topic::Reference).len(), sim::reference(&parameters).count());
}

#[test]
fn uploads_are_sent_in_sped_up_time_in_either_form() {
    needs_kafka!();
    let parameters = Parameters { form: UploadForm::National, ..of_a_day() };
    let (first, last) = (sim::uploads(&parameters).next(), sim::uploads(&parameters).last());
    let simulated_ms = last.unwrap().sent_at - first.unwrap().sent_at;
    let factor = simulated_ms / 2_000;
    let installation = Installation::new("sped-up");
    let took = simulate(&installation, &parameters, &["--speed-up", &factor.to_string()]);
    assert!(took >= Duration::from_millis(1_999), "{simulated_ms} ms by {factor} in {took:?}");
    assert_written(&installation, &parameters);
}

/// The service reads what `simulate` wrote, in the national form, and ends as the same stages do in memory.
#[test]
fn a_province_of_messages_ends_on_kafka_as_in_memory() {
    needs_kafka!();
    let mut parameters = Parameters { form: UploadForm::National, ..Parameters::demo(11) };
    (parameters.days, parameters.institutions, parameters.codes_per_day) = (13, 12, 40);
    let case = case_of("messages", &parameters);
    assert!(case.expected.alerts.len() > 20, "only {} alerts", case.expected.alerts.len());
    let installation = Installation::new(&case.name);
    simulate(&installation, &parameters, &[]);
    let mut watcher = Watcher::new(&installation);
    let service = installation.run(0, &["--clock", "uploads"]);
    installation.succeed(&["tick", "--at", &case.now.to_string()]);
    watcher.read_until_at_rest(case.now);
    watcher.assert_gapless();
    let difference = case.expected.difference(&watcher.answer());
    assert!(difference.is_empty(), "expected (-) and found (+) differ:\n{difference}");
    assert!(watcher.dead_letters.is_empty(), "{:?}", watcher.dead_letters.first());
    service.stop();
}
