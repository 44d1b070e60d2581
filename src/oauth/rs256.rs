//! RS256: RSA by PKCS #1 1.5 with SHA-256 (RFC 7518, sections 3.3 and 6.3; RFC 8017, section 8.2.2). Signatures are checked only, so that there is
//! no secret whose use could be watched.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U4096};
use hmac_sha256::Hash;

use crate::limits::{RSA_BITS_MAX, RSA_BITS_MIN};

/// A public key. What can be computed ahead is, once.
#[derive(Clone, PartialEq)]
pub(super) struct Key {
    modulus: FixedMontyParams<{ U4096::LIMBS }>,
    modulus_bytes: usize,
    exponent: u32,
}

const MODULUS_BYTES_MAX: usize = RSA_BITS_MAX / 8;
const _: () = assert!(MODULUS_BYTES_MAX == U4096::BYTES, "the numbers have room for it");

/// What stands in front of the hash: that it is one of SHA-256 (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];

impl Key {
    /// The key of this modulus and exponent, both with their most significant byte first.
    ///
    /// # Errors
    /// It is too short or too long, or can't be a key.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let modulus = without_zeros(modulus);
        let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
        if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
            return Err("a public key for RS256 has 2048 to 4096 bits");
        }
        let number = number(modulus).and_then(|number| Option::<Odd<U4096>>::from(Odd::new(number)));
        let number = number.ok_or("a modulus of RSA is odd")?;
        let exponent = without_zeros(exponent);
        let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
        let exponent = exponent.iter().try_fold(0_u32, |sum, byte| Some(sum.checked_mul(256)? + u32::from(*byte)));
        let exponent = exponent.filter(|exponent| is_odd && *exponent >= 3);
        Ok(Self {
            modulus: FixedMontyParams::new_vartime(number),
            modulus_bytes: modulus.len(),
            exponent: exponent.ok_or("an exponent of RSA is odd, and has here at most 32 bits")?,
        })
    }

    /// Whether this is its signature of that.
    pub(super) fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.modulus_bytes {
            return false;
        }
        let Some(sent) = number(signature).filter(|sent| sent < self.modulus.modulus().as_ref()) else { return false };
        let message = self.power(&sent).to_be_bytes();
        let padded = message.as_ref().get(MODULUS_BYTES_MAX - self.modulus_bytes..).unwrap_or_default();
        is_message(padded, &Hash::hash(signed))
    }

    // From the exponent's most significant bit downward: with the usual one, 16 squares and a product.
    fn power(&self, base: &U4096) -> U4096 {
        let base = FixedMontyForm::new(base, &self.modulus);
        let mut power = base;
        for bit in (0..self.exponent.ilog2()).rev() {
            power = power.square();
            if self.exponent >> bit & 1 == 1 {
                power = power.mul(&base);
            }
        }
        power.retrieve()
    }
}

const _: () = assert!(RSA_BITS_MIN == 2048 && RSA_BITS_MAX == 4096, "as the sentence says");

/// Whether this is exactly what is signed where the hash is that: `00 01 FF .. FF 00`, and the hash behind what it is (RFC 8017, section 9.2).
fn is_message(padded: &[u8], hash: &[u8; 32]) -> bool {
    let Some((padding, tail)) =
        padded.split_at_checked(padded.len().saturating_sub(1 + DIGEST_INFO.len() + hash.len()))
    else {
        return false;
    };
    let is_padding = padding.strip_prefix(&[0, 1]).is_some_and(|rest| rest.iter().all(|byte| *byte == 0xff));
    is_padding && tail.iter().eq([0].iter().chain(&DIGEST_INFO).chain(hash))
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}

fn number(bytes: &[u8]) -> Option<U4096> {
    let mut padded = [0; MODULUS_BYTES_MAX];
    padded.get_mut(MODULUS_BYTES_MAX.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(U4096::from_be_slice(&padded))
}
