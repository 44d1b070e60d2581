//! The key of the server, and comparison in constant time.

use core::{fmt, hint};

use hmac_sha256::HMAC;

/// Bytes of a tag: 128 bits.
pub(crate) const TAG_BYTES: usize = 16;

/// The secret that signs what clients bring back. Where it is kept over a restart, session ids
/// outlive the restart.
#[derive(Clone)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The key of these bytes, which must come from the system's random source or from a file only
    /// the server can read.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The tag of the parts: HMAC-SHA256 (RFC 2104), truncated to its first 16 bytes (128 bits, as
    /// RFC 2104, section 5 allows).
    ///
    /// `purpose` keeps uses of the key apart: a tag made for one is not valid for another. Every
    /// part but the last must have a fixed length, because the parts are not separated.
    pub(crate) fn tag(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; TAG_BYTES] {
        self.tag_of(purpose, |update| parts.iter().for_each(|part| update(part)))
    }

    /// The same of what `write` hands over piece by piece.
    pub(crate) fn tag_of(&self, purpose: &[u8], write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> [u8; TAG_BYTES] {
        let mut mac = HMAC::new(self.0);
        mac.update(purpose);
        // A purpose holds no NUL, so none is the beginning of another.
        mac.update([0]);
        write(&mut |piece| mac.update(piece));
        first_of(&mac.finalize())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The first bytes of a hash: as many as the array has, which must not be more than the hash.
pub(super) const fn first_of<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    const { assert!(N <= 32) };
    match hash.first_chunk() {
        Some(first) => *first,
        None => [0; N],
    }
}

/// Whether two secrets of the same length are equal, in a time that does not depend on where they
/// differ.
pub(crate) fn equal_in_constant_time<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    // By words, and what is left behind them by bytes.
    let (a, b) = (a.chunks_exact(size_of::<usize>()), b.chunks_exact(size_of::<usize>()));
    let rest = a.remainder().iter().zip(b.remainder());
    let difference = rest.fold(0, |difference, (a, b)| hint::black_box(difference | usize::from(a ^ b)));
    let difference = a.zip(b).fold(difference, |difference, (a, b)| hint::black_box(difference | (word(a) ^ word(b))));
    hint::black_box(difference) == 0
}

fn word(bytes: &[u8]) -> usize {
    bytes.try_into().map_or(0, usize::from_ne_bytes)
}
