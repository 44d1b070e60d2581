//! ES256: ECDSA on P-256 with SHA-256 (RFC 7518, sections 3.4 and 6.2).

use hmac_sha256::Hash;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};

/// A public key.
#[derive(Clone, PartialEq)]
pub(super) struct Key(VerifyingKey);

const COORDINATE_BYTES: usize = 32;

impl Key {
    /// The key of these coordinates.
    ///
    /// # Errors
    /// They are not those of a point of the curve.
    pub(super) fn new(x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        const WRONG: &str = "a public key for ES256 is a point of P-256, of 32 bytes in x and in y";
        if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
            return Err(WRONG);
        }
        // A point that is not compressed (SEC 1, section 2.3.3).
        let mut point = heapless::Vec::<u8, { 2 * COORDINATE_BYTES + 1 }>::new();
        for part in [&[4][..], x, y] {
            point.extend_from_slice(part).map_err(|_| WRONG)?;
        }
        VerifyingKey::from_sec1_bytes(&point).map(Self).map_err(|_| WRONG)
    }

    /// Whether this is its signature of that: two numbers of 32 bytes.
    pub(super) fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_prehash(&Hash::hash(signed), &signature).is_ok())
    }
}
