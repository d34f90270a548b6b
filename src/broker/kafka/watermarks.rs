//! Questions about partitions that any consumer can ask the cluster.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::errors;
use crate::broker::{BrokerError, TopicPartition};

/// The first offset still there, and the next one to be written as far as it is committed.
pub(super) fn of<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partition: &TopicPartition,
    timeout: Duration,
) -> Result<(i64, i64), BrokerError> {
    consumer
        .fetch_watermarks(&partition.topic, partition.partition, timeout)
        .map_err(|error| errors::asking_of_known(&format!("asking for the offsets of {partition}"), &error))
}

/// The next offset to be written, as far as it is committed, of many partitions: one question to each broker.
pub(super) fn ends<'a, C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partitions: impl Iterator<Item = &'a TopicPartition>,
    timeout: Duration,
) -> Result<Vec<(TopicPartition, i64)>, BrokerError> {
    let fails = |error| errors::asking_of_known("asking for the ends of partitions", &error);
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        // In place of a moment stands "the end".
        asked.add_partition_offset(&partition.topic, partition.partition, Offset::End).map_err(fails)?;
    }
    let answer = consumer.offsets_for_times(asked, timeout).map_err(fails)?;
    let end = |element: &TopicPartitionListElem<'_>| match (element.error(), element.offset()) {
        (Ok(()), Offset::Offset(end)) => {
            Some((TopicPartition::new(element.topic(), element.partition()), end))
        }
        _ => None,
    };
    Ok(answer.elements().iter().filter_map(end).collect())
}

/// The committed next offset of the consumer's group. Waits for transactions that are about to commit one.
pub(super) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partition: &TopicPartition,
    timeout: Duration,
) -> Result<Option<i64>, BrokerError> {
    let mut asked = TopicPartitionList::with_capacity(1);
    asked.add_partition(&partition.topic, partition.partition);
    let fails = |error| errors::asking(&format!("asking for the committed offset of {partition}"), &error);
    let answer = consumer.committed_offsets(asked, timeout).map_err(fails)?;
    let Some(element) = answer.find_partition(&partition.topic, partition.partition) else { return Ok(None) };
    element.error().map_err(fails)?;
    Ok(match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    })
}

/// How many partitions a topic has; an error that says what to do when it is not there.
pub(super) fn require_topic<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<i32, BrokerError> {
    let metadata = consumer
        .fetch_metadata(Some(topic), timeout)
        .map_err(|error| errors::asking(&format!("asking for the topic {topic}"), &error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
    let partitions = found.and_then(|found| i32::try_from(found.partitions().len()).ok()).unwrap_or(0);
    if partitions == 0 {
        return Err(BrokerError::Setup(format!(
            "there is no topic {topic}; create it first (tracewarden topics), or check the topic prefix"
        )));
    }
    Ok(partitions)
}
