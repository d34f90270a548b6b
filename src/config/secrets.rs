//! Values that must not be shown: the pseudonym key and the settings handed to the Kafka client.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::inbound::pseudonym::KEY_BYTES_MIN;

pub(super) const KEY_REMEDY: &str =
    "give at least 32 random bytes in hexadecimal or base64, such as `openssl rand -hex 32` prints";

const HIDDEN: &str = "<hidden>";

/// The key that pseudonyms of persons are made with. Its bytes are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey {
    bytes: Vec<u8>,
}

impl PseudonymKey {
    /// Reads hexadecimal or base64 (either alphabet, padding optional); the problem never repeats the text.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim_ascii();
        let decoded = hex::decode(text).ok().or_else(|| decode_base64(text));
        let bytes = decoded.ok_or("the key is neither hexadecimal nor base64")?;
        if bytes.len() < KEY_BYTES_MIN {
            return Err(format!("the key has {} bytes, which can be guessed", bytes.len()));
        }
        Ok(Self { bytes })
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let (mut bytes, mut pending, mut pending_bits) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for symbol in text.bytes() {
        let sextet = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        pending = (pending << 6 | u32::from(sextet)) & 0xFFFF;
        pending_bits += 6;
        if pending_bits >= 8 {
            pending_bits -= 8;
            bytes.push((pending >> pending_bits & 0xFF) as u8);
        }
    }
    // A lone last symbol holds no whole byte: the text was cut off.
    (pending_bits < 6).then_some(bytes)
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PseudonymKey({} bytes, {HIDDEN})", self.bytes.len())
    }
}

impl Serialize for PseudonymKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for PseudonymKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).map_err(D::Error::custom)
    }
}

/// Settings handed to the Kafka client as they are. Any of them may be a secret, so only names are ever shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BrokerSettings {
    by_name: BTreeMap<String, String>,
}

impl BrokerSettings {
    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_name.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same settings as a map, for the Kafka client.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.by_name.clone()
    }

    pub(super) fn extend(&mut self, settings: BTreeMap<String, String>) {
        self.by_name.extend(settings);
    }
}

impl fmt::Debug for BrokerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_name.keys().map(|name| (name, HIDDEN))).finish()
    }
}

impl Serialize for BrokerSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.by_name.keys().map(|name| (name, HIDDEN)))
    }
}

impl<'de> Deserialize<'de> for BrokerSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = BTreeMap::<String, toml::Value>::deserialize(deserializer)?;
        let by_name = raw
            .into_iter()
            .map(|(name, value)| match setting_text(&value) {
                Some(text) => Ok((name, text)),
                None => {
                    Err(D::Error::custom(format!("the setting {name} is neither text, number nor boolean")))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { by_name })
    }
}

/// A setting as the Kafka client wants it; none when the value is not a plain one.
pub(super) fn setting_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}
