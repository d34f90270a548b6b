//! The control record `tick` on the inputs: it moves the clock on in back-tests (`--clock uploads`).
//!
//! A record of its own content type, so that it can never be mistaken for an upload.

use serde_json::Value;

use super::moment;
use super::reject::{Reject, RejectReason};
use crate::domain::time::Timestamp;

/// The content type of a tick.
pub const TICK_CONTENT_TYPE: &str = "application/vnd.tracewarden.tick+json";

/// Whether the content type is that of a tick.
pub fn is_tick(content_type: Option<&[u8]>) -> bool {
    let essence = content_type.and_then(|bytes| bytes.split(|byte| *byte == b';').next()).unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(TICK_CONTENT_TYPE.as_bytes())
}

/// The payload of a tick: `{"tick_at":"2026-01-05T09:31:00+08:00"}`.
pub fn encode_tick(at: Timestamp) -> Vec<u8> {
    format!(r#"{{"tick_at":"{at}"}}"#).into_bytes()
}

/// The moment that a tick names.
pub fn decode_tick(payload: &[u8]) -> Result<Timestamp, Reject> {
    let parsed: Result<Value, _> = serde_json::from_slice(payload);
    let Ok(Value::Object(object)) = parsed else {
        return Err(Reject::said(
            RejectReason::Unparseable,
            "时钟记录应为一个含 `tick_at` 的 JSON 对象。",
            "A tick must be one JSON object with `tick_at`.",
        ));
    };
    match object.get("tick_at") {
        None | Some(Value::Null) => Err(Reject::missing("tick_at")),
        Some(Value::String(text)) if text.is_empty() => Err(Reject::missing("tick_at")),
        Some(Value::String(text)) => {
            moment::rfc3339(text).ok_or_else(|| Reject::malformed("tick_at", moment::MOMENT_FORM))
        }
        Some(_) => Err(Reject::malformed("tick_at", moment::MOMENT_FORM)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_round_trips_and_a_broken_one_is_refused() {
        let at = Timestamp::from_unix_millis(1_767_576_661_250);
        assert_eq!(decode_tick(&encode_tick(at)), Ok(at));
        assert!(is_tick(Some(b"Application/vnd.tracewarden.tick+json; v=1")));
        assert!(!is_tick(Some(b"application/json")) && !is_tick(None));
        for (payload, reason) in [
            (&b"[]"[..], RejectReason::Unparseable),
            (b"{}", RejectReason::MissingField),
            (br#"{"tick_at":5}"#, RejectReason::MalformedField),
            (br#"{"tick_at":"2026-01-05"}"#, RejectReason::MalformedField),
        ] {
            assert_eq!(decode_tick(payload).map_err(|reject| reject.reason), Err(reason));
        }
    }
}
