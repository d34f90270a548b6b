//! One worker's session with the in-memory broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::group::{Incarnation, Standing};
use super::{CommitFault, MemoryBroker, State};
use crate::broker::{
    BrokerError, NO_OFFSETS, NextOffset, OutRecord, Polled, RELEASE_ALL, Record, START_ALL, Session,
    SessionOptions, TopicPartition,
};

/// A session with a [`MemoryBroker`]. Dropping it without [`Session::close`] is a crash.
#[derive(Debug)]
pub struct MemorySession {
    broker: MemoryBroker,
    options: SessionOptions,
    incarnation: Incarnation,
    owed: Owed,
    /// Next offset to return, of every started partition.
    positions: BTreeMap<TopicPartition, i64>,
    /// Whose turn it is, when nothing is random.
    turn: usize,
    dead: bool,
}

/// What the worker has been told and must answer.
#[derive(Debug)]
enum Owed {
    Nothing,
    Start(BTreeSet<TopicPartition>),
    Release(BTreeSet<TopicPartition>),
}

impl MemorySession {
    pub(super) fn join(broker: MemoryBroker, options: SessionOptions) -> Result<Self, BrokerError> {
        let mut state = broker.state();
        if let Some(missing) = options.topics.iter().find(|topic| !state.widths.contains_key(*topic)) {
            return Err(BrokerError::Setup(format!("there is no topic {missing}; create it first")));
        }
        let incarnation = state.enter(&options);
        drop(state);
        broker.shared.changed.notify_all();
        Ok(Self {
            broker,
            options,
            incarnation,
            owed: Owed::Nothing,
            positions: BTreeMap::new(),
            turn: 0,
            dead: false,
        })
    }

    /// Runs one call on the broker.
    fn call<T>(
        &mut self,
        what: impl FnOnce(&mut Self, &mut State) -> Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        let broker = self.broker.clone();
        self.call_on(&mut broker.state(), what)
    }

    /// A call is refused when the session is dead, and the session may die of it by chance.
    fn call_on<T>(
        &mut self,
        state: &mut State,
        what: impl FnOnce(&mut Self, &mut State) -> Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        let lost_per_mille = state.faults.rates.lost_per_mille;
        let result = if self.dead {
            Err(BrokerError::SessionLost("it was lost earlier".to_owned()))
        } else if state.faults.happens(lost_per_mille) {
            Err(BrokerError::SessionLost("the connection broke (a fault of the simulation)".to_owned()))
        } else {
            what(self, state)
        };
        if matches!(result, Err(BrokerError::SessionLost(_))) && !self.dead {
            self.dead = true;
            state.leave(&self.options, self.incarnation);
            self.broker.shared.changed.notify_all();
        }
        result
    }

    fn poll_once(&mut self, state: &mut State) -> Result<Polled, BrokerError> {
        if !matches!(self.owed, Owed::Nothing) {
            return Ok(Polled::Nothing);
        }
        let rebalance_per_mille = state.faults.rates.rebalance_per_mille;
        if state.faults.happens(rebalance_per_mille) {
            let State { groups, widths, .. } = state;
            groups.entry(self.options.group.clone()).or_default().rebalance(widths);
        }
        let group = state.groups.entry(self.options.group.clone()).or_default();
        match group.standing(&self.options.member, self.incarnation) {
            Standing::Replaced => Err(replaced()),
            Standing::Expelled if self.positions.is_empty() => {
                self.incarnation = state.enter(&self.options);
                Ok(Polled::Nothing)
            }
            Standing::Expelled => Ok(self.revoked(self.positions.keys().cloned().collect())),
            Standing::MustRelease(owned) => Ok(self.revoked(owned)),
            Standing::Given(owned) => {
                self.owed = Owed::Start(owned.iter().cloned().collect());
                Ok(Polled::Assigned(owned))
            }
            Standing::Settled => self.records(state),
        }
    }

    fn revoked(&mut self, partitions: Vec<TopicPartition>) -> Polled {
        self.owed = Owed::Release(partitions.iter().cloned().collect());
        Polled::Revoked(partitions)
    }

    /// Partitions take turns, so that a long one does not starve the others.
    fn records(&mut self, state: &mut State) -> Result<Polled, BrokerError> {
        let count = self.positions.len();
        let mut limit = self.options.poll_records_max;
        if state.faults.is_random() {
            self.turn = state.faults.below(count);
            limit = 1 + state.faults.below(limit);
        }
        let mut records: Vec<Record> = Vec::new();
        let in_turn = self.turn;
        let round = self.positions.iter_mut().enumerate();
        let (before, from_turn): (Vec<_>, Vec<_>) = round.partition(|(index, _)| *index < in_turn);
        for (index, (partition, position)) in from_turn.into_iter().chain(before) {
            let read = state.log(partition)?.read(*position, limit - records.len())?;
            if let Some(last) = read.last() {
                *position = last.offset + 1;
            }
            records.extend(read);
            if records.len() >= limit {
                self.turn = (index + 1) % count;
                break;
            }
        }
        Ok(if records.is_empty() { Polled::Nothing } else { Polled::Records(records) })
    }

    fn check_owned(&self, state: &State, offsets: &[NextOffset]) -> Result<(), BrokerError> {
        let group = state.groups.get(&self.options.group);
        let fenced = offsets.iter().find(|(partition, _)| {
            !group.is_some_and(|group| group.owns(&self.options.member, self.incarnation, partition))
        });
        match fenced {
            None => Ok(()),
            Some((partition, _)) => {
                Err(BrokerError::SessionLost(format!("the group has taken {partition} away")))
            }
        }
    }
}

