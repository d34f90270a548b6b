//! Decoded values of a stretch of the log, a batch at most.
//!
//! Values are read and decoded once in it, changed in place, and encoded once at its end; what is then as it was is not
//! written again.

use std::sync::Arc;

use foldhash::HashMap;

use crate::domain::time::Timestamp;
use crate::engine::{State, keyspace};
use crate::store::{Bytes, Rows, StoreError};
use crate::wire::form::Writer;

/// The values that are decoded.
#[derive(Debug)]
pub(super) struct Values<V> {
    positions: HashMap<Arc<[u8]>, usize>,
    held: Vec<Held<V>>,
    /// Positions of those that the entry being applied has asked for.
    touched: Vec<usize>,
    /// What they are encoded with.
    writer: Writer,
}

/// A value that was read, perhaps to be changed.
#[derive(Debug)]
struct Held<V> {
    key: Arc<[u8]>,
    value: V,
    /// Its key and its bytes as it was read.
    stored_key: Bytes,
    stored: Option<Bytes>,
    /// When the timer is due that is set for it.
    timer: Option<Timestamp>,
}

/// A timer to be moved.
pub(super) struct TimerMove {
    /// Whose it is.
    pub(super) key: Arc<[u8]>,
    /// When it was due.
    pub(super) before: Option<Timestamp>,
    /// When it is to be due.
    pub(super) due: Option<Timestamp>,
}

impl<V> Default for Values<V> {
    fn default() -> Self {
        Self {
            positions: HashMap::default(),
            held: Vec::new(),
            touched: Vec::new(),
            writer: Writer::of_value(),
        }
    }
}

impl<V: State> Values<V> {
    /// The value of a key, to be read or changed; a missing one is the default.
    pub(super) fn value(&mut self, rows: &dyn Rows, key: &[u8]) -> Result<&mut V, StoreError> {
        let position = match self.positions.get(key) {
            Some(position) => *position,
            None => self.load(rows, key)?,
        };
        if self.touched.last() != Some(&position) {
            self.touched.push(position);
        }
        self.held
            .get_mut(position)
            .map(|held| &mut held.value)
            .ok_or_else(|| StoreError::Failed("a value has no place: this is a defect".into()))
    }

    fn load(&mut self, rows: &dyn Rows, key: &[u8]) -> Result<usize, StoreError> {
        let stored_key = Bytes::from(keyspace::value(key));
        let stored = rows.get(&stored_key)?;
        let value = stored.as_deref().map(V::decode).transpose()?.unwrap_or_default();
        let (key, position): (Arc<[u8]>, usize) = (key.into(), self.held.len());
        self.held.push(Held { key: key.clone(), timer: value.due(), value, stored_key, stored });
        self.positions.insert(key, position);
        Ok(position)
    }

    /// The timers that the values asked for since the last call want moved.
    pub(super) fn timers_to_move(&mut self) -> Vec<TimerMove> {
        let mut moves = Vec::new();
        for position in self.touched.drain(..) {
            let Some(held) = self.held.get_mut(position) else { continue };
            let due = held.value.due();
            if due != held.timer {
                moves.push(TimerMove { key: held.key.clone(), before: held.timer, due });
                held.timer = due;
            }
        }
        moves
    }

    /// Everything changed, as rows of the store; no value is held afterwards.
    pub(super) fn take_changed(&mut self, mut take: impl FnMut(Bytes, Option<Bytes>)) {
        self.positions.clear();
        self.touched.clear();
        for Held { value, stored_key, stored, .. } in self.held.drain(..) {
            if value.is_empty() {
                if stored.is_some() {
                    take(stored_key, None);
                }
                continue;
            }
            value.encode(&mut self.writer);
            let bytes = self.writer.bytes();
            if stored.is_none_or(|stored| *stored != *bytes) {
                take(stored_key, Some(bytes.into()));
            }
            self.writer.begin_anew();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.positions.clear();
        self.held.clear();
        self.touched.clear();
    }
}
