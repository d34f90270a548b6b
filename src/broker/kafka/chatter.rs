//! What librdkafka says of itself, passed on to the log without its repetitions.
//!
//! While a broker is away every connection of every client of the process complains about it several times a second.
//! One line of each kind in half a minute says as much, and how many like it were held back. Kinds are told apart by
//! the text without its digits, so that ports, times and counts make no new kind, and another problem is said at once.
//!
//! What is only information or for debugging is never held back. How often a line came after the last one that was
//! passed on stays unsaid until the next. Few kinds are remembered at a time; beyond that the oldest is forgotten, and
//! may be said again too early.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Between two lines of one kind.
const SAID_EVERY: Duration = Duration::from_secs(30);
/// Most kinds remembered.
const KINDS_MAX: usize = 64;
/// How much of a line tells its kind.
const KIND_BYTES_MAX: usize = 200;

/// Who is heard by everybody in the process: each client would say the same.
static HEARD: Mutex<Repetitions> = Mutex::new(Repetitions { kinds: BTreeMap::new() });

/// The kinds of lines that were said lately.
struct Repetitions {
    kinds: BTreeMap<String, Said>,
}

/// When a kind was said last, and how many lines were held back since.
struct Said {
    at: Instant,
    held_back: u64,
}

impl Repetitions {
    /// Whether a line that comes now is to be said: then how many like it were held back before it.
    fn admit(&mut self, line: &str, now: Instant) -> Option<u64> {
        let kind = kind(line);
        if let Some(said) = self.kinds.get_mut(&kind) {
            if now.saturating_duration_since(said.at) < SAID_EVERY {
                said.held_back += 1;
                return None;
            }
            let held_back = said.held_back;
            *said = Said { at: now, held_back: 0 };
            return Some(held_back);
        }
        if self.kinds.len() >= KINDS_MAX {
            let oldest = self.kinds.iter().min_by_key(|(_, said)| said.at).map(|(kind, _)| kind.clone());
            oldest.and_then(|kind| self.kinds.remove(&kind));
        }
        self.kinds.insert(kind, Said { at: now, held_back: 0 });
        Some(0)
    }
}

fn kind(line: &str) -> String {
    line.bytes().filter(|byte| !byte.is_ascii_digit()).take(KIND_BYTES_MAX).map(char::from).collect()
}

/// What librdkafka writes to its log.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", "{facility}: {text}"),
        RDKafkaLogLevel::Info => tracing::info!(target: "librdkafka", "{facility}: {text}"),
        RDKafkaLogLevel::Notice => once(&format!("{facility}: {text}"), |line| {
            tracing::info!(target: "librdkafka", "{line}");
        }),
        RDKafkaLogLevel::Warning => once(&format!("{facility}: {text}"), |line| {
            tracing::warn!(target: "librdkafka", "{line}");
        }),
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Emerg => once(&format!("{facility}: {text}"), |line| {
            tracing::error!(target: "librdkafka", "{line}");
        }),
    }
}

/// What librdkafka reports as an error of a client.
pub(super) fn error(error: &KafkaError, reason: &str) {
    once(&format!("{error}: {reason}"), |line| tracing::error!(target: "librdkafka", "{line}"));
}

/// Says a line unless one like it was said just before.
fn once(line: &str, say: impl FnOnce(&str)) {
    let admitted = HEARD.lock().unwrap_or_else(PoisonError::into_inner).admit(line, Instant::now());
    match admitted {
        None => {}
        Some(0) => say(line),
        Some(held_back) => say(&format!("{line} ({held_back} more like it held back)")),
    }
}

/// A client of which nothing else is heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogOnly;

impl ClientContext for LogOnly {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log(level, facility, text);
    }

    fn error(&self, kafka_error: KafkaError, reason: &str) {
        error(&kafka_error, reason);
    }
}

impl ConsumerContext for LogOnly {}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: &str = "FAIL: [thrd:127.0.0.1:9092/1]: Connect to ipv4#127.0.0.1:9092 failed (after 0ms)";

    #[test]
    fn a_kind_is_said_once_in_its_time_with_what_was_held_back() {
        let mut heard = Repetitions { kinds: BTreeMap::new() };
        let began = Instant::now();
        let mut admit = |seconds, line: &str| heard.admit(line, began + Duration::from_secs(seconds));
        assert_eq!(admit(0, AWAY), Some(0));
        // The numbers in it make no other kind.
        assert_eq!(admit(1, &AWAY.replace("0ms", "17ms")), None);
        assert_eq!(admit(29, &AWAY.replace("9092", "9093")), None);
        // Another problem is said at once.
        assert_eq!(admit(29, "FAIL: SSL handshake failed"), Some(0));
        assert_eq!(admit(30, AWAY), Some(2));
        assert_eq!(admit(59, AWAY), None);
        assert_eq!(admit(90, AWAY), Some(1));
    }

    #[test]
    fn the_memory_of_kinds_is_bounded_and_forgets_the_oldest() {
        let mut heard = Repetitions { kinds: BTreeMap::new() };
        let began = Instant::now();
        for (second, letter) in (0..).zip('ァ'..='ヺ') {
            assert_eq!(heard.admit(&letter.to_string(), began + Duration::from_secs(second)), Some(0));
        }
        assert_eq!(heard.kinds.len(), KINDS_MAX);
        let now = began + Duration::from_secs(90);
        assert_eq!(heard.admit("ヺ", now), None);
        assert_eq!(heard.admit("ァ", now), Some(0));
        assert_eq!(heard.kinds.len(), KINDS_MAX);
    }
}
