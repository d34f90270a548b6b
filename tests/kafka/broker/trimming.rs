//! What goes with snapshots: logs whose beginnings are deleted, and workers that take long to open their stores.

use std::time::{Duration, Instant};

use tracewarden::broker::{BrokerError, Polled, Session};

use super::{Simple, assigned, record, records, texts};
use crate::support::world::{RealKafka, World};

pub(super) fn only_what_is_before_the_named_offset_is_deleted(world: &impl World) {
    let simple = Simple::new(world, "trim", &["a", "b", "c"]);
    assert_eq!(world.trimmer().trim(&simple.input, 0).unwrap(), 0);
    assert_eq!(world.trimmer().trim(&simple.input, 2).unwrap(), 2);
    assert_eq!(world.trimmer().trim(&simple.input, 1).unwrap(), 2, "what is gone is gone");
    // Kafka's name for the end of the log is no offset.
    assert!(matches!(world.trimmer().trim(&simple.input, -1), Err(BrokerError::Setup(_))));
    let mut session = simple.session(world, "m");
    assigned(&mut session);
    assert_eq!(session.watermarks(&simple.input).unwrap(), (2, 3));
}

/// A worker that fills its stores from snapshots takes its time, and polls.
#[test]
fn a_member_that_polls_before_it_starts_keeps_its_partitions() {
    needs_kafka!();
    let world = RealKafka::new();
    let simple = Simple::new(&world, "opening", &["a"]);
    let mut session = simple.session(&world, "m");
    assigned(&mut session);
    let over = Instant::now() + world.0.settings().poll_interval_max * 3 / 2;
    while Instant::now() < over {
        assert!(matches!(session.poll(Duration::from_millis(500)), Ok(Polled::Nothing)));
    }
    session.start(&simple.next(0)).unwrap();
    assert_eq!(texts(&records(&mut session, 1)), ["a"]);
    session.commit(vec![record(&simple.output, "A")], &simple.next(1)).unwrap();
}
