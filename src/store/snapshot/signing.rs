//! Hashes for the signatures of requests to an S3-compatible store, from the crates that are there anyway.
//!
//! The client for S3 would otherwise bring a cryptographic library of its own, and its build. What it asks for is
//! SHA-256 and HMAC-SHA-256; signatures by RSA, which other clouds use, are refused.

use hmac::{HmacReset, KeyInit, Mac};
use object_store::client::{
    CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm,
};
use object_store::{Error, Result};
use sha2::{Digest, Sha256};

/// What a result of SHA-256 is.
type Output = [u8; 32];

/// The hashes.
#[derive(Debug)]
pub(super) struct Signing;

impl CryptoProvider for Signing {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Digesting(Sha256::new(), Output::default()))),
            other => Err(not_known(format!("{other:?}"))),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let keyed =
                    HmacReset::new_from_slice(secret).map_err(|error| not_known(error.to_string()))?;
                Ok(Box::new(Keyed(keyed, Output::default())))
            }
            other => Err(not_known(format!("{other:?}"))),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, _pem: &[u8]) -> Result<Box<dyn Signer>> {
        Err(not_known(format!("{algorithm:?}")))
    }
}

/// A digest on its way, and its result.
struct Digesting(Sha256, Output);

impl DigestContext for Digesting {
    fn update(&mut self, data: &[u8]) {
        Digest::update(&mut self.0, data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.1 = self.0.finalize_reset().into();
        Ok(&self.1)
    }
}

/// A keyed digest on its way, and its result.
struct Keyed(HmacReset<Sha256>, Output);

impl HmacContext for Keyed {
    fn update(&mut self, data: &[u8]) {
        Mac::update(&mut self.0, data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.1 = self.0.finalize_reset().into_bytes().into();
        Ok(&self.1)
    }
}

fn not_known(what: String) -> Error {
    Error::NotSupported { source: format!("signatures by {what}").into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, B.1, in two parts.
    #[test]
    fn the_digest_is_that_of_the_standard() {
        let mut digest = Signing.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(digest.finish().unwrap()), expected);
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_keyed_digest_is_that_of_the_standard() {
        let mut keyed = Signing.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        keyed.update(b"what do ya want ");
        keyed.update(b"for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(keyed.finish().unwrap()), expected);
    }
}
