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

/// The key id that goes with [`TEST_KEY`].
pub const TEST_KEY_ID: u32 = 0;

/// Least length of a key: as much as the digest that it is mixed into. A shorter one could be guessed with less work.
pub const KEY_BYTES_MIN: usize = 32;

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

    /// The pseudonym of someone of the staff whose id looks like an identity card (15 digits, or 17 and a digit or X);
    /// none of every other id, which stays as it is. The same as of a patient with that certificate.
    pub fn staff(&self, id: &str) -> Option<Pseudonym> {
        let id = id.trim();
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_card = match id.len() {
            15 => all_digits(id),
            18 => id.split_at_checked(17).is_some_and(|(digits, check)| {
                all_digits(digits) && (all_digits(check) || matches!(check, "X" | "x"))
            }),
            _ => false,
        };
        if is_card { self.certificate(id) } else { None }
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
        let same = Pseudonymiser::from_bytes(TEST_KEY_ID, TEST_KEY);
        let same = same.as_ref().map(|pseudonymiser| pseudonymiser.number("N1"));
        assert_eq!(same, Ok(tests.number("N1")));
        let other = Pseudonymiser::from_bytes(7, b"another key, of thirty-two bytes");
        let other = other.as_ref().map(|pseudonymiser| pseudonymiser.number("N1"));
        assert_ne!(other, Ok(tests.number("N1")));
        assert_eq!(format!("{tests:?}"), "Pseudonymiser { key_id: 0, .. }");
    }

    #[test]
    fn staff_are_pseudonyms_where_their_id_is_an_identity_card() {
        let pseudonymiser = Pseudonymiser::for_tests();
        for card in ["370202198001011234", "37020219800101123x", "370202800101123"] {
            assert_eq!(pseudonymiser.staff(card), pseudonymiser.certificate(card), "{card}");
        }
        for other in ["HY370203000123", "D370202000123", "37020219800101123Y", "001", ""] {
            assert_eq!(pseudonymiser.staff(other), None, "{other}");
        }
    }

    #[test]
    fn a_short_key_is_refused() {
        for bytes in [0, KEY_BYTES_MIN - 1] {
            assert_eq!(Pseudonymiser::from_bytes(1, &vec![7; bytes]).err(), Some(KeyError::TooShort));
        }
    }
}
