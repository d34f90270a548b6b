//! Pseudonyms of persons: the only form in which a person leaves intake.
//!
//! HMAC-SHA-256 under a secret key, cut to 16 bytes. A tag in front of the identifier keeps numbers and
//! certificates apart, so that a number can never equal a certificate of the same digits. Every pseudonym names
//! its key; those of different keys compare as absent, so a key can be exchanged without false matches. Whoever
//! holds the key can test a guess, so it is a secret like a password: it is never printed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::document::{Person, Pseudonym};

/// The key of demonstrations, replays and simulations. Public, hence worthless for real data.
pub const TEST_KEY: &[u8; 32] = b"tracewarden: a public test key..";

/// [`TEST_KEY`] as hexadecimal text, for a configuration file.
pub const TEST_KEY_HEX: &str = "747261636577617264656e3a2061207075626c69632074657374206b65792e2e";

/// The key id that goes with [`TEST_KEY`].
pub const TEST_KEY_ID: u32 = 0;

/// Least length of a key: as much as the pseudonym has itself.
pub const KEY_BYTES_MIN: usize = 16;

const NUMBER_TAG: &[u8] = b"tracewarden/person/number\0";
const CERTIFICATE_TAG: &[u8] = b"tracewarden/person/certificate\0";

/// Makes pseudonyms under one key.
#[derive(Clone)]
pub struct Pseudonymiser {
    key_id: u32,
    keyed: Hmac<Sha256>,
}

/// Why a key was not accepted. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Shorter than [`KEY_BYTES_MIN`].
    #[error("the pseudonym key is shorter than {KEY_BYTES_MIN} bytes")]
    TooShort,
    /// Not hexadecimal text of whole bytes.
    #[error("the pseudonym key is not hexadecimal text of whole bytes")]
    NotHex,
}

impl Pseudonymiser {
    /// A pseudonymiser under the key of these bytes.
    pub fn from_bytes(key_id: u32, key: &[u8]) -> Result<Self, KeyError> {
        if key.len() < KEY_BYTES_MIN {
            return Err(KeyError::TooShort);
        }
        let keyed = Hmac::new_from_slice(key).map_err(|_| KeyError::TooShort)?;
        Ok(Self { key_id, keyed })
    }

    /// A pseudonymiser under the key of this hexadecimal text; white space around it is passed over.
    pub fn from_hex(key_id: u32, hex: &str) -> Result<Self, KeyError> {
        let digits: Option<Vec<u8>> = hex
            .trim()
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
            .collect();
        let digits = digits.ok_or(KeyError::NotHex)?;
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(KeyError::NotHex);
        }
        let key: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        Self::from_bytes(key_id, &key)
    }

    /// Under the documented test key.
    pub fn for_tests() -> Self {
        // HMAC itself fills a key up with zeros to the block, and a whole block cannot be refused.
        let mut block = [0; 64];
        for (filled, byte) in block.iter_mut().zip(TEST_KEY) {
            *filled = *byte;
        }
        let keyed = Hmac::new(&block.into());
        Self { key_id: TEST_KEY_ID, keyed }
    }

    /// The pseudonym of a person number, or none when it is blank.
    pub fn number(&self, person_id: &str) -> Option<Pseudonym> {
        self.pseudonym(NUMBER_TAG, person_id)
    }

    /// The pseudonym of a certificate number, or none when it is blank.
    pub fn certificate(&self, person_cert: &str) -> Option<Pseudonym> {
        self.pseudonym(CERTIFICATE_TAG, person_cert)
    }

    /// A person of a number and a certificate, each possibly blank.
    pub fn person(&self, person_id: &str, person_cert: &str) -> Person {
        Person { number: self.number(person_id), certificate: self.certificate(person_cert) }
    }

    fn pseudonym(&self, tag: &[u8], identifier: &str) -> Option<Pseudonym> {
        let identifier = identifier.trim();
        if identifier.is_empty() {
            return None;
        }
        let mut keyed = self.keyed.clone();
        keyed.update(tag);
        keyed.update(identifier.to_uppercase().as_bytes());
        let full = keyed.finalize().into_bytes();
        let mut digest = [0; 16];
        for (cut, byte) in digest.iter_mut().zip(full) {
            *cut = byte;
        }
        Some(Pseudonym { key_id: self.key_id, digest })
    }
}

impl fmt::Debug for Pseudonymiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonymiser").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_ignores_case_and_surrounding_space_and_keeps_the_two_kinds_apart() {
        let pseudonymiser = Pseudonymiser::for_tests();
        let number = pseudonymiser.number("37020219800101123X");
        assert!(number.is_some());
        assert_eq!(number, pseudonymiser.number(" 37020219800101123x\t"));
        assert_ne!(number, pseudonymiser.certificate("37020219800101123X"));
        assert_ne!(number, pseudonymiser.number("370202198001011230"));
        assert_eq!(pseudonymiser.number("  "), None);
    }

    #[test]
    fn the_key_matters_and_is_never_shown() {
        let tests = Pseudonymiser::for_tests();
        let same = Pseudonymiser::from_hex(TEST_KEY_ID, &format!(" {TEST_KEY_HEX}\n"));
        let same = same.as_ref().map(|pseudonymiser| pseudonymiser.number("N1"));
        assert_eq!(same, Ok(tests.number("N1")));
        let other = Pseudonymiser::from_bytes(7, b"another key, of thirty-two bytes");
        let other = other.as_ref().map(|pseudonymiser| pseudonymiser.number("N1"));
        assert_ne!(other, Ok(tests.number("N1")));
        assert_eq!(format!("{tests:?}"), "Pseudonymiser { key_id: 0, .. }");
    }

    #[test]
    fn a_short_or_garbled_key_is_refused() {
        for (hex, error) in [
            ("", KeyError::TooShort),
            ("00ff", KeyError::TooShort),
            ("0", KeyError::NotHex),
            ("zz", KeyError::NotHex),
        ] {
            assert_eq!(Pseudonymiser::from_hex(1, hex).err(), Some(error));
        }
    }
}
