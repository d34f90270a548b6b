//! Records between our form and librdkafka's.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header as KafkaHeader, Headers, Message, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::broker::{Header, NextOffset, OutRecord, Record, TopicPartition};

/// A record as read; `topic` is the shared name of its topic.
pub(super) fn record(message: &BorrowedMessage<'_>, topic: Arc<str>) -> Record {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|header| Header {
                name: header.key.to_owned(),
                value: header.value.unwrap_or_default().to_vec(),
            })
            .collect()
    });
    Record {
        source: TopicPartition { topic, partition: message.partition() },
        offset: message.offset(),
        timestamp_millis: message.timestamp().to_millis(),
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().map(<[u8]>::to_vec),
        headers,
    }
}

/// A time to wait in whole milliseconds: what the library is told. The wrapper spins through what is left of one.
pub(super) fn whole_millis(wait: Duration) -> Duration {
    Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

/// A record to be sent, to exactly the partition that it names.
pub(super) fn outgoing(record: &OutRecord) -> BaseRecord<'_, [u8], [u8]> {
    let mut outgoing = BaseRecord::to(&record.target.topic).partition(record.target.partition);
    if let Some(key) = &record.key {
        outgoing = outgoing.key(key.as_slice());
    }
    if let Some(payload) = &record.payload {
        outgoing = outgoing.payload(payload.as_slice());
    }
    if !record.headers.is_empty() {
        let headers = OwnedHeaders::new_with_capacity(record.headers.len());
        let headers = record.headers.iter().fold(headers, |headers, header| {
            headers.insert(KafkaHeader { key: &header.name, value: Some(header.value.as_slice()) })
        });
        outgoing = outgoing.headers(headers);
    }
    outgoing
}

/// Offsets as librdkafka takes them.
pub(super) fn offsets(offsets: &[NextOffset]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}
