//! One consumer group of the in-memory broker: members, who owns which partition, committed offsets.
//!
//! Eager rebalancing as Kafka does it: when somebody joins or leaves, every member first gives back all it has,
//! and only when the last one has done so are the partitions handed out anew. A member that never polls again
//! therefore holds up the others until it is expired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::broker::TopicPartition;

/// Which incarnation of a member somebody is; a later one fences the earlier ones.
pub(super) type Incarnation = u64;

/// Where a member stands when it asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A later incarnation of the same member took its place.
    Replaced,
    /// The group gave it up; it may join again.
    Expelled,
    /// It is a member and has nothing to do about its assignment.
    Settled,
    /// It must give these back.
    MustRelease(Vec<TopicPartition>),
    /// It has just been given these.
    Given(Vec<TopicPartition>),
}

#[derive(Debug)]
struct Member {
    incarnation: Incarnation,
    topics: BTreeSet<Arc<str>>,
    owned: BTreeSet<TopicPartition>,
    /// Whether the member has been told what it owns.
    told: bool,
}

/// A consumer group.
#[derive(Debug, Default)]
pub(super) struct Group {
    members: BTreeMap<String, Member>,
    rebalancing: bool,
    /// Committed next offsets.
    pub(super) offsets: BTreeMap<TopicPartition, i64>,
}

impl Group {
    /// Takes a member in; an earlier incarnation of the same name is out from now on.
    pub(super) fn join(
        &mut self,
        name: &str,
        incarnation: Incarnation,
        topics: &[Arc<str>],
        partitions: &BTreeMap<Arc<str>, i32>,
    ) {
        let topics = topics.iter().cloned().collect();
        self.members
            .insert(name.to_owned(), Member { incarnation, topics, owned: BTreeSet::new(), told: false });
        self.rebalance(partitions);
    }

    /// Takes a member out, whether it knows of it or not. Does nothing when it has been replaced already.
    pub(super) fn remove(
        &mut self,
        name: &str,
        incarnation: Option<Incarnation>,
        partitions: &BTreeMap<Arc<str>, i32>,
    ) {
        let is_it = |member: &Member| incarnation.is_none_or(|wanted| member.incarnation == wanted);
        if self.members.get(name).is_some_and(is_it) {
            self.members.remove(name);
            self.rebalance(partitions);
        }
    }

    /// Starts handing out everything anew.
    pub(super) fn rebalance(&mut self, partitions: &BTreeMap<Arc<str>, i32>) {
        self.rebalancing = true;
        for member in self.members.values_mut().filter(|member| !member.told) {
            member.owned.clear();
        }
        self.finish_if_all_released(partitions);
    }

    /// A member gives back all it has.
    pub(super) fn release(
        &mut self,
        name: &str,
        incarnation: Incarnation,
        partitions: &BTreeMap<Arc<str>, i32>,
    ) {
        if let Some(member) = self.members.get_mut(name).filter(|member| member.incarnation == incarnation) {
            member.owned.clear();
            member.told = false;
        }
        self.finish_if_all_released(partitions);
    }

    /// Where a member stands; an assignment that is reported counts as told.
    pub(super) fn standing(&mut self, name: &str, incarnation: Incarnation) -> Standing {
        let rebalancing = self.rebalancing;
        let Some(member) = self.members.get_mut(name) else { return Standing::Expelled };
        if member.incarnation != incarnation {
            return Standing::Replaced;
        }
        if member.owned.is_empty() {
            return Standing::Settled;
        }
        let owned = || member.owned.iter().cloned().collect();
        match (member.told, rebalancing) {
            (true, true) => Standing::MustRelease(owned()),
            (true, false) => Standing::Settled,
            (false, _) => {
                let given = Standing::Given(owned());
                member.told = true;
                given
            }
        }
    }

    /// Whether this incarnation of the member owns the partition, and so may commit for it.
    pub(super) fn owns(&self, name: &str, incarnation: Incarnation, partition: &TopicPartition) -> bool {
        self.members.get(name).is_some_and(|member| {
            member.incarnation == incarnation && member.told && member.owned.contains(partition)
        })
    }

    fn finish_if_all_released(&mut self, partitions: &BTreeMap<Arc<str>, i32>) {
        if !self.rebalancing || self.members.values().any(|member| !member.owned.is_empty()) {
            return;
        }
        self.rebalancing = false;
        for (topic, &count) in partitions {
            self.assign_range(topic, count);
        }
    }

    /// Kafka's range assignor: each topic by itself, the members in the order of their names, so that the same
    /// partition numbers of equally wide topics come to the same member.
    fn assign_range(&mut self, topic: &Arc<str>, partitions: i32) {
        let mut subscribers: Vec<&mut Member> =
            self.members.values_mut().filter(|member| member.topics.contains(topic)).collect();
        let Some(share) =
            i32::try_from(subscribers.len()).ok().and_then(|count| partitions.checked_div(count))
        else {
            return;
        };
        let mut with_one_more = partitions - share * subscribers.len() as i32;
        let mut next = 0;
        for member in &mut subscribers {
            let end = next + share + i32::from(with_one_more > 0);
            with_one_more -= 1;
            member.owned.extend((next..end).map(|number| TopicPartition::new(Arc::clone(topic), number)));
            next = end;
        }
    }
}
