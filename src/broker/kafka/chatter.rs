//! What librdkafka says of itself, passed on to the log without its repetitions.
//!
//! While a broker is away every connection of every client of the process complains about it several times a second.
//! One line of each kind in half a minute says as much, and how many like it were held back. Kinds are told apart by
//! level and by what is said, without thread, addresses, quoted names, digits and how long it took: the same problem with
//! the next broker is the same kind, and another problem is said at once. Errors that are reported besides are told apart
//! by their codes too.
//!
//! Lines for debugging, fatal errors and those of authentication are never held back. How often a line came after the last
//! one that was passed on stays unsaid until the next. Few kinds are remembered at a time; beyond that the oldest is
//! forgotten, what was held back of it is said, and it may be said again too early.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Between two lines of one kind.
const SAID_EVERY: Duration = Duration::from_secs(30);
/// Most kinds remembered.
const KINDS_MAX: usize = 64;
/// How much of a line tells its kind.
const KIND_CHARACTERS_MAX: usize = 200;

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
    /// Whether a line of this kind that comes now is to be said: then how many like it were held back before it.
    fn admit(&mut self, kind: String, now: Instant) -> Option<u64> {
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
            if let Some((kind, said)) = oldest.and_then(|kind| self.kinds.remove_entry(&kind))
                && said.held_back > 0
            {
                tracing::info!(target: "librdkafka", "{kind} ({} like it held back)", said.held_back);
            }
        }
        self.kinds.insert(kind, Said { at: now, held_back: 0 });
        Some(0)
    }
}

/// What a line of the log says, as the kind that it is of; `begin` are its level and facility, or the code of an error.
fn kind(begin: &str, text: &str) -> String {
    let said = match text.strip_prefix("[thrd:").and_then(|rest| rest.split_once("]: ")) {
        // What is about a broker names it again.
        Some((thread, rest)) => rest.strip_prefix(thread).map_or(rest, |rest| rest.trim_start_matches(": ")),
        None => text,
    };
    let said = said.split(" (after ").next().unwrap_or_default();
    let mut kind = format!("{begin}:");
    // Every second part is between quotes: a name.
    for unquoted in said.split(['\'', '"']).step_by(2) {
        for word in unquoted.split_whitespace() {
            kind.push(' ');
            if is_address(word) {
                kind.push('@');
            } else {
                kind.extend(word.chars().filter(|character| !character.is_ascii_digit()));
            }
        }
    }
    kind.chars().take(KIND_CHARACTERS_MAX).collect()
}

/// Whether a word has a port or a path behind a colon, as addresses of brokers have.
fn is_address(word: &str) -> bool {
    word.split(':').skip(1).any(|rest| rest.starts_with(|next: char| next.is_ascii_digit() || next == '/'))
}

/// What librdkafka writes to its log.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, text: &str) {
    let line = format!("{facility}: {text}");
    if matches!(level, RDKafkaLogLevel::Debug) {
        tracing::debug!(target: "librdkafka", "{line}");
        return;
    }
    let Some(line) = unless_said(kind(&format!("{level:?} {facility}"), text), line) else { return };
    match level {
        RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
            tracing::info!(target: "librdkafka", "{line}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", "{line}"),
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Emerg => tracing::error!(target: "librdkafka", "{line}"),
    }
}

/// What librdkafka reports as an error of a client.
pub(super) fn error(error: &KafkaError, reason: &str) {
    let line = format!("{error}: {reason}");
    let code = error.rdkafka_error_code();
    let said = if code.is_some_and(is_grave) {
        Some(line)
    } else {
        unless_said(kind(&error.to_string(), reason), line)
    };
    if let Some(line) = said {
        tracing::error!(target: "librdkafka", "{line}");
    }
}

/// Whether an error of this code is always said.
fn is_grave(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
    )
}

/// The line, with how many like it were held back, unless one of its kind was said just before.
fn unless_said(kind: String, line: String) -> Option<String> {
    match HEARD.lock().unwrap_or_else(PoisonError::into_inner).admit(kind, Instant::now())? {
        0 => Some(line),
        held_back => Some(format!("{line} ({held_back} more like it held back)")),
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

    #[test]
    fn a_kind_is_what_is_said_whoever_it_is_about_and_whenever() {
        let away = |broker: &str, port: u16, tail: &str| {
            let text = format!(
                "[thrd:{broker}]: {broker}: Connect to ipv4#10.0.0.1:{port} failed: refused (after {tail})"
            );
            kind("FAIL", &text)
        };
        let first = away("kafka-1:9092/1", 9092, "0ms in state CONNECT");
        assert_eq!(first, "FAIL: Connect to @ failed: refused");
        assert_eq!(
            first,
            away("kafka-2:9093/2", 9093, "17ms in state CONNECT, 3 identical error(s) suppressed")
        );
        assert_ne!(first, kind("FAIL", "[thrd:kafka-1:9092/1]: kafka-1:9092/1: SSL handshake failed"));
        assert_ne!(first, kind("REQTMOUT", "[thrd:main]: Timed out 3 requests"));
        for (one, same) in [
            ("Failed to resolve 'kafka-a:9092': unknown", "Failed to resolve 'kafka-b:9093': unknown"),
            ("a:9092/bootstrap: gone", "b:9092/bootstrap: gone"),
            ("[fe80::1]:9092: gone", "[2001:db8::2]:9093: gone"),
        ] {
            assert_eq!(kind("FAIL", one), kind("FAIL", same));
        }
        assert_ne!(kind("Info FAIL", "gone"), kind("Error FAIL", "gone"));
        assert!(is_grave(RDKafkaErrorCode::Fatal) && !is_grave(RDKafkaErrorCode::AllBrokersDown));
        assert_eq!(kind("FAIL", &"x".repeat(10_000)).len(), KIND_CHARACTERS_MAX);
    }

    #[test]
    fn a_kind_is_said_once_in_its_time_with_what_was_held_back() {
        let mut heard = Repetitions { kinds: BTreeMap::new() };
        let began = Instant::now();
        let mut admit =
            |seconds, kind: &str| heard.admit(kind.to_owned(), began + Duration::from_secs(seconds));
        assert_eq!(admit(0, "away"), Some(0));
        assert_eq!((admit(1, "away"), admit(29, "away")), (None, None));
        assert_eq!(admit(29, "not trusted"), Some(0));
        assert_eq!(admit(30, "away"), Some(2));
        assert_eq!(admit(59, "away"), None);
        assert_eq!(admit(90, "away"), Some(1));
    }

    #[test]
    fn the_memory_of_kinds_is_bounded_and_forgets_the_oldest() {
        let mut heard = Repetitions { kinds: BTreeMap::new() };
        let began = Instant::now();
        for (second, letter) in (0..).zip('ァ'..='ヺ') {
            assert_eq!(heard.admit(letter.into(), began + Duration::from_secs(second)), Some(0));
        }
        assert_eq!(heard.kinds.len(), KINDS_MAX);
        let now = began + Duration::from_secs(90);
        assert_eq!(heard.admit("ヺ".into(), now), None);
        assert_eq!(heard.admit("ァ".into(), now), Some(0));
        assert_eq!(heard.kinds.len(), KINDS_MAX);
    }
}