impl Session for MemorySession {
    fn poll(&mut self, wait: Duration) -> Result<Polled, BrokerError> {
        let broker = self.broker.clone();
        let mut state = broker.state();
        let mut deadline = None;
        loop {
            let polled = self.call_on(&mut state, Self::poll_once)?;
            if wait.is_zero() || !matches!(polled, Polled::Nothing) {
                return Ok(polled);
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + wait);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(polled);
            }
            state = broker.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn committed(&mut self, partition: &TopicPartition) -> Result<Option<i64>, BrokerError> {
        self.call(|session, state| {
            let group = state.groups.entry(session.options.group.clone()).or_default();
            Ok(group.offsets.get(partition).copied())
        })
    }

    fn watermarks(&mut self, partition: &TopicPartition) -> Result<(i64, i64), BrokerError> {
        self.call(|_, state| {
            let log = state.log(partition)?;
            Ok((log.start(), log.end()))
        })
    }

    fn start(&mut self, partitions: &[NextOffset]) -> Result<(), BrokerError> {
        self.call(|session, state| {
            let named: BTreeSet<_> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
            match &session.owed {
                Owed::Start(wanted) if *wanted == named => {}
                _ => return Err(BrokerError::Setup(START_ALL.to_owned())),
            }
            for (partition, offset) in partitions {
                state.log(partition)?.check_within(*offset)?;
            }
            session.owed = Owed::Nothing;
            session.positions = partitions.iter().cloned().collect();
            Ok(())
        })
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> Result<(), BrokerError> {
        let result = self.call(|session, state| {
            let named: BTreeSet<_> = partitions.iter().cloned().collect();
            match &session.owed {
                Owed::Release(wanted) if *wanted == named => {}
                _ => return Err(BrokerError::Setup(RELEASE_ALL.to_owned())),
            }
            session.owed = Owed::Nothing;
            session.positions.clear();
            let State { groups, widths, .. } = state;
            let group = groups.entry(session.options.group.clone()).or_default();
            group.release(&session.options.member, session.incarnation, widths);
            Ok(())
        });
        self.broker.shared.changed.notify_all();
        result
    }

    fn lags(&mut self) -> Result<BTreeMap<TopicPartition, i64>, BrokerError> {
        self.call(|session, state| {
            let lag = |(partition, position): (&TopicPartition, &i64)| {
                Ok((partition.clone(), state.log(partition)?.lag(*position)))
            };
            session.positions.iter().map(lag).collect()
        })
    }

    fn commit(&mut self, outputs: Vec<OutRecord>, offsets: &[NextOffset]) -> Result<(), BrokerError> {
        let result = self.call(|session, state| {
            if offsets.is_empty() {
                return Err(BrokerError::Setup(NO_OFFSETS.to_owned()));
            }
            for output in &outputs {
                output.check_size(state.record_bytes_max)?;
                state.log(&output.target)?;
            }
            session.check_owned(state, offsets)?;
            let fault = state.faults.commit(&session.options.member);
            match fault {
                None | Some(CommitFault::UnknownAndCommitted) => {
                    state.write(outputs)?;
                    let group = state.groups.entry(session.options.group.clone()).or_default();
                    group.offsets.extend(offsets.iter().cloned());
                }
                Some(CommitFault::Aborted | CommitFault::UnknownAndAborted) => {
                    state.write_aborted(&outputs)?
                }
            }
            match fault {
                None => Ok(()),
                Some(CommitFault::Aborted) => Err(BrokerError::Aborted("a planned fault".to_owned())),
                Some(CommitFault::UnknownAndCommitted | CommitFault::UnknownAndAborted) => Err(
                    BrokerError::SessionLost("the answer to a commit was lost (a planned fault)".to_owned()),
                ),
            }
        });
        self.broker.shared.changed.notify_all();
        result
    }

    fn close(&mut self) {
        if !self.dead {
            self.dead = true;
            self.broker.state().leave(&self.options, self.incarnation);
            self.broker.shared.changed.notify_all();
        }
    }
}

impl Drop for MemorySession {
    fn drop(&mut self) {
        self.close();
    }
}

impl State {
    /// Joins the group as a new incarnation of the member.
    fn enter(&mut self, options: &SessionOptions) -> Incarnation {
        let incarnation = self.next_incarnation();
        let Self { groups, widths, .. } = self;
        let group = groups.entry(options.group.clone()).or_default();
        group.join(&options.member, incarnation, &options.topics, widths);
        incarnation
    }

    fn leave(&mut self, options: &SessionOptions, incarnation: Incarnation) {
        let Self { groups, widths, .. } = self;
        let group = groups.entry(options.group.clone()).or_default();
        group.remove(&options.member, Some(incarnation), widths);
    }

    /// Appends the outputs of a transaction, and its end marker to every partition that it touched.
    fn write(&mut self, outputs: Vec<OutRecord>) -> Result<(), BrokerError> {
        let touched: BTreeSet<_> = outputs.iter().map(|output| output.target.clone()).collect();
        let now_millis = self.now_millis;
        for output in outputs {
            self.log_mut(&output.target.clone())?.append(output, Some(now_millis));
        }
        for partition in &touched {
            self.log_mut(partition)?.skip(1);
        }
        Ok(())
    }

    /// What an aborted transaction leaves behind: offsets that no reader sees.
    fn write_aborted(&mut self, outputs: &[OutRecord]) -> Result<(), BrokerError> {
        let touched: BTreeSet<_> = outputs.iter().map(|output| &output.target).collect();
        for output in outputs {
            self.log_mut(&output.target)?.skip(1);
        }
        for partition in touched {
            self.log_mut(partition)?.skip(1);
        }
        Ok(())
    }
}

fn replaced() -> BrokerError {
    BrokerError::SessionLost("another session of the same member took its place".to_owned())
}
