//! The topics, what they carry, and the keys by which they are partitioned.

use crate::domain::document::{DocumentKey, Group};
use crate::domain::observation::CodeChange;
use crate::domain::sender::{SenderDay, Writer};
use crate::domain::time::Day;
use crate::engine;
use crate::engine::outbox::Carried;
use crate::engine::topology::TopicName;
use crate::wire::entries::{ClaimEntry, DocumentEntry};
use crate::wire::inbound::route::Inlet;

/// The topics of one installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// In: uploads of stock movements.
    Procurement,
    /// In: uploads of sales.
    Dispensing,
    /// In: uploads of settlements.
    Settlement,
    /// In: rulings and payments, written by the bureau alone.
    Handling,
    /// In, compacted: reference records.
    Reference,
    /// Internal: uploads by document.
    Documents,
    /// Internal: observations by code.
    Observations,
    /// Internal: claims and verdicts by claim.
    Claims,
    /// Out, compacted: alerts by alert id.
    Alerts,
    /// Out, compacted: decisions by claim.
    Decisions,
    /// Out: refused inputs.
    Deadletter,
    /// Out, compacted: what each institution sends, by day.
    Senders,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 12] = [
        Self::Procurement,
        Self::Dispensing,
        Self::Settlement,
        Self::Handling,
        Self::Reference,
        Self::Documents,
        Self::Observations,
        Self::Claims,
        Self::Alerts,
        Self::Decisions,
        Self::Deadletter,
        Self::Senders,
    ];
    /// The topics that uploads arrive on.
    pub const INPUTS: [Self; 4] = [Self::Procurement, Self::Dispensing, Self::Settlement, Self::Handling];
    /// The topics between the stages.
    pub const INTERNAL: [Self; 3] = [Self::Documents, Self::Observations, Self::Claims];

    /// The name without prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Procurement => "procurement",
            Self::Dispensing => "dispensing",
            Self::Settlement => "settlement",
            Self::Handling => "handling",
            Self::Reference => "reference",
            Self::Documents => "documents",
            Self::Observations => "observations",
            Self::Claims => "claims",
            Self::Alerts => "alerts",
            Self::Decisions => "decisions",
            Self::Deadletter => "deadletter",
            Self::Senders => "senders",
        }
    }

    /// The input topic of a group of documents.
    pub const fn of_group(group: Group) -> Self {
        match group {
            Group::Procurement => Self::Procurement,
            Group::Dispensing => Self::Dispensing,
            Group::Settlement => Self::Settlement,
        }
    }

    /// The input topic that carries this.
    pub const fn of_inlet(inlet: Inlet) -> Self {
        match inlet {
            Inlet::Documents(group) => Self::of_group(group),
            Inlet::Handling => Self::Handling,
        }
    }

    /// What an input topic carries.
    pub const fn inlet(self) -> Option<Inlet> {
        match self {
            Self::Procurement => Some(Inlet::Documents(Group::Procurement)),
            Self::Dispensing => Some(Inlet::Documents(Group::Dispensing)),
            Self::Settlement => Some(Inlet::Documents(Group::Settlement)),
            Self::Handling => Some(Inlet::Handling),
            _ => None,
        }
    }
}

impl TopicName for Topic {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }

    fn position(self) -> usize {
        self as usize
    }
}

/// The topics of one installation.
pub type Topology = engine::topology::Topology<Topic>;

impl Topology {
    /// Topics under `prefix`, with that many internal and output partitions, and that many of each input topic.
    pub fn new(prefix: &str, partitions: u16, input_partitions: u16) -> Self {
        Self::with_partitions(prefix, |topic| match topic {
            Topic::Procurement | Topic::Dispensing | Topic::Settlement | Topic::Handling => input_partitions,
            Topic::Reference => 1,
            _ => partitions,
        })
    }
}

/// Bytes that identify a document: institution, a zero that ends it, group, document id.
pub fn document_key_bytes(key: &DocumentKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.institution_id.len() + key.document_id.len() + 2);
    bytes.extend_from_slice(key.institution_id.as_bytes());
    bytes.push(0);
    bytes.push(key.group as u8);
    bytes.extend_from_slice(key.document_id.as_bytes());
    bytes
}

/// Bytes that identify an alias where it is kept beside documents: no institution begins with the first one, so that an
/// alias is never the document that is called like it. Both belong to the same partition.
pub fn alias_key_bytes(alias: &DocumentKey) -> Vec<u8> {
    [&[0][..], &document_key_bytes(alias)].concat()
}

/// Bytes that identify the counts of an institution and day, by whose word they are: neither a document nor an alias begins
/// with two zeros, since an institution has a name.
pub fn sender_key_bytes(writer: Writer, sender: &SenderDay) -> Vec<u8> {
    let institution_id = sender.institution_id.as_deref().unwrap_or_default();
    let day = sender.day.days_since_epoch().to_be_bytes();
    [&SENDER_KEY[..], &[writer as u8], &day, institution_id.as_bytes()].concat()
}

const SENDER_KEY: [u8; 2] = [0, 0];

/// Whose counts [`sender_key_bytes`] identifies, where it is such a key.
pub fn sender_of_key(bytes: &[u8]) -> Option<(Writer, SenderDay)> {
    let (writer, rest) = bytes.strip_prefix(&SENDER_KEY)?.split_first()?;
    let (day, institution_id) = rest.split_first_chunk()?;
    let writer = Writer::ALL.iter().copied().find(|known| *known as u8 == *writer)?;
    let institution_id = std::str::from_utf8(institution_id).ok()?;
    let institution_id = (!institution_id.is_empty()).then(|| institution_id.into());
    let day = Day::from_days_since_epoch(i32::from_be_bytes(*day));
    Some((writer, SenderDay { institution_id, day }))
}

/// The document of [`document_key_bytes`].
pub fn document_of_key(bytes: &[u8]) -> Option<DocumentKey> {
    let institution_end = bytes.iter().position(|byte| *byte == 0)?;
    let (institution, rest) = bytes.split_at(institution_end);
    let group = Group::ALL.into_iter().find(|group| Some(&(*group as u8)) == rest.get(1))?;
    Some(DocumentKey {
        institution_id: std::str::from_utf8(institution).ok()?.into(),
        group,
        document_id: std::str::from_utf8(rest.get(2..)?).ok()?.into(),
    })
}

impl Carried<Topic> for DocumentEntry {
    const TOPIC: Topic = Topic::Documents;
}

impl Carried<Topic> for CodeChange {
    const TOPIC: Topic = Topic::Observations;
}

impl Carried<Topic> for ClaimEntry {
    const TOPIC: Topic = Topic::Claims;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partitions are part of the contract with data at rest: a changed hash would strand it.
    #[test]
    fn partitions_of_known_keys_never_change() {
        let topology = Topology::new("tracewarden.", 16, 3);
        let partitions: Vec<i32> = ["81773220288616423835", "(01)06901234567892(21)SN1", ""]
            .map(|key| topology.partition_of(Topic::Observations, key.as_bytes()))
            .to_vec();
        assert_eq!(partitions, KNOWN);
    }

    const KNOWN: [i32; 3] = [5, 3, 2];
}
